"""Equivalence bounds: declared with a reason, part of the content, and none of the world's numbers."""

from __future__ import annotations

import pytest

from simulator.errors import InputError
from simulator.scenario.checks.check import check_scenario
from simulator.scenario.checks.provenance import provenance_summary
from simulator.scenario.load import load_scenario

BOUND = {"value": 0.05, "unit": "utility", "from": "estimate", "why": "nobody would ship it for less"}


def test_a_bound_is_declared_in_the_unit_of_its_measure_and_counted_as_no_number(spoiled):
    before = spoiled(delete=("verdicts",)) if load_scenario("shortvideo").verdicts else spoiled()
    after = spoiled({"verdicts": {"bounds": {"satisfaction": BOUND}}})
    check_scenario(after)
    assert after.verdicts.bounds["satisfaction"].value == 0.05
    assert provenance_summary(after) == provenance_summary(before)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"value": 0}, r"verdicts\.bounds\.satisfaction\.value = 0.*; expected a positive number"),
        ({"value": -1}, "expected a positive number"),
        ({"unit": "utilty"}, "expected utility"),
        ({"of": "control"}, "expected share: the bound is one of the control"),
        ({"of": "control", "unit": "share", "value": 2}, "between 0 and 1"),
        ({"of": "treated"}, r"verdicts\.bounds\.satisfaction\.of"),
        ({"from": "sourced"}, "needs a key of the sources file"),
        ({"from": "calibrated", "see": "x"}, r"verdicts\.bounds\.satisfaction\.from"),
        ({"why": None}, "expected the reason of the choice"),
        ({"vlaue": 1}, "did you mean value"),
    ],
)
def test_a_bound_that_is_none_is_refused(spoiled, changed, message):
    with pytest.raises(InputError, match=message):
        spoiled({"verdicts": {"bounds": {"satisfaction": {**BOUND, **changed}}}})


def test_a_bounds_source_is_there(spoiled):
    scenario = spoiled({"verdicts": {"bounds": {"satisfaction": {**BOUND, "from": "sourced", "see": "nowhere"}}}})
    with pytest.raises(InputError, match=r"verdicts\.bounds\.satisfaction\.see = nowhere; expected a key"):
        check_scenario(scenario)
