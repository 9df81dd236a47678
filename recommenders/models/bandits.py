"""Contextual bandits on a shared linear model of (user, item): LinUCB and Thompson sampling, with exact propensities.

The context of a pair is phi = (1, v_i, p_u * v_i): v_i is the item's vector of length 1 (the first singular vectors of
a modality's features or, without one, of the positives), p_u the mean vector of the user's profile, scaled to length 1,
and * multiplies entry by entry. The reward of an impression is 1 if the user had a positive of the item. A log without
impressions gives each positive once with reward 1, and one item that the user never had with reward 0.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from recommenders.contract import NO_ITEM, Catalog, Range, Requests, Settings, Slates, in_slates, setting
from recommenders.models.factorization import right_singular_vectors
from recommenders.models.hashing import mix, root, uniform
from recommenders.models.ranker import BLOCK, Batch, Learning, Ranker, product

IMPRESSION = "impression"
CHUNK = 65_536


@dataclass(frozen=True)
class BanditSettings(Settings):
    """Settings of linear bandits."""

    modality: str | None = setting(None, "features that make the items' vectors; none: the positives make them")
    factors: int = setting(8, "length of an item's vector", low=1, high=32, search=Range(2, 16))
    regularization: float = setting(1.0, "of the linear model", low=1e-9, search=Range(0.1, 100, log=True))


class LinearBandit(Ranker):
    """Base: ridge regression of rewards on contexts."""

    needs = "nothing"
    Config: ClassVar[type[Settings]] = BanditSettings
    config: BanditSettings

    def check(self, catalog: Catalog) -> None:
        """Check that features of the modality are there, where one is wanted."""
        if self.config.modality is not None:
            catalog.require_feature(self.config.modality, f"recommender {self.name}")

    def learn(self, data: Learning) -> dict[str, np.ndarray]:
        """Return item vectors (n_items, r), the inverse of the regularised Gram matrix of contexts, and solution."""
        vectors = self._vectors(data)
        users, items, reward = _rewards(data)
        profile = _unit(data.matrix @ vectors)
        d = 1 + 2 * vectors.shape[1]
        gram, target = self.config.regularization * np.eye(d), np.zeros(d)
        for first in range(0, users.size, CHUNK):
            rows = slice(first, first + CHUNK)
            v, p = vectors[items[rows]].astype(np.float64), profile[users[rows]]
            context = np.column_stack((np.ones(len(v)), v, p * v))
            gram += context.T @ context
            target += context.T @ reward[rows]
        inverse = np.linalg.inv(gram)
        return {"vectors": vectors, "inverse": inverse, "solution": inverse @ target}

    def _vectors(self, data: Learning) -> np.ndarray:
        k, modality = self.config.factors, self.config.modality
        if modality is None:
            return _unit(right_singular_vectors(data.matrix, k, data.random()))
        features = data.catalog.feature(modality, f"recommender {self.name}").astype(np.float64)
        features = features - features.mean(axis=0) if len(features) else features
        left, size, _ = np.linalg.svd(features, full_matrices=False)
        return _unit((left * size)[:, :k].astype(np.float32))

    def profiles(self, batch: Batch) -> np.ndarray:
        """Return the users' vectors, float64 (n, r)."""
        return _unit(batch.profile @ self.learned["vectors"]).astype(np.float64)

    def expected(self, profiles: np.ndarray, solution: np.ndarray) -> np.ndarray:
        """Return the linear model's values, float32 (n, n_items), for one solution."""
        r = profiles.shape[1]
        rows = solution[1 : 1 + r] + profiles * solution[1 + r :]
        return product(rows, self.learned["vectors"].T) + np.float32(solution[0])


def _unit(rows: Any) -> np.ndarray:
    rows = np.asarray(rows)
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12), dtype=np.float32)


