"""Users in worlds of their own, all stepped together: the engine behind one environment or a thousand.

Row j of every table is the user of sub-environment j. One call of the engine's kernel `advance` takes all of them to
their next requests. They share the catalog and what is published, and nothing else.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt

from simulator.engine.stack_arrays import SIDE_BY_SIDE
from simulator.engine.tables.case_row import CASE
from simulator.engine.tables.tables import (
    EVENT,
    MAX_SCREEN,
    N_TALLIES,
    SCRATCH_WIDTH,
    Goods,
    Output,
    Status,
    Visits,
)
from simulator.engine.visit.advance import room_needed, shared_at
from simulator.env.batch.announcements import Published, tell_phases
from simulator.env.batch.lifetime_step import DONE, MORE_CASES, MORE_RECORDS, NEW_PHASE, NO_ITEM, follow
from simulator.env.batch.private_worlds import LoneWorlds
from simulator.env.batch.step import Table, Terms, table_of, whole_step
from simulator.env.batch.user_pool import UserPool
from simulator.env.buffers import Kept, Seen, kept_buffers, seen_buffers
from simulator.env.scene import Scene
from simulator.env.settings import WORTH_A_THREAD
from simulator.env.spaces import Row
from simulator.errors import InputError
from simulator.runtime.visit_table import empty_visits

Rows = npt.NDArray[np.int64]
_RECORDS = 1 << 14  # beside the room that users who are advanced side by side may need
_AHEAD_ALL, _AHEAD_MOST, _AHEAD_LEAST = 1 << 14, 256, 2  # users drawn ahead of their turn: of all, of each
_NEEDS_SLATE = int(Status.NEEDS_SLATE)
_TRIES = 1000
NEVER = 1e300
_MADE_AGAIN = ("_threads", "_tables", "_beside", "_kept_alive", "first", "_clocks", "_arrivals")
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
        self.pool = UserPool(scene, n, max(min(_AHEAD_ALL // n, _AHEAD_MOST), _AHEAD_LEAST))
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
        self._worlds = LoneWorlds(scene, n) if beside and self.lifelong else None
        self._zones = np.zeros(n, dtype=np.int32)
        self._phases = np.zeros(n, dtype=np.int64)  # of what was announced last to each
        self._each = [self._terms() for _ in self._outputs]
        self._bind()

    def _new_output(self, beside: bool) -> Output:
        scene = self.scene
        return Output(
            records=np.zeros(self._room * 2 if self.n == 1 else _RECORDS + SIDE_BY_SIDE * self._room, dtype=EVENT),
            tallies=np.zeros(N_TALLIES, dtype=np.int64),
            counters=np.zeros((scene.catalog.n_items, 1 + len(scene.compiled.names.counters)), dtype=np.int64),
            scratch=np.zeros((MAX_SCREEN, SCRATCH_WIDTH)),
            messages=np.zeros(2 * self._room if beside else 0, dtype=CASE),
            n_messages=np.zeros(1, dtype=np.int64),
        )

    def _terms(self) -> Terms:
        """What a call reads besides tables: a set for each thread."""
        scene, tables, published = self.scene, self.scene.tables, self._published
        return Terms(
            scene.opens, scene.closes, self._edges, scene.weights, tables.worth, tables.marks, tables.signal,
            scene.features, published.by_item, published.by_zone, self._zones, np.zeros(self.n, dtype=np.int64),
            np.zeros(self.n, dtype=np.int64), np.zeros(self.n, dtype=np.int64),
            np.zeros((self.n, scene.slate), dtype=np.int64),
            np.array([scene.tick, scene.horizon, self.end, float(scene.plan.starts_at[0]), scene.settings.margin]),
            np.array([
                scene.seed, self._room, scene.slate, scene.recent, scene.settings.most_requests,
                shared_at(scene.plan),
            ]),
            np.zeros(self.n, dtype=np.int64),
        )  # fmt: skip

    def _bind(self) -> None:
        """Write down where all tables lie, for steps that are one call."""
        self.first = Row(self.seen, self.kept, self.scene, 0)
        self._clocks, self._arrivals = self.rows.state["clock"], self.pool.people.state["due"]
        published, worlds = self._published, self._worlds
        for k, terms in enumerate(self._each):
            self._each[k] = terms._replace(by_item=published.by_item, by_zone=published.by_zone)
        self._tables: list[Table] = [
            table_of((
                self.scene.plan, self.people, self.goods, self.rows, output, self.seen, self.kept, terms,
                self.pool.people,
            ))
            for output, terms in zip(self._outputs, self._each, strict=True)
        ]  # fmt: skip
        if worlds is not None:
            rest = (self._phases, published.hours, published.phases, np.array([worlds.at_once]))
            self._beside, self._kept_alive = table_of((*worlds.tables(), rest)), rest

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
        if len(rows) > 1:  # of one row, the call itself checks
            items = self.scene.catalog.n_items
            self._check(bool(actions.min() >= 0 and actions.max() < items))
        for _ in range(_TRIES):
            self._live(rows, actions, new, self._next(new))
            if len(new) > 0:
                new = new[self.rows.state["status"][new] != _NEEDS_SLATE]
            if len(new) == 0:
                return
            rows, actions = _NOBODY, _NO_SLATES
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
        if self._worlds is not None:
            self._worlds.arrive(rows, self.pool.people.state["key"][places])
        return places

    # ---- living

    def _live(self, rows: Rows, actions: npt.NDArray[np.int64], new: Rows, places: Rows) -> None:
        """Steps of `rows` and arrivals of `new`, on as many threads as is worth it."""
        if self._published.varies and self._worlds is None:
            self._tell_phases(rows, new, places)
        if self._threads is None or len(rows) + len(new) < WORTH_A_THREAD:
            self._prepare(0, rows, actions, new, places)
            self._call([(0, len(rows), len(new))])
            return
        parts = len(self._each)
        a = [k * len(rows) // parts for k in range(parts + 1)]
        b = [k * len(new) // parts for k in range(parts + 1)]
        for k in range(parts):
            old, fresh = slice(a[k], a[k + 1]), slice(b[k], b[k + 1])
            self._prepare(k, rows[old], actions[old], new[fresh], places[fresh])
        self._call([(k, a[k + 1] - a[k], b[k + 1] - b[k]) for k in range(parts)])

    def _call(self, shares: list[tuple[int, int, int]]) -> None:
        """Have every (thread, old, new) of `shares` take its step."""
        if self._worlds is None and len(shares) == 1:
            k, n, m = shares[0]
            self._check(whole_step(self._tables[k], n, m))
            return
        if self._worlds is None:
            for done in self._together(whole_step, [(self._tables[k], n, m) for k, n, m in shares]):
                self._check(done)
            return
        todo = [(k, n, m, -1) for k, n, m in shares]
        while todo:
            found = self._together(follow, [(self._tables[k], self._beside, n, m, at) for k, n, m, at in todo])
            stopped = [(k, n, m, at, why) for (k, n, m, _), (at, why) in zip(todo, found, strict=True) if why != DONE]
            for k, _, _, at, why in stopped:
                self._provide(why, int(self._each[k].rows[at]))
            if stopped:
                self._bind()
            todo = [(k, n, m, at) for k, n, m, at, _ in stopped]

    def _together(self, step: Any, calls: list[tuple[Any, ...]]) -> list[Any]:
        """Results of the calls, the first of which is this thread's own."""
        assert self._threads is not None or len(calls) == 1
        jobs = [self._threads.submit(step, *call) for call in calls[1:]] if self._threads is not None else []
        return [step(*calls[0]), *(job.result() for job in jobs)]

    def _provide(self, why: int, j: int) -> None:
        """What a call could not go on without, for user j."""
        assert self._worlds is not None
        self._check(why != NO_ITEM)
        if why == MORE_CASES:
            self._worlds.more_cases()
        elif why == MORE_RECORDS:
            self._worlds.more_records()
        else:
            assert why == NEW_PHASE
            self._published.phase(float(self.rows.state["clock"][j]))

    def _tell_phases(self, rows: Rows, new: Rows, places: Rows) -> None:
        """Note what is announced at each user's time; only what has not been announced before needs the world."""
        published = self._published
        known = len(published.by_item)
        for who, of, times in ((rows, rows, self._clocks), (new, places, self._arrivals)):
            k = 0
            while k < len(who):
                k = tell_phases(times, of, who, published.tick, published.hours, published.phases, self._phases)
                if k < len(who):
                    published.phase(float(times[of[k]]))
        if len(published.by_item) > known:
            self._bind()

    def _prepare(self, k: int, rows: Rows, actions: npt.NDArray[np.int64], new: Rows, places: Rows) -> None:
        """Write down for call k who is meant, those together to whom the same is announced."""
        terms = self._each[k]
        n, both = len(rows), len(rows) + len(new)
        if n > 0:
            terms.actions[:n] = actions
        if both > n:
            terms.places[: both - n] = places
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

    def close(self) -> None:
        """Stop the threads."""
        if self._threads is not None:
            self._threads.shutdown()
            self._threads = None

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name not in _MADE_AGAIN}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._threads = ThreadPoolExecutor(len(self._outputs)) if len(self._outputs) > 1 else None
        self._bind()
