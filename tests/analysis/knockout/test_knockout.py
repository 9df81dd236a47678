"""The knock-out of one modality: its worlds, its verdicts, and what it refuses."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis.__main__ import main
from analysis.knockout import design, report
from analysis.knockout.design import CELLS, Cell, Served, plan
from analysis.knockout.live import serve
from analysis.knockout.measures import BY, WHY, measured
from analysis.knockout.why import before_a_choice, carried, in_words, shown_at, tells
from analysis.knockout.words import NOBODY, as_json, verdict_lines
from analysis.verdicts.verdict import Word
from recommenders.contract import RecommenderError
from simulator.errors import InputError
from simulator.scenario.load import load_scenario

PAGES: dict[str, Any] = {f"scenario.surfaces.{name}.shows.browse": ["plays"] for name in ("results", "page")}
NEVER = 1e-9
FEED: dict[str, Any] = {
    **PAGES,
    **{f"scenario.stages.{name}.entry.value": NEVER for name in ("discover", "search")},
    "scenario.stages.feed.entry.value": 1.0 - 2 * NEVER,
}
NOWHERE: dict[str, Any] = {
    **PAGES,
    **{f"scenario.surfaces.discover.shows.{stage}": ["caption"] for stage in ("browse", "inspect")},
}
SMALL: dict[str, Any] = {"users": 25, "items": 120, "horizon": 7200.0}
READER = "contentknn(modality=cover)"


def planned(scenario: str = "shortvideo", modality: str = "cover", **changes: Any) -> design.Plan:
    asked: dict[str, Any] = {
        "recommenders": [READER], "logging": "popularity", "seeds": [0, 1], "settings": SMALL, "split": "random",
        "tries": 0, "outer": 0,
    } | changes  # fmt: skip
    return plan(scenario, modality, **asked)


def test_all_worlds_are_planned_once_and_differ_as_they_say():
    found = planned()
    assert (len(found.logs), len(found.judged), len(found.served)) == (2 * 2, 2 * 4, 2 * 8)
    places = [world.place for world in (*found.logs, *found.judged, *found.served)]
    assert len(set(places)) == len(places)
    hides = [any(key.startswith("scenario.surfaces") for key in world.settings) for world in found.served]
    shuffles = ["features.cover" in world.settings for world in found.served]
    assert hides == [not cell.sees for _ in (0, 1) for cell in CELLS]
    assert shuffles == [not cell.uses for _ in (0, 1) for cell in CELLS]
    assert {world.question.log for world in found.served} == {world.place for world in found.logs}


def test_a_number_has_no_features_and_is_only_shown_or_not():
    found = planned(modality="likes")
    assert not found.readable
    assert list(found.cells()) == [cell for cell in CELLS if not cell.uses]
    assert all("features" not in key for world in found.served for key in world.settings)


def test_a_reader_is_known_by_what_it_reads_and_one_that_lacks_something_says_so():
    planned(recommenders=["pipeline(recall=itemknn, rerank=contentknn(modality=cover))", "linucb(modality=cover)"])
    planned(modality="likes", recommenders=["popularity"])
    with pytest.raises(RecommenderError, match="no features of modality 'nix'"):
        planned(recommenders=["contentknn(modality=nix)"])


def test_draws_move_estimates_in_all_worlds_alike():
    found = planned(outer=2)
    assert found.outer
    assert len(found.numbers) == 2
    assert len(found.numbers.columns) > 20
    by_draw = [
        {tuple(sorted((k, v) for k, v in world.settings.items() if k.startswith("scenario.") and "surfaces" not in k))
         for world in (*found.logs, *found.served) if f"d{draw}-" in world.place}
        for draw in (0, 1)
    ]  # fmt: skip
    assert [len(each) for each in by_draw] == [1, 1]
    assert by_draw[0] != by_draw[1]


@pytest.mark.parametrize(("outer", "n"), [(0, 2), (1, 1), (3, 3)])
def test_tables_and_verdicts_count_the_same_units(outer, n):
    """Seeds, or draws of the estimates where there are any, be it one."""
    asked = planned(outer=outer)
    luck = np.random.default_rng(1)
    worlds = (*asked.logs, *asked.judged, *asked.served)
    found = {world.place: {"satisfaction": float(luck.normal()), "positives": 1.0} for world in worlds}
    told = report.judged(asked, {place: found[place] | dict.fromkeys(WHY, 0.5) for place in found})
    assert set(told.frame["n"]) == {n}
    assert {each.verdict.n for each in told.judgments} == {n}


def test_a_measure_is_exactly_equal_only_where_worlds_are():
    asked = planned(seeds=range(10))
    luck = np.random.default_rng(1)
    worlds = (*asked.logs, *asked.judged, *asked.served)
    found = {
        world.place: {"satisfaction": 0.5, "positives": 1.0, **dict.fromkeys(WHY, luck.random())} for world in worlds
    }
    assert {each.word for each in report.judged(asked, found).judgments} == {Word.NONE}, "who saw it may differ"
    differ = {place: {**measures, "regret": luck.random()} for place, measures in found.items()}
    assert Word.NONE not in {each.word for each in report.judged(asked, differ).judgments}


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"modality": "covr"}, "did you mean cover"),
        ({"settings": {**SMALL, **NOWHERE}}, "no surface shows cover"),
        ({"recommenders": ["contentknn", "contentknn"]}, "expected each once"),
        ({"recommenders": ["contentknm"]}, "contentknn"),
        ({"seeds": [1, 1]}, "expected each once"),
        ({"split": "randm"}, "random"),
        ({"split": "given"}, "unknown split 'given'"),
        ({"recommenders": ["popularity"]}, "popularity reads no features of cover, so it would serve the same"),
        ({"recommenders": ["vbpr(modality=audio)"]}, r"vbpr\(modality=audio\) reads no features of cover"),
        ({"recommenders": ["pipeline(recall=itemknn, rerank=random)"]}, "reads no features of cover"),
        ({"tries": 3}, "tries=3: contentknn.* has no settings to try; leave it out"),
        ({"recommenders": ["belief-oracle"], "modality": "likes"}, "belief-oracle learns from no log"),
        ({"scenario": "news", "modality": "headline", "settings": {"users": -3}}, "users"),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_is_refused(changes, says):
    with pytest.raises(InputError, match=says):
        planned(**changes)


@pytest.fixture(scope="module")
def feed(tmp_path_factory) -> tuple[report.Knockout, Any]:
    """A world in which everybody watches the feed, whose covers nobody ever sees."""
    folder = tmp_path_factory.mktemp("knockout")
    asked = planned(settings={**SMALL, **FEED}, recommenders=[READER])
    return report.run(asked, folder, workers=1), folder


def test_covers_that_nobody_sees_make_exactly_no_difference(feed):
    found, _ = feed
    shown = [each for each in found.judgments if each.effect.name == "shown" and not np.isnan(each.control)]
    assert shown
    assert {each.word for each in shown} == {Word.NONE}
    rows = found.frame[(found.frame["effect"] == "shown") & found.frame["difference"].notna()]
    assert (rows["difference"] == 0).all()
    assert NOBODY in verdict_lines(found)
    log = found.frame[found.frame["effect"] == "log of who saw it"]["difference"].dropna()
    assert (log == 0).all(), "both logs are of users who saw nothing"


def test_what_a_recommender_makes_of_covers_is_another_matter(feed):
    found, _ = feed
    used = found.frame[(found.frame["effect"] == "used") & (found.frame["measure"] == "utility_of_served")]
    assert (used["difference"].dropna() != 0).all()
    assert used["difference"].notna().any()


GRID = {f"scenario.stages.{name}.entry.value": NEVER for name in ("feed", "search")}
ON_THE_GRID: dict[str, Any] = {"users": 100, "items": 500, "horizon": 28800.0, "serves": "all", **GRID,
                               "scenario.stages.discover.entry.value": 1.0 - 2 * NEVER}  # fmt: skip
HIDDEN: dict[str, Any] = {**PAGES, "scenario.surfaces.discover.shows.browse": ["caption", "author", "likes"]}
TELLS_NOTHING = {f"scenario.modalities.cover.tells.{facet}.signal": 0 for facet in ("topic", "quality")}


@pytest.mark.long
def test_a_modality_that_helps_stops_helping_where_it_is_hidden_and_tells_nothing(tmp_path):
    """Ten seeds, so that it is decided; docs/knockout.md has the figures."""
    helps, stops = (
        report.run(planned(seeds=range(10), settings={**ON_THE_GRID, **changes}), tmp_path / name, workers=2)
        for name, changes in (("helps", {}), ("stops", {**HIDDEN, **TELLS_NOTHING}))
    )

    def word(found: report.Knockout, effect: str, measure: str) -> Word:
        return next(e.word for e in found.judgments if (e.effect.name, e.measure) == (effect, measure))

    for effect, measure in (("used", "satisfaction"), ("used", "utility_of_decisions"), ("used", "regret")):
        assert word(helps, effect, measure) is Word.HELPS
        assert word(stops, effect, measure) is Word.NO_MEANINGFUL
    assert word(helps, "shown", "decisions_per_visit") is Word.HELPS
    assert word(stops, "shown", "decisions_per_visit") is Word.CANNOT_TELL
    assert f"before a choice, {NOBODY}" in verdict_lines(stops)
    assert "its features carry nothing" in verdict_lines(stops)


def test_too_few_seeds_give_no_verdict(feed):
    found, _ = feed
    assert {each.word for each in found.judgments} <= {Word.TOO_FEW, Word.NONE}


def _never(world: object, folder: object) -> dict[str, float]:
    raise AssertionError("a world was run again")


def test_what_is_kept_is_not_run_again_and_gives_the_same(feed, monkeypatch):
    found, folder = feed
    for name in ("leave_log", "judge_offline", "serve"):
        monkeypatch.setattr(report, name, _never)
    again = report.run(found.plan, folder, workers=1)
    pd.testing.assert_frame_equal(again.frame, found.frame)
    assert as_json(again, {}) == as_json(found, {})
    assert json.dumps(as_json(again, {}), allow_nan=False)


@pytest.mark.parametrize(
    ("gone", "says"),
    [("logs/saw-s0/manifest.json", "log of this world is gone; remove .*saw-s0.json, and it is run again"),
     ("judged/a.settings.json", "holds no settings .*; remove .*a.json, and they are tried again")],
)  # fmt: skip
def test_what_is_gone_of_an_output_is_said_with_what_makes_it_anew(gone, says, tmp_path):
    """A served world needs the log and the settings that others left."""
    (tmp_path / "logs" / "saw-s0").mkdir(parents=True)
    (tmp_path / "judged").mkdir()
    for name in {"logs/saw-s0/manifest.json", "judged/a.settings.json"} - {gone}:
        (tmp_path / name).write_text("{}")
    asked = replace(planned().served[0], question=Served("cover", "logs/saw-s0", "judged/a"))
    with pytest.raises(InputError, match=says):
        serve(asked, tmp_path)


def test_groups_of_a_measure_stand_beside_it(feed):
    found, _ = feed
    groups = found.frame[found.frame["measure"] == "utility_of_served"]["group"]
    assert "" in set(groups)
    assert {each.partition("=")[0] for each in groups if each} >= {"device", "age", "user_log", "place"}


def test_a_served_world_counts_who_saw_it():
    import simulator

    result = simulator.run("news", "popularity", users=60, items=300, horizon="6h", seed=1, log="full")
    scenario = load_scenario("news")
    found = measured(result, scenario, "headline", pd.Series({0: 2, 1: 1}))
    assert found["cards_that_show_it"] == 1.0
    assert found["decisions_that_saw_it"] == 1.0
    assert 0 < found["cards_attended_to_with_it"] <= 1
    assert measured(result, scenario, "body", pd.Series(dtype=int))["cards_that_show_it"] == 0.0
    phone = found[f"utility_of_served{BY}device=phone"]
    assert np.isfinite(phone)


def test_why_says_where_it_is_shown_and_what_it_tells():
    scenario = load_scenario("shortvideo")
    assert before_a_choice(scenario, "cover") == ["discover", "results"]
    assert {each.surface for each in shown_at(scenario, "cover")} == {"discover", "results", "page"}
    assert not before_a_choice(scenario, "video")
    assert any("nobody sees it before a choice" in line for line in in_words(scenario, "video"))
    assert all(0 < told.signal <= 1 for told in tells(scenario, "cover"))
    assert tells(load_scenario("ecommerce"), "price") == []
    assert carried(tells(scenario, "cover")) == pytest.approx(0.70 * (0.7 * 0.8) ** 2 + 0.08 * (0.3 * 0.8) ** 2)
    assert any("all in all its features carry 22%" in line for line in in_words(scenario, "cover"))
    nothing = load_scenario("shortvideo", {f"modalities.cover.tells.{f}.signal": 0 for f in ("topic", "quality")})
    assert any("its features carry nothing" in line for line in in_words(nothing, "cover"))


def test_the_command_writes_what_it_says(tmp_path, capsys):
    output = tmp_path / "out"
    words = ["knockout", "scenario=shortvideo", "modality=likes", "users=20", "items=100", "horizon=1h", "seed=0,1",
             "recommender=popularity", f"output={output}", "workers=1"]  # fmt: skip
    assert main(words) == 0
    said = capsys.readouterr().out
    assert "no recommender is handed likes" in said
    told = json.loads((output / "knockout.json").read_text())
    assert {each["effect"] for each in told["verdicts"]} == {"shown"}
    assert told["seeds"] == [0, 1]
    frame = pd.read_csv(output / "effects.csv")
    assert set(frame["effect"]) == {"shown"}


def test_the_command_asks_for_what_is_missing(capsys):
    assert main(["knockout", "scenario=news"]) == 2
    assert "no modality is given" in capsys.readouterr().err


def test_cells_are_all_combinations():
    assert len(set(CELLS)) == 8
    assert Cell(True, True, True) in CELLS