def _rewards(data: Learning) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return user, item and reward of all that was tried."""
    log, n = data.log, np.int64(max(data.n_items, 1))
    had = data.positives.user.astype(np.int64) * n + data.positives.item
    names = log.names["event"]
    shown = log.event == names.index(IMPRESSION) if IMPRESSION in names else np.zeros(len(log), bool)
    rows = np.flatnonzero(shown & (log.item < n))
    if rows.size:
        users, items = log.user[rows].astype(np.int64), log.item[rows].astype(np.int64)
        return users, items, np.isin(users * n + items, had).astype(np.float64)
    users, items = data.positives.user.astype(np.int64), data.positives.item.astype(np.int64)
    others = data.random().integers(0, n, users.size)
    never = ~np.isin(users * n + others, had)
    reward = np.concatenate((np.ones(users.size), np.zeros(int(never.sum()))))
    return np.concatenate((users, users[never])), np.concatenate((items, others[never])), reward


@dataclass(frozen=True)
class UCBSettings(BanditSettings):
    """Settings of :class:`LinUCB`."""

    alpha: float = setting(0.5, "standard deviations added to what is expected", low=0, search=Range(0, 3))


class LinUCB(LinearBandit):
    """LinUCB with one model for all items (Li et al., WWW 2010): expected value plus alpha standard deviations.

    Given the request its slate is certain, so every propensity is 1.
    """

    name: ClassVar[str] = "linucb"
    Config: ClassVar[type[Settings]] = UCBSettings
    config: UCBSettings

    def prepare(self) -> None:
        """Prepare products of each item's vector with itself, so that variances are one matrix product."""
        v = np.column_stack((np.ones(len(self.learned["vectors"])), self.learned["vectors"]))
        self._squares = np.einsum("ia,ib->abi", v, v).reshape(-1, len(v)).astype(np.float32)

    def score(self, batch: Batch) -> np.ndarray:
        """Return upper confidence bounds."""
        profiles = self.profiles(batch)
        n, r = profiles.shape
        # phi = B (1, v) with B = (1 0; 0 I; 0 diag p): the variance is (1, v)' B' A^-1 B (1, v).
        b = np.zeros((n, 1 + 2 * r, 1 + r))
        b[:, 0, 0] = 1
        b[:, np.arange(1, 1 + r), np.arange(1, 1 + r)] = 1
        b[:, np.arange(1 + r, 1 + 2 * r), np.arange(1, 1 + r)] = profiles
        form = np.stack([one.T @ self.learned["inverse"] @ one for one in b]) if n else np.zeros((0, 1 + r, 1 + r))
        variance = np.maximum(product(form.reshape(n, -1), self._squares), 0)
        return np.asarray(self.expected(profiles, self.learned["solution"]) + self.config.alpha * np.sqrt(variance))

    def propensities(self, slates: np.ndarray) -> np.ndarray | None:
        """Return 1 wherever there is an item."""
        return np.where(slates != NO_ITEM, np.float32(1), np.float32(np.nan))

    def chances(self, requests: Requests, items: np.ndarray) -> np.ndarray | None:
        """Return 1 for the items of its slates, 0 for all others."""
        return in_slates(items, self.recommend(requests).items).astype(np.float64)


@dataclass(frozen=True)
class ThompsonSettings(BanditSettings):
    """Settings of :class:`Thompson`."""

    spread: float = setting(0.5, "standard deviation of a reward", low=0, search=Range(0.05, 2, log=True))
    draws: int = setting(16, "models drawn from the posterior at each fit", low=1, high=1024)


class Thompson(LinearBandit):
    """Thompson sampling from a posterior of a few drawn models (ensemble sampling: Lu and Van Roy, NeurIPS 2017).

    At fit ``draws`` models are drawn from the Gaussian posterior; each request takes one of them, equally likely, by
    its key. An item's propensity is then exactly the share of the models whose slate holds it; to know it, the slates
    of all are made, so a request costs ``draws`` rankings.
    """

    name: ClassVar[str] = "thompson"
    Config: ClassVar[type[Settings]] = ThompsonSettings
    config: ThompsonSettings

    def learn(self, data: Learning) -> dict[str, np.ndarray]:
        """Fit the ridge regression, and draw models (draws, d)."""
        learned = super().learn(data)
        factor = np.linalg.cholesky(learned["inverse"])
        normal = data.random().normal(size=(self.config.draws, len(factor)))
        return {**learned, "models": learned["solution"] + self.config.spread * normal @ factor.T}

    def recommend(self, requests: Requests) -> Slates:
        """Recommend each request's slate by its own model, with the propensities of its items."""
        shape = (len(requests), requests.slate_size)
        items, propensity = np.full(shape, NO_ITEM, np.int32), np.full(shape, np.nan, np.float32)
        draw = uniform(mix(np.full(1, root(self.seed, "thompson model")), requests.key))
        n = len(self.learned["models"])
        taken = np.minimum((draw * n).astype(np.int64), n - 1)
        for rows, slates in self._of_all_models(requests):
            own = slates[taken[rows], np.arange(slates.shape[1])]
            items[rows] = own
            propensity[rows] = np.where(own != NO_ITEM, _share(own, slates), np.nan)
        return Slates(items, propensity)

    def chances(self, requests: Requests, items: np.ndarray) -> np.ndarray | None:
        """Return the share of the models whose slate holds an item."""
        found = np.zeros(items.shape)
        for rows, slates in self._of_all_models(requests):
            found[rows] = _share(items[rows], slates)
        return found

    def _of_all_models(self, requests: Requests) -> Iterator[tuple[slice, np.ndarray]]:
        """Yield the rows of the requests, and the slates that every model gives them, int32 (models, rows, size)."""
        models = self.learned["models"]
        for first, batch in self.batches(requests):
            profiles = self.profiles(batch)
            slates = np.full((len(models), len(batch.requests), requests.slate_size), NO_ITEM, np.int32)
            for slate, model in zip(slates, models, strict=True):
                self.fill(slate, batch, np.ascontiguousarray(self.expected(profiles, model)))
            yield slice(first, first + BLOCK), slates


def _share(items: np.ndarray, slates: np.ndarray) -> np.ndarray:
    """Return the share of the slates (models, n, size) that hold each of items (n, k)."""
    return np.asarray(np.mean([in_slates(items, each) for each in slates], axis=0))
