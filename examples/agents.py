"""Reference agents for the environments, each short enough to read at a glance.

    python examples/agents.py ShortVideo watch_time

An agent answers n users at a time: `act` gives item numbers (n, places), `learn` hears what came of them.
"""

from __future__ import annotations

import sys
from typing import Any

import gymnasium
import numpy as np

import simulator.env
from simulator.env.wrappers import best, utilities


class Random:
    """Any item that can be had."""

    def __init__(self, env: Any, seed: int) -> None:
        self.env, self.rng = env.unwrapped, np.random.default_rng(seed)
        self.features, self.places = self.env.context.features, self.env.context.slate

    def scores(self, observations: dict[str, Any]) -> np.ndarray:
        """A score for every user and item, (n, items)."""
        return self.rng.random(observations["available"].shape)

    def act(self, observations: dict[str, Any]) -> np.ndarray:
        """The best available items by `scores`."""
        return best(self.scores(observations), observations["available"], self.places)

    def learn(self, rewards: np.ndarray, infos: dict[str, Any]) -> None:
        """Hear what came of it: nothing to learn."""


class Popularity(Random):
    """What earned most per slate that it was in, over everybody."""

    def __init__(self, env: Any, seed: int) -> None:
        super().__init__(env, seed)
        self.earned, self.shown = np.zeros(len(self.features)), np.full(len(self.features), 1.0)

    def scores(self, observations: dict[str, Any]) -> np.ndarray:
        """Mean so far, with a little luck to break ties."""
        means = self.earned / self.shown
        return means + 1e-6 * super().scores(observations)

    def learn(self, rewards: np.ndarray, infos: dict[str, Any]) -> None:
        """Share every slate's reward out among its items."""
        slates = infos["slate"]
        users, places = np.nonzero(slates >= 0)
        items = slates[users, places]
        np.add.at(self.earned, items, rewards[users] / (slates >= 0).sum(axis=1)[users])
        np.add.at(self.shown, items, 1.0)


class Bestsellers(Random):
    """What is praised, ordered or consumed to the end most: how often it stands in what users lately did."""

    def __init__(self, env: Any, seed: int) -> None:
        super().__init__(env, seed)
        self.count, names = np.zeros(len(self.features)), self.env.events
        known = ("order", "apply", "complete", "like", "save")
        self.good = np.array([code for code, name in enumerate(names) if name in known], dtype=np.int32)

    def scores(self, observations: dict[str, Any]) -> np.ndarray:
        """Counts so far, with a little luck to break ties."""
        items = observations["history_item"][np.isin(observations["history_event"], self.good)]
        np.add.at(self.count, items, 1.0)
        return self.count + 1e-3 * super().scores(observations)


class Greedy(Random):
    """Items like those that this user liked, and unlike those that they did not."""

    def scores(self, observations: dict[str, Any]) -> np.ndarray:
        """Inner products with the difference of the two means."""
        liked, not_liked = np.split(observations["interest"], 2, axis=1)
        return (liked - 0.5 * not_liked) @ self.features.T + 1e-3 * super().scores(observations)


class LinUCB(Random):
    """One linear model for all users over products of interest and features, with a bonus for what is uncertain.

    (Li et al., "A contextual-bandit approach to personalized news article recommendation", WWW 2010.)
    """

    def __init__(self, env: Any, seed: int, alpha: float = 0.5) -> None:
        super().__init__(env, seed)
        width = 2 * self.features.shape[1] + 1
        self.alpha, self.a, self.b = alpha, np.eye(width), np.zeros(width)

    def _inputs(self, interest: np.ndarray, items: np.ndarray) -> np.ndarray:
        liked = np.split(interest, 2, axis=-1)[0][:, None, :]
        features = self.features[items]
        return np.concatenate([features, liked * features, np.ones((*items.shape, 1))], axis=-1)

    def scores(self, observations: dict[str, Any]) -> np.ndarray:
        """Mean and bonus of 100 items drawn at random; the others are not looked at."""
        n, n_items = observations["available"].shape
        self._seen = observations["interest"]
        some = self.rng.integers(0, n_items, (n, 100))
        x = self._inputs(self._seen, some)
        inverse = np.linalg.inv(self.a)
        spread = np.sqrt(np.maximum(np.einsum("nkd,de,nke->nk", x, inverse, x), 0.0))
        found = np.full((n, n_items), -1e9)
        np.put_along_axis(found, some, x @ (inverse @ self.b) + self.alpha * spread, axis=1)
        return found

    def learn(self, rewards: np.ndarray, infos: dict[str, Any]) -> None:
        """One ridge regression of the reward on the mean of the slate's inputs."""
        slates = infos["slate"]
        there = (slates >= 0).all(axis=1)
        if there.any():
            x = self._inputs(self._seen[there], slates[there]).mean(axis=1)
            self.a += x.T @ x
            self.b += x.T @ rewards[there]


class Oracle(Random):
    """What is worth most to each user: an upper reference that no platform could have."""

    def scores(self, observations: dict[str, Any]) -> np.ndarray:
        """Utilities, by the engine's own function; numbers that are shown as they are (a price) count beside."""
        own = self.env
        worth = [
            utilities(own.context.seed, j, own.context.plan, own.fleet.users, own.fleet.items)
            for j in range(own.num_envs)
        ]
        shown = own.fleet.items.attribute_effects[:, : len(own.context.compiled.names.attribute_effects)].sum(axis=1)
        return np.stack(worth) + shown


AGENTS = {"random": Random, "popularity": Popularity, "bestsellers": Bestsellers, "greedy": Greedy, "linucb": LinUCB,
          "oracle": Oracle}  # fmt: skip


def play(env: Any, agent: Random, steps: int, seed: int) -> float:
    """Mean reward per episode over `steps` steps of a vector with `NextStep` autoreset."""
    observations, _ = env.reset(seed=seed)
    total, episodes, over = 0.0, 0, np.zeros(env.num_envs, dtype=bool)
    for _ in range(steps):
        observations, rewards, terminated, truncated, infos = env.step(agent.act(observations))
        infos["slate"][over] = -1  # these users have only just come
        agent.learn(rewards, infos)
        over = terminated | truncated
        total, episodes = total + float(rewards.sum()), episodes + int(over.sum())
    return total / max(episodes, 1)


def main(name: str = "ShortVideo", reward: str = "watch_time") -> None:
    """Let every agent play, and print what it earned per visit."""
    simulator.env.register()
    for title, kind in AGENTS.items():
        env = gymnasium.make_vec(f"beholder/{name}-v1", num_envs=64, slate=10, reward=reward, observe_candidates=False)
        agent = kind(env, 0)
        play(env, agent, 150, seed=1000)  # to learn
        print(f"{title:<12} {play(env, agent, 100, seed=0):10.2f} per visit")


if __name__ == "__main__":
    main(*sys.argv[1:])
