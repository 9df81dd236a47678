"""Splits: at random, each user's last, by time, or as the source says."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from recommenders.contract import Positives, RecommenderError
from recommenders.evaluation.dataset import Dataset
from recommenders.evaluation.offline import Split, holdout_split
from recommenders.models.hashing import mix, root

SHARES = (0.8, 0.1, 0.1)
_OTHERS = "expected another split, or more pairs per user"


def _parts(positives: Positives, part: np.ndarray) -> Split:
    return Split(*(positives.take(np.flatnonzero(part == p)) for p in range(3)))


def random(data: Dataset, seed: int) -> Split:
    """Split 8:1:1, each pair by a keyed hash of (seed, user, item) alone."""
    return holdout_split(data.positives, seed, SHARES)


def leave_one_out(data: Dataset, seed: int) -> Split:
    """Hold out each user's last pair for the test, the one before for validation; without times, two by a keyed hash.

    Users with fewer than three pairs stay in training.
    """
    pairs = data.positives
    start = np.full(1, root(seed, "leave-one-out"))
    draw = mix(mix(start, pairs.user.astype(np.uint64)), pairs.item.astype(np.uint64))
    order = np.lexsort((draw, pairs.time if data.timed else np.zeros(len(pairs)), pairs.user))
    ends = np.cumsum(np.bincount(pairs.user, minlength=data.n_users))
    size = np.bincount(pairs.user, minlength=data.n_users)
    part = np.zeros(len(pairs), np.int8)
    part[order[ends[size >= 3] - 1]] = 2
    part[order[ends[size >= 3] - 2]] = 1
    return _parts(pairs, part)


def temporal(data: Dataset, seed: int) -> Split:
    """Train on the earliest 80 % of all pairs, validate on the next tenth, test on the last: two dates for all."""
    if not data.timed:
        raise RecommenderError(f"data {data.name}", "has no times", "expected split=random, leave-one-out or given")
    time = data.positives.time
    first, second = np.quantile(time, (SHARES[0], SHARES[0] + SHARES[1]))
    return _parts(data.positives, (time > first).astype(np.int8) + (time > second))


def given(data: Dataset, seed: int) -> Split:
    """Return the source's own split: 0 train, 1 validation, 2 test."""
    if data.no_part is not None:
        raise data.no_part
    if data.part is None:
        right = "expected split=random, leave-one-out or temporal, or a column split (0 train, 1 validation, 2 test)"
        raise RecommenderError(f"data {data.name}", "has no split of its own", right)
    return _parts(data.positives, data.part)


SPLITS: dict[str, Callable[[Dataset, int], Split]] = {
    "random": random,
    "leave-one-out": leave_one_out,
    "temporal": temporal,
    "given": given,
}
"""All splits by name."""


def split_of(data: Dataset, name: str, seed: int) -> Split:
    """Return the split of that name.

    Raises:
        RecommenderError: it cannot be made of these data, or leaves nothing to learn from or to find.
    """
    split = SPLITS[name](data, seed)
    where, sizes = f"data {data.name}", f"{len(split.train):,} / {len(split.validation):,} / {len(split.test):,} pairs"
    if not len(split.train) or not len(split.test):
        why = ""
        if name == "temporal" and np.unique(data.positives.time).size < 3:
            why = ": all are of one time" if np.unique(data.positives.time).size == 1 else ": there are only two times"
        elif name == "leave-one-out":
            why = ": no user has three pairs"
        empty = "test" if len(split.train) else "training"
        raise RecommenderError(where, f"split={name} leaves an empty {empty} part ({sizes}){why}", _OTHERS)
    if not np.isin(split.test.user, split.train.user).any():
        wrong = f"split={name} leaves no user with training and test pairs ({sizes})"
        raise RecommenderError(where, wrong, _OTHERS)
    return split
