"""Targets as a platform can measure them, on its own log: of events that it records, and of nothing else."""

from __future__ import annotations

import numpy as np

from analysis.elasticity import decisions
from analysis.fidelity.readings import Log, read
from simulator.scenario.schema.readings import (
    MeanReading,
    MeasureReading,
    events_of,
)
from simulator.scenario.schema.scenario import HazardConsume, Scenario
from simulator.scenario.schema.stages import OUTCOMES
from simulator.scenario.schema.units import parse_unit

IMPRESSION = "impression"
_SESSIONS = ("visit", "user")
_OF_PLAYS = {"complete_play": "complete", "negative_feedback": "hate", "profile_enter": "profile_visit"}
"""Events of those measures `..._rate`, per play, that are not called by them."""


def readable(scenario: Scenario) -> list[str]:
    """Return the targets that a platform's log of a scenario tells."""
    return [name for name in scenario.targets if not unreadable(scenario, name)]


def unreadable(scenario: Scenario, name: str) -> str:
    """Return why a platform's log does not tell a target; empty where it does."""
    reading = scenario.targets[name].measure
    if isinstance(reading, MeasureReading):
        needed = _counted(scenario, reading.name or name)
        if needed is None:
            return f"{reading.name or name} is no ratio of events that are recorded"
    else:
        needed = [event for _, events in events_of(reading) for event in events]
        if isinstance(reading, MeanReading) and reading.late is not None:
            return "what was promised is not in it"
    recorded = {IMPRESSION, *recorded_events(scenario)}
    missing = [event for event in needed if event not in recorded]
    return f"{missing[0]} is not recorded" if missing else ""


def recorded_events(scenario: Scenario) -> list[str]:
    """Return the events that come into a platform's log, from its own eyes or a partner's."""
    return [name for name, observed in scenario.observation.items() if observed.observer != "none"]


def plays(scenario: Scenario) -> list[str]:
    """Return the events with which plays end."""
    ends = [
        stage.events.get(outcome, outcome)
        for name, stage in scenario.stages.items()
        if isinstance(scenario.consume.get(name), HazardConsume)
        for outcome in OUTCOMES["consume"]
    ]
    return list(dict.fromkeys(ends))


def of_platform(log: Log, scenario: Scenario, name: str) -> float:
    """Return a target that is readable, in its unit; NaN where there is nothing to read."""
    target = scenario.targets[name]
    if isinstance(target.measure, MeasureReading):
        return _measure(log, scenario, target.measure.name or name)
    return read(log, target.measure) / parse_unit(target.unit).factor


def _counted(scenario: Scenario, name: str) -> list[str] | None:
    """Return the events that a measure is a ratio of, or None where it is none."""
    events = {IMPRESSION, *scenario.observation}
    above, _, below = name.partition("_per_")
    if above in events and below in {*events, *_SESSIONS}:
        return [above, *([below] if below in events else [])]
    if name.startswith("mean_") and name.removeprefix("mean_") in events:
        return [name.removeprefix("mean_")]
    of = _of(name)
    ends = plays(scenario)
    if name.endswith("_rate") and ends and of in scenario.platform.labels:
        return [*ends, *scenario.platform.labels[of].events]
    if name.endswith("_rate") and ends and of in events:
        return [*ends, of]
    return None


def _measure(log: Log, scenario: Scenario, name: str) -> float:
    events = log.truth["event"].value_counts()

    def count(event: str) -> float:
        return float(events.get(event, 0))

    above, _, below = name.partition("_per_")
    if below:
        under = {
            "visit": lambda: float(len(log.truth[["user", "session"]].drop_duplicates())),
            "user": lambda: float(log.users),
        }
        n = under[below]() if below in under else count(below)
        return count(above) / n if n else np.nan
    if name.startswith("mean_"):
        return float(log.truth.loc[log.truth["event"] == name.removeprefix("mean_"), "value"].mean())
    of = _of(name)
    n = sum(count(end) for end in plays(scenario))
    label = scenario.platform.labels.get(of)
    hits = count(of) if label is None else float(len(decisions(log.truth, label, log.items)))
    return hits / n if n else np.nan


def _of(rate: str) -> str:
    """Return the event or label of which a measure is the rate per play."""
    name = rate.removesuffix("_rate")
    return _OF_PLAYS.get(name, name)
