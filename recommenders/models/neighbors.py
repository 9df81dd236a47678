"""Nearest neighbours: items that are liked together (ItemKNN), and people who like the same (UserKNN).

Similarity of rows i and j of a matrix A (items by users, or users by items), with d = <A_i, A_j>, lengths |.|, counts n
and shrinkage h: cosine d / (|A_i| |A_j| + h + 1e-6); asymmetric, |A_i|^2a |A_j|^2(1-a) in place of the lengths'
product; jaccard d / (n_i + n_j - d + h); dice d / (n_i + n_j + h); tversky d / (d + a (n_i - d) + b (n_j - d) + h), the
last three on binary A; dot d / (h or 1). Sarwar et al. (WWW 2001); shrinkage: Bell and Koren (ICDM 2007); variants: the
classics of RecZilla. Rows may first be weighted as documents: TF-IDF, or BM25 with K1 1.2 and b 0.75.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, NamedTuple

import numpy as np

from recommenders.contract import Catalog, Choice, Range, Reproducibility, Settings, setting
from recommenders.models.hashing import root
from recommenders.models.history import History
from recommenders.models.item_item import LEAST_SIMILARITY, ItemItem, transpose
from recommenders.models.kernel import kernel, offer
from recommenders.models.profiles import SparseRows, csr
from recommenders.models.ranker import Batch, Learning, Ranker

Similarity = Literal["cosine", "asymmetric", "jaccard", "dice", "tversky", "dot"]
Weighting = Literal["none", "tf-idf", "bm25"]


@dataclass(frozen=True)
class NeighborSettings(Settings):
    """Settings of nearest neighbours."""

    neighbors: int = setting(100, "neighbours kept", low=1, search=Range(5, 1000))
    shrink: float = setting(
        100.0, "added to the denominator; damps similarities that rest on little", low=0, search=Range(0, 1000)
    )
    similarity: Similarity = setting(
        "cosine",
        "how alike two rows are",
        search=Choice(("cosine", "asymmetric", "jaccard", "dice", "tversky", "dot")),
    )
    alpha: float = setting(0.5, "a of asymmetric and tversky", low=0, high=2, search=Range(0, 2))
    beta: float = setting(0.5, "b of tversky", low=0, high=2, search=Range(0, 2))
    weighting: Weighting = setting(
        "none",
        "of the matrix before, for cosine, asymmetric and dot; none for the others",
        search=Choice(("none", "tf-idf", "bm25")),
    )

    @property
    def binary(self) -> bool:
        """Tell whether the similarity counts, so that nothing is weighted."""
        return self.similarity in ("jaccard", "dice", "tversky")


class Denominator(NamedTuple):
    """Hold what the product d of two rows is divided by, for the similarity of row ``other`` to row ``row``.

    It is left[other] right[row] + f0 count[other] + f1 count[row] + f2 d + f3 or, if f4 is not 0, f4: ``form`` are
    f0 ... f4, ``left`` and ``right`` float64 (rows,).
    """

    left: np.ndarray
    right: np.ndarray
    form: np.ndarray


@kernel
def nearest(
    rows: SparseRows,
    turned: SparseRows,
    denominator: Denominator,
    ties: np.uint64,
    found: np.ndarray,
    similarity: np.ndarray,
) -> None:
    """Fill ``found`` int32 and ``similarity`` float32, both (rows, neighbors), with each row's nearest, unordered.

    One row at a time: add up what it shares with every other row, by the transpose ``turned``; keep the best. Memory is
    O(rows) beside the result; time is the sum over columns of their squared number of entries.
    """
    start, columns, values = rows.start, rows.columns, rows.values
    turned_start, turned_rows, turned_values = turned.start, turned.columns, turned.values
    left, right, form = denominator.left, denominator.right, denominator.form
    f0, f1, f2, f3, f4 = form[0], form[1], form[2], form[3], form[4]
    n, neighbors = start.size - 1, found.shape[1]
    shared, stamp, touched = np.zeros(n), np.full(n, -1, np.int32), np.empty(n, np.int32)
    best, score = np.empty(neighbors, np.int32), np.empty(neighbors, np.float32)
    for row in range(n):
        n_touched = 0
        for p in range(start[row], start[row + 1]):
            column = columns[p]
            value = values[p]
            for q in range(turned_start[column], turned_start[column + 1]):
                other = turned_rows[q]
                if stamp[other] != row:
                    stamp[other] = row
                    shared[other] = 0.0
                    touched[n_touched] = other
                    n_touched += 1
                shared[other] += value * turned_values[q]
        own = start[row + 1] - start[row]
        size = np.int64(0)
        for t in range(n_touched):
            other = touched[t]
            d = shared[other]
            counts = f0 * (start[other + 1] - start[other]) + f1 * own
            under = f4 if f4 != 0 else left[other] * right[row] + counts + f2 * d + f3
            alike = np.float32(d / under)
            if other != row and alike >= LEAST_SIMILARITY:
                size = offer(score, best, size, alike, other, ties)
        for k in range(size):
            found[row, k] = best[k]
            similarity[row, k] = score[k]


@dataclass(frozen=True)
class Rows:
    """A sparse matrix by compressed rows: int64 (n + 1,), int32 and float64 per entry, and its number of columns."""

    start: np.ndarray
    columns: np.ndarray
    values: np.ndarray
    n_columns: int

    @property
    def sparse(self) -> SparseRows:
        """Return the matrix as kernels take it."""
        return SparseRows(self.start, self.columns, self.values.astype(np.float64))

    @property
    def turned(self) -> Rows:
        """Return the transpose."""
        start, rows, values = transpose(self.start, self.columns, self.values, self.n_columns)
        return Rows(start, rows, values, self.start.size - 1)

    def weighted(self, weighting: Weighting) -> Rows:
        """Weight rows as documents and columns as words; counts are 1 here, so that TF is 1 too."""
        n_rows = self.start.size - 1
        if weighting == "none" or not n_rows:
            return self
        frequency = np.bincount(self.columns, minlength=self.n_columns)
        rarity = np.maximum(np.log(n_rows / (1.0 + frequency)), 0.0)[self.columns]
        if weighting == "tf-idf":
            return Rows(self.start, self.columns, rarity, self.n_columns)
        length = np.diff(self.start)
        norm = 0.25 + 0.75 * length / max(length.mean(), 1e-12)
        values = rarity * (2.2 / (1.2 * np.repeat(norm, length) + 1.0))
        return Rows(self.start, self.columns, values, self.n_columns)

    def nearest(self, settings: NeighborSettings, ties: np.uint64) -> tuple[np.ndarray, np.ndarray]:
        """Return each row's most similar others: int32 and float32 (rows, K), -1 and 0 where there are fewer."""
        n, h, a, b = self.start.size - 1, settings.shrink, settings.alpha, settings.beta
        squares = np.zeros(n)
        np.add.at(squares, np.repeat(np.arange(n), np.diff(self.start)), self.values**2)
        length = np.sqrt(squares)
        left, right = length, length
        if settings.similarity == "asymmetric":
            left, right = np.maximum(length, 1e-12) ** (2 * a), np.maximum(length, 1e-12) ** (2 * (1 - a))
        elif settings.similarity != "cosine":
            left = right = np.zeros(n)
        form = {
            "jaccard": [1.0, 1.0, -1.0, h, 0.0],
            "dice": [1.0, 1.0, 0.0, h, 0.0],
            "tversky": [a, b, 1.0 - a - b, h, 0.0],
            "dot": [0.0, 0.0, 0.0, 0.0, h or 1.0],
        }.get(settings.similarity, [0.0, 0.0, 0.0, h + 1e-6, 0.0])
        neighbors = min(settings.neighbors, max(n - 1, 1))
        found = np.full((n, neighbors), -1, np.int32)
        similarity = np.zeros((n, neighbors), np.float32)
        denominator = Denominator(left, right, np.array(form))
        nearest(self.sparse, self.turned.sparse, denominator, ties, found, similarity)
        return found, similarity


