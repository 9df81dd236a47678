"""A quick look at the slates of a batch: whether they are as the contract says; what is wrong, the contract finds."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from simulator.kernel import kernel

_NO_CANDIDATE, _ON_OFFER = -2, -1  # of an item that no slate has had yet


@kernel
def offer(candidates: npt.NDArray[np.int32], last: npt.NDArray[np.int64]) -> None:
    """Begin anew with these candidates: `last` (items,) is to hold the slate that each of them was last seen in."""
    for i in range(last.shape[0]):
        last[i] = _NO_CANDIDATE
    for c in range(candidates.shape[0]):
        last[candidates[c]] = _ON_OFFER


@kernel
def fits(
    items: npt.NDArray[np.int32],
    odds: npt.NDArray[np.float32],
    filled: int,
    last: npt.NDArray[np.int64],
    before: int,
) -> bool:
    """Whether each of `items` (k, size) is a candidate and in its slate once, with `odds` that are probabilities.

    Args:
        items: slates; the places from `filled` on are empty (-1).
        odds: propensities (k, size), or (0, 0) where there are none.
        filled: places of a slate that there are candidates for.
        last: of each item the slate that it was last seen in, (items,), since `offer`: good for the next slates unless
            these do not fit.
        before: slates looked at since then.
    """
    size = items.shape[1]
    for k in range(items.shape[0]):
        slate = before + k
        good = True
        for j in range(filled):
            item = items[k, j]
            if item < 0 or item >= last.shape[0]:
                return False
            good &= (last[item] >= _ON_OFFER) & (last[item] != slate)
            last[item] = slate
        for j in range(filled, size):
            good &= items[k, j] == -1
        if odds.shape[0] > 0:
            for j in range(filled):
                good &= (odds[k, j] > np.float32(0.0)) & (odds[k, j] <= np.float32(1.0))
        if not good:
            return False
    return True
