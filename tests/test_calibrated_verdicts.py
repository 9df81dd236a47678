"""Verdicts held against worlds: what the benchmark counts, and a short version of its first and third question."""

from __future__ import annotations

import math

import numpy as np
import pytest

from analysis.verdicts.verdict import Word
from benchmarks import calibrated_verdicts as calibrated
from simulator.errors import InputError

EXPERIMENTS, TRUTH = 24, 100
MEASURE = "satisfaction"


def normal(mean: float, sd: float, experiments: int = 200) -> np.ndarray:
    return np.random.default_rng(5).normal(mean, sd, calibrated.PAIRS * experiments)


def test_alarms_are_counted_by_family():
    quiet, loud = {"a": Word.CANNOT_TELL, "b": Word.NO_MEANINGFUL}, {"a": Word.CANNOT_TELL, "b": Word.LOWERS}
    found = calibrated.false_alarms("", [loud, *[quiet] * 19])
    assert (found.share, found.n, found.met) == (0.05, 20, True)
    assert not calibrated.false_alarms("", [loud] * 4 + [quiet] * 16).met


def test_an_interval_that_holds_the_truth_too_seldom_misses_its_line():
    assert calibrated.coverage(MEASURE, normal(1.0, 0.5), 1.0).met
    assert not calibrated.coverage(MEASURE, normal(1.0, 0.5), 1.2).met


@pytest.mark.parametrize("mean", [1.0, -1.0])
def test_an_effect_is_held_against_a_bound_and_half_of_it(mean):
    differences = normal(mean, 1.4)
    assert calibrated.at_the_bound(MEASURE, differences, mean).met
    assert not calibrated.at_the_bound(MEASURE, normal(mean / 4, 0.4), mean).met
    twice = calibrated.twice_the_bound(MEASURE, differences, mean)
    assert twice.met
    assert str(Word.HELPS if mean > 0 else Word.HURTS) in twice.what
    assert twice.n == 100
    assert not calibrated.twice_the_bound(MEASURE, -differences, mean).met


def test_worlds_that_are_kept_are_not_run_again(tmp_path, monkeypatch):
    asked: list[int] = []

    def live(kind, seed, scenario):
        asked.append(seed)
        return {MEASURE: seed + 0.1 if seed % 2 else math.nan}

    monkeypatch.setattr(calibrated, "live", live)
    calibrated.lived("luck", 2, tmp_path)
    found = calibrated.lived("luck", 3, tmp_path)
    first = calibrated.OTHER_SEEDS
    assert asked == [first, first + 1, first + 2]
    np.testing.assert_array_equal(found[MEASURE], [math.nan, first + 1.1, math.nan])
    monkeypatch.setitem(calibrated.SIZE, "users", 41)
    with pytest.raises(InputError, match="of another engine, scenario or settings"):
        calibrated.lived("luck", 3, tmp_path)


@pytest.mark.long
def test_worlds_of_equal_arms_seldom_differ_and_intervals_hold_a_planted_effect():
    n = EXPERIMENTS * calibrated.PAIRS
    worlds = {kind: calibrated.lived(kind, n) for kind in ("control", "luck", "planted")}
    truth = calibrated.lived("truth", TRUTH)
    assert calibrated.false_alarms("A/A", calibrated.families(worlds["luck"], worlds["control"])).met
    for name in calibrated.HEADLINE:
        true = float(np.mean(truth[name] - worlds["luck"][name][:TRUTH]))
        found = calibrated.coverage(name, worlds["planted"][name] - worlds["control"][name], true)
        assert found.share >= 0.95 - 2 * math.sqrt(0.95 * 0.05 / EXPERIMENTS)
