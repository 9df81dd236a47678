"""Rounds within a tick: advance every due row, recommend for all that wait in one batch, until nothing is due."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt

from recommenders.contract import Requests, Slates
from simulator.asking import asked
from simulator.criteria import Criteria
from simulator.editors import Editors, edited
from simulator.kernels.batches import pending, scatter
from simulator.kernels.case_row import CASE
from simulator.kernels.layout import (
    EVENT,
    MAX_SCREEN,
    N_TALLIES,
    SCRATCH_WIDTH,
    Array,
    Goods,
    Output,
    People,
    Status,
)
from simulator.kernels.visit import advance, room_needed
from simulator.logs import LogWriter
from simulator.plan import Compiled
from simulator.sent import SentItems
from simulator.visits import VisitTable

Rows = npt.NDArray[np.int64]
Parts = Sequence[tuple[Rows, npt.NDArray[np.int32], npt.NDArray[np.float32] | None]]
"""Rows that are asked for together, their candidates, and what is told of their criteria."""

_WORTH_A_THREAD = 256  # rows below which a second thread costs more than it gives


class _Worker:
    """What one thread writes: its sums, the records that it is filling, and what the world has to know of."""

    def __init__(self, n_items: int, n_counters: int, log: LogWriter, room: int) -> None:
        self.messages: Array = np.zeros(4 * room, dtype=CASE)  # none where nothing starts a case: room is 0
        self.n_messages = np.zeros(1, dtype=np.int64)
        self.tallies = np.zeros(N_TALLIES, dtype=np.int64)
        self.counters = np.zeros((n_items, 1 + n_counters), dtype=np.int64)
        self.scratch = np.zeros((MAX_SCREEN, SCRATCH_WIDTH))
        self._log = log
        self._records: Array = np.empty(0, dtype=EVENT)
        self._used = 0

    def output(self, room: int) -> Output:
        """Where the kernel writes next; records that fill up are handed to the log."""
        if self._log.recording and len(self._records) - self._used < room:
            self.flush()
            self._records = self._log.buffer()
        if len(self.messages) - self.n_messages[0] < room:
            self.messages = np.concatenate([self.messages, np.zeros_like(self.messages)])
        return Output(
            self._records[self._used :], self.tallies, self.counters, self.scratch, self.messages, self.n_messages
        )

    def wrote(self, n: int) -> None:
        """The kernel has written n records."""
        self._used += n

    def flush(self) -> None:
        """Hand over what is there."""
        if len(self._records):
            self._log.submit(self._records, self._used)
        self._records = np.empty(0, dtype=EVENT)
        self._used = 0


class Rounds:
    """Runs the visits of a world, tick by tick."""

    def __init__(
        self, compiled: Compiled, people: People, goods: Goods, seed: int, threads: int, batch: int, log: LogWriter
    ) -> None:
        self.compiled, self.people, self.goods = compiled, people, goods
        self.visits = VisitTable(compiled.largest_slate)
        self.sent = SentItems(len(people.state), compiled.scenario.platform.recent)
        self.stated: npt.NDArray[np.int32] | None = None  # (users, S): declared interests, where users are asked
        self.criteria = Criteria(compiled, people, goods, seed) if compiled.scenario.criteria else None
        editorial = any(surface.editorial is not None for surface in compiled.scenario.surfaces.values())
        self.editors = Editors(compiled, people, goods, seed) if editorial else None
        self._seed, self._batch, self._log = seed, batch, log
        self._room = room_needed(compiled.largest_slate)
        room = self._room if compiled.world is not None else 0
        self._workers = [_Worker(len(goods.facts), len(compiled.names.counters), log, room) for _ in range(threads)]
        self._pool = ThreadPoolExecutor(threads) if threads > 1 else None

    @property
    def tallies(self) -> npt.NDArray[np.int64]:
        """Sums so far over all threads."""
        return np.asarray(sum(worker.tallies for worker in self._workers))

    @property
    def counters(self) -> npt.NDArray[np.int64]:
        """Exposures and counted events per item so far, (items, 1 + counters)."""
        return np.asarray(sum(worker.counters for worker in self._workers))

    def restore(self, tallies: npt.NDArray[np.int64], counters: npt.NDArray[np.int64]) -> None:
        """Take back the sums of a checkpoint."""
        self._workers[0].tallies[:] = tallies
        self._workers[0].counters[:] = counters

    def tick(
        self,
        windows: list[float],
        candidates: npt.NDArray[np.int32],
        answer: Callable[[Requests], Slates],
        version: Callable[[], int],
    ) -> None:
        """Let users live until the last of `windows`, the ends of the parts that a tick is cut into, s."""
        due = self.visits.due(self.people, windows[-1])
        for end in windows:
            todo = due[self.visits.rows.state["clock"][due] < end]
            while len(todo):
                self._advance(todo, end)
                waiting = np.empty(len(todo), dtype=np.int64)
                todo = waiting[: pending(todo, self.visits.rows.state, int(Status.NEEDS_SLATE), waiting)]
                self._serve(todo, candidates, answer, version())
        self.visits.release(self.people)

    def messages(self) -> Array:
        """Decisions since the last call that the world has to know of, dtype CASE (n,)."""
        found = [worker.messages[: int(worker.n_messages[0])].copy() for worker in self._workers]
        for worker in self._workers:
            worker.n_messages[0] = 0
        return np.concatenate(found)

    def output(self, room: int) -> Output:
        """Where somebody else than a visit writes, with room for so many records."""
        return self._workers[0].output(room)

    def wrote(self, n: int) -> None:
        """Somebody else than a visit has written n records."""
        self._workers[0].wrote(n)

    def flush(self) -> None:
        """Hand all records to the log."""
        for worker in self._workers:
            worker.flush()

    def close(self) -> None:
        """Give back the threads."""
        if self._pool is not None:
            self._pool.shutdown()

    def _advance(self, todo: Rows, end: float) -> None:
        n = len(self._workers)
        if self._pool is None or len(todo) < _WORTH_A_THREAD:
            self._advance_rows(self._workers[0], todo, end)
            return
        parts = np.array_split(todo, n)
        jobs = [
            self._pool.submit(self._advance_rows, worker, part, end)
            for worker, part in zip(self._workers, parts, strict=True)
        ]
        for job in jobs:
            job.result()

    def _advance_rows(self, worker: _Worker, todo: Rows, end: float) -> None:
        first = 0
        while first < len(todo):
            out = worker.output(self._room)
            first, n = advance(
                self._seed,
                todo,
                first,
                end,
                self._room,
                self.compiled.plan,
                self.people,
                self.goods,
                self.visits.rows,
                out,
            )
            worker.wrote(n)

    def _serve(
        self, todo: Rows, candidates: npt.NDArray[np.int32], answer: Callable[[Requests], Slates], version: int
    ) -> None:
        """Answer all that wait: one slate size at a time, in the order of users, in chunks of the batch size."""
        rows = self.visits.rows
        sizes = self.compiled.plan.stages["slate"][rows.state["slate_stage"][todo]]
        for size in np.unique(sizes):
            alike = todo[sizes == size]
            parts: Parts = [(alike, candidates, None)]
            if self.criteria is not None:
                parts = self.criteria.ask(alike, rows.state, candidates)
            for part, passing, told in self._by_surface(parts):
                self._answer(part, passing, told, int(size), answer, version)

    def _by_surface(self, parts: Parts) -> Parts:
        """The parts, cut where editors fill places: what they fill is a surface's."""
        if self.editors is None:
            return parts
        cut = []
        for part, candidates, told in parts:
            surface = self.compiled.plan.stages["surface"][self.visits.rows.state["slate_stage"][part]]
            for one in np.unique(surface):
                here = surface == one
                cut.append((part[here], candidates, None if told is None else told[here]))
        return cut

    def _answer(
        self,
        alike: Rows,
        candidates: npt.NDArray[np.int32],
        told: npt.NDArray[np.float32] | None,
        size: int,
        answer: Callable[[Requests], Slates],
        version: int,
    ) -> None:
        """Answer rows that want as many items of the same candidates; `told` is what they ask for, (rows, criteria)."""
        rows = self.visits.rows
        picks = np.empty(0, dtype=np.int32)
        if self.editors is not None:
            surface = self.compiled.plan.stages["surface"][rows.state["slate_stage"][alike[0]]]
            picks = self.editors.picks(int(surface), candidates)
            candidates = candidates[~np.isin(candidates, picks)]
        left = min(size - len(picks), len(candidates))
        for first in range(0, len(alike), self._batch):
            chosen = alike[first : first + self._batch]
            slates = Slates(np.empty((len(chosen), 0), dtype=np.int32))
            if left > 0:
                slates = answer(
                    asked(
                        self._seed,
                        chosen,
                        self.compiled.plan,
                        rows,
                        self.sent,
                        candidates,
                        size - len(picks),
                        stated=self.stated,
                        criteria=None if told is None else told[first : first + self._batch],
                    )
                )
            if len(picks):
                slates = edited(slates, picks)
            odds = np.empty((0, 0), dtype=np.float32) if slates.propensity is None else slates.propensity
            scatter(chosen, rows.state, rows.slate, slates.items, odds, version)
            self.sent.add(rows.state["user"][chosen], slates.items)  # not the plug-in's copy
