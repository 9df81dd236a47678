"""What an impression costs in each scenario, beside short video; and what an order or an application costs on top.

    python -m benchmarks.scenarios

Runs of one process and one thread, the random recommender, `log=metrics`, 10,000 items; only the living is timed. An
impression is a card that was examined or a play. All figures of one table come from one process; compare ratios.
"""

from __future__ import annotations

import time

import numpy as np

import simulator
from simulator.world import World

SIZES = {
    "shortvideo": (20_000, "1d"), "news": (50_000, "3d"), "audio": (50_000, "1d"), "ecommerce": (100_000, "6d"),
    "fooddelivery": (600_000, "1d"), "jobs": (100_000, "6d"),
}  # fmt: skip  # about a million impressions or more: what a tick costs whatever happens in it is not what is asked for
REPEATS = 3
ALLOWED_PER_CASE = 25e-6


def lived(scenario: str, users: int, horizon: str) -> tuple[float, float, float]:
    """Seconds of living, impressions and cases of one run."""
    spent: list[float] = []
    live = World.live

    def timed(world: World, stop: object) -> None:
        begun = time.perf_counter()
        live(world, stop)  # type: ignore[arg-type]
        spent.append(time.perf_counter() - begun)

    World.live = timed  # type: ignore[method-assign]
    try:
        found = simulator.run(scenario, "random", users=users, items=10_000, horizon=horizon, log="metrics")
    finally:
        World.live = live  # type: ignore[method-assign]
    return spent[0], float(found.metrics["impressions"]), float(found.metrics.get("cases", 0.0))


def costs() -> dict[str, list[tuple[float, float, float]]]:
    """Return seconds of living, impressions and cases of each repeat, by scenario."""
    rows: dict[str, list[tuple[float, float, float]]] = {scenario: [] for scenario in SIZES}
    for repeat in range(REPEATS + 1):
        for scenario, (users, horizon) in SIZES.items():
            found = lived(scenario, users if repeat else 200, horizon)
            if repeat:  # the first round compiles
                rows[scenario].append(found)
    return rows


def least(runs: list[tuple[float, float, float]]) -> float:
    """Return the least seconds per impression of some runs."""
    return min(seconds / impressions for seconds, impressions, _ in runs)


def main() -> None:
    """Print the table."""
    rows = costs()
    base = least(rows["shortvideo"])
    print(
        f"{'':<14}{'impressions':>13}{'cases':>9}{'ns / impression':>18}{'/ short video':>15}{'less 25 us / case':>19}"
    )
    for scenario, runs in rows.items():
        spent = np.array([seconds / impressions for seconds, impressions, _ in runs])
        spared = np.array([(seconds - ALLOWED_PER_CASE * cases) / impressions for seconds, impressions, cases in runs])
        _, impressions, cases = runs[0]
        print(
            f"{scenario:<14}{impressions:>13,.0f}{cases:>9,.0f}"
            f"{spent.min() * 1e9:>10,.0f} ... {spent.max() * 1e9:<5,.0f}"
            f"{spent.min() / base:>13.2f}{spared.min() / base:>18.2f}"
        )


if __name__ == "__main__":
    main()
