"""Content-based nearest neighbours over one modality: users get what looks (or sounds) like what they liked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

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
from recommenders.models.history import History, Offer, fill_by_popularity, fitted, mark, seen_mark, span, unmark
from recommenders.models.kernel import kernel, offer, sort_best_first
from recommenders.models.profiles import PositiveRows, profiles

TILE = 128  # items scored together: a tile of 64 dimensions fits in the first-level cache
GROUP = 16  # requests that share a pass over the tiles


def tiled(rows: np.ndarray) -> np.ndarray:
    """Features (n_items, d) as float32 tiles (tiles, d4, TILE), d4 the next multiple of four; padding is 0.

    Within a tile the items are adjacent, so that the loop over items runs in vector registers while the sum over
    dimensions keeps its order: the result depends on neither the machine's vectors nor the batch.
    """
    n_items, dimensions = rows.shape
    tiles = -(-n_items // TILE)
    padded = np.zeros((tiles * TILE, -(-dimensions // 4) * 4), np.float32)
    padded[:n_items, :dimensions] = rows
    return np.ascontiguousarray(padded.reshape(tiles, TILE, padded.shape[1]).transpose(0, 2, 1))


@kernel
def dot_tile(profile: np.ndarray, member: int, tiles: np.ndarray, tile: int, out: np.ndarray) -> None:
    """``out`` (TILE,) = dot products of one profile, a row of (GROUP, d4), with the items of one tile."""
    for j in range(TILE):
        out[j] = 0
    for d in range(0, profile.shape[1], 4):
        a = profile[member, d]
        b = profile[member, d + 1]
        c = profile[member, d + 2]
        e = profile[member, d + 3]
        for j in range(TILE):
            out[j] = (
                out[j] + a * tiles[tile, d, j] + b * tiles[tile, d + 1, j] + c * tiles[tile, d + 2, j]
            ) + e * tiles[tile, d + 3, j]


class RequestItems(NamedTuple):
    """Hold what requests say of their users and of items met before, named as in the contract."""

    user: np.ndarray
    recent_start: np.ndarray
    recent_items: np.ndarray
    events_item: np.ndarray
    events_value: np.ndarray


class Features(NamedTuple):
    """Hold the items' features, float32 (n_items, d), and the same as :func:`tiled`."""

    rows: np.ndarray
    tiles: np.ndarray


@kernel
def add_profile(
    profile: np.ndarray, member: int, row: int, requests: RequestItems, positives: PositiveRows, features: np.ndarray
) -> bool:
    """Sum the features of a user's positives and, by their values, of the visit's items; False if there are none.

    The sum, of request ``row`` and into ``profile[member]``, ranks items as the mean does.
    """
    events_item, events_value, had = requests.events_item, requests.events_value, positives.items
    first, last = span(positives.start, np.int64(requests.user[row]))
    dimensions = features.shape[1]
    for d in range(profile.shape[1]):
        profile[member, d] = 0
    for p in range(first, last):
        for d in range(dimensions):
            profile[member, d] += features[had[p], d]
    known = last > first
    for h in range(events_item.shape[1]):
        item = events_item[row, h]
        weight = events_value[row, h]
        if item >= 0 and weight > 0:
            known = True
            for d in range(dimensions):
                profile[member, d] += weight * features[item, d]
    return known


@kernel
def _score(
    slates: np.ndarray,
    requests: RequestItems,
    choice: Offer,
    positives: PositiveRows,
    features: Features,
    ties: np.uint64,
    seen: np.uint8,
) -> None:
    """Fill ``slates`` (n, k): score all items for a group of requests tile by tile, then pick for each."""
    user, events_item = requests.user, requests.events_item
    recent_start, recent_items = requests.recent_start, requests.recent_items
    marks, ranked, start, had, tiles = choice.marks, choice.ranked, positives.start, positives.items, features.tiles
    n, places = slates.shape
    n_items = marks.size
    profile, known = np.zeros((GROUP, tiles.shape[1]), np.float32), np.zeros(GROUP, np.bool_)
    scores, out = np.empty((GROUP, tiles.shape[0] * TILE), np.float32), np.empty(TILE, np.float32)
    best, score = np.empty(places, np.int32), np.empty(places, np.float32)
    for group in range(0, n, GROUP):
        members = min(GROUP, n - group)
        for member in range(members):
            known[member] = add_profile(profile, member, group + member, requests, positives, features.rows)
        for tile in range(tiles.shape[0]):
            for member in range(members):
                if known[member]:
                    dot_tile(profile, member, tiles, tile, out)
                    for j in range(TILE):
                        scores[member, tile * TILE + j] = out[j]
        for member in range(members):
            row = group + member
            first, last = span(start, np.int64(user[row]))
            mark(marks, row, first, last, had, events_item, recent_start, recent_items, seen)
            size = np.int64(0)
            if known[member]:
                worst = np.float32(-np.inf)
                for item in range(n_items):
                    value = scores[member, item]
                    if value >= worst and marks[item] == 0:
                        size = offer(score, best, size, value, np.int32(item), ties)
                        if size == places:
                            worst = score[0]
                sort_best_first(score, best, size, ties)
                for k in range(size):
                    slates[row, k] = best[k]
            if size < places:
                fill_by_popularity(slates, row, size, np.int64(ranked.size), marks, ranked)
            unmark(marks, row, first, last, had, events_item, recent_start, recent_items)


