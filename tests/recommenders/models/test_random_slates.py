"""Random slates: uniform over ordered choices, a function of the key, exact propensities."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy.stats import chi2

from recommenders.contract import NO_ITEM, validate_slates
from recommenders.models import hashing, kernel
from recommenders.models.random import Random
from tests.recommenders.little import ask


def chi_square_p(counts: np.ndarray) -> float:
    """p-value of equal expected counts."""
    expected = counts.sum() / counts.size
    return float(chi2.sf(((counts - expected) ** 2 / expected).sum(), counts.size - 1))


def test_hashes_agree_between_numpy_and_kernels():
    states = np.array([0, 1, 2**63, 2**64 - 1], np.uint64)
    keys = np.array([5, 0, 2**64 - 1, 77], np.uint64)
    compiled = [kernel.mix(state, key) for state, key in zip(states, keys, strict=True)]
    assert hashing.mix(states, keys).tolist() == [int(value) for value in compiled]


@pytest.mark.parametrize("bound", [1, 2, 3, 1000, 2**31, 2**32 - 1])
def test_bounded_integers_are_the_upper_half_of_the_product(bound):
    draw = hashing.chain(3, np.arange(200))
    for one in (*draw.tolist(), 0, 2**64 - 1):
        assert int(kernel.below(np.uint64(one), np.uint64(bound))) == (one * bound) >> 64


@pytest.mark.parametrize("recent", [(), (2,), (0, 5, 6), (9, 8, 7, 1)])
def test_all_ordered_choices_are_equally_likely(recent):
    n = 40_000
    requests = ask(8, users=[0] * n, keys=hashing.chain(11, np.arange(n)).tolist(), slate_size=2, recent=(recent,))
    items = Random(seed=1).recommend(requests).items
    eligible = [item for item in range(8) if item not in recent]
    choices = list(itertools.permutations(eligible, 2))
    counts = np.array([((items[:, 0] == a) & (items[:, 1] == b)).sum() for a, b in choices])
    assert counts.sum() == n
    assert chi_square_p(counts) > 0.001


def test_places_are_uniform_over_many_candidates():
    n = 20_000
    requests = ask(500, users=[0] * n, keys=range(n), slate_size=10, recent=(range(0, 500, 20),))
    items = Random(seed=2).recommend(requests).items
    eligible = np.array([item for item in range(500) if item % 20])
    for place in (0, 4, 9):
        counts = np.bincount(items[:, place], minlength=500)
        assert counts[::20].sum() == 0
        assert chi_square_p(counts[eligible]) > 0.001


def test_seeds_and_keys_change_slates_and_nothing_else_does():
    one = ask(100, users=(1, 2), keys=(5, 6), slate_size=10)
    other = ask(100, users=(8, 9, 7), keys=(4, 6, 5), slate_size=10)
    first, second = Random(seed=3).recommend(one), Random(seed=3).recommend(other)
    assert first.items[0].tolist() == second.items[2].tolist()
    assert first.items[1].tolist() == second.items[1].tolist()
    assert first.items[0].tolist() != second.items[0].tolist()
    assert Random(seed=4).recommend(one).items.tolist() != first.items.tolist()


def test_propensity_is_the_share_of_the_eligible():
    requests = ask(50, slate_size=10, recent=((3, 4, 3, 49),), candidates=range(40))
    slates = Random().recommend(requests)
    assert slates.propensity.tolist() == pytest.approx(np.full((1, 10), 10 / 38))


def test_recent_items_fill_up_when_candidates_run_out():
    n = 12_000
    requests = ask(10, users=[0] * n, keys=range(n), slate_size=6, recent=((1, 2, 3),), candidates=(0, 1, 2, 3, 4, 8))
    slates = Random(seed=9).recommend(requests)
    validate_slates(slates, requests, 10, "random")
    assert set(slates.items[:, :3].ravel()) == {0, 4, 8}
    assert slates.propensity[0].tolist() == [1] * 6
    five = ask(10, users=[0] * n, keys=range(n), slate_size=5, recent=((1, 2, 3),), candidates=(0, 1, 2, 3, 4, 8))
    slates = Random(seed=9).recommend(five)
    assert slates.propensity[0].tolist() == pytest.approx([1, 1, 1, 2 / 3, 2 / 3])
    assert chi_square_p(np.bincount(slates.items[:, 3:].ravel(), minlength=10)[1:4]) > 0.001


def test_places_beyond_the_candidates_are_empty():
    slates = Random().recommend(ask(10, slate_size=4, candidates=(7, 9)))
    assert sorted(slates.items[0, :2].tolist()) == [7, 9]
    assert slates.items[0, 2:].tolist() == [NO_ITEM] * 2
    assert np.isnan(slates.propensity[0, 2:]).all()
