"""How fast the engine is, against the least that a simulator has to do, and against pyarrow alone.

    python -m benchmarks.engine            # bare loop, engine without logs, engine with both logs
    python -m benchmarks.engine million    # 100,000 and 1,000,000 users x 100,000 items, both logs

All of a table's figures come from one run on one machine; compare ratios, not seconds.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.bare_loop import RECORD, bare_loop
from simulator import RunConfig
from simulator.config import complete
from simulator.plan.compiler import compile_scenario
from simulator.population.catalog import draw_catalog
from simulator.population.users import bytes_per_user, draw_users
from simulator.records.log_writer import CODED
from simulator.records.parts import PLATFORM, TRUTH, read_parts
from simulator.scenario.load import load_scenario
from simulator.world import run_world

SCENARIO = "shortvideo"
USERS, ITEMS, HORIZON = 100_000, 10_000, 24 * 3600.0
REPEATS = 3


def configured(**settings: Any) -> RunConfig:
    """A completed configuration of the benchmark's scenario with the random recommender."""
    config = RunConfig(scenario=SCENARIO, recommender="random", **settings)
    return complete(config, load_scenario(SCENARIO).defaults.model_dump())


def bare_seconds(users: int, items: int) -> float:
    """Seconds per impression of the bare loop on the users and items of the scenario, slates of 10 drawn at random."""
    compiled = compile_scenario(load_scenario(SCENARIO))
    catalog = draw_catalog(compiled, items, 86400.0, 0)
    all_users = draw_users(compiled, catalog.items, users, 0)
    truth = np.ascontiguousarray(catalog.items.vectors[:, :32])
    slates = np.random.default_rng(0).integers(0, items, (users, 8, 10)).astype(np.int32)
    records = np.zeros(65536, dtype=RECORD)
    bare_loop(all_users.taste, truth, slates[:2], records)
    best = np.inf
    for _ in range(REPEATS):
        begun = time.perf_counter()
        bare_loop(all_users.taste, truth, slates, records)
        best = min(best, (time.perf_counter() - begun) / slates.size)
    return best


def run_seconds(config: RunConfig) -> tuple[float, float, dict[str, Any]]:
    """Wall seconds of a run, seconds per impression, and its manifest."""
    begun = time.perf_counter()
    result = run_world(config)
    wall = time.perf_counter() - begun
    return wall, wall / result.metrics["impressions"], result.manifest


def pyarrow_seconds(folder: Path) -> float:
    """Seconds that pyarrow alone needs to write both logs of a run again, with the same settings."""
    total = 0.0
    for kind in (TRUTH, PLATFORM):
        table = pa.concat_tables([pq.read_table(path) for path in read_parts(folder, kind)]).combine_chunks()
        begun = time.perf_counter()
        options = {"compression": "zstd", "use_dictionary": list(CODED), "write_statistics": False}
        with pq.ParquetWriter(folder / f"{kind}-again.parquet", table.schema, **options) as writer:
            for first in range(0, len(table), 1 << 17):
                writer.write_table(table.slice(first, 1 << 17))
        total += time.perf_counter() - begun
    return total


def beside_bare_loop(users: int, items: int, horizon: float) -> Iterator[tuple[float, float]]:
    """Yield, repeat by repeat, seconds per impression of the bare loop and of the engine without logs."""
    run_seconds(configured(users=1000, items=items, horizon=3600.0, log="metrics"))  # compile
    for _ in range(REPEATS):
        bare = bare_seconds(users // 10, items)
        _, engine, _ = run_seconds(configured(users=users, items=items, horizon=horizon, log="metrics"))
        yield bare, engine


def main_table(users: int = USERS, items: int = ITEMS, horizon: float = HORIZON) -> None:
    """Bare loop, engine, engine with both logs."""
    rows = []
    for bare, engine in beside_bare_loop(users, items, horizon):
        rows.append((bare, engine))
        print(f"bare {bare * 1e9:6.1f} ns   engine, metrics {engine * 1e9:6.1f} ns   ratio 1/{engine / bare:.1f}")
    ratios = sorted(engine / bare for bare, engine in rows)
    print(f"ratio: median 1/{ratios[len(ratios) // 2]:.1f}, from 1/{ratios[0]:.1f} to 1/{ratios[-1]:.1f}")
    with tempfile.TemporaryDirectory() as parent:
        folder = Path(parent) / "run"
        wall, _, manifest = run_seconds(
            configured(users=users, items=items, horizon=horizon, output=folder, log="full")
        )
        engine_wall, _, _ = run_seconds(configured(users=users, items=items, horizon=horizon, log="metrics"))
        alone = pyarrow_seconds(folder)
        writer = manifest["writer_seconds"]
        print(f"both logs: wall {wall:.2f} s; engine alone {engine_wall:.2f} s")
        print(f"writer busy {writer:.2f} s; pyarrow alone {alone:.2f} s; ratio {writer / alone:.2f}")
        print(f"wall / slower of engine and writer: {wall / max(engine_wall, writer):.2f}")


def million(items: int = 100_000, horizon: float = 7 * 3600.0) -> None:
    """A hundred thousand and a million users, both logs."""
    run_seconds(configured(users=1000, items=1000, horizon=3600.0, log="metrics"))
    per_user = []
    for users in (100_000, 1_000_000):
        with tempfile.TemporaryDirectory() as parent:
            config = configured(
                users=users, items=items, horizon=horizon, output=Path(parent) / "run", checkpoint=horizon
            )
            wall, _, manifest = run_seconds(config)
        per_user.append(wall / users)
        impressions = manifest["events"]["impression"]
        memory = manifest["peak_memory_bytes"] / 2**30
        print(f"{users:>9,} users: {wall:6.1f} s, {impressions:>11,} impressions", end=", ")
        print(f"{wall / users * 1e6:.1f} us per user, peak {memory:.2f} GiB")
    compiled = compile_scenario(load_scenario(SCENARIO))
    catalog = draw_catalog(compiled, 1000, 86400.0, 0)
    state = bytes_per_user(draw_users(compiled, catalog.items, 1000, 0))
    print(f"time per user, million / hundred thousand: {per_user[1] / per_user[0]:.2f}; user state {state:.0f} bytes")


if __name__ == "__main__":
    million() if sys.argv[1:] == ["million"] else main_table()
