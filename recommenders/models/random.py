"""Random slates: uniform, without replacement, and a function of the request's key alone."""

from __future__ import annotations

from typing import ClassVar, NamedTuple

import numpy as np

from recommenders.contract import NO_ITEM, Catalog, Lists, PlatformLog, Recommender, Reproducibility, Requests, Slates
from recommenders.models.hashing import root
from recommenders.models.kernel import below, kernel, mix

_SCARCE = 4  # below one eligible candidate in so many they are dealt from a list, not drawn until one is eligible


class _Keys(NamedTuple):
    """What of requests their slates depend on besides their lists: as in :class:`recommenders.contract.Requests`."""

    key: np.ndarray
    recent_start: np.ndarray
    recent_items: np.ndarray


class _Room(NamedTuple):
    """Room for `_draw` to work in.

    Attributes:
        free: uint8 (beyond the highest candidate,), 0 everywhere; in the kernel 1 for what is on the list in hand,
            never in the last place.
        barred: int32 (recent_items.size + 1,): more than any request was lately sent.
        deck: int32 (longest list + 1,).
    """

    free: np.ndarray
    barred: np.ndarray
    deck: np.ndarray


@kernel
def _draw(
    items: np.ndarray, propensity: np.ndarray, requests: _Keys, choice: Lists, seed: np.uint64, room: _Room
) -> None:
    """Fill ``items`` and ``propensity``, both (n, k), with ordered choices of what is eligible on lists of candidates.

    What a request cannot have is taken out of ``free``, and put back after it, so that a request costs O(k + R), never
    O(m).
    """
    key, recent_start, recent_items = requests
    lists, bounds, of = choice
    free, barred, deck = room
    n, places = items.shape
    beyond = np.int64(free.size - 1)
    for row in range(n):
        begin, end = bounds[of[row], 0], bounds[of[row], 1]
        m = end - begin
        if row == 0 or of[row] != of[row - 1]:
            for c in range(begin, end):
                free[lists[c]] = 1
        filled = min(places, m)
        n_barred = 0
        for r in range(recent_start[row], recent_start[row + 1]):
            item = min(np.int64(recent_items[r]), beyond)
            barred[n_barred] = item
            n_barred += free[item]
            free[item] = 0
        eligible = m - n_barred
        draw = mix(seed, key[row])
        drawn = min(filled, eligible)
        chance = np.float32(drawn) / np.float32(max(eligible, 1))
        if _SCARCE * (eligible - drawn) >= m:
            # any candidate, until it is one that is eligible and was not drawn: of those all are equally likely
            attempt = np.uint64(0)
            for k in range(drawn):
                item = lists[begin + np.int64(below(mix(draw, attempt), np.uint64(m)))]
                attempt += np.uint64(1)
                while free[item] == 0:
                    item = lists[begin + np.int64(below(mix(draw, attempt), np.uint64(m)))]
                    attempt += np.uint64(1)
                free[item] = 0
                items[row, k] = item
                propensity[row, k] = chance
        else:
            left = 0
            for c in range(begin, end):
                deck[left] = lists[c]
                left += free[lists[c]]
            for k in range(drawn):
                pick = below(mix(draw, np.uint64(k)), np.uint64(eligible - k))
                items[row, k] = deck[pick]
                deck[pick] = deck[eligible - k - 1]
                propensity[row, k] = chance
        for k in range(drawn):
            free[items[row, k]] = 1
        for b in range(n_barred):
            free[barred[b]] = 1
        # The candidates ran out: the rest comes, equally at random, from what was shown lately.
        for k in range(drawn, filled):
            left = n_barred - (k - drawn)
            pick = below(mix(draw, np.uint64(k)), np.uint64(left))
            items[row, k] = barred[pick]
            barred[pick] = barred[left - 1]
            propensity[row, k] = np.float32(filled - drawn) / np.float32(n_barred)
        for k in range(filled, places):
            items[row, k] = NO_ITEM
            propensity[row, k] = np.float32(np.nan)
        if row + 1 < n and of[row + 1] != of[row]:
            for c in range(begin, end):
                free[lists[c]] = 0


class Random(Recommender):
    """Every slate is a uniformly random ordered choice of the candidates that were not shown lately.

    Its propensity is exact: slate size over the number of eligible candidates.
    """

    name: ClassVar[str] = "random"
    learns: ClassVar[bool] = False
    reproducibility: ClassVar[Reproducibility] = "exact"
    takes_lists: ClassVar[bool] = True
    reads = "positives"

    def fit(self, log: PlatformLog, catalog: Catalog) -> None:
        """Learn nothing."""

    def chances(self, requests: Requests, items: np.ndarray) -> np.ndarray | None:
        """Return slate size over eligible candidates; items shown lately only fill up what is left."""
        there = requests.recently_shown
        available = np.isin(there, requests.candidates) & (there != NO_ITEM)
        lately = np.array([np.unique(row[kept]).size for row, kept in zip(there, available, strict=True)], np.int64)
        eligible = (requests.candidates.size - lately)[:, None]
        drawn = np.minimum(requests.filled, eligible)
        late = (items[:, :, None] == there[:, None, :]).any(axis=2)
        by_late = (requests.filled - drawn) / np.maximum(lately, 1)[:, None]
        found = np.where(late, by_late, drawn / np.maximum(eligible, 1))
        return np.where(np.isin(items, requests.candidates) & (items != NO_ITEM), found, 0.0)

    def recommend(self, requests: Requests) -> Slates:
        """Recommend slates with propensities; each depends on its request's key, its list and what was shown lately."""
        shape = (len(requests), requests.slate_size)
        items, propensity = np.empty(shape, np.int32), np.empty(shape, np.float32)
        lists = requests.lists
        keys = _Keys(requests.key, requests.recent_start, requests.recent_items)
        room = _Room(
            np.zeros(int(requests.candidates.max(initial=-1)) + 2, np.uint8),
            np.empty(requests.recent_items.size + 1, np.int32),
            np.empty(lists.longest + 1, np.int32),
        )
        _draw(items, propensity, keys, lists, root(self.seed, self.name), room)
        return Slates(items, propensity)
