"""How fast the environments are, beside a bare call of the engine's kernel and beside SARDINE.

    python -m benchmarks.environment [News Jobs ...]

Slates of 10 of 1,000 items, random actions. SARDINE (`pip install sardine-rec`) is measured where it is installed. All
figures come from one run on one machine; compare ratios, not seconds. Where other work runs beside it, the best go is
the least disturbed one, and time on the processor is disturbed less than time on the clock: both are printed.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import gymnasium
import numpy as np

import simulator.env
from simulator.engine.tables.tables import Status
from simulator.engine.visit.advance import advance, parts_of
from simulator.env.batch.fleet import Fleet
from simulator.env.scene import Scene
from simulator.env.settings import EnvSettings

ITEMS, SLATE, MANY, REPEATS = 1000, 10, 1024, 7
SARDINE = "sardine/SlateTopK-Bored-v0"
IDS = ("ShortVideo", "News", "Audio", "Ecommerce", "FoodDelivery", "Jobs")


class Rate(NamedTuple):
    """Steps of one user per second, of the best go."""

    clock: float
    processor: float  # per second of all cores' time together


def per_second(steps: int, do: Callable[[], int | None]) -> Rate:
    """Steps per second of one go, which says how many it took unless they are always as many."""
    begun, spent = time.perf_counter(), time.process_time()
    steps = do() or steps
    return Rate(steps / (time.perf_counter() - begun), steps / (time.process_time() - spent))


def askable(env: Any) -> np.ndarray:
    """Numbers that a slate may hold."""
    fleet = getattr(env.unwrapped, "fleet", None)
    return np.arange(ITEMS) if fleet is None else np.asarray(fleet.scene.askable)


def single(env: Any, steps: int) -> Callable[[], None]:
    """Random slates for one environment."""
    actions = np.random.default_rng(0).choice(askable(env), (steps, SLATE))
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
        actions = np.random.default_rng(0).choice(askable(env), (env.num_envs, SLATE))
    env.reset(seed=0)

    def go() -> None:
        for _ in range(steps):
            env.step(actions)

    return go


def bare(scenario: str) -> Callable[[], int]:
    """The engine's kernel alone: users who wait get slates by assignment, and one call takes them on."""
    fleet = Fleet(Scene(EnvSettings.of({"scenario": scenario, "items": ITEMS, "slate": SLATE})), MANY)
    rows = np.arange(MANY)
    fleet.seed(rows, rows.astype(np.uint64))
    slates = np.random.default_rng(0).choice(fleet.scene.askable, (MANY, SLATE))
    state, room, out = fleet.rows.state, fleet._room, fleet._outputs[0]
    plan = fleet.scene.compiled.plan  # who leaves comes again: no users to draw
    parts = parts_of(plan)

    def go() -> int:
        steps = 0
        for _ in range(10):
            todo = np.flatnonzero(state["status"] != Status.GONE)
            fleet.rows.slate["item"] = slates
            state["slate_n"], state["position"], state["status"][todo] = SLATE, 0, Status.ACTIVE
            first = 0
            while first < len(todo):
                first, _ = advance(
                    fleet.scene.seed, todo, first, 1e15, room, plan, fleet.people, fleet.goods, fleet.rows, out,
                    *parts,
                )  # fmt: skip
                out.n_messages[0] = 0
            steps += len(todo)
        return steps

    fleet.reset(rows)
    return go


def rate(name: str, steps: int, make: Callable[[], Callable[[], int | None]]) -> Rate:
    """The best of some goes after one that does not count."""
    go = make()
    go()
    found = [per_second(steps, go) for _ in range(REPEATS)]
    clock, processor = [each.clock for each in found], [each.processor for each in found]
    print(
        f"{name:<44} {np.median(clock):>10,.0f} {max(clock):>10,.0f}   {np.median(processor):>10,.0f} "
        f"{max(processor):>10,.0f}", flush=True,
    )  # fmt: skip
    return Rate(max(clock), max(processor))


def main(names: list[str]) -> None:
    """Print the table."""
    print(f"{'steps of one user per second':<44} {'clock':>10} {'best':>10}   {'processor':>10} {'best':>10}")
    sardine: dict[str, Rate] = {}
    if importlib.util.find_spec("sardine") is not None:
        importlib.import_module("sardine")  # registers its ids
        one = gymnasium.make(SARDINE).unwrapped
        sardine["one"] = rate("SARDINE, one", 2000, lambda: _sardine(one, 2000))
        some = gymnasium.make_vec(SARDINE, num_envs=16, vectorization_mode="sync")
        sardine["vector"] = rate("SARDINE, vector of 16", 1600, lambda: vector(some, 100))
    for name in names or IDS:
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
        print(f"    one thread / bare kernel {thread.processor / kernel.processor:.2f}", end="")
        if sardine:
            for what, found, other in (
                ("one", alone, "one"),
                ("one, lean", lean, "one"),
                ("one thread", thread, "vector"),
            ):
                ratio = found.processor / sardine[other].processor
                print(f"   {what} / SARDINE {other} {ratio:.1f}", end="")
            print(f"   vector / SARDINE vector, by the clock {many.clock / sardine['vector'].clock:.1f}", end="")
        print(flush=True)


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
    main(sys.argv[1:])
