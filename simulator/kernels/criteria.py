"""The luck of a visit's selection criteria and order, a function of its keys; what is near enough, and how near."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from simulator.kernel import kernel
from simulator.kernels.asides import Numbers, between, distance, promised_seconds
from simulator.kernels.layout import Array
from simulator.randomness import CRITERIA, PERCEPTION, SORTING, mix, root, uniform


@kernel
def luck_of_criteria(seed: int, visits: Array, out: npt.NDArray[np.float64]) -> None:
    """Fill `out` (n, criteria, draws) with uniforms for the rows `visits` (n,), keyed by their user and visit."""
    start = root(seed, CRITERIA)
    for i in range(out.shape[0]):
        own = mix(mix(start, np.uint64(visits[i].user)), np.uint64(visits[i].visit))
        for c in range(out.shape[1]):
            key = mix(own, np.uint64(c))
            for k in range(out.shape[2]):
                out[i, c, k] = uniform(mix(key, np.uint64(k)))


@kernel
def luck_of_sorting(seed: int, visits: Array, out: npt.NDArray[np.float64]) -> None:
    """Fill `out` (n,) with uniforms for the rows `visits` (n,), keyed by their user and visit."""
    start = root(seed, SORTING)
    for i in range(out.shape[0]):
        out[i] = uniform(mix(mix(start, np.uint64(visits[i].user)), np.uint64(visits[i].visit)))


@kernel
def within_limits(
    seed: int,
    user: int,
    person: np.uint64,
    candidates: npt.NDArray[np.int32],
    promises: npt.NDArray[np.int64],
    limits: npt.NDArray[np.float64],
    numbers: Numbers,
    out: npt.NDArray[np.bool_],
) -> None:
    """Fill `out` (m,) with whether each of the `candidates` (m,) keeps to a visit's limits on what lies between.

    Args:
        seed: the world's.
        user: whose visit it is, and `person`, the key of their draws.
        candidates: items.
        promises: what each limit is on, (k,): a promise, or -1: the distance.
        limits: the most of each, s or km, (k,).
        numbers: tables of the world.
        out: filled.
    """
    perceptions = mix(root(seed, PERCEPTION), person)
    out[:] = True
    for k in range(promises.shape[0]):
        promise, limit = promises[k], limits[k]
        if promise < 0:  # a loop of its own, so that it is one over numbers alone
            for c in range(candidates.shape[0]):
                out[c] &= distance(user, np.int64(candidates[c]), numbers) <= limit
        else:
            for c in range(candidates.shape[0]):
                item = np.int64(candidates[c])
                key = mix(perceptions, np.uint64(item))
                out[c] &= promised_seconds(key, promise, user, item, numbers) <= limit


@kernel
def amounts_between(
    seed: int,
    user: int,
    person: np.uint64,
    candidates: npt.NDArray[np.int32],
    promise: int,
    numbers: Numbers,
    out: npt.NDArray[np.float64],
) -> None:
    """Fill `out` (m,) with what lies between a user and each of the `candidates` (m,): a promise, s, or, -1, km."""
    perceptions = mix(root(seed, PERCEPTION), person)
    for c in range(candidates.shape[0]):
        item = np.int64(candidates[c])
        out[c] = between(mix(perceptions, np.uint64(item)), promise, user, item, numbers)
