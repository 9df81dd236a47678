"""PPO (Stable-Baselines3) on the native vector, beside random and popularity; the parameters are those below.

python -m pip install -e ".[rl]"
python examples/ppo.py ShortVideo watch_time 0     # id, reward, seed
"""

from __future__ import annotations

import sys
import time
from typing import Any

import gymnasium
import numpy as np
import torch
from agents import AGENTS, play
from stable_baselines3 import PPO

import simulator.env
from simulator.env.agents.sb3_vector import Sb3Vector

STEPS, USERS, EPISODES = 1_500_000, 256, 2000
PARAMETERS: dict[str, Any] = {
    "n_steps": 16, "batch_size": 1024, "n_epochs": 4, "learning_rate": 1e-3, "gamma": 0.95, "gae_lambda": 0.9,
    "ent_coef": 0.0, "policy_kwargs": {"net_arch": [64, 64], "log_std_init": -1.0},
}  # fmt: skip
SCALE = {"watch_time": 0.01, "margin": 0.1}
"""Rewards are brought near 1 for the value function."""


def judged(model: PPO, scenario: str, reward: str, seed: int) -> np.ndarray:
    """Reward of each of `EPISODES` visits by users whom training never met."""
    env = Sb3Vector(USERS, scenario=scenario, slate=10, reward=reward)
    env.seed(seed)
    observations, sums, found = env.reset(), np.zeros(USERS), []
    while len(found) < EPISODES:
        actions, _ = model.predict(observations, deterministic=True)
        observations, rewards, over, _ = env.step(actions)
        sums += rewards
        found += sums[over].tolist()
        sums[over] = 0.0
    return np.array(found)


def main(name: str = "ShortVideo", reward: str = "watch_time", seed: str = "0") -> None:
    """Train, judge, and print."""
    simulator.env.register()
    torch.set_num_threads(1)
    known, number = f"beholder/{name}-v1", int(seed)
    scenario = gymnasium.spec(known).kwargs["scenario"]
    begun = time.perf_counter()
    training = Sb3Vector(USERS, scenario=scenario, slate=10, reward={reward: SCALE[reward]})
    training.seed(10_000 * (number + 1))
    model = PPO("MlpPolicy", training, seed=number, device="cpu", **PARAMETERS)
    for part in range(5):
        model.learn(STEPS // 5, reset_num_timesteps=part == 0)
        mean = judged(model, scenario, reward, 1_000_000 + number).mean()
        print(
            f"{model.num_timesteps:>9,} steps {time.perf_counter() - begun:6.0f} s   {mean:10.2f} per visit", flush=True
        )
    for title in ("random", "popularity"):
        env = gymnasium.make_vec(known, num_envs=USERS, slate=10, reward=reward, observe_candidates=False)
        agent = AGENTS[title](env, number)
        play(env, agent, 400, seed=10_000 * (number + 1))
        print(f"{title:<12} {play(env, agent, 60, seed=1_000_000 + number):10.2f} per visit")


if __name__ == "__main__":
    main(*sys.argv[1:])
