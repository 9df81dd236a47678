"""The most popular items that a user has not had: the bar that every personal recommender must pass.

And the same for searches: of what was asked for first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
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
    Settings,
    Slates,
    setting,
)
from recommenders.models.hashing import root
from recommenders.models.history import BatchArrays, History, fill_by_popularity, fitted, mark, span, turn_to, unmark
from recommenders.models.kernel import kernel

NO_ITEMS, NO_KINDS = np.empty(0, np.int32), np.empty(0, np.int64)


@kernel
def walk(slates: np.ndarray, batch: BatchArrays, order: np.ndarray, wanted: np.ndarray, kinds: np.ndarray) -> None:
    """Fill ``slates`` (n, k) with the first candidates of an order that carry no mark, then by popularity.

    ``order`` is int32, of items. With ``wanted`` int64 (n,), only those of the kind that a request wants come first, -1
    none; ``kinds`` int64 (n_items,) says of which each item is.
    """
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
        filled, place = np.int64(0), 0
        places = min(np.int64(slates.shape[1]), candidates)
        any_kind = wanted.size == 0
        while filled < places and place < order.size and (any_kind or wanted[row] >= 0):
            item = order[place]
            place += 1
            if marks[item] == 0 and (any_kind or kinds[item] == wanted[row]):
                slates[row, filled] = item
                filled += 1
        fill_by_popularity(slates, row, filled, candidates, marks, ranked)
        unmark(marks, had, visit, recent)


class Popularity(Recommender):
    """Candidates by their number of positives (distinct users), ties by a keyed hash.

    Items that the user has had (positives at fit, this visit's items) or was shown lately are passed over.
    """

    name: ClassVar[str] = "popularity"
    reproducibility: ClassVar[Reproducibility] = "exact"
    takes_lists: ClassVar[bool] = True
    reads = "positives"

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
        walk(slates, fitted(self._history, self.name).ready(requests, self.name), *self._first(requests))
        return Slates(slates)

    def _first(self, requests: Requests) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return what comes first: an order, the kind that each request wants of it, and each item's, as in `walk`."""
        return NO_ITEMS, NO_KINDS, NO_KINDS

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


@dataclass(frozen=True)
class RelevanceSettings(Settings):
    """Settings of :class:`Relevance`."""

    column: str = setting("topic", "public column of the items, whose codes the criterion states")
    criterion: int = setting(0, "which of the criteria that requests state, by its number", low=0)


class Relevance(Popularity):
    """A list of results: first the popular candidates of the kind that the visit asks for, then other popular ones.

    What is a filter is applied to the candidates already, by whoever runs the search; this one ranks by what is stated
    and filters nothing. Who states nothing gets what is popular.
    """

    name: ClassVar[str] = "relevance"
    takes_lists: ClassVar[bool] = True
    Config: ClassVar[type[Settings]] = RelevanceSettings
    reads = "positives"
    config: RelevanceSettings

    def check(self, catalog: Catalog) -> None:
        """Check that the column is there."""
        catalog.require_column(self.config.column, f"recommender {self.name}.column")

    def fit(self, log: PlatformLog, catalog: Catalog) -> None:
        """Count positives, and note of which kind each item is."""
        super().fit(log, catalog)
        kinds = catalog.require_column(self.config.column, f"recommender {self.name}.column")
        self._kinds = kinds.astype(np.int64)

    def _first(self, requests: Requests) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        if self.config.criterion >= requests.criteria.shape[1]:
            return NO_ITEMS, NO_KINDS, NO_KINDS
        wanted = np.nan_to_num(requests.criteria[:, self.config.criterion], nan=-1.0).astype(np.int64)
        return fitted(self._history, self.name).ranking, wanted, self._kinds

    def scores(self, requests: Requests) -> None:  # type: ignore[override]  # what comes first is no number
        """Return nothing: two rankings, one after the other, are no scores."""
        return

    def state(self) -> dict[str, np.ndarray]:
        """Return the ranking, the users' positives and the kinds of items."""
        return {**super().state(), "kinds": self._kinds}

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Take back what ``state`` gave."""
        super().restore(state)
        self._kinds = state["kinds"]
