"""What a happening of a case costs, and whether that stays the same with many cases pending.

    python -m benchmarks.cases [pending ...]

Every case of a small world waits for one of many servers, is made, travels and ends: four happenings. All are posted at
once, so that as many are pending as are posted; then the world lives until all have ended. In a second world every case
waits for a chooser who compares it with the hundred others that want the same item, twice a day, until all have run out
of patience. Prints, per number of cases: rows on the heap at the start, happenings, and microseconds per happening and
per case, compilation left out.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable

import numpy as np

from simulator.engine.tables.case_tables import Count
from tests.worlds import TinyWorld, claim, exponential

_FIRST, _USERS, _PER_ITEM, _PER_CASE = (
    1000,
    1000,
    100,
    4,
)  # it enters, two steps end with a wait between, and the last one ends


def _world(cases: int) -> TinyWorld:
    """As many servers as keep the load the same, however many cases there are."""
    desk = {
        "kind": "queue",
        "per": "world",
        "capacity": claim(max(cases // 100, 1), "servers"),
        "service": exponential(600.0),
    }
    steps = [
        {"step": "make", "event": "reserved", "uses": "desk"},
        {"step": "bring", "event": "delivered", "delay": exponential(86400.0)},
        {"step": "hand", "delay": exponential(60.0)},
    ]
    world = TinyWorld(steps, {"desk": desk}, users=_USERS, delivery={"expires_after": claim(365, "d")})
    world.recording = False
    return world


def _chosen(cases: int) -> TinyWorld:
    """A hundred cases per item, of which few are picked: each is looked at again and again."""
    employer = {
        "per": "creator", "facet": "quality", "agreement": claim(0.4, "share"),
        "knowledge": {"dist": "constant", "value": 0.6, "unit": "share", "from": "estimate"},
        "threshold": claim(0.0, "utility"), "temperature": claim(0.3, "utility"),
        "shortlist": claim(2, "applicants"), "every": claim(12, "h"),
    }  # fmt: skip
    steps = [
        {"step": "read", "event": "reserved", "delay": exponential(86400.0)},
        {"step": "choose", "event": "delivered", "chosen_by": "employer"},
        {"step": "hand", "delay": exponential(60.0)},
    ]
    world = TinyWorld(
        steps, {}, users=_USERS, items=max(cases // _PER_ITEM, 1), delivery={"expires_after": claim(10, "d")},
        edits={"choosers": {"employer": employer}},
    )  # fmt: skip
    world.recording = False
    return world


def _measured(made: Callable[[int], TinyWorld], cases: int) -> tuple[int, float]:
    """Rows on the heap when all are posted, and seconds to the end of the last."""
    world = made(cases)
    items = len(world.catalog.published_at)
    generator = np.random.default_rng(1)
    times = np.sort(np.floor(generator.uniform(0.0, 86400.0, cases) * 1024.0) / 1024.0)
    begun = time.perf_counter()
    world.decide(times, generator.integers(0, _USERS, cases), generator.integers(0, items, cases))
    pending = world.count(Count.HEAP)
    world.run(math.inf)
    seconds = time.perf_counter() - begun
    if world.cases.n_open:
        raise RuntimeError(f"{world.cases.n_open} cases never ended")
    return pending, seconds


def main() -> None:
    """Measure and print."""
    print(f"{'world':>8} {'cases':>8} {'on the heap':>12} {'us per happening':>17} {'us per case':>12}")
    for name, made in (("waits", _world), ("chosen", _chosen)):
        _measured(made, _FIRST)  # compiles
        for cases in [int(word) for word in sys.argv[1:]] or [3_000, 30_000, 300_000]:
            pending, seconds = min(_measured(made, cases) for _ in range(3))
            each = seconds / cases * 1e6
            print(f"{name:>8} {cases:8} {pending:12} {each / _PER_CASE:17.2f} {each:12.2f}")


if __name__ == "__main__":
    main()
