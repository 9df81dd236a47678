"""Models of how much, not whether: GlobalEffects, SlopeOne, CoClustering. They need a value per pair.

The value of a pair is the mean value (rating, seconds, price ...) of its rows among the label's events. Where rows
carry no value, or all the same, these models would rank all items alike, so they refuse.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from recommenders.contract import Label, Range, RecommenderError, Settings, setting
from recommenders.models.profiles import csr
from recommenders.models.ranker import Batch, Learning, Ranker, refuse_beyond


def ratings_of(data: Learning, label: Label | None, name: str) -> Any:
    """Return users by items, scipy CSR float32: the mean value of each pair.

    Raises:
        RecommenderError: there are positives, but no values or only one.
    """
    log = data.log
    rows, value = _valued(data, label)
    if len(data.positives) and (not value.size or value.min() == value.max()):
        what = "the log gives none" if not value.size else f"all are {value[0]:g}"
        raise RecommenderError(f"recommender {name}", f"needs a value per pair, and {what}", "expected ratings")
    from scipy.sparse import coo_matrix

    shape = (data.n_users, data.n_items)
    sums = coo_matrix((value, (log.user[rows], log.item[rows])), shape).tocsr()
    counts = coo_matrix((np.ones(rows.size), (log.user[rows], log.item[rows])), shape).tocsr()
    sums.sort_indices()
    counts.sort_indices()
    # A mean of exactly 0 must stay an entry.
    return csr(sums.indptr, sums.indices, sums.data / np.maximum(counts.data, 1), data.n_items)


def values_of(data: Learning, label: Label | None, levels: int | None = None) -> np.ndarray | None:
    """Return the mean value of each positive, float32.

    None unless the log says one of all, not of all the same, and with at most so many ``levels``, if these are given.
    """
    rows, value = _valued(data, label)
    if levels is not None and np.unique(value).size > levels:
        return None
    own = data.positives.user.astype(np.int64) * data.n_items + data.positives.item
    pair = data.log.user[rows].astype(np.int64) * data.n_items + data.log.item[rows]
    place = np.searchsorted(own, pair)
    known = np.flatnonzero(np.isin(pair, own))
    counts = np.bincount(place[known], minlength=own.size)
    if not counts.size or not counts.all():
        return None
    means = (np.bincount(place[known], value[known], own.size) / counts).astype(np.float32)
    return None if means.min() == means.max() else means


def _valued(data: Learning, label: Label | None) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows of the label's events that have a value, and the values, float64."""
    log = data.log
    assert label is not None  # the positives were found by it
    wanted = np.isin(log.event, log.codes("event", label.events, f"label {label.name}"))
    rows = np.flatnonzero(wanted & np.isfinite(log.value) & (log.item < data.n_items))
    return rows, log.value[rows].astype(np.float64)


@dataclass(frozen=True)
class EffectsSettings(Settings):
    """Settings of :class:`GlobalEffects`."""

    damping: float = setting(25.0, "added to the number of an item's ratings", low=0)


class OfValues(Ranker):
    """Base: learns from the values of pairs, and is refused where there are none."""

    needs_values = True


class GlobalEffects(OfValues):
    """Items by their mean deviation from the overall mean, damped (Bell and Koren, ICDM 2007); the same for all."""

    name: ClassVar[str] = "globaleffects"
    takes_lists: ClassVar[bool] = True
    needs = "nothing"
    Config = EffectsSettings
    config: EffectsSettings

    def learn(self, data: Learning) -> dict[str, np.ndarray]:
        """Return each item's effect, float32 (n_items,). A user's effect ranks nothing and is left out."""
        ratings = ratings_of(data, self.label, self.name)
        mean = ratings.data.mean() if ratings.nnz else 0.0
        sums = np.bincount(ratings.indices, ratings.data - mean, data.n_items)
        counts = np.bincount(ratings.indices, minlength=data.n_items)
        return {"effect": (sums / np.maximum(counts + self.config.damping, 1e-12)).astype(np.float32)}

    def score(self, batch: Batch) -> np.ndarray:
        """Return the items' effects."""
        return np.tile(self.learned["effect"], (len(batch.requests), 1))


@dataclass(frozen=True)
class SlopeSettings(Settings):
    """Settings of :class:`SlopeOne`."""

    largest: int = setting(20_000, "items beyond which it refuses: it keeps dense matrices of them", low=1)


