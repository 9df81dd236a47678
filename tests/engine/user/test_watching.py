"""Watching against closed forms: survival under a piecewise constant hazard, loops, satisfaction."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, strategies as st
from scipy.stats import kstest

from simulator.engine.user.watching import leave_by_share, leave_time, loops, satisfied

HAZARD = st.floats(0.005, 2.0)


def survival(t, at_sight: float, judged_after: float, judged: float, known_after: float, known: float):
    """exp(-cumulative hazard)."""
    t = np.asarray(t, dtype=float)
    early = np.minimum(t, judged_after) * at_sight
    middle = np.clip(t - judged_after, 0.0, known_after - judged_after) * judged
    late = np.maximum(t - known_after, 0.0) * known
    return np.exp(-(early + middle + late))


@given(st.floats(0.0, 1.0 - 1e-12), HAZARD, st.floats(0.1, 5.0), HAZARD, st.floats(0.0, 10.0), HAZARD)
def test_a_time_is_the_inverse_of_survival(draw, at_sight, judged_after, judged, gap, known):
    known_after = judged_after + gap
    t = leave_time(-math.log1p(-draw), at_sight, judged_after, judged, known_after, known)
    assert t >= 0.0
    assert survival(t, at_sight, judged_after, judged, known_after, known) == pytest.approx(1.0 - draw, rel=1e-7)


@pytest.mark.parametrize(
    "shape", [(0.08, 1.3, 0.10, 7.0, 0.03), (0.5, 1.0, 0.01, 4.0, 0.6), (0.02, 2.0, 0.9, 2.5, 0.1)]
)
def test_times_follow_the_survival_function(shape):
    left = np.random.default_rng(5).exponential(size=20_000)
    times = np.array([leave_time(draw, *shape) for draw in left])
    assert kstest(times, lambda t: 1.0 - survival(t, *shape)).pvalue > 1e-4


@given(st.floats(0.0, 12.0), HAZARD, HAZARD, st.floats(1.01, 3.0))
def test_a_higher_hazard_never_keeps_anybody_longer(left, judged, known, factor):
    before = leave_time(left, 0.1, 1.0, judged, 6.0, known)
    assert leave_time(left, 0.1, 1.0, judged * factor, 6.0, known) <= before
    assert leave_time(left, 0.1, 1.0, judged, 6.0, known * factor) <= before


def lived_through(t: float, begins: float, duration: float, steps) -> float:
    """Cumulative hazard from `begins` to t of hazards that begin at parts of a duration."""
    shares = [share for share, _ in steps] + [np.inf]
    pieces = zip(shares, shares[1:], [hazard for _, hazard in steps], strict=False)
    return sum(h * max(min(t, b * duration) - max(begins, a * duration), 0.0) for a, b, h in pieces)


STEPS = st.lists(st.tuples(st.floats(0.01, 3.0), HAZARD), min_size=1, max_size=5, unique_by=lambda step: step[0])


@given(st.floats(0.0, 20.0), st.floats(0.0, 90.0), st.floats(1.0, 200.0), STEPS)
def test_hazards_by_share_are_the_inverse_of_their_survival(left, begins, duration, steps):
    steps = sorted(steps)
    rows = np.array([(9.0, 9.0), *steps, (9.0, 9.0)])  # others' rows round them
    t = leave_by_share(left, begins, duration, rows, 1, len(steps))
    assert t >= max(begins, steps[0][0] * duration)
    assert lived_through(t, begins, duration, steps) == pytest.approx(left, rel=1e-6, abs=1e-7)


@pytest.mark.parametrize("again", [0.0, 0.18, 0.6, 0.95])
def test_loops_are_geometric_up_to_their_cap(again):
    n = 20_001
    counts = np.array([loops((k + 0.5) / n, again, 5) for k in range(n)])
    assert counts.max() <= 5
    for least in range(1, 6):
        assert (counts >= least).mean() == pytest.approx(again**least, abs=2.0 / n)


@given(st.floats(-3.0, 3.0), st.floats(-3.0, 3.0), st.floats(0.0, 2.0), st.floats(0.0, 2.0), st.floats(1.0, 4.0))
def test_satisfaction_weighs_losses_more(lived, expected, weight, confirmation, aversion):
    found = satisfied(lived, expected, weight, confirmation, aversion)
    gap = lived - expected
    assert found == pytest.approx(weight * lived + confirmation * (gap if gap >= 0.0 else aversion * gap))
    # the same distance below what was expected costs at least what it gains above
    gain = satisfied(expected + 1.0, expected, 0.0, confirmation, aversion)
    loss = satisfied(expected - 1.0, expected, 0.0, confirmation, aversion)
    assert gain == pytest.approx(confirmation)
    assert -loss == pytest.approx(aversion * confirmation)
