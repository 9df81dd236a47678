"""Effects in a knock-out: what one factor changes while the others stay, and how two change each other, by seed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from analysis.knockout.design import Cell
from analysis.statistics import Floats


@dataclass(frozen=True)
class Effect:
    """One question that the eight worlds answer.

    Attributes:
        name: what tables call it.
        says: in words, what differs between the two sides.
        weights: of the worlds; those that are not named count nothing.
        headline: whether it is judged; the others are told. Few are: all judgments of a recommender are one family,
            and ten seeds bear no more than 25.
    """

    name: str
    says: str
    weights: Mapping[Cell, float]
    headline: bool = False

    @property
    def simple(self) -> bool:
        """Return whether it compares one world with one other: then both sides have a meaning of their own."""
        return len(self.weights) == 2


def _difference(more: Cell, less: Cell) -> dict[Cell, float]:
    return {more: 1.0, less: -1.0}


def _minus(first: Mapping[Cell, float], second: Mapping[Cell, float]) -> dict[Cell, float]:
    return {cell: first.get(cell, 0.0) - second.get(cell, 0.0) for cell in {**first, **second}}


_SEEN, _ALL, _NONE = Cell(True, False, True), Cell(True, True, True), Cell(False, False, False)
USED = Effect(
    "used", "users see it; its features are used, or shuffled",
    _difference(_ALL, _SEEN), headline=True,
)  # fmt: skip
SHOWN = Effect(
    "shown", "users see it, then and now, or never did; the recommender does not use it",
    _difference(_SEEN, _NONE), headline=True,
)  # fmt: skip
USED_UNSEEN = Effect(
    "used, unseen", "nobody ever sees it; its features are used, or shuffled",
    _difference(Cell(False, True, False), _NONE), headline=True,
)  # fmt: skip
LOG = Effect(
    "log of who saw it", "users do not see it, the recommender uses it; its log is of users who saw it, or did not",
    _difference(Cell(False, True, True), Cell(False, True, False)), headline=True,
)  # fmt: skip
BOTH = Effect(
    "shown and used", "users see it and the recommender uses it, or neither",
    _difference(_ALL, _NONE),
)  # fmt: skip
USED_BY_SEEN = Effect(
    "used x seen", "how much more it helps to use it where users see it",
    _minus(USED.weights, _difference(Cell(False, True, True), Cell(False, False, True))),
)  # fmt: skip
USED_BY_LOG = Effect(
    "used x log", "how much more it helps to use it where the log is of users who saw it",
    _minus(USED.weights, _difference(Cell(True, True, False), Cell(True, False, False))),
)  # fmt: skip
SEEN_BY_LOG = Effect(
    "seen x log", "how much more the log of users who saw it is worth where users see it, to one who uses it",
    _minus(_difference(_ALL, Cell(True, True, False)), LOG.weights),
)  # fmt: skip
THREE = Effect(
    "used x seen x log", "how far `used x seen` differs between the two logs",
    _minus(
        USED_BY_SEEN.weights,
        _minus(
            _difference(Cell(True, True, False), Cell(True, False, False)),
            _difference(Cell(False, True, False), _NONE),
        ),
    ),
)  # fmt: skip
EFFECTS = (USED, SHOWN, BOTH, USED_UNSEEN, LOG, USED_BY_SEEN, USED_BY_LOG, SEEN_BY_LOG, THREE)


def possible(readable: bool) -> list[Effect]:
    """Return the effects that there can be: only `SHOWN` where no recommender can be handed the modality."""
    return [each for each in EFFECTS if readable or not any(cell.uses and w for cell, w in each.weights.items())]


def per_seed(effect: Effect, value: Callable[[Cell], Floats]) -> Floats:
    """Return an effect in every seed, from a measure of each world by seed, (seeds,); NaN where a world has none."""
    return np.asarray(sum(weight * value(cell) for cell, weight in effect.weights.items() if weight))


def two_sides(effect: Effect, value: Callable[[Cell], Floats]) -> tuple[Floats, Floats]:
    """Return what is compared: the worlds that count for an effect, and those that count against it, by seed."""
    sides = []
    for sign in (1.0, -1.0):
        own = [(cell, sign * weight) for cell, weight in effect.weights.items() if sign * weight > 0]
        total = sum(weight for _, weight in own)
        sides.append(np.asarray(sum(weight * value(cell) for cell, weight in own) / total))
    return sides[0], sides[1]
