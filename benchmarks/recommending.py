"""Users per second of recommenders against a bare score-and-top-k of the same width: top 10 of 10,000 items.

OPENBLAS_NUM_THREADS=1 python -m benchmarks.recommending
"""

from __future__ import annotations

import time

import numpy as np

from recommenders.contract import Catalog
from recommenders.log import distinct_pairs
from recommenders.metrics import HeldOut
from recommenders.offline import POSITIVE, log_of, requests_for
from recommenders.registry import create

USERS, ITEMS, PLACES, BATCH, WIDTH = 20_000, 10_000, 10, 4096, 64
MEASURED: dict[str, dict[str, object]] = {
    "puresvd": {"factors": WIDTH}, "bpr": {"epochs": 1, "factors": WIDTH}, "ials": {"iterations": 1},
    "ease": {}, "itemknn": {}, "userknn": {}, "p3alpha": {},
}  # fmt: skip


def bare(users: np.ndarray, items: np.ndarray) -> None:
    """Scores and top-k in blocks, nothing masked."""
    for first in range(0, len(users), 64):
        scores = users[first : first + 64] @ items
        top = np.argpartition(scores, ITEMS - PLACES, axis=1)[:, ITEMS - PLACES :]
        np.take_along_axis(scores, top, 1).argsort(1)


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
    main()
