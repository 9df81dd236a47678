"""Small numeric kernels against numpy, to the accuracy that their docstrings promise."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import example, given, strategies as st
from scipy.stats import kstest

from simulator.engine.jit.compile import kernel
from simulator.engine.primitives import exponential, exponential_table, fixed, quantised, sigmoid, waited
from simulator.engine.randomness import normal_table, table_points
from simulator.engine.tables.tables import LEVELS
from simulator.engine.visit.respond import level_of

POWERS = exponential_table()


@kernel
def level_of_satisfaction(satisfaction: float) -> int:
    return level_of(satisfaction)


@given(st.floats(-44.0, 44.0))
def test_the_exponential_is_exact_to_4e_9(x):
    assert exponential(x, POWERS) == pytest.approx(np.exp(x), rel=4e-9)


def test_the_exponential_over_a_fine_grid_and_its_clamp():
    grid = np.linspace(-44.0, 44.0, 20_001)
    found = np.array([exponential(x, POWERS) for x in grid])
    assert np.abs(found / np.exp(grid) - 1.0).max() < 4e-9
    assert (np.diff(found) > 0).all()
    assert exponential(0.0, POWERS) == 1.0
    for beyond in (60.0, 1e9):
        assert exponential(beyond, POWERS) == exponential(45.0, POWERS) > np.exp(44.0)
        assert exponential(-beyond, POWERS) == exponential(-45.0, POWERS) < np.exp(-44.0)


def test_what_is_no_number_reads_no_memory_outside_of_the_tables():
    assert 0.0 < exponential(math.nan, POWERS) < 1e-18 or math.isnan(exponential(math.nan, POWERS))
    assert 0 <= level_of_satisfaction(math.nan) < LEVELS


@given(st.floats(-40.0, 40.0))
def test_the_logistic_function(x):
    assert sigmoid(x, POWERS) == pytest.approx(1.0 / (1.0 + np.exp(-x)), rel=1e-8)


@given(st.integers(0, 2**64 - 1) | st.integers(0, 63).map(lambda bit: 2**64 - 1 - 2**bit))
@example(0)
@example(2**64 - 1)
@example(2**63)
@example(2**63 - 1)
def test_an_exponential_draw_is_the_logarithm_of_its_hash(h):
    left = ((2**64 - 1 - h) | 1) / 2**64
    assert waited(np.uint64(h), POWERS) == pytest.approx(-math.log(left), abs=4e-13)


def test_exponential_draws_are_exponential_and_rise_with_the_uniform_of_their_hash():
    rng = np.random.default_rng(4).integers(0, 2**64, 20_000, dtype=np.uint64)
    draws = np.array([waited(h, POWERS) for h in rng])
    assert kstest(draws, "expon").pvalue > 1e-4
    assert (np.diff(draws[np.argsort(rng)]) >= 0.0).all()


@given(st.floats(0.0, 1e6))
def test_durations_are_whole_multiples_and_never_nothing(seconds):
    found = quantised(seconds)
    assert found * 1024.0 == int(found * 1024.0)
    assert found >= 1.0 / 1024.0
    assert found <= max(seconds, 1.0 / 1024.0) < found + 1.0 / 1024.0 + 1e-9 or seconds < 1.0 / 1024.0


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=40))
def test_fixed_sums_do_not_depend_on_their_order(values):
    sums = {sum(fixed(x) for x in order) for order in (values, values[::-1], sorted(values))}
    assert len(sums) == 1
    assert sums.pop() / 2**20 == pytest.approx(sum(values), abs=len(values) * 2.0**-20 + 1e-6)


def test_the_normal_table_has_the_moments_of_a_standard_normal():
    table = normal_table().astype(np.float64)
    assert table.shape == table_points().shape == (4096,)
    assert table.mean() == pytest.approx(0.0, abs=1e-7)
    assert table.var() == pytest.approx(1.0, abs=1e-6)
    assert (table**3).mean() == pytest.approx(0.0, abs=1e-5)
    assert (table**4).mean() == pytest.approx(3.0, abs=0.03)
    assert (np.diff(table) > 0).all()
    assert table[0] == pytest.approx(-table[-1])
