"""Recall: what a user had before is one more cue to what it is worth, whatever is shown of it this time."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from simulator.kernel import internal
from simulator.kernels.layout import Array
from simulator.kernels.primitives import exponential

_LN_2 = 0.6931471805599453


@internal
def recalled(
    mean: float,
    variance: float,
    known: Array,
    user: int,
    item: int,
    time: float,
    kind: Array,
    powers: npt.NDArray[np.float64],
) -> tuple[float, float]:
    """A belief about an item that is recognised, with what the user remembers of it; `kind` is its type's row.

    The memory is a cue of precision p = known * 2^(-age / forgetting) about the worth itself, combined with the belief
    by precision (Ernst and Banks 2002); numbers that are shown (prices, ages) are no part of it.
    """
    for k in range(known.shape[1]):
        if known[user, k].at > 0.0 and np.int64(known[user, k].item) == item:
            age = max(time - known[user, k].at, 0.0)
            precision = kind.known * exponential(-_LN_2 * age / kind.forgetting, powers)
            share = precision * variance / (1.0 + precision * variance)
            return mean + share * (np.float64(known[user, k].worth) - mean), variance * (1.0 - share)
    return mean, variance


@internal
def keep_in_mind(known: Array, user: int, item: int, worth: float, time: float) -> None:
    """An item was had at `time` > 0 s and turned out to be worth so much; where no place is left, the oldest goes."""
    place = 0
    for k in range(known.shape[1]):
        if known[user, k].at > 0.0 and np.int64(known[user, k].item) == item:
            place = k
            break
        if known[user, k].at < known[user, place].at:
            place = k
    known[user, place].item = np.uint32(item)
    known[user, place].worth = np.float32(worth)
    known[user, place].at = time
