"""A quick check of a batch's slates against the contract; the contract itself then says what is wrong."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from simulator.engine.jit.compile import kernel


@kernel
def fits(
    items: npt.NDArray[np.int32],
    odds: npt.NDArray[np.float32],
    lists: npt.NDArray[np.int32],
    bounds: npt.NDArray[np.int64],
    of: npt.NDArray[np.int64],
    offered: npt.NDArray[np.int64],
    seen: npt.NDArray[np.int64],
    before: int,
    known: int,
) -> bool:
    """Check that each of `items` (k, size) is a candidate and in its slate once, with `odds` that are probabilities.

    Args:
        items: slates; places that there are no candidates for are empty (-1).
        odds: propensities (k, size), or (0, 0) where there are none.
        lists, bounds, of: lists of candidates, and the one of each slate, (k,).
        offered, seen: of each item the list and the slate that it was last met in, (items,), by numbers that rise from
            slate to slate; a list has that of its first.
        before: the highest number so far.
        known: the number of the first list where all on it is marked in `offered` already, else -1.
    """
    size = items.shape[1]
    own = known
    for k in range(items.shape[0]):
        slate = before + 1 + k
        begin, end = bounds[of[k], 0], bounds[of[k], 1]
        if (k == 0 and known < 0) or (k > 0 and of[k] != of[k - 1]):
            own = slate
            for c in range(begin, end):
                offered[lists[c]] = own
        filled = min(size, end - begin)
        good = True
        for j in range(filled):
            item = items[k, j]
            if item < 0 or item >= seen.shape[0]:
                return False
            good &= (offered[item] == own) & (seen[item] != slate)
            seen[item] = slate
        for j in range(filled, size):
            good &= items[k, j] == -1
        if odds.shape[0] > 0:
            for j in range(filled):
                good &= (odds[k, j] > np.float32(0.0)) & (odds[k, j] <= np.float32(1.0))
        if not good:
            return False
    return True
