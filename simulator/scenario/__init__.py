"""A scenario as data: its schema, reading it from a file, and checking that it hangs together."""

from __future__ import annotations

from simulator.scenario.checks.check import check_scenario
from simulator.scenario.load import available_scenarios, load_scenario
from simulator.scenario.schema.scenario import Scenario, scenario_json_schema

__all__ = ["Scenario", "available_scenarios", "check_scenario", "load_scenario", "scenario_json_schema"]
