"""Base of recommenders that score by item-item weights: users get what goes with what they had.

Each item keeps at most a few others with positive weights; the score of item j for a profile is the sum, over the
profile's items i that are among j's, of the profile's weight of i times the weight of (i, j).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, NamedTuple

import numpy as np

from recommenders.contract import NO_ITEM, Catalog, PlatformLog, Requests, Slates
from recommenders.models.counting import Counting
from recommenders.models.hashing import root
from recommenders.models.history import BatchArrays, History, fill_by_popularity, fitted, mark, span, turn_to, unmark
from recommenders.models.kernel import kernel, offer, sort_best_first
from recommenders.models.profiles import LEAST_WEIGHT, csr, next_to, profiles

NEXT_TO = np.float32(1000.0)
"""Weight of the item that a slate is asked for next to: what goes with it comes first, and what the user had before
decides only where it says nothing, or next to nothing."""

LEAST_SIMILARITY = np.float32(1e-20)
"""Below it two items count as unlike, for the reason of :data:`recommenders.models.profiles.LEAST_WEIGHT`."""


def transpose(
    start: np.ndarray, columns: np.ndarray, values: np.ndarray, n_columns: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Turn compressed rows into compressed columns.

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


class Near(NamedTuple):
    """Who is near to whom: ``near[near_start[i]:near_start[i + 1]]`` are the items that have i among their neighbours.

    Attributes:
        near_start: int64 (n_items + 1,).
        near: int32 (entries,).
        similarity: float32 (entries,), what each adds.
    """

    near_start: np.ndarray
    near: np.ndarray
    similarity: np.ndarray


class _Room(NamedTuple):
    """Room for `_score` to work in.

    Attributes:
        total: float32 (n_items,) of zeros.
        touched: int32 (n_items + 1,): it is written without a branch, so one place may be written in vain.
        best, score: int32 and float32 (k,).
        scored: int64 (n,): how many places of each slate were filled by score, the first ones.
    """

    total: np.ndarray
    touched: np.ndarray
    best: np.ndarray
    score: np.ndarray
    scored: np.ndarray


@kernel
def _score(slates: np.ndarray, batch: BatchArrays, weights: Near, ties: np.uint64, room: _Room) -> None:
    """Fill ``slates`` (n, k): for each request add up the neighbours of its profile, keep the best, then popularity."""
    user, start, positives, seen = batch.user, batch.start, batch.had, batch.seen
    recent_start, recent_items, anchor_item = batch.recent_start, batch.recent_items, batch.anchor_item
    events_item, events_value = batch.events_item, batch.events_value
    marks, ranked = batch.marks, batch.ranked
    lists, bounds, of = batch.lists
    near_start, near, similarity = weights
    total, touched, best, score, scored = room
    places = slates.shape[1]
    for row in range(slates.shape[0]):
        candidates = turn_to(row, marks, ranked, lists, bounds, of)
        first, last = span(start, np.int64(user[row]))
        had, visit = positives[first:last], events_item[row]
        recent = recent_items[recent_start[row] : recent_start[row + 1]]
        mark(marks, had, visit, recent, seen)
        n_touched = 0
        for p in range(had.size):
            for q in range(near_start[had[p]], near_start[had[p] + 1]):
                other = near[q]
                touched[n_touched] = other
                n_touched += total[other] == 0
                total[other] += similarity[q]
        for h in range(-1, visit.size):  # -1: what the slate stands next to
            item = anchor_item[row] if h < 0 else visit[h]
            weight = NEXT_TO if h < 0 else events_value[row, h]
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
        scored[row] = size
        if size < places:
            fill_by_popularity(slates, row, size, candidates, marks, ranked)
        unmark(marks, had, visit, recent)


class ItemItem(Counting):
    """Base: subclasses say in :meth:`neighbours` which items go with which; scoring and state are here.

    The profile of a request is the user's positives at fit, each with weight 1, and the visit's items so far, each
    weighted by how much of it was consumed; an item that the slate stands next to outweighs them all. Where the
    profile's items do not fill a slate, popularity does: a cold user without any profile gets the most popular items.
    """

    takes_lists: ClassVar[bool] = True
    reads = "positives"

    def neighbours(self, history: History, catalog: Catalog) -> tuple[np.ndarray, np.ndarray]:
        """Return who adds to each item's score: items int32 and weights float32, (n_items, K), -1 for none."""
        raise NotImplementedError

    def fit(self, log: PlatformLog, catalog: Catalog) -> None:
        """Find what goes with every item."""
        ties = root(self.seed, self.name)
        history = History.of(self.positives(log, catalog), log.n_users, catalog.n_items, ties)
        found, weight = self.neighbours(history, catalog)
        found = np.where(weight >= LEAST_SIMILARITY, found, NO_ITEM).astype(np.int32)
        rows = np.arange(catalog.n_items + 1, dtype=np.int64) * found.shape[1]
        near_start, near, similarity = transpose(rows, found.reshape(-1), weight.reshape(-1), catalog.n_items)
        self._history: History | None = history
        self._near = Near(near_start, near, similarity)

    def recommend(self, requests: Requests) -> Slates:
        """Recommend the best-scored candidates, then the most popular."""
        history = fitted(getattr(self, "_history", None), self.name)
        slates = np.full((len(requests), requests.slate_size), NO_ITEM, np.int32)
        room = _Room(
            np.zeros(history.n_items, np.float32),
            np.empty(history.n_items + 1, np.int32),
            np.empty(requests.slate_size, np.int32),
            np.empty(requests.slate_size, np.float32),
            np.empty(len(requests), np.int64),
        )
        _score(slates, history.ready(requests, self.name), self._near, root(self.seed, self.name), room)
        self.count(slates, np.arange(slates.shape[1]) >= room.scored[:, None], history.known(requests.user))
        return Slates(slates)

    def scores(self, requests: Requests) -> np.ndarray:
        """Return sums of weights; NaN for what goes with nothing in the profile."""
        history = fitted(getattr(self, "_history", None), self.name)
        history.check(requests, self.name)
        near = csr(*self._near, history.n_items)
        profile = profiles(history, requests)[1] + NEXT_TO * next_to(requests, history.n_items)
        found = np.asarray((profile @ near).todense(), dtype=np.float32)
        return np.where(found > 0, found, np.float32(np.nan))

    def state(self) -> dict[str, np.ndarray]:
        """Return the users' positives, the ranking by popularity, and who is near to whom."""
        history = fitted(getattr(self, "_history", None), self.name)
        return {**history.state(), **self._near._asdict(), **self.counts()}

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Take back what ``state`` gave."""
        self._history = History.restored(state)
        self._near = Near(*(state[name] for name in Near._fields))
        self.take_counts(state)
