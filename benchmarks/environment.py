"""How fast the environments are, beside a bare call of the engine's kernel and beside SARDINE.

    python -m benchmarks.environment

Slates of 10 of 1,000 items, random actions. SARDINE (`pip install sardine-rec`) is measured where it is installed. All
figures come from one run on one machine; compare ratios, not seconds.
"""

from __future__ import annotations

import importlib
import importlib.util
import time
from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np

import simulator.env
from simulator.env.fleet import Fleet
from simulator.env.scene import Scene
from simulator.env.settings import EnvSettings
from simulator.kernels.layout import Status
from simulator.kernels.visit import advance

ITEMS, SLATE, MANY, REPEATS = 1000, 10, 1024, 7
SARDINE = "sardine/SlateTopK-Bored-v0"
IDS = ("ShortVideo", "News", "Audio", "Ecommerce", "FoodDelivery", "Jobs")


def per_second(steps: int, do: Callable[[], None]) -> float:
    """Steps per second of one go."""
    begun = time.perf_counter()
    do()
    return steps / (time.perf_counter() - begun)


def single(env: Any, steps: int) -> Callable[[], None]:
    """Random slates for one environment."""
    actions = np.random.default_rng(0).integers(0, ITEMS, (steps, SLATE))
    env.reset(seed=0)

    def go() -> None:
        for action in actions:
            _, _, terminated, truncated, _ = env.step(action)
            if terminated or truncated:
                env.reset()

    return go


def vector(env: Any, steps: int, actions: Any = None) -> Callable[[], None]:
    """Random slates for a vector, the same in every step."""
    if actions is None:
        actions = np.random.default_rng(0).integers(0, ITEMS, (env.num_envs, SLATE))
    env.reset(seed=0)

    def go() -> None:
        for _ in range(steps):
            env.step(actions)

    return go


def bare(scenario: str) -> Callable[[], None]:
    """The engine's kernel alone: users who wait get slates by assignment, and one call takes them on."""
    fleet = Fleet(Scene(EnvSettings.of({"scenario": scenario, "items": ITEMS, "slate": SLATE})), MANY)
    rows = np.arange(MANY)
    fleet.seed(rows, rows.astype(np.uint64))
    slates = np.random.default_rng(0).integers(0, ITEMS, (MANY, SLATE))
    state, room, out = fleet.rows.state, fleet._room, fleet._outputs[0]
    plan = fleet.scene.compiled.plan  # who leaves comes again: no users to draw

    def go() -> None:
        for _ in range(10):
            todo = np.flatnonzero(state["status"] != Status.GONE)
            fleet.rows.slate["item"] = slates
            state["slate_n"], state["position"], state["status"][todo] = SLATE, 0, Status.ACTIVE
            first = 0
            while first < len(todo):
                first, _ = advance(
                    fleet.scene.seed, todo, first, 1e15, room, plan, fleet.people, fleet.goods, fleet.rows, out
                )
                out.n_messages[0] = 0

    fleet.reset(rows)
    return go


def rate(name: str, steps: int, make: Callable[[], Callable[[], None]]) -> np.ndarray:
    """Steps per second of some goes after one that does not count."""
    go = make()
    go()
    found = np.array([per_second(steps, go) for _ in range(REPEATS)])
    print(f"{name:<44} {np.median(found):>12,.0f}   {found.min():>12,.0f} ... {found.max():>12,.0f}")
    return found


def main() -> None:
    """Print the table."""
    print(f"{'steps of one user per second':<44} {'median':>12}   {'least':>12} ... {'most':>12}")
    sardine: dict[str, float] = {}
    if importlib.util.find_spec("sardine") is not None:
        importlib.import_module("sardine")  # registers its ids
        one = gymnasium.make(SARDINE).unwrapped
        sardine["one"] = float(np.median(rate("SARDINE, one", 2000, lambda: _sardine(one, 2000))))
        some = gymnasium.make_vec(SARDINE, num_envs=16, vectorization_mode="sync")
        sardine["vector"] = float(np.median(rate("SARDINE, vector of 16", 1600, lambda: vector(some, 100))))
    for name in IDS:
        settings = {"items": ITEMS, "slate": SLATE}
        known = f"beholder/{name}-v1"
        scenario = name.lower()
        alone = rate(f"{name}, one", 3000, lambda k=known, s=settings: single(gymnasium.make(k, **s).unwrapped, 3000))
        lean = rate(
            f"{name}, one, candidates not observed", 3000,
            lambda k=known, s=settings: single(gymnasium.make(k, observe_candidates=False, **s).unwrapped, 3000),
        )  # fmt: skip
        many = rate(
            f"{name}, vector of {MANY:,}", 20 * MANY,
            lambda k=known, s=settings: vector(gymnasium.make_vec(k, num_envs=MANY, **s), 20),
        )  # fmt: skip
        thread = rate(
            f"{name}, vector of {MANY:,}, one thread", 20 * MANY,
            lambda k=known, s=settings: vector(gymnasium.make_vec(k, num_envs=MANY, threads=1, **s), 20),
        )  # fmt: skip
        kernel = rate(f"{name}, bare kernel", 10 * MANY, lambda s=scenario: bare(s))
        print(f"    one thread / bare kernel {np.median(thread) / np.median(kernel):.2f}", end="")
        for what, found, other in (
            ("one", alone, "one"),
            ("one, lean", lean, "one"),
            ("vector", many, "vector"),
            ("one thread", thread, "vector"),
        ):
            if sardine:
                print(f"   {what} / SARDINE {other} {np.median(found) / sardine[other]:.1f}", end="")
        print()


def _sardine(env: Any, steps: int) -> Callable[[], None]:
    actions = [env.action_space.sample() for _ in range(steps)]
    env.reset(seed=0)

    def go() -> None:
        for action in actions:
            _, _, terminated, truncated, _ = env.step(action)
            if terminated or truncated:
                env.reset()

    return go


if __name__ == "__main__":
    simulator.env.register()
    main()
