"""Base of recommenders that give every item a score: they learn arrays and score a batch; the rest is here.

The rest is: positives into rows, masks of what a request should not get, the best k with keyed ties, popularity where
scores run out, state, and blocks, so that memory is bounded by ``BLOCK`` rows of scores whatever the batch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any, ClassVar, Literal

import numpy as np

from recommenders.contract import (
    NO_ITEM,
    Catalog,
    PlatformLog,
    Positives,
    RecommenderError,
    Reproducibility,
    Requests,
    Slates,
)
from recommenders.models.counting import Counting
from recommenders.models.hashing import root
from recommenders.models.history import BatchArrays, History, fill_by_popularity, fitted, mark, span, turn_to, unmark
from recommenders.models.kernel import kernel, offer, sort_best_first
from recommenders.models.profiles import csr, profiles

BLOCK = 64
"""Requests scored together. Dense products are always of this many rows, padded with zeros, so that a request's scores
do not depend on its batch: a matrix library may add up in another order for another shape."""


@dataclass(frozen=True)
class Learning:
    """What a recommender learns from.

    Attributes:
        log, catalog: as given to ``fit``.
        positives: distinct pairs, by user, then item.
        history: the same as compressed rows, with the items' ranking by popularity.
        seed: of this recommender's training.
    """

    log: PlatformLog
    catalog: Catalog
    positives: Positives
    history: History
    seed: int

    @property
    def n_users(self) -> int:
        """Return how many users the log has."""
        return self.history.n_users

    @property
    def n_items(self) -> int:
        """Return how many items the catalog has."""
        return self.history.n_items

    @cached_property
    def matrix(self) -> Any:
        """Return users by items, scipy CSR float32, 1 where there is a positive."""
        return csr(self.history.start, self.history.items, np.ones(self.history.items.size), self.n_items)

    @property
    def popularity(self) -> np.ndarray:
        """Return the positives per item, int64 (n_items,)."""
        return np.bincount(self.history.items, minlength=self.n_items)

    def random(self) -> np.random.Generator:
        """Return the generator of this training, the same at every fit."""
        return np.random.default_rng(self.seed)


@dataclass(frozen=True)
class Batch:
    """At most ``BLOCK`` requests, with what their users have had.

    Attributes:
        requests: the requests themselves.
        known: bool (n,), whether the user had positives at fit.
        profile: scipy CSR float32 (n, n_items): the user's positives with weight 1, and the visit's items so far, each
            weighted by how much of it was consumed.
    """

    requests: Requests
    known: np.ndarray
    profile: Any

    @property
    def users(self) -> np.ndarray:
        """Return the row of each request's user in arrays by user; 0 for users who were not known."""
        return np.where(self.known, self.requests.user, 0).astype(np.int64)