class ItemKNN(ItemItem):
    """Item-based nearest neighbours on the users' positives and on the visit's own items."""

    name: ClassVar[str] = "itemknn"
    reproducibility: ClassVar[Reproducibility] = "exact"
    Config = NeighborSettings
    config: NeighborSettings

    def neighbours(self, history: History, catalog: Catalog) -> tuple[np.ndarray, np.ndarray]:
        """Find each item's most similar others. With a weighting, an item weighs in a profile as in its row."""
        weighting = "none" if self.config.binary else self.config.weighting
        plain = Rows(history.start, history.items, np.ones(history.items.size, np.float32), history.n_items).turned
        found, similarity = plain.weighted(weighting).nearest(self.config, root(self.seed, self.name))
        if weighting == "bm25":  # the part of a value that is the item's; the user's part ranks nothing
            popularity = np.diff(plain.start)
            norm = 0.25 + 0.75 * popularity / max(popularity.mean(), 1e-12)
            similarity = similarity * (2.2 / (1.2 * norm + 1.0)).astype(np.float32)[found]
        return found, similarity


class UserKNN(Ranker):
    """User-based nearest neighbours: the sum of what the most similar users had, weighted by their similarity.

    Neighbours are found at fit, so a visit's own items change nothing.
    """

    name: ClassVar[str] = "userknn"
    takes_lists: ClassVar[bool] = True
    reproducibility: ClassVar[Reproducibility] = "exact"
    needs = "user"
    Config = NeighborSettings
    reads = "positives"
    config: NeighborSettings

    def learn(self, data: Learning) -> dict[str, np.ndarray]:
        """Return each user's nearest users and their similarity, and the weight of each positive."""
        weighting = "none" if self.config.binary else self.config.weighting
        history = data.history
        plain = Rows(history.start, history.items, np.ones(history.items.size, np.float32), history.n_items)
        rows = plain.weighted(weighting)
        found, similarity = rows.nearest(self.config, root(self.seed, self.name))
        return {"found": found, "similarity": similarity, "values": rows.values.astype(np.float32)}

    def prepare(self) -> None:
        """Keep the weighted positives as a matrix."""
        history = self.history
        self._had = csr(history.start, history.items, self.learned["values"], history.n_items)

    def score(self, batch: Batch) -> np.ndarray:
        """Add up the neighbours' positives, weighted; no score where no neighbour has an item."""
        if not self.learned["found"].size:
            return np.full((len(batch.requests), self.history.n_items), np.nan, np.float32)
        near = self.learned["found"][batch.users]
        there = near >= 0
        start = np.concatenate(([0], np.cumsum(there.sum(axis=1))))
        weights = csr(start, near[there], self.learned["similarity"][batch.users][there], self.history.n_users)
        scores = (weights @ self._had).toarray()
        scores[scores == 0] = np.nan
        return np.asarray(scores)
