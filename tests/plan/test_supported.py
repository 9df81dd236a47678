"""What this version cannot run, and the numbers that engine and scenarios must have in common."""

from __future__ import annotations

import numpy as np
import pytest

from simulator.engine.tables.case_tables import CaseDraw
from simulator.engine.tables.codes import MOST_PICKS, Draw, SharedEvent, Tally
from simulator.engine.tables.state_rows import EVENT, ITEM, TICKS_PER_SECOND, VISIT
from simulator.engine.visit import arrive_depart
from simulator.plan.supported import ENGINE
from simulator.population import attributes, item_facts, users
from simulator.records.log_writer import CODED
from simulator.scenario import limits
from simulator.scenario.checks.check import NOT_YET, breaches
from simulator.scenario.events import CODE
from simulator.scenario.load import available_scenarios, load_scenario
from simulator.scenario.schema import distributions


def test_kernels_and_scenarios_have_the_same_codes_of_events():
    assert {event.name.lower(): int(event) for event in SharedEvent}.items() <= CODE.items()


def _most(dtype: np.dtype, field: str) -> int:
    return int(np.iinfo(dtype[field]).max)


def test_limits_of_scenarios_are_those_of_the_engine():
    """What stands for an entry (a bit, a byte, a key of a draw) has room for as many as the limit allows."""
    assert 8 * VISIT["attended"].itemsize == limits.MODALITIES
    assert limits.NOTES == Draw.CONTEXT - Draw.NOTE
    assert limits.COSTS == 256 - Draw.COST
    assert min(Draw.ACT_SECONDS - Draw.ACT, CaseDraw.ACT_DELAY - CaseDraw.ACT) >= limits.ACTS
    assert limits.LABELS == Tally.EVENT - Tally.LABEL
    assert limits.PICKS == MOST_PICKS
    assert _most(EVENT, "policy_version") == limits.POLICIES
    assert _most(EVENT, "position") > limits.SLATE
    assert _most(ITEM, "topic") >= limits.CLUSTERS
    assert np.iinfo(np.int8).max == limits.NAMED
    assert {"surface", "device", "stage", "event"} == set(CODED)  # which the log writes as int8
    assert limits.INTERESTS <= attributes._GROUP - users._INTEREST
    assert min(attributes._PLACE - attributes._TRAIT, item_facts._COVERAGE - attributes._ATTRIBUTE) >= limits.ATTRIBUTES
    assert limits.CENTURY == arrive_depart._LONGEST
    assert limits.SHORTEST == 1 / TICKS_PER_SECOND
    assert ENGINE.highest_quantile == 1.0 - distributions._TAIL


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
