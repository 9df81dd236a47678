"""Users in worlds of their own, all stepped together: the engine behind one environment or a thousand.

Row j of every table is the user of sub-environment j. One call of the engine's kernel `advance` takes all of them to
their next requests. They share the catalog and what is published, and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt

from simulator.engine.jit.pinned import Pinned, bound
from simulator.engine.stack_arrays import SIDE_BY_SIDE
from simulator.engine.tables.case_row import CASE
from simulator.engine.tables.tables import (
    EVENT,
    MAX_SCREEN,
    N_TALLIES,
    SCRATCH_WIDTH,
    Items,
    Output,
    Status,
    Visits,
)
from simulator.engine.visit.advance import room_needed, shared_at
from simulator.env.batch.announcements import Published, tell_phases
from simulator.env.batch.lifetime_step import (
    DONE,
    MORE_CASES,
    MORE_RECORDS,
    NEW_PHASE,
    NO_ITEM,
    LifetimeGroups,
    LifetimeTables,
    follow,
)
from simulator.env.batch.private_worlds import PrivateWorlds
from simulator.env.batch.step import Announced, StepGroups, Turn, whole_step
from simulator.env.batch.user_pool import UserPool
from simulator.env.buffers import Memory, Observation, memory_buffers, observation_buffers, terms_of
from simulator.env.context import EnvContext
from simulator.env.errors import EnvInputError
from simulator.env.settings import WORTH_A_THREAD
from simulator.env.spaces import Row
from simulator.runtime.visit_table import empty_visits

Rows = npt.NDArray[np.int64]
_RECORDS = 1 << 14  # beside the room that users who are advanced side by side may need
_AHEAD_ALL, _AHEAD_MOST, _AHEAD_LEAST = 1 << 14, 256, 2  # users drawn ahead of their turn: of all, of each
_TRIES = 1000
NEVER = 1e300
_MADE_AGAIN = ("_threads", "_terms", "_steps", "first", "_clocks", "_arrivals")
_NOBODY = np.zeros(0, dtype=np.int64)
_NO_SLATES = np.zeros((0, 1), dtype=np.int64)


class UserBatch:
    """n users of a scene, each with luck of their own.

    Args:
        scene: what they share.
        n: how many.
    """

    def __init__(self, context: EnvContext, n: int) -> None:
        self.context, self.n = context, n
        self.items = context.items._replace(
            promised=context.items.promised.copy(), published_counters=context.items.published_counters.copy()
        )
        self.pool = UserPool(context, n, max(min(_AHEAD_ALL // n, _AHEAD_MOST), _AHEAD_LEAST))
        self.users = context.users(np.zeros(n, dtype=np.uint64))
        self.rows: Visits = empty_visits(n, context.slate, context.compiled.largest_menu)
        self.observation: Observation = observation_buffers(context, n)
        self.memory: Memory = memory_buffers(context, n)
        of = context.compiled
        self._room = room_needed(of.largest_slate, of.largest_menu, of.most_responses) + 64
        beside = context.compiled.world is not None
        threads = context.settings.threads_for(n)
        self._outputs = [self._new_output(beside) for _ in range(threads)]
        self._turns = [self._new_turn() for _ in range(threads)]
        self._published = Published(context)
        self.lifelong = context.settings.episode == "lifetime"
        self.end = context.horizon if self.lifelong else NEVER
        self._worlds = PrivateWorlds(context, n) if beside and self.lifelong else None
        self._zones = np.zeros(n, dtype=np.int32)
        self._phases = np.zeros(n, dtype=np.int64)  # of what was announced last to each
        self._start()

    def _new_output(self, beside: bool) -> Output:
        context = self.context
        return Output(
            records=np.zeros(self._room * 2 if self.n == 1 else _RECORDS + SIDE_BY_SIDE * self._room, dtype=EVENT),
            tallies=np.zeros(N_TALLIES, dtype=np.int64),
            counters=np.zeros((context.catalog.n_items, 1 + len(context.compiled.names.counters)), dtype=np.int64),
            scratch=np.zeros((MAX_SCREEN, SCRATCH_WIDTH)),
            messages=np.zeros(2 * self._room if beside else 0, dtype=CASE),
            n_messages=np.zeros(1, dtype=np.int64),
        )

    def _new_turn(self) -> Turn:
        n = self.n
        return Turn(
            rows=np.zeros(n, dtype=np.int64),
            order=np.zeros(n, dtype=np.int64),
            phases=np.zeros(n, dtype=np.int64),
            actions=np.zeros((n, self.context.slate), dtype=np.int64),
            places=np.zeros(n, dtype=np.int64),
        )

    def _start(self) -> None:
        """Start the threads, find the engine's code, and pin all tables."""
        threads, context = len(self._turns), self.context
        self._threads = ThreadPoolExecutor(threads) if threads > 1 else None
        self._terms = terms_of(context, self.end, context.settings.most_requests, self._room, shared_at(context.plan))
        self._bind()

    def _bind(self) -> None:
        """Pin all tables, for steps that are one call; they may lie elsewhere than before."""
        self.first = Row(self.observation, self.memory, self.context, 0)
        self._clocks, self._arrivals = self.rows.state["clock"], self.pool.users.state["due"]
        announced = Announced(self._published.by_item, self._published.by_zone, self._zones)
        pinned = [
            Pinned(
                StepGroups(
                    plan=self.context.plan,
                    users=self.users,
                    items=self.items,
                    visits=self.rows,
                    out=output,
                    observation=self.observation,
                    memory=self.memory,
                    terms=self._terms,
                    turn=turn,
                    announced=announced,
                    pool=self.pool.users,
                )
            )
            for output, turn in zip(self._outputs, self._turns, strict=True)
        ]
        self._steps: list[Callable[..., Any]]  # of each thread
        if self._worlds is None:
            self._steps = [bound(whole_step, each, numbers=2) for each in pinned]
        else:
            beside = Pinned(self._lifetime_groups(self._worlds))
            self._steps = [bound(follow, each, beside, numbers=3) for each in pinned]

    def _lifetime_groups(self, worlds: PrivateWorlds) -> LifetimeGroups:
        beside = LifetimeTables(
            parent=worlds.geography.parent,
            item_place=worlds.geography.item_place,
            chooser_taste=worlds.geography.chooser_taste,
            phase=self._phases,
            hours=self._published.hours,
            phases=self._published.phases,
            at_once=np.array([worlds.at_once]),
        )
        return LifetimeGroups(worlds.shared, worlds.orders, worlds.blank, beside)

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
        """Take a step for `rows` with `actions`, and reset other rows, `new`, in one go."""
        if len(rows) > 1:  # of one row, the call itself checks
            items = self.context.catalog.n_items
            self._check(bool(actions.min() >= 0 and actions.max() < items))
        for _ in range(_TRIES):
            self._live(rows, actions, new, self._next(new))
            if len(new) > 0:
                new = new[self.rows.state["status"][new] != Status.NEEDS_SLATE]
            if len(new) == 0:
                return
            rows, actions = _NOBODY, _NO_SLATES
        raise EnvInputError("environment", f"no user comes by horizon = {self.context.horizon:g} s", "a longer horizon")

    def items_for(self, j: int) -> Items:
        """Return the items as user j sees them: with what was announced last."""
        return self.items._replace(promised=self._published.by_item[self._phases[j]])

    def _next(self, rows: Rows) -> Rows:
        """Return where in the pool the next users of `rows` are found."""
        if len(rows) == 0:
            return rows
        places = self.pool.next(rows)
        self._zones[rows] = self.pool.zones[places]
        if self._worlds is not None:
            self._worlds.arrive(rows, self.pool.users.state["key"][places])
        return places

    # ---- living

    def _live(self, rows: Rows, actions: npt.NDArray[np.int64], new: Rows, places: Rows) -> None:
        """Advance `rows` and let `new` arrive, on as many threads as is worth it."""
        if self._published.varies and self._worlds is None:
            self._tell_phases(rows, new, places)
        if self._threads is None or len(rows) + len(new) < WORTH_A_THREAD:
            self._prepare(0, rows, actions, new, places)
            self._call([(0, len(rows), len(new))])
            return
        parts = len(self._turns)
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
            self._check(self._steps[k](n, m))
            return
        if self._worlds is None:
            for done in self._together(shares):
                self._check(done)
            return
        todo = [(k, n, m, -1) for k, n, m in shares]
        while todo:
            found = self._together(todo)
            stopped = [(k, n, m, at, why) for (k, n, m, _), (at, why) in zip(todo, found, strict=True) if why != DONE]
            for k, _, _, at, why in stopped:
                self._provide(why, int(self._turns[k].rows[at]))
            if stopped:
                self._bind()
            todo = [(k, n, m, at) for k, n, m, at, _ in stopped]

    def _together(self, calls: Sequence[tuple[int, ...]]) -> list[Any]:
        """Return the results of calls, each by its thread's step; the first of them is this thread's own."""
        assert self._threads is not None or len(calls) == 1
        (k, *given), *others = calls
        jobs = [self._threads.submit(self._steps[k], *given) for k, *given in others] if self._threads else []
        return [self._steps[k](*given), *(job.result() for job in jobs)]

    def _provide(self, why: int, j: int) -> None:
        """Provide what a call could not go on without, for user j."""
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
        turn = self._turns[k]
        n, both = len(rows), len(rows) + len(new)
        if n > 0:
            turn.actions[:n] = actions
        if both > n:
            turn.places[: both - n] = places
        if self.n == 1:
            turn.phases[0] = self._phases[0]
            return
        turn.rows[:n], turn.rows[n:both] = rows, new
        phases = self._phases[turn.rows[:both]]
        if both > 1 and self._published.varies:
            order = np.argsort(phases, kind="stable")
            turn.order[:both], turn.phases[:both] = turn.rows[order], phases[order]
        else:
            turn.order[:both], turn.phases[:both] = turn.rows[:both], phases

    def _check(self, done: bool) -> None:
        if not done:
            raise EnvInputError("environment", "an action names no item", f"0 ... {self.context.catalog.n_items - 1}")

    def close(self) -> None:
        """Stop the threads."""
        if self._threads is not None:
            self._threads.shutdown()
            self._threads = None

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name not in _MADE_AGAIN}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._start()