class Ranker(Counting):
    """Base: subclasses give :meth:`learn` and :meth:`score`.

    Class attributes:
        needs: whom it can score for: users with a 'profile' (positives or a visit's items), with positives at fit
            ('user'), or all ('nothing'). Others get what is popular.
        next_to: whether it can also score for whoever asks for a slate next to an item.
        takes_lists: to be set where scores do not depend on what the candidates are, as they may by default: requests
            that choose from several lists are then scored together.
    """

    needs: ClassVar[Literal["profile", "user", "nothing"]] = "profile"
    next_to: ClassVar[bool] = False
    reproducibility: ClassVar[Reproducibility] = "same machine"

    def learn(self, data: Learning) -> dict[str, np.ndarray]:
        """Return what :meth:`score` needs, as plain arrays; found again in ``self.learned``."""
        raise NotImplementedError

    def score(self, batch: Batch) -> np.ndarray:
        """Return scores float32 (n, n_items); NaN where there is none. Each row depends on its own request only."""
        raise NotImplementedError

    def fit(self, log: PlatformLog, catalog: Catalog) -> None:
        """Learn from all positives."""
        ties = root(self.seed, self.name)
        positives = self.positives(log, catalog)
        history = History.of(positives, log.n_users, catalog.n_items, ties)
        data = Learning(log, catalog, positives, history, int(ties))
        self._take(history, self.learn(data))

    def _take(self, history: History, learned: Mapping[str, np.ndarray]) -> None:
        self._history: History | None = history
        self.learned = dict(learned)
        self.prepare()

    def prepare(self) -> None:
        """Make whatever can be made once from ``self.learned``, after fitting and after restoring."""

    @property
    def history(self) -> History:
        """Return the positives at fit."""
        return fitted(getattr(self, "_history", None), self.name)

    def recommend(self, requests: Requests) -> Slates:
        """Recommend the best-scored candidates, then the most popular."""
        slates = np.full((len(requests), requests.slate_size), NO_ITEM, np.int32)
        for first, batch in self.batches(requests):
            self.fill(slates[first : first + BLOCK], batch, self.scored(batch))
        return Slates(slates, self.propensities(slates))

    def scores(self, requests: Requests) -> np.ndarray:
        """Return what the items are ranked by."""
        found = [self.scored(batch) for _, batch in self.batches(requests)]
        return np.concatenate(found) if found else np.empty((0, self.history.n_items), np.float32)

    def propensities(self, slates: np.ndarray) -> np.ndarray | None:
        """Return the probability of each item being in its slate; None where the recommender does not say."""
        return None

    def batches(self, requests: Requests) -> list[tuple[int, Batch]]:
        """Return the requests in blocks, each with the row of its first."""
        self.history.check(requests, self.name)
        firsts = range(0, len(requests), BLOCK)
        return [(first, self._batch(requests.take(slice(first, first + BLOCK)))) for first in firsts]

    def _batch(self, requests: Requests) -> Batch:
        known, profile = profiles(self.history, requests)
        return Batch(requests, known, profile)

    def scored(self, batch: Batch) -> np.ndarray:
        """Return scores, NaN in the rows of users for whom there can be none."""
        scores = np.ascontiguousarray(self.score(batch), dtype=np.float32)
        shape = (len(batch.requests), self.history.n_items)
        if scores.shape != shape:
            raise RecommenderError(f"recommender {self.name}", f"its scores are {scores.shape}", f"expected {shape}")
        if self.needs != "nothing":
            has_profile = batch.known if self.needs == "user" else np.diff(batch.profile.indptr) > 0
            if self.next_to:
                has_profile = has_profile | (batch.requests.anchor_item != NO_ITEM)
            scores[~has_profile] = np.nan
        return scores

    def fill(self, slates: np.ndarray, batch: Batch, scores: np.ndarray) -> None:
        """Write the best-scored candidates of each request into ``slates``, then the most popular."""
        size = batch.requests.slate_size
        arrays, ties = self.history.ready(batch.requests, self.name), root(self.seed, self.name)
        _pick(slates, scores, arrays, ties, np.empty(size, np.int32), np.empty(size, np.float32))
        self.count(slates, np.isnan(np.take_along_axis(scores, np.maximum(slates, 0), axis=1)), batch.known)

    def state(self) -> dict[str, np.ndarray]:
        """Return the users' positives, the ranking by popularity, and what was learned."""
        learned = {f"learned_{name}": array for name, array in self.learned.items()}
        return {**self.history.state(), **learned, **self.counts()}

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Take back what ``state`` gave."""
        own = {name.removeprefix("learned_"): a for name, a in state.items() if name.startswith("learned_")}
        self._take(History.restored(state), own)
        self.take_counts(state)


@kernel
def _pick(
    slates: np.ndarray, scores: np.ndarray, batch: BatchArrays, ties: np.uint64, best: np.ndarray, score: np.ndarray
) -> None:
    """Fill ``slates`` (n, k) with the best of ``scores`` (n, n_items) that carry no mark, then by popularity.

    ``best`` int32 and ``score`` float32 (k,) are room to work in.
    """
    user, start, positives, seen = batch.user, batch.start, batch.had, batch.seen
    recent_start, recent_items, events_item = batch.recent_start, batch.recent_items, batch.events_item
    marks, ranked = batch.marks, batch.ranked
    lists, bounds, of = batch.lists
    places = slates.shape[1]
    for row in range(slates.shape[0]):
        candidates = turn_to(row, marks, ranked, lists, bounds, of)
        first, last = span(start, np.int64(user[row]))
        had, visit = positives[first:last], events_item[row]
        recent = recent_items[recent_start[row] : recent_start[row + 1]]
        mark(marks, had, visit, recent, seen)
        size = np.int64(0)
        worst = np.float32(-np.inf)
        for item in range(scores.shape[1]):
            value = scores[row, item]
            if value >= worst and marks[item] == 0:  # never true of NaN
                size = offer(score, best, size, value, np.int32(item), ties)
                if size == places:
                    worst = score[0]
        sort_best_first(score, best, size, ties)
        for k in range(size):
            slates[row, k] = best[k]
        if size < places:
            fill_by_popularity(slates, row, size, candidates, marks, ranked)
        unmark(marks, had, visit, recent)


def product(rows: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Return ``rows @ matrix`` for at most ``BLOCK`` rows, float32, each row's result independent of the others."""
    places, height = _places()
    padded = np.zeros((height, rows.shape[1]), np.float32)
    padded[places[: rows.shape[0]]] = rows
    return np.asarray((padded @ matrix)[places[: rows.shape[0]]])


@cache
def _places() -> tuple[np.ndarray, int]:
    """Return ``BLOCK`` places of rows that this machine's BLAS treats alike, and how many rows a product then has.

    Kernels of OpenBLAS take rows in groups, and on some processors halves of a group add up in another order: equal
    rows then have results that differ in their last bits by where they stand.
    """
    random = np.random.default_rng(0)
    row, matrix = random.normal(size=(1, 48)).astype(np.float32), random.normal(size=(48, 64)).astype(np.float32)
    for height in (BLOCK, 3 * BLOCK):  # a multiple of the groups that are known: 4, 6, 8, 12, 16
        found = np.repeat(row, height, axis=0) @ matrix
        places = np.flatnonzero((found == found[0]).all(axis=1))[:BLOCK]
        if len(places) == BLOCK:
            return places, BLOCK if height == BLOCK else int(-(-(places[-1] + 1) // 48) * 48)
    return np.arange(BLOCK), BLOCK  # none known behaves so: there, batches would matter in last bits, and a test fail


def refuse_beyond(n_items: int, largest: int, name: str, what: str) -> None:
    """Refuse a catalog for which a dense matrix of items by items would be too large.

    Raises:
        RecommenderError: with the size and the memory that it would take.
    """
    if n_items > largest:
        raise RecommenderError(
            f"recommender {name}",
            f"{what} of {n_items:,} items takes {n_items**2 * 8 / 2**30:.1f} GiB",
            f"expected at most {largest:,} items; raise {name}.largest if there is memory for it",
        )
