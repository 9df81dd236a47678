"""Statistics over seeds: against closed forms, against scipy, and their coverage in a small simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, strategies as st
from scipy import stats

from analysis.statistics import bca_interval, compare, holm, mean, ratio_of_means, seeds_for, sign_flip_p, t_interval
from simulator.errors import InputError

P_VALUES = st.lists(st.floats(0, 1), min_size=1, max_size=8)


def draws(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape)


@pytest.mark.parametrize("level", [0.5, 0.95, 0.99])
def test_the_t_interval_is_that_of_scipy(level):
    values = draws(1, 9) * 3 + 2
    expected = stats.ttest_1samp(values, 0).confidence_interval(level)
    assert t_interval(values, level) == pytest.approx((expected.low, expected.high))


def test_the_bootstrap_interval_leans_where_the_data_lean():
    values = np.exp(draws(2, 30) * 1.5)
    low, high = bca_interval(values)
    assert low < values.mean() < high
    assert high - values.mean() > values.mean() - low  # a long right tail
    assert bca_interval(values) == (low, high)
    assert bca_interval(values, seed=1) == pytest.approx((low, high), rel=0.1)
    assert bca_interval(values, seed=1) != (low, high)


def test_intervals_cover_as_often_as_they_say():
    worlds = draws(3, 400, 20) + 1.0
    t = np.mean([low <= 1.0 <= high for low, high in map(t_interval, worlds)])
    bca = np.mean([low <= 1.0 <= high for low, high in (bca_interval(world, resamples=999) for world in worlds[:200])])
    assert abs(t - 0.95) < 4 * math.sqrt(0.95 * 0.05 / 400)
    assert bca > 0.86  # known to be a little short at n = 20: about 0.93
    assert bca < 0.995


def test_too_few_or_equal_values_have_honest_intervals():
    for interval in (t_interval, bca_interval):
        assert all(math.isnan(bound) for bound in (*interval([]), *interval([1.0])))
        assert interval([2.0, 2.0, 2.0]) == (2.0, 2.0)
    with pytest.raises(InputError, match=r"level = 95"):
        t_interval([1.0, 2.0], 95)
    with pytest.raises(InputError, match="NaN"):
        t_interval([1.0, math.nan])


@pytest.mark.parametrize("n", [2, 7, 12])
def test_the_exact_sign_flip_test_is_that_of_scipy(n):
    values = draws(4 + n, n) + 0.4
    expected = stats.permutation_test((values,), np.mean, permutation_type="samples", n_resamples=np.inf).pvalue
    assert sign_flip_p(values) == pytest.approx(expected, abs=1e-12)


def test_all_signs_alike_give_the_smallest_p_that_there_is():
    assert sign_flip_p(np.full(20, 0.1)) == 2 / 2**20
    assert sign_flip_p(-np.arange(1.0, 9.0)) == 2 / 2**8
    assert sign_flip_p(np.zeros(5)) == 1.0
    assert sign_flip_p([1.0, -1.0]) == 1.0
    assert sign_flip_p([3.0]) == 1.0
    assert math.isnan(sign_flip_p([]))


def test_drawn_signs_agree_with_all_signs():
    values = draws(5, 20) + 0.45
    exact = sign_flip_p(values)
    drawn = sign_flip_p([*values, 0.0])  # one more difference of 0 changes no share, but there are too many to count
    assert 0.001 < exact < 0.5
    assert drawn != exact
    assert abs(drawn - exact) < 4 * math.sqrt(exact / 99_999)
    assert sign_flip_p([*values, 0.0]) == drawn
    assert sign_flip_p(np.full(40, 1.0), flips=999) == 1 / 1000  # never 0


def test_without_an_effect_small_p_values_are_as_rare_as_they_say():
    p = np.array([sign_flip_p(world) for world in draws(6, 2000, 8)])
    for alpha in (0.05, 0.25):
        assert abs(np.mean(p <= alpha) - alpha) < 4 * math.sqrt(alpha * (1 - alpha) / 2000) + 2 / 2**8


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.6, 0.7]) == [1.0, 1.0]
    assert holm([]) == []


@given(P_VALUES)
def test_holm_corrects_by_no_more_than_the_number_of_tests_and_keeps_the_order(p_values):
    adjusted = holm(p_values)
    for p, corrected in zip(p_values, adjusted, strict=True):
        assert min(p, 1.0) <= corrected <= min(1.0, p * len(p_values)) + 1e-15
    assert min(adjusted) == pytest.approx(min(1.0, min(p_values) * len(p_values)))
    order = np.argsort(p_values, kind="stable")
    assert np.all(np.diff(np.array(adjusted)[order]) >= 0)
    with_gap = holm([math.nan, *p_values])
    assert math.isnan(with_gap[0])
    assert with_gap[1:] == adjusted


def test_pairing_takes_out_what_the_worlds_share():
    world = draws(7, 20) * 100
    found = compare(world + 1 + draws(8, 20) * 0.1, world)
    assert found.n == 20
    assert found.interval.low > 0.9
    assert found.interval.high < 1.1
    assert found.bootstrap == pytest.approx(found.interval, abs=0.02)
    assert found.p == 2 / 2**20


def test_worlds_without_both_values_are_no_pairs():
    found = compare([1.0, math.nan, 3.0, 4.0], [0.0, 1.0, math.nan, 2.0])
    assert (found.n, found.difference) == (2, 1.5)
    nothing = compare([math.nan], [1.0])
    assert nothing.n == 0
    assert math.isnan(nothing.difference)
    assert math.isnan(nothing.p)
    with pytest.raises(InputError, match="shapes"):
        compare([1.0, 2.0], [1.0])


def test_an_interval_of_a_ratio_holds_what_the_t_test_does_not_refuse():
    control = np.exp(draws(8, 9) / 3)
    treated = 0.7 * control + draws(9, 9) / 8
    found = ratio_of_means(treated, control, 0.9)
    assert found.ratio == pytest.approx(treated.mean() / control.mean())
    for bound in found.interval:  # where the interval ends, the test just refuses
        assert stats.ttest_1samp(treated - bound * control, 0).pvalue == pytest.approx(0.1)
    assert found.interval.low < found.ratio < found.interval.high


def test_ratios_cover_as_often_as_they_say():
    noise = draws(10, 400, 6, 2) / 4
    found = [ratio_of_means(0.6 + each[:, 0], 1 + each.sum(axis=1)).interval for each in noise]
    held = np.mean([low <= 0.6 <= high for low, high in found if not math.isnan(low)])
    assert abs(held - 0.95) < 4 * math.sqrt(0.95 * 0.05 / 400)


@pytest.mark.parametrize(
    ("treated", "control", "n", "ratio", "bounds"),
    [
        ([1.0, 2.0], [1.0, 2.0], 2, 1, (1, 1)),
        ([3.0], [2.0], 1, 1.5, None),
        ([], [], 0, None, None),
        ([1.0, 2.0], [0.0, 0.0], 2, None, None),
        ([1.0, 2.0], [-1.0, -2.0], 2, None, None),
        ([1.0, 2.0, 0.0], [0.0, 3.0, 0.0], 3, 1, None),  # rare, and never below zero: a ratio without an interval
        ([1.0, 2.0, 0.0], [-0.1, 3.0, 0.1], 3, None, None),  # may as well be zero: no ratio
        ([1.0, 2.0, math.nan], [1.0, 2.0, 5.0], 2, 1, (1, 1)),
    ],
)
def test_a_ratio_is_given_where_it_says_something(treated, control, n, ratio, bounds):
    found = ratio_of_means(treated, control)
    assert found.n == n
    assert found.ratio == ratio if ratio is not None else math.isnan(found.ratio)
    assert found.interval == bounds if bounds is not None else all(math.isnan(bound) for bound in found.interval)
    with pytest.raises(InputError, match="one value per world"):
        ratio_of_means([*treated, 1.0], control)


def test_a_mean_is_that_of_what_is_there():
    assert mean([1.0, math.nan, 3.0]) == 2
    assert math.isnan(mean([math.nan]))


@pytest.mark.parametrize(("half", "most"), [(2.0, 30), (0.3, 400)])
def test_the_number_of_seeds_is_the_least_that_is_enough(half, most):
    some = np.array([1.0, 4.0, 2.0, 5.0])
    n = seeds_for(some, half)
    widths = {k: stats.t.ppf(0.975, k - 1) * some.std(ddof=1) / np.sqrt(k) for k in range(2, most)}
    assert n == min(k for k, width in widths.items() if width <= half)


def test_no_number_of_seeds_is_enough_for_an_interval_of_nothing():
    assert seeds_for([1.0, 2.0], 0.0) is None
    assert seeds_for([1.0], 1.0) is None
