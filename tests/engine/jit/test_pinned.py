"""Pinned groups: written down once, read by name, and alive as long as whoever pinned them."""

import copy
import gc
import pickle
import weakref
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pytest

from simulator.engine.jit.compile import internal, kernel, numba
from simulator.engine.jit.pinned import Pinned, bound
from simulator.engine.jit.structs import group

ROW = np.dtype([("flag", np.int8), ("amount", np.float64)], align=True)


@group
class Pair(NamedTuple):
    whole: npt.NDArray[np.int64]
    real: npt.NDArray[np.float64]


@group
class Odd(NamedTuple):
    rows: npt.NDArray[np.void]  # ROW (n,)
    box: npt.NDArray[np.float32]  # (n, m, k, l)
    sealed: npt.NDArray[np.int8]  # (n, m), read-only
    empty: npt.NDArray[np.float64]  # (n, 0)


class Both(NamedTuple):
    left: Pair
    odd: Odd
    right: Pair


class Two(NamedTuple):
    left: Pair
    right: Pair


def both(n=3):
    sealed = np.arange(2 * n, dtype=np.int8).reshape(n, 2)
    sealed.flags.writeable = False
    odd = Odd(
        np.array([(k, k / 4) for k in range(n)], dtype=ROW),
        np.arange(n * 2 * 3 * 4, dtype=np.float32).reshape(n, 2, 3, 4),
        sealed,
        np.zeros((n, 0)),
    )
    return Both(Pair(np.arange(n), np.arange(n) / 2), odd, Pair(np.arange(n) + 100, np.arange(n) / 8))


@internal
def total(pair: Pair) -> float:
    found = 0.0
    for k in range(pair.whole.shape[0]):
        found += pair.whole[k] + pair.real[k]
    return found


@kernel
def read(groups: Both, out: npt.NDArray[np.float64]) -> None:
    odd, n = groups.odd, groups.left.whole.shape[0]
    out[0] = total(groups.left)
    out[1] = total(groups.right)
    out[2] = total(Pair(groups.right.whole[1:], groups.left.real))
    out[3] = odd.rows[n - 1].amount + odd.rows[n - 1].flag
    out[4] = odd.box[n - 1, 1, 2, 3]
    out[5] = odd.box[n - 1].shape[1] + odd.box.size
    out[6] = odd.sealed[n - 1, 1]
    out[7] = odd.empty.shape[0] + odd.empty.shape[1]
    for row in odd.box[1:2, 0]:
        out[8] += row[1, 0]
    odd.rows[0].amount = -1.0
    groups.left.whole[0] = 77


@kernel
def add(groups: Two, k: int, much: int) -> int:
    if k >= groups.left.whole.shape[0]:
        return -1
    groups.left.whole[k] += much
    return groups.left.whole[k] + groups.right.whole[k]


def test_every_table_is_read_by_name_where_it_is():
    groups, out = both(), np.zeros(9)
    read(Pinned(groups), out)
    assert out.tolist() == [3 + 1.5, 303 + 0.375, 203 + 0.5, 2 + 0.5, 71, 3 + 72, 5, 3, 28]
    assert groups.odd.rows[0]["amount"] == -1.0
    assert groups.left.whole[0] == 77, "the arrays are those of the caller"


def test_what_is_pinned_stays_though_nobody_else_holds_it():
    groups = Two(Pair(np.arange(4), np.zeros(4)), Pair(np.arange(4), np.zeros(4)))
    arrays = [weakref.ref(array) for each in groups for array in each]
    step = bound(add, Pinned(groups), numbers=2)
    del groups
    gc.collect()
    assert all(array() is not None for array in arrays)
    assert [step(3, 10), step(3, 10), step(4, 0)] == [16, 26, -1]
    del step
    gc.collect()
    assert all(array() is None for array in arrays)


def test_a_bound_kernel_is_compiled_for_the_tables_that_it_is_bound_to():
    one = Two(Pair(np.arange(4), np.zeros(4)), Pair(np.arange(4), np.zeros(4)))
    narrow = one._replace(left=one.left._replace(whole=np.arange(4, dtype=np.int8)))
    turned = Two(*(each._replace(whole=np.arange(8)[:4]) for each in one))
    steps = [bound(add, Pinned(groups), numbers=2) for groups in (one, narrow, turned)]
    assert [step(2, 5) for step in steps] == [9, 9, 9]
    assert narrow.left.whole.tolist() == [0, 1, 7, 3]
    assert add(Pinned(narrow), 2, 1) == 10, "called as it is, it looks at the types"
    with pytest.raises((TypeError, SystemError)):
        steps[0].func(one, 2, 5)
    with pytest.raises(TypeError):
        steps[0](2)


def test_its_type_is_that_of_its_groups():
    groups = both()
    of = numba.typeof(Pinned(groups))
    assert of == numba.typeof(Pinned(both(5)))
    assert of != numba.typeof(Pinned(groups._replace(left=Pair(np.arange(3), np.zeros(3, dtype=np.float32)))))
    assert of != numba.typeof(Pinned(Two(groups.left, groups.right)))
    assert pickle.loads(pickle.dumps(of)) == of, "the cache on disk finds a kernel by it"
    assert len(str(of)) < 40, "it is part of the name of every function that gets one"


def test_a_name_that_is_not_there_is_no_address():
    @internal
    def wrong(groups: Two) -> int:
        return groups.middle.whole[0]

    @kernel
    def reads(groups: Two) -> int:
        return wrong(groups)

    with pytest.raises(numba.core.errors.TypingError, match="middle"):
        reads(Pinned(Two(Pair(np.arange(4), np.zeros(4)), Pair(np.arange(4), np.zeros(4)))))


def test_an_array_in_pieces_is_refused():
    with pytest.raises(ValueError, match="not in one piece"):
        Pinned(Two(Pair(np.arange(8)[::2], np.zeros(4)), Pair(np.arange(4), np.zeros(4))))


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, lambda pinned: pickle.loads(pickle.dumps(pinned))])
def test_a_copy_is_pinned_anew(again):
    pinned = Pinned(Two(Pair(np.arange(4), np.zeros(4)), Pair(np.arange(4), np.zeros(4))))
    other = again(pinned)
    assert other.address != pinned.address
    del pinned
    gc.collect()
    assert bound(add, other, numbers=2)(1, 5) == 7
    assert other.groups.left.whole.tolist() == [0, 6, 2, 3]
