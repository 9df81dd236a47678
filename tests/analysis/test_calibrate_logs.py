"""Calibration on logs: what a run's platform log tells, what public sets tell, and what made a log is found again."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.__main__ import main
from analysis.calibrate import logs, real_logs, told
from analysis.calibrate.figures import steering
from analysis.calibrate.platform_readings import of_platform, plays, readable, unreadable
from analysis.fidelity.readings import Log
from simulator.__main__ import main as simulate
from simulator.errors import InputError
from simulator.scenario.load import available_scenarios, load_scenario


@pytest.mark.parametrize("name", available_scenarios())
def test_a_target_is_read_from_events_that_are_recorded_or_why_not_is_said(name):
    scenario = load_scenario(name)
    assert readable(scenario)
    for target in scenario.targets:
        why = unreadable(scenario, target)
        assert (target in readable(scenario)) == (not why)


def test_measures_of_a_manifest_are_ratios_of_recorded_rows():
    scenario = load_scenario("news")
    rows = [("impression", 4), ("open", 2), ("read_part", 1), ("read_whole", 1), ("bounce", 1)]
    events = [event for event, n in rows for _ in range(n)]
    frame = pd.DataFrame({"user": 0, "session": 0, "event": events, "value": 0.5, "time": 1.0})
    log = Log(frame, pd.DataFrame(), (), 9.0, users=1)
    assert of_platform(log, scenario, "click_rate") == 0.5
    assert of_platform(log, scenario, "bounce_rate") == 0.5
    assert plays(scenario) == ["read_whole", "read_part"]
    assert "is not recorded" in unreadable(load_scenario("jobs"), "interview_to_hire")


def test_a_standard_error_is_that_of_users_and_some_are_held_out():
    scenario = load_scenario("news")
    draws = np.random.default_rng(1)
    users = np.repeat(np.arange(2000), 10)
    clicked = draws.random(len(users)) < 0.2
    rows = pd.DataFrame({"user": users, "session": 0, "event": "impression", "time": 1.0, "value": 0.0})
    log = Log(pd.concat([rows, rows[clicked].assign(event="open")]), pd.DataFrame(), (), 9.0, users=2000)

    def reader(part: Log) -> dict[str, float]:
        return {"click_rate": of_platform(part, scenario, "click_rate")}

    kept, left = logs.figures(log, reader, scenario, 0.5, "log")
    assert kept["click_rate"].value == pytest.approx(0.2, abs=0.02)
    assert kept["click_rate"].above == pytest.approx(np.sqrt(0.2 * 0.8 / 10_000), rel=0.5)
    whole = np.mean([kept["click_rate"].value, left["click_rate"].value])
    assert whole == pytest.approx(clicked.mean(), abs=0.001)
    with pytest.raises(InputError, match="tells no target with role fit"):
        logs.figures(log, lambda part: {}, scenario, 0.0, "log")


@pytest.mark.parametrize(
    ("scenario", "folder", "tells"),
    [
        ("ecommerce", "ecommerce/olist_sample", {"late_share": 0.066, "rating_on_time": 4.27, "rating_late": 2.19}),
        ("news", "news/mind_small_sample", {"click_rate": 0.0404}),
        ("shortvideo", "short_video/kuairand27k_like_hate", {"watch_ratio_given_like_p50": 0.946}),
        ("fooddelivery", "food_delivery/grubhub_mdrp", {"preparation_mean": 17.7, "preparation_p50": 15.0}),
    ],
)
def test_public_sets_tell_what_they_have(scenario, folder, tells, data_root):
    found = told.read(data_root / folder, load_scenario(scenario), (), 0.0)
    assert steering(found.figures)
    for name, value in tells.items():
        assert found.figures[name].value == pytest.approx(value, rel=0.03)
    assert not found.figures.keys() & found.unread.keys()
    with pytest.raises(InputError, match="does not tell"):
        told.read(data_root / folder, load_scenario(scenario), [next(iter(found.unread))], 0.0)


def test_a_set_whose_files_are_others_is_refused(tmp_path):
    for name in real_logs.SETS["MIND"].files:
        pd.DataFrame({"a": [1]}).to_parquet(tmp_path / name)
    with pytest.raises(InputError, match="cannot be read as MIND"):
        told.read(tmp_path, load_scenario("news"), (), 0.0)


SMALL = ["scenario=shortvideo", "users=150", "items=300", "horizon=8h", "recommender=popularity"]
TRUE = {"consume.watch.leave_judged": 0.3, "consume.watch.loop": 0.32}


def test_a_run_is_read_with_its_own_settings_and_others_are_refused(tmp_path: Path, capsys):
    words = ["scenario=news", "users=30", "items=100", "horizon=1d", "recommender=random", "seed=3", "log=platform"]
    assert simulate([*words, f"output={tmp_path / 'run'}"]) == 0
    found = told.read(tmp_path / "run", load_scenario("news"), (), 0.0)
    assert (found.settings["users"], found.settings["recommender"]) == (30, "random")
    assert "click_rate" in found.figures
    capsys.readouterr()
    assert main(["calibrate", "scenario=audio", f"log={tmp_path / 'run'}"]) == 2
    assert "is a run of scenarios/news.yaml; expected one of scenarios/audio.yaml" in capsys.readouterr().err
    for part in (tmp_path / "run" / "platform").glob("*.parquet"):
        part.write_bytes(b"no")
    assert main(["calibrate", "scenario=news", f"log={tmp_path / 'run'}"]) == 2
    assert "holds a file that cannot be read" in capsys.readouterr().err


@pytest.mark.long
def test_what_made_a_log_is_found_again(tmp_path: Path):
    changed = [f"scenario.{path}={value}" for path, value in TRUE.items()]
    assert simulate([*SMALL, *changed, "seed=77", "log=platform", f"output={tmp_path / 'log'}"]) == 0
    words = ["calibrate", SMALL[0], f"log={tmp_path / 'log'}", f"parameters={','.join(TRUE)}"]
    words += ["targets=valid_play_rate,replay_share_given_like", "seed=0,1,2", "trials=25", "workers=2"]
    assert main([*words, f"output={tmp_path / 'out'}"]) == 0
    found = json.loads((tmp_path / "out" / "calibration.json").read_text())
    assert found["after"] < 1.5 < found["before"]
    for each in found["moved"]:
        assert not each["weak"], each
        assert each["low"] <= TRUE[each["name"]] <= each["high"], each
