"""The vocabulary of the platform log: each column once, with its type, its unit and its meaning."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recommenders.contract.errors import RecommenderError

DAY = 86_400.0
"""A day in the unit of every time of the contract, s."""


@dataclass(frozen=True)
class Column:
    """One column of the platform log.

    ``coded`` columns hold small integers whose names are in :attr:`PlatformLog.names`. A ``nullable`` column may be
    absent in a row: files write null there, arrays hold :attr:`absent`.
    """

    name: str
    dtype: np.dtype
    unit: str
    meaning: str
    nullable: bool = False
    coded: bool = False

    @property
    def absent(self) -> float | int:
        """Return what stands for null in an array: NaN, or the largest integer of the type.

        >>> Columns.item.absent, Columns.value.absent
        (4294967295, nan)
        """
        if self.dtype.kind == "f":
            return float("nan")
        return int(np.iinfo(self.dtype).max)


def _column(name: str, dtype: str, unit: str, meaning: str, *, nullable: bool = False, coded: bool = False) -> Column:
    return Column(name, np.dtype(dtype), unit, meaning, nullable, coded)


class Columns:
    """Every column of the platform log. Truth columns are the simulator's business and are not named here."""

    time = _column("time", "f8", "s", "when it happened, since the start of the run")
    logged_at = _column("logged_at", "f8", "s", "when the platform's record arrived", nullable=True)
    user = _column("user", "u4", "id", "the user")
    session = _column("session", "u4", "number", "the user's visit number")
    request = _column("request", "u4", "number", "number of the slate request within the visit")
    item = _column("item", "u4", "id", "the item; null for what concerns none", nullable=True)
    position = _column("position", "u2", "rank", "place in the slate, 0 first", nullable=True)
    case = _column(
        "case",
        "u4",
        "id",
        "the order, application or play that it belongs to: a number of the user's, unique together with user",
        nullable=True,
    )
    surface = _column("surface", "u1", "code", "the place where it happened", coded=True)
    device = _column("device", "u1", "code", "the user's device in this visit", coded=True)
    stage = _column("stage", "u1", "code", "stage of the life cycle", coded=True)
    event = _column("event", "u1", "code", "what happened", coded=True)
    value = _column("value", "f4", "by event", "seconds, rating, price ... as the event defines", nullable=True)
    propensity = _column(
        "propensity", "f4", "probability", "of the item being in the slate, as its recommender said", nullable=True
    )
    policy_version = _column(
        "policy_version", "u2", "number", "version of the model that made the slate", nullable=True
    )
    visible = _column("visible", "u4", "bit mask", "modalities that were rendered")


COLUMNS: tuple[Column, ...] = tuple(column for column in vars(Columns).values() if isinstance(column, Column))
"""All columns of the platform log, in their order."""

CODED: tuple[str, ...] = tuple(column.name for column in COLUMNS if column.coded)
"""Names of the columns that hold codes."""


def as_column(column: Column, values: object, where: str) -> np.ndarray:
    """Convert ``values`` to a one-dimensional array of the column's type; an array of that type is taken as it is.

    Raises:
        RecommenderError: if they are not one-dimensional or cannot be cast within their own kind.
    """
    array = np.asarray(values)
    if array.ndim != 1:
        raise RecommenderError(f"{where}.{column.name}", f"has shape {array.shape}", "expected one dimension")
    if array.dtype == column.dtype:
        return array
    if not np.can_cast(array.dtype, column.dtype, casting="same_kind"):
        raise RecommenderError(
            f"{where}.{column.name}", f"has type {array.dtype}", f"expected {column.dtype} ({column.meaning})"
        )
    return array.astype(column.dtype)
