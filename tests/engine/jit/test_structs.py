"""Groups of tables: kernels get them by address, make them, and hand them back."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pytest

from simulator.engine.jit.compile import internal, kernel, numba
from simulator.engine.jit.structs import group


@group
class Pair(NamedTuple):
    whole: npt.NDArray[np.int64]
    real: npt.NDArray[np.float64]


@internal
def swapped_halves(pair: Pair) -> Pair:
    half = pair.whole.shape[0] // 2
    return Pair(pair.whole[half:], pair.real[:half])


@kernel
def first_of_each(pair: Pair, out: npt.NDArray[np.float64]) -> None:
    for k in range(3):
        made = Pair(pair.whole[k:], pair.real[k:])
        halves = swapped_halves(made)
        out[k, 0] = halves.whole[0]
        out[k, 1] = halves.real[halves.real.shape[0] - 1]
        made.real[0] = -1.0


def test_a_group_is_read_made_and_handed_back():
    pair, out = Pair(np.arange(10), np.arange(10) / 2), np.zeros((3, 2))
    first_of_each(pair, out)
    assert out.tolist() == [[5, 2.0], [5, 2.0], [6, 2.5]]
    assert pair.real.tolist() == [-1, -1, -1, 1.5, 2, 2.5, 3, 3.5, 4, 4.5], "the arrays are those of the caller"


@group
class Nested(NamedTuple):
    pair: Pair
    other: Pair
    extra: npt.NDArray[np.int64]


@internal
def sum_of(nested: Nested, k: int) -> float:
    nested.pair.whole[k] += 100
    return nested.pair.whole[k] + nested.other.real[k] + nested.extra[k]


@kernel
def sums(nested: Nested, out: npt.NDArray[np.float64]) -> None:
    for k in range(3):
        out[k, 0] = sum_of(nested, k)
        swapped = Nested(nested.other, swapped_halves(nested.pair), nested.extra[k:])
        out[k, 1] = sum_of(swapped, 0)


@kernel
def inner_lost(nested: Nested) -> Nested:
    return Nested(nested.pair, nested.other, nested.extra[1:])


def test_a_group_may_hold_groups_but_is_not_handed_back_then():
    nested = Nested(Pair(np.arange(4), np.arange(4) / 2), Pair(np.arange(4), np.arange(4) / 4), np.arange(4))
    out = np.zeros((3, 2))
    sums(nested, out)
    assert out.tolist() == [[100, 100], [102.25, 201], [104.5, 302]]
    assert nested.pair.whole.tolist() == [100, 101, 102, 3]
    assert nested.other.whole.tolist() == [300, 1, 2, 3]
    with pytest.raises(TypeError, match="has groups in it"):
        inner_lost(nested)


def test_its_type_is_that_of_its_arrays():
    of = numba.typeof(Pair(np.arange(2), np.zeros(2)))
    assert of == numba.typeof(Pair(np.arange(5), np.ones(7)))
    assert of != numba.typeof(Pair(np.arange(2), np.zeros(2, dtype=np.float32)))
    assert len(str(of)) < 40, "it is part of the name of every function that gets one"


def test_who_counts_references_gets_none():
    counting = numba.njit(lambda pair: pair.whole[0])
    with pytest.raises(TypeError, match="counts references"):
        counting(Pair(np.arange(2), np.zeros(2)))
