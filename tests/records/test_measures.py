"""Measures, recomputed from the truth log by pandas."""

from __future__ import annotations

import math

import numpy as np
import pytest

import simulator
from recommenders.inequality import gini
from simulator.plan.compiler import compile_scenario
from simulator.population.catalog import draw_catalog
from simulator.records.measures import check_measures
from simulator.scenario.load import load_scenario
from tests.laws.harness import bench, edited

NAME = "shortvideo"
ITEMS, HORIZON, SEED = 250, 72 * 3600.0, 3


@pytest.fixture(scope="module")
def result():
    return simulator.run(NAME, "popularity", users=200, items=ITEMS, horizon=HORIZON, seed=SEED)


@pytest.fixture(scope="module")
def counted(result):
    """What a measure should be, from the rows alone."""
    t = result.truth
    plays = t[t["event"].isin(["skip", "complete"])]
    by_play = plays.set_index(["user", "case"])
    acts = t[t["event"].isin(["like", "comment", "share", "follow"])].drop_duplicates(["user", "case"])
    any_act = t[t["event"].isin(["like", "comment", "share", "follow", "profile_visit", "hate"])].drop_duplicates(
        ["user", "case"]
    )
    judged = by_play[by_play["belief"].notna() & by_play["satisfaction"].notna()]
    catalog = draw_catalog(bench(NAME).compiled, ITEMS, HORIZON, SEED)
    durations = catalog.items.state["duration"][plays["item"].astype(int)]
    shown = t[t["event"] == "impression"]
    creators = np.bincount(
        catalog.items.state["creator"][shown["item"].astype(int)],
        minlength=int(catalog.items.state["creator"].max()) + 1,
    )

    def rate(event: str) -> float:
        return (t["event"] == event).sum() / len(plays)

    def long_enough(seconds: float) -> float:
        return float((plays["value"].to_numpy() >= np.minimum(np.float32(seconds), durations)).mean())

    silent = len(judged) - len(any_act)
    return {
        "plays": len(plays),
        "impressions": len(shown),
        "watch_seconds_per_impression": plays["value"].sum() / len(shown),
        "skip_rate": rate("skip"),
        "complete_play_rate": rate("complete"),
        "like_rate": rate("like"),
        "negative_feedback_rate": rate("hate"),
        "profile_enter_rate": rate("profile_visit"),
        "unattended_rate": rate("unattended"),
        "tolerated_rate": rate("tolerate"),
        "positive_interaction_rate": len(acts) / len(plays),
        "valid_play_rate": long_enough(7.0),
        "long_view_rate": long_enough(18.0),
        "silence_rate": silent / len(judged),
        "satisfaction": judged["satisfaction"].mean(),
        "creator_exposure_gini": gini(creators),
    }


NAMES = [
    "plays",
    "impressions",
    "watch_seconds_per_impression",
    "skip_rate",
    "complete_play_rate",
    "like_rate",
    "negative_feedback_rate",
    "profile_enter_rate",
    "unattended_rate",
    "tolerated_rate",
    "positive_interaction_rate",
    "valid_play_rate",
    "long_view_rate",
    "satisfaction",
    "silence_rate",
    "creator_exposure_gini",
]


@pytest.mark.parametrize("name", NAMES)
def test_a_measure_is_what_the_log_says(name, result, counted):
    # a play that is open at the horizon, or whose response is still to come, is in one count and not in the other
    tolerance = 4e-3 if name in ("silence_rate", "satisfaction", "positive_interaction_rate") else 1e-5
    assert result.metrics[name] == pytest.approx(counted[name], rel=tolerance)


def test_events_of_the_manifest_are_counts_of_the_log(result):
    counts = result.truth["event"].value_counts()
    assert result.manifest["events"] == {name: int(n) for name, n in counts.items() if n}


def test_visits_and_days(result):
    t = result.truth
    begun = t.groupby(["user", "session"])["time"].min().reset_index()
    days = begun.assign(day=(begun["time"] // 86400.0).astype(int)).drop_duplicates(["user", "day"])
    assert result.metrics["visits"] == pytest.approx(len(begun), abs=5)
    assert result.metrics["visits_per_user_day"] == pytest.approx(len(begun) / len(days), rel=0.02)
    came = [days.groupby("user")["day"].agg(set)][0]
    kept = [(d + 1 in visited) for visited in came for d in [min(visited)] if d < 2]
    assert result.metrics["day_1_retention"] == pytest.approx(np.mean(kept), rel=0.02)


def test_regret_is_the_best_of_a_request_less_what_was_shown(result):
    """Over requests that were closed before the end; of the others the log cannot say."""
    t = result.truth
    shown = t[(t["event"] == "impression") & t["utility"].notna()]
    by = shown.groupby(["user", "session", "request"])["utility"].agg(["max", "sum", "count"])
    regret = (by["max"] * by["count"] - by["sum"]).sum() / by["count"].sum()
    assert result.metrics["regret"] == pytest.approx(regret, rel=0.02)


def test_an_empty_world_has_no_rates():
    result = simulator.run(NAME, "random", users=1, items=200, horizon="15min", seed=1)
    assert result.metrics["plays"] == 0
    assert math.isnan(result.metrics["skip_rate"])


def test_an_unknown_measure_is_named(tmp_path):
    from simulator.errors import InputError

    path = edited(tmp_path, {"measures": ["plays", "happiness"]})
    with pytest.raises(InputError, match="measures: happiness is unknown"):
        check_measures(compile_scenario(load_scenario(path)))
