"""What recommending costs: alone, against a bare score-and-top-k of the same width, and as a part of a run.

    OPENBLAS_NUM_THREADS=1 python -m benchmarks.recommending         # users per second, top 10 of 10,000 items
    OPENBLAS_NUM_THREADS=1 python -m benchmarks.recommending run     # which share of a run lies outside the recommender
    OPENBLAS_NUM_THREADS=1 python -m benchmarks.recommending run 2d puresvd    # of two days; bpr fits for minutes

The run is of short video with slates of 10 of 10,000 items and a recommender that scores them all, in charge from the
first hour on; what is timed is its living, from the first tick to the last.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import simulator
from recommenders.contract import Catalog
from recommenders.contract.log import distinct_pairs
from recommenders.evaluation.metrics import HeldOut
from recommenders.evaluation.offline import POSITIVE, log_of, requests_for
from recommenders.registry import create
from simulator.world import World

USERS, ITEMS, PLACES, BATCH, WIDTH = 20_000, 10_000, 10, 4096, 64
MEASURED: dict[str, dict[str, object]] = {
    "puresvd": {"factors": WIDTH}, "bpr": {"epochs": 1, "factors": WIDTH}, "ials": {"iterations": 1},
    "ease": {}, "itemknn": {}, "userknn": {}, "p3alpha": {},
}  # fmt: skip
DENSE = ("puresvd", "bpr")


def bare(users: np.ndarray, items: np.ndarray) -> None:
    """Scores and top-k in blocks, nothing masked."""
    for first in range(0, len(users), 64):
        scores = users[first : first + 64] @ items
        top = np.argpartition(scores, ITEMS - PLACES, axis=1)[:, ITEMS - PLACES :]
        np.take_along_axis(scores, top, 1).argsort(1)


class Watch:
    """Seconds spent in calls."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self, call: Callable[..., Any]) -> Callable[..., Any]:
        """The same call, with its time added up."""

        def timed(*given: Any) -> Any:
            began = time.perf_counter()
            try:
                return call(*given)
            finally:
                self.seconds += time.perf_counter() - began

        return timed


def run_share(users: int = 10_000, horizon: str = "12h", names: Sequence[str] = ()) -> None:
    """Print how much of a run's living lies outside of its recommender, of these recommenders or of all dense."""
    live = World.live
    for name in names or DENSE:
        for size, length in ((100, "2h"), (users, horizon)):  # the first compiles
            living, inside = Watch(), Watch()

            def watched(world: World, stop: Any, inside: Watch = inside) -> None:
                recommender = world.platform.recommender
                for call in ("recommend", "fit"):
                    setattr(recommender, call, inside(getattr(recommender, call)))
                live(world, stop)

            World.live = living(watched)  # type: ignore[method-assign]
            try:
                simulator.run(
                    "shortvideo",
                    name,
                    users=size,
                    items=ITEMS,
                    horizon=length,
                    first_fit="1h",
                    refit="6h",
                    log="metrics",
                )
            finally:
                World.live = live  # type: ignore[method-assign]
        outside = living.seconds - inside.seconds
        print(f"{name:<10} {living.seconds:6.1f} s, outside {outside:6.1f} s: {outside / living.seconds:.1%}")


def main() -> None:
    """Print users per second, and the ratio to the bare loop."""
    random = np.random.default_rng(0)
    items = (ITEMS * random.uniform(size=300_000) ** 2).astype(np.int64)
    pairs = distinct_pairs(random.integers(0, USERS, 300_000), items, np.zeros(300_000), ITEMS)
    log, catalog = log_of(pairs, USERS, ITEMS), Catalog(ITEMS)
    trained = HeldOut.of_pairs(pairs.user, pairs.item, USERS)
    requests = requests_for(np.arange(BATCH, dtype=np.uint32), trained, ITEMS, PLACES, 0)
    users = random.normal(size=(BATCH, WIDTH)).astype(np.float32)
    factors = random.normal(size=(WIDTH, ITEMS)).astype(np.float32)
    times = []
    for _ in range(3):
        began = time.perf_counter()
        bare(users, factors)
        times.append(time.perf_counter() - began)
    print(f"{'bare':<10} {BATCH / min(times):>10,.0f} users/s")
    for name, parameters in MEASURED.items():
        recommender = create(name, parameters, label=POSITIVE)
        recommender.fit(log, catalog)
        own = []
        for _ in range(3):
            began = time.perf_counter()
            recommender.recommend(requests)
            own.append(time.perf_counter() - began)
        print(f"{name:<10} {BATCH / min(own):>10,.0f} users/s {min(times) / min(own):>6.1f} x")


if __name__ == "__main__":
    if sys.argv[1:2] == ["run"]:
        run_share(horizon=sys.argv[2] if len(sys.argv) > 2 else "12h", names=sys.argv[3:])
    else:
        main()
