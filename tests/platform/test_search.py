"""A search: how much of what is right it finds, and how much of what it finds is right."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from simulator.platform.filters import search


class Asking:
    """A query as the search knows it."""

    def __init__(self, precision: float | None, recall: float | None) -> None:
        self.precision = None if precision is None else SimpleNamespace(value=precision)
        self.recall = None if recall is None else SimpleNamespace(value=recall)


@pytest.mark.parametrize(("precision", "recall"), [(0.8, 0.9), (None, 0.6), (0.5, None), (None, None)])
def test_a_search_finds_so_much_of_what_is_right(precision, recall):
    right = np.random.default_rng(1).integers(0, 10, 20000) == np.arange(10)[:, None]
    found = right.copy()
    search(Asking(precision, recall), found, 7, 0)
    true = (found & right).sum(axis=1)
    assert true / right.sum(axis=1) == pytest.approx(np.full(10, recall or 1.0), abs=0.04)
    assert true / found.sum(axis=1) == pytest.approx(np.full(10, precision or 1.0), abs=0.04)
    again, fewer = right.copy(), right[:, :500].copy()
    search(Asking(precision, recall), again, 7, 0)
    assert np.array_equal(again, found)
    other = right.copy()
    search(Asking(precision, recall), other, 7, 1)
    assert np.array_equal(other, found) == (precision is recall is None)
    search(Asking(None, recall), fewer, 7, 0)  # whether a right one is found is the item's own
    assert np.array_equal(fewer & right[:, :500], found[:, :500] & right[:, :500])
