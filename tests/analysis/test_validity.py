"""Validity: models recover what data were made with, naive readings are off as is known, and values cover."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import special

from analysis.__main__ import main
from analysis.validity import report
from analysis.validity.biases import POSITION, biases
from analysis.validity.likelihood import Estimate, Parameter, fit, positive
from analysis.validity.log import Log
from analysis.validity.models import MODELS, NOT_FITTED, cards_of, examination, leaving_at_sight, ratings
from analysis.validity.off_policy import Explored, Value, _mean, estimates
from analysis.validity.report import COVERS, HOLDS, OPEN, RECOVERY, SHORT, bias, covered, off_policy, recovery
from analysis.validity.returning import activity, returning
from recommenders.check import check_recommender
from recommenders.contract import Label
from simulator.scenario.load import available_scenarios, load_scenario

WORDS = ["validity", "scenario=shortvideo", "seed=0,1", "users=60", "items=300", "horizon=10h", "first_fit=4h"]


def log_of(name: str, rows: pd.DataFrame, users: int = 1, horizon: float = 0.0, changes=None) -> Log:
    blank = {
        "session": 0, "request": 0, "item": 0, "position": 0, "case": pd.NA, "stage": "", "value": np.nan,
        "belief": np.nan, "utility": 0.0, "satisfaction": np.nan, "logged_at": 0.0, "policy_version": 0,
    }  # fmt: skip
    full = rows.assign(**{key: value for key, value in blank.items() if key not in rows})
    items = pd.DataFrame({"type": [0, 0], "duration": [1e9, 1e9]})
    return Log(load_scenario(name, changes), full, items, users, horizon)


def named(found: list[Estimate] | str, last: str) -> Estimate:
    assert not isinstance(found, str), found
    return next(each for each in found if each.name.endswith(last))


def test_a_fit_finds_rate_and_interval():
    times = np.random.default_rng(1).exponential(0.5, 4000)
    found = fit(lambda x: float((np.exp(x[0]) * times - x[0]).sum()), [Parameter("rate", 2.0, 0.0, positive)])
    rate = 1 / times.mean()
    assert found[0].value == pytest.approx(rate, rel=1e-4)
    assert found[0].high / found[0].low == pytest.approx(np.exp(2 * 1.6449 / np.sqrt(4000)), rel=1e-3)


def test_no_curvature_gives_no_estimate():
    assert fit(lambda x: 0.0, [Parameter("nothing", 0.0, 0.0)]) == []


def cards(decay: float, seen: float, n: int = 4000, clicks: float = 0.0, of: str = "shortvideo") -> pd.DataFrame:
    """Cards that are read or not by their rank: on a later screen of a feed, or at the top of a list of results."""
    draw = np.random.default_rng(2)
    rank = np.tile(np.arange(1, 7), n)
    read = draw.random(rank.size) < seen * rank**-decay
    rows = pd.DataFrame({
        "user": np.repeat(np.arange(n), 6), "time": np.repeat(np.arange(n) * 1.0, 6), "event": "impression",
        "position": rank + (11 if of == "shortvideo" else -1), "stage": cards_of(load_scenario(of))[0],
        "item": rank % 2, "belief": np.where(read, 0.0, np.nan),
    })  # fmt: skip
    taken = rows[read & (draw.random(rank.size) < clicks)]
    return pd.concat([rows, taken.assign(event="open", time=taken["time"] + 1)], ignore_index=True)


@pytest.mark.parametrize("of", ["shortvideo", "ecommerce"])
def test_examination_is_recovered_from_places_on_a_screen_or_in_a_list(of):
    first = cards(0.9, 0.6, of=of).assign(request=1)
    later = first.assign(request=2, belief=np.nan) if of == "ecommerce" else first[:0]  # as if far below
    found = examination(log_of(of, pd.concat([first, later])))
    for last, truth in (("position_decay", 0.9), ("seen", 0.6)):
        assert named(found, last).value == pytest.approx(truth, abs=0.04)
        assert 0.01 < named(found, last).high - named(found, last).low < 0.08


def test_clicks_by_rank_are_biased_and_not_where_every_place_is_read_alike():
    steep = cards(0.9, 0.6, clicks=0.3).assign(item=lambda f: f["position"])
    assert biases(log_of("shortvideo", steep))[POSITION] > 0.3
    alike = cards(0.0, 0.6, clicks=0.3).assign(item=lambda f: f["position"])
    assert biases(log_of("shortvideo", alike))[POSITION] == pytest.approx(0, abs=0.05)


def test_leaving_at_sight_and_the_spread_of_patience_are_recovered():
    draw, users, plays = np.random.default_rng(3), 150, 150
    scenario = load_scenario("shortvideo")
    patience = np.exp(0.7 * draw.standard_normal(users))
    user = np.repeat(np.arange(users), plays)
    judged = scenario.consume["watch"].judged_after.quantile(draw.random(user.size))
    left = draw.exponential(patience[user] / 0.2)
    rows = pd.DataFrame({
        "user": user, "case": np.tile(np.arange(plays), users), "time": 0.0, "event": "skip", "stage": "watch",
        "value": np.where(left < judged, left, 20.0), "belief": np.where(left < judged, np.nan, 0.0),
    })  # fmt: skip
    found = leaving_at_sight(log_of("shortvideo", rows))
    assert named(found, "at_sight").value == pytest.approx(0.2, rel=0.15)
    assert named(found, "patience_spread").value == pytest.approx(0.7, rel=0.15)
    assert named(found, "at_sight").high / named(found, "at_sight").low > 1.1  # users differ: many plays are few users


def test_gaps_pace_and_churn_are_recovered_and_who_never_came_counts():
    flat = {"user.hours.profile": [1] * 24}
    draw, users, horizon = np.random.default_rng(4), 500, 20 * 86_400.0
    scale, shape, spread, churn = 30_000.0, 0.8, 0.8, 0.05
    pace = 0.726 * np.exp(spread * draw.standard_normal(users))
    rows = []
    for user in range(users):
        time, session = draw.exponential(scale * special.gamma(1 + 1 / shape) / pace[user]), 0
        while time < horizon:
            rows.append((user, session, time, "impression", np.nan))
            if time + 60 < horizon:
                rows.append((user, session, time + 60, "leave", 60.0))
            if draw.random() < churn:
                break
            time += 60 + scale * draw.weibull(shape) / pace[user]
            session += 1
    frame = pd.DataFrame(rows, columns=["user", "session", "time", "event", "value"])
    found = returning(log_of("shortvideo", frame, users, horizon, flat))
    for last, truth in (("scale", scale), ("shape", shape), ("pace_spread", spread), ("churn", churn)):
        assert named(found, last).value == pytest.approx(truth, rel=0.15), last


def test_activity_passes_by_the_hours_of_the_day():
    scenario = load_scenario("shortvideo")
    day = activity(scenario, np.array([0.0, 86_400.0, 172_800.0]))
    assert day == pytest.approx([0.0, 86_400.0, 172_800.0])
    hours = activity(scenario, 3600.0 * np.arange(25.0))
    assert (np.diff(hours) > 0).all()
    assert np.diff(hours).std() > 1000


def test_ratings_are_recovered():
    draw = np.random.default_rng(5)
    satisfaction = draw.normal(-1.5, 1.0, 3000)
    cuts = np.array([-2.6, -2.1, -1.6, -0.9])
    stars = 1 + (satisfaction[:, None] + 0.4 * draw.standard_normal((3000, 1)) >= cuts).sum(axis=1)
    rows = pd.DataFrame({
        "user": 0, "time": 0.0, "event": "rate", "stage": "verdict", "value": stars.astype(float),
        "satisfaction": satisfaction,
    })  # fmt: skip
    found = ratings(log_of("ecommerce", rows))
    for k, cut in enumerate(cuts, 1):
        assert named(found, f"threshold_{k}").value == pytest.approx(cut, abs=0.1)
    assert named(found, "noise").value == pytest.approx(0.4, abs=0.06)


@pytest.mark.parametrize("name", available_scenarios())
def test_a_model_without_data_says_so_in_words(name):
    empty = log_of(name, pd.DataFrame({"user": [0], "time": [0.0], "event": ["leave"], "value": [1.0]}))
    for model in MODELS.values():
        assert isinstance(model(empty), str)
    assert all(NOT_FITTED.values())


@pytest.mark.parametrize(
    ("hits", "worlds", "verdict"), [(45, 50, COVERS), (43, 50, COVERS), (50, 50, SHORT), (30, 50, SHORT), (5, 5, OPEN)]
)
def test_coverage_is_judged_with_its_own_error(hits, worlds, verdict):
    found = covered(np.arange(worlds) < hits, 0.9, (0.85, 0.95))
    assert found["verdict"] == verdict
    assert found["coverage_low"] <= hits / worlds <= found["coverage_high"]


def test_tables_are_made_from_what_worlds_kept():
    worlds = {
        f"w{k}": {"fit.a.b.truth": 1.0, "fit.a.b.value": 1.0 + k / 90, "fit.a.b.low": 0.9, "fit.a.b.high": 1.2,
                  "bias.position": 0.5 + k / 100, "bias.exposure": None, "value.ips.estimate": 0.2,
                  "value.ips.truth": 0.3, "value.ips.covers": 0.0}
        for k in range(10)
    }  # fmt: skip
    row = recovery(worlds)[0]
    assert (row["parameter"], row["worlds"], row["coverage"], row["near"]) == ("a.b", 10, 1.0, 0.5)
    assert set(row) == set(RECOVERY)
    biased = {each["reading"]: each for each in bias(worlds)}
    assert biased["position"]["verdict"] == HOLDS
    assert biased["position"]["p"] < 0.01
    assert (biased["exposure"]["worlds"], biased["exposure"]["verdict"]) == (0, OPEN) or biased["exposure"][
        "verdict"
    ] == ""
    assert {each["estimator"]: each["verdict"] for each in off_policy(worlds)}["ips"] == SHORT


def test_the_policy_that_explores_keeps_the_contract():
    check_recommender(lambda: Explored(label=Label("like", ("like",))))


def test_the_value_of_another_policy_is_found_from_logged_propensities():
    draw, n = np.random.default_rng(6), 20_000
    explored = draw.random(n) < 0.3
    top = ~explored | (draw.random(n) < 0.2)
    taken = draw.random(n) < np.where(top, 0.5, 0.1)
    shown = pd.DataFrame({
        "user": draw.integers(0, 300, n), "session": np.arange(n), "time": 1.0, "event": "impression", "item": 7,
        "policy_version": 1, "propensity": np.where(explored, 0.01, 0.05), "stage": "search",
    })  # fmt: skip
    rows = pd.concat([shown, shown[taken].assign(event="open", time=2.0)], ignore_index=True)
    policy = Explored(label=Label("like", ("like",)))
    policy.notes = [
        (user, session, 0, bool(e), 100, 20, bool(t))
        for user, session, e, t in zip(shown["user"], shown["session"], explored, top, strict=True)
    ]  # fmt: skip
    found = estimates(log_of("ecommerce", rows), policy)
    assert not isinstance(found, str), found
    assert found["ips"].truth == pytest.approx(0.5, abs=0.02)
    for name in ("ips", "snips"):
        assert found[name].covers
        assert found[name].estimate == pytest.approx(0.5, abs=0.04)
    assert not found["logging"].covers
    assert found["logging"].estimate == pytest.approx(0.18, abs=0.02)


def test_a_value_covers_by_the_errors_of_both():
    assert Value(0.3, 0.04, 0.2, 0.04).covers
    assert not Value(0.3, 0.03, 0.2, 0.0).covers
    value, error = _mean(np.array([1.0, 0.0, 1.0, 0.0]), np.ones(4), np.array([0, 0, 1, 1]))
    assert (value, error) == (0.5, 0.0)  # users are alike, whatever their requests do


def test_a_report_has_three_tables_and_worlds_are_kept(tmp_path: Path, capsys, monkeypatch):
    words = [*WORDS, "workers=1", f"output={tmp_path}"]
    assert main(words) == 0
    out = capsys.readouterr().out
    assert "examination.position_decay" in out
    found = json.loads((tmp_path / "validity.json").read_text())
    assert {row["reading"] for row in found["bias"]} == {"position", "exposure", "raters", "raters_mean"}
    assert {row["estimator"] for row in found["off_policy"]} == {"ips", "snips", "logging"}
    assert found["off_policy"][0]["worlds"] == 2
    assert found["held"]["user.return_goodwill"] == 0
    monkeypatch.setattr(report, "live", None)  # nothing is run again
    assert main(words) == 0


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([], "no scenario is given"),
        (["scenario=shp"], "unknown scenario 'shp'"),
        (["scenario=news", "seed=3"], "seed=3; expected at least two"),
        (["scenario=news", "recommender=popularty"], "unknown recommender 'popularty'"),
        (["scenario=news", "usrs=3"], "unknown setting 'usrs'"),
        (["scenario=news", "users=0"], "users = 0"),
        (["scenario=news,audio"], "several values"),
    ],
)
def test_bad_input_is_one_clear_line_and_leaves_nothing(given, message, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["validity", *given]) == 2
    said = capsys.readouterr().err
    assert said.startswith("error: ")
    assert message in said
    assert said.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.long
def test_intervals_cover_and_biases_hold_over_twenty_worlds(tmp_path: Path):
    found = report.run("shortvideo", range(20), {"recommender": "popularity"}, tmp_path, 2)
    assert not (found.recovery["verdict"] == SHORT).any()
    assert (found.bias["verdict"].iloc[:3] == HOLDS).all()
    assert not (found.off_policy["verdict"] == SHORT).any()
