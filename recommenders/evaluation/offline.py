"""Offline judgment of a recommender: held-out positives, full ranking of the catalog, items of training masked.

The protocol of the published tables of multimodal recommendation (random 8:1:1, only training items masked), except
that the split is keyed per pair, so that adding users or items moves no other pair.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recommenders.contract import Catalog, Label, PlatformLog, Positives, Recommender, Requests, valid_slates
from recommenders.contract.errors import RecommenderError
from recommenders.evaluation import metrics
from recommenders.models.hashing import chain, mix, root, uniform
from recommenders.registry import create

POSITIVE = Label("positive", ("positive",))
"""Label of logs made by :func:`log_of`."""

CHUNK = 2048


@dataclass(frozen=True)
class Split:
    """Disjoint parts of a set of positives."""

    train: Positives
    validation: Positives
    test: Positives


def holdout_split(positives: Positives, seed: int, shares: tuple[float, float, float] = (0.8, 0.1, 0.1)) -> Split:
    """Train, validation and test: each pair goes by a keyed hash of (seed, user, item) alone.

    Raises:
        RecommenderError: if the shares are not three non-negative numbers that add up to 1.
    """
    if len(shares) != 3 or min(shares) < 0 or abs(sum(shares) - 1) > 1e-9:
        raise RecommenderError("holdout_split.shares", f"are {shares}", "expected three shares that add up to 1")
    start = np.full(1, root(seed, "holdout"))
    draw = mix(mix(start, positives.user.astype(np.uint64)), positives.item.astype(np.uint64))
    part = np.searchsorted(np.cumsum(shares)[:2], uniform(draw), side="right")
    return Split(*(positives.take(np.flatnonzero(part == p)) for p in range(3)))


def log_of(positives: Positives, n_users: int, n_items: int, values: bool = False) -> PlatformLog:
    """Make a platform log with one event, ``positive``, per pair, for fitting outside a simulation.

    With ``values`` each event has its pair's weight as value (a rating, say).
    """
    order = np.lexsort((positives.user, positives.time))
    time = positives.time[order]
    columns = {"time": time, "logged_at": time, "user": positives.user[order], "item": positives.item[order]}
    if values:
        columns["value"] = positives.weight[order]
    names = dict.fromkeys(("surface", "device", "stage"), ("offline",))
    return PlatformLog.from_columns(columns, {**names, "event": POSITIVE.events}, n_users, n_items)


@dataclass(frozen=True)
class Evaluation:
    """Hold what an evaluation found.

    Attributes:
        means: metric name (``recall@20`` ...) -> mean over the test users.
        per_user: metric name -> float64, one per test user, in the order of ``users``.
        users: uint32, the users who have at least one test item and at least one training item.
    """

    means: dict[str, float]
    per_user: dict[str, np.ndarray]
    users: np.ndarray


def evaluate(
    recommender: Recommender,
    train: Positives,
    test: Positives,
    catalog: Catalog,
    n_users: int,
    k: int = 20,
    seed: int = 0,
) -> Evaluation:
    """Fit on ``train``, rank all items for every test user with that user's training items masked, and judge.

    Training items are handed over as those shown lately, so that every plug-in is masked by the same rule. Items that
    training never met stay in the ranking. ``recommender.label`` is ignored in favour of the pairs given, and put back.
    """
    own_label = recommender.label
    recommender.label = POSITIVE
    try:
        recommender.fit(log_of(train, n_users, catalog.n_items), catalog)
    finally:
        recommender.label = own_label
    trained = metrics.HeldOut.of_pairs(train.user, train.item, n_users)
    held_out = metrics.HeldOut.of_pairs(test.user, test.item, n_users)
    users = np.flatnonzero((trained.sizes > 0) & (held_out.sizes > 0)).astype(np.uint32)
    k = min(k, catalog.n_items)
    ranked = np.empty((users.size, k), np.int32)
    for first in range(0, users.size, CHUNK):
        chunk = users[first : first + CHUNK]
        requests = requests_for(chunk, trained, catalog.n_items, k, seed)
        ranked[first : first + CHUNK] = valid_slates(recommender, requests, catalog.n_items).items
    row_of = np.full(n_users, -1, np.int64)
    row_of[users] = np.arange(users.size)
    known = row_of[test.user] >= 0
    relevant = metrics.HeldOut.of_pairs(row_of[test.user[known]], test.item[known], users.size)
    per_user = {
        f"recall@{k}": metrics.recall(ranked, relevant, k),
        f"ndcg@{k}": metrics.ndcg(ranked, relevant, k),
        f"hit_rate@{k}": metrics.hit_rate(ranked, relevant, k),
    }
    means = {name: float(values.mean()) if values.size else float("nan") for name, values in per_user.items()}
    return Evaluation(means, per_user, users)


def requests_for(users: np.ndarray, trained: metrics.HeldOut, n_items: int, k: int, seed: int) -> Requests:
    """Make one request per user for k items of the whole catalog; a user's training items count as shown lately."""
    recent = [trained.items[trained.start[user] : trained.start[user + 1]] for user in users]
    zeros = np.zeros(users.size, np.uint32)
    codes = np.zeros(users.size, np.uint8)
    return Requests(
        key=chain(seed, users),
        user=users,
        session=zeros,
        request=zeros,
        time=np.zeros(users.size),
        surface=codes,
        device=codes,
        stage=codes,
        recent_start=np.concatenate(([0], np.cumsum(trained.sizes[users]))),
        recent_items=np.concatenate(recent).astype(np.int32) if recent else np.empty(0, np.int32),
        events_item=np.empty((users.size, 0), np.int32),
        events_value=np.empty((users.size, 0), np.float32),
        candidates=np.arange(n_items, dtype=np.int32),
        slate_size=k,
    )


