"""Hardness: what is measured of a set of positives, which real set belongs where, and what is said of both."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.__main__ import main
from analysis.hardness import report
from analysis.hardness.measures import (
    CHANCE,
    DENSITY,
    HELD,
    ITEM_RATIO,
    JUDGED,
    MEASURES,
    POPULARITY,
    USER_RATIO,
    hardness,
)
from analysis.hardness.report import (
    COLUMNS,
    TOO_FEW,
    RealSet,
    above_popularity,
    held,
    positives_of,
    read_real_sets,
    verdict_of,
)
from recommenders.contract.log import distinct_pairs
from simulator.scenario.load import available_scenarios, load_scenario
from simulator.scenario.schema.platform import Label

WORDS = ["hardness", "scenario=shortvideo", "seed=0,1", "users=30", "items=60", "horizon=6h", "workers=1"]


def pairs(rows: list[tuple[int, int]]):
    user, item = np.array(rows, np.uint32).T
    return distinct_pairs(user, item, np.zeros(len(rows)), int(item.max()) + 1)


def tribes(n_users: int, n_items: int, per_user: int, tribal: bool, seed: int = 0):
    """Each user has so many of one half of the items, or of all."""
    draw = np.random.default_rng(seed)
    half = n_items // 2
    rows = [
        (user, item)
        for user in range(n_users)
        for item in (
            draw.choice(half, per_user, replace=False) + half * (user % 2)
            if tribal else draw.choice(n_items, per_user, replace=False)
        )
    ]  # fmt: skip
    return pairs(rows)


def test_users_and_items_count_where_they_occur():
    found = hardness(pairs([(0, 3), (0, 9), (7, 3), (7, 3)]))
    assert (found["interactions"], found["users"], found["items"]) == (3, 2, 2)
    assert found[DENSITY] == 0.75
    assert found["interactions_per_user"] == 1.5
    assert found[CHANCE] == 1.0
    assert set(found) == set(MEASURES)


def test_neighbours_beat_popularity_where_there_are_tribes_and_not_where_there_are_none():
    with_tribes, without = (hardness(tribes(200, 200, 12, tribal)) for tribal in (True, False))
    assert with_tribes[ITEM_RATIO] > 1.4 < with_tribes[USER_RATIO]
    assert without[ITEM_RATIO] < 1.4
    assert with_tribes[POPULARITY] == pytest.approx(with_tribes[CHANCE], rel=0.4)


def test_nothing_to_measure_is_no_number():
    nobody = pairs([(0, 0)]).take(np.zeros(0, np.int64))
    found = hardness(nobody)
    assert found["interactions"] == 0
    assert np.isnan(found[ITEM_RATIO])


def test_positives_may_be_of_something_coarser_than_items():
    log = pd.DataFrame({"item": [0, 1, 2, None], "user": [4, 4, 4, 4], "event": ["a", "a", "b", "a"], "time": 1.0})
    log = log.astype({"item": "UInt32"})
    items = pd.DataFrame({"creator": [8, 8, 9]})
    label = Label.model_validate({"events": ["a"]})
    assert positives_of(log, items, label).item.tolist() == [0, 1]
    assert positives_of(log, items, label, "creator").item.tolist() == [0]


@pytest.mark.parametrize(
    ("by_seed", "verdict"),
    [([0.6, 0.61], "within"), ([1.9, 1.91], "within"), ([2.5, 2.51], "outside"), ([0.2, 0.21], "outside"),
     ([0.4, 0.7], "undecided")],
)  # fmt: skip
def test_near_is_half_to_twice(by_seed, verdict):
    assert verdict_of(np.array(by_seed), 1.0) == verdict


@pytest.mark.parametrize(
    ("by_seed", "verdict"),
    [([1.2, 1.21], "above"), ([0.8, 0.81], "not above"), ([0.8, 1.4], "undecided")],
)
def test_item_knn_is_above_popularity_where_the_interval_says_so(by_seed, verdict):
    assert above_popularity(np.array(by_seed)) == verdict


def test_only_what_is_held_has_a_verdict_and_only_where_there_is_a_real_set():
    found = {f"w{seed}": dict.fromkeys(MEASURES, 1.0 + seed / 100) | {JUDGED: 100.0} for seed in range(2)}
    rows = {row["measure"]: row for row in held("a", "popularity", found, list(found), dict.fromkeys(MEASURES, 1.0))}
    assert {name for name, row in rows.items() if row["verdict"]} == set(HELD)
    alone = {row["measure"]: row["verdict"] for row in held("a", "random", found, list(found), {})}
    assert {name: verdict for name, verdict in alone.items() if verdict} == {ITEM_RATIO: "itemknn undecided"}
    for world in found.values():
        world[JUDGED] = 99.0
    few = held("a", "popularity", found, list(found), dict.fromkeys(MEASURES, 1.0))
    assert {row["measure"] for row in few if row["verdict"] == TOO_FEW} == {*HELD} - {DENSITY}


def test_every_scenario_has_a_real_set_or_a_reason_and_the_sets_are_there(data_root: Path):
    known = read_real_sets()
    assert set(known) == set(available_scenarios())
    for name, beside in known.items():
        assert beside.why
        if beside.data is not None:
            assert (data_root / beside.data).exists()
            assert report.plan(name, ["random"], [0, 1], {}, beside)
        assert beside.items in (None, "creator")  # a public column of every catalog


def test_a_report_has_a_row_per_policy_and_measure_and_worlds_are_kept(tmp_path: Path, capsys, monkeypatch):
    data = tmp_path / "real.csv"
    rows = [f"{user},{item}" for user in range(40) for item in range(user % 7, user % 7 + 8)]
    data.write_text("\n".join(["user_id,item_id", *rows]))
    words = [*WORDS, "policies=random,popularity", f"data={data}", f"output={tmp_path / 'out'}"]
    assert main(words) == 0
    assert "shortvideo · popularity" in capsys.readouterr().out
    found = json.loads((tmp_path / "out" / "hardness.json").read_text())["rows"]
    assert [(row["policy"], row["measure"]) for row in found] == [
        (policy, measure) for policy in ("random", "popularity") for measure in MEASURES
    ]
    assert set(found[0]) == set(COLUMNS)
    density = next(row for row in found if row["measure"] == DENSITY)
    assert density["real"] == pytest.approx(320 / (40 * 14))
    assert density["verdict"] in ("within", "outside", "undecided")
    monkeypatch.setattr(report, "live", None)  # nothing is run again
    assert main(words) == 0


def test_times_is_of_the_scenarios_own_users():
    own = load_scenario("news").defaults.users
    worlds = report.plan("news", ["random"], [0, 1], {}, RealSet(), times=4)
    assert {world.settings["users"] for world in worlds} == {4 * own}
    assert {world.question.label for world in worlds} == {"long_read"}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([], "no scenario is given"),
        (["scenario=shp"], "unknown scenario 'shp'"),
        (["scenario=fooddelivery", "seed=3"], "seed=3; expected at least two"),
        (["scenario=fooddelivery", "policies=popularty"], "unknown recommender 'popularty'"),
        (["scenario=fooddelivery", "policies=random,random"], "random"),
        (["scenario=fooddelivery", "times=0"], "times = 0; expected a number above 0"),
        (["scenario=fooddelivery", "times=2", "users=5"], "users and times are both given"),
        (["scenario=news,audio", "data=here"], "data=here is one set"),
        (["scenario=news", "data=nowhere/at/all"], "nowhere/at/all: is not there"),
        (["scenario=news", "recommender=random"], "unknown setting 'recommender'"),
        (["scenario=news", "file=none.yaml"], "none.yaml: no such file"),
    ],
)
def test_bad_input_is_one_clear_line_and_leaves_nothing(given, message, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BEHOLDER_DATA", str(tmp_path))
    assert main(["hardness", *given]) == 2
    said = capsys.readouterr().err
    assert said.startswith("error: ")
    assert message in said
    assert said.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("news: {dta: here}", "unknown key 'dta'; did you mean data?"),
        ("news: 3", "news is 3"),
        ("news: {data: 3}", "news.data is 3"),
    ],
)
def test_a_wrong_list_of_real_sets_is_named(text, message, tmp_path, capsys):
    path = tmp_path / "sets.yaml"
    path.write_text(text)
    assert main(["hardness", "scenario=news", f"file={path}"]) == 2
    assert message in capsys.readouterr().err.replace(": is", " is")
