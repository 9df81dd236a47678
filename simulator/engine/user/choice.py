"""Examination and choice: how cards are looked at and compared (pure functions, with closed forms to test against)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from simulator.engine.jit.compile import kernel
from simulator.engine.primitives import exponential, sigmoid
from simulator.engine.tables.tables import CardColumn


@kernel
def compared(
    cards: npt.NDArray[np.float64],
    n: int,
    outside: float,
    temperature: float,
    draw: float,
    exp_log_tables: npt.NDArray[np.float64],
) -> int:
    """Choose among the examined cards of a screen and the outside option (multinomial logit; McFadden 1974).

    P(k) = exp(a_k / T) / (exp(a_0 / T) + sum_j exp(a_j / T)), by inversion of one uniform.

    Returns:
        Index of the chosen card, or -1 for the outside option.
    """
    top = outside
    for k in range(n):
        if cards[k, CardColumn.EXAMINED] > 0.0:
            top = max(top, cards[k, CardColumn.ATTRACTION])
    total = exponential((outside - top) / temperature, exp_log_tables)
    for k in range(n):
        if cards[k, CardColumn.EXAMINED] > 0.0:
            total += exponential((cards[k, CardColumn.ATTRACTION] - top) / temperature, exp_log_tables)
    left = draw * total - exponential((outside - top) / temperature, exp_log_tables)
    if left < 0.0:
        return -1
    last = -1
    for k in range(n):
        if cards[k, CardColumn.EXAMINED] > 0.0:
            last = k
            left -= exponential((cards[k, CardColumn.ATTRACTION] - top) / temperature, exp_log_tables)
            if left < 0.0:
                return k
    return last


@kernel
def taken(
    attraction: float, outside: float, temperature: float, draw: float, exp_log_tables: npt.NDArray[np.float64]
) -> bool:
    """Return whether one card, judged by itself, is taken: P = sigma((a - a_0) / T).

    A list is a cascade of such judgments from the top (Craswell et al. 2008): P(k taken) = P(k examined and
    attractive) times the product over the cards above it of not being taken.
    """
    return draw < sigmoid((attraction - outside) / temperature, exp_log_tables)
