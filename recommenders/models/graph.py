"""Random walks of three steps, item to user to item: P3alpha and RP3beta.

With P_ui the row-normalised positives and P_iu the row-normalised transpose, both to the power alpha, weights are
P_iu P_ui without the diagonal; RP3beta divides column j by popularity_j ^ beta. The K largest of each row stay,
normalised to sum 1 if so set, then the K largest of each column. Cooper et al. (WWW 2014); Paudel et al. (TiiS 2017).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from recommenders.contract import Catalog, Choice, Range, Reproducibility, Settings, setting
from recommenders.models.hashing import root
from recommenders.models.history import History
from recommenders.models.item_item import ItemItem
from recommenders.models.kernel import kernel, offer
from recommenders.models.profiles import csr

ROWS = 1024
"""Items whose walks are computed together."""


@dataclass(frozen=True)
class WalkSettings(Settings):
    """Settings of :class:`P3alpha`."""

    neighbors: int = setting(100, "items kept per item", low=1, search=Range(5, 1000))
    alpha: float = setting(1.0, "power of each step's probability", low=0, high=2, search=Range(0, 2))
    normalize: bool = setting(True, "whether kept weights of an item sum to 1", search=Choice((True, False)))


@dataclass(frozen=True)
class PopularityWalkSettings(WalkSettings):
    """Settings of :class:`RP3beta`."""

    beta: float = setting(0.6, "how far popular items are pushed down", low=0, high=2, search=Range(0, 2))


@kernel
def keep_best(
    start: np.ndarray,
    columns: np.ndarray,
    values: np.ndarray,
    first_row: np.int64,
    found: np.ndarray,
    kept: np.ndarray,
    ties: np.uint64,
) -> None:
    """Write the largest positive values of each row, off the diagonal, into ``found`` and ``kept``, both (rows, K)."""
    for row in range(start.size - 1):
        size = np.int64(0)
        for p in range(start[row], start[row + 1]):
            if columns[p] != first_row + row and values[p] > 0:
                size = offer(kept[row], found[row], size, values[p], columns[p], ties)
        for k in range(size, found.shape[1]):
            found[row, k] = -1
            kept[row, k] = 0


def best_of_rows(matrix: Any, first_row: int, k: int, ties: np.uint64) -> tuple[np.ndarray, np.ndarray]:
    """Return the k largest positive entries of each row of a CSR matrix, off the diagonal; -1 and 0 for none."""
    found = np.full((matrix.shape[0], k), -1, np.int32)
    kept = np.zeros((matrix.shape[0], k), np.float32)
    columns, values = matrix.indices.astype(np.int32), matrix.data.astype(np.float32)
    keep_best(matrix.indptr.astype(np.int64), columns, values, np.int64(first_row), found, kept, ties)
    return found, kept


class P3alpha(ItemItem):
    """Items that a walk from the user's items to other users and on to theirs is likely to reach."""

    name: ClassVar[str] = "p3alpha"
    reproducibility: ClassVar[Reproducibility] = "same machine"  # powers are computed by the machine's library
    Config: ClassVar[type[Settings]] = WalkSettings
    config: WalkSettings

    def penalty(self, popularity: np.ndarray) -> np.ndarray:
        """Return the factor of each item's weights, float64 (n_items,)."""
        return np.ones(popularity.size)

    def neighbours(self, history: History, catalog: Catalog) -> tuple[np.ndarray, np.ndarray]:
        """Return the items from which a walk reaches each item, and how easily it does."""
        n, ties = history.n_items, root(self.seed, self.name)
        k = min(self.config.neighbors, max(n - 1, 1))
        positives = csr(history.start, history.items, np.ones(history.items.size), n)
        to_items, to_users = _steps(positives, self.config.alpha), _steps(positives.T.tocsr(), self.config.alpha)
        popularity = np.bincount(history.items, minlength=n)
        to_items = to_items.multiply(self.penalty(popularity)[None, :]).tocsr()
        found, kept = np.full((n, k), -1, np.int32), np.zeros((n, k), np.float32)
        for first in range(0, n, ROWS):
            block = (to_users[first : first + ROWS] @ to_items).tocsr()
            found[first : first + ROWS], kept[first : first + ROWS] = best_of_rows(block, first, k, ties)
        if self.config.normalize:
            kept /= np.maximum(kept.sum(axis=1, keepdims=True), np.float32(1e-30))
        rows, columns = np.repeat(np.arange(n), k), found.reshape(-1)
        there = columns >= 0
        start = np.concatenate(([0], np.cumsum(np.bincount(rows[there], minlength=n))))
        return best_of_rows(csr(start, columns[there], kept.reshape(-1)[there], n).T.tocsr(), 0, k, ties)


class RP3beta(P3alpha):
    """P3alpha with popular items pushed down."""

    name: ClassVar[str] = "rp3beta"
    Config: ClassVar[type[Settings]] = PopularityWalkSettings
    config: PopularityWalkSettings

    def penalty(self, popularity: np.ndarray) -> np.ndarray:
        """Return popularity to the power -beta."""
        return np.asarray(np.maximum(popularity, 1).astype(np.float64) ** -self.config.beta)


def _steps(matrix: Any, alpha: float) -> Any:
    """Return each row's entries over their sum, to the power alpha."""
    sums = np.asarray(matrix.sum(axis=1)).reshape(-1)
    steps = matrix.copy()
    steps.data = (steps.data / np.repeat(sums, np.diff(steps.indptr))) ** alpha
    return steps
