"""Counterfactuals: declared before they are run, paired by seed, kept, and judged by their tag."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from analysis import counterfactual
from analysis.__main__ import main
from analysis.counterfactual import check, read_counterfactuals, run
from simulator.errors import InputError

DECLARED = """
car:
  tag: law
  says: nobody sees covers in a car
  scenario: audio
  settings: {users: 30, items: 60, horizon: 6h, first_fit: 2h, recommender: random}
  both: {devices.phone.share: 0, devices.pc.share: 0, devices.car.share: 1, contexts: null, observation.context: null}
  treatment: {modalities.cover.appeal.sd: 2}
  expect: {plays: "0"}
on_screens:
  tag: law
  says: false on purpose, everybody sees covers on a phone
  scenario: audio
  settings: {users: 60, items: 60, horizon: 12h, first_fit: 2h, recommender: random}
  treatment: {modalities.cover.appeal.sd: 3}
  expect: {plays: "0"}
short:
  tag: wired
  says: less time, fewer plays
  scenario: audio
  settings: {users: 30, items: 60, horizon: 6h, first_fit: 2h, recommender: random}
  treatment: {user.budget.median: 5}
  expect: {plays: "-", visits: "+"}
"""


@pytest.fixture
def declared(tmp_path: Path) -> Path:
    path = tmp_path / "declared.yaml"
    path.write_text(DECLARED)
    return path


def test_those_that_come_along_are_sound():
    found = read_counterfactuals()
    assert {each.tag for each in found.values()} == {"law", "wired", "emergent"}
    for each in found.values():
        assert set(each.log_measures) <= set(__import__("analysis.log_measures", fromlist=["x"]).READINGS)
        check(each)  # scenarios move on; what is declared of them has to go along


def test_an_arm_whose_scenario_does_not_hang_together_is_refused_before_anything_runs(declared, tmp_path):
    declared.write_text(DECLARED.replace("treatment: {", "treatment: {stages.radio.entry.value: 0.9, ", 1))
    with pytest.raises(InputError, match=r"counterfactual \w+: .*shares of entry"):
        run(list(read_counterfactuals(declared).values()), [0], tmp_path / "out", 1)
    assert not (tmp_path / "out").exists()


def test_a_law_is_exact_or_broken_and_signs_hold_or_do_not(declared, tmp_path):
    given = list(read_counterfactuals(declared).values())
    table = run(given, [0, 1, 2, 3], tmp_path / "out", 1).set_index(["counterfactual", "measure"])
    assert table.loc[("car", "plays"), "verdict"] == "exact"
    assert table.loc[("on_screens", "plays"), "verdict"] == "broken"
    assert table.loc[("short", "plays"), "verdict"] == "holds"
    assert table.loc[("short", "plays"), "difference"] < 0


def test_what_was_run_is_kept_and_another_engine_is_refused(declared, tmp_path, monkeypatch):
    given = [read_counterfactuals(declared)["car"]]
    first = run(given, [0], tmp_path / "out", 1)
    monkeypatch.setattr(counterfactual, "live", None)  # nothing is run again
    assert first.equals(run(given, [0], tmp_path / "out", 1))
    place = tmp_path / "out" / "car" / "control-s0.json"
    kept = json.loads(place.read_text())
    place.write_text(json.dumps({**kept, "engine": "older"}))
    with pytest.raises(InputError, match=r"control-s0.json: was run with another version of the engine"):
        run(given, [0], tmp_path / "out", 1)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (("tag: law\n  says: nobody", "tag: rule\n  says: nobody"), r"car.tag = rule; expected one of law"),
        (('expect: {plays: "-"', 'expect: {plays: "0"'), r'short.expect.plays = 0; expected "\+" or "-"'),
        (("  both: {devices", "  bth: {devices"), r"unknown key 'car.bth'"),
        (("  says: less time, fewer plays\n", ""), r"short.says is missing"),
        (('expect: {plays: "-"', 'within: {a: {}}\n  expect: {plays: "-"'), r"short.within has 1 parts"),
        (('expect: {plays: "-"', 'factors: {a: {b: {}}}\n  expect: {plays: "-"'), r"short.factors.a = .*two parts"),
        (('expect: {plays: "-"', 'factors: {arm: {b: {}, c: {}}}\n  expect: {plays: "-"'), r"not called arm"),
    ],
)
def test_a_wrong_declaration_is_refused(declared, changed, message):
    declared.write_text(DECLARED.replace(*changed))
    with pytest.raises(InputError, match=message):
        read_counterfactuals(declared)


def test_the_command_prints_and_writes_its_table(declared, tmp_path, capsys):
    words = ["counterfactual", "car", "seed=5", f"file={declared}", f"output={tmp_path / 'out'}", "workers=1"]
    assert main(words) == 0
    assert "exact" in capsys.readouterr().out
    assert (tmp_path / "out" / "counterfactual.csv").read_text().startswith("counterfactual,tag,measure")
    assert main([*words[:1], "carr", *words[2:]]) == 2
    assert "did you mean car?" in capsys.readouterr().err


def test_a_contrast_is_the_effect_in_one_less_that_in_the_other(declared):
    declared.write_text(DECLARED + "  within: {a: {}, b: {user.budget.sigma: 1}}\n")
    both = read_counterfactuals(declared)["short"]
    assert [name for name, _ in both.worlds([0])] == ["a-control-s0", "a-treated-s0", "b-control-s0", "b-treated-s0"]
    plays = {"a-control": 1.0, "a-treated": 5.0, "b-control": 2.0, "b-treated": 3.0}
    worlds = {f"{name}-s0": {"plays": value} for name, value in plays.items()}
    treated, control = (both.by_seed(arm, [0], worlds, "plays") for arm in ("treated", "control"))
    assert np.array_equal(treated - control, [(5 - 1) - (3 - 2)])


def test_several_factors_make_a_difference_of_differences(declared, tmp_path):
    declared.write_text(
        DECLARED
        + "  factors: {time: {short: {user.budget.sigma: 1}, long: null}, "
        + "many: {few: {users: 20}, more: {users: 30}}}\n"
    )
    given = read_counterfactuals(declared)["short"]
    worlds = dict(given.worlds([0]))
    assert len(worlds) == 8
    assert worlds["short-few-treated-s0"]["users"] == 20
    assert worlds["short-few-treated-s0"]["scenario.user.budget.sigma"] == 1
    visits = {name: {"visits": float("short-few-treated" in name)} for name in worlds}
    assert given.by_seed("treated", [0], visits, "visits") == [1.0]
    assert given.by_seed("control", [0], visits, "visits") == [0.0]
    flipped = {name: {"visits": float("long-few-treated" in name)} for name in worlds}
    assert given.by_seed("treated", [0], flipped, "visits") == [-1.0]
