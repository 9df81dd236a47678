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
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import gymnasium
import numpy as np

import simulator.env
from simulator.engine.tables.tables import Status
from simulator.engine.visit.advance import advance, parts_of
from simulator.env.batch.user_batch import UserBatch
from simulator.env.context import EnvContext
from simulator.env.settings import EnvSettings

ITEMS, SLATE, MANY, REPEATS = 1000, 10, 1024, 7
SARDINE = "sardine/SlateTopK-Bored-v0"
VECTOR = f"vector of {MANY:,}"
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
    return np.arange(ITEMS) if fleet is None else np.asarray(fleet.context.askable)


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
    fleet = UserBatch(EnvContext(EnvSettings.of({"scenario": scenario, "items": ITEMS, "slate": SLATE})), MANY)
    rows = np.arange(MANY)
    fleet.seed(rows, rows.astype(np.uint64))
    slates = np.random.default_rng(0).choice(fleet.context.askable, (MANY, SLATE))
    state, room, out = fleet.rows.state, fleet._room, fleet._outputs[0]
    plan = fleet.context.compiled.plan  # who leaves comes again: no users to draw
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
                    fleet.context.seed, todo, first, 1e15, room, plan, fleet.users, fleet.items, fleet.rows, out,
                    *parts,
                )  # fmt: skip
                out.n_messages[0] = 0
            steps += len(todo)
        return steps

    fleet.reset(rows)
    return go


class Measured(NamedTuple):
    """Rates of some goes: the best ones, and the medians."""

    best: Rate
    median: Rate


def rate(steps: int, make: Callable[[], Callable[[], int | None]]) -> Measured:
    """Measure some goes after one that does not count."""
    go = make()
    go()
    found = [per_second(steps, go) for _ in range(REPEATS)]
    clock, processor = [each.clock for each in found], [each.processor for each in found]
    return Measured(Rate(max(clock), max(processor)), Rate(float(np.median(clock)), float(np.median(processor))))


def of_sardine() -> Iterator[tuple[str, Measured]]:
    """Yield what SARDINE comes to, alone and as a vector of 16; nothing where it is not installed."""
    if importlib.util.find_spec("sardine") is not None:
        importlib.import_module("sardine")  # registers its ids
        alone = gymnasium.make(SARDINE).unwrapped
        yield "one", rate(2000, lambda: _sardine(alone, 2000))
        some = gymnasium.make_vec(SARDINE, num_envs=16, vectorization_mode="sync")
        yield "vector", rate(1600, lambda: vector(some, 100))


def of_environment(name: str) -> Iterator[tuple[str, Measured]]:
    """Yield what an environment comes to: alone, without candidates, as a vector, on one thread, as a bare kernel."""
    known, settings = f"beholder/{name}-v1", {"items": ITEMS, "slate": SLATE}

    def one(**given: Any) -> Callable[[], Callable[[], None]]:
        return lambda: single(gymnasium.make(known, **settings, **given).unwrapped, 3000)

    def many(**given: Any) -> Callable[[], Callable[[], None]]:
        return lambda: vector(gymnasium.make_vec(known, num_envs=MANY, **settings, **given), 20)

    yield "one", rate(3000, one())
    yield "one, candidates not observed", rate(3000, one(observe_candidates=False))
    yield VECTOR, rate(20 * MANY, many())
    yield f"{VECTOR}, one thread", rate(20 * MANY, many(threads=1))
    yield "bare kernel", rate(10 * MANY, lambda: bare(name.lower()))


def ratios(found: dict[str, Measured], sardine: dict[str, Measured]) -> dict[str, float]:
    """Return an environment's rates over those of its bare kernel and, where there are any, over SARDINE's."""
    many, thread, kernel = found[VECTOR].best, found[f"{VECTOR}, one thread"].best, found["bare kernel"].best
    compared = {"one thread / bare kernel": thread.processor / kernel.processor}
    if sardine:
        alone, lean, other = found["one"].best, found["one, candidates not observed"].best, sardine["one"].best
        together = sardine["vector"].best
        compared |= {
            "one / SARDINE one": alone.processor / other.processor,
            "one, lean / SARDINE one": lean.processor / other.processor,
            "one thread / SARDINE vector": thread.processor / together.processor,
            "vector / SARDINE vector, by the clock": many.clock / together.clock,
        }
    return compared


def _shown(whose: str, measured: Iterator[tuple[str, Measured]]) -> dict[str, Measured]:
    """Print a line for each of some rates as it comes, and return all."""
    found = {}
    for what, each in measured:
        (clock, processor), (median_clock, median_processor) = each.best, each.median
        print(
            f"{whose + ', ' + what:<44} {median_clock:>10,.0f} {clock:>10,.0f}   {median_processor:>10,.0f} "
            f"{processor:>10,.0f}", flush=True,
        )  # fmt: skip
        found[what] = each
    return found


def main(names: list[str]) -> None:
    """Print the table."""
    print(f"{'steps of one user per second':<44} {'clock':>10} {'best':>10}   {'processor':>10} {'best':>10}")
    sardine = _shown("SARDINE", of_sardine())
    for name in names or IDS:
        compared = ratios(_shown(name, of_environment(name)), sardine)
        print("    " + "   ".join(f"{what} {ratio:.2f}" for what, ratio in compared.items()), flush=True)


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
