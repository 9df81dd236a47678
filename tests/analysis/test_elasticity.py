"""Elasticity: treatments that a scenario bears, measures of its log, and worlds that are paired and kept."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis import counterfactual, elasticity, kept_worlds
from analysis.__main__ import main
from analysis.elasticity import ABOVE_CARDS, ABOVE_STAGE, DECISIONS, MEASURES, OPENS, WORTH, judge, plan, run
from analysis.treatments import HIDDEN, NOISIER, hidden, noisier, shown, treatments
from simulator import check_scenario
from simulator.errors import InputError, RunInterrupted
from simulator.scenario.load import available_scenarios, load_scenario
from simulator.scenario.schema.platform import Label

SMALL = {"users": 20, "items": 60, "horizon": "6h", "first_fit": "2h", "recommender": "random"}


def label(**given) -> Label:
    return Label.model_validate(given)


@pytest.mark.parametrize("name", available_scenarios())
def test_every_modality_of_every_scenario_is_hidden_and_made_noisier(name):
    scenario = load_scenario(name)
    there = {each for surface in scenario.surfaces.values() for one in surface.shows.values() for each in one}
    found = {(each.modality, each.name): each for each in treatments(scenario)}
    assert set(found) == {(modality, kind) for modality in there for kind in (HIDDEN, NOISIER)}
    for (modality, kind), treatment in found.items():
        if not treatment.changes:
            assert kind == NOISIER
            assert not getattr(scenario.modalities[modality], "tells", {})
            assert "no precision" in treatment.note
            continue
        treated = load_scenario(name, treatment.changes)
        check_scenario(treated)
        if kind == HIDDEN:
            assert shown(treated) == [each for each in shown(scenario) if each != modality]
            assert not any(
                modality in names for surface in treated.surfaces.values() for names in surface.hidden.values()
            )
            assert treated.modalities == scenario.modalities
        else:
            assert treated.surfaces == scenario.surfaces
            was, now = scenario.modalities[modality].tells, treated.modalities[modality].tells
            spread = {facet: (was[facet].precision.value / now[facet].precision.value) ** 0.5 for facet in was}
            assert spread == pytest.approx(dict.fromkeys(was, 1.5))


@pytest.mark.parametrize(
    ("name", "modality", "note"),
    [
        ("ecommerce", "price", "sorting.cheapest still goes by it; criteria.price_at_most still finds by it"),
        ("ecommerce", "rating", "sorting.best_rated still goes by it"),
        ("ecommerce", "image", ""),
        ("news", "lock", "consume.read.paywall stands, unseen"),
        ("news", "headline", "browse.front.suffices needs it: no card informs"),
        ("news", "source", "what is remembered needs it to be known again (breaking, sport"),
        ("jobs", "location", "sorting.nearest still goes by it; criteria.place still finds by it"),
    ],
)
def test_what_hiding_does_not_take_away_is_said_in_words(name, modality, note):
    treatment = treatments(load_scenario(name), [modality])[0]
    assert treatment.changes
    assert treatment.note.startswith(note)
    assert bool(treatment.note) == bool(note)


@pytest.mark.parametrize(
    ("named", "message"),
    [
        (["imge"], "unknown modality 'imge'; did you mean image?"),
        (["image", "image"], "image is named twice"),
        (["title"], "no surface shows title"),
    ],
)
def test_modalities_that_cannot_be_treated_are_refused(named, message):
    scenario = load_scenario("ecommerce")
    with pytest.raises(InputError) as refused:
        treatments(load_scenario("ecommerce", hidden(scenario, "title")), named)
    assert message in str(refused.value)


def log(*rows: tuple[int, int, str, str, float, float, float, int]) -> pd.DataFrame:
    names = ["user", "session", "event", "stage", "value", "belief", "utility", "item"]
    return pd.DataFrame(rows, columns=names).assign(request=0, position=0, time=lambda frame: range(len(frame)))


NO = float("nan")
TRUTH = log(
    (0, 0, "impression", "list", NO, 0.0, 0.1, 0),
    (0, 0, "impression", "list", NO, 1.0, 0.7, 1),
    (0, 0, "impression", "list", NO, NO, 5.0, 2),  # passed over: nobody judged it
    (0, 0, "card", "menu", NO, 2.0, 0.9, 2),
    (0, 0, "open", "list", NO, 2.0, 0.9, 2),
    (0, 0, "look", "page", NO, 1.0, 0.9, 2),
    (0, 0, "play", "page", 5.0, 3.0, 0.9, 2),  # a decision
    (1, 0, "play", "page", 4.0, 1.0, -0.3, 0),  # none: less than five, of an item of ten
    (1, 0, "play", "page", 2.0, 2.0, 0.5, 1),  # one: all of an item of two
    (1, 0, "play", "page", 9.0, NO, 0.4, 0),  # one, of which nobody made anything
)  # fmt: skip
ITEMS = pd.DataFrame({"duration": [10.0, 2.0, 10.0]})
LONG = label(events=["play"], at_least={"value": 5, "unit": "s", "from": "estimate"}, or_item="duration")


def test_measures_are_those_of_the_log_counted_by_hand():
    found = judge(TRUTH, ITEMS, LONG, {"impression", "card"}, visits=4.0)
    assert found[OPENS] == 0.25
    assert found[DECISIONS] == 0.75
    assert found[WORTH] == pytest.approx((0.9 + 0.5 + 0.4) / 3)
    assert found["belief_utility_correlation"] == pytest.approx(np.corrcoef([0, 1, 2], [0.1, 0.7, 0.9])[0, 1])
    assert found[ABOVE_CARDS] == pytest.approx((3 - 1) / 1)  # of the one visit with cards: mean 1, sd 1
    assert found[ABOVE_STAGE] == pytest.approx((2.5 - 2) / 1)  # beliefs 3, 1, 2 on the page: the last of each look


def test_where_nothing_was_decided_or_judged_there_is_nothing_to_measure():
    found = judge(TRUTH[:0], ITEMS, LONG, {"impression"}, visits=0.0)
    assert all(np.isnan(value) for value in found.values())
    found = judge(TRUTH, ITEMS, label(events=["order"]), {"impression"}, visits=2.0)
    assert found[DECISIONS] == 0
    assert np.isnan([found[WORTH], found[ABOVE_CARDS], found[ABOVE_STAGE]]).all()


def unattended() -> dict[str, object]:
    """A modality whose reading nobody ever gets round to."""
    return {"scenario.modalities.caption.salience": 0.0}


def test_hiding_what_nobody_attends_to_changes_nothing(tmp_path: Path):
    found = run("shortvideo", [0, 1, 2], {**SMALL, **unattended()}, ["caption"], tmp_path, 1)
    frame = found.frame.set_index(["treatment", "measure"])
    assert list(found.frame.columns) == list(elasticity.COLUMNS)
    for kind in (HIDDEN, NOISIER):
        assert frame.loc[(kind, DECISIONS), "control"] > 0
        for measure in MEASURES:
            row = frame.loc[(kind, measure)]
            assert row["treated"] == row["control"]
            assert row["difference"] == row["difference_low"] == row["difference_high"] == 0
        assert [frame.loc[(kind, DECISIONS), name] for name in ("ratio", "low", "high", "pairs")] == [1, 1, 1, 3]


def test_hiding_what_all_look_at_changes_what_they_do_and_worlds_are_kept(tmp_path: Path, monkeypatch):
    given = ("shortvideo", [0, 1], SMALL, ["video"], tmp_path, 1)
    first = run(*given)
    worth = first.frame.set_index(["treatment", "measure"]).loc[(HIDDEN, "belief_utility_correlation")]
    assert worth["treated"] < worth["control"]
    value, (low, high) = first.accepted[ABOVE_CARDS]
    assert low < value < high
    places = {str(path.relative_to(tmp_path / "worlds")) for path in (tmp_path / "worlds").iterdir()}
    assert places == {f"{arm}-s{seed}.json" for arm in ("as-it-is", "video-hidden", "video-noisier") for seed in (0, 1)}
    monkeypatch.setattr(elasticity, "live", None)  # nothing is run again
    assert first.frame.equals(run(*given).frame)
    with pytest.raises(InputError, match=r"as-it-is-s0.json: was run with other settings"):
        run("shortvideo", [0], {**SMALL, "users": 21}, ["video"], tmp_path, 1)
    with pytest.raises(InputError, match=r"as-it-is-s0.json: was run with another scenario"):
        run("audio", [0], SMALL, ["cover"], tmp_path, 1)


def test_one_seed_has_no_interval_and_what_cannot_be_says_so(tmp_path: Path, capsys):
    words = ["elasticity", "scenario=news", "modalities=lock", "seed=1", "users=20", "items=80", "horizon=12h"]
    words += [f"output={tmp_path / 'out'}", "workers=1", "recommender=random"]
    assert main(words) == 0
    out = capsys.readouterr().out
    assert "no precision to lose" in out
    assert "paywall stands, unseen" in out
    found = json.loads((tmp_path / "out" / "elasticity.json").read_text())
    rows = [row for row in found["rows"] if row["treatment"] == HIDDEN]
    assert [row["measure"] for row in rows] == list(MEASURES)
    assert {(row["low"], row["high"], row["difference_low"], row["pairs"]) for row in rows} == {(None, None, None, 1)}
    (refused,) = [row for row in found["rows"] if row["treatment"] == NOISIER]
    assert refused["measure"] is None
    assert refused["control"] is None
    assert refused["note"].startswith("not run: ")
    table = pd.read_csv(tmp_path / "out" / "elasticity.csv")
    assert list(table.columns) == list(elasticity.COLUMNS)
    assert len(table) == len(MEASURES) + 1


def test_a_treatment_that_the_scenario_does_not_bear_is_named_and_not_run(monkeypatch):
    monkeypatch.setattr(
        "analysis.treatments.modalities.hidden", lambda scenario, modality: {"stages.search.entry": 0.9}
    )
    given, worlds = plan("ecommerce", [0], SMALL, ["image"])
    assert given[0].note.startswith("not run: ")
    assert "entry" in given[0].note
    assert [world.place for world in worlds] == ["worlds/as-it-is-s0", "worlds/image-noisier-s0"]


def test_a_stop_begins_no_other_world_and_keeps_those_that_ended(tmp_path: Path):
    _, worlds = plan("shortvideo", [0, 1], SMALL, ["cover"])
    reports: list[tuple[int, int]] = []
    with pytest.raises(RunInterrupted, match=r"1 of 6 worlds are done"):
        kept_worlds.run(
            worlds, elasticity.live, tmp_path, 1, lambda *given: reports.append(given), lambda: bool(reports)
        )
    assert reports == [(1, 6)]
    assert [path.name for path in (tmp_path / "worlds").iterdir()] == ["as-it-is-s0.json"]


def test_a_broken_file_of_a_world_is_refused(tmp_path: Path):
    _, worlds = plan("shortvideo", [0], SMALL, ["cover"])
    (tmp_path / "worlds").mkdir()
    (tmp_path / "worlds" / "as-it-is-s0.json").write_text("{")
    with pytest.raises(InputError, match=r"as-it-is-s0.json: holds no world's measures"):
        kept_worlds.run(worlds, elasticity.live, tmp_path, 1)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([], "no scenario is given"),
        (["scenario=shp"], "unknown scenario 'shp'"),
        (["scenario=news", "modalities=locks"], "unknown modality 'locks'; did you mean lock?"),
        (["scenario=news", "users=0"], "users = 0"),
        (["scenario=news", "users=3,4"], "users=3,4 gives several values; only seed and modalities vary"),
        (["scenario=news", "usrs=3"], "unknown setting 'usrs'; did you mean users?"),
        (["scenario=news", "seed=a"], "seed=a; expected whole numbers"),
        (["scenario=news", "workers=0"], "workers = 0"),
        (["scenario=news", "recommender=popularty"], "unknown recommender 'popularty'"),
        (["scenario=news", "recommender=itemknn(neigbors=5)"], "neigbors: is no parameter of it; did you mean"),
        (["scenario=news", "scenario.surfces.home.slate=3"], "no key 'surfces'"),
        (["scenario=news", "scenario.stages.front.entry=0.9"], "entry"),
    ],
)
def test_bad_input_is_one_clear_line_and_leaves_nothing(given, message, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["elasticity", *given]) == 2
    said = capsys.readouterr().err
    assert said.startswith("error: ")
    assert message in said
    assert said.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("words", [["elasticity", "scenario=news"], ["counterfactual", "more_couriers"]])
def test_a_stopped_report_says_how_it_goes_on(words, capsys, tmp_path, monkeypatch):
    def stopped(*given):
        raise RunInterrupted("1 of 6 worlds are done")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(elasticity, "run", stopped)
    monkeypatch.setattr(counterfactual, "run", stopped)
    assert main([*words, "output=out"]) == 130
    said = capsys.readouterr()
    assert said.err.endswith(
        "1 of 6 worlds are done\nwhat is done is kept: the same command with output=out continues\n"
    )
    assert said.out == ""


def test_nothing_is_noisier_than_it_was_where_there_is_no_precision():
    scenario = load_scenario("ecommerce")
    assert noisier(scenario, "price") == noisier(scenario, "delivery_date") == noisier(scenario, "n_reviews") == {}
    assert list(noisier(scenario, "rating")) == ["modalities.rating.tells.quality.precision"]
