"""Roles of targets: fixed by the name alone, and no number rests on one that is only to be checked."""

import hashlib

import pytest
from hypothesis import given, strategies as st

from simulator.errors import InputError
from simulator.scenario.checks.check import check_scenario
from simulator.scenario.load import load_scenario
from simulator.scenario.schema.targets import measures_of, role_of, targets_with_role


@given(st.text())
def test_the_role_is_the_parity_of_the_hash_of_the_name(name):
    even = int(hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[-1], 16) % 2 == 0
    assert role_of(name) == ("fit" if even else "check")


def test_every_target_has_one_role():
    targets = load_scenario("shortvideo").targets
    fit, check = targets_with_role(targets, "fit"), targets_with_role(targets, "check")
    assert fit
    assert check
    assert {**fit, **check} == targets
    assert not set(fit) & set(check)


def test_a_calibrated_number_rests_on_a_target_to_fit(spoiled):
    targets = load_scenario("shortvideo").targets
    fit, check = next(iter(targets_with_role(targets, "fit"))), next(iter(targets_with_role(targets, "check")))

    def calibrated(see: str) -> dict[str, object]:
        return {"clock.tick": {"value": 15, "unit": "min", "from": "calibrated", "see": see}}

    check_scenario(spoiled(calibrated(fit)))
    with pytest.raises(InputError, match=rf"clock\.tick\.see = {check}; expected a target with role fit"):
        check_scenario(spoiled(calibrated(check)))
    with pytest.raises(InputError, match=r"clock\.tick\.see = nothing; a calibrated number names a target"):
        check_scenario(spoiled(calibrated("nothing")))


@pytest.mark.parametrize(("key", "value"), [("low", 0.5), ("high", 0.4)])
def test_a_target_lies_in_its_range(spoiled, key, value):
    with pytest.raises(InputError, match=rf"targets\.valid_play_rate\.{key} ="):
        spoiled({f"targets.valid_play_rate.{key}": value})


@pytest.mark.parametrize(
    ("measure", "line"),
    [
        ({"reading": "shre", "events": ["like"]}, "measure.reading = shre; expected one of measure, share, rate"),
        ({"events": ["like"]}, "measure.reading is missing; expected one of measure, share"),
        ({"reading": "visits_with", "evnts": ["like"]}, "measure.evnts; unknown key; did you mean events?"),
        ({"reading": "visits_with", "events": []}, "measure.events has 0 entries; expected at least 1"),
        ({"reading": "share", "events": ["like"], "of": ["skip"]}, "measure.events = ['like']; expected some of"),
        ({"reading": "share", "events": ["skip"], "of": ["skip"], "per_visit": [3, 2]}, "measure.per_visit = [3, 2]"),
        ({"reading": "played", "events": ["skip"]}, "measure.quantile is missing; expected either quantile or above"),
        ({"reading": "age", "events": ["skip"], "quantile": 1}, "measure.quantile"),
        ("Like rate", "measure.name = Like rate"),
        (3, "measure = 3; expected a table of keys"),
    ],
)
def test_what_a_target_measures_is_said_in_known_words(spoiled, measure, line):
    with pytest.raises(InputError) as error:
        spoiled({"targets.valid_play_rate.measure": measure})
    assert str(error.value).startswith(f"scenarios/shortvideo.yaml: targets.valid_play_rate.{line}")


def test_a_bare_name_is_a_measure_and_none_is_the_targets_own(spoiled):
    named = spoiled({"targets.valid_play_rate.measure": "like_rate"}).targets
    assert measures_of(named)["valid_play_rate"] == "like_rate"
    assert measures_of(named)["long_view_rate"] == "long_view_rate"
    assert "duration_p50" not in measures_of(named)  # a reading
