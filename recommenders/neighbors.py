"""Item-based nearest neighbours: users get what is liked together with what they liked.

Similarity of items i and j over the binary matrix of positives X: ``<X_i, X_j> / (|X_i| |X_j| + shrink + 1e-6)``
(shrunk cosine). Each item keeps its ``neighbors`` most similar others; the score of item j for a profile is the sum,
over the profile's items i that are among j's neighbours, of the profile's weight of i times the similarity. This is the
classic of Sarwar et al. (WWW 2001) with a shrinkage as in Bell and Koren (ICDM 2007).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from recommenders.contract import (
    NO_ITEM,
    Catalog,
    Label,
    PlatformLog,
    Recommender,
    RecommenderError,
    Reproducibility,
    Requests,
    Slates,
)
from recommenders.hashing import root
from recommenders.history import History, fill_by_popularity, fitted, mark, span, unmark
from recommenders.kernel import kernel, offer, sort_best_first

# Below these a similarity or a weight counts as none: sums of products then never vanish in float32, which the
# kernels rely on to tell items that have a score from those that have none.
LEAST_SIMILARITY = np.float32(1e-20)
LEAST_WEIGHT = np.float32(1e-6)


def transpose(
    start: np.ndarray, columns: np.ndarray, values: np.ndarray, n_columns: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Compressed rows turned into compressed columns.

    Args:
        start: int64 (rows + 1,).
        columns: int32, of each entry; -1 for padding, which is dropped.
        values: float32, of each entry.
        n_columns: columns there are.

    Returns:
        start int64 (n_columns + 1,), and rows int32 and values float32 of each entry, rows rising within a column.

    >>> start, rows, values = transpose(np.array([0, 2, 3]), np.array([0, 1, 1], np.int32), np.ones(3, np.float32), 2)
    >>> start.tolist(), rows.tolist()
    ([0, 1, 3], [0, 0, 1])
    """
    turned_start = np.zeros(n_columns + 1, np.int64)
    np.cumsum(np.bincount(columns[columns >= 0], minlength=n_columns), out=turned_start[1:])
    rows = np.empty(turned_start[-1], np.int32)
    turned = np.empty(turned_start[-1], np.float32)
    _scatter(start, columns, values, turned_start.copy(), rows, turned)
    return turned_start, rows, turned


@kernel
def _scatter(
    start: np.ndarray, columns: np.ndarray, values: np.ndarray, free: np.ndarray, rows: np.ndarray, turned: np.ndarray
) -> None:
    """Put each entry at the next free place of its column."""
    for r in range(start.size - 1):
        for p in range(start[r], start[r + 1]):
            c = columns[p]
            if c >= 0:
                rows[free[c]] = r
                turned[free[c]] = values[p]
                free[c] += 1


@kernel
def nearest(
    start: np.ndarray,
    items: np.ndarray,
    item_start: np.ndarray,
    item_users: np.ndarray,
    norm: np.ndarray,
    shrink: float,
    ties: np.uint64,
    found: np.ndarray,
    similarity: np.ndarray,
    shared: np.ndarray,
    touched: np.ndarray,
    best: np.ndarray,
    score: np.ndarray,
) -> None:
    """Fill ``found`` int32 and ``similarity`` float32, both (n_items, neighbors), with each item's nearest, unordered.

    One item at a time: count how many users it shares with every other item, keep the best. Memory is O(n_items)
    beside the result; time is the sum over users of their squared number of positives. ``norm`` float64 (n_items,) is
    the root of an item's number of positives; ``shared`` (zeros) and ``touched``, int32 (n_items,), and ``best`` int32
    and ``score`` float32 (neighbors,) are room to work in.
    """
    for item in range(item_start.size - 1):
        n_touched = 0
        for p in range(item_start[item], item_start[item + 1]):
            user = item_users[p]
            for q in range(start[user], start[user + 1]):
                other = items[q]
                if shared[other] == 0:
                    touched[n_touched] = other
                    n_touched += 1
                shared[other] += 1
        size = np.int64(0)
        for t in range(n_touched):
            other = touched[t]
            cosine = np.float32(shared[other] / (norm[item] * norm[other] + shrink + 1e-6))
            if other != item and cosine >= LEAST_SIMILARITY:
                size = offer(score, best, size, cosine, other, ties)
            shared[other] = 0
        for k in range(size):
            found[item, k] = best[k]
            similarity[item, k] = score[k]


