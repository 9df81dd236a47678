"""Rounds within a tick: advance every due row, recommend for all that wait in one batch, until nothing is due."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from recommenders.contract import Requests, Slates, runs
from simulator.engine.tables.case_row import CASE
from simulator.engine.tables.tables import (
    EVENT,
    MAX_SCREEN,
    N_TALLIES,
    SCRATCH_WIDTH,
    Array,
    Items,
    Output,
    Users,
)
from simulator.engine.visit.advance import advance, parts_of, room_needed
from simulator.plan.compiler import Compiled
from simulator.platform.editorial import Editors, edited
from simulator.platform.filters import Criteria
from simulator.platform.kernels.requests import pending, scatter
from simulator.platform.kernels.sorting import NONE, kinds_of
from simulator.platform.recently_shown import RecentlyShown
from simulator.platform.requests import build_requests
from simulator.platform.sorting import SortedLists
from simulator.population.parent_rows import Levels
from simulator.records.log_writer import LogWriter
from simulator.runtime.request_groups import Numbers, RequestGroup, Rows, batched, kinds_of_slates
from simulator.runtime.visit_table import VisitTable

Answer: TypeAlias = Callable[[Requests], Slates]
"""Slates for a batch."""


_NO_PICKS = np.empty(0, dtype=np.int32)
_WORTH_A_THREAD = 256  # rows below which a second thread costs more than it gives


class _Worker:
    """What one thread writes: its sums, the records that it is filling, and what the world has to know of."""

    def __init__(self, n_items: int, n_counters: int, log: LogWriter, room: int) -> None:
        self.messages: Array = np.zeros(4 * room, dtype=CASE)  # none where nothing starts a case: room is 0
        self.n_messages = np.zeros(1, dtype=np.int64)
        self.tallies = np.zeros(N_TALLIES, dtype=np.int64)
        self.counters = np.zeros((n_items, 1 + n_counters), dtype=np.int64)
        self.scratch = np.zeros((MAX_SCREEN, SCRATCH_WIDTH))
        self._log, self._wanted = log, log.wanted
        self._records: Array = np.empty(0, dtype=EVENT)
        self._used = 0

    def output(self, room: int) -> Output:
        """Return where the kernel writes next; records that fill up are handed to the log."""
        if self._log.recording and len(self._records) - self._used < room:
            self.flush()
            self._records = self._log.buffer(room)
        if 0 < len(self.messages) < self.n_messages[0] + room:
            self.messages = np.concatenate([self.messages, np.zeros_like(self.messages)])
        return Output(
            self._records[self._used :], self.tallies, self.counters, self.scratch, self.messages, self.n_messages,
            self._wanted,
        )  # fmt: skip

    def wrote(self, n: int) -> None:
        """Take note that the kernel has written n records."""
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
        self,
        compiled: Compiled,
        users: Users,
        items: Items,
        seed: int,
        threads: int,
        batch: int,
        log: LogWriter,
        servers: Numbers | None = None,
    ) -> None:
        """Make the rounds of a world; `servers` (stages,) says who makes slates: 0 the recommender (default: all)."""
        self.compiled, self.users, self.items = compiled, users, items
        self.visits = VisitTable(compiled.largest_slate, compiled.largest_menu)
        self.recently_shown = RecentlyShown(len(users.state), compiled.scenario.platform.recent)
        self.stated: npt.NDArray[np.int32] | None = None  # (users, S): declared interests, where users are asked
        self.criteria = Criteria(compiled, users, items, seed) if compiled.scenario.criteria else None
        self.sorting = SortedLists(compiled, users, items, seed) if compiled.scenario.sorting else None
        self._levels = Levels(compiled, items)
        self._kinds, self._kind_at = kinds_of_slates(compiled, self._levels, self.sorting, servers)
        editorial = any(surface.editorial is not None for surface in compiled.scenario.surfaces.values())
        self.editors = Editors(compiled, users, items, seed) if editorial else None
        self._seed, self._batch, self._log = seed, batch, log
        self._parts = parts_of(compiled.plan)
        self._room = room_needed(compiled.largest_slate, compiled.largest_menu, compiled.most_responses)
        room = self._room if compiled.world is not None else 0
        self._workers = [_Worker(len(items.state), len(compiled.names.counters), log, room) for _ in range(threads)]
        self._pool = ThreadPoolExecutor(threads) if threads > 1 else None

    @property
    def tallies(self) -> npt.NDArray[np.int64]:
        """Return the sums so far over all threads."""
        return np.asarray(sum(worker.tallies for worker in self._workers))

    @property
    def counters(self) -> npt.NDArray[np.int64]:
        """Return the exposures and counted events per item so far, (items, 1 + counters)."""
        return np.asarray(sum(worker.counters for worker in self._workers))

    def restore(self, tallies: npt.NDArray[np.int64], counters: npt.NDArray[np.int64]) -> None:
        """Take back the sums of a checkpoint."""
        self._workers[0].tallies[:] = tallies
        self._workers[0].counters[:] = counters

    def tick(
        self,
        windows: list[float],
        candidates: npt.NDArray[np.int32],
        answer: Answer,
        version: Callable[[], int],
    ) -> None:
        """Let users live until the last of `windows`, the ends of the parts that a tick is cut into, s."""
        for waiting in self.rounds_of(windows):
            self.serve(waiting, candidates, answer, version())

    def rounds_of(self, windows: list[float]) -> Iterator[Rows]:
        """Yield the rows that wait for slates, round by round, in the order of users.

        Whoever asks for the next round has handed slates to all rows of this one (`hand_out`).
        """
        if self.criteria is not None:
            self.criteria.forget()
        due = self.visits.due(self.users, windows[-1])
        for end in windows:
            todo = due[self.visits.rows.state["clock"][due] < end]
            while len(todo):
                self._advance(todo, end)
                waiting = np.empty(len(todo), dtype=np.int64)
                todo = waiting[: pending(todo, self.visits.rows.state, waiting)]
                if len(todo):
                    yield todo
        self.visits.release(self.users)

    def messages(self) -> Array:
        """Return the decisions since the last call that the world has to know of, dtype CASE (n,)."""
        found = [worker.messages[: int(worker.n_messages[0])].copy() for worker in self._workers]
        for worker in self._workers:
            worker.n_messages[0] = 0
        return np.concatenate(found)

    def output(self, room: int) -> Output:
        """Return where somebody else than a visit writes, with room for so many records."""
        return self._workers[0].output(room)

    def wrote(self, n: int) -> None:
        """Take note that somebody else than a visit has written n records."""
        self._workers[0].wrote(n)

    def flush(self) -> None:
        """Hand all records to the log."""
        for worker in self._workers:
            worker.flush()

    def settle(self) -> None:
        """Put everything recorded so far into the platform's memory."""
        self.flush()
        if self._log.recording:
            self._log.drain()

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
                self.users,
                self.items,
                self.visits.rows,
                out,
                *self._parts,
            )
            worker.wrote(n)

    def serve(self, todo: Rows, candidates: npt.NDArray[np.int32], answer: Answer, version: int) -> None:
        """Answer all that wait: one slate size at a time, in the order of users, in chunks of the batch size."""
        step = len(todo) if self.criteria is None else self.criteria.at_once or len(todo)
        for first in range(0, len(todo), step):
            parts = self.group_requests(todo[first : first + step], candidates, self._batch)
            for groups in batched(parts, self._batch):
                requests = self.requests([part for part in groups if part.asks])
                for part in groups:
                    self.hand_out(part, self._slates(part, requests, answer), version)

    def _slates(self, part: RequestGroup, requests: Iterator[Requests], answer: Answer) -> Slates:
        if part.sorting != NONE and self.sorting is not None:
            state = self.visits.rows.state
            return self.sorting.slates(part.sorting, part.chosen, state, part.lists, part.size)
        if part.asks:
            return answer(next(requests))
        return Slates(np.empty((len(part.chosen), 0), dtype=np.int32))

    def by_platform(self, todo: Rows) -> npt.NDArray[np.bool_]:
        """Return which of the rows `todo` get a sorted list, or are served by a policy of the platform's own."""
        return np.array([kind.order != NONE or kind.server > 0 for kind in self._kinds])[self._kinds_of(todo)]

    def group_requests(self, todo: Rows, candidates: npt.NDArray[np.int32], most: int) -> Iterator[RequestGroup]:
        """Yield the rows `todo` in groups that share size, candidate level, sort order and who makes their slates, of
        at most so many rows.
        """
        kinds = self._kinds_of(todo)
        there = np.flatnonzero(np.bincount(kinds, minlength=len(self._kinds))).tolist()
        lists = {k: self._levels.among(self._kinds[k].level, candidates) for k in there}
        several, criteria = None, None
        if self.criteria is not None:
            todo, kinds, of, criteria = self.criteria.ask(todo, self.visits.rows.state, kinds, lists)
            several = self.criteria.lists.lists(of)
        elif len(there) > 1:
            order = np.argsort(kinds, kind="stable")
            todo, kinds = todo[order], kinds[order]
        first = 0
        for k in there:
            last = int(np.searchsorted(kinds, k, side="right"))
            number = self._kinds[k].order
            size = self._kinds[k].size if len(lists[k]) else 0
            whole = RequestGroup(todo, lists[k], several, criteria, size, _NO_PICKS, number).rows(first, last)
            first = last
            if number != NONE or self.editors is None:
                yield from self._chunks(whole, most)
            else:
                yield from self._beside_editors(whole, most)

    def _chunks(self, whole: RequestGroup, most: int) -> Iterator[RequestGroup]:
        """Cut a group into groups of at most so many rows."""
        for first in range(0, len(whole.chosen), most):
            yield self._narrowed(whole.rows(first, first + most))

    def _narrowed(self, part: RequestGroup) -> RequestGroup:
        """Return the group; where all of its rows choose from one list, with that list as its candidates."""
        if part.several is None or self.criteria is None:
            return part
        of = part.several.of
        if np.count_nonzero(of != of[0]):
            return part
        own = self.criteria.lists.array(int(of[0]))
        return RequestGroup(part.chosen, own, None, part.criteria, part.size, part.picks, part.sorting)

    def _beside_editors(self, whole: RequestGroup, most: int) -> Iterator[RequestGroup]:
        """Yield groups of one list, whose slates a recommender makes but for what editors fill on a surface."""
        assert self.editors is not None
        state, stages = self.visits.rows.state, self.compiled.plan.stages
        for first, last in [(0, len(whole.chosen))] if whole.several is None else runs(whole.several.of):
            part = self._narrowed(whole.rows(first, last))
            surfaces = stages["surface"][state["slate_stage"][part.chosen]]
            for surface in np.unique(surfaces):
                here = np.flatnonzero(surfaces == surface)
                picks, others = self.editors.picks(int(surface), part.candidates)
                left = part._replace(
                    chosen=part.chosen[here], candidates=others, picks=picks,
                    criteria=None if part.criteria is None else part.criteria[here],
                    size=part.size - len(picks) if len(others) else 0,
                )  # fmt: skip
                yield from self._chunks(left, most)

    def _kinds_of(self, todo: Rows) -> npt.NDArray[np.int64]:
        """Return the kind of slates that each of the rows `todo` waits for, (n,)."""
        kinds = np.empty(len(todo), dtype=np.int64)
        bounds = np.empty(0) if self.sorting is None else self.sorting.bounds
        kinds_of(self._seed, todo, self.visits.rows.state, bounds, self._kind_at, kinds)
        return kinds

    def requests(self, parts: Sequence[RequestGroup]) -> Iterator[Requests]:
        """Yield the requests of each group: gathered in one go, and handed out as views of it."""
        if not parts:
            return
        chosen, criteria = parts[0].chosen, parts[0].criteria
        if len(parts) > 1:
            chosen = np.concatenate([part.chosen for part in parts])
            if criteria is not None:
                criteria = np.concatenate([part.criteria for part in parts if part.criteria is not None])
        whole = build_requests(
            self._seed, chosen, self.compiled.plan, self.visits.rows, self.recently_shown,
            parts[0].candidates, parts[0].size,
            stated=self.stated, criteria=criteria, seen=self.compiled.scenario.platform.seen,
            sorting=None if self.sorting is None else self.sorting.known(chosen, self.visits.rows.state),
            several=parts[0].several if len(parts) == 1 else None,
        )  # fmt: skip
        last = 0
        for part in parts:
            first, last = last, last + len(part.chosen)
            yield whole if len(parts) == 1 else whole.part(first, last, part.candidates, part.size, part.several)

    def hand_out(self, part: RequestGroup, slates: Slates, version: int) -> None:
        """Give rows their slates, which a model of this version made, with what editors fill in its places."""
        rows = self.visits.rows
        if len(part.picks):
            slates = edited(slates, part.picks)
        odds = np.empty((0, 0), dtype=np.float32) if slates.propensity is None else slates.propensity
        scatter(part.chosen, rows.state, rows.slate, slates.items, odds, version)
        self.recently_shown.add(rows.state["user"][part.chosen], slates.items)  # not the plug-in's copy
