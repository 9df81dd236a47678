"""Returning, churn and the length of visits against closed forms."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, strategies as st
from scipy.stats import chisquare

import simulator
from simulator.engine.tables.tables import USER_PARAMS
from simulator.engine.user.return_and_churn import after, leave_log_odds, successor
from simulator.scenario.activity_profiles import cumulative_activity
from tests.laws.harness import bench, edited, number

DAY = 86400.0
HOURS = bench("shortvideo").compiled.plan.hours
PROFILES = st.lists(st.floats(0.05, 5.0), min_size=24, max_size=24)


def cumulative(hours: np.ndarray, clock: float) -> float:
    """Activity since midnight of day 0 at a time of the day's clock."""
    day, second = divmod(clock, DAY)
    return float(day * DAY + np.interp(second, 3600.0 * np.arange(25), hours))


def scaled(profile: list[float]) -> np.ndarray:
    total = np.concatenate([[0.0], np.cumsum(profile)])
    return total * (DAY / total[-1])


@given(PROFILES, st.floats(0.0, 30 * DAY), st.floats(0.1, 20 * DAY), st.floats(0.0, DAY - 1.0))
def test_exactly_the_activity_that_was_waited_for_has_passed(profile, start, waiting, starts_at):
    hours = scaled(profile)
    time = after(start, waiting, hours, starts_at)
    passed = cumulative(hours, time + starts_at) - cumulative(hours, start + starts_at)
    steepest = np.diff(hours).max() / 3600.0
    assert passed == pytest.approx(waiting, abs=steepest * 2.0 / 1024.0 + 1e-6)
    assert time > start
    assert time * 1024.0 == int(time * 1024.0)


@given(st.floats(0.0, 10 * DAY), st.floats(0.01, 5 * DAY))
def test_a_flat_day_changes_nothing(start, waiting):
    flat = np.linspace(0.0, DAY, 25)
    assert after(start, waiting, flat, 0.0) == pytest.approx(start + waiting, abs=2.0 / 1024.0)


@given(st.floats(0.0, 3 * DAY), st.integers(1, 5))
def test_a_day_of_activity_is_a_day(start, days):
    assert after(start, days * DAY, HOURS, 6 * 3600.0) == pytest.approx(start + days * DAY, abs=0.02)


@given(st.floats(0.0, 3 * DAY), st.floats(0.5, DAY), st.floats(0.5, DAY))
def test_waiting_twice_is_waiting_the_sum(start, first, second):
    halfway = after(after(start, first, HOURS, 0.0), second, HOURS, 0.0)
    assert halfway == pytest.approx(after(start, first + second, HOURS, 0.0), abs=0.05)


