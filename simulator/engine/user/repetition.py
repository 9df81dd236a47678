"""Siblings: what a user had lately of the same parent, and what that does to the worth of the next item of it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from simulator.engine.jit.compile import internal
from simulator.engine.primitives import exponential
from simulator.engine.tables.tables import Array

_LN_2 = 0.6931471805599453


@internal
def had_lately(
    history: Array, user: int, parent: int, time: float, half_life: float, exp_log_tables: npt.NDArray[np.float64]
) -> float:
    """Return how many items of a parent (-1 none) a user had, halved every `half_life` s; plays count at their end."""
    if parent < 0:
        return 0.0
    for k in range(history.shape[1]):
        if history[user, k].amount > 0.0 and history[user, k].parent == parent:
            gone = max(time - history[user, k].at, 0.0)
            return np.float64(history[user, k].amount) * exponential(-_LN_2 * gone / half_life, exp_log_tables)
    return 0.0


@internal
def repeated(rest: float, amount: float, exp_log_tables: npt.NDArray[np.float64]) -> float:
    """Return the share of a repetition's worth after `amount` siblings, 1 - r^amount; `rest` is the logarithm of r."""
    return 1.0 - exponential(rest * amount, exp_log_tables) if amount > 0.0 else 0.0


@internal
def remember(
    history: Array,
    user: int,
    parent: int,
    time: float,
    amount: float,
    half_life: float,
    exp_log_tables: npt.NDArray[np.float64],
) -> None:
    """Add so much of an item to what the user had of its parent; where all places are taken, the least goes.

    What is less than everything remembered is not remembered. Time does not go back: what a case brings late is dated
    at what is there already.
    """
    if parent < 0 or amount <= 0.0:
        return
    place = -1
    least = amount
    for k in range(history.shape[1]):
        h = history[user, k]
        now = np.float64(h.amount) * exponential(-_LN_2 * max(time - h.at, 0.0) / half_life, exp_log_tables)
        if h.amount > 0.0 and h.parent == parent:
            h.amount = now + amount
            h.at = max(time, h.at)
            return
        if now < least:
            place = k
            least = now
    if place >= 0:
        history[user, place].parent = parent
        history[user, place].amount = amount
        history[user, place].at = time
