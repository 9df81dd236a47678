"""What a tree costs, through its public faces alone, so that the same file measures trees of any age.

    python -m benchmarks.figures PART       one of the parts below, as JSON on stdout

Every figure is a cost: less is better. Costs inside a process are processor time of one thread, which other work on the
machine disturbs less than time on the clock; what a command takes is time on the clock.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

# Users and days of each scenario: about a million impressions, so that what every tick costs weighs little.
SIZES = {
    "shortvideo": (10_000, 1), "news": (50_000, 2), "audio": (50_000, 1), "ecommerce": (100_000, 3),
    "fooddelivery": (300_000, 1), "jobs": (100_000, 3),
}  # fmt: skip
HALF_DAY = 12  # h that both runs live before the days that count
ENVIRONMENTS = ("ShortVideo", "News", "Audio", "Ecommerce", "FoodDelivery", "Jobs")
ITEMS, SLATE, MANY, REPEATS = 1000, 10, 1024, 3


def processor_seconds(do: Callable[[], Any]) -> float:
    """Return the processor time of one go."""
    begun = time.process_time()
    do()
    return time.process_time() - begun


def engine(scenario: str) -> dict[str, float]:
    """Return ns per impression: the difference of a long and a short run, so that setting up does not count."""
    import simulator

    impressions: dict[int, float] = {}

    def live(users: int, hours: int) -> None:
        found = simulator.run(scenario, "random", users=users, items=10_000, horizon=f"{hours}h", log="metrics")
        impressions[hours] = float(found.metrics["impressions"])

    users, days = SIZES[scenario]
    short, long = HALF_DAY, HALF_DAY + 24 * days
    live(100, long)  # compiles
    spent = {
        hours: min(processor_seconds(lambda hours=hours: live(users, hours)) for _ in range(REPEATS))
        for hours in (short, long)
    }
    cost = (spent[long] - spent[short]) / (impressions[long] - impressions[short])
    return {f"engine, {scenario}, ns per impression": cost * 1e9}


def environment(name: str) -> dict[str, float]:
    """Return microseconds per step of one user: alone, and in a vector on one thread."""
    import gymnasium
    import numpy as np

    import simulator.env

    simulator.env.register()
    settings: dict[str, Any] = {"items": ITEMS, "slate": SLATE, "observe_candidates": False}
    one = gymnasium.make(f"beholder/{name}-v1", **settings).unwrapped
    askable = np.flatnonzero(one.reset(seed=0)[0]["available"])
    slates = np.random.default_rng(0).choice(askable, (2_000, SLATE))

    def alone() -> None:
        for slate in slates:
            _, _, terminated, truncated, _ = one.step(slate)
            if terminated or truncated:
                one.reset()

    many = gymnasium.make_vec(f"beholder/{name}-v1", num_envs=MANY, threads=1, **settings)
    many.reset(seed=0)

    def together() -> None:
        for _ in range(20):
            many.step(slates[:MANY])

    found = {}
    for what, do, steps in (("one", alone, len(slates)), (f"vector of {MANY:,}", together, 20 * MANY)):
        do()
        spent = min(processor_seconds(do) for _ in range(REPEATS))
        found[f"environment, {name}, {what}, us per step"] = spent / steps * 1e6
    return found


def command(_: str) -> dict[str, float]:
    """Return seconds of `--help`, of the default run with nothing compiled yet, and of the next one."""

    def taken(*words: str, **environment: str) -> float:
        begun = time.perf_counter()
        given = {name: value for name, value in os.environ.items() if name != "NUMBA_CACHE_DIR"} | environment
        subprocess.run([sys.executable, "-m", "simulator", *words], check=True, env=given, capture_output=True)
        return time.perf_counter() - begun

    with tempfile.TemporaryDirectory() as folder:
        run = [taken("scenario=shortvideo", f"output={folder}/{k}", XDG_CACHE_HOME=f"{folder}/cache") for k in range(2)]
        helped = min(taken("--help") for _ in range(REPEATS))
    return {
        "command, --help, s": helped,
        "command, cold default run, s": run[0],
        "command, warm default run, s": run[1],
    }


_KINDS: dict[str, tuple[Callable[[str], dict[str, float]], tuple[str, ...]]] = {
    "command": (command, ("default",)),
    "engine": (engine, tuple(SIZES)),
    "environment": (environment, ENVIRONMENTS),
}
PARTS = tuple(f"{kind}/{name}" for kind, (_, names) in _KINDS.items() for name in names)


def measure(part: str) -> dict[str, float]:
    """Return the figures of a part, by name."""
    kind, _, name = part.partition("/")
    return _KINDS[kind][0](name)


if __name__ == "__main__":
    json.dump(measure(sys.argv[1]), sys.stdout)
