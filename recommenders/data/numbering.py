"""Numbers of users and items that follow from what the rows say, and neither from names nor from the order of rows.

Splits, ties and random starts depend on numbers. A table with other names for the same people, or with its rows
shuffled, holds the same facts, so it has to give the same result. Each user and item gets a signature: of the number of
its rows and of their values at first, then of these and the signatures at the other end of its rows, and again until
no more can be told apart (colour refinement: Weisfeiler and Leman, 1968). Of those that are left alike one is set
apart, and the rest refined by that: as they can change places, it does not matter which one. Names decide only where
this would take too long.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from recommenders.data.ids import Ids
from recommenders.models.hashing import mix

UInt64 = npt.NDArray[np.uint64]

_NONE = np.zeros(1, np.uint64)
_USER, _ITEM, _APART = np.uint64(1), np.uint64(2), np.uint64(3)
_ROUNDS = 8  # each reaches one step further; real tables are told apart after two or three
_STEPS, _ROWS = 1000, 4_000_000  # the most that are set apart, and the most rows that are looked at for it


def numbered(
    user: Ids, item: Ids, *facts: npt.NDArray[np.generic], part: npt.NDArray[np.int8] | None = None
) -> tuple[Ids, Ids]:
    """Return users and items in an order that names and order of rows do not touch.

    Args:
        user, item: ids without missing ones, of one number of rows.
        facts: what else is known of each row, arrays of that length of any type of numbers.
        part: the part of a split that each row is in; it decides only between those that nothing else tells apart, so
            that a table has the same numbers with its split and without.
    """
    graph = _Graph(user, item)
    rows = np.zeros(len(user.code), np.uint64)
    for fact in facts:
        rows = mix(rows, _bits(fact))
    plain = graph.refined(rows)
    if part is not None:
        rows = mix(rows, _bits(part))
        finer = graph.refined(rows, plain)
    else:
        finer = plain
    finer = graph.apart(rows, finer)
    user_order, item_order = (np.lexsort((fine, coarse)) for fine, coarse in zip(finer, plain, strict=True))
    return user.ordered(user_order), item.ordered(item_order)


class _Graph:
    """Users and items as the two ends of rows, and signatures of both: a pair of uint64 arrays."""

    def __init__(self, user: Ids, item: Ids) -> None:
        self._ends = (user.code, item.code)
        self._groups = (_Groups(user.code, len(user.names)), _Groups(item.code, len(item.names)))

    def refined(self, rows: UInt64, start: tuple[UInt64, UInt64] | None = None) -> tuple[UInt64, UInt64]:
        """Return signatures, from those given or none, told apart as far as rows can."""
        signs = start or (self._groups[0].total(rows, _USER), self._groups[1].total(rows, _ITEM))
        apart, known = 0, _different(signs)
        for _ in range(_ROUNDS):
            if known in (apart, len(signs[0]) + len(signs[1])):
                break
            signs = self._step(rows, signs)
            apart, known = known, _different(signs)
        return signs

    def _step(self, rows: UInt64, signs: tuple[UInt64, UInt64]) -> tuple[UInt64, UInt64]:
        users, items = signs
        (user, item), (by_user, by_item) = self._ends, self._groups
        return (
            mix(users, by_user.total(mix(rows, items[item]), _USER)),
            mix(items, by_item.total(mix(rows, users[user]), _ITEM)),
        )

    def apart(self, rows: UInt64, signs: tuple[UInt64, UInt64]) -> tuple[UInt64, UInt64]:
        """Return signatures in which only those are alike that have the very same rows."""
        user, item = self._ends
        # Users of the very same items may stand in any order, and so may items of the very same users.
        same = (
            self._groups[0].total(mix(rows, item.astype(np.uint64)), _USER),
            self._groups[1].total(mix(rows, user.astype(np.uint64)), _ITEM),
        )
        for _ in range(min(_STEPS, _ROWS // max(len(rows), 1))):
            torn = next(((end, one) for end in (0, 1) if (one := _torn(signs[end], same[end])) is not None), None)
            if torn is None:
                break
            end, one = torn
            changed = signs[end].copy()
            alike = (changed == changed[one]) & (same[end] == same[end][one])
            changed[alike] = mix(changed[alike], np.full(1, _APART))
            signs = self.refined(rows, (changed, signs[1]) if end == 0 else (signs[0], changed))
        return signs


def _torn(signs: UInt64, same: UInt64) -> int | None:
    """Return the first member of the class of the smallest signature whose members have different rows, or None."""
    order = np.lexsort((same, signs))
    alike = signs[order][1:] == signs[order][:-1]
    torn = np.flatnonzero(alike & (same[order][1:] != same[order][:-1]))
    if not torn.size:
        return None
    return int(np.flatnonzero(signs == signs[order[torn[0]]])[0])


def _different(signs: tuple[UInt64, UInt64]) -> int:
    return len(np.unique(signs[0])) + len(np.unique(signs[1]))


class _Groups:
    """Add up numbers by group, whatever the order of rows: sums modulo 2**64."""

    def __init__(self, code: npt.NDArray[np.int64], n: int) -> None:
        self._order = np.argsort(code, kind="stable")
        self._start = np.searchsorted(code[self._order], np.arange(n))

    def total(self, values: UInt64, salt: np.uint64) -> UInt64:
        """Return the mixed sum of the mixed values of each group; every group has a row."""
        if not len(self._start):
            return np.empty(0, np.uint64)
        return mix(np.add.reduceat(mix(values, np.full(1, salt))[self._order], self._start), _NONE)


def _bits(values: npt.NDArray[np.generic]) -> UInt64:
    if values.dtype.kind == "f":
        # One zero and one NaN; a float32 and a float64 of the same number are the same.
        plain = np.where(np.isnan(values), np.nan, values.astype(np.float64) + 0.0)
        return plain.view(np.uint64)
    return values.astype(np.int64).view(np.uint64)
