"""Changes of a scenario: one number by its keys, unit kept, provenance honest, and nothing else touched."""

from __future__ import annotations

from pathlib import Path

import pytest

import simulator
from simulator.config import RunConfig, resolve
from simulator.errors import InputError
from simulator.scenario.load import load_scenario
from simulator.scenario.overrides import WHY, with_changes

FILE = {
    "user": {"churn": {"value": 0.1, "unit": "probability", "from": "sourced", "see": "7"}},
    "wait": {"dist": "lognormal", "median": 3, "sigma": 0.5, "unit": "d", "from": "sourced", "see": "9", "why": "x"},
    "steps": [{"step": "a"}, {"step": "b", "passes": {"value": 1, "unit": "probability", "from": "estimate"}}],
    "title": "T",
}


def test_a_number_keeps_its_unit_and_loses_its_source():
    changed = with_changes(FILE, {"user.churn": 0.3}, "f")
    assert changed["user"]["churn"] == {"value": 0.3, "unit": "probability", "from": "estimate", "why": WHY}
    assert FILE["user"]["churn"]["see"] == "7"  # type: ignore[index]  # what was given stays as it was
    assert changed["wait"] is FILE["wait"]


def test_a_part_of_a_distribution_a_place_in_a_list_and_a_word():
    changed = with_changes(FILE, {"wait.median": 5, "steps.1.passes": 0.5, "title": "U"}, "f")
    assert (changed["wait"]["median"], changed["wait"]["from"], "see" in changed["wait"]) == (5, "estimate", False)
    assert changed["steps"][1]["passes"]["value"] == 0.5
    assert changed["steps"][0] is FILE["steps"][0]  # type: ignore[index]
    assert changed["title"] == "U"


def test_what_two_places_share_is_changed_in_one_only():
    shared = {"value": 1, "unit": "s", "from": "estimate"}
    changed = with_changes({"a": {"x": shared}, "b": {"x": shared}}, {"a.x": 2}, "f")
    assert (changed["a"]["x"]["value"], changed["b"]["x"]["value"]) == (2, 1)


def test_none_takes_a_key_away():
    assert "title" not in with_changes(FILE, {"title": None}, "f")


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("user.chrun.value", 1, r"user.chrun.value: no key 'chrun'.*churn"),
        ("steps.2.passes", 1, r"no place '2' in a list of 2"),
        ("title.x", 1, r"title.x: there is nothing below"),
        ("user", 1, r"user = 1: a table is there, not a number"),
        ("wait", 1, r"wait = 1: a table is there, not a number"),
    ],
)
def test_a_path_that_leads_nowhere_is_refused(path, value, message):
    with pytest.raises(InputError, match=message):
        with_changes(FILE, {path: value}, "f")


def test_the_schema_judges_what_was_changed():
    with pytest.raises(InputError, match=r"user.churn"):
        load_scenario("audio", {"user.churn": 1.5})
    assert load_scenario("audio", {"user.churn": 0.5}).hash != load_scenario("audio").hash


def test_a_change_is_part_of_a_run_and_of_its_configuration(tmp_path: Path):
    small = {"users": 30, "items": 60, "horizon": "6h", "first_fit": "2h"}
    change = {"scenario.user.budget.median": 5}
    plain = simulator.run("audio", "random", **small)  # type: ignore[arg-type]
    short = simulator.run("audio", "random", output=tmp_path / "run", **small, **change)  # type: ignore[arg-type]
    assert short.metrics["plays"] < plain.metrics["plays"]
    written = RunConfig.from_yaml(tmp_path / "run" / "config.yaml")
    assert written.scenario_changes == {"user.budget.median": 5}
    again = simulator.run("audio", **{k: v for k, v in written.settings().items() if k not in ("scenario", "output")})  # type: ignore[arg-type]
    assert again.manifest["log"] == short.manifest["log"]


def test_a_change_that_is_given_twice_is_refused():
    with pytest.raises(InputError, match=r"scenario.user.churn is given twice"):
        resolve([("scenario", "audio"), ("scenario.user.churn", 1), ("scenario.user.churn", 2)])