@kernel
def _score(
    slates: np.ndarray,
    user: np.ndarray,
    recent: np.ndarray,
    events_item: np.ndarray,
    events_value: np.ndarray,
    marks: np.ndarray,
    ranked: np.ndarray,
    start: np.ndarray,
    had: np.ndarray,
    near_start: np.ndarray,
    near: np.ndarray,
    similarity: np.ndarray,
    ties: np.uint64,
    total: np.ndarray,
    touched: np.ndarray,
    best: np.ndarray,
    score: np.ndarray,
) -> None:
    """Fill ``slates`` (n, k): for each request add up the neighbours of its profile, keep the best, then popularity.

    ``near[near_start[i]:near_start[i + 1]]`` are the items that have i among their neighbours.
    ``total`` float32 (n_items,) of zeros, ``touched`` int32 (n_items + 1,: it is written without a branch, so one place
    may be written in vain), ``best`` int32 and ``score`` float32 (k,) are room to work in.
    """
    places = slates.shape[1]
    for row in range(slates.shape[0]):
        first, last = span(start, np.int64(user[row]))
        mark(marks, row, first, last, had, events_item, recent)
        n_touched = 0
        for p in range(first, last):
            for q in range(near_start[had[p]], near_start[had[p] + 1]):
                other = near[q]
                touched[n_touched] = other
                n_touched += total[other] == 0
                total[other] += similarity[q]
        for h in range(events_item.shape[1]):
            item = events_item[row, h]
            weight = events_value[row, h]
            if item < 0 or not weight >= LEAST_WEIGHT:  # NaN: nothing known of it
                continue
            for q in range(near_start[item], near_start[item + 1]):
                other = near[q]
                touched[n_touched] = other
                n_touched += total[other] == 0
                total[other] += weight * similarity[q]
        size = np.int64(0)
        bar = np.float32(0)  # what an item must reach to be among the best so far
        for t in range(n_touched):
            other = touched[t]
            value = total[other]
            total[other] = 0
            if value >= bar and marks[other] == 0:
                size = offer(score, best, size, value, other, ties)
                if size == places:
                    bar = score[0]
        sort_best_first(score, best, size, ties)
        for k in range(size):
            slates[row, k] = best[k]
        if size < places:
            fill_by_popularity(slates, row, size, marks, ranked)
        unmark(marks, row, first, last, had, events_item, recent)


class ItemKNN(Recommender):
    """Item-based nearest neighbours on the users' positives and on the visit's own items.

    The profile of a request is the user's positives at fit, each with weight 1, and the visit's items so far, each
    weighted by how much of it was consumed. Where the profile's neighbours do not fill a slate, popularity does: a cold
    user without any profile gets the most popular items.

    Args:
        neighbors: neighbours kept per item.
        shrink: added to the denominator of the cosine; damps similarities that rest on few users.
    """

    name: ClassVar[str] = "itemknn"
    reproducibility: ClassVar[Reproducibility] = "exact"

    def __init__(
        self, *, neighbors: int = 100, shrink: float = 100.0, seed: int = 0, label: Label | None = None
    ) -> None:
        super().__init__(seed=seed, label=label)
        self.neighbors = neighbors
        self.shrink = shrink
        self._history: History | None = None
        self._near: dict[str, np.ndarray] = {}

    def fit(self, log: PlatformLog, catalog: Catalog) -> None:
        """Find the neighbours of every item."""
        if self.neighbors < 1:
            raise RecommenderError("itemknn.neighbors", f"is {self.neighbors}", "expected at least 1")
        if not self.shrink >= 0:
            raise RecommenderError("itemknn.shrink", f"is {self.shrink}", "expected 0 or more")
        ties = root(self.seed, self.name)
        n_items = catalog.n_items
        history = History.of(self.positives(log, catalog), log.n_users, n_items, ties)
        ones = np.ones(history.items.size, np.float32)
        item_start, item_users, _ = transpose(history.start, history.items, ones, n_items)
        neighbors = min(self.neighbors, max(n_items - 1, 1))
        found = np.full((n_items, neighbors), -1, np.int32)
        similarity = np.zeros((n_items, neighbors), np.float32)
        nearest(
            history.start,
            history.items,
            item_start,
            item_users,
            np.sqrt(np.diff(item_start).astype(np.float64)),
            float(self.shrink),
            ties,
            found,
            similarity,
            np.zeros(n_items, np.int32),
            np.empty(n_items, np.int32),
            np.empty(neighbors, np.int32),
            np.empty(neighbors, np.float32),
        )
        rows = np.arange(n_items + 1, dtype=np.int64) * neighbors
        near_start, near, similarity = transpose(rows, found.reshape(-1), similarity.reshape(-1), n_items)
        self._history = history
        self._near = {"near_start": near_start, "near": near, "similarity": similarity}

    def recommend(self, requests: Requests) -> Slates:
        """The best-scored candidates, then the most popular."""
        history = fitted(self._history, self.name)
        marks, ranked = history.ready(requests, self.name)
        slates = np.full((len(requests), requests.slate_size), NO_ITEM, np.int32)
        _score(
            slates,
            requests.user,
            requests.recent,
            requests.events_item,
            requests.events_value,
            marks,
            ranked,
            history.start,
            history.items,
            self._near["near_start"],
            self._near["near"],
            self._near["similarity"],
            root(self.seed, self.name),
            np.zeros(history.n_items, np.float32),
            np.empty(history.n_items + 1, np.int32),
            np.empty(requests.slate_size, np.int32),
            np.empty(requests.slate_size, np.float32),
        )
        return Slates(slates)

    def state(self) -> dict[str, np.ndarray]:
        """The users' positives, the ranking by popularity, and who is near to whom."""
        return {**fitted(self._history, self.name).state(), **self._near}

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Take back what ``state`` gave."""
        self._history = History.restored(state)
        self._near = {name: state[name] for name in ("near_start", "near", "similarity")}
