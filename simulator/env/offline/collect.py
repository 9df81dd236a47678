"""Logged data for offline learning: episodes of a policy that says how likely its slates were, and their files.

from simulator.env.offline.collect import collect, to_minari, to_open_bandit, uniform
episodes = collect(uniform, episodes=100, seed=0, scenario="news", items=200, slate=5)
to_open_bandit(episodes, "logged")
to_minari(episodes, "news/uniform-v0")              # needs the extra `offline`
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gymnasium
import numpy as np
import numpy.typing as npt

from simulator.env.batch.user_batch import UserBatch
from simulator.env.context import EnvContext
from simulator.env.errors import EnvInputError
from simulator.env.registration import NAMESPACE, VERSION
from simulator.env.rewards import ITEM_EVENT
from simulator.env.settings import EnvSettings
from simulator.env.single import BeholderEnv
from simulator.env.wrappers import flat

Answer = tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]
Policy = Callable[[dict[str, Any], int, np.random.Generator], Answer]
"""(observation, places, luck) to a slate int64 (places,), and the probability of each item given those before it."""

WHERE = "collect"
_LEAST = float(np.finfo(np.float32).tiny)
_HISTORY = 64
_ENOUGH = 0.4  # of an item, from which on consuming it speaks for it


def uniform(observation: dict[str, Any], places: int, draw: np.random.Generator) -> Answer:
    """Answer with available items, every order of them equally likely."""
    return softmax(lambda seen: np.zeros(len(seen["available"])), 1.0)(observation, places, draw)


def softmax(scores: Callable[[dict[str, Any]], npt.NDArray[Any]], temperature: float) -> Policy:
    """Return a policy that draws items without replacement, in proportion to exp(score / temperature) (Plackett, 1975).

    What is shown has a probability above 0, whatever the temperature: below what a float32 holds it is the least that
    one does hold.

    Args:
        scores: of every item, (items,), from an observation.
        temperature: above 0.
    """
    if not temperature > 0:
        raise EnvInputError(WHERE, f"temperature = {temperature}", "above 0")

    def policy(observation: dict[str, Any], places: int, draw: np.random.Generator) -> Answer:
        there = np.flatnonzero(observation["available"])
        score = np.asarray(scores(observation), dtype=np.float64)[there]
        if not np.isfinite(score).all():
            raise EnvInputError(WHERE, "a score is NaN or infinite", "a finite score of every item")
        luck = draw.gumbel(size=len(there))
        slate, odds = np.zeros(places, dtype=np.int64), np.full(places, np.nan, dtype=np.float32)
        left = np.ones(len(there), dtype=np.bool_)
        for place in range(min(places, len(there))):
            # against the best of what is left: it has weight 1, however far below the first choices it is
            with np.errstate(over="ignore"):
                worth = np.where(left, (score - score[left].max()) / temperature, -np.inf)
            chosen = int(np.argmax(worth + luck))
            weight = np.exp(worth)
            slate[place], odds[place] = there[chosen], max(weight[chosen] / weight.sum(), _LEAST)
            left[chosen] = False
        return slate, odds

    return policy


@dataclass(frozen=True)
class Episode:
    """One episode of T steps.

    Attributes:
        seed: of its user.
        observations: float32 (T + 1, width), flat (`simulator.env.wrappers.FLAT`); the last one is final.
        actions: int64 (T, places), what the policy answered.
        shown: int32 (T, places), what was shown, -1 in places that the surface does not have.
        propensity: float32 (T, places), of the item given those before it in the slate; NaN where nothing was shown.
        clicked: uint8 (T, places), 1 if the platform has a record in this step that speaks for the item: an opening, an
            order, a like, at least 40 % of it consumed.
        rewards: float64 (T,).
        time: float64 (T,), s of simulated time at which the slate was asked for.
        terminated, truncated: how it ended.
        potential: float32 (T, items), or None: the reward of the step if the item had stood in the first place and all
            else had been as it was, the user's luck too; NaN where it could not be shown. Truth: no log has it.
    """

    seed: int
    observations: npt.NDArray[np.float32]
    actions: npt.NDArray[np.int64]
    shown: npt.NDArray[np.int32]
    propensity: npt.NDArray[np.float32]
    clicked: npt.NDArray[np.uint8]
    rewards: npt.NDArray[np.float64]
    time: npt.NDArray[np.float64]
    terminated: bool
    truncated: bool
    potential: npt.NDArray[np.float32] | None


@dataclass(frozen=True)
class Episodes:
    """What was collected, and the environment that it came from."""

    env: BeholderEnv
    policy: str
    episodes: tuple[Episode, ...]

    def __len__(self) -> int:
        return len(self.episodes)


def collect(policy: Policy, episodes: int, seed: int = 0, potential: bool = False, **given: Any) -> Episodes:
    """Let a policy answer users, and keep what a platform would log.

    Args:
        policy: see `Policy`; `uniform`, or what `softmax` gives.
        episodes: how many; the users' seeds are seed, seed + 1, ...
        potential: also what every other item would have earned in the first place; visits only.
        given: settings of the environment, see `simulator.env.settings.EnvSettings`.

    Raises:
        InputError: a setting is wrong, or potential outcomes are asked of lifetimes.
    """
    if isinstance(episodes, bool) or not isinstance(episodes, int) or episodes < 1:
        raise EnvInputError(WHERE, f"episodes = {episodes}", "a whole number of at least 1")
    settings = EnvSettings.of({"history": _HISTORY, "observe_candidates": False, **given})
    env: Any = gymnasium.make(f"{NAMESPACE}/Scenario-v{VERSION}", **vars(settings)).unwrapped
    env.spec.max_episode_steps = settings.most_requests  # d3rlpy wants it said to whoever makes the environment again
    if potential and env.settings.episode != "visit":
        raise EnvInputError(WHERE, f"potential outcomes of episode = {env.settings.episode}", "episode=visit")
    twins = UserBatch(env.context, env.context.catalog.n_items) if potential else None
    speaks = _speaks(env.context)
    found = tuple(_one(env, policy, seed + k, twins, speaks) for k in range(episodes))
    return Episodes(env, getattr(policy, "__name__", type(policy).__name__), found)


def _one(
    env: BeholderEnv, policy: Policy, seed: int, twins: UserBatch | None, speaks: npt.NDArray[np.float32]
) -> Episode:
    draw = np.random.default_rng([seed, 1])
    space: Any = env.observation_space
    observation, _ = env.reset(seed=seed)
    observations, steps, other = [flat(observation, space)], [], []
    over = False
    ended = (False, False)
    while not over:
        slate, odds = policy(observation, env.context.slate, draw)
        began = float(env.fleet.observation.time[0])
        if twins is not None:
            other.append(_instead(env.fleet, twins, slate))
        after, reward, *ended, info = env.step(slate)  # type: ignore[assignment]
        shown = info["slate"]
        if not np.array_equal(shown[shown >= 0], slate[: int((shown >= 0).sum())]):
            raise EnvInputError(
                WHERE, "the policy's slate holds items that cannot be had", "available items, none twice"
            )
        clicked = _clicked(observation, after, shown, speaks)
        steps.append((slate, shown, np.where(shown >= 0, odds, np.nan), clicked, reward, began))
        observation, over = after, any(ended)
        observations.append(flat(observation, space))
    slates, shown, odds, clicked, rewards, time = (np.array(part) for part in zip(*steps, strict=True))
    return Episode(
        seed, np.array(observations, np.float32), slates, shown.astype(np.int32), odds.astype(np.float32),
        clicked.astype(np.uint8), rewards.astype(np.float64), time, bool(ended[0]), bool(ended[1]),
        np.array(other, np.float32) if twins is not None else None,
    )  # fmt: skip


def _instead(fleet: UserBatch, twins: UserBatch, slate: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
    """Return the reward of the next step with every item in the first place, (items,), lived by as many copies."""
    n = twins.n
    for mine, theirs in ((fleet.users, twins.users), (fleet.rows, twins.rows), (fleet.observation, twins.observation),
                         (fleet.memory, twins.memory)):  # fmt: skip
        for one, copies in zip(mine, theirs, strict=True):
            if len(copies) == n:
                copies[...] = one[0]
    everybody = np.arange(n, dtype=np.int64)
    twins.rows.state["user"] = everybody
    twins.users.state["row"] = everybody
    available = fleet.observation.available[0].astype(np.bool_)
    others = np.tile(slate, (n, 1))
    places, rows = np.nonzero(slate[:, None] == everybody[None, :])
    others[rows, places] = slate[0]  # an item of the slate changes places with the first
    others[:, 0] = everybody
    rewards = np.full(n, np.nan, dtype=np.float32)
    twins.step(everybody[available], np.ascontiguousarray(others[available]))
    rewards[available] = twins.observation.reward[available]
    return rewards


def _speaks(context: EnvContext) -> npt.NDArray[np.float32]:
    """Return what every event says about a liking, in any stage, (events,): its sign; NaN: the share decides."""
    marked = context.tables.marks & ITEM_EVENT > 0
    signal = np.where(marked, context.tables.signal, 0.0)
    found = np.sign(np.nan_to_num(signal)).sum(axis=0)
    return np.where((marked & np.isnan(context.tables.signal)).any(axis=0), np.nan, np.sign(found)).astype(np.float32)


def _clicked(
    before: dict[str, Any], after: dict[str, Any], shown: npt.NDArray[np.int32], speaks: npt.NDArray[np.float32]
) -> npt.NDArray[np.uint8]:
    """Return which of the items shown have a record that speaks for them, among those that the step added."""
    names = ("history_item", "history_event", "history_value")
    old, new = (np.stack([each[name] for name in names]) for each in (before, after))
    length = old.shape[1]
    for fresh in range(length):
        if np.array_equal(old[:, fresh:], new[:, : length - fresh]):
            break
    else:
        raise EnvInputError(
            WHERE, f"history = {length} is too short for the events of a step", "history= a larger number"
        )
    item, event, value = (each[length - fresh :] for each in new)
    said = speaks[event.astype(np.int64)]
    good = np.where(np.isnan(said), value >= _ENOUGH, said > 0)
    return np.isin(shown, item[good]).astype(np.uint8) * (shown >= 0)
