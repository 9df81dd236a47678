"""What an outcome of a stage leaves behind: the event that the life cycle's table names for it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from simulator.engine.jit.compile import inlined, internal
from simulator.engine.primitives import decision_key
from simulator.engine.randomness import uniform
from simulator.engine.tables.tables import NO_CASE, Array, Draw, Tables, Tally
from simulator.engine.user.return_and_churn import successor
from simulator.engine.visit.records import EXIT, is_recorded, record

VALUE_UNITS = 1024.0
"""Values that are added up are kept as integers of 1/1024, so that no order of adding matters."""

_NO_ITEM = np.uint32(NO_CASE)


@internal
def outcome_event(v: Array, n: int, outcome: int, value: float, case: np.uint32, tables: Tables) -> int:
    """Count and record the event of an outcome of the visit `v`, if its table names one. Returns how many records."""
    plan, out = tables.plan, tables.out
    event = np.int64(plan.events[v.stage, outcome])
    if event < 0:
        return n
    out.tallies[Tally.EVENT + event] += 1
    for label in range(plan.labels.shape[0]):
        wanted = (plan.labels[label].events >> event) & 1
        out.tallies[Tally.LABEL + label] += wanted & np.int64(not value < plan.labels[label].at_least)
    if plan.counted[event, 0] >= 0 and v.item != _NO_ITEM:
        out.counters[np.int64(v.item), plan.counted[event, 0]] += 1
    if value == value:
        worth = np.int64(value * VALUE_UNITS)
        out.tallies[Tally.VALUE + event] += worth
        if plan.counted[event, 1] >= 0 and v.item != _NO_ITEM:
            out.counters[np.int64(v.item), plan.counted[event, 1]] += worth
    if is_recorded(event, out):
        n = record(n, v, event, value, np.uint32(plan.screens[v.stage, v.device, 0]), tables)
        out.records[n - 1].case = case
    return n


@inlined
def follow(
    v: Array, stage: int, outcome: int, shares: npt.NDArray[np.float64], alternatives: npt.NDArray[np.int32]
) -> None:
    """Let the visit `v` go on to the stage that follows an outcome, or to its end."""
    draw = 0.0
    if shares[stage, outcome, 0] < 1.0:
        draw = uniform(decision_key(v.decisions, v.request, v.slot, Draw.SUCCESSOR))
    following = successor(stage, outcome, draw, shares, alternatives)
    v.stage = EXIT if following < 0 else following