@dataclass(frozen=True)
class ContentSettings(Settings):
    """Settings of :class:`ContentKNN`."""

    modality: str = setting(meaning="which features of the catalog to use")
    centre: bool = setting(True, "subtract the catalog's mean first (else what all items share dominates the cosine)")


class ContentKNN(Recommender):
    """Items whose features of one modality are most like (cosine) the mean of what the user liked.

    Features are centred over the catalog and scaled to length 1. The profile of a request is the mean over the user's
    positives at fit, each with weight 1, and the visit's items so far, each weighted by how much of it was consumed. A
    cold user without any profile gets the most popular items.
    """

    name: ClassVar[str] = "contentknn"
    reproducibility: ClassVar[Reproducibility] = "exact"

    Config = ContentSettings
    config: ContentSettings

    def __init__(self, *, seed: int = 0, label: Label | None = None, **parameters: Any) -> None:
        super().__init__(seed=seed, label=label, **parameters)
        self._history: History | None = None
        self._features = np.empty((0, 0), np.float32)
        self._tiles = tiled(self._features)

    def check(self, catalog: Catalog) -> None:
        """Check that features of the modality are there."""
        catalog.require_feature(self.config.modality, f"recommender {self.name}")

    def fit(self, log: PlatformLog, catalog: Catalog) -> None:
        """Normalise the features and remember the users' positives."""
        raw = catalog.feature(self.config.modality, f"recommender {self.name}").astype(np.float64)
        if self.config.centre and raw.shape[0]:
            raw = raw - raw.mean(axis=0)
        length = np.sqrt((raw * raw).sum(axis=1, keepdims=True))
        # An item without content (all zeros) is like no other: its row stays zero.
        features = np.divide(raw, length, out=np.zeros_like(raw), where=length > 1e-12)
        positives = self.positives(log, catalog)
        self._history = History.of(positives, log.n_users, catalog.n_items, root(self.seed, self.name))
        self._set_features(np.ascontiguousarray(features, dtype=np.float32))

    def recommend(self, requests: Requests) -> Slates:
        """Return the candidates most like the profile, then the most popular."""
        history = fitted(self._history, self.name)
        slates = np.full((len(requests), requests.slate_size), NO_ITEM, np.int32)
        _score(
            slates,
            RequestItems(*(getattr(requests, name) for name in RequestItems._fields)),
            history.ready(requests, self.name),
            PositiveRows(history.start, history.items),
            Features(self._features, self._tiles),
            root(self.seed, self.name),
            seen_mark(requests),
        )
        return Slates(slates)

    def scores(self, requests: Requests) -> np.ndarray:
        """Cosines with the profile times its length; NaN for users without a profile."""
        history = fitted(self._history, self.name)
        history.ready(requests, self.name)
        profile = profiles(history, requests)[1]
        found = np.asarray((profile @ self._features) @ self._features.T, dtype=np.float32)
        found[np.diff(profile.indptr) == 0] = np.nan
        return found

    def state(self) -> dict[str, np.ndarray]:
        """Return the users' positives, the ranking by popularity, and the normalised features."""
        return {**fitted(self._history, self.name).state(), "features": self._features}

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Take back what ``state`` gave."""
        self._history = History.restored(state)
        self._set_features(state["features"])

    def _set_features(self, features: np.ndarray) -> None:
        self._features = features
        self._tiles = tiled(features)
