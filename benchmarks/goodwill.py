"""Greed against goodwill over one visit and over 60 days, in short video.

    python -m benchmarks.goodwill seeds=9 output=runs/goodwill

Written down before the first run. Both policies know the truth (worth of an item to a user, how much its creator
oversells it, its length) and what came of 20,000 single plays of items drawn at random: a least-squares model of the
seconds watched, and one of the satisfaction felt. `greedy` shows what is predicted to be watched longest. `aware` adds
`PRICE` seconds per unit of predicted satisfaction. Hypotheses, for watch time per user, paired over seeds:

    1. over one visit, greedy - aware > 0
    2. over 60 days (all visits until churn), greedy - aware < 0
    3. greedy is heavier in click-bait: the mean overselling of what it shows is the larger one

Other prices are reported beside, and change nothing of what was said.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np

import simulator.env
from analysis.statistics import sign_flip_p, t_interval
from simulator.env.rewards import TRUTH, WATCH_TIME
from simulator.env.wrappers import best, utilities

PRICE = 100.0
PRICES = (0.0, 10.0, 30.0, PRICE, 300.0)
ITEMS, SLATE, PLAYS, LEARNERS, USERS = 1000, 10, 20_000, 400, 100
_LEARNED, _JUDGED = 10_000, 1_000_000


def vector(users: int, **given: Any) -> Any:
    """Users in worlds of their own."""
    settings: dict[str, Any] = {"items": ITEMS, "slate": SLATE, "reward": "watch_time", "observe_candidates": False}
    return gymnasium.make_vec("beholder/ShortVideo-v1", num_envs=users, **{**settings, **given})


class Truth:
    """Worth, overselling and length of every item to every user of an environment."""

    def __init__(self, env: Any) -> None:
        self.own = env.unwrapped
        names, items = self.own.context.compiled.names, self.own.context.items
        told = [k for k, name in enumerate(names.modalities) if name not in names.published_counters]
        self.oversold = items.bias_appeal[:, told].mean(axis=1).astype(np.float64)
        self.length = items.state["duration"].astype(np.float64)

    def worth(self) -> np.ndarray:
        """Utility of every item to every user now, (n, items)."""
        own = self.own
        return np.stack([
            utilities(own.context.seed, j, own.context.plan, own.fleet.users, own.fleet.items) for j in
            range(own.num_envs)
        ])  # fmt: skip

    def inputs(self, worth: np.ndarray) -> np.ndarray:
        """What the models see, (n, items, 7)."""
        long, bait = np.log(self.length), self.oversold
        ones = np.ones_like(worth)
        parts = (ones, worth, ones * bait, ones * long, worth * long, bait * long * ones, ones * self.length)
        return np.stack(parts, axis=-1)


def models(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Coefficients of seconds and of satisfaction, each (7,), from single plays of items drawn at random."""
    env = vector(LEARNERS, slate=1)
    truth, rng = Truth(env), np.random.default_rng(seed)
    observations, _ = env.reset(seed=_LEARNED * (seed + 1))
    x, seconds, felt, over = [], [], [], np.zeros(LEARNERS, dtype=bool)
    while sum(map(len, seconds)) < PLAYS:
        inputs = truth.inputs(truth.worth())
        actions = best(rng.random(observations["available"].shape), observations["available"], 1)
        observations, _, terminated, truncated, infos = env.step(actions)
        shown = infos["slate"][:, 0]
        rows = np.flatnonzero(~over & (shown >= 0))
        x.append(inputs[rows, shown[rows]])
        seconds.append(infos["rewards"][rows, WATCH_TIME])
        felt.append(infos["rewards"][rows, TRUTH])
        over = terminated | truncated
    found = [np.linalg.lstsq(np.concatenate(x), np.concatenate(y), rcond=None)[0] for y in (seconds, felt)]
    return found[0], found[1]


def lived(seed: int, weights: np.ndarray, episode: str) -> tuple[float, float, float]:
    """Watch time per user (s), share that is gone by the end, and mean overselling of what was shown."""
    env = vector(USERS, episode=episode)
    truth = Truth(env)
    observations, _ = env.reset(seed=_JUDGED + _LEARNED * seed)
    total, going, churned = np.zeros(USERS), np.ones(USERS, dtype=bool), np.zeros(USERS, dtype=bool)
    bait: list[np.ndarray] = []
    scores = truth.inputs(truth.worth()) @ weights  # what an item is worth to a user does not change
    while going.any():
        slates = best(scores, observations["available"], SLATE)
        observations, rewards, terminated, truncated, infos = env.step(slates)
        shown = infos["slate"][going]
        bait.append(truth.oversold[shown[shown >= 0]])
        total[going] += rewards[going]
        churned |= going & terminated
        going &= ~(terminated | truncated)
    return float(total.mean()), float(churned.mean()), float(np.concatenate(bait).mean())


def one_seed(seed: int) -> dict[str, list[float]]:
    """What every price comes to."""
    seconds, felt = models(seed)
    return {
        f"{price:g} {episode}": list(lived(seed, seconds + price * felt, episode))
        for price in PRICES
        for episode in ("visit", "lifetime")
    }


def main(arguments: list[str]) -> None:
    """Run what is missing, then print the table."""
    given = dict(each.split("=", 1) for each in arguments)
    folder = Path(given.get("output", "runs/goodwill"))
    folder.mkdir(parents=True, exist_ok=True)
    simulator.env.register()
    found = []
    for seed in range(int(given.get("first", "0")), int(given.get("seeds", "9"))):
        kept = folder / f"{seed}.json"
        if not kept.exists():
            kept.write_text(json.dumps(one_seed(seed)))
        found.append(json.loads(kept.read_text()))
    for key in found[0]:
        watched, gone, bait = np.mean([row[key] for row in found], axis=0)
        print(f"{key:<14} watch time {watched:10.1f} s   gone {gone:.3f}   oversold {bait:+.3f}")
    for k, (what, episode, place) in enumerate(
        [("watch time, visit", "visit", 0), ("watch time, 60 days", "lifetime", 0), ("overselling", "lifetime", 2)]
    ):
        difference = np.array([row[f"0 {episode}"][place] - row[f"{PRICE:g} {episode}"][place] for row in found])
        low, high = t_interval(difference)
        p = sign_flip_p(difference)
        print(f"{k + 1}. {what:<20} greedy - aware {difference.mean():10.3f} [{low:.3f}, {high:.3f}]   p {p:.4f}")


if __name__ == "__main__":
    main(sys.argv[1:])
