"""What learned recommenders here have in common: whose positives were what, and which items are popular.

All of them fill a slate in the same four steps: first the items that they rank, then what is left of the eligible
candidates by popularity; and only where the candidates run out, items that the user has had (a positive, or part of
this visit), and last of all items shown lately, both by popularity.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from recommenders.contract import Lists, Positives, RecommenderError, Requests
from recommenders.models.hashing import mix
from recommenders.models.kernel import kernel

HAD = np.uint8(1)
LATELY = np.uint8(2)
UNAVAILABLE = np.uint8(4)


_NO_LISTS = Lists(np.empty(0, np.int32), np.empty((0, 2), np.int64), np.empty(0, np.int64)).sealed()


class BatchArrays(NamedTuple):
    """Arrays of a batch of requests for kernels, from :meth:`History.ready`; kernels unpack them before their loops.

    Attributes:
        user, anchor_item, recent_start, recent_items, events_item, events_value: as in
            :class:`recommenders.contract.Requests`.
        start, had: positives of users, as in :class:`History`.
        seen: how :func:`mark` marks what the user has had: :data:`HAD`, or 0 where that may come again.
        marks: uint8 (n_items,), UNAVAILABLE but for the candidates of all; of several lists, UNAVAILABLE everywhere.
        ranked: int32, by popularity: the candidates of all; of several lists, all items.
        lists: the lists that requests choose from, see :func:`turn_to`; empty where all choose from the same.
    """

    user: np.ndarray
    anchor_item: np.ndarray
    recent_start: np.ndarray
    recent_items: np.ndarray
    events_item: np.ndarray
    events_value: np.ndarray
    start: np.ndarray
    had: np.ndarray
    seen: np.uint8
    marks: np.ndarray
    ranked: np.ndarray
    lists: Lists


@dataclass(frozen=True)
class History:
    """The positives of all users as compressed rows, and all items by popularity.

    Attributes:
        start: int64 (n_users + 1,); the items of user u are ``items[start[u]:start[u + 1]]``, rising.
        items: int32 (number of pairs,).
        ranking: int32 (n_items,), items by falling number of positives, ties by a keyed hash.
    """

    start: np.ndarray
    items: np.ndarray
    ranking: np.ndarray
    _offer: list[np.ndarray] = field(default_factory=list, repr=False, compare=False)  # of the last batch: see `ready`

    @classmethod
    def of(cls, positives: Positives, n_users: int, n_items: int, ties: np.uint64) -> History:
        """Make a history from distinct pairs sorted by user and item."""
        start = np.zeros(n_users + 1, np.int64)
        np.cumsum(np.bincount(positives.user, minlength=n_users), out=start[1:])
        counts = np.bincount(positives.item, minlength=n_items)
        hashes = mix(np.full(1, ties), np.arange(n_items, dtype=np.uint64))
        ranking = np.lexsort((~hashes, -counts)).astype(np.int32)
        return cls(start, positives.item.astype(np.int32), ranking)

    @property
    def n_users(self) -> int:
        """Return how many users were known at fit."""
        return int(self.start.size - 1)

    @property
    def n_items(self) -> int:
        """Return how many items the catalog had at fit."""
        return int(self.ranking.size)

    def state(self) -> dict[str, np.ndarray]:
        """Return its arrays, for a checkpoint."""
        return {"start": self.start, "items": self.items, "ranking": self.ranking}

    @classmethod
    def restored(cls, state: Mapping[str, np.ndarray]) -> History:
        """Make a history from its arrays."""
        return cls(state["start"], state["items"], state["ranking"])

    def known(self, users: np.ndarray) -> np.ndarray:
        """Return whether each of these users, (n,), had positives at fit."""
        there = users < self.n_users
        row = np.where(there, users, 0)
        return np.asarray(there & (self.start[np.minimum(row + 1, self.n_users)] > self.start[row]))

    def check(self, requests: Requests, name: str) -> None:
        """Check that requests name no items that the catalog did not have at fit (kernels do not check).

        Raises:
            RecommenderError: they do.
        """
        named = [requests.recent_items, requests.events_item, requests.anchor_item]
        if not self._offer or self._offer[0] is not requests.candidates:
            named.append(requests.candidates)
        highest = max(int(array.max(initial=-1)) for array in named)
        if highest >= self.n_items:
            raise RecommenderError(
                f"recommender {name}", f"a request names item {highest}", f"the catalog at fit had {self.n_items} items"
            )

    def ready(self, requests: Requests, name: str) -> BatchArrays:
        """Return what a kernel needs of a batch.

        Batches with the very same array of candidates share its marks, so a kernel has to leave them as they were.

        Raises:
            RecommenderError: the requests name items that the catalog did not have at fit.
        """
        self.check(requests, name)
        lists = _NO_LISTS if requests.several is None else requests.several
        if requests.several is not None:
            marks, ranked = np.full(self.n_items, UNAVAILABLE, np.uint8), self.ranking
        else:
            if not self._offer or self._offer[0] is not requests.candidates:
                marks = np.full(self.n_items, UNAVAILABLE, np.uint8)
                marks[requests.candidates] = 0
                self._offer[:] = [requests.candidates, marks, self.ranking[marks[self.ranking] == 0]]
            _, marks, ranked = self._offer
        return BatchArrays(
            requests.user, requests.anchor_item, requests.recent_start, requests.recent_items, requests.events_item,
            requests.events_value, self.start, self.items, HAD if requests.seen == "last" else np.uint8(0),
            marks, ranked, lists,
        )  # fmt: skip


def fitted(history: History | None, name: str) -> History:
    """Return the history, if there is one.

    Raises:
        RecommenderError: if the recommender was neither fitted nor restored.
    """
    if history is None:
        raise RecommenderError(f"recommender {name}", "is asked before it was fitted", "call fit or restore first")
    return history


@kernel
def mark(marks: np.ndarray, had: np.ndarray, visit: np.ndarray, recent: np.ndarray, seen: np.uint8) -> None:
    """Mark what a request should not get: its user's positives, its visit's items (-1 none), what was lately sent.

    ``seen`` is the mark of what the user has had: :data:`HAD`, or 0 where that may come again.
    """
    for p in range(had.size):
        marks[had[p]] |= seen
    for h in range(visit.size):
        if visit[h] >= 0:
            marks[visit[h]] |= seen
    for r in range(recent.size):
        marks[recent[r]] |= LATELY


@kernel
def unmark(marks: np.ndarray, had: np.ndarray, visit: np.ndarray, recent: np.ndarray) -> None:
    """Undo :func:`mark`; only unavailable items stay marked."""
    for p in range(had.size):
        marks[had[p]] &= UNAVAILABLE
    for h in range(visit.size):
        if visit[h] >= 0:
            marks[visit[h]] &= UNAVAILABLE
    for r in range(recent.size):
        marks[recent[r]] &= UNAVAILABLE


@kernel
def turn_to(
    row: int, marks: np.ndarray, ranked: np.ndarray, lists: np.ndarray, bounds: np.ndarray, of: np.ndarray
) -> np.int64:
    """Mark what a request can choose from; ``lists``, ``bounds`` and ``of`` are those of :class:`BatchArrays`.

    Rows are to be gone through from 0 on: whatever is on the list of the one before is unavailable again.

    Returns:
        How many candidates there are.
    """
    if of.size == 0:
        return np.int64(ranked.size)
    if row == 0 or of[row] != of[row - 1]:
        if row > 0:
            for c in range(bounds[of[row - 1], 0], bounds[of[row - 1], 1]):
                marks[lists[c]] = UNAVAILABLE
        for c in range(bounds[of[row], 0], bounds[of[row], 1]):
            marks[lists[c]] = 0
    return np.int64(bounds[of[row], 1] - bounds[of[row], 0])


@kernel
def fill_by_popularity(
    slates: np.ndarray, row: int, filled: np.int64, candidates: np.int64, marks: np.ndarray, ranked: np.ndarray
) -> None:
    """Fill a slate from place ``filled`` on with candidates by popularity; see the module's text for the order.

    ``ranked`` int32 holds all ``candidates`` by popularity, and perhaps others, which are marked as unavailable; what
    already is in the slate must carry no mark.
    """
    places = min(slates.shape[1], candidates)
    given = filled
    # Eligible items first (no mark), then those that the user has had, then those shown lately (had or not).
    for wanted in range(3):
        walk = 0
        while filled < places and walk < ranked.size:
            item = ranked[walk]
            walk += 1
            found = marks[item] if wanted < 2 else marks[item] & (LATELY | UNAVAILABLE)
            if found != (0 if wanted == 0 else (HAD if wanted == 1 else LATELY)):
                continue
            if wanted == 0:
                already = False
                for k in range(given):
                    already = already or slates[row, k] == item
                if already:
                    continue
            slates[row, filled] = item
            filled += 1


@kernel
def span(start: np.ndarray, user: np.int64) -> tuple[int, int]:
    """Return where a user's positives begin and end; nowhere for a user who was not there at fit."""
    if user + 1 >= start.size:
        return 0, 0
    return start[user], start[user + 1]
