"""What targets measure: readings of events that can happen, on devices and of items that there are."""

from __future__ import annotations

from simulator.scenario.checks.references import item_numbers
from simulator.scenario.checks.rules import Breaches, need
from simulator.scenario.life_cycle import possible_events
from simulator.scenario.schema.readings import (
    ItemsReading,
    LiftReading,
    MeanReading,
    OfLog,
    events_of,
)
from simulator.scenario.schema.scenario import Scenario
from simulator.scenario.schema.units import parse_unit

_CANONICAL = {
    "delay": "s",
    "age": "s",
    "share": "share",
    "visits_with": "share",
    "time_share": "share",
    "lift": "ratio",
}
"""Of units that a reading can be in, as far as the reading decides it."""


def readings(scenario: Scenario) -> Breaches:
    """Yield names in readings of targets that do not exist in the scenario, and units that a reading does not have.

    A measure's name is the business of those who can compute it.
    """
    events = [event for event, happens in possible_events(scenario).items() if happens]
    for name, target in scenario.targets.items():
        reading, key = target.measure, f"targets.{name}.measure"
        for part, named in events_of(reading):
            yield from need(f"{key}.{part}", named, events)
        if isinstance(reading, OfLog):
            yield from need(f"{key}.types", reading.types, scenario.item_types)
            yield from need(f"{key}.devices", reading.devices, scenario.devices)
        if isinstance(reading, LiftReading):
            yield from need(f"{key}.modality", [reading.modality], scenario.modalities)
        if isinstance(reading, ItemsReading):
            yield from need(f"{key}.attribute", [reading.attribute], item_numbers(scenario))
        if isinstance(reading, MeanReading) and reading.late is not None and not _promised(scenario):
            yield f"{key}.late: nothing is promised", "expected a fulfil block with promise"
        canonical = _CANONICAL.get(reading.reading)
        if canonical is not None and parse_unit(target.unit).canonical != canonical:
            right = "a unit of time" if canonical == "s" else canonical
            yield f"targets.{name}.unit = {target.unit}", f"expected {right}: that is what {reading.reading} gives"


def _promised(scenario: Scenario) -> bool:
    return any(block.promise is not None for block in scenario.fulfil.values())
