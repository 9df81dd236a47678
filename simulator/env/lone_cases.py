"""Orders of users who have a world to themselves: every sub-environment with an order gets resources of its own."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from simulator.cases import Cases
from simulator.env.rewards import TRUTH
from simulator.env.scene import Scene
from simulator.kernels.case_layout import World
from simulator.kernels.layout import (
    EVENT,
    FIXED,
    MAX_SCREEN,
    N_TALLIES,
    SCRATCH_WIDTH,
    Array,
    Goods,
    Output,
    People,
    Status,
    Tally,
)

if TYPE_CHECKING:
    from simulator.env.fleet import Fleet

Rows = npt.NDArray[np.int64]
_ROOM = 256


class LoneCases:
    """The orders of n users, each in a world of their own.

    A world is made when its user orders for the first time; until then there is nothing in it that could happen.
    """

    def __init__(self, scene: Scene, n: int) -> None:
        self._scene = scene
        self._template = scene.cases(scene.people(np.zeros(1, dtype=np.uint64)))
        self._own: list[Cases | None] = [None] * n
        self._waiting: list[list[Array]] = [[] for _ in range(n)]  # records that are still on their way
        self._there = np.zeros(n, dtype=np.bool_)
        self._output = Output(
            np.zeros(_ROOM, dtype=EVENT), np.zeros(N_TALLIES, dtype=np.int64),
            np.zeros((scene.catalog.n_items, 1 + len(scene.compiled.names.counters)), dtype=np.int64),
            np.zeros((MAX_SCREEN, SCRATCH_WIDTH)),
        )  # fmt: skip
        self._wrote = 0

    def forget(self, rows: Rows) -> None:
        """New users begin in new worlds."""
        for j in rows[self._there[rows]]:
            self._own[j] = None
            self._waiting[j] = []
        self._there[rows] = False

    def post(self, messages: Array, people: People, goods: Goods) -> None:
        """Take orders on."""
        for j in np.unique(messages["user"]):
            mine = messages[messages["user"] == j].copy()
            mine["user"] = 0
            if self._own[j] is None:
                self._own[j] = self._world_of(int(j), people, goods)
                self._there[j] = True
            world = self._own[j]
            assert world is not None
            world.post(mine)

    def belong_to(self, people: People, goods: Goods) -> None:
        """The worlds' users are rows of these tables: said again after a copy, which parts them."""
        for j in np.flatnonzero(self._there):
            world = self._own[j]
            assert world is not None
            world.people, world.goods = _only(people, int(j)), goods

    def _world_of(self, j: int, people: People, goods: Goods) -> Cases:
        fresh = copy.copy(self._template)
        fresh.people, fresh.goods = _only(people, j), goods
        fresh.ground = self._scene.cases(self._scene.people(fresh.people.state["key"].copy())).ground
        copies: Any = (array.copy() for array in self._template.world)
        fresh.world = World(*copies)
        return fresh

    def run(self, rows: Rows, end: float, fleet: Fleet) -> None:
        """Let everything happen in the worlds of `rows` that happens before `end`, s."""
        for j in rows[self._there[rows]]:
            world = self._own[j]
            assert world is not None
            tallies = self._output.tallies
            before = int(tallies[Tally.SATISFACTION])
            kept = self._waiting[j]

            def wrote(n: int, kept: list[Array] = kept) -> None:
                rows = self._output.records[:n]
                kept.extend(rows[k : k + 1].copy() for k in np.flatnonzero(rows["logged_at"] == rows["logged_at"]))

            world.run(end, lambda room: self._output, wrote)
            fleet.seen.earned[j, TRUTH] += np.float32((int(tallies[Tally.SATISFACTION]) - before) / FIXED)

    def hand_over(self, rows: Rows, fleet: Fleet) -> None:
        """Hand over the records that have arrived; of an episode that is over, those that come by its last moment."""
        status, clock = fleet.rows.state["status"], fleet.rows.state["clock"]
        for j in rows[self._there[rows]]:
            waits = status[j] == Status.NEEDS_SLATE
            now = float(clock[j]) if waits else fleet.end
            waiting = self._waiting[j]
            here = [row for row in waiting if row["logged_at"][0] <= now]
            if here:
                self._waiting[j] = [row for row in waiting if row["logged_at"][0] > now]
                records = np.concatenate(here)
                records = records[np.lexsort((records["case"], records["event"], records["logged_at"]))]
                records["user"] = j
                fleet.fold(records, len(records))


def _only(people: People, j: int) -> People:
    """User j as the only one, in the very memory of `people`."""
    own: Any = (array[j : j + 1] for array in people)
    return People(*own)
