"""Accuracy and time against other libraries on one data set: same hyper-parameters, one thread, one run.

    OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 RAYON_NUM_THREADS=1 LK_NUM_THREADS=1 \
        python -m benchmarks.libraries DATA_FOLDER SPLIT [NAMES by comma]

Needs the extras implicit, lenskit and cornac, and scikit-learn. Times are of training and of the top 20 of the whole
catalog for all test users, asked of each library in its own way for many users. Where no library has a model, the bar
is the same formula in products of scipy's sparse matrices.
"""

from __future__ import annotations

import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from recommenders.evaluation import metrics
from recommenders.evaluation.dataset import Dataset, read_dataset
from recommenders.evaluation.offline import Split
from recommenders.evaluation.protocol import evaluate
from recommenders.evaluation.splits import SPLITS

PLACES = 20
FEW = 256


@dataclass(frozen=True)
class Task:
    """What is asked: a matrix of ones, and the users whose top 20 is wanted."""

    matrix: Any
    users: np.ndarray

    @property
    def had(self) -> Any:
        """What these users have had."""
        return self.matrix[self.users]


Answer = Callable[[Task], np.ndarray]


def best(scores: np.ndarray, had: Any) -> np.ndarray:
    """The 20 best of scores (n, items) that were not had, best first."""
    rows, columns = had.nonzero()
    scores[rows, columns] = -np.inf
    found = np.argpartition(-scores, PLACES - 1, axis=1)[:, :PLACES]
    order = np.argsort(-np.take_along_axis(scores, found, axis=1), axis=1)
    return np.asarray(np.take_along_axis(found, order, axis=1))


def by_product(task: Task, profile: Any, weights: Any) -> np.ndarray:
    """The best by profile @ weights, some users at a time; either may be sparse."""
    found = []
    for first in range(0, task.users.size, FEW):
        part = slice(first, first + FEW)
        scores = profile[part] @ weights
        scores = np.asarray(scores.todense() if sparse.issparse(scores) else scores, dtype=np.float64)
        found.append(best(scores, task.had[part]))
    return np.concatenate(found)


# ---- the libraries, each in its own way


def implicit(make: Callable[[], Any], weight: float = 1.0) -> Answer:
    """A model of implicit."""

    def answer(task: Task) -> np.ndarray:
        model = make()
        model.fit(task.matrix * np.float32(weight), show_progress=False)
        ranked, _ = model.recommend(task.users, task.had, N=PLACES, filter_already_liked_items=True)
        return np.asarray(ranked)

    return answer


def lenskit(make: Callable[[], Any]) -> Answer:
    """A scorer of LensKit, through its own batch of a top-n pipeline."""

    def answer(task: Task) -> np.ndarray:
        import pandas as pd
        from lenskit.batch import recommend
        from lenskit.data import from_interactions_df
        from lenskit.pipeline import topn_pipeline

        pairs = task.matrix.tocoo()
        frame = pd.DataFrame({"user_id": pairs.row.astype(np.int64), "item_id": pairs.col.astype(np.int64)})
        data = from_interactions_df(frame, items=np.arange(task.matrix.shape[1]))
        pipeline = topn_pipeline(make(), n=PLACES)
        pipeline.train(data)
        lists = recommend(pipeline, task.users.tolist(), PLACES, n_jobs=1)
        found = np.full((task.users.size, PLACES), -1)
        row_of = {int(user): row for row, user in enumerate(task.users)}
        for key, items in lists.items():
            ids = np.asarray(items.ids())
            found[row_of[int(key.user_id)], : ids.size] = ids
        return found

    return answer


