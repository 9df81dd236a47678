"""The rows of open visits: who is due in a tick, and the slots that their rows lie in.

A row keeps its slot while its visit is open, and slots are handed out again afterwards. Which slot a row has never
matters: rows are always advanced in the order of users, and every draw is keyed by the user.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from simulator.engine.tables.tables import CARD, OFFER, VISIT, VISIT_MEMORY, Users, Visits
from simulator.engine.visit.due import BLOCK, close_visits, find_due, open_visits

_FIRST_CAPACITY = 1024
_BLANK = np.zeros(1, dtype=VISIT)


class VisitTable:
    """Open visits of a world; `rows` are the arrays that kernels read and write.

    Who is away arrives no earlier than they were last found to, unless whoever says otherwise changes `soonest` too.
    """

    def __init__(self, slate: int, menu: int = 0) -> None:
        self.rows = empty_visits(0, slate, menu)
        self._free = np.empty(0, dtype=np.int64)
        self._called = np.empty(0, dtype=np.int64)  # rows that were last due
        self._soonest: npt.NDArray[np.float64] | None = None

    def earliest(self, users: Users) -> npt.NDArray[np.float64]:
        """Return what tells `due` whom it need not look at, as in `due.find_due`: the same array for all time.

        It follows from the users, and so is no part of a checkpoint: at first, and after `restore`, it says nothing.
        """
        if self._soonest is None:
            self._soonest = np.full(-(-len(users.state) // BLOCK), -np.inf)
        return self._soonest

    def _grow(self, needed: int) -> None:
        old = len(self.rows.state)
        size = max(_FIRST_CAPACITY, old + needed, old + old // 2)
        larger = empty_visits(size, self.rows.slate.shape[1], self.rows.menu.shape[1])
        for a, b in zip(larger, self.rows, strict=True):
            a[:old] = b
        self.rows = larger
        self._free = np.concatenate([self._free, np.arange(size - 1, old - 1, -1)])

    def due(self, users: Users, end: float) -> npt.NDArray[np.int64]:
        """Return the rows with something to do before `end`, in the order of users; users who arrive get a row."""
        listed = np.empty(len(users.state), dtype=np.int64)
        n, arriving = find_due(users.state, end, self.earliest(users), listed)
        if arriving > len(self._free):
            self._grow(arriving - len(self._free))
        called = np.empty(n, dtype=np.int64)
        n, left = open_visits(listed[:n], users.state, self.rows.state, _BLANK, self._free, end, called)
        self._free = self._free[:left]
        self._called = called[:n]
        return self._called

    def release(self, users: Users) -> None:
        """Give back the slots of visits that have ended since `due`."""
        slots = np.empty(len(self._called), dtype=np.int64)
        n = close_visits(self._called, users.state, self.rows.state, slots)
        self._called = self._called[:0]
        self._free = np.concatenate([self._free, slots[:n]])

    def open_rows(self, users: Users) -> npt.NDArray[np.int64]:
        """Return the slots of all open visits, in the order of users."""
        slots: npt.NDArray[np.int64] = users.state["row"][users.state["row"] >= 0].astype(np.int64)
        return slots

    def compacted(self, users: Users) -> tuple[npt.NDArray[np.int64], Visits]:
        """Return the users with an open visit, and copies of their rows in that order (for a checkpoint)."""
        slots = self.open_rows(users)
        return np.flatnonzero(users.state["row"] >= 0), self._rows_at(slots)

    def _rows_at(self, slots: npt.NDArray[np.int64]) -> Visits:
        found: Any = (array[slots] for array in self.rows)
        return Visits(*found)

    def restore(self, all_users: Users, users: npt.NDArray[np.int64], rows: Visits) -> None:
        """Take back what `compacted` gave; slots are assigned anew."""
        self.rows = empty_visits(0, self.rows.slate.shape[1], self.rows.menu.shape[1])
        self._free = self._called = np.empty(0, dtype=np.int64)
        self._grow(len(users))
        slots, self._free = (
            self._free[-len(users) :] if len(users) else self._free[:0],
            self._free[: len(self._free) - len(users)],
        )
        for array, kept in zip(self.rows, rows, strict=True):
            array[slots] = kept
        all_users.state["row"] = -1
        all_users.state["row"][users] = slots
        self.earliest(all_users)[:] = -np.inf


def empty_visits(n: int, slate: int, menu: int) -> Visits:
    """Make room for n visits with slates and menus of so many cards."""
    return Visits(
        state=np.zeros(n, dtype=VISIT),
        slate=np.full((n, slate), np.array((-1, np.nan), dtype=OFFER)),
        memory=np.full((n, VISIT_MEMORY), -1, dtype=np.int32),
        memory_value=np.full((n, VISIT_MEMORY), np.nan, dtype=np.float32),
        menu=np.zeros((n, menu), dtype=CARD),
    )
