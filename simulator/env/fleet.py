"""Users in worlds of their own, all stepped together: the engine behind one environment or a thousand.

Row j of every table is the user of sub-environment j. One call of the engine's kernel `advance` takes all of them to
their next requests. They share the catalog and what is published, and nothing else.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt

from simulator.env.bound import ANSWER, BEGIN, Table, Terms, table_of, whole_step
from simulator.env.buffers import Kept, Seen, kept_buffers, seen_buffers
from simulator.env.lone_cases import LoneCases
from simulator.env.scene import Published, Scene
from simulator.env.settings import WORTH_A_THREAD
from simulator.env.steps import answer, begin_episode, begin_step, fold, look, renew
from simulator.env.users import UserPool, put_users
from simulator.errors import InputError
from simulator.kernels.case_row import CASE
from simulator.kernels.layout import (
    EVENT,
    MAX_SCREEN,
    N_TALLIES,
    OFFER,
    SCRATCH_WIDTH,
    VISIT,
    VISIT_MEMORY,
    Array,
    Output,
    Status,
    Visits,
)
from simulator.kernels.visit import advance, room_needed

Rows = npt.NDArray[np.int64]
_RECORDS = 1 << 12  # few enough to be still near when they are added up
_AHEAD_ALONE, _AHEAD = 256, 4
_NEEDS_SLATE = int(Status.NEEDS_SLATE)
_TRIES = 1000
NEVER = 1e300


class Fleet:
    """n users of a scene, each with luck of their own.

    Args:
        scene: what they share.
        n: how many.
    """

    def __init__(self, scene: Scene, n: int) -> None:
        self.scene, self.n = scene, n
        self.goods = scene.goods._replace(promised=scene.goods.promised.copy(), readouts=scene.goods.readouts.copy())
        self.pool = UserPool(scene, n, _AHEAD_ALONE if n == 1 else _AHEAD)
        self.people = scene.people(np.zeros(n, dtype=np.uint64))
        self.rows = Visits(
            state=np.zeros(n, dtype=VISIT),
            slate=np.full((n, scene.slate), np.array((-1, np.nan), dtype=OFFER)),
            memory=np.full((n, VISIT_MEMORY), -1, dtype=np.int32),
            memory_value=np.full((n, VISIT_MEMORY), np.nan, dtype=np.float32),
        )
        self.seen: Seen = seen_buffers(scene, n)
        self.kept: Kept = kept_buffers(scene, n)
        self._room = room_needed(scene.compiled.largest_slate) + 64
        beside = scene.compiled.world is not None
        threads = scene.settings.threads_for(n)
        self._outputs = [self._new_output(beside) for _ in range(threads)]
        self._threads = ThreadPoolExecutor(threads) if threads > 1 else None
        times = np.concatenate([scene.opens, scene.closes])
        self._edges = np.append(np.unique(times[np.isfinite(times)]), np.inf)
        self._published = Published(scene)
        self.lifelong = scene.settings.episode == "lifetime"
        self.end = scene.horizon if self.lifelong else NEVER
        self._cases = LoneCases(scene, n) if beside and self.lifelong else None
        self._zones = np.zeros(n, dtype=np.int32)
        self._phase = -1
        self._bind()

    def _new_output(self, beside: bool) -> Output:
        scene = self.scene
        return Output(
            records=np.zeros(max(_RECORDS if self.n > 1 else 0, 2 * self._room), dtype=EVENT),
            tallies=np.zeros(N_TALLIES, dtype=np.int64),
            counters=np.zeros((scene.catalog.n_items, 1 + len(scene.compiled.names.counters)), dtype=np.int64),
            scratch=np.zeros((MAX_SCREEN, SCRATCH_WIDTH)),
            messages=np.zeros(2 * self._room if beside else 0, dtype=CASE),
            n_messages=np.zeros(1, dtype=np.int64),
        )

    def _bind(self) -> None:
        """Write down where all tables lie, for steps that are one call; a set for each thread."""
        scene, tables = self.scene, self.scene.tables
        self._bound: list[tuple[Terms, Table]] = []
        for output in self._outputs:
            terms = Terms(
                scene.opens, scene.closes, self._edges, scene.weights, tables.worth, tables.marks, tables.signal,
                scene.features, np.arange(self.n, dtype=np.int64), np.zeros((self.n, scene.slate), dtype=np.int64),
                np.array([scene.tick, scene.horizon, self.end, float(scene.plan.starts_at[0]), scene.settings.margin]),
                np.array([scene.seed, self._room, scene.slate, scene.recent, scene.settings.most_requests]),
                np.zeros(self.n, dtype=np.int64),
            )  # fmt: skip
            own = (self.people, self.goods, self.rows, output, self.seen, self.kept)
            self._bound.append((terms, table_of((scene.plan, *own, terms, self.pool.people))))

    # ---- episodes

    def seed(self, rows: Rows, seeds: npt.NDArray[np.uint64]) -> None:
        """Give sub-environments new seeds; their next episodes are the first of these."""
        self.pool.seed(rows, seeds)

    def reset(self, rows: Rows) -> None:
        """Begin the next episode of each of `rows`: a new user comes, and the first request stands.

        Raises:
            InputError: users do not come before the horizon.
        """
        waiting = rows
        for _ in range(_TRIES):
            places = self.pool.next(waiting)
            self._zones[waiting] = self.pool.zones[places]
            if self._cases is None:
                self._in_one_call(waiting, BEGIN, places=places)
            else:
                self._arrive(waiting, places)
            waiting = waiting[self.rows.state["status"][waiting] != _NEEDS_SLATE]
            if len(waiting) == 0:
                return
        raise InputError("environment", f"no user comes by horizon = {self.scene.horizon:g} s", "a longer horizon")

    def _arrive(self, rows: Rows, places: Rows) -> None:
        """New users come whom their orders follow."""
        assert self._cases is not None
        put_users(rows, places, self.pool.people, self.people)
        begin_episode(rows, self.people.state, self.rows.state, self.seen, self.kept)
        self._cases.forget(rows)
        self._live_by_ticks(rows)
        begin_step(rows, self.seen)
        self._look(rows)

    def step(self, rows: Rows, actions: npt.NDArray[np.int64]) -> None:
        """Answer the requests of `rows` with `actions` (k, places), and go on to the next ones."""
        if len(rows) == 0:
            return
        scene = self.scene
        if len(rows) > 1 or self._cases is not None:  # of one row, the call itself checks
            self._check(bool(actions.min() >= 0 and actions.max() < scene.catalog.n_items))
        if self._cases is None:
            self._in_one_call(rows, ANSWER, actions)
            return
        answer(
            rows, actions, scene.slate, scene.tick, scene.recent, scene.opens, scene.closes, scene.plan.stages,
            self.rows.state, self.rows.slate, self.seen, self.kept,
        )  # fmt: skip
        begin_step(rows, self.seen)
        self._live_by_ticks(rows)
        self._look(rows)

    # ---- living

    def _in_one_call(
        self, rows: Rows, mode: int, actions: npt.NDArray[np.int64] | None = None, places: Rows | None = None
    ) -> None:
        """A step of users whom no order binds; one call for each hour of the day that is announced differently."""
        if not self._published.varies:
            self._in_parts(rows, mode, actions, places)
            return
        times = self.rows.state["clock"][rows] if places is None else self.pool.people.state["due"][places]
        if len(rows) == 1:
            self._announce(self._published.phase(float(times[0])), rows, begin=mode == BEGIN)
            self._in_parts(rows, mode, actions, places)
            return
        phases = self._published.phases(times)
        for phase in np.unique(phases).tolist():
            part = phases == phase
            self._announce(phase, rows[part], begin=mode == BEGIN)
            self._in_parts(
                rows[part], mode, None if actions is None else actions[part], None if places is None else places[part]
            )

    def _in_parts(self, rows: Rows, mode: int, actions: npt.NDArray[np.int64] | None, places: Rows | None) -> None:
        """The same, on as many threads as there are and as is worth it."""
        if self._threads is None or len(rows) < WORTH_A_THREAD:
            self._part(0, 0, len(rows), rows, mode, actions, places)
            return
        ends = np.linspace(0, len(rows), len(self._bound) + 1).astype(int).tolist()
        jobs = [
            self._threads.submit(self._part, k, ends[k], ends[k + 1], rows, mode, actions, places)
            for k in range(1, len(self._bound))
        ]
        self._part(0, 0, ends[1], rows, mode, actions, places)
        for job in jobs:
            job.result()

    def _part(
        self, k: int, first: int, end: int, rows: Rows, mode: int, actions: npt.NDArray[np.int64] | None,
        places: Rows | None,
    ) -> None:  # fmt: skip
        terms, table = self._bound[k]
        n = end - first
        terms.rows[:n] = rows[first:end]
        if actions is not None:
            terms.actions[:n] = actions[first:end]
        if places is not None:
            terms.places[:n] = places[first:end]
        self._check(whole_step(table, n, mode))

    def _check(self, done: bool) -> None:
        if not done:
            raise InputError("environment", "an action names no item", f"0 ... {self.scene.catalog.n_items - 1}")

    def _announce(self, phase: int, rows: Rows, begin: bool) -> None:
        if begin or phase != self._phase or self.n > 1 or self._cases is not None:
            self._published.announce(phase, self.goods, self.people, rows, self._zones)
            self._phase = phase

    def _advance(self, rows: Rows, end: float) -> None:
        first, out = 0, self._outputs[0]
        while first < len(rows):
            first, n = advance(
                self.scene.seed, rows, first, end, self._room, self.scene.plan, self.people, self.goods, self.rows, out
            )
            self.fold(out.records, n)
            if self._cases is not None:
                self._cases.post(out.messages[: int(out.n_messages[0])], self.people, self.goods)
            out.n_messages[0] = 0

    def _live_by_ticks(self, rows: Rows) -> None:
        """Where orders go on by themselves, users live from tick to tick, as in a world."""
        assert self._cases is not None
        state, users, tick = self.rows.state, self.people.state, self.scene.tick
        todo = rows
        while len(todo):
            number = np.floor(state["clock"][todo] / tick)
            for k in np.unique(number):
                alike = todo[number == k]
                begin, end = float(k * tick), float(min((k + 1) * tick, self.end))
                # what happened to their orders while they were away
                self._cases.run(alike, begin, self)
                stay = users["gone"][alike] == 0
                dismissed = alike[~stay & (state["status"][alike] == Status.AWAY)]
                state["status"][dismissed] = Status.GONE
                alike = np.setdiff1d(alike, dismissed)
                if len(alike) == 0:
                    continue
                users["row"][alike] = alike
                if self._published.varies:
                    self._announce(self._published.phase(begin), alike, begin=True)
                self._advance(alike, end)
                asks = state["status"][alike] == Status.NEEDS_SLATE
                away = alike[(state["status"][alike] == Status.AWAY) | (state["status"][alike] == Status.GONE)]
                users["row"][away] = -1
                self._cases.run(alike[~asks], end, self)
            todo = todo[(state["status"][todo] != Status.NEEDS_SLATE) & (state["status"][todo] != Status.GONE)]
            todo = todo[state["clock"][todo] < self.end]
        done = rows[state["status"][rows] != Status.NEEDS_SLATE]
        self._cases.run(done, self.end, self)
        scene = self.scene
        renew(
            rows, scene.tick, scene.recent, scene.opens, scene.closes, self._edges, self.rows.state, self.seen,
            self.kept,
        )  # fmt: skip

    def fold(self, records: Array, n: int) -> None:
        """Take in n records."""
        scene = self.scene
        if n:
            fold(
                records, n, scene.settings.margin, scene.tables.worth, scene.tables.marks, scene.tables.signal,
                self.goods.facts, scene.features, self.seen, self.kept,
            )  # fmt: skip

    def _look(self, rows: Rows) -> None:
        scene = self.scene
        if self._cases is not None:
            self._cases.hand_over(rows, self)
        look(
            rows, scene.settings.most_requests, scene.slate, float(scene.plan.starts_at[0]), scene.horizon,
            scene.weights, scene.plan.stages, self.rows.state, self.seen, self.kept,
        )  # fmt: skip

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name not in ("_threads", "_bound")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._threads = ThreadPoolExecutor(len(self._outputs)) if len(self._outputs) > 1 else None
        self._bind()
        if self._cases is not None:
            self._cases.belong_to(self.people, self.goods)
