"""Worlds of users who have one to themselves: what becomes of their orders, one row of every table per user.

A user's world is furnished when they order for the first time; until then there is nothing in it that could happen.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from simulator.engine.cases.run import happenings_at_once
from simulator.engine.jit.structs import group
from simulator.engine.tables.case_tables import CASE, HAPPENING, NO_ROW, Count, Geography, WorldPlan
from simulator.engine.tables.tables import EVENT, Array
from simulator.env.context import EnvContext
from simulator.runtime.cases import qualifications

AT_ONCE = 64
"""Records that a call of the engine may write before they are put aside."""

_SLOTS, _WAITING = 16, 2 * AT_ONCE


@group
class Orders(NamedTuple):
    """The worlds of n users. What each field of a `CaseState` is for one, has here an axis of users before it."""

    cases: Array  # CASE (n, slots)
    heap: Array  # HAPPENING (n, room)
    free: npt.NDArray[np.int32]  # (n, slots)
    units: Array  # UNIT (n, units)
    servers: npt.NDArray[np.int32]  # (n, servers)
    places: npt.NDArray[np.float32]  # (n, servers, 2)
    counts: npt.NDArray[np.int64]  # (n, N_COUNTS)
    there: npt.NDArray[np.bool_]  # (n,): whether the world is furnished
    waiting: Array  # EVENT (n, W): records that are still on their way to the platform
    n_waiting: npt.NDArray[np.int64]  # (n,)
    felt: npt.NDArray[np.int64]  # (n,): satisfaction with orders in this step, in units of 1 / FIXED
    qualification: npt.NDArray[np.float32]  # (n, Q): what those who choose may like of a user


@group
class Blank(NamedTuple):
    """A world at its beginning, and what no order changes."""

    heap: Array  # HAPPENING (k,): what happens without any order
    units: Array
    servers: npt.NDArray[np.int32]
    places: npt.NDArray[np.float32]
    counts: npt.NDArray[np.int64]


class PrivateWorlds:
    """The worlds of n users.

    Attributes:
        orders: all that changes; new arrays after `grow`.
        blank: how each begins.
        shared, ground: what no order changes; of `ground` only what is about items.
        at_once: rows that one happening may put on the heap, besides one for every slot.
    """

    def __init__(self, context: EnvContext, n: int) -> None:
        template = context.cases(context.users(np.zeros(1, dtype=np.uint64)))
        state, width = template.case_state, template.geography.qualification.shape[1]
        self._seed = context.seed
        self.shared: WorldPlan = template.shared
        self.geography: Geography = template.geography
        self.blank = Blank(
            state.heap[: int(state.counts[Count.HEAP])].copy(), state.units, state.servers, state.places, state.counts
        )
        self.at_once = int(happenings_at_once(self.shared, 0))
        self.orders = Orders(
            cases=np.zeros((n, _SLOTS), dtype=CASE),
            heap=np.zeros((n, self._heap_room(_SLOTS)), dtype=HAPPENING),
            free=np.zeros((n, _SLOTS), dtype=np.int32),
            units=np.zeros((n, len(state.units)), dtype=state.units.dtype),
            servers=np.full((n, len(state.servers)), NO_ROW, dtype=np.int32),
            places=np.zeros((n, *state.places.shape), dtype=np.float32),
            counts=np.zeros((n, len(state.counts)), dtype=np.int64),
            there=np.zeros(n, dtype=np.bool_),
            waiting=np.zeros((n, _WAITING), dtype=EVENT),
            n_waiting=np.zeros(n, dtype=np.int64),
            felt=np.zeros(n, dtype=np.int64),
            qualification=np.zeros((n, width), dtype=np.float32),
        )

    def _heap_room(self, slots: int) -> int:
        """Return how many rows a few happenings of every case take, beside what one of them may put there at once."""
        return len(self.blank.heap) + 5 * slots + 2 * self.at_once + 1

    def arrive(self, rows: npt.NDArray[np.int64], keys: npt.NDArray[np.uint64]) -> None:
        """Let users with these keys come to `rows`."""
        if self.orders.qualification.shape[1]:
            self.orders.qualification[rows] = qualifications(self.shared, keys, self._seed)

    def more_cases(self) -> None:
        """Make room for twice as many cases of each user, and for what happens to them."""
        old, orders = self.orders.cases.shape[1], self.orders
        n, slots = len(orders.cases), 2 * old
        cases, free = np.zeros((n, slots), dtype=CASE), np.zeros((n, slots), dtype=np.int32)
        heap = np.zeros((n, self._heap_room(slots)), dtype=HAPPENING)
        cases[:, :old], free[:, :old], heap[:, : orders.heap.shape[1]] = orders.cases, orders.free, orders.heap
        at = orders.counts[:, Count.FREE, None] + np.arange(old)
        np.put_along_axis(free, at, np.arange(slots - 1, old - 1, -1, dtype=np.int32)[None], axis=1)
        orders.counts[:, Count.FREE] += old
        self.orders = orders._replace(cases=cases, free=free, heap=heap)

    def more_records(self) -> None:
        """Make room for twice as many records that wait."""
        old = self.orders.waiting
        waiting = np.zeros((len(old), 2 * old.shape[1]), dtype=EVENT)
        waiting[:, : old.shape[1]] = old
        self.orders = self.orders._replace(waiting=waiting)