class SlopeOne(OfValues):
    """Slope One (Lemire and Maclachlan, SDM 2005): the user's mean plus the mean of the items' mean differences."""

    name: ClassVar[str] = "slopeone"
    takes_lists: ClassVar[bool] = True
    Config = SlopeSettings
    config: SlopeSettings

    def learn(self, data: Learning) -> dict[str, np.ndarray]:
        """Return mean differences of pairs of items over common users, 0 without any; and whether there are any."""
        refuse_beyond(data.n_items, self.config.largest, self.name, "a dense matrix")
        ratings = ratings_of(data, self.label, self.name)
        rated = ratings.copy()
        rated.data[:] = 1
        common = (rated.T @ rated).toarray()
        sums = (ratings.T @ rated).toarray()
        difference = (sums - sums.T) / np.maximum(common, 1)
        # score_i sums over the profile's j: rows are j.
        return {"difference": np.ascontiguousarray(difference.T.astype(np.float32)), "common": common > 0}

    def score(self, batch: Batch) -> np.ndarray:
        """Return mean differences to the profile's items; a user's own mean ranks nothing. NaN without common users."""
        plain = batch.profile.copy()
        plain.data[:] = 1
        sums = np.asarray(plain @ self.learned["difference"])
        counts = np.asarray(plain @ self.learned["common"].astype(np.float32))
        return np.asarray(np.divide(sums, counts, out=np.full_like(sums, np.nan), where=counts > 0))


@dataclass(frozen=True)
class CoClusterSettings(Settings):
    """Settings of :class:`CoClustering`."""

    user_clusters: int = setting(20, "clusters of users", low=1, search=Range(1, 100))
    item_clusters: int = setting(20, "clusters of items", low=1, search=Range(1, 100))
    rounds: int = setting(20, "rounds of moving users, then items", low=1)


class CoClustering(OfValues):
    """Co-clustering (George and Merugu, ICDM 2005): cluster means, corrected by the user's and the item's own."""

    name: ClassVar[str] = "coclustering"
    takes_lists: ClassVar[bool] = True
    needs = "user"
    Config = CoClusterSettings
    config: CoClusterSettings

    def learn(self, data: Learning) -> dict[str, np.ndarray]:
        """Return each user's cluster, and each user cluster's score of each item."""
        c, random = self.config, data.random()
        ratings = ratings_of(data, self.label, self.name).tocoo()
        user, item, value = ratings.row, ratings.col, ratings.data.astype(np.float64)
        of_user = random.integers(0, c.user_clusters, data.n_users)
        of_item = random.integers(0, c.item_clusters, data.n_items)
        overall = value.mean() if value.size else 0.0
        user_mean, item_mean = _means(user, value, data.n_users, overall), _means(item, value, data.n_items, overall)
        for _ in range(c.rounds):
            blocks, rows, columns = self._blocks(of_user[user], of_item[item], value, overall)
            # A user in cluster g expects blocks[g, h] + (own mean - rows[g]) + (item's mean - columns[h]).
            known = user_mean[user] + (item_mean - columns[of_item])[item]
            expected = (blocks - rows[:, None])[:, of_item[item]]
            of_user = _closest(value - known, expected, user, data.n_users)
            blocks, rows, columns = self._blocks(of_user[user], of_item[item], value, overall)
            known = item_mean[item] + (user_mean - rows[of_user])[user]
            expected = (blocks - columns[None, :]).T[:, of_user[user]]
            of_item = _closest(value - known, expected, item, data.n_items)
        blocks, _, columns = self._blocks(of_user[user], of_item[item], value, overall)
        scores = blocks[:, of_item] + (item_mean - columns[of_item])[None, :]
        return {"cluster": of_user.astype(np.int32), "scores": scores.astype(np.float32)}

    def _blocks(
        self, row: np.ndarray, column: np.ndarray, value: np.ndarray, overall: float
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the means of co-clusters, of user clusters, of item clusters; the overall mean where one is empty."""
        n, m = self.config.user_clusters, self.config.item_clusters
        blocks = _means(row * m + column, value, n * m, overall).reshape(n, m)
        return blocks, _means(row, value, n, overall), _means(column, value, m, overall)

    def score(self, batch: Batch) -> np.ndarray:
        """Return the scores of the user's cluster; the user's own mean ranks nothing."""
        if not self.learned["cluster"].size:
            return np.full((len(batch.requests), self.history.n_items), np.nan, np.float32)
        return np.asarray(self.learned["scores"][self.learned["cluster"][batch.users]])


def _means(group: np.ndarray, value: np.ndarray, n: int, empty: float) -> np.ndarray:
    counts = np.bincount(group, minlength=n)
    return np.where(counts > 0, np.bincount(group, value, n) / np.maximum(counts, 1), empty)


def _closest(value: np.ndarray, expected: np.ndarray, group: np.ndarray, n: int) -> np.ndarray:
    """Return for each group (a user, say) the cluster, a row of ``expected``, with the least squared error."""
    errors = np.stack([np.bincount(group, (value - one) ** 2, n) for one in expected])
    return np.asarray(errors.argmin(axis=0))
