"""Calibration: numbers in their file, scales, wholes, the search on functions that are known, and the command."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from analysis.__main__ import main
from analysis.calibrate import run as calibration
from analysis.calibrate.figures import Figure, distances, known_figures, steering
from analysis.calibrate.parameters import changes, choose, values_at, written
from analysis.calibrate.scales import FARTHEST, scale_of
from analysis.calibrate.search import search, shrunk
from analysis.calibrate.trials import Spent, Trial
from analysis.calibrate.widths import widths
from analysis.calibrate.written import Change, File
from simulator.errors import InputError
from simulator.scenario.checks.check import check_scenario
from simulator.scenario.checks.numbers import wholes
from simulator.scenario.load import available_scenarios, load_scenario
from simulator.scenario.schema.targets import role_of

TEXT = """\
a: &one {value: 0.5, unit: share, from: estimate, why: "so"}  # stays
b: *one
c:
  value: 2  # two
  unit: h
  from: estimate
d: [{value: -1, unit: utility, from: calibrated, see: old}]
"""


def opened(name: str):
    scenario = load_scenario(name)
    return scenario, File(scenario.path.read_text(), scenario.shown)


def test_numbers_are_put_in_place_and_all_else_stays():
    file = File(TEXT, "x.yaml")
    assert file.same("b.value") == ["a.value", "b.value"]
    assert file.written("d.0.value") == -1.0
    assert file.changed({}) == TEXT
    assert file.changed(
        {"b.value": Change(0.25, "t"), "c.value": Change(3.0, "u"), "d.0.value": Change(-1.5, "new")}
    ) == TEXT.replace("0.5, unit: share, from: estimate", "0.25, unit: share, from: calibrated, see: t").replace(
        "value: 2  # two\n  unit: h\n  from: estimate", "value: 3  # two\n  unit: h\n  from: calibrated\n  see: u"
    ).replace("-1, unit: utility, from: calibrated, see: old", "-1.5, unit: utility, from: calibrated, see: new")
    with pytest.raises(InputError, match=r"c\.valu is not written there"):
        file.written("c.valu")


@pytest.mark.parametrize(
    ("value", "unit", "least", "most"),
    [(0.5, "share", 0.0, 1.0), (0.01, "probability", 0.0, 1.0), (20.0, "min", 0.0, 1e3), (-2.0, "utility", -8.0, 4.0)],
)
def test_a_number_moves_within_what_its_unit_allows(value, unit, least, most):
    scale = scale_of(value, unit)
    assert scale.at(0.0) == value
    assert least <= scale.range[0] < scale.at(-0.1) < value < scale.at(0.1) < scale.range[1] <= most


@pytest.mark.parametrize(("value", "unit"), [(0.0, "min"), (0.0, "share"), (1.0, "probability")])
def test_a_number_from_which_no_step_leads_has_no_scale(value, unit):
    assert scale_of(value, unit) is None


@pytest.mark.parametrize("name", available_scenarios())
def test_numbers_of_a_file_are_those_of_the_scenario_and_any_step_of_one_hangs_together(name):
    scenario, file = opened(name)
    numbers = written(scenario, file)
    assert len(numbers) > 50
    fit = [target for target in scenario.targets if role_of(target) == "fit"]
    calibrated = any(each.claim.provenance == "calibrated" for each in numbers.values())
    free, _ = choose(scenario, file, () if calibrated else ("consume.*",), fit)
    for k, each in enumerate(free):
        moved = values_at(free, [0.05 * (k == n) for n in range(len(free))])
        new = load_scenario(name, dict(changes(free, moved)))
        check_scenario(new)
        text = file.changed({each.number.paths[0]: Change(moved[each.number.name], fit[0])})
        assert text != file.text
    for what, parts in wholes(scenario):
        assert sum(parts.values()) == pytest.approx(1.0), what
        assert {path for path in parts if path not in numbers} == set(), "each share of a whole is found in the file"


def test_what_an_alias_repeats_moves_with_it():
    scenario, file = opened("news")
    free, _ = choose(scenario, file, (), ["click_rate"])
    assert [each.name for each in free] == ["browse.front.outside_option", "browse.river.outside_option"]
    moved = dict(changes(free, values_at(free, [0.1, 0.0])))
    assert set(moved) == {f"browse.{name}.outside_option.value" for name in scenario.browse if name != "river"}
    assert values_at(free, [0.0, 0.0]) == {}


def test_shares_of_a_whole_move_together_and_what_has_a_source_stays():
    scenario, file = opened("shortvideo")
    free, _ = choose(scenario, file, ["facets.topic.share", "facets.style.share"], ["valid_play_rate"])
    moved = values_at(free, [0.3, 0.0])
    assert moved["facets.topic.share"] > 0.7
    rest = [
        path for what, parts in wholes(scenario) if what.startswith("facets") for path in parts if path not in moved
    ]
    before = {path: written(scenario, file)[path].value for path in rest}
    assert sum(moved.values()) + sum(before.values()) == pytest.approx(1.0, abs=1e-12)
    check_scenario(load_scenario("shortvideo", dict(changes(free, moved))))
    ratio = moved["facets.topic.share"] / (1 - moved["facets.topic.share"] - moved["facets.style.share"])
    assert ratio == pytest.approx(0.7 / 0.23 * np.exp(0.3), rel=1e-3)


def test_numbers_of_a_list_move_as_one_and_stay_in_order():
    scenario, file = opened("ecommerce")
    free, _ = choose(scenario, file, (), ["rating_on_time"])
    assert [each.name for each in free] == ["respond.verdict.rating.thresholds.*"]
    moved = values_at(free, [0.5])
    rating = scenario.respond["verdict"].rating
    assert rating is not None
    given = [each.value for each in rating.thresholds]
    assert list(moved.values()) == pytest.approx([each + 0.5 * abs(given[0]) for each in given])
    check_scenario(load_scenario("ecommerce", dict(changes(free, moved))))


def test_of_a_whole_that_is_all_free_the_largest_follows():
    scenario, file = opened("fooddelivery")
    names = [f"user.intents.{name}.share" for name in scenario.user.intents]
    free, held = choose(scenario, file, names, ["conversion"])
    assert len(free) == len(names) - 1
    assert list(held.values()) == ["it is what the others leave of the whole"]


@pytest.mark.parametrize(
    ("patterns", "message"),
    [
        (["browse.front.outsid_option"], "unknown number 'browse.front.outsid_option'; did you mean"),
        (["brows.*"], "parameters=brows.* fits no number"),
        (["browse.front.read"], "parameters=browse.front.read: it has a source, which no calibration overrules"),
        (["consume.read.loop"], "parameters=consume.read.loop: no step leads away from 0"),
        ([], "no number is calibrated to one of bounce_rate"),
    ],
)
def test_numbers_that_cannot_move_are_refused(patterns, message):
    scenario, file = opened("news")
    with pytest.raises(InputError) as error:
        choose(scenario, file, patterns, ["bounce_rate"])
    assert message in str(error.value)


def test_checks_never_steer():
    scenario = load_scenario("news")
    figures = known_figures(scenario)
    assert {each.name for each in steering(figures)} == {name for name in figures if role_of(name) == "fit"}
    with pytest.raises(InputError, match="bounce_rate: it has role check"):
        known_figures(scenario, ["bounce_rate"])
    one = known_figures(scenario, ["click_rate"])
    assert [each.name for each in steering(one)] == ["click_rate"]


def test_a_distance_of_one_is_the_end_of_what_is_near_enough():
    each = Figure("valid_play_rate", 10.0, above=2.0, below=0.5, unit="min")
    assert distances([each], {"valid_play_rate": 12.0}) == pytest.approx([1.0])
    assert distances([each], {"valid_play_rate": 9.0}) == pytest.approx([-2.0])


class Made:
    """Trials of a function in place of worlds: distances of four seeds that differ by luck, and a count."""

    def __init__(self, function, luck: float = 0.0, limit: int = 100) -> None:
        self.function, self.luck, self.limit, self.done = function, luck, limit, {}

    def __call__(self, points):
        new = {tuple(point) for point in points} - self.done.keys()
        if len(self.done) + len(new) > self.limit:
            raise Spent("no more")
        for point in sorted(new):
            self.done[point] = self.trial(np.array(point))
        return [self.done[tuple(point)] for point in points]

    def trial(self, steps):
        off = np.atleast_1d(self.function(steps)).astype(float)
        draws = np.random.default_rng(abs(hash(tuple(steps.round(6)))) % 2**32).normal(0, self.luck, (len(off), 4))
        each = off[:, None] + draws
        return Trial(steps, {}, {}, "", each.mean(axis=1), each)

    @property
    def best(self):
        return min(self.done.values(), key=lambda each: each.size)


def curved(steps):
    return np.array([20 * (np.exp(steps[0] + 0.3 * steps[1]) - 1.5), 15 * (np.tanh(steps[1]) - 0.4) + steps[0]])


def test_a_search_meets_figures_in_few_trials_and_takes_the_same_way_again():
    made = Made(curved)
    slopes, way = search(made, made([np.zeros(2)])[0])
    assert way[-1].size == made.best.size
    assert np.abs(made.best.distances).max() < 0.4
    assert len(made.done) < 12
    assert slopes.matrix.shape == (2, 2)
    again = Made(curved)
    search(again, again([np.zeros(2)])[0])
    assert list(again.done) == list(made.done)


def test_what_no_figure_tells_of_stays_where_it_is():
    made = Made(lambda steps: np.array([10 * (steps[0] - 0.5)]))
    slopes, _ = search(made, made([np.zeros(3)])[0])
    assert made.best.steps == pytest.approx([0.5, 0, 0], abs=0.05)
    told = widths(slopes.matrix, slopes.noise)
    assert told.weak == [False, True, True]
    assert told.sd[0] == pytest.approx(0.1, abs=0.02)


def test_luck_moves_nothing():
    made = Made(lambda steps: np.array([10 * (steps[0] - 0.5), 5.0]), luck=1.0)
    search(made, made([np.zeros(2)])[0])
    last = list(made.done.values())[-1]
    assert abs(last.steps[1]) < 0.5
    assert shrunk(np.array([[0.1, 5.0]]), np.array([1.0])) == pytest.approx(np.array([[0.0, 4.8]]))


def test_a_point_that_cannot_be_run_is_stepped_back_from():
    def edge(steps):
        return np.array([10 * (steps[0] - 0.5)]) if steps[0] <= 0.2 else np.array([np.inf])

    made = Made(edge)
    search(made, made([np.zeros(1)])[0])
    assert 0 < made.best.steps[0] <= 0.2


def test_spent_trials_end_a_search_with_what_it_has():
    made = Made(curved, limit=2)
    assert search(made, made([np.zeros(2)])[0])[0] is None
    assert len(made.done) == 1
    made = Made(curved, limit=4)
    assert search(made, made([np.zeros(2)])[0])[0] is not None
    assert len(made.done) == 4


def test_numbers_stay_in_their_range():
    made = Made(lambda steps: np.array([10 * (steps[0] - 50)]))
    search(made, made([np.zeros(1)])[0])
    assert max(point[0] for point in made.done) <= FARTHEST


WORDS = ["users=30", "items=60", "horizon=6h", "recommender=random", "seed=0,1", "workers=1"]


def test_a_calibration_says_what_it_found_and_goes_on_where_it_was(tmp_path: Path, capsys):
    fit = next(name for name in load_scenario("audio").targets if role_of(name) == "fit")
    words = ["calibrate", "scenario=audio", *WORDS, f"targets={fit}", f"output={tmp_path / 'out'}"]
    words += ["parameters=consume.listen.judgment_sensitivity,consume.listen.tolerate"]
    assert main([*words, "trials=2"]) == 0  # not enough for slopes
    first = {path: path.stat().st_mtime_ns for path in (tmp_path / "out" / "worlds").rglob("*.json")}
    assert len(first) == 2
    assert "no number moved" in capsys.readouterr().out
    assert main([*words, "trials=3"]) == 0
    again = {path: path.stat().st_mtime_ns for path in (tmp_path / "out" / "worlds").rglob("*.json")}
    assert first.items() < again.items()
    assert len(again) == 6
    assert "trial 3" in capsys.readouterr().err
    found = json.loads((tmp_path / "out" / "calibration.json").read_text())
    names = [each["name"] for each in found["moved"]]
    assert names == ["consume.listen.judgment_sensitivity", "consume.listen.tolerate"]
    assert {each["role"] for each in found["judged"]} == {"fit", "check"}
    assert "## Targets that steered" in (tmp_path / "out" / "calibration.md").read_text()
    assert len(json.loads((tmp_path / "out" / "trials.json").read_text())["trials"]) == 3


def test_a_scenario_is_written_whole_beside_its_sources_and_over_no_other(tmp_path: Path):
    plan = calibration.plan("news", [0], {}, ["click_rate"])
    out = tmp_path / "new" / "mine.yaml"
    calibration.check_out(plan, out)
    calibration.write_scenario(plan, {"browse.front.outside_option.value": Change(0.9, "click_rate")}, out)
    new = load_scenario(out)
    check_scenario(new)
    assert {each.outside_option.value for name, each in new.browse.items() if name != "river"} == {0.9}
    assert new.sources == plan.scenario.sources
    with pytest.raises(InputError, match="this file exists already"):
        calibration.check_out(plan, out)
    calibration.check_out(plan, plan.scenario.path)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([], "no scenario is given"),
        (["scenario=shp"], "unknown scenario 'shp'"),
        (["scenario=news", "targets=click_rat"], "unknown target 'click_rat'; did you mean click_rate?"),
        (["scenario=news", "targets=bounce_rate"], "it has role check and may set no number"),
        (["scenario=news", "parameters=brows.*"], "fits no number"),
        (["scenario=news", "trials=0"], "trials = 0"),
        (["scenario=news", "minutes=-1"], "minutes = -1"),
        (["scenario=news", "log=nowhere"], "nowhere: is no folder"),
        (["scenario=news", "log=."], "is neither a run nor a set that is known by its files"),
        (["scenario=news", "held_out=1"], "held_out = 1"),
        (["scenario=news", "users=0"], "users = 0"),
        (["scenario=news", "out=x.txt"], "is no name of a scenario file"),
        (["scenario=news", "scenario.browse.front.outside_option=1"], "is given, and may move"),
        (["scenario=audio", "scenario.targets={}"], "has no target with role fit"),
    ],
)
def test_bad_input_is_one_clear_line_and_leaves_nothing(given, message, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["calibrate", *given]) == 2
    said = capsys.readouterr().err
    assert said.startswith("error: ")
    assert message in said
    assert said.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
