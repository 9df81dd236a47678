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
    Reproducibility,
    Requests,
    Settings,
    Slates,
    setting,
)
from recommenders.models.counting import Counting
from recommenders.models.hashing import root
from recommenders.models.history import BatchArrays, History, fill_by_popularity, fitted, mark, span, turn_to, unmark
from recommenders.models.kernel import kernel, offer, sort_best_first
from recommenders.models.profiles import profiles

TILE = 128  # items scored together: a tile of 64 dimensions fits in the first-level cache
GROUP = 16  # requests that share a pass over the tiles


def tiled(rows: np.ndarray) -> np.ndarray:
    """Lay features (n_items, d) out as float32 tiles (tiles, d4, TILE), d4 the next multiple of four; padding is 0.

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
    """Write to ``out`` (TILE,) the dot products of one profile, a row of (GROUP, d4), with the items of one tile."""
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


@kernel
def add_profile(
    profile: np.ndarray, had: np.ndarray, visit: np.ndarray, value: np.ndarray, features: np.ndarray
) -> bool:
    """Sum the features of a user's positives and, by their values, of the visit's items; False if there are none.

    ``profile`` (d4,) is overwritten. The sum ranks items as the mean does.
    """
    dimensions = features.shape[1]
    for d in range(profile.size):
        profile[d] = 0
    for p in range(had.size):
        for d in range(dimensions):
            profile[d] += features[had[p], d]
    known = had.size > 0
    for h in range(visit.size):
        item = visit[h]
        weight = value[h]
        if item >= 0 and weight > 0:
            known = True
            for d in range(dimensions):
                profile[d] += weight * features[item, d]
    return known


class _Room(NamedTuple):
    """Room for `_score` to work in.

    Attributes:
        profile: float32 (GROUP, d4).
        known: bool (GROUP,).
        scores: float32 (GROUP, tiles x TILE).
        out: float32 (TILE,).
        best, score: int32 and float32 (k,).
        scored: int64 (n,): how many places of each slate were filled by score, the first ones.
    """

    profile: np.ndarray
    known: np.ndarray
    scores: np.ndarray
    out: np.ndarray
    best: np.ndarray
    score: np.ndarray
    scored: np.ndarray


@kernel
def _score(
    slates: np.ndarray, batch: BatchArrays, features: np.ndarray, tiles: np.ndarray, ties: np.uint64, room: _Room
) -> None:
    """Fill ``slates`` (n, k): score all items for a group of requests tile by tile, then pick for each."""
    user, start, positives, seen = batch.user, batch.start, batch.had, batch.seen
    recent_start, recent_items = batch.recent_start, batch.recent_items
    events_item, events_value = batch.events_item, batch.events_value
    marks, ranked = batch.marks, batch.ranked
    lists, bounds, of = batch.lists
    profile, known, scores, out, best, score, scored = room
    n, places = slates.shape
    n_items = marks.size
    for group in range(0, n, GROUP):
        members = min(GROUP, n - group)
        for member in range(members):
            row = group + member
            first, last = span(start, np.int64(user[row]))
            known[member] = add_profile(
                profile[member], positives[first:last], events_item[row], events_value[row], features
            )
        for tile in range(tiles.shape[0]):
            for member in range(members):
                if known[member]:
                    dot_tile(profile, member, tiles, tile, out)
                    for j in range(TILE):
                        scores[member, tile * TILE + j] = out[j]
        for member in range(members):
            row = group + member
            candidates = turn_to(row, marks, ranked, lists, bounds, of)
            first, last = span(start, np.int64(user[row]))
            had, visit = positives[first:last], events_item[row]
            recent = recent_items[recent_start[row] : recent_start[row + 1]]
            mark(marks, had, visit, recent, seen)
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
            scored[row] = size
            if size < places:
                fill_by_popularity(slates, row, size, candidates, marks, ranked)
            unmark(marks, had, visit, recent)


@dataclass(frozen=True)
class ContentSettings(Settings):
    """Settings of :class:`ContentKNN`."""

    modality: str = setting(meaning="which features of the catalog to use")
    centre: bool = setting(True, "subtract the catalog's mean first (else what all items share dominates the cosine)")


class ContentKNN(Counting):
    """Items whose features of one modality are most like (cosine) the mean of what the user liked.

    Features are centred over the catalog and scaled to length 1. The profile of a request is the mean over the user's
    positives at fit, each with weight 1, and the visit's items so far, each weighted by how much of it was consumed. A
    cold user without any profile gets the most popular items.
    """

    name: ClassVar[str] = "contentknn"
    reproducibility: ClassVar[Reproducibility] = "exact"
    takes_lists: ClassVar[bool] = True

    Config = ContentSettings
    reads = "positives"
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
        """Recommend the candidates most like the profile, then the most popular."""
        slates = np.full((len(requests), requests.slate_size), NO_ITEM, np.int32)
        batch = fitted(self._history, self.name).ready(requests, self.name)
        room = _Room(
            np.zeros((GROUP, self._tiles.shape[1]), np.float32),
            np.zeros(GROUP, np.bool_),
            np.empty((GROUP, self._tiles.shape[0] * TILE), np.float32),
            np.empty(TILE, np.float32),
            np.empty(requests.slate_size, np.int32),
            np.empty(requests.slate_size, np.float32),
            np.empty(len(requests), np.int64),
        )
        _score(slates, batch, self._features, self._tiles, root(self.seed, self.name), room)
        known = fitted(self._history, self.name).known(requests.user)
        self.count(slates, np.arange(slates.shape[1]) >= room.scored[:, None], known)
        return Slates(slates)

    def scores(self, requests: Requests) -> np.ndarray:
        """Return cosines with the profile times its length; NaN for users without a profile."""
        history = fitted(self._history, self.name)
        history.check(requests, self.name)
        profile = profiles(history, requests)[1]
        found = np.asarray((profile @ self._features) @ self._features.T, dtype=np.float32)
        found[np.diff(profile.indptr) == 0] = np.nan
        return found

    def state(self) -> dict[str, np.ndarray]:
        """Return the users' positives, the ranking by popularity, and the normalised features."""
        return {**fitted(self._history, self.name).state(), "features": self._features, **self.counts()}

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Take back what ``state`` gave."""
        self._history = History.restored(state)
        self._set_features(state["features"])
        self.take_counts(state)

    def _set_features(self, features: np.ndarray) -> None:
        self._features = features
        self._tiles = tiled(features)
