"""A million random steps per environment: nothing raises, every observation lies in its space, memory stays flat.

    python -m benchmarks.soak [News Jobs ...] [steps=1000000]

Vectors of 1,024 users, slates of 10 of 1,000 items, both kinds of episodes. Spaces are asked in every step. Memory is
what the process holds after the first tenth, at half, and at the end.
"""

from __future__ import annotations

import gc
import os
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

import gymnasium
import numpy as np

import simulator.env

USERS, ITEMS, SLATE, STEPS = 1024, 1000, 10, 1_000_000
IDS = ("Ecommerce", "News", "ShortVideo", "Audio", "FoodDelivery", "Jobs", "Scenario")
EPISODES = ("visit", "lifetime")


class Soaked(NamedTuple):
    """What became of one environment."""

    steps: int  # of one user
    episodes: int
    seconds: float
    memory: tuple[int, int, int]  # bytes after a tenth, at half, and at the end


def resident() -> int:
    """What this process holds in memory, bytes; as Linux tells it."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def soak(name: str, episode: str, steps: int = STEPS, users: int = USERS, seed: int = 0, **given: Any) -> Soaked:
    """Take `users` users through `steps` random steps together.

    Raises:
        AssertionError: an observation is outside of its space, or a reward is no number.
    """
    settings: dict[str, Any] = {"items": ITEMS, "slate": SLATE, "episode": episode, **given}
    if name == "Scenario":
        settings["scenario"] = "news"
    env = gymnasium.make_vec(f"beholder/{name}-v1", num_envs=users, observe_candidates=False, copy=False, **settings)
    rng, episodes, memory = np.random.default_rng(seed), 0, []
    askable = env.unwrapped.fleet.context.askable
    observations, _ = env.reset(seed=seed)
    assert env.observation_space.contains(observations)
    rounds = -(-steps // users)
    looks = {rounds // 10, rounds // 2, rounds - 1}
    begun = time.perf_counter()
    for k in range(rounds):
        actions = rng.choice(askable, (users, settings["slate"]))
        observations, rewards, terminated, truncated, _ = env.step(actions)
        assert env.observation_space.contains(observations), (name, episode, k)
        assert np.isfinite(rewards).all(), (name, episode, k)
        episodes += int((terminated | truncated).sum())
        if k in looks:
            gc.collect()
            memory.append(resident())
    seconds = time.perf_counter() - begun
    env.close()
    return Soaked(rounds * users, episodes, seconds, tuple(memory))  # type: ignore[arg-type]


def main(arguments: list[str]) -> None:
    """Print the table."""
    names = [each for each in arguments if "=" not in each] or list(IDS)
    given = dict(each.split("=", 1) for each in arguments if "=" in each)
    steps = int(given.get("steps", STEPS))
    print(f"{'':<24} {'steps':>10} {'episodes':>10} {'s':>7}   MB after a tenth, half, all")
    for name in names:
        for episode in EPISODES:
            found = soak(name, episode, steps)
            memory = ", ".join(f"{each / 1e6:,.1f}" for each in found.memory)
            row = f"{found.steps:>10,} {found.episodes:>10,} {found.seconds:>7.1f}   {memory}"
            print(f"{name + ', ' + episode:<24} {row}", flush=True)


if __name__ == "__main__":
    simulator.env.register()
    main(sys.argv[1:])
