"""Other forms of observations and actions, for one environment or for a vector of them.

| wrapper | for one | for a vector |
|---|---|---|
| observations as one float32 vector | `FlatObservation` | `FlatVectorObservation` |
| a query vector, answered by the nearest items | `QueryAction` | `QueryVectorAction` |
| a score for every item | `ScoreAction` | `ScoreVectorAction` |
| the number of the one item of a slate | `ItemAction` | - |
| what no platform could know | `RevealHiddenState` | - |
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gymnasium
import numpy as np
import numpy.typing as npt
from gymnasium import spaces
from gymnasium.utils import RecordConstructorArgs

from simulator.engine.jit.compile import kernel
from simulator.engine.randomness import PERCEPTION, mix, root
from simulator.engine.tables.tables import Items, Numbers, Plan, Users, numbers_of
from simulator.engine.user.beliefs import utility_of
from simulator.env.context import EnvContext
from simulator.env.errors import EnvInputError
from simulator.env.single import BeholderEnv
from simulator.env.spaces import CODES

Float32 = npt.NDArray[np.float32]
FLAT = ("context", *CODES, "interest", "history_value")
"""What a flat observation consists of, in this order; codes as one-hot vectors. Item numbers are left out (they are no
quantities), and so are `available` and the constant `candidates`."""


def _own(env: Any) -> Any:
    """Return the environment inside. Raises InputError where it is none of ours."""
    own = env.unwrapped
    if not isinstance(getattr(own, "context", None), EnvContext):
        raise EnvInputError("wrapper", f"{own} is no environment of this package", "a beholder/... id")
    return own


def flat_space(space: spaces.Dict) -> Any:
    """Return the Box of flat observations."""
    low, high = [], []
    for name in FLAT:
        part: Any = space[name]
        if name in CODES:
            low.append(np.zeros(part.n, np.float32))
            high.append(np.ones(part.n, np.float32))
        else:
            low.append(part.low)
            high.append(part.high)
    return spaces.Box(np.concatenate(low), np.concatenate(high), dtype=np.float32)


def flat(observation: Mapping[str, Any], space: spaces.Dict) -> Float32:
    """Return an observation, or a batch of them, as float32 (..., width)."""
    parts = []
    for name in FLAT:
        value: Any = np.asarray(observation[name])
        parts.append(np.eye(space[name].n, dtype=np.float32)[value] if name in CODES else value)  # type: ignore[attr-defined]
    return np.concatenate(parts, axis=-1, dtype=np.float32)


class FlatObservation(gymnasium.ObservationWrapper[Float32, Any, dict[str, Any]], RecordConstructorArgs):
    """Observations as one float32 vector, see `FLAT`."""

    def __init__(self, env: gymnasium.Env[Any, Any]) -> None:
        RecordConstructorArgs.__init__(self)  # so that Gymnasium can make it again from a spec
        super().__init__(env)
        self._inner: spaces.Dict = _own(env).observation_space
        self.observation_space = flat_space(self._inner)

    def observation(self, observation: dict[str, Any]) -> Float32:
        """Return the observation as a vector."""
        return flat(observation, self._inner)


class FlatVectorObservation(gymnasium.vector.VectorWrapper):
    """Observations as float32 (n, width), and the final ones of `SameStep` as float32 (width,).

    It is no `VectorObservationWrapper`: Gymnasium's refuses `SameStep`, whose final observations it leaves as they are.
    """

    def __init__(self, env: Any) -> None:
        super().__init__(env)
        self.autoreset_mode = env.metadata["autoreset_mode"]  # wrappers of vectors hand on no attributes
        self._inner: spaces.Dict = _own(env).single_observation_space
        self.single_observation_space = flat_space(self._inner)
        self.observation_space = gymnasium.vector.utils.batch_space(self.single_observation_space, env.num_envs)

    def reset(self, *, seed: Any = None, options: dict[str, Any] | None = None) -> tuple[Float32, dict[str, Any]]:
        """Reset the vector inside."""
        observations, info = self.env.reset(seed=seed, options=options)
        return flat(observations, self._inner), info

    def step(self, actions: Any) -> tuple[Float32, Any, Any, Any, dict[str, Any]]:
        """Step the vector inside."""
        observations, reward, terminated, truncated, info = self.env.step(actions)
        if "final_obs" in info:
            last = np.full(self.num_envs, None, dtype=object)
            for j in np.flatnonzero(info["_final_obs"]):
                last[j] = flat(info["final_obs"][j], self._inner)
            info = {**info, "final_obs": last}
        return flat(observations, self._inner), reward, terminated, truncated, info


@kernel
def choose_best(scores: npt.NDArray[np.float32], available: npt.NDArray[np.int8], out: npt.NDArray[np.int64]) -> None:
    """Fill `out` (n, places) with the items of highest score (n, items) that are available, best first.

    Ties go by number; where fewer are available, the others come last, by number.
    """
    n_items, places = scores.shape[1], out.shape[1]
    for row in range(scores.shape[0]):
        size = 0
        for item in range(n_items):
            score = scores[row, item]
            if available[row, item] == 0 or (size == places and not score > scores[row, out[row, places - 1]]):
                continue
            place = min(size, places - 1)
            while place > 0 and score > scores[row, out[row, place - 1]]:
                out[row, place] = out[row, place - 1]
                place -= 1
            out[row, place] = item
            size = min(size + 1, places)
        item = 0
        while size < places and item < n_items:
            if available[row, item] == 0:
                out[row, size] = item
                size += 1
            item += 1


def best(scores: npt.NDArray[Any], available: npt.NDArray[Any], places: int) -> npt.NDArray[np.int64]:
    """Return the `places` available items with the highest scores (..., items), best first, int64 (..., places).

    Ties go by number; where fewer are available, the others come last.
    """
    rows = np.atleast_2d(np.asarray(scores, dtype=np.float32))
    there = np.atleast_2d(np.asarray(available)).astype(np.int8, copy=False)
    found = np.empty((len(rows), min(places, rows.shape[1])), dtype=np.int64)
    choose_best(np.ascontiguousarray(rows), np.ascontiguousarray(there), found)
    return found.reshape(*np.shape(scores)[:-1], -1)


def _bounded(width: int) -> Any:
    return spaces.Box(-1.0, 1.0, (width,), np.float32)


class ScoreAction(gymnasium.ActionWrapper[Any, Float32, npt.NDArray[np.int64]], RecordConstructorArgs):
    """An action is a score for every item, float32 (items,) in [-1, 1]; the best available ones are the slate."""

    def __init__(self, env: gymnasium.Env[Any, Any]) -> None:
        RecordConstructorArgs.__init__(self)  # so that Gymnasium can make it again from a spec
        super().__init__(env)
        self._own: BeholderEnv = _own(env)
        self.action_space = _bounded(self._own.context.catalog.n_items)

    def action(self, action: Float32) -> npt.NDArray[np.int64]:
        """Turn scores into a slate."""
        return best(np.asarray(action), self._own.fleet.observation.available[0], self._own.context.slate)


class QueryAction(ScoreAction):
    """An action is a point in the space of item features, float32 (columns,) in [-1, 1]: scores are inner products."""

    def __init__(self, env: gymnasium.Env[Any, Any]) -> None:
        super().__init__(env)
        self.action_space = _bounded(self._own.context.features.shape[1])

    def action(self, action: Float32) -> npt.NDArray[np.int64]:
        """Turn a query into a slate."""
        return super().action(self._own.context.features @ np.asarray(action, dtype=np.float32))


class ItemAction(gymnasium.ActionWrapper[Any, np.int64, npt.NDArray[np.int64]], RecordConstructorArgs):
    """An action is the number of one item, for agents that choose among a finite number (DQN); needs `slate=1`."""

    def __init__(self, env: gymnasium.Env[Any, Any]) -> None:
        RecordConstructorArgs.__init__(self)  # so that Gymnasium can make it again from a spec
        super().__init__(env)
        context = _own(env).context
        if context.slate != 1:
            raise EnvInputError("ItemAction", f"slate = {context.slate}", "slate=1: an action is one item")
        self.action_space = spaces.Discrete(context.catalog.n_items)

    def action(self, action: Any) -> npt.NDArray[np.int64]:
        """Turn an item into a slate."""
        return np.reshape(action, 1)


class ScoreVectorAction(gymnasium.vector.VectorActionWrapper):
    """As `ScoreAction`, (n, items)."""

    def __init__(self, env: Any) -> None:
        super().__init__(env)
        self.autoreset_mode = env.metadata["autoreset_mode"]
        self._own = _own(env)
        self._take(self._own.context.catalog.n_items)

    def _take(self, width: int) -> None:
        self.single_action_space = _bounded(width)
        self.action_space = gymnasium.vector.utils.batch_space(self.single_action_space, self.env.num_envs)

    def actions(self, actions: Any) -> npt.NDArray[np.int64]:
        """Turn scores into slates."""
        observation = self._own.fleet.observation if hasattr(self._own, "fleet") else self._own.observation
        return best(np.asarray(actions), observation.available, self._own.context.slate)


class QueryVectorAction(ScoreVectorAction):
    """As `QueryAction`, (n, columns)."""

    def __init__(self, env: Any) -> None:
        super().__init__(env)
        self._take(self._own.context.features.shape[1])

    def actions(self, actions: Any) -> npt.NDArray[np.int64]:
        """Turn queries into slates."""
        return super().actions(np.asarray(actions, dtype=np.float32) @ self._own.context.features.T)


class RevealHiddenState(gymnasium.ObservationWrapper[dict[str, Any], Any, dict[str, Any]], RecordConstructorArgs):
    """Adds what no platform could know: an agent that sees it is a reference, not a recommender.

    `hidden_user` float32 (4,): goodwill, the user's own level of it, patience, tolerance left in this visit (s).
    `hidden_mood` float32: bias learned per modality, then satiation per topic. `hidden_taste` float32.
    `hidden_worth` float32 (items,): every item's utility, but for the numbers that are shown as they are (a price).
    """

    def __init__(self, env: gymnasium.Env[Any, Any]) -> None:
        RecordConstructorArgs.__init__(self)  # so that Gymnasium can make it again from a spec
        super().__init__(env)
        self._own: BeholderEnv = _own(env)
        fleet, context = self._own.fleet, self._own.context
        wide = {
            "hidden_user": 4, "hidden_mood": fleet.users.satiation_trust.shape[1],
            "hidden_taste": fleet.users.taste.shape[1], "hidden_worth": context.catalog.n_items,
        }  # fmt: skip
        boxes = {name: spaces.Box(-np.inf, np.inf, (width,), np.float32) for name, width in wide.items()}
        inner: Any = env.observation_space
        self.observation_space = spaces.Dict({**inner.spaces, **boxes})

    def observation(self, observation: dict[str, Any]) -> dict[str, Any]:
        """Add the truth to the observation."""
        fleet, context = self._own.fleet, self._own.context
        user, row = fleet.users.state[0], fleet.rows.state[0]
        found = {
            "hidden_user": np.array([user["goodwill"], user["own_goodwill"], user["patience"], row["tolerance"]]),
            "hidden_mood": fleet.users.satiation_trust[0].copy(),
            "hidden_taste": fleet.users.taste[0].copy(),
            "hidden_worth": utilities(context.seed, 0, context.plan, fleet.users, fleet.items_for(0)),
        }
        return {**observation, **{name: value.astype(np.float32) for name, value in found.items()}}


@kernel
def _fill(seed: int, user: int, numbers: Numbers, out: npt.NDArray[np.float32]) -> None:
    person = mix(root(seed, PERCEPTION), numbers.users[user].key)
    for item in range(out.shape[0]):
        out[item] = utility_of(mix(person, np.uint64(item)), user, item, numbers)


def utilities(seed: int, user: int, plan: Plan, users: Users, items: Items) -> Float32:
    """Return what every item is worth to a user in truth, (items,): for references that may know it, and nobody else.

    It is the engine's own function; numbers that are shown as they are (a price) are left out.
    """
    out = np.empty(len(items.state), dtype=np.float32)
    _fill(seed, user, numbers_of(plan, users, items), out)
    return out
