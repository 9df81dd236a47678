"""The most popular items that a user has not had: the bar that every personal recommender must pass."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from recommenders.contract import (
    NO_ITEM,
    Catalog,
    Label,
    PlatformLog,
    Recommender,
    Reproducibility,
    Requests,
    Slates,
)
from recommenders.models.hashing import root
from recommenders.models.history import BatchArrays, History, fill_by_popularity, fitted, mark, span, turn_to, unmark
from recommenders.models.kernel import kernel


@kernel
def _walk(slates: np.ndarray, batch: BatchArrays) -> None:
    """Fill ``slates`` (n, k) from the candidates by popularity."""
    user, start, positives, seen = batch.user, batch.start, batch.had, batch.seen
    recent_start, recent_items, events_item = batch.recent_start, batch.recent_items, batch.events_item
    marks, ranked = batch.marks, batch.ranked
    lists, bounds, of = batch.lists
    for row in range(slates.shape[0]):
        candidates = turn_to(row, marks, ranked, lists, bounds, of)
        first, last = span(start, np.int64(user[row]))
        had, visit = positives[first:last], events_item[row]
        recent = recent_items[recent_start[row] : recent_start[row + 1]]
        mark(marks, had, visit, recent, seen)
        fill_by_popularity(slates, row, np.int64(0), candidates, marks, ranked)
        unmark(marks, had, visit, recent)


class Popularity(Recommender):
    """Candidates by their number of positives (distinct users), ties by a keyed hash.

    Items that the user has had (positives at fit, this visit's items) or was shown lately are passed over.
    """

    name: ClassVar[str] = "popularity"
    reproducibility: ClassVar[Reproducibility] = "exact"
    takes_lists: ClassVar[bool] = True

    def __init__(self, *, seed: int = 0, label: Label | None = None, **parameters: Any) -> None:
        super().__init__(seed=seed, label=label, **parameters)
        self._history: History | None = None

    def fit(self, log: PlatformLog, catalog: Catalog) -> None:
        """Count positives."""
        positives = self.positives(log, catalog)
        self._history = History.of(positives, log.n_users, catalog.n_items, root(self.seed, "popularity"))

    def recommend(self, requests: Requests) -> Slates:
        """Recommend the first candidates of the ranking that the user has not had."""
        slates = np.full((len(requests), requests.slate_size), NO_ITEM, np.int32)
        _walk(slates, fitted(self._history, self.name).ready(requests, self.name))
        return Slates(slates)

    def scores(self, requests: Requests) -> np.ndarray:
        """Return the positives per item, the same for everybody."""
        history = fitted(self._history, self.name)
        counts = np.bincount(history.items, minlength=history.n_items).astype(np.float32)
        return np.broadcast_to(counts, (len(requests), history.n_items))

    def state(self) -> dict[str, np.ndarray]:
        """Return the ranking and the users' positives."""
        return fitted(self._history, self.name).state()

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Take back what ``state`` gave."""
        self._history = History.restored(state)
