"""Metrics of ranked lists: against held-out items per user, and as a set of lists.

Those per user take ``ranked``, int32 (n, at least k), best first, padded with -1, and ``held_out``, the relevant items
of the same n users as compressed rows: those of row r are ``items[start[r]:start[r + 1]]``. All return float64 (n,),
NaN where a user has nothing held out. Coverage, novelty and Gini are of all lists together.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recommenders.contract.errors import RecommenderError
from recommenders.inequality import gini


@dataclass(frozen=True)
class HeldOut:
    """Relevant items by row: int64 ``start`` (n + 1,) and int32 ``items``, distinct and rising within a row."""

    start: np.ndarray
    items: np.ndarray

    @classmethod
    def of_pairs(cls, row: np.ndarray, item: np.ndarray, n_rows: int) -> HeldOut:
        """Build from (row, item) pairs in any order.

        >>> HeldOut.of_pairs(np.array([1, 0]), np.array([4, 2]), 2).start.tolist()
        [0, 1, 2]
        """
        pairs = np.unique(np.stack((row.astype(np.int64), item.astype(np.int64))), axis=1)
        start = np.zeros(n_rows + 1, np.int64)
        np.cumsum(np.bincount(pairs[0], minlength=n_rows), out=start[1:])
        return cls(start, pairs[1].astype(np.int32))

    def hits(self, ranked: np.ndarray, k: int) -> np.ndarray:
        """Tell whether each of the first k ranked items is relevant: bool (n, k)."""
        if k < 1 or ranked.shape[1] < k:
            raise RecommenderError(
                "metrics", f"k = {k} for lists of {ranked.shape[1]}", "expected 1 <= k <= list length"
            )
        n = self.start.size - 1
        width = np.int64(max(int(self.items.max(initial=0)), int(ranked.max(initial=0))) + 1)
        owner = np.repeat(np.arange(n, dtype=np.int64), np.diff(self.start))
        relevant = owner * width + self.items
        top = ranked[:, :k].astype(np.int64)
        asked = np.where(top >= 0, np.arange(n, dtype=np.int64)[:, None] * width + top, -1)
        place = np.searchsorted(relevant, asked)
        found = np.zeros(asked.shape, dtype=bool)
        inside = place < relevant.size
        found[inside] = relevant[place[inside]] == asked[inside]
        return found

    @property
    def sizes(self) -> np.ndarray:
        """Return the number of relevant items per row, int64 (n,)."""
        return np.diff(self.start)


def recall(ranked: np.ndarray, held_out: HeldOut, k: int) -> np.ndarray:
    """Return the hits among the first k, over the number of relevant items.

    >>> truth = HeldOut.of_pairs(np.array([0, 0]), np.array([3, 5]), 1)
    >>> recall(np.array([[5, 1, 3]], np.int32), truth, 2).tolist()
    [0.5]
    """
    return _over(np.asarray(held_out.hits(ranked, k).sum(axis=1)), held_out.sizes)


def ndcg(ranked: np.ndarray, held_out: HeldOut, k: int) -> np.ndarray:
    """Return the sum of 1/log2(rank + 1) over hits among the first k, over that of the ideal list.

    Binary gains, rank from 1 (Jarvelin and Kekalainen, 2002).
    """
    gains = 1 / np.log2(np.arange(2, k + 2))
    of_ideal_lists: np.ndarray = np.concatenate(([0.0], np.cumsum(gains)))
    ideal = of_ideal_lists[np.minimum(held_out.sizes, k)]
    # A row-wise sum rather than a matrix product: the order of summation is then the same for every batch.
    gained = (held_out.hits(ranked, k) * gains).sum(axis=1)
    return _over(np.asarray(gained), ideal)


def hit_rate(ranked: np.ndarray, held_out: HeldOut, k: int) -> np.ndarray:
    """Return 1 if any of the first k is relevant, else 0."""
    return _over(np.asarray(held_out.hits(ranked, k).any(axis=1)), np.minimum(held_out.sizes, 1))


def mrr(ranked: np.ndarray, held_out: HeldOut, k: int) -> np.ndarray:
    """Return 1 / rank of the first hit among the first k, 0 without a hit."""
    hits = held_out.hits(ranked, k)
    first = np.where(hits.any(axis=1), 1.0 / (hits.argmax(axis=1) + 1.0), 0.0)
    return np.where(held_out.sizes > 0, first, np.nan)


def average_precision(ranked: np.ndarray, held_out: HeldOut, k: int) -> np.ndarray:
    """Return the precision at each hit among the first k, summed, over min(k, relevant); its mean over users is MAP."""
    hits = held_out.hits(ranked, k)
    precision = np.cumsum(hits, axis=1) / np.arange(1, k + 1)
    return _over(np.asarray((precision * hits).sum(axis=1)), np.minimum(held_out.sizes, k))


PER_USER = {"recall": recall, "ndcg": ndcg, "hit_rate": hit_rate, "mrr": mrr, "map": average_precision}
"""Measures per user, by name."""


def coverage(ranked: np.ndarray, k: int, n_items: int) -> float:
    """Return the share of the catalog that is in the first k of any list.

    >>> coverage(np.array([[0, 1], [0, 2]]), 1, 4)
    0.25
    """
    top = ranked[:, :k]
    return float(np.unique(top[top >= 0]).size / n_items) if n_items else float("nan")


def novelty(ranked: np.ndarray, k: int, popularity: np.ndarray, n_users: int) -> float:
    """Return the mean over recommended places of -log2(share of the training users who have the item), in bits.

    Items that nobody has count as if one user had them (Vargas and Castells, RecSys 2011).
    """
    top = ranked[:, :k]
    had = np.maximum(popularity[top[top >= 0]], 1) / max(n_users, 1)
    return float(-np.log2(had).mean()) if had.size else float("nan")


def concentration(ranked: np.ndarray, k: int, n_items: int) -> float:
    """Return the Gini coefficient of how often each item is recommended: 0 all equally often, towards 1 few have all.

    >>> concentration(np.array([[0], [1]]), 1, 2), concentration(np.array([[0], [0]]), 1, 2)
    (0.0, 0.5)
    """
    top = ranked[:, :k]
    return gini(np.bincount(top[top >= 0], minlength=n_items))


def _over(gained: np.ndarray, possible: np.ndarray) -> np.ndarray:
    return np.asarray(np.divide(gained, possible, out=np.full(gained.shape, np.nan), where=possible > 0))
