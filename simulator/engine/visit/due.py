"""Who is due: users who arrive get rows for their visits, and give them back when a visit has ended."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from simulator.engine.jit.compile import kernel
from simulator.engine.jit.simd import fetch_ahead
from simulator.engine.tables.tables import Array, Status

_AHEAD = 8  # rows whose memory is asked for before they are needed

BLOCK = 32
"""Users who are passed over together while none of them is there and none arrives."""


@kernel
def find_due(
    users: Array, end: float, earliest: npt.NDArray[np.float64], out: npt.NDArray[np.int64]
) -> tuple[int, int]:
    """Find users with an open visit or who arrive before `end`; they are written to `out` (users,), rising.

    `earliest` (users / BLOCK, rounded up) says of every block of users before when it need not be looked at: no arrival
    of them is before that, s. It is -inf of a block of which anybody is there or about to be, whose next arrival is
    open until they are found to have left, and so of one that has not been looked at yet. Beside this only
    `reschedule` changes it.

    Returns:
        How many they are, and how many of them arrive.
    """
    n, arriving = 0, 0
    for block in range(earliest.shape[0]):
        if earliest[block] >= end:
            continue
        first = np.inf
        for user in range(block * BLOCK, min((block + 1) * BLOCK, users.shape[0])):
            due = np.float64(users[user].due)
            if users[user].row >= 0:
                first = -np.inf
                out[n] = user
                n += 1
            elif due < end:
                first = -np.inf
                out[n] = user
                n += 1
                arriving += 1
            elif due < first:
                first = due
        earliest[block] = first
    return n, arriving


@kernel
def reschedule(users: Array, user: int, due: float, earliest: npt.NDArray[np.float64]) -> None:
    """Let a user who is away arrive at `due`, s, if not before; `earliest` as in `find_due`, (0,): nobody keeps it.

    This is the only way in which somebody who is away may come to arrive earlier.
    """
    u = users[user]
    u.due = min(np.float64(u.due), due)
    if earliest.shape[0] > 0:
        earliest[user // BLOCK] = min(earliest[user // BLOCK], due)


@kernel
def open_visits(
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
            v.status = Status.AWAY
        if rows[u.row].clock < end:
            out[n] = u.row
            n += 1
    return n, left


@kernel
def close_visits(called: npt.NDArray[np.int64], users: Array, rows: Array, out: npt.NDArray[np.int64]) -> int:
    """Take back the rows of the `called` whose visits have ended, into `out`; returns how many they are."""
    n = 0
    for k in range(called.shape[0]):
        v = rows[called[k]]
        if v.status == Status.AWAY or v.status == Status.GONE:
            users[v.user].row = -1
            out[n] = called[k]
            n += 1
    return n
