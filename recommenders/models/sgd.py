"""Models trained pair by pair with stochastic gradients: MF-BPR, SLIM-BPR, MF-Funk, asymmetric SVD.

All luck is a keyed counter, so that a fit is the same at every time. Adagrad divides each step by the root of the
squared gradients so far (Duchi et al., JMLR 2011).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, NamedTuple

import numpy as np

from recommenders.contract import Catalog, Choice, Range, Reproducibility, Settings, setting
from recommenders.models.hashing import root
from recommenders.models.history import History
from recommenders.models.item_item import ItemItem
from recommenders.models.kernel import below, kernel, mix
from recommenders.models.profiles import PositiveRows
from recommenders.models.ranker import Batch, Learning, Ranker, product, refuse_beyond

Optimizer = Literal["sgd", "adagrad"]
_RATE = Range(1e-3, 0.3, log=True)
_REG = Range(1e-5, 1e-1, log=True)


@dataclass(frozen=True)
class BPRSettings(Settings):
    """Settings of :class:`BPR`."""

    factors: int = setting(64, "length of a vector", low=1, search=Range(8, 200, log=True))
    rate: float = setting(0.05, "learning rate", low=1e-9, search=_RATE)
    regularization: float = setting(0.05, "of all vectors", low=0, search=Range(1e-4, 1, log=True))
    epochs: int = setting(100, "rounds, each of as many samples as there are positives", low=1)
    optimizer: Optimizer = setting("adagrad", "how steps are sized", search=Choice(("sgd", "adagrad")))


@kernel
def pair_of(start: np.ndarray, draw: np.uint64, pairs: np.uint64) -> tuple[int, np.int64]:
    """Draw the user and the place of a positive, each positive equally likely."""
    place = np.int64(below(draw, pairs))
    low = 0
    high = start.size - 1
    while high - low > 1:
        middle = (low + high) >> 1
        if start[middle] <= place:
            low = middle
        else:
            high = middle
    return low, place


@kernel
def unseen(start: np.ndarray, items: np.ndarray, user: np.int64, draw: np.uint64, n_items: np.int64) -> np.int64:
    """Draw an item that the user has not had; -1 if twenty draws found none."""
    for attempt in range(20):
        item = np.int64(below(mix(draw, np.uint64(attempt)), np.uint64(n_items)))
        low = start[user]
        high = start[user + 1]
        while low < high:
            middle = (low + high) >> 1
            if items[middle] < item:
                low = middle + 1
            else:
                high = middle
        if low == start[user + 1] or items[low] != item:
            return item
    return np.int64(-1)


class _Vectors(NamedTuple):
    """Hold a number per factor for each user and each item, float64 (n_users, k) and (n_items, k)."""

    users: np.ndarray
    items: np.ndarray


class _Step(NamedTuple):
    """Say how far a sample moves the vectors."""

    rate: float
    regularization: float
    adagrad: bool


@kernel
def _bpr(positives: PositiveRows, vectors: _Vectors, past: _Vectors, step: _Step, draw: np.uint64) -> None:
    """Step up log sigma(<p_u, q_i - q_j>) - reg/2 (|p_u|^2 + |q_i|^2 + |q_j|^2), as often as there are positives.

    ``vectors`` p and q change in place, and so does ``past``, the sums of their squared gradients.
    """
    start, items = positives.start, positives.items
    p, q, p_past, q_past = vectors.users, vectors.items, past.users, past.items
    rate, reg, adagrad = step.rate, step.regularization, step.adagrad
    n_items = np.int64(q.shape[0])
    for s in range(items.size):
        mine = mix(draw, np.uint64(s))
        u, place = pair_of(start, mine, np.uint64(items.size))
        i = items[place]
        j = unseen(start, items, np.int64(u), mix(mine, np.uint64(1)), n_items)
        if j < 0:
            continue
        x = 0.0
        for f in range(p.shape[1]):
            x += p[u, f] * (q[i, f] - q[j, f])
        g = 1.0 / (1.0 + np.exp(x))
        for f in range(p.shape[1]):
            pu, qi, qj = p[u, f], q[i, f], q[j, f]
            du = g * (qi - qj) - reg * pu
            di = g * pu - reg * qi
            dj = -g * pu - reg * qj
            if adagrad:
                p_past[u, f] += du * du
                q_past[i, f] += di * di
                q_past[j, f] += dj * dj
                du /= np.sqrt(p_past[u, f]) + 1e-8
                di /= np.sqrt(q_past[i, f]) + 1e-8
                dj /= np.sqrt(q_past[j, f]) + 1e-8
            p[u, f] += rate * du
            q[i, f] += rate * di
            q[j, f] += rate * dj


class UserItem(Ranker):
    """Base of models that end in a vector per user and one per item."""

    takes_lists: ClassVar[bool] = True
    needs: ClassVar[Literal["profile", "user", "nothing"]] = "user"

    def prepare(self) -> None:
        """Transpose the items' vectors for products."""
        self._turned = np.ascontiguousarray(self.learned["items"].T, dtype=np.float32)

    def score(self, batch: Batch) -> np.ndarray:
        """Return products of users' and items' vectors."""
        if not len(self.learned["users"]):
            return np.full((len(batch.requests), self.history.n_items), np.nan, np.float32)
        return product(self.learned["users"][batch.users], self._turned)


