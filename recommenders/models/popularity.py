"""The most popular items that a user has not had: the bar that every personal recommender must pass."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from recommenders.contract import (
    NO_ITEM,
    Catalog,
    Label,
    Lists,
    PlatformLog,
    Recommender,
    Reproducibility,
    Requests,
    Slates,
)
from recommenders.models.hashing import root
from recommenders.models.history import History, fill_by_popularity, fitted, mark, seen_mark, span, turn_to, unmark
from recommenders.models.kernel import kernel


@kernel
def _walk(
    slates: np.ndarray,
    user: np.ndarray,
    recent_start: np.ndarray,
    recent_items: np.ndarray,
    events_item: np.ndarray,
    marks: np.ndarray,
    ranked: np.ndarray,
    lists: np.ndarray,
    bounds: np.ndarray,
    of: np.ndarray,
    start: np.ndarray,
    had: np.ndarray,
    seen: np.uint8,
) -> None:
    """Fill ``slates`` (n, k) from the candidates by popularity."""
    for row in range(slates.shape[0]):
        candidates = turn_to(row, marks, ranked, lists, bounds, of)
        first, last = span(start, np.int64(user[row]))
        mark(marks, row, first, last, had, events_item, recent_start, recent_items, seen)
        fill_by_popularity(slates, row, np.int64(0), candidates, marks, ranked)
        unmark(marks, row, first, last, had, events_item, recent_start, recent_items)


class Popularity(Recommender):
    """Candidates by their number of positives (distinct users), ties by a keyed hash.

    Items that the user has had (positives at fit, this visit's items) or was shown lately are passed over.
    """

    name: ClassVar[str] = "popularity"
    reproducibility: ClassVar[Reproducibility] = "exact"

    def __init__(self, *, seed: int = 0, label: Label | None = None, **parameters: Any) -> None:
        super().__init__(seed=seed, label=label, **parameters)
        self._history: History | None = None

    def fit(self, log: PlatformLog, catalog: Catalog) -> None:
        """Count positives."""
        positives = self.positives(log, catalog)
        self._history = History.of(positives, log.n_users, catalog.n_items, root(self.seed, "popularity"))

    def recommend(self, requests: Requests) -> Slates:
        """The first candidates of the ranking that the user has not had."""
        return self._slates(requests, None)

    def recommend_from(self, requests: Requests, lists: Lists) -> Slates | None:
        """The same from several lists."""
        return self._slates(requests, lists) if type(self).recommend is Popularity.recommend else None

    def _slates(self, requests: Requests, lists: Lists | None) -> Slates:
        history = fitted(self._history, self.name)
        slates = np.full((len(requests), requests.slate_size), NO_ITEM, np.int32)
        _walk(
            slates,
            requests.user,
            requests.recent_start,
            requests.recent_items,
            requests.events_item,
            *history.ready(requests, self.name, lists),
            history.start,
            history.items,
            seen_mark(requests),
        )
        return Slates(slates)

    def scores(self, requests: Requests) -> np.ndarray:
        """Positives per item, the same for everybody."""
        history = fitted(self._history, self.name)
        counts = np.bincount(history.items, minlength=history.n_items).astype(np.float32)
        return np.broadcast_to(counts, (len(requests), history.n_items))

    def state(self) -> dict[str, np.ndarray]:
        """The ranking and the users' positives."""
        return fitted(self._history, self.name).state()

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Take back what ``state`` gave."""
        self._history = History.restored(state)