def cornac(make: Callable[[], Any]) -> Answer:
    """A model of Cornac, user by user."""

    def answer(task: Task) -> np.ndarray:
        from cornac.data import Dataset as Pairs

        pairs = task.matrix.tocoo()
        names = ({number: number for number in range(n)} for n in task.matrix.shape)
        triples = (pairs.row.astype(np.int64), pairs.col.astype(np.int64), pairs.data.astype(np.float64))
        model = make()
        model.fit(Pairs(*task.matrix.shape, *names, triples, seed=1))
        found = []
        for first in range(0, task.users.size, FEW):
            users = task.users[first : first + FEW]
            scores = np.stack([np.asarray(model.score(int(user)), dtype=np.float64).reshape(-1) for user in users])
            found.append(best(scores, task.had[first : first + FEW]))
        return np.concatenate(found)

    return answer


def truncated_svd(factors: int) -> Answer:
    """scikit-learn's, which PureSVD is; the same power iterations."""

    def answer(task: Task) -> np.ndarray:
        from sklearn.decomposition import TruncatedSVD

        model = TruncatedSVD(factors, algorithm="randomized", random_state=1).fit(task.matrix)
        right = model.components_
        return by_product(task, task.had @ right.T, right)

    return answer


def nmf(factors: int, iterations: int) -> Answer:
    """scikit-learn's."""

    def answer(task: Task) -> np.ndarray:
        from sklearn.decomposition import NMF

        model = NMF(factors, max_iter=iterations, init="random", random_state=1, tol=0.0)
        return by_product(task, model.fit_transform(task.matrix)[task.users], model.components_)

    return answer


def walks(alpha: float, beta: float, neighbors: int) -> Answer:
    """P3alpha and RP3beta (Cooper et al., WWW 2014; Paudel et al., TiiS 2017) in products of sparse matrices."""

    def answer(task: Task) -> np.ndarray:
        m = task.matrix.astype(np.float64)
        down = sparse.diags(np.maximum(np.asarray(m.sum(axis=1)).ravel(), 1.0) ** -1.0) @ m
        degree = np.asarray(m.sum(axis=0)).ravel()
        up = (sparse.diags(np.maximum(degree, 1.0) ** -1.0) @ m.T).tocsr()
        down.data **= alpha
        up.data **= alpha
        weights = (up @ down @ sparse.diags(np.maximum(degree, 1.0) ** -beta)).tolil()
        weights.setdiag(0)
        weights = _best_of_rows(weights.tocsr(), neighbors)
        weights = _best_of_rows(weights.T.tocsr(), neighbors).T.tocsr()
        return by_product(task, task.had, weights)

    return answer


def _best_of_rows(matrix: Any, k: int) -> Any:
    for row in range(matrix.shape[0]):
        values = matrix.data[matrix.indptr[row] : matrix.indptr[row + 1]]
        if values.size > k:
            values[np.argpartition(-values, k - 1)[k:]] = 0.0
    matrix.eliminate_zeros()
    return matrix


