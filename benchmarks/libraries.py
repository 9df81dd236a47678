"""Accuracy and time against `implicit` on one data set, same hyper-parameters, one thread, one run.

    OPENBLAS_NUM_THREADS=1 python -m benchmarks.libraries DATA_FOLDER SPLIT

Needs `pip install implicit`. Times are of training and of top 20 of the whole catalog for all test users.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix

from recommenders import metrics
from recommenders.dataset import Dataset, read_dataset
from recommenders.offline import Split
from recommenders.protocol import evaluate
from recommenders.splits import SPLITS

PLACES = 20


def theirs(make: Callable[[], Any], data: Dataset, split: Split, weight: float = 1.0) -> tuple[float, float, float]:
    """Recall@20, NDCG@20 and seconds of one of implicit's models."""
    train, test = split.train, split.test
    shape = (data.n_users, data.catalog.n_items)
    matrix = csr_matrix((np.full(len(train), weight, np.float32), (train.user, train.item)), shape)
    trained = metrics.HeldOut.of_pairs(train.user, train.item, data.n_users)
    wanted = metrics.HeldOut.of_pairs(test.user, test.item, data.n_users)
    users = np.flatnonzero((trained.sizes > 0) & (wanted.sizes > 0))
    began = time.perf_counter()
    model = make()
    model.fit(matrix, show_progress=False)
    ranked, _ = model.recommend(users, matrix[users], N=PLACES, filter_already_liked_items=True)
    seconds = time.perf_counter() - began
    row_of = np.full(data.n_users, -1, np.int64)
    row_of[users] = np.arange(users.size)
    known = row_of[test.user] >= 0
    held = metrics.HeldOut.of_pairs(row_of[test.user[known]], test.item[known], users.size)
    ranked = ranked.astype(np.int32)
    return (
        float(metrics.recall(ranked, held, PLACES).mean()),
        float(metrics.ndcg(ranked, held, PLACES).mean()),
        seconds,
    )


def main(folder: str, split_name: str) -> None:
    """Print one line per model."""
    from implicit.als import AlternatingLeastSquares
    from implicit.bpr import BayesianPersonalizedRanking
    from implicit.nearest_neighbours import CosineRecommender

    data = read_dataset(folder)
    split = SPLITS[split_name](data, 0)
    one = {"num_threads": 1}
    als = {"factors": 64, "regularization": 1.0, "iterations": 15, "random_state": 1, "use_gpu": False, **one}
    bpr = {"factors": 64, "learning_rate": 0.05, "regularization": 0.05, "iterations": 100, "random_state": 1, **one}
    pairs: dict[str, tuple[dict[str, object], Callable[[], Any], float]] = {
        # There a confidence is alpha times the value: 11 here is 1 + alpha.
        "ials": ({}, lambda: AlternatingLeastSquares(alpha=1.0, **als), 11.0),
        "bpr": ({"optimizer": "sgd"}, lambda: BayesianPersonalizedRanking(use_gpu=False, **bpr), 1.0),
        "itemknn": ({"neighbors": 100, "shrink": 0}, lambda: CosineRecommender(K=101, **one), 1.0),
    }
    for name, (parameters, make, weight) in pairs.items():
        recall, ndcg, seconds = theirs(make, data, split, weight)
        began = time.perf_counter()
        found = evaluate(data, split, name, parameters, cutoffs=(PLACES,))
        own = found.fit_seconds + found.test.seconds
        means, (low, high) = found.test.means, found.test.intervals["recall@20"]
        print(
            f"{name:<8} implicit {recall:.4f} {ndcg:.4f} {seconds:6.1f} s   ours {means['recall@20']:.4f} "
            f"[{low:.4f}, {high:.4f}] {means['ndcg@20']:.4f} {own:6.1f} s   ratio of times {own / seconds:.2f} "
            f"(all {time.perf_counter() - began:.0f} s)",
            flush=True,
        )


if __name__ == "__main__":
    main(*sys.argv[1:])
