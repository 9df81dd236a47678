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


def test_its_type_is_that_of_its_arrays():
    of = numba.typeof(Pair(np.arange(2), np.zeros(2)))
    assert of == numba.typeof(Pair(np.arange(5), np.ones(7)))
    assert of != numba.typeof(Pair(np.arange(2), np.zeros(2, dtype=np.float32)))
    assert len(str(of)) < 40, "it is part of the name of every function that gets one"


def test_who_counts_references_gets_none():
    counting = numba.njit(lambda pair: pair.whole[0])
    with pytest.raises(TypeError, match="counts references"):
        counting(Pair(np.arange(2), np.zeros(2)))
