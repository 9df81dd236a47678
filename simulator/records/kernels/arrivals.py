"""The order in which records arrived: (logged_at, user, time, event, position)."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from simulator.engine.jit.compile import inlined, kernel
from simulator.engine.jit.structs import group

_SHORT = 16  # rows that are put in order by insertion
ROWS_PER_STRETCH = 4


@inlined
def _before(
    a: np.int64,
    b: np.int64,
    logged_at: npt.NDArray[np.float64],
    user: npt.NDArray[np.uint32],
    time: npt.NDArray[np.float64],
    event: npt.NDArray[np.uint8],
    position: npt.NDArray[np.uint16],
) -> bool:
    """Tell whether row a comes before row b; what never arrived (NaN) comes last."""
    if logged_at[a] != logged_at[b]:
        return logged_at[a] < logged_at[b] or (logged_at[b] != logged_at[b] and logged_at[a] == logged_at[a])
    if user[a] != user[b]:
        return user[a] < user[b]
    if time[a] != time[b]:
        return time[a] < time[b]
    if event[a] != event[b]:
        return event[a] < event[b]
    return position[a] < position[b]


@inlined
def _stretch(moment: float, least: float, most: float, per_second: float, last: np.int64) -> np.int64:
    """Return the stretch of time that a moment falls into, of 0 ... last."""
    if moment <= least:
        return np.int64(0)
    if moment <= most:
        return min(np.int64((moment - least) * per_second), last)
    return last  # without end, or never


@group
class ArrivalKeys(NamedTuple):
    """Hold the keys by which n records are put in order, the first key first."""

    logged_at: npt.NDArray[np.float64]
    user: npt.NDArray[np.uint32]
    time: npt.NDArray[np.float64]
    event: npt.NDArray[np.uint8]
    position: npt.NDArray[np.uint16]


@kernel
def arrival_order(
    keys: ArrivalKeys, ends: npt.NDArray[np.int64], order: npt.NDArray[np.int64], room: npt.NDArray[np.int64]
) -> None:
    """Fill `order` (n,) with the rows by all keys, the first one first; rows that are equal in all stay as they are.

    Rows are dealt out to stretches of time of one length, and each stretch is put in order by itself: with a few rows
    in each that takes as long as reading them. Where many rows fall into one stretch, they are merged.

    Args:
        keys: of the rows, (n,).
        ends: zeros, one more than there are to be stretches; about n / ROWS_PER_STRETCH of them.
        order: written.
        room: to work in, (n,).
    """
    logged_at, user, time, event, position = keys.logged_at, keys.user, keys.time, keys.event, keys.position
    n = logged_at.shape[0]
    least, most = np.inf, -np.inf
    for i in range(n):
        if math.isfinite(logged_at[i]):
            least, most = min(least, logged_at[i]), max(most, logged_at[i])
    last = np.int64(ends.shape[0] - 2)
    per_second = np.float64(last + 1) / (most - least) if most > least else 0.0
    for i in range(n):
        ends[_stretch(logged_at[i], least, most, per_second, last) + 1] += 1
    for s in range(last + 1):
        ends[s + 1] += ends[s]
    for i in range(n):  # the place of the next one, which is where the stretch ends when all have been dealt out
        s = _stretch(logged_at[i], least, most, per_second, last)
        order[ends[s]] = i
        ends[s] += 1
    first = np.int64(0)
    for s in range(last + 1):
        end = ends[s]
        for left in range(first, end, _SHORT):
            for k in range(left + 1, min(left + _SHORT, end)):
                row, j = order[k], k
                while j > left and _before(row, order[j - 1], logged_at, user, time, event, position):
                    order[j] = order[j - 1]
                    j -= 1
                order[j] = row
        width = np.int64(_SHORT)
        while width < end - first:
            for left in range(first, end, 2 * width):
                middle, right = min(left + width, end), min(left + 2 * width, end)
                i, j = left, middle
                for k in range(left, right):
                    if j >= right or (
                        i < middle and not _before(order[j], order[i], logged_at, user, time, event, position)
                    ):
                        room[k] = order[i]
                        i += 1
                    else:
                        room[k] = order[j]
                        j += 1
            for k in range(first, end):
                order[k] = room[k]
            width *= 2
        first = end
