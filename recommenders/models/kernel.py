"""Compilation of this package's hot loops, and the few functions that they share.

Rules for kernels: module-level (only these are cached on disk), strict floating point, plain arrays as arguments, every
loop in an order that does not depend on the batch. Where cached code is kept is the business of whoever starts the
process (``NUMBA_CACHE_DIR``).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
import numpy as np

from recommenders.models import hashing

F = TypeVar("F", bound=Callable[..., Any])


def kernel(function: F) -> F:
    """Compile a module-level function: cached on disk, without the global lock, strict floating point."""
    return cast(F, numba.njit(cache=True, nogil=True, error_model="numpy")(function))


_S32 = np.uint64(32)
_LOW = np.uint64(0xFFFFFFFF)


mix = kernel(hashing.mix)


@kernel
def below(draw: np.uint64, bound: np.uint64) -> np.uint64:
    """Return an integer in [0, bound) from 64 random bits: the upper half of draw x bound (bias below bound / 2^64).

    ``bound`` must be below 2^32.
    """
    return ((draw >> _S32) * bound + (((draw & _LOW) * bound) >> _S32)) >> _S32


@kernel
def worse(score: np.float32, item: np.int32, other_score: np.float32, other_item: np.int32, ties: np.uint64) -> bool:
    """Tell whether (score, item) ranks behind the other: lower score, or an equal one and a smaller keyed hash.

    A total order over distinct items, so that the best k do not depend on the order in which they are offered.
    """
    if score != other_score:
        return bool(score < other_score)
    mine = mix(ties, np.uint64(item))
    others = mix(ties, np.uint64(other_item))
    return bool(mine < others)


@kernel
def offer(
    scores: np.ndarray, items: np.ndarray, size: np.int64, score: np.float32, item: np.int32, ties: np.uint64
) -> np.int64:
    """Offer an item to a heap of the best ``len(items)``, whose worst is at the root; returns the new size.

    ``scores`` (float32) and ``items`` (int32) have equal length; their first ``size`` places are filled.
    """
    if size < items.size:
        place = size
        while place > 0:
            parent = (place - 1) >> 1
            if not worse(score, item, scores[parent], items[parent], ties):
                break
            scores[place] = scores[parent]
            items[place] = items[parent]
            place = parent
        scores[place] = score
        items[place] = item
        return size + 1
    if size == 0 or worse(score, item, scores[0], items[0], ties):
        return size
    _sink(scores, items, size, score, item, ties)
    return size


@kernel
def _sink(
    scores: np.ndarray, items: np.ndarray, size: int | np.int64, score: np.float32, item: np.int32, ties: np.uint64
) -> None:
    """Replace the root of a heap of this size and restore the heap."""
    place = 0
    child = 1
    while child < size:
        right = child + 1
        if right < size and worse(scores[right], items[right], scores[child], items[child], ties):
            child = right
        if not worse(scores[child], items[child], score, item, ties):
            break
        scores[place] = scores[child]
        items[place] = items[child]
        place = child
        child = 2 * place + 1
    scores[place] = score
    items[place] = item


@kernel
def sort_best_first(scores: np.ndarray, items: np.ndarray, size: np.int64, ties: np.uint64) -> None:
    """Turn a heap made by :func:`offer` into a list, best first, in place."""
    for last in range(size - 1, 0, -1):
        score = scores[last]
        item = items[last]
        scores[last] = scores[0]
        items[last] = items[0]
        _sink(scores, items, last, score, item, ties)