class BPR(UserItem):
    """Matrix factorisation by Bayesian personalised ranking (Rendle et al., UAI 2009), without biases."""

    name: ClassVar[str] = "bpr"
    Config = BPRSettings
    reads = "positives"
    config: BPRSettings

    def learn(self, data: Learning) -> dict[str, np.ndarray]:
        """Train user and item vectors, float32."""
        c, random = self.config, data.random()
        p = random.uniform(-0.5, 0.5, (data.n_users, c.factors)) / c.factors
        q = random.uniform(-0.5, 0.5, (data.n_items, c.factors)) / c.factors
        positives = PositiveRows(data.history.start, data.history.items)
        vectors, past = _Vectors(p, q), _Vectors(np.zeros_like(p), np.zeros_like(q))
        step = _Step(c.rate, c.regularization, c.optimizer == "adagrad")
        for epoch in range(c.epochs if positives.items.size else 0):
            _bpr(positives, vectors, past, step, root(data.seed, f"epoch {epoch}"))
        return {"users": p.astype(np.float32), "items": q.astype(np.float32)}


@dataclass(frozen=True)
class SlimBPRSettings(Settings):
    """Settings of :class:`SlimBPR`."""

    neighbors: int = setting(100, "items kept per item", low=1, search=Range(5, 1000))
    rate: float = setting(0.01, "learning rate", low=1e-9, search=Range(1e-4, 1e-1, log=True))
    positive_reg: float = setting(1e-3, "of weights into the positive", low=0, search=Range(1e-5, 1e-2, log=True))
    negative_reg: float = setting(1e-3, "of weights into the negative", low=0, search=Range(1e-5, 1e-2, log=True))
    symmetric: bool = setting(True, "whether weights of (i, j) and (j, i) are one", search=Choice((True, False)))
    epochs: int = setting(10, "rounds, each of as many samples as there are positives", low=1)
    optimizer: Optimizer = setting("sgd", "how steps are sized, per item", search=Choice(("sgd", "adagrad")))
    largest: int = setting(20_000, "items beyond which it refuses: its weights are a dense matrix", low=1)


class _SlimStep(NamedTuple):
    """Say how far a sample moves the weights of items."""

    rate: float
    positive_reg: float
    negative_reg: float
    symmetric: bool
    adagrad: bool


