"""PPO beside random, popularity and bestsellers, seed by seed, with learning curves.

    python -m pip install -e ".[rl]"
    python -m benchmarks.agents ShortVideo seeds=9 output=runs/agents
    python -m benchmarks.agents Ecommerce seeds=9 output=runs/agents

Every seed trains an agent of its own on users of its own and judges it, and all others, on the same fresh users. What
is done is kept in the output folder: the same command goes on where it was stopped.
"""

from __future__ import annotations

import csv
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import gymnasium
import numpy as np

import simulator.env
from analysis.statistics import sign_flip_p, t_interval
from examples.agents import AGENTS, play
from simulator.env.wrappers import best, flat


class Task(NamedTuple):
    """What is learned. All of it was written down before the first seed ran."""

    reward: str  # by which all are judged
    episode: str
    training: dict[str, float]  # the reward of training, near 1 for the value function
    trained_on: str  # episodes of training: lifetimes with orders were slow, and what returns cost is small
    steps: int
    users: int
    rollout: int  # steps of every user between updates
    gamma: float
    judged: int  # users, one episode each


TASKS = {
    "ShortVideo": Task("watch_time", "visit", {"watch_time": 0.01}, "visit", 1_500_000, 256, 16, 0.95, 2000),
    "Ecommerce": Task("margin", "lifetime", {"margin": 0.1}, "visit", 4_000_000, 1024, 32, 0.99, 1000),
}
ITEMS, SLATE, CURVE, LEARNERS = 1000, 10, 10, 256
PARAMETERS: dict[str, Any] = {
    "batch_size": 1024, "n_epochs": 4, "learning_rate": 1e-3, "gae_lambda": 0.9, "ent_coef": 0.0,
    "policy_kwargs": {"net_arch": [64, 64], "log_std_init": -1.0},
}  # fmt: skip
_TRAINED, _CURVED, _JUDGED = 10_000, 5_000_000, 1_000_000
"""Users of training, of learning curves and of the judgement come from seeds that never meet."""


def made(name: str, users: int, **given: Any) -> Any:
    """A vector of `users` users in worlds of their own."""
    task = TASKS[name]
    settings: dict[str, Any] = {"items": ITEMS, "slate": SLATE, "reward": task.reward, "episode": task.episode}
    return gymnasium.make_vec(
        f"beholder/{name}-v1", num_envs=users, observe_candidates=False, **{**settings, **given}
    )  # fmt: skip


def judged(name: str, act: Callable[[dict[str, Any]], np.ndarray], env: Any, seed: int) -> float:
    """Mean reward of one episode of every user of `env`, who come from `seed`."""
    observations, _ = env.reset(seed=seed)
    total, going = np.zeros(env.num_envs), np.ones(env.num_envs, dtype=bool)
    while going.any():
        observations, rewards, terminated, truncated, _ = env.step(act(observations))
        total[going] += rewards[going]
        going &= ~(terminated | truncated)
    return float(total.mean())


def policy(model: Any, env: Any) -> Callable[[dict[str, Any]], np.ndarray]:
    """The slates of a policy that was trained on flat observations, with queries for actions."""
    features, space = env.unwrapped.context.features, env.unwrapped.single_observation_space

    def act(observations: dict[str, Any]) -> np.ndarray:
        queries, _ = model.predict(flat(observations, space), deterministic=True)
        return best(queries @ features.T, observations["available"], SLATE)

    return act


def trained(name: str, seed: int, say: Callable[[int, float, float], None]) -> Any:
    """A policy, trained; `say` hears steps, seconds and the reward of other users on the way."""
    import torch
    from stable_baselines3 import PPO

    from simulator.env.agents.sb3_vector import Sb3Vector

    task, begun = TASKS[name], time.perf_counter()
    torch.set_num_threads(1)
    scenario = gymnasium.spec(f"beholder/{name}-v1").kwargs["scenario"]
    training = Sb3Vector(
        task.users, scenario=scenario, items=ITEMS, slate=SLATE, episode=task.trained_on, reward=task.training
    )  # fmt: skip
    training.seed(_TRAINED * (seed + 1))
    model = PPO("MlpPolicy", training, seed=seed, device="cpu", gamma=task.gamma, n_steps=task.rollout, **PARAMETERS)
    watched = made(name, task.judged, episode=task.trained_on)
    say(0, 0.0, judged(name, policy(model, watched), watched, _CURVED))
    took = time.perf_counter() - begun
    for part in range(CURVE):
        begun = time.perf_counter()
        model.learn(task.steps // CURVE, reset_num_timesteps=part == 0)
        took += time.perf_counter() - begun
        say(model.num_timesteps, took, judged(name, policy(model, watched), watched, _CURVED))
    return model


def one_seed(name: str, seed: int, folder: Path) -> dict[str, float]:
    """Every agent's reward for the same users; the learning curve goes to a file."""
    task, found = TASKS[name], {}
    env = made(name, task.judged)
    for title in ("random", "popularity", "bestsellers"):
        learning = made(name, LEARNERS)
        agent = AGENTS[title](learning, seed)
        play(learning, agent, 400, seed=_TRAINED * (seed + 1))
        agent.env = env.unwrapped
        found[title] = judged(name, agent.act, env, _JUDGED + _TRAINED * seed)
    with (folder / f"{name}-{seed}-curve.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["steps", "seconds", "reward"])

        def say(*row: float) -> None:
            rows.writerow(row)
            file.flush()

        model = trained(name, seed, say)
    found["ppo"] = judged(name, policy(model, env), env, _JUDGED + _TRAINED * seed)
    return found


def main(arguments: list[str]) -> None:
    """Run what is missing, then print the table."""
    name = arguments[0]
    given = dict(each.split("=", 1) for each in arguments[1:])
    folder = Path(given.get("output", "runs/agents"))
    folder.mkdir(parents=True, exist_ok=True)
    simulator.env.register()
    results: list[dict[str, float]] = []
    for seed in range(int(given.get("first", "0")), int(given.get("seeds", "9"))):
        kept = folder / f"{name}-{seed}.json"
        if not kept.exists():
            kept.write_text(json.dumps(one_seed(name, seed, folder)))
        results.append(json.loads(kept.read_text()))
        print(
            f"seed {seed}   " + "   ".join(f"{title} {value:.2f}" for title, value in results[-1].items()), flush=True
        )
    ppo = np.array([row["ppo"] for row in results])
    for title in ("random", "popularity", "bestsellers"):
        difference = ppo - np.array([row[title] for row in results])
        low, high = t_interval(difference)
        p = sign_flip_p(difference)
        print(f"ppo - {title:<12} {difference.mean():9.3f} [{low:.3f}, {high:.3f}]   sign-flip p {p:.4f}")


if __name__ == "__main__":
    main(sys.argv[1:])
