"""Users in worlds of their own, all stepped together: the engine behind one environment or a thousand.

Row j of every table is the user of sub-environment j. One call of the engine's kernel `advance` takes all of them to
their next requests. They share the catalog and what is published, and nothing else.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt

from simulator.env.bound import Table, Terms, table_of, whole_step
from simulator.env.buffers import Kept, Seen, kept_buffers, seen_buffers
from simulator.env.lone_cases import LoneCases
from simulator.env.published import Published
from simulator.env.scene import Scene
from simulator.env.settings import WORTH_A_THREAD
from simulator.env.steps import answer, begin_episode, begin_step, fold, look, renew
from simulator.env.users import UserPool, put_users
from simulator.errors import InputError
from simulator.kernels.case_row import CASE
from simulator.kernels.layout import (
    EVENT,
    MAX_SCREEN,
    N_TALLIES,
    SCRATCH_WIDTH,
    Array,
    Goods,
    Output,
    Status,
    Visits,
)
from simulator.kernels.visit import advance, room_needed
from simulator.visits import empty_visits

Rows = npt.NDArray[np.int64]
_RECORDS = 1 << 12  # few enough to be still near when they are added up
_AHEAD_ALONE, _AHEAD = 256, 4
_NEEDS_SLATE = int(Status.NEEDS_SLATE)
_TRIES = 1000
NEVER = 1e300
_NOBODY = np.zeros(0, dtype=np.int64)
_NO_SLATES = np.zeros((0, 1), dtype=np.int64)


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
        self.rows: Visits = empty_visits(n, scene.slate, scene.compiled.largest_menu)
        self.seen: Seen = seen_buffers(scene, n)
        self.kept: Kept = kept_buffers(scene, n)
        self._room = room_needed(scene.compiled.largest_slate, scene.compiled.largest_menu) + 64
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
        self._phases = np.zeros(n, dtype=np.int64)  # of what was announced last to each
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
        published = self._published
        self._n_bound = len(published.by_item)
        self._bound: list[tuple[Terms, Table]] = []
        for output in self._outputs:
            terms = Terms(
                scene.opens, scene.closes, self._edges, scene.weights, tables.worth, tables.marks, tables.signal,
                scene.features, published.by_item, published.by_zone, self._zones, np.zeros(self.n, dtype=np.int64),
                np.zeros(self.n, dtype=np.int64), np.zeros(self.n, dtype=np.int64),
                np.zeros((self.n, scene.slate), dtype=np.int64),
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
        self.turn(_NOBODY, _NO_SLATES, rows)

    def step(self, rows: Rows, actions: npt.NDArray[np.int64]) -> None:
        """Answer the requests of `rows` with `actions` (k, places), and go on to the next ones."""
        self.turn(rows, actions, _NOBODY)

    def turn(self, rows: Rows, actions: npt.NDArray[np.int64], new: Rows) -> None:
        """`step` for `rows` with `actions`, and `reset` for other rows, `new`, in one go."""
        if len(rows) > 1 or (self._cases is not None and len(rows)):  # of one row, the call itself checks
            self._check(bool(actions.min() >= 0 and actions.max() < self.scene.catalog.n_items))
        if self._cases is not None and len(rows):
            self._answer(rows, actions)
        for _ in range(_TRIES):
            places = self._next(new)
            if self._cases is None:
                self._live(rows, actions, new, places)
            elif len(new):
                self._arrive(new, places)
            rows, actions = _NOBODY, _NO_SLATES
            new = new[self.rows.state["status"][new] != _NEEDS_SLATE]
            if len(new) == 0:
                return
        raise InputError("environment", f"no user comes by horizon = {self.scene.horizon:g} s", "a longer horizon")

    def goods_for(self, j: int) -> Goods:
        """The items as user j sees them: with what was announced last."""
        return self.goods._replace(promised=self._published.by_item[self._phases[j]])

    def _next(self, rows: Rows) -> Rows:
        """Where in the pool the next users of `rows` are found."""
        if len(rows) == 0:
            return rows
        places = self.pool.next(rows)
        self._zones[rows] = self.pool.zones[places]
        return places

    def _arrive(self, rows: Rows, places: Rows) -> None:
        """New users come whom their orders follow."""
        assert self._cases is not None
        put_users(rows, places, self.pool.people, self.people)
        begin_episode(rows, self.people.state, self.rows.state, self.seen, self.kept)
        self._cases.forget(rows)
        self._live_by_ticks(rows)
        begin_step(rows, self.seen)
        self._look(rows)

    def _answer(self, rows: Rows, actions: npt.NDArray[np.int64]) -> None:
        """A step of users whom their orders follow."""
        scene = self.scene
        answer(
            rows, actions, scene.slate, scene.tick, scene.recent, scene.opens, scene.closes, scene.plan.stages,
            self.rows.state, self.rows.slate, self.seen, self.kept,
        )  # fmt: skip
        begin_step(rows, self.seen)
        self._live_by_ticks(rows)
        self._look(rows)

    # ---- living

    def _live(self, rows: Rows, actions: npt.NDArray[np.int64], new: Rows, places: Rows) -> None:
        """Steps of `rows` and arrivals of `new`, whom no order binds, on as many threads as is worth it."""
        if self._published.varies:
            self._tell_phases(rows, new, places)
        if self._threads is None or len(rows) + len(new) < WORTH_A_THREAD:
            self._prepare(0, rows, actions, new, places)
            self._check(whole_step(self._bound[0][1], len(rows), len(new)))
            return
        parts = len(self._bound)
        a = [k * len(rows) // parts for k in range(parts + 1)]
        b = [k * len(new) // parts for k in range(parts + 1)]
        jobs = []
        for k in reversed(range(parts)):  # the first share is this thread's own
            old, fresh = slice(a[k], a[k + 1]), slice(b[k], b[k + 1])
            self._prepare(k, rows[old], actions[old], new[fresh], places[fresh])
            work = (self._bound[k][1], a[k + 1] - a[k], b[k + 1] - b[k])
            jobs.append(self._threads.submit(whole_step, *work) if k else whole_step(*work))
        for job in jobs:
            self._check(job if isinstance(job, bool) else job.result())

    def _tell_phases(self, rows: Rows, new: Rows, places: Rows) -> None:
        clocks, due = self.rows.state["clock"], self.pool.people.state["due"]
        if self.n == 1:
            self._phases[0] = self._published.phase(float(clocks[0] if len(rows) else due[places[0]]))
        else:
            self._phases[rows] = self._published.phases(clocks[rows])
            self._phases[new] = self._published.phases(due[places])
        if len(self._published.by_item) > self._n_bound:
            self._bind()

    def _prepare(self, k: int, rows: Rows, actions: npt.NDArray[np.int64], new: Rows, places: Rows) -> None:
        """Write down for call k who is meant, those together to whom the same is announced."""
        terms = self._bound[k][0]
        n, both = len(rows), len(rows) + len(new)
        terms.actions[:n], terms.places[: both - n] = actions, places
        if self.n == 1:
            terms.phases[0] = self._phases[0]
            return
        terms.rows[:n], terms.rows[n:both] = rows, new
        phases = self._phases[terms.rows[:both]]
        if both > 1 and self._published.varies:
            order = np.argsort(phases, kind="stable")
            terms.order[:both], terms.phases[:both] = terms.rows[order], phases[order]
        else:
            terms.order[:both], terms.phases[:both] = terms.rows[:both], phases

    def _check(self, done: bool) -> None:
        if not done:
            raise InputError("environment", "an action names no item", f"0 ... {self.scene.catalog.n_items - 1}")

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
                    self._phases[alike] = phase = self._published.phase(begin)
                    self._published.announce(phase, self.goods, self.people, alike, self._zones)
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
