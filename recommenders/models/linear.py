"""Linear models of the profile: EASE-R in closed form, SLIM with an elastic net."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from recommenders.contract import Catalog, Range, Reproducibility, Settings, setting
from recommenders.models.hashing import root
from recommenders.models.history import History
from recommenders.models.item_item import ItemItem
from recommenders.models.kernel import kernel, offer
from recommenders.models.profiles import SparseRows, csr, sparse_rows
from recommenders.models.ranker import Batch, Learning, Ranker, refuse_beyond


@dataclass(frozen=True)
class EaseSettings(Settings):
    """Settings of :class:`EASE`."""

    regularization: float = setting(1000.0, "added to the diagonal", low=1e-6, search=Range(1, 1e7, log=True))
    largest: int = setting(20_000, "items beyond which it refuses: it inverts a dense matrix of them", low=1)


class EASE(Ranker):
    """EASE-R (Steck, WWW 2019): with P = (X'X + lambda I)^-1, weights B_ij = -P_ij / P_jj, 0 on the diagonal."""

    name: ClassVar[str] = "ease"
    takes_lists: ClassVar[bool] = True
    Config = EaseSettings
    reads = "positives"
    config: EaseSettings

    def learn(self, data: Learning) -> dict[str, np.ndarray]:
        """Return weights, float32 (n_items, n_items). Time is cubic in the items, memory quadratic (float64)."""
        from scipy.linalg import lapack

        refuse_beyond(data.n_items, self.config.largest, self.name, "a dense matrix")
        gram = (data.matrix.T @ data.matrix).toarray().astype(np.float64, order="F")
        gram[np.diag_indices_from(gram)] += self.config.regularization
        factor, _ = lapack.dpotrf(gram, lower=1, overwrite_a=1)
        inverse, _ = lapack.dpotri(factor, lower=1, overwrite_c=1)
        inverse = np.tril(inverse)
        weights = inverse + np.tril(inverse, -1).T
        weights /= -np.diag(weights).copy()[None, :]
        np.fill_diagonal(weights, 0)
        return {"weights": weights.astype(np.float32)}

    def score(self, batch: Batch) -> np.ndarray:
        """Return the profile times the weights."""
        return np.asarray(batch.profile @ self.learned["weights"])


@dataclass(frozen=True)
class SlimSettings(Settings):
    """Settings of :class:`SLIM`."""

    neighbors: int = setting(100, "items kept per item", low=1, search=Range(5, 1000))
    alpha: float = setting(0.001, "weight of the whole penalty", low=1e-9, search=Range(1e-5, 1, log=True))
    l1_ratio: float = setting(0.1, "share of its absolute part", low=0, high=1, search=Range(1e-5, 1, log=True))
    iterations: int = setting(100, "most rounds per item", low=1)
    tolerance: float = setting(1e-4, "largest change of a weight at which an item is done", low=0)


class _Descent(NamedTuple):
    """Hold the weights of the absolute and of the squared penalty, and say when an item is done."""

    l1: float
    l2: float
    iterations: int
    tolerance: float


@kernel
def _descend(
    gram_rows: SparseRows, diagonal: np.ndarray, how: _Descent, found: np.ndarray, kept: np.ndarray, ties: np.uint64
) -> None:
    """Find each item's weights by coordinate descent over the items that share a user with it.

    All others have weight 0 at the optimum. ``gram_rows`` are those of the Gram matrix X'X. The largest weights go into
    ``kept`` float32 (n_items, k), unordered, and their items into ``found`` int32.
    """
    start, columns, gram = gram_rows.start, gram_rows.columns, gram_rows.values
    l1, l2, iterations, tolerance = how
    explained, weight = np.zeros(start.size - 1), np.zeros(start.size - 1)  # X'X w, and w
    for item in range(start.size - 1):
        first, last = start[item], start[item + 1]
        for _ in range(iterations):
            change = 0.0
            for p in range(first, last):
                other = columns[p]
                if other == item:
                    continue
                old = weight[other]
                rest = gram[p] - explained[other] + diagonal[other] * old
                new = max(0.0, rest - l1) / (diagonal[other] + l2)
                if new != old:
                    weight[other] = new
                    step = new - old
                    change = max(change, abs(step))
                    for q in range(start[other], start[other + 1]):
                        explained[columns[q]] += step * gram[q]
            if change <= tolerance:
                break
        size = np.int64(0)
        for p in range(first, last):
            other = columns[p]
            if weight[other] > 0:
                size = offer(kept[item], found[item], size, np.float32(weight[other]), other, ties)
                for q in range(start[other], start[other + 1]):
                    explained[columns[q]] = 0.0
                weight[other] = 0.0


class SLIM(ItemItem):
    """SLIM (Ning and Karypis, ICDM 2011): each item as a sparse, non-negative sum of others.

    Per item j, min over w >= 0, w_j = 0, of 1/(2U) |X_j - X w|^2 + alpha l1_ratio |w|_1 + alpha (1 - l1_ratio)/2 |w|^2,
    by coordinate descent on the sparse Gram matrix; the ``neighbors`` largest weights stay.
    """

    name: ClassVar[str] = "slim"
    reproducibility: ClassVar[Reproducibility] = "exact"
    Config = SlimSettings
    config: SlimSettings

    def neighbours(self, history: History, catalog: Catalog) -> tuple[np.ndarray, np.ndarray]:
        """Return the items of each item's sum, and their weights."""
        n, users = history.n_items, max(history.n_users, 1)
        positives = csr(history.start, history.items, np.ones(history.items.size), n)
        gram = (positives.T @ positives).tocsr()
        gram.sort_indices()
        k = min(self.config.neighbors, max(n - 1, 1))
        found, kept = np.full((n, k), -1, np.int32), np.zeros((n, k), np.float32)
        penalty = self.config.alpha * users
        penalties = penalty * self.config.l1_ratio, penalty * (1 - self.config.l1_ratio)
        how = _Descent(*penalties, self.config.iterations, self.config.tolerance)
        diagonal, ties = gram.diagonal().astype(np.float64), root(self.seed, self.name)
        _descend(sparse_rows(gram), diagonal, how, found, kept, ties)
        return found, kept
