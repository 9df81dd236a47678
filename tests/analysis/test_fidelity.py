"""Fidelity: what a target is held against, verdicts, and worlds that are measured once."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.__main__ import main
from analysis.fidelity import report
from analysis.fidelity.report import COLUMNS, row, sources_of_numbers
from analysis.fidelity.worlds import Lateness
from simulator.config import complete, resolve
from simulator.errors import RunInterrupted
from simulator.scenario.load import available_scenarios, load_scenario
from simulator.scenario.schema.targets import Target, role_of
from simulator.world import run_world

FIT, CHECK = "valid_play_rate", "long_view_rate"


def target(see: str = "a", **band) -> Target:
    return Target(value=10.0, unit="min", see=see, **band)


@pytest.mark.parametrize(
    ("name", "known", "by_seed", "distance", "verdict"),
    [
        (FIT, target(), [10.2, 10.3], 0.025, "undecided"),  # two seeds say little
        (FIT, target(), [10.2, 10.2], 0.02, "met"),
        (FIT, target(), [10.6, 10.6], 0.06, "missed"),
        (CHECK, target(), [10.6, 10.6], 0.06, "met"),
        (CHECK, target(), [7.9, 7.9], -0.21, "missed"),
        (FIT, target(low=5.0), [6.0, 6.0], 0.0, "met"),
        (FIT, target(low=5.0), [4.0, 4.0], -0.1, "missed"),
        (FIT, target(low=5.0), [10.4, 10.4], 0.04, "met"),
        (FIT, target(low=5.0, high=20.0), [21.0, 21.0], 0.1, "missed"),
        (FIT, target(low=9.9, high=10.1), [10.4, 10.4], 0.03, "met"),
        (CHECK, target(see="b"), [10.0, 10.0], 0.0, "input"),
    ],
)
def test_a_target_is_met_or_missed_where_the_interval_says_so(name, known, by_seed, distance, verdict):
    found = row(name, known, np.array(by_seed), {"b"})
    assert list(found) == list(COLUMNS)
    assert found["distance"] == pytest.approx(distance)
    assert (found["verdict"], found["role"]) == (verdict, role_of(name))


def test_a_fit_target_from_the_source_of_a_number_counts_all_the_same():
    assert row(FIT, target(), np.array([10.0, 10.0]), {"a"})["verdict"] == "met"


def test_what_is_undecided_says_how_many_seeds_would_do():
    assert (
        row(FIT, target(), np.array([9.0, 10.0, 11.0]), ())["note"]
        == "about 18 seeds for a half-width of 5 % of the target"
    )
    assert row(FIT, target(), np.array([10.49, 10.51]), ())["note"].startswith("the half-width is within 5 %")


def test_sources_of_numbers_are_those_of_no_target_alone():
    found = sources_of_numbers(load_scenario("audio"))
    assert "44" in found
    assert "45" not in found  # of a target alone


@pytest.mark.parametrize("name", available_scenarios())
def test_every_target_of_every_scenario_is_measured(name):
    found, worlds = report.plan(name, [0, 1], {})
    assert found.targets
    assert [world.settings["seed"] for world in worlds] == [0, 1]


def test_late_cases_are_noted_from_the_world():
    kind = [("open", "u1"), ("promised", "f8"), ("fulfilled", "f8"), ("user", "u4"), ("case", "u4")]
    rows = [(1, 5, 6, 0, 0), (1, 5, 5, 1, 0), (1, np.nan, 5, 2, 0), (1, 5, np.nan, 3, 0), (0, 5, 6, 4, 0)]

    class World:
        class cases:  # noqa: N801
            class case_state:  # noqa: N801
                cases = np.array(rows, dtype=kind)

    noted = Lateness()
    noted.watch(World)
    noted.watch(World)
    assert noted.frame.to_numpy().tolist() == [[0, 0, True], [1, 0, False]]


def test_a_report_has_a_row_per_target_and_worlds_are_kept(tmp_path: Path, capsys, monkeypatch):
    words = ["fidelity", "scenario=audio", "seed=0,1", "users=20", "items=60", "horizon=6h", "recommender=random"]
    words += [f"output={tmp_path}", "workers=1"]
    some = "skipped_by_5_s,skipped_before_end,skips_per_hour"
    assert main([*words, f"targets={some}"]) == 0
    out = capsys.readouterr().out
    assert "skipped_by_5_s" in out
    found = json.loads((tmp_path / "fidelity.json").read_text())
    assert [each["name"] for each in found["rows"]] == some.split(",")
    for each in found["rows"]:
        assert set(each) == set(COLUMNS)
        assert each["low"] <= each["simulated"] <= each["high"]
        assert each["verdict"] in ("met", "missed", "undecided", "input")
    assert list(pd.read_csv(tmp_path / "fidelity.csv").columns) == list(COLUMNS)
    monkeypatch.setattr(report, "live", None)  # nothing is run again
    kept = tmp_path / "worlds" / "s1.json"
    world = json.loads(kept.read_text())
    assert set(world["measures"]) == set(load_scenario("audio").targets)
    world["measures"]["skips_per_hour"] = None
    kept.write_text(json.dumps(world))
    assert main([*words, "targets=skips_per_hour"]) == 2
    assert "nothing to measure of skips_per_hour (in 1 of 2 worlds)" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([], "no scenario is given"),
        (["scenario=shp"], "unknown scenario 'shp'"),
        (["scenario=news", "targets=click_rat"], "unknown target 'click_rat'; did you mean click_rate?"),
        (["scenario=news", "seed=3"], "seed=3; expected at least two"),
        (["scenario=news", "seed=3,3"], "seed=3,3 holds 3 twice"),
        (["scenario=news", "users=0"], "users = 0"),
        (["scenario=news", "usrs=3"], "unknown setting 'usrs'; did you mean users?"),
        (["scenario=news", "recommender=popularty"], "unknown recommender 'popularty'"),
        (["scenario=audio", "scenario.targets={}"], "has no targets"),
        (["scenario=news", "scenario.targets.click_rate={value: 0.1, unit: share, see: '32', measure: x_per_open}"],
         "targets.click_rate.measure = x_per_open is unknown"),
        (["scenario=news", "scenario.targets.bounces={value: 0.1, unit: share, see: '32'}"],
         "targets.bounces cannot be measured: no measure has this name; say how with measure"),
    ],
)  # fmt: skip
def test_bad_input_is_one_clear_line_and_leaves_nothing(given, message, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["fidelity", *given]) == 2
    said = capsys.readouterr().err
    assert said.startswith("error: ")
    assert message in said
    assert said.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_stopped_report_says_how_it_goes_on(capsys, tmp_path, monkeypatch):
    def stopped(*given):
        raise RunInterrupted("1 of 3 worlds are done")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(report, "run", stopped)
    assert main(["fidelity", "scenario=news", "output=out"]) == 130
    assert "the same command with output=out continues" in capsys.readouterr().err


def test_the_late_cases_of_a_world_are_those_that_it_counts():
    own = load_scenario("fooddelivery")
    given = [("scenario", "fooddelivery"), ("recommender", "random"), ("users", 600), ("items", 300), ("horizon", "2d")]
    noted = Lateness()
    result = run_world(complete(resolve(given, where="test"), own.defaults.model_dump()), watch=noted.watch)
    assert len(noted.frame) == result.manifest["events"]["done"]
    assert 0 < noted.frame["late"].mean() == result.metrics["late_share"]
    measured = {name: each["measured"] for name, each in result.manifest["targets"].items()}
    assert measured["conversion"] == result.metrics["order_per_visit"]  # by the measure that it names
    assert measured["total_time"] is None  # that takes a log
