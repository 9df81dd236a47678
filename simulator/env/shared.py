"""Users of one world: a step is a round of the engine, and a mask says whose requests are due."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import gymnasium
import numpy as np
import numpy.typing as npt
from gymnasium.vector.utils import batch_space

from recommenders.contract import Recommender, Requests, Slates
from recommenders.contract.settings import one_of, whole_number
from simulator.config import LOGS, RunConfig, read_duration
from simulator.engine.tables.tables import VISIT, Array, Status
from simulator.env.batch.encode import TERMINATED, TRUNCATED, choose, fold, look
from simulator.env.buffers import Memory, Observation, memory_buffers, observation_buffers, terms_of
from simulator.env.context import EnvContext
from simulator.env.errors import EnvInputError, env_input_errors
from simulator.env.rewards import TRUTH
from simulator.env.settings import EnvSettings, checked_argument
from simulator.env.single import as_actions, as_seed, check_options
from simulator.env.spaces import CODES, INFO, PLAIN, action_space, observation_space
from simulator.records.result import RunResult
from simulator.scenario.life_cycle import beside_visits
from simulator.world import World

Rows = npt.NDArray[np.int64]
_UNLIMITED = 1 << 62


class _Agent(Recommender):
    """Stands where the recommender stands in a run; the answers come from outside."""

    name = "agent"
    learns = False

    def recommend(self, requests: Requests) -> Slates:
        raise EnvInputError("environment", "a round was answered by nobody", "SharedVectorEnv.step")


class SharedVectorEnv(gymnasium.vector.VectorEnv[dict[str, Any], npt.NDArray[np.int64], Any]):
    """n users of one world, and `background` more who are answered by the scenario's warm-up policy.

    A step is a round: the users who are due (`info["due"]`) get the slates of their actions, the others' actions are
    not read. Users whose action was read earn until the next round that somebody is due in; what comes to others in
    the meantime is theirs as well. A user who has churned stays terminated. At the horizon all are truncated, and
    `reset` makes a new world: seed and settings are those of `simulator.run`, which gives the same log for the same
    answers.

    Args:
        num_envs: n.
        first_fit: when the agent takes over from the warm-up policy, s; None: after the first tick.
        log: what of the world's logs is kept for `result`: `metrics`, `platform` or `full`.
        autoreset_mode: only `Disabled`: nobody begins anew in a world that goes on.
        render_mode: None.
        given: see `simulator.env.settings.EnvSettings`; lifetimes.
    """

    metadata: dict[str, Any] = {"render_modes": []}  # noqa: RUF012  # as Gymnasium declares it

    def __init__(
        self,
        num_envs: int = 1,
        first_fit: float | str | None = None,
        log: str = "metrics",
        autoreset_mode: Any = "Disabled",
        render_mode: str | None = None,
        **given: Any,
    ) -> None:
        from simulator.env.vector import mode_of

        self.world: World | None = None  # first: Gymnasium closes what a wrong setting left half made
        mode, word = mode_of(autoreset_mode)
        if mode != "DISABLED":
            raise EnvInputError("environment", f"autoreset_mode = {autoreset_mode} in a shared world", "Disabled")
        if given.get("episode", "lifetime") != "lifetime":
            raise EnvInputError("environment", f"episode = {given['episode']} in a shared world", "lifetime")
        if render_mode is not None:
            raise EnvInputError("environment", f"render_mode = {render_mode} in a shared world", "None")
        self._log = checked_argument("log", log, one_of(*LOGS))
        first = None if first_fit is None else checked_argument("first_fit", first_fit, read_duration)
        self.settings = EnvSettings.of({**given, "episode": "lifetime"})
        self.num_envs, self.render_mode = checked_argument("num_envs", num_envs, whole_number(1)), None
        self.metadata = {**self.metadata, "autoreset_mode": word}
        self.autoreset_mode = word  # where TorchRL looks for it, as Gymnasium's own vectors have it
        self.context = EnvContext(self.settings)
        self.single_observation_space = observation_space(self.context)
        self.single_action_space = action_space(self.context)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self._first_fit = self.context.tick if first is None else first
        self._beside = np.zeros(256, dtype=np.bool_)
        names = self.context.compiled.names.stages
        self._beside[[names.index(name) for name in beside_visits(self.context.compiled.scenario)]] = True

    @property
    def events(self) -> tuple[str, ...]:
        """Return the names of the events that `info["events"]` counts, in order."""
        return self.context.compiled.names.events

    @env_input_errors()
    def reset(
        self, *, seed: int | list[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Begin a new world, at the first round that an agent's user is due in."""
        if isinstance(seed, list):
            raise EnvInputError("environment", "a list of seeds for one world", "one seed")
        check_options(options)
        super().reset(seed=None if seed is None else as_seed(seed))
        chosen = int(seed) if seed is not None else int(self.np_random.integers(0, 2**31))
        self.close()
        self.context = EnvContext(replace(self.settings, catalog_seed=chosen))  # a world's catalog comes with its seed
        context, n = self.context, self.num_envs
        config = RunConfig(
            scenario=self.settings.scenario, users=n + self.settings.background, items=self.settings.items,
            horizon=context.horizon, seed=chosen, log=self._log, first_fit=self._first_fit,
            threads=self.settings.threads or 1,
        )  # fmt: skip
        world = World(config, context.compiled, _Agent(), None, time.perf_counter(), self._take)
        self.world = world
        self.observation: Observation = observation_buffers(context, n)
        self.memory: Memory = memory_buffers(context, n)
        self._terms = terms_of(context, context.horizon, _UNLIMITED)
        self._mirror = np.zeros(n, dtype=VISIT)
        self._came = np.zeros(n, dtype=np.bool_)
        self._waiting: list[Array] = []
        self._judged: set[tuple[int, int]] = set()
        self._rounds: Iterator[Rows] = world.by_rounds()
        self._due = np.zeros(0, dtype=np.int64)
        self._over = np.zeros(n, dtype=np.bool_)
        self._go_on()
        return self._observed(), self._info()

    def step(
        self, actions: npt.NDArray[np.int64]
    ) -> tuple[dict[str, Any], npt.NDArray[np.float64], npt.NDArray[np.bool_], npt.NDArray[np.bool_], dict[str, Any]]:
        """Answer this round; go on to the next."""
        world = self.world
        if world is None or self._over.all():
            raise gymnasium.error.ResetNeeded("call reset first: there is no world, or it has ended")
        slates = as_actions(actions, self.context, self.num_envs)
        if slates.min(initial=0) < 0 or slates.max(initial=0) >= self.context.catalog.n_items:
            raise EnvInputError("environment", "an action names no item", f"0 ... {self.context.catalog.n_items - 1}")
        rounds = world.rounds
        for part in rounds.group_requests(self._due, world.candidates, len(self._due)):
            size = part.size
            users = rounds.visits.rows.state["user"][part.chosen].astype(np.int64)
            out = np.full((len(users), size), -1, dtype=np.int32)
            places = min(size, self.context.slate)
            choose(users, np.full(len(users), places), slates, self.observation.available, out)
            rounds.hand_out(part, Slates(out), world.platform.version)
            self.memory.steps[users] += 1
            self.memory.shown[users] = -1
            self.memory.shown[users, :places] = out[:, :places]
        self.observation.counts[:] = 0
        self.observation.values[:] = 0
        self.observation.earned[:] = 0
        self._go_on()
        reward = (self.observation.earned.astype(np.float64) * self.context.weights).sum(axis=1)
        terminated, truncated = self.observation.ended == TERMINATED, self.observation.ended == TRUNCATED
        self._over = terminated | truncated
        return self._observed(), reward, terminated, truncated, self._info()

    def requests(self) -> list[tuple[npt.NDArray[np.int64], Requests]]:
        """Return what is asked now in the form that plug-ins take: users (k,) and their requests, per size and list."""
        assert self.world is not None
        rounds, found = self.world.rounds, list[tuple[npt.NDArray[np.int64], Requests]]()
        parts = [part for part in rounds.group_requests(self._due, self.world.candidates, len(self._due)) if part.asks]
        for part, requests in zip(parts, rounds.requests(parts), strict=True):
            users = rounds.visits.rows.state["user"][part.chosen].astype(np.int64)
            found += [(users[first:last], own) for first, last, own in requests.by_list()]
        return found

    def result(self) -> RunResult:
        """Return the measures and logs of the world; it has to be over.

        Raises:
            InputError: it goes on.
        """
        if self.world is None or self.world.now < self.world.horizon:
            raise EnvInputError("environment", "the world is not over yet", "step until all are truncated")
        return self.world.finish()

    def close_extras(self, **kwargs: Any) -> None:
        """Stop the world's threads."""
        if self.world is not None:
            self.world.close()
            self.world, self._rounds = None, iter(())

    def close(self, **kwargs: Any) -> None:
        """Stop the world's threads; a new one may be made by `reset`."""
        self.close_extras(**kwargs)

    def __getstate__(self) -> dict[str, Any]:
        """Refuse to be copied or pickled while a world goes on: it stands in the midst of a round."""
        if self.world is not None:
            raise TypeError(
                "a shared vector whose world goes on cannot be copied or pickled; "
                "make it again with the same settings and seed, and give the same actions"
            )
        return vars(self)

    def action_masks(self) -> npt.NDArray[np.bool_]:
        """Return the items that can be had, for every place, flat: bool (n, places x items)."""
        return np.tile(self.observation.available.astype(np.bool_), (1, self.context.slate))

    # ---- inside

    def _go_on(self) -> None:
        """Live until an agent's user is due, or to the end."""
        world, n = self.world, self.num_envs
        assert world is not None
        self._due = np.zeros(0, dtype=np.int64)
        for waiting in self._rounds:
            users = world.rounds.visits.rows.state["user"][waiting]
            ours = (users < n) & (world.platform.version > 0)
            if not ours.all():
                world.rounds.serve(waiting[~ours], world.candidates, world.platform.background, 0)
            aside = ours & world.rounds.by_platform(waiting)
            if aside.any():  # no agent is asked for a list in an order, or where the platform has a policy of its own
                world.rounds.serve(waiting[aside], world.candidates, world.platform.background, world.platform.version)
                ours &= ~aside
            if ours.any():
                self._due = waiting[ours]
                break
        world.rounds.flush()
        self._arrived(world.now if len(self._due) else np.inf)
        gone = np.flatnonzero((world.users.state["gone"][:n] == 1) & (self.observation.ended == 0))
        left = gone[world.users.state["row"][gone] < 0]
        self._mirror["status"][left] = Status.GONE
        due = np.zeros(0, dtype=np.int64)
        if len(self._due):
            due = world.rounds.visits.rows.state["user"][self._due].astype(np.int64)
            self._mirror[due] = world.rounds.visits.rows.state[self._due]
            first = due[~self._came[due]]
            self.memory.visit[first] = self._mirror["visit"][first]  # retention counts from the first round on
            self._came[first] = True
            self._offer()
        else:
            rest = np.flatnonzero(self.observation.ended == 0)
            self._mirror["status"][np.setdiff1d(rest, left)] = Status.AWAY
            left = rest
        rows = np.concatenate([due, left])
        self._is_due = np.isin(np.arange(n), due)
        if len(rows):
            look(rows, self._terms, self.context.plan.stages, self._mirror, self.observation, self.memory)

    def _offer(self) -> None:
        """Set what users who are due can be shown: candidates but for what was lately sent, while enough are left."""
        assert self.world is not None
        rounds = self.world.rounds
        for part in rounds.group_requests(self._due, self.world.candidates, len(self._due)):
            users = rounds.visits.rows.state["user"][part.chosen].astype(np.int64)
            for first, last, candidates in part.lists.each():
                self._offer_from(candidates, users[first:last])

    def _offer_from(self, candidates: npt.NDArray[np.int32], users: Rows) -> None:
        world = self.world
        assert world is not None
        available = np.zeros(self.context.catalog.n_items, dtype=np.int8)
        available[candidates] = 1
        self.observation.available[users] = available
        if self.settings.repeat == "allow":
            return
        start = np.zeros(len(users) + 1, dtype=np.int64)
        np.cumsum(world.rounds.recently_shown.sizes(users.astype(np.uint32)), out=start[1:])
        items = np.empty(start[-1], dtype=np.int32)
        world.rounds.recently_shown.fill(users.astype(np.uint32), start, items)
        for k, user in enumerate(users):
            own = items[start[k] : start[k + 1]]
            if len(candidates) - len(np.unique(own)) >= self.context.slate:
                self.observation.available[user, own] = 0

    def _take(self, rows: Array) -> None:
        """Take records as they are written: those of visits count at once, those of orders when they arrive."""
        mine = rows[rows["user"] < self.num_envs]
        beside = self._beside[mine["stage"]]
        self._fold(np.ascontiguousarray(mine[~beside]))
        if beside.any():
            late = mine[beside]
            self._feel(late)
            late = late[late["logged_at"] == late["logged_at"]]
            if len(late):
                self._waiting.append(late)

    def _feel(self, rows: Array) -> None:
        """Add the satisfaction of every order, once."""
        for row in rows[rows["satisfaction"] == rows["satisfaction"]]:
            key = (int(row["user"]), int(row["case"]))
            if key not in self._judged:
                self._judged.add(key)
                self.observation.earned[key[0], TRUTH] += row["satisfaction"]

    def _arrived(self, now: float) -> None:
        if not self._waiting:
            return
        rows = np.concatenate(self._waiting)
        here = rows["logged_at"] <= now
        self._waiting = [rows[~here]]
        order = np.lexsort((rows["case"][here], rows["user"][here], rows["logged_at"][here]))
        self._fold(np.ascontiguousarray(rows[here][order]))

    def _fold(self, rows: Array) -> None:
        if len(rows):
            fold(rows, len(rows), self._terms, self.context.items.state, self.observation, self.memory)

    def _observed(self) -> dict[str, Any]:
        found: dict[str, Any] = {name: getattr(self.observation, name).copy() for name in (*PLAIN, *CODES)}
        if self.settings.observe_candidates:
            features = self.context.features.ravel()
            found["candidates"] = np.broadcast_to(features, (self.num_envs, len(features)))
        return found

    def _info(self) -> dict[str, Any]:
        observation = self.observation
        arrays = (observation.counts, observation.values, observation.earned, observation.time)
        found: dict[str, Any] = dict(zip(INFO, (array.copy() for array in arrays), strict=True))
        return found | {"slate": self.memory.shown.copy(), "due": self._is_due.copy()}