SHRINKAGES = (10.0, 100.0, 1000.0)
"""Shrinkages among which the validation part chooses: real sets differ that much in what is best for them."""


def learnability(positives: Positives, n_users: int, n_items: int, seed: int) -> dict[str, float]:
    """Measure the density of positives, and how far item-kNN beats popularity on them (Recall@20, test part of 8:1:1).

    Item-kNN keeps 100 neighbours, and takes the shrinkage of :data:`SHRINKAGES` with the best Recall@20 on the
    validation part. ``n_users`` and ``n_items`` are those of the platform; density is pairs / (n_users x n_items).

    Returns:
        density, recall_popularity, recall_itemknn, ratio (NaN where popularity finds nothing), shrink (the one chosen),
        n_test_users (users with test and training items).
    """
    split = holdout_split(positives, seed)
    catalog = Catalog(n_items)
    metric = f"recall@{min(20, n_items)}"

    def judged(recommender: Recommender, part: Positives) -> float:
        return evaluate(recommender, split.train, part, catalog, n_users, k=20, seed=seed).means[metric]

    # A key that is never NaN: without validation users all are equal, and the first is taken.
    shrink = max(SHRINKAGES, key=lambda s: np.nan_to_num(judged(_itemknn(s, seed), split.validation)))
    knn = judged(_itemknn(shrink, seed), split.test)
    popularity = evaluate(create("popularity", seed=seed), split.train, split.test, catalog, n_users, k=20, seed=seed)
    by_popularity = popularity.means[metric]
    return {
        "density": len(positives) / (n_users * n_items) if n_users and n_items else float("nan"),
        "recall_popularity": by_popularity,
        "recall_itemknn": knn,
        "ratio": knn / by_popularity if by_popularity > 0 else float("nan"),
        "shrink": shrink,
        "n_test_users": float(popularity.users.size),
    }


def _itemknn(shrink: float, seed: int) -> Recommender:
    return create("itemknn", {"neighbors": 100, "shrink": shrink}, seed=seed)