def test_arrivals_follow_the_profile_of_the_day():
    """Users wait exponentially in activity; by the hour of the day, arrivals have the shares of the profile."""
    generator = np.random.default_rng(2)
    counts = np.zeros(24)
    for _ in range(60):
        time = 0.0
        while True:
            time = after(time, generator.exponential(2 * 3600.0), HOURS, 6 * 3600.0)
            if time > 10 * DAY:
                break
            counts[int(((time + 6 * 3600.0) % DAY) // 3600.0)] += 1
    expected = np.diff(HOURS) / DAY * counts.sum()
    assert counts.sum() > 5000
    assert chisquare(counts, expected).pvalue > 1e-4


DAYS = st.lists(st.floats(0.1, 5.0), min_size=7, max_size=7)


@given(PROFILES, DAYS, st.floats(0.0, 30 * DAY), st.floats(0.1, 20 * DAY), st.floats(0.0, DAY - 1.0))
def test_a_week_has_the_activity_of_its_days(profile, days, start, waiting, starts_at):
    week = cumulative_activity(profile, days)
    assert week[-1] == pytest.approx(7 * DAY)
    assert np.diff(week[::24]) == pytest.approx(7 * DAY * np.array(days) / sum(days))

    def since_monday(clock: float) -> float:
        turn, second = divmod(clock, 7 * DAY)
        return float(turn * 7 * DAY + np.interp(second, 3600.0 * np.arange(169), week))

    time = after(start, waiting, week, starts_at)
    steepest = np.diff(week).max() / 3600.0
    passed = since_monday(time + starts_at) - since_monday(start + starts_at)
    assert passed == pytest.approx(waiting, abs=steepest * 2.0 / 1024.0 + 1e-6)
    assert time > start


@given(PROFILES, st.floats(0.0, 30 * DAY), st.floats(0.1, 20 * DAY))
def test_a_week_of_equal_days_is_its_day(profile, start, waiting):
    day, week = cumulative_activity(profile), cumulative_activity(profile, [2.0] * 7)
    assert after(start, waiting, week, 0.0) == pytest.approx(after(start, waiting, day, 0.0), abs=0.02)


def test_visits_follow_the_days_of_the_week(tmp_path):
    """Of users who come back at once, the visits of each day have the share of the profile."""
    days = [1.0, 2.0, 0.5, 1.0, 0.25, 3.0, 1.0]
    profile = {"profile": days, "unit": "relative", "from": "estimate"}
    content = edited(tmp_path, {"user.churn": number(0.0, "probability")})
    table = json.loads(content.read_text())
    table["user"]["weekdays"] = profile
    table["user"]["return_after"] = {"dist": "exponential", "mean": 12, "unit": "h", "from": "estimate"}
    table["user"]["return_goodwill"] = number(0.0, "1/goodwill")
    table["user"]["first_arrival"] = {"dist": "uniform", "low": 0, "high": 1, "unit": "d", "from": "estimate"}
    table["clock"]["starts_at"] = number(0.0, "h")
    content.write_text(json.dumps(table))
    truth = simulator.run(content, "random", users=300, items=200, horizon="14d", seed=1, log="full").truth
    begun = truth.groupby(["user", "session"])["time"].min()
    counts = np.bincount((begun[begun >= DAY] // DAY).astype(int) % 7, minlength=7)
    counts[0] = 2 * (begun // DAY == 7).sum()  # the first Monday has the first arrivals, which wait for nothing
    expected = np.array(days) / sum(days) * counts.sum()
    assert counts.sum() > 5000
    assert np.abs(counts - expected).max() < 0.15 * expected.max()
    assert np.corrcoef(counts, expected)[0, 1] > 0.98


def test_log_odds_of_leaving_add_up():
    user_params = np.zeros(1, dtype=USER_PARAMS)[0]
    user_params["leave_base"], user_params["leave_satisfaction"], user_params["leave_bad_streak"] = -5.0, -0.5, 0.35
    user_params["leave_elapsed"], user_params["leave_tolerance"] = 2.0, 1.5
    assert leave_log_odds(1.0, 0, 0.0, 1.0, user_params) == pytest.approx(-5.5)
    assert leave_log_odds(0.0, 3, 0.5, 1.0, user_params) == pytest.approx(-5.0 + 1.05 + 1.0)
    assert leave_log_odds(0.0, 0, 0.0, 0.0, user_params) == pytest.approx(-3.5)
    assert leave_log_odds(0.0, 0, 100.0, 1.0, user_params) == pytest.approx(-5.0 + 8.0)  # of time, four budgets count


def test_successors_are_drawn_by_their_shares():
    shares = np.array([[[0.2, 0.7, 1.0]]])
    alternatives = np.array([[[4, -1, 2]]], dtype=np.int32)
    draw = (np.arange(1000) + 0.5) / 1000
    found = np.array([successor(0, 0, u, shares, alternatives) for u in draw])
    assert [(found == k).mean() for k in (4, -1, 2)] == pytest.approx([0.2, 0.5, 0.3])


@pytest.fixture(scope="module")
def constant_odds(tmp_path_factory):
    """A feed whose viewers end their visit after every item with one and the same probability, 0.1."""
    folder = tmp_path_factory.mktemp("constant")
    edits = {
        "stages.feed.entry": number(0.98, "share"),
        "stages.discover.entry": number(0.01, "share"),
        "stages.search.entry": number(0.01, "share"),
        "user.leave.base": number(float(np.log(0.1 / 0.9)), "log-odds"),
        "user.leave.satisfaction": number(0.0, "1/utility"),
        "user.leave.bad_streak": number(0.0, "log-odds"),
        "user.leave.elapsed": number(0.0, "log-odds"),
        "user.leave.tolerance": number(0.0, "log-odds"),
    }
    return edited(folder, edits)


def test_with_constant_odds_of_leaving_visits_are_geometric(constant_odds):
    truth = simulator.run(constant_odds, "random", users=1500, items=400, horizon="24h", seed=1).truth
    visits = pd.MultiIndex.from_frame(truth[["user", "session"]])
    cards = truth["stage"].isin(["discover", "search"])  # they have exits of their own
    truth = truth[~visits.isin(visits[cards].unique())]
    ended = truth[truth["event"] == "leave"].set_index(["user", "session"]).index
    plays = truth[truth["event"].isin(["skip", "complete"])].groupby(["user", "session"]).size()
    # visits cut off by the horizon are rare but would be short: leave out what began in the last hour
    begun = truth.groupby(["user", "session"])["time"].min()
    early = begun.index[begun < 23 * 3600.0]
    assert len(early.difference(ended)) < 5
    lengths = plays.loc[early.intersection(ended)].to_numpy()
    n, p = len(lengths), 0.1
    assert n > 2000
    assert lengths.min() == 1
    assert abs(lengths.mean() - 1.0 / p) < 4.5 * np.sqrt((1.0 - p) / p**2 / n)
    bins = np.arange(1, 31)
    observed = np.array([*((lengths == k).sum() for k in bins), (lengths > 30).sum()])
    expected = n * np.array([*(p * (1.0 - p) ** (bins - 1)), (1.0 - p) ** 30])
    assert chisquare(observed, expected).pvalue > 1e-4
