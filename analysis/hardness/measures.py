"""What is measured of a set of positives, simulated or real: density, popularity curve, and who can learn from it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from recommenders.contract import Catalog, Positives, Recommender
from recommenders.evaluation.offline import SHRINKAGES, Split, evaluate, holdout_split
from recommenders.registry import create

DENSITY, PER_USER, JUDGED = "density", "interactions_per_user", "users_judged"
CHANCE, POPULARITY = "recall_chance", "recall_popularity"
ITEMKNN, USERKNN = "recall_itemknn", "recall_userknn"
ITEM_RATIO, USER_RATIO = "itemknn_to_popularity", "userknn_to_popularity"
MEASURES = (
    "interactions", "users", "items", PER_USER, "interactions_per_user_median", JUDGED, DENSITY, CHANCE, POPULARITY,
    ITEMKNN, USERKNN, ITEM_RATIO, USER_RATIO, "top_1_percent", "top_10_percent", "gini",
)  # fmt: skip
HELD = (DENSITY, POPULARITY, ITEM_RATIO, USER_RATIO)
"""Those that have to lie within half to twice the real set's."""
NEIGHBORS = 100
LIST = 20


def hardness(positives: Positives, seed: int = 0) -> dict[str, float]:
    """Measure a set of distinct user-item pairs, with `MEASURES`; NaN where there is nothing to measure.

    Users and items are those that occur in a pair, as a published set counts them. Recall@20 is that of
    `recommenders.evaluation.offline`: 8:1:1, the whole catalog ranked, training items masked, each kind of neighbours
    with the shrinkage that is best on the validation part.

    Args:
        positives: the pairs; users and items may be numbered with gaps.
        seed: of the split and of ties.
    """
    if not len(positives):
        return dict.fromkeys(MEASURES, float("nan")) | {"interactions": 0.0, "users": 0.0, "items": 0.0}
    _, user = np.unique(positives.user, return_inverse=True)
    _, item = np.unique(positives.item, return_inverse=True)
    pairs = Positives(user.astype(np.uint32), item.astype(np.uint32), positives.time, positives.weight)
    by_user, by_item = np.bincount(user), np.bincount(item)
    split = holdout_split(pairs, seed)
    recalls = _recalls(split, by_user.size, by_item.size, seed)
    return {
        "interactions": float(len(pairs)),
        "users": float(by_user.size),
        "items": float(by_item.size),
        PER_USER: float(by_user.mean()),
        "interactions_per_user_median": float(np.median(by_user)),
        JUDGED: float(np.intersect1d(split.train.user, split.test.user).size),
        DENSITY: len(pairs) / (by_user.size * by_item.size),
        CHANCE: min(LIST / by_item.size, 1.0),
        **recalls,
        ITEM_RATIO: _ratio(recalls[ITEMKNN], recalls[POPULARITY]),
        USER_RATIO: _ratio(recalls[USERKNN], recalls[POPULARITY]),
        "top_1_percent": top_share(by_item, 0.01),
        "top_10_percent": top_share(by_item, 0.1),
        "gini": gini(by_item),
    }


def top_share(counts: npt.NDArray[np.int64], part: float) -> float:
    """Return which share of all counts the `part` of items with most of them has; at least one item.

    >>> top_share(np.array([1, 7, 2]), 0.1)
    0.7
    """
    most = np.sort(counts)[::-1][: max(round(part * counts.size), 1)]
    return float(most.sum() / counts.sum())


def gini(counts: npt.NDArray[np.int64]) -> float:
    """Return the Gini coefficient of counts: 0 all alike, towards 1 few have all.

    >>> gini(np.array([2, 2])), gini(np.array([0, 4]))
    (0.0, 0.5)
    """
    ordered, place = np.sort(counts), np.arange(1, counts.size + 1)
    return float(((2 * place - counts.size - 1) * ordered).sum() / (counts.size * ordered.sum()))


def _recalls(split: Split, n_users: int, n_items: int, seed: int) -> dict[str, float]:
    """Return Recall@20 of popularity and of both kinds of neighbours on the test part; NaN where nobody is judged."""
    return {
        POPULARITY: _recall(create("popularity", seed=seed), split, split.test, n_users, n_items, seed),
        ITEMKNN: _best("itemknn", split, n_users, n_items, seed),
        USERKNN: _best("userknn", split, n_users, n_items, seed),
    }


def _best(name: str, split: Split, n_users: int, n_items: int, seed: int) -> float:
    def made(shrink: float) -> Recommender:
        return create(name, {"neighbors": NEIGHBORS, "shrink": shrink}, seed=seed)

    # A key that is never NaN: without validation users all are equal, and the first is taken.
    shrink = max(
        SHRINKAGES, key=lambda s: np.nan_to_num(_recall(made(s), split, split.validation, n_users, n_items, seed))
    )
    return _recall(made(shrink), split, split.test, n_users, n_items, seed)


def _recall(recommender: Recommender, split: Split, part: Positives, n_users: int, n_items: int, seed: int) -> float:
    found = evaluate(recommender, split.train, part, Catalog(n_items), n_users, k=LIST, seed=seed)
    return found.means[f"recall@{min(LIST, n_items)}"]


def _ratio(value: float, beside: float) -> float:
    return value / beside if beside > 0 else float("nan")