@kernel
def _slim_bpr(positives: PositiveRows, w: np.ndarray, past: np.ndarray, step: _SlimStep, draw: np.uint64) -> None:
    """Step up log sigma(sum over the profile's l of w_il - w_jl), as often as there are positives.

    ``w`` float32 (n, n) changes in place, and so does ``past`` float64 (n,), the sums of squared gradients by item.
    """
    start, items = positives.start, positives.items
    rate, reg_i, reg_j, symmetric, adagrad = step
    n_items = np.int64(w.shape[0])
    for s in range(items.size):
        mine = mix(draw, np.uint64(s))
        u, place = pair_of(start, mine, np.uint64(items.size))
        i = items[place]
        j = unseen(start, items, np.int64(u), mix(mine, np.uint64(1)), n_items)
        if j < 0:
            continue
        x = 0.0
        for l in range(start[u], start[u + 1]):  # noqa: E741 - the paper's letter
            x += w[i, items[l]] - w[j, items[l]]
        g = 1.0 / (1.0 + np.exp(x))
        rate_i = rate_j = rate
        if adagrad:
            past[i] += g * g
            past[j] += g * g
            rate_i = rate / (np.sqrt(past[i]) + 1e-8)
            rate_j = rate / (np.sqrt(past[j]) + 1e-8)
        for l in range(start[u], start[u + 1]):  # noqa: E741
            other = items[l]
            if other != i:
                w[i, other] += rate_i * (g - reg_i * w[i, other])
                if symmetric:
                    w[other, i] = w[i, other]
            if other != j:
                w[j, other] -= rate_j * (g + reg_j * w[j, other])
                if symmetric:
                    w[other, j] = w[j, other]


class SlimBPR(ItemItem):
    """SLIM trained by Bayesian personalised ranking: item-item weights, of which the largest positive ones stay.

    The negative's weights are shrunk towards 0, where the classic's code, by a sign, lets them grow.
    """

    name: ClassVar[str] = "slimbpr"
    reproducibility: ClassVar[Reproducibility] = "same machine"
    Config = SlimBPRSettings
    config: SlimBPRSettings

    def neighbours(self, history: History, catalog: Catalog) -> tuple[np.ndarray, np.ndarray]:
        """Return each item's weights on others."""
        c, n = self.config, history.n_items
        refuse_beyond(n, c.largest, self.name, "a dense matrix")
        w, past = np.zeros((n, n), np.float32), np.zeros(n)
        positives = PositiveRows(history.start, history.items)
        step = _SlimStep(c.rate, c.positive_reg, c.negative_reg, c.symmetric, c.optimizer == "adagrad")
        for epoch in range(c.epochs if history.items.size else 0):
            _slim_bpr(positives, w, past, step, root(int(root(self.seed, self.name)), f"epoch {epoch}"))
        np.fill_diagonal(w, 0)
        k = min(c.neighbors, max(n - 1, 1))
        found = np.argpartition(-w, k - 1, axis=1)[:, :k].astype(np.int32)
        kept = np.take_along_axis(w, found, axis=1)
        return np.where(kept > 0, found, -1).astype(np.int32), np.maximum(kept, 0)


@dataclass(frozen=True)
class SquaredSettings(Settings):
    """Settings of models with squared error."""

    factors: int = setting(32, "length of a vector", low=1, search=Range(1, 200, log=True))
    rate: float = setting(0.05, "learning rate", low=1e-9, search=_RATE)
    regularization: float = setting(0.02, "of vectors and biases", low=0, search=_REG)
    negatives: float = setting(
        0.5, "share of samples that are unseen items with target 0", low=0, high=0.9, search=Range(0.1, 0.9)
    )
    epochs: int = setting(50, "rounds, each of as many samples as there are positives", low=1)


class _Factors(NamedTuple):
    """Hold what squared error fits, float64: vectors (n, k) of users and items, items' biases (n_items,).

    ``profile`` (n_items, k) holds the vectors that a user is the sum of where the model is asymmetric; ``users`` else.
    """

    users: np.ndarray
    items: np.ndarray
    bias: np.ndarray
    profile: np.ndarray


class _SquaredStep(NamedTuple):
    """Say how samples of squared error are drawn, and how far one moves the factors."""

    rate: float
    regularization: float
    negatives: float
    asymmetric: bool


