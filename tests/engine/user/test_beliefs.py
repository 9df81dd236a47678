"""Beliefs against the closed form of jointly normal cues; matches."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, strategies as st
from scipy.stats import norm

from simulator.engine.user.beliefs import believed, combined, matched

CUES = st.lists(st.tuples(st.floats(0.05, 20.0), st.floats(-4.0, 4.0)), min_size=1, max_size=6)


@given(CUES, st.floats(0.0, 3.0), st.floats(-2.0, 2.0))
def test_precision_weighting_with_a_common_error_is_the_normal_posterior(cues, variance, shift):
    """Cues x_m = truth + error_m + common: the posterior from the inverse of their covariance matrix."""
    t = np.array([precision for precision, _ in cues])
    x = np.array([reading for _, reading in cues])
    mean, spread = combined(t.sum(), (t * x).sum(), variance, shift)
    covariance = np.diag(1.0 / t) + variance + 1.0  # of the cues themselves: the truth has variance 1
    gain = np.linalg.solve(covariance, np.ones(len(t)))
    assert mean == pytest.approx(gain @ (x + shift), abs=1e-9)
    assert spread == pytest.approx(1.0 - gain.sum(), abs=1e-9)


def test_without_a_cue_the_prior_stays():
    assert combined(0.0, 0.0, 0.3, 5.0) == (0.0, 1.0)


@given(CUES, st.floats(0.01, 3.0))
def test_a_common_error_bounds_what_any_number_of_cues_can_say(cues, variance):
    """With a shared error of variance c, belief never becomes surer than c / (1 + c)."""
    t = sum(precision for precision, _ in cues)
    _, spread = combined(t * 1e9, 0.0, variance, 0.0)
    assert spread >= variance / (1.0 + variance) - 1e-12
    _, alone = combined(t, 0.0, 0.0, 0.0)
    assert alone == pytest.approx(1.0 / (1.0 + t))


@given(CUES, st.floats(0.0, 2.0), st.floats(0.01, 5.0))
def test_one_more_cue_makes_surer(cues, variance, precision):
    t = sum(each for each, _ in cues)
    assert combined(t + precision, 0.0, variance, 0.0)[1] < combined(t, 0.0, variance, 0.0)[1]


def test_beliefs_are_calibrated():
    """Over worlds in which the truth is drawn as the user's prior says, belief covers it as often as it claims."""
    generator = np.random.default_rng(3)
    n, c = 20_000, 0.4
    t = np.array([0.7, 2.0, 4.0])
    truth, common = generator.normal(size=n), generator.normal(0.0, math.sqrt(c), n)
    readings = truth[:, None] + generator.normal(size=(n, 3)) / np.sqrt(t)
    beliefs = [combined(t.sum(), float((t * x).sum()), c, e) for x, e in zip(readings, common, strict=True)]
    mean, variance = np.array(beliefs).T
    z = (truth - mean) / np.sqrt(variance)
    assert abs(z.mean()) < 4.5 / math.sqrt(n)
    assert abs(z.var() - 1.0) < 4.5 * math.sqrt(2.0 / n)
    assert abs((np.abs(z) < norm.ppf(0.95)).mean() - 0.9) < 4.5 * math.sqrt(0.09 / n)


@given(st.floats(-20.0, 20.0), st.floats(0.0, 3.0), st.floats(0.1, 3.0))
def test_matches_are_odd_rising_and_level_off(x, saturation, scale):
    y = matched(x, saturation, scale)
    assert y == pytest.approx(scale * x / (1.0 + saturation * abs(x)))
    assert matched(-x, saturation, scale) == -y
    assert matched(x + 0.1, saturation, scale) > y
    if saturation > 0.0:
        assert abs(y) < scale / saturation


@pytest.mark.parametrize("signal", [1.0, 0.8, 0.4])
@pytest.mark.parametrize("bias", [0.0, 0.3])
def test_readers_who_know_how_much_a_cue_tells_are_not_disappointed(signal, bias):
    """Whoever is chosen by what is believed of them turns out to be worth that on average: no winner's curse."""
    generator = np.random.default_rng(5)
    n, t = 40_000, 3.0
    truth, nuisance, error, creator = generator.normal(size=(4, n))
    shown = signal * truth + math.sqrt(1.0 - signal**2) * nuisance + bias * creator
    doubt = 1.0 - signal**2 + bias**2
    gain = believed(t, signal, doubt)
    mean = np.array([combined(t * gain * signal, gain * (t * x + math.sqrt(t) * e), 0.0, 0.0)[0]
                     for x, e in zip(shown, error, strict=True)])  # fmt: skip
    best = mean > np.quantile(mean, 0.9)
    gap = truth[best] - mean[best]
    assert abs(gap.mean()) < 4.5 * gap.std() / math.sqrt(best.sum())


def test_at_face_value_the_best_disappoint():
    """What a cue says beside the truth is taken for truth: the law above fails for such readers."""
    generator = np.random.default_rng(5)
    truth, nuisance, error = generator.normal(size=(3, 20_000))
    t, signal = 3.0, 0.4
    shown = signal * truth + math.sqrt(1.0 - signal**2) * nuisance + error / math.sqrt(t)
    mean = np.array([combined(t * believed(t, 1.0, 0.0), t * x, 0.0, 0.0)[0] for x in shown])
    best = mean > np.quantile(mean, 0.9)
    assert (truth[best] - mean[best]).mean() < -0.5
