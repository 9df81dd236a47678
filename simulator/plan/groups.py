"""Segments of users: the combinations of their groups, in each of which visits have a row of their own in the tables.

Groups that differ in the same (`of`) are a partition of all users; a segment is one group of each partition. Without
any groups there is one segment.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from math import prod

import numpy as np
import numpy.typing as npt

from simulator.scenario.schema.numbers import Number
from simulator.scenario.schema.users import Group, User

Floats = npt.NDArray[np.float64]
Segment = tuple[Group, ...]

_ROUNDS, _CLOSE = 500, 1e-13


def partitions(user: User) -> list[list[Group]]:
    """Return the partitions of users into groups, in the order in which the scenario names them."""
    ways = dict.fromkeys(group.of for group in user.groups.values())
    return [[group for group in user.groups.values() if group.of == of] for of in ways]


def segments(user: User) -> list[Segment]:
    """Return all combinations of groups; that of the last partition changes first."""
    return list(product(*partitions(user)))


def factor(segment: Segment, key: str) -> float:
    """Return the product of what the groups of a segment multiply something (`key`) by."""
    factors: list[Number | None] = [getattr(group, key) for group in segment]
    return prod(each.value for each in factors if each is not None)


def shares_by_segment(user: User, key: str, names: Sequence[str], shares: Sequence[float]) -> Floats:
    """Return the shares of devices or intents (`key`) in the visits of each segment, (segments, names).

    `shares` are those of all visits. Who comes more often has more of them.
    """
    rows = segments(user)
    odds = np.ones((len(rows), len(names)))
    for row, segment in zip(odds, rows, strict=True):
        for group in segment:
            for name, ratio in getattr(group, key).items():
                row[list(names).index(name)] *= ratio.value
    visits = np.array([prod(group.share.value for group in each) * factor(each, "pace") for each in rows])
    return tilted(np.asarray(shares, dtype=np.float64), odds, visits / visits.sum())


def tilted(shares: Floats, odds: Floats, weights: Floats) -> Floats:
    """Return shares for each row of odds, (rows, n), whose mean over the rows, by weight, is `shares`.

    Ratios of odds between rows are those given, times one factor per column and one per row (iterative proportional
    fitting; Deming and Stephan 1940).

    >>> tilted(np.array([0.5, 0.5]), np.array([[3.0, 1.0], [1.0, 3.0]]), np.array([0.5, 0.5]))
    array([[0.75, 0.25],
           [0.25, 0.75]])
    """
    if bool(np.all(odds == 1.0)):
        return np.tile(shares, (len(odds), 1))
    table = shares * odds
    for _ in range(_ROUNDS):
        table /= table.sum(axis=1, keepdims=True)
        found = weights @ table
        if np.max(np.abs(found - shares)) < _CLOSE:
            break
        table *= np.divide(shares, found, out=np.ones_like(shares), where=found > 0.0)
    return np.asarray(table / table.sum(axis=1, keepdims=True))
