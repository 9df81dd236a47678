"""Stability: what designs move and keep, rankings that agree or flip, and worlds that are kept."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.__main__ import main
from analysis.stability import report
from analysis.stability.designs import BY, design, estimates, moved
from analysis.stability.report import DESIGNS, SEEDS, pairs_of, taus_of
from simulator import check_scenario
from simulator.plan.compiler import compile_scenario
from simulator.scenario.load import available_scenarios, load_scenario

WORDS = ["stability", "scenario=shortvideo", "recommenders=random,popularity,itemknn", "seed=0,1", "designs=1"]
WORDS += ["users=30", "items=80", "horizon=6h", "first_fit=3h", "workers=1"]


@pytest.mark.parametrize("name", available_scenarios())
def test_a_design_moves_nearly_every_estimate_and_the_scenario_bears_it(name):
    scenario = load_scenario(name)
    changes, left = design(name, 3)
    assert len(left) <= 6, left
    again = load_scenario(name, changes)
    check_scenario(again)
    compile_scenario(again)
    assert design(name, 3) == (changes, left)
    other, _ = design(name, 4)
    assert sum(changes[key] != other.get(key) for key in changes) > len(changes) / 4
    paths = {key.rpartition(".")[0] for key in [*changes, *left]}
    assert paths == set(estimates(scenario))


def test_numbers_go_up_and_down_by_a_fifth_in_the_unit_of_the_file():
    scenario = load_scenario("shortvideo")
    up, down = moved(scenario, lambda path: 1.0), moved(scenario, lambda path: -1.0)
    assert up["user.return_after.scale"] == pytest.approx(2.5 * (1 + BY))  # hours
    assert down["user.churn.value"] == pytest.approx(0.006 * (1 - BY))
    assert up["browse.discover.skim.value"] == 1.0  # a probability
    assert "clock.tick.value" not in up
    assert "user.hours.value" not in up


def test_shares_keep_their_sum_and_what_a_file_says_once_stays_one_number():
    changes, _ = design("ecommerce", 0)
    types = [value for key, value in changes.items() if key.startswith("item_types.") and key.endswith(".share.value")]
    assert sum(types) == pytest.approx(1.0)
    assert np.std(types) > 0
    assert changes["browse.search.skim.value"] == changes["browse.home.skim.value"]


def test_what_is_changed_for_all_worlds_is_not_moved():
    changes, _ = design("shortvideo", 0, {"user.churn": 0.01})
    assert not any(key.startswith("user.churn.") for key in changes)


def frame(rows: dict[tuple[int, int], list[float]]) -> pd.DataFrame:
    index = pd.MultiIndex.from_tuples(list(rows), names=["design", "seed"])
    return pd.DataFrame(list(rows.values()), index=index, columns=list("abc"))


def test_rankings_agree_where_the_order_is_the_same_and_pairs_that_flip_are_named():
    found = frame({(-1, 0): [3, 2, 1], (-1, 1): [30, 20, 10], (0, 0): [3, 2, 1], (1, 1): [2, 3, 1]})
    taus = {row["across"]: row for row in taus_of("lived", found)}
    assert taus[SEEDS]["tau"] == 1.0
    assert taus[DESIGNS]["tau"] == pytest.approx((1 + 1 / 3) / 2)
    assert taus[DESIGNS]["high"] <= 1.0
    assert pairs_of("lived", found) == [
        {"by": "lived", "better": "a", "worse": "b", "flips_over_seeds": 0.0, "flips_over_designs": 0.5}
    ]


def test_a_world_without_an_order_counts_for_nothing():
    found = frame({(-1, 0): [3, 2, 1], (-1, 1): [3, 2, 1], (0, 0): [1, 1, 1], (1, 1): [3, 2, 1]})
    assert {row["across"]: row["worlds"] for row in taus_of("lived", found)} == {SEEDS: 2, DESIGNS: 1}


def test_a_report_ranks_in_two_ways_and_worlds_are_kept(tmp_path: Path, capsys, monkeypatch):
    words = [*WORDS, f"output={tmp_path}"]
    assert main(words) == 0
    assert "estimates moved by 20 %" in capsys.readouterr().out
    found = json.loads((tmp_path / "stability.json").read_text())
    assert [(row["by"], row["across"]) for row in found["taus"]] == [
        (by, across) for by in ("lived", "offline") for across in (SEEDS, DESIGNS)
    ]
    assert len(list((tmp_path / "worlds").iterdir())) == 3 * 3
    monkeypatch.setattr(report, "live", None)  # nothing is run again
    assert main(words) == 0


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([], "no scenario is given"),
        (["scenario=shp"], "unknown scenario 'shp'"),
        (["scenario=news", "seed=3"], "seed=3; expected at least two"),
        (["scenario=news", "recommenders=random,popularity"], "expected at least three"),
        (["scenario=news", "recommenders=random,popularity,itmknn"], "unknown recommender 'itmknn'"),
        (["scenario=news", "logging=ease"], "unknown recommender 'ease'"),
        (["scenario=news", "lived=joy"], "unknown measure 'joy'"),
        (["scenario=news", "designs=0"], "designs = 0"),
        (["scenario=news", "usrs=3"], "unknown setting 'usrs'"),
    ],
)
def test_bad_input_is_one_clear_line_and_leaves_nothing(given, message, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["stability", *given]) == 2
    said = capsys.readouterr().err
    assert said.startswith("error: ")
    assert message in said
    assert said.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
