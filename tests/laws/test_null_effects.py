"""Null effects: a label of users that nothing uses shows uniform p-values over 200 tests, in every scenario.

The labels are keyed like everything else that is drawn for users, so that a hash whose purposes are not independent of
each other would show here. LEVEL was chosen before the first run.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

import simulator
from simulator.engine.randomness import PERSON, uniforms
from tests.laws.harness import runnable
from tests.laws.small_worlds import settings

LEVEL = 0.001
"""Of each Kolmogorov-Smirnov test of uniformity."""
LABELS = 200
_NOBODYS = 900_000  # blocks of PERSON from which the engine draws nothing
_ARRIVAL = 0  # block from which it draws when a user comes first
SHORT = "shortvideo"


def _outcomes(name: str, n_users: int) -> dict[str, np.ndarray]:
    """What happened to each user, in several ways, float64 (users,)."""
    result = simulator.run(name, "itemknn", **settings(name, users=n_users))
    truth = result.truth
    events = truth["event"].astype(str)
    per_user = truth.groupby("user")
    found = {
        "events": per_user.size(),
        "visits": truth[events == "leave"].groupby("user").size(),
        "seconds": truth[events == "leave"].groupby("user")["value"].sum(),
        "utility": per_user["utility"].mean(),
        "belief": per_user["belief"].mean(),
    }
    return {
        what: values.reindex(range(n_users)).fillna(values.mean() if what in ("utility", "belief") else 0.0).to_numpy()
        for what, values in found.items()
    }


def rank_p(outcome: np.ndarray, label: np.ndarray) -> float:
    """Two-sided p-value of the rank-sum test, ties averaged (Mann and Whitney 1947)."""
    return float(stats.mannwhitneyu(outcome[label], outcome[~label], method="asymptotic").pvalue)


def _labels(seed: int, n_users: int, n: int) -> list[np.ndarray]:
    return [uniforms(seed, PERSON, n_users, _NOBODYS + k) < 0.5 for k in range(n)]


def _uniform(name: str, n_users: int) -> None:
    seed = settings(name)["seed"]
    labels = _labels(seed, n_users, LABELS)
    for what, outcome in _outcomes(name, n_users).items():
        commonest = np.unique(outcome, return_counts=True)[1].max()
        assert commonest < 0.9 * n_users, f"{name}: {what} hardly varies"
        p = np.array([rank_p(outcome, label) for label in labels])
        found = stats.kstest(p, "uniform").pvalue
        assert found > LEVEL, f"{name}: p-values of {what} are not uniform (KS p = {found:.2g})"


def test_a_label_that_nothing_uses_shows_nothing():
    _uniform(SHORT, 120)


@pytest.mark.long
@pytest.mark.parametrize("name", runnable())
def test_a_label_that_nothing_uses_shows_nothing_in_any_scenario(name):
    _uniform(name, 1500)


def test_a_label_that_something_uses_is_found():
    """Who comes early has more time: the same test finds the label that the engine itself draws arrivals from."""
    n = 240
    early = uniforms(settings(SHORT)["seed"], PERSON, n, _ARRIVAL) < 0.2
    assert rank_p(_outcomes(SHORT, n)["events"], early) < LEVEL


def test_a_test_that_sees_too_much_would_be_found():
    """P-values that are a little too small, or too alike, do not pass for uniform."""
    generator = np.random.default_rng(8)
    p = generator.uniform(size=LABELS)
    assert stats.kstest(p, "uniform").pvalue > LEVEL
    assert stats.kstest(p**1.5, "uniform").pvalue < LEVEL
    assert stats.kstest(0.25 + 0.5 * p, "uniform").pvalue < LEVEL