@kernel
def _funk(positives: PositiveRows, factors: _Factors, step: _SquaredStep, draw: np.uint64) -> None:
    """Fit ``factors`` for one epoch, in place; by users, as the profile's sum is then formed once per user.

    Each user gives as many samples as positives: a positive with target 1, or, with chance ``negatives``, an unseen
    item with target 0. The user's vector is ``users[u]`` or, if asymmetric, the sum of ``profile`` over the items that
    they had, divided by the root of their number.
    """
    start, items = positives.start, positives.items
    p, q, bias, y = factors.users, factors.items, factors.bias, factors.profile
    rate, reg, negatives, asymmetric = step
    mean = 1.0 - negatives
    n_items = np.int64(q.shape[0])
    k = q.shape[1]
    vector, slope = np.empty(k), np.empty(k)
    for u in range(start.size - 1):
        size = start[u + 1] - start[u]
        if size == 0:
            continue
        scale = 1.0 / np.sqrt(size)
        for f in range(k):
            slope[f] = 0.0
            if asymmetric:
                vector[f] = 0.0
                for l in range(start[u], start[u + 1]):  # noqa: E741
                    vector[f] += y[items[l], f] * scale
            else:
                vector[f] = p[u, f]
        mine = mix(draw, np.uint64(u))
        for s in range(size):
            drawn = mix(mine, np.uint64(s))
            item = np.int64(items[start[u] + np.int64(below(mix(drawn, np.uint64(1)), np.uint64(size)))])
            target = 1.0
            if (drawn >> np.uint64(11)) * 2.0**-53 < negatives:
                item = unseen(start, items, np.int64(u), mix(drawn, np.uint64(2)), n_items)
                target = 0.0
                if item < 0:
                    continue
            error = target - mean - bias[item]
            for f in range(k):
                error -= vector[f] * q[item, f]
            bias[item] += rate * (error - reg * bias[item])
            for f in range(k):
                old = q[item, f]
                q[item, f] += rate * (error * vector[f] - reg * old)
                if asymmetric:
                    slope[f] += error * old
                else:
                    vector[f] += rate * (error * old - reg * vector[f])
        if asymmetric:
            for l in range(start[u], start[u + 1]):  # noqa: E741
                for f in range(k):
                    y[items[l], f] += rate * (slope[f] * scale - reg * y[items[l], f])
        else:
            for f in range(k):
                p[u, f] = vector[f]


class Funk(UserItem):
    """Matrix factorisation with squared error and item biases (Funk, 2006), on positives and unseen items.

    A user's bias ranks nothing and is left out.
    """

    name: ClassVar[str] = "funk"
    Config = SquaredSettings
    config: SquaredSettings
    asymmetric: ClassVar[bool] = False
    reads = "positives"

    def learn(self, data: Learning) -> dict[str, np.ndarray]:
        """Train user vectors with a last entry 1, item vectors with their bias."""
        c, random = self.config, data.random()
        p = random.normal(0, 0.1, (1 if self.asymmetric else data.n_users, c.factors))
        q = random.normal(0, 0.1, (data.n_items, c.factors))
        y = random.normal(0, 0.1, (data.n_items if self.asymmetric else 1, c.factors))
        bias = np.zeros(data.n_items)
        positives, factors = PositiveRows(data.history.start, data.history.items), _Factors(p, q, bias, y)
        step = _SquaredStep(c.rate, c.regularization, c.negatives, self.asymmetric)
        for epoch in range(c.epochs):
            _funk(positives, factors, step, root(data.seed, f"epoch {epoch}"))
        users = y if self.asymmetric else np.column_stack((p, np.ones(len(p))))
        return {"users": users.astype(np.float32), "items": np.column_stack((q, bias)).astype(np.float32)}


class AsymmetricSVD(Funk):
    """Asymmetric SVD (Koren, KDD 2008): a user is the sum of a second vector of each item of the profile."""

    name: ClassVar[str] = "asysvd"
    needs = "profile"
    asymmetric: ClassVar[bool] = True

    def score(self, batch: Batch) -> np.ndarray:
        """Return products of the profile's sum, over the root of its weight, with the items' vectors, plus bias."""
        weight = np.sqrt(np.maximum(np.asarray(batch.profile.sum(axis=1)), 1e-6))
        vectors = (batch.profile @ self.learned["users"]) / weight
        return product(np.column_stack((vectors, np.ones(len(vectors), np.float32))), self._turned)
