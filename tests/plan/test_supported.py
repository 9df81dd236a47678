"""What this version cannot run, and the numbers that engine and scenarios must have in common."""

from __future__ import annotations

import pytest

from simulator.engine.tables.codes import SharedEvent
from simulator.plan.supported import ENGINE
from simulator.scenario.checks.check import NOT_YET, breaches
from simulator.scenario.events import CODE
from simulator.scenario.load import available_scenarios, load_scenario


def test_kernels_and_scenarios_have_the_same_codes_of_events():
    assert {event.name.lower(): int(event) for event in SharedEvent}.items() <= CODE.items()


@pytest.mark.parametrize("name", available_scenarios())
def test_packaged_scenarios_break_no_rule(name):
    assert list(breaches(NOT_YET, load_scenario(name), ENGINE)) == []


def test_more_than_the_engine_holds_is_refused():
    scenario = load_scenario("jobs")
    small = type(ENGINE)(**{**vars(ENGINE), "facets": 1, "resources": 0, "types": 0})
    found = dict(breaches(NOT_YET, scenario, small))
    assert found == {"item_types and parents that are shown: more than 0": "at most 0"}
    small = type(ENGINE)(**{**vars(ENGINE), "facets": 1})
    assert f"facets: {len(scenario.facets)} of them" in dict(breaches(NOT_YET, scenario, small))
