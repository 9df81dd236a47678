"""Who is due: users who arrive get rows for their visits, and give them back when a visit has ended."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from simulator.kernel import kernel
from simulator.kernels.lanes import fetch_ahead
from simulator.kernels.layout import Array, Status

_AWAY, _GONE = int(Status.AWAY), int(Status.GONE)
_AHEAD = 8  # rows whose memory is asked for before they are needed


@kernel
def present(users: Array, end: float, out: npt.NDArray[np.int64]) -> tuple[int, int]:
    """Users with an open visit or who arrive before `end`, rising, written to `out` (users,).

    Returns:
        How many they are, and how many of them arrive.
    """
    n, arriving = 0, 0
    for user in range(users.shape[0]):
        if users[user].row >= 0:
            out[n] = user
            n += 1
        elif users[user].due < end:
            out[n] = user
            n += 1
            arriving += 1
    return n, arriving


@kernel
def call(
    listed: npt.NDArray[np.int64],
    users: Array,
    rows: Array,
    blank: Array,
    free: npt.NDArray[np.int64],
    end: float,
    out: npt.NDArray[np.int64],
) -> tuple[int, int]:
    """Give the arriving of the users `listed` a row each, from the end of `free`; `blank` (1,) is an empty one.

    The rows with something to do before `end` are written to `out` (k,), in the order of `listed`.

    Returns:
        How many rows were written, and how many places of `free` are left.
    """
    n, left = 0, free.shape[0]
    for k in range(listed.shape[0]):
        if k + _AHEAD < listed.shape[0]:
            later = users[listed[k + _AHEAD]].row
            if later >= 0:
                fetch_ahead(rows, later)
        u = users[listed[k]]
        if u.row < 0:
            left -= 1
            u.row = free[left]
            rows[free[left]] = blank[0]
            v = rows[free[left]]
            v.user = listed[k]
            v.clock = u.due
            v.status = _AWAY
        if rows[u.row].clock < end:
            out[n] = u.row
            n += 1
    return n, left


@kernel
def ended(called: npt.NDArray[np.int64], users: Array, rows: Array, out: npt.NDArray[np.int64]) -> int:
    """Take back the rows of the `called` whose visits have ended, into `out`; returns how many they are."""
    n = 0
    for k in range(called.shape[0]):
        v = rows[called[k]]
        if v.status == _AWAY or v.status == _GONE:
            users[v.user].row = -1
            out[n] = called[k]
            n += 1
    return n
