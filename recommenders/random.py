"""Random slates: uniform, without replacement, and a function of the request's key alone."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from recommenders.contract import NO_ITEM, Catalog, PlatformLog, Recommender, Reproducibility, Requests, Slates
from recommenders.hashing import root
from recommenders.kernel import below, kernel, mix


@kernel
def _draw(
    items: np.ndarray,
    propensity: np.ndarray,
    key: np.ndarray,
    recent_start: np.ndarray,
    recent_items: np.ndarray,
    candidates: np.ndarray,
    position: np.ndarray,
    deck: np.ndarray,
    swapped: np.ndarray,
    barred_for: np.ndarray,
    barred: np.ndarray,
    seed: np.uint64,
) -> None:
    """Fill ``items`` and ``propensity``, both (n, k), by a partial Fisher-Yates shuffle of the eligible candidates.

    ``position`` is an item's place in ``candidates``, -1 if it is none, as far as there are candidates. ``deck`` (m,)
    holds 0 ... m - 1, of which the first ``eligible`` are dealt from; it is put back in order after each request, so
    that a request costs O(k + R), never O(m). A place whose item was shown lately is replaced by one of those beyond
    the deck's end, one for one. ``barred_for`` (m,) starts at -1 and holds the request for which a place is barred;
    ``barred`` (R,) and ``swapped`` (k,) are room to work in. All int32.
    """
    n, places = items.shape
    m = candidates.size
    filled = min(places, m)
    for row in range(n):
        n_barred = 0
        for r in range(recent_start[row], recent_start[row + 1]):
            item = recent_items[r]
            if item < position.size:
                place = position[item]
                if place >= 0 and barred_for[place] != row:
                    barred_for[place] = row
                    barred[n_barred] = place
                    n_barred += 1
        eligible = m - n_barred
        luck = mix(seed, key[row])
        drawn = min(filled, eligible)
        chance = np.float32(drawn) / np.float32(max(eligible, 1))
        for k in range(drawn):
            other = k + np.int64(below(mix(luck, np.uint64(k)), np.uint64(eligible - k)))
            swapped[k] = other
            place = deck[other]
            deck[other] = deck[k]
            deck[k] = place
            if barred_for[place] == row:
                place = _substitute(place, barred, n_barred, barred_for, row, eligible)
            items[row, k] = candidates[place]
            propensity[row, k] = chance
        for k in range(drawn):
            deck[swapped[k]] = swapped[k]
            deck[k] = k
        # The candidates ran out: the rest comes, equally at random, from what was shown lately.
        for k in range(drawn, filled):
            left = n_barred - (k - drawn)
            pick = np.int64(below(mix(luck, np.uint64(k)), np.uint64(left)))
            items[row, k] = candidates[barred[pick]]
            barred[pick] = barred[left - 1]
            propensity[row, k] = np.float32(filled - drawn) / np.float32(n_barred)


@kernel
def _substitute(place: int, barred: np.ndarray, n_barred: int, barred_for: np.ndarray, row: int, eligible: int) -> int:
    """The place beyond the deck's end that stands in for a barred place within it.

    Barred places below ``eligible`` and unbarred places from ``eligible`` on are equally many; the q-th by size of
    the former gets the q-th of the latter.
    """
    rank = 0
    for b in range(n_barred):
        if barred[b] < place:
            rank += 1
    stand_in = eligible
    while True:
        if barred_for[stand_in] != row:
            if rank == 0:
                return stand_in
            rank -= 1
        stand_in += 1


class Random(Recommender):
    """Every slate is a uniformly random ordered choice of the candidates that were not shown lately.

    Its propensity is exact: slate size over the number of eligible candidates.
    """

    name: ClassVar[str] = "random"
    learns: ClassVar[bool] = False
    reproducibility: ClassVar[Reproducibility] = "exact"

    def fit(self, log: PlatformLog, catalog: Catalog) -> None:
        """Nothing to learn."""

    def chances(self, requests: Requests, items: np.ndarray) -> np.ndarray | None:
        """Slate size over eligible candidates; items shown lately only fill up what is left."""
        there = requests.recent
        available = np.isin(there, requests.candidates) & (there != NO_ITEM)
        lately = np.array([np.unique(row[kept]).size for row, kept in zip(there, available, strict=True)], np.int64)
        eligible = (requests.candidates.size - lately)[:, None]
        drawn = np.minimum(requests.filled, eligible)
        late = (items[:, :, None] == there[:, None, :]).any(axis=2)
        by_late = (requests.filled - drawn) / np.maximum(lately, 1)[:, None]
        found = np.where(late, by_late, drawn / np.maximum(eligible, 1))
        return np.where(np.isin(items, requests.candidates) & (items != NO_ITEM), found, 0.0)

    def recommend(self, requests: Requests) -> Slates:
        """Slates with propensities; each depends on its request's key and what was shown lately."""
        shape = (len(requests), requests.slate_size)
        items = np.full(shape, NO_ITEM, np.int32)
        propensity = np.full(shape, np.nan, np.float32)
        candidates = requests.candidates
        position = np.full(int(candidates.max(initial=0)) + 1, -1, np.int32)
        position[candidates] = np.arange(candidates.size, dtype=np.int32)
        _draw(
            items,
            propensity,
            requests.key,
            requests.recent_start,
            requests.recent_items,
            candidates,
            position,
            np.arange(candidates.size, dtype=np.int32),
            np.empty(requests.slate_size, np.int32),
            np.full(candidates.size, -1, np.int32),
            np.empty(int(np.diff(requests.recent_start).max(initial=0)), np.int32),
            root(self.seed, self.name),
        )
        return Slates(items, propensity)
