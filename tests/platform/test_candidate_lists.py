"""Lists of candidates side by side: each is found again by its number, whatever was put up after it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, strategies as st

from simulator.platform.candidate_lists import ListStore


@given(st.lists(st.lists(st.integers(0, 10**6), max_size=200), max_size=120))
def test_lists_are_found_by_their_numbers(contents):
    shelf = ListStore()
    arrays = [np.array(each, dtype=np.int32) for each in contents]
    numbers = [shelf.number(array) for array in arrays]
    assert numbers == list(range(len(arrays)))
    assert numbers == [shelf.number(array) for array in arrays]  # they are there already
    for number, array in zip(numbers, arrays, strict=True):
        begin, end = shelf.bounds[number]
        assert np.array_equal(shelf.items[begin:end], array)
        assert shelf.array(number) is array
    assert shelf.used == sum(map(len, arrays))
    shelf.clear()
    assert (shelf.used, len(shelf.bounds)) == (0, 0)


def test_a_list_that_was_made_on_it_is_handed_out_to_stay():
    shelf = ListStore()
    first = shelf.room(1, 40_000)  # more than there was room for
    shelf.items[:40_000], shelf.bounds[first] = np.arange(40_000), (0, 40_000)
    shelf.filled(40_000)
    own = shelf.array(first)
    shelf.clear()
    shelf.number(np.zeros(40_000, dtype=np.int32))
    assert np.array_equal(own, np.arange(40_000))
    with pytest.raises(ValueError, match="read-only"):
        own[0] = 1