def pairs_of(data: Dataset) -> dict[str, tuple[dict[str, object], dict[str, Answer]]]:
    """Of each of our models: its parameters, and the same model elsewhere."""
    from cornac import models
    from implicit.als import AlternatingLeastSquares
    from implicit.bpr import BayesianPersonalizedRanking
    from implicit.nearest_neighbours import CosineRecommender
    from lenskit.als import ImplicitMFScorer
    from lenskit.knn import EASEScorer, ItemKNNScorer, UserKNNScorer

    one = {"num_threads": 1}
    als = {"factors": 64, "regularization": 1.0, "iterations": 15, "random_state": 1, "use_gpu": False, **one}
    bpr = {"factors": 64, "learning_rate": 0.05, "regularization": 0.05, "iterations": 100, "random_state": 1, **one}
    told = {"feedback": "implicit"}
    return {
        "itemknn": (
            {"neighbors": 100, "shrink": 0},
            {
                "implicit": implicit(lambda: CosineRecommender(K=101, **one)),
                "lenskit": lenskit(lambda: ItemKNNScorer(max_nbrs=100, save_nbrs=100, **told)),
            },
        ),
        "userknn": (
            # There, neighbours are the nearest of those who had an item, here of all: without a limit, the same.
            {"neighbors": data.n_users, "shrink": 0},
            {"lenskit": lenskit(lambda: UserKNNScorer(max_nbrs=data.n_users, **told))},
        ),
        "ials": (
            {},
            {  # a confidence is alpha times the value in implicit: 11 here is 1 + alpha
                "implicit": implicit(lambda: AlternatingLeastSquares(alpha=1.0, **als), 11.0),
                "lenskit": lenskit(
                    lambda: ImplicitMFScorer(
                        embedding_size=64, epochs=15, regularization=1.0, weight=10.0, user_embeddings=True
                    )
                ),
            },
        ),
        "bpr": (
            {"optimizer": "sgd"},
            {
                "implicit": implicit(lambda: BayesianPersonalizedRanking(use_gpu=False, **bpr)),
                "cornac": cornac(
                    lambda: models.BPR(
                        k=64, max_iter=100, learning_rate=0.05, lambda_reg=0.05, use_bias=False, seed=1, **one
                    )
                ),
            },
        ),
        "ease": (
            {"regularization": 1000.0},
            {
                "cornac": cornac(lambda: models.EASE(lamb=1000, posB=False, verbose=False)),
                "lenskit": lenskit(lambda: EASEScorer(regularization=1000)),
            },
        ),
        "puresvd": ({"factors": 64}, {"sklearn": truncated_svd(64)}),
        "nmf": ({"factors": 64, "iterations": 50}, {"sklearn": nmf(64, 50)}),
        "p3alpha": ({"alpha": 1.0, "neighbors": 100, "normalize": False}, {"scipy": walks(1.0, 0.0, 100)}),
        "rp3beta": ({"alpha": 1.0, "beta": 0.6, "neighbors": 100, "normalize": False}, {"scipy": walks(1.0, 0.6, 100)}),
    }


def judged(answer: Answer, data: Dataset, split: Split) -> tuple[float, float, float]:
    """Recall@20, NDCG@20 and seconds of a library."""
    train, test = split.train, split.test
    shape = (data.n_users, data.catalog.n_items)
    matrix = sparse.csr_matrix((np.ones(len(train), np.float32), (train.user, train.item)), shape)
    trained = metrics.HeldOut.of_pairs(train.user, train.item, data.n_users)
    wanted = metrics.HeldOut.of_pairs(test.user, test.item, data.n_users)
    users = np.flatnonzero((trained.sizes > 0) & (wanted.sizes > 0))
    began = time.perf_counter()
    ranked = answer(Task(matrix, users)).astype(np.int32)
    seconds = time.perf_counter() - began
    row_of = np.full(data.n_users, -1, np.int64)
    row_of[users] = np.arange(users.size)
    known = row_of[test.user] >= 0
    held = metrics.HeldOut.of_pairs(row_of[test.user[known]], test.item[known], users.size)
    return (
        float(metrics.recall(ranked, held, PLACES).mean()),
        float(metrics.ndcg(ranked, held, PLACES).mean()),
        seconds,
    )


def main(folder: str, split_name: str, names: str = "") -> None:
    """Print a line per model and library."""
    warnings.simplefilter("ignore")
    data = read_dataset(folder)
    split = SPLITS[split_name](data, 0)
    for name, (parameters, others) in pairs_of(data).items():
        if names and name not in names.split(","):
            continue
        evaluate(data, split, name, parameters, cutoffs=(PLACES,))  # kernels compile in a run that does not count
        found = evaluate(data, split, name, parameters, cutoffs=(PLACES,))
        own = found.fit_seconds + found.test.seconds
        means, (low, high) = found.test.means, found.test.intervals["recall@20"]
        print(
            f"{name:<8} here      {means['recall@20']:.4f} [{low:.4f}, {high:.4f}] {means['ndcg@20']:.4f} {own:7.1f} s"
        )
        for library, answer in others.items():
            recall, ndcg, seconds = judged(answer, data, split)
            print(
                f"{name:<8} {library:<9} {recall:.4f} {'':<16} {ndcg:.4f} {seconds:7.1f} s   here / there "
                f"{own / seconds:.2f}",
                flush=True,
            )


if __name__ == "__main__":
    main(*sys.argv[1:])
