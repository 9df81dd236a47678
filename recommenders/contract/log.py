"""The platform log as a recommender reads it, and what counts in it as a positive."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from recommenders.contract.catalog import Catalog
from recommenders.contract.columns import CODED, COLUMNS, Columns, as_column
from recommenders.contract.errors import RecommenderError


@dataclass(frozen=True)
class Label:
    """What counts as a positive: a declared choice.

    A row is positive if its event is one of ``events`` and, where ``at_least`` is given, its value reaches it, or
    reaches the item's own column ``or_item`` if that is smaller (a video of 12 s cannot be watched for 18).

    >>> Label("long_view", ("skip", "complete"), 18.0, "duration").name
    'long_view'
    """

    name: str
    events: tuple[str, ...]
    at_least: float | None = None
    or_item: str | None = None

    def __post_init__(self) -> None:
        if not self.events:
            raise RecommenderError(f"label {self.name}", "names no event", "expected at least one")
        if self.or_item is not None and self.at_least is None:
            raise RecommenderError(f"label {self.name}", "has or_item without at_least", "or_item bounds at_least")


@dataclass(frozen=True)
class Positives:
    """Distinct (user, item) pairs, sorted by user, then item; four arrays of one length.

    Attributes:
        user: uint32.
        item: uint32.
        time: float64, s, of the first positive of the pair.
        weight: float32, 1 for now.
    """

    user: np.ndarray
    item: np.ndarray
    time: np.ndarray
    weight: np.ndarray

    def __len__(self) -> int:
        return self.user.size

    def copy(self) -> Positives:
        """Return the same pairs in arrays of their own."""
        return Positives(self.user.copy(), self.item.copy(), self.time.copy(), self.weight.copy())

    def take(self, rows: np.ndarray) -> Positives:
        """Return the pairs of these rows (a boolean mask, or indices in rising order)."""
        return Positives(self.user[rows], self.item[rows], self.time[rows], self.weight[rows])


class Rows(NamedTuple):
    """Columns of rows of a platform log by which they count as positives or not: arrays of one length."""

    event: np.ndarray
    item: np.ndarray
    value: np.ndarray


def distinct_pairs(user: np.ndarray, item: np.ndarray, time: np.ndarray, n_items: int) -> Positives:
    """Return the distinct pairs among rows given in any order, each with its earliest time.

    >>> pairs = distinct_pairs(np.array([1, 0, 1]), np.array([2, 2, 2]), np.array([5.0, 7.0, 3.0]), n_items=3)
    >>> pairs.user.tolist(), pairs.item.tolist(), pairs.time.tolist()
    ([0, 1], [2, 2], [7.0, 3.0])
    """
    pair = user.astype(np.int64) * np.int64(max(n_items, 1)) + item.astype(np.int64)
    order = np.argsort(pair)
    ordered = pair[order]
    first = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1]))[: ordered.size])
    earliest = np.fmin.reduceat(time[order], first) if first.size else time[:0]
    rows = order[first]
    return Positives(
        user[rows].astype(np.uint32),
        item[rows].astype(np.uint32),
        earliest.astype(np.float64),
        np.ones(first.size, np.float32),
    )


def positive_rows(label: Label, names: Mapping[str, tuple[str, ...]], catalog: Catalog, rows: Rows) -> np.ndarray:
    """Return which rows of a platform log are positive by ``label``, their indices rising.

    Args:
        label: what counts.
        names: names of the codes of the log.
        catalog: with the column that the label names, if it names one.
        rows: their events, items and values.

    Raises:
        RecommenderError: if the log has no such event, or the catalog no such column.
    """
    where = f"label {label.name}"
    # A table over all 256 codes: one look-up per row, whatever the number of events.
    counts = np.zeros(256, dtype=bool)
    counts[codes_of("event", label.events, names, where)] = True
    found = np.flatnonzero(counts[rows.event] & (rows.item != np.uint32(Columns.item.absent)))
    least = least_values(label, catalog)
    if label.at_least is None:
        return found
    # NaN, no value, never reaches a bar
    return found[rows.value[found] >= (least[rows.item[found]] if label.or_item is not None else least)]


def least_values(label: Label, catalog: Catalog) -> np.ndarray:
    """Return the value that makes a row positive, of the items (n_items,) or (), one for all; -inf where any does.

    Raises:
        RecommenderError: if the catalog lacks the column that the label names.
    """
    bar = -np.inf if label.at_least is None else label.at_least
    if label.or_item is None:
        return np.array(bar, np.float32)
    if label.or_item not in catalog.columns:
        there = ", ".join(sorted(catalog.columns)) or "none"
        wrong = f"the catalog has no column {label.or_item!r}"
        raise RecommenderError(f"label {label.name}", wrong, f"it has: {there}")
    return np.asarray(np.minimum(bar, catalog.columns[label.or_item]))


def codes_of(column: str, wanted: tuple[str, ...], names: Mapping[str, tuple[str, ...]], where: str) -> np.ndarray:
    """Return the codes of names of a coded column, uint8.

    Raises:
        RecommenderError: if one of the names is not known.
    """
    known = names[column]
    for name in wanted:
        if name not in known:
            raise RecommenderError(where, f"the log knows no {column} {name!r}", f"it has: {', '.join(known)}")
    return np.array([known.index(name) for name in wanted], dtype=np.uint8)


@dataclass(frozen=True)
class PlatformLog:
    """What the platform has recorded and what has arrived: one array per column of :class:`Columns`.

    All have one length and are sorted by (logged_at, user, time, event, position). ``names`` gives, for surface,
    device, stage and event, the name of each code. Users are 0 ... n_users - 1, items 0 ... n_items - 1.
    """

    time: np.ndarray
    logged_at: np.ndarray
    user: np.ndarray
    session: np.ndarray
    request: np.ndarray
    item: np.ndarray
    position: np.ndarray
    case: np.ndarray
    surface: np.ndarray
    device: np.ndarray
    stage: np.ndarray
    event: np.ndarray
    value: np.ndarray
    propensity: np.ndarray
    policy_version: np.ndarray
    visible: np.ndarray
    names: Mapping[str, tuple[str, ...]]
    n_users: int
    n_items: int
    # positives by label and catalog: whoever else is fitted on this log by the same label has a copy of them
    _found: list[tuple[Label, Catalog, Positives]] = field(default_factory=list, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        for column in COLUMNS:
            array = as_column(column, getattr(self, column.name), "log")
            object.__setattr__(self, column.name, array)
            if array.size != len(self):
                raise RecommenderError(f"log.{column.name}", f"has {array.size} rows", f"log.time has {len(self)}")
        for name in CODED:
            if name not in self.names:
                raise RecommenderError(
                    "log.names", f"says nothing of the codes of {name!r}", "expected a tuple of names"
                )

    def __len__(self) -> int:
        return self.time.size

    @classmethod
    def from_columns(
        cls, columns: Mapping[str, np.ndarray], names: Mapping[str, tuple[str, ...]], n_users: int, n_items: int
    ) -> PlatformLog:
        """Make a log of the given columns; nullable ones that are not given are absent in every row, others are 0.

        Raises:
            RecommenderError: on an unknown column, or one of wrong type or length.
        """
        known = {column.name for column in COLUMNS}
        for name in columns:
            if name not in known:
                raise RecommenderError(f"log.{name}", "is no column of the platform log", f"it has: {sorted(known)}")
        rows = len(next(iter(columns.values()))) if columns else 0
        complete = {
            column.name: columns[column.name]
            if column.name in columns
            else np.full(rows, column.absent if column.nullable else 0, column.dtype)
            for column in COLUMNS
        }
        return cls(**complete, names=names, n_users=n_users, n_items=n_items)

    def codes(self, column: str, wanted: tuple[str, ...], where: str) -> np.ndarray:
        """Return the codes of names of a coded column.

        Raises:
            RecommenderError: if this log does not know one of the names.
        """
        return codes_of(column, wanted, self.names, where)

    def positives(self, label: Label, catalog: Catalog) -> Positives:
        """Return the distinct pairs that are positive by ``label``, each at the first time that it was.

        Raises:
            RecommenderError: if the log has no such event, or the catalog no such column.
        """
        for known_by, of, found in self._found:
            if known_by == label and of is catalog:
                return found.copy()
        rows = positive_rows(label, self.names, catalog, Rows(self.event, self.item, self.value))
        found = distinct_pairs(self.user[rows], self.item[rows], self.time[rows], self.n_items)
        self._found.append((label, catalog, found))
        return found.copy()
