"""What becomes known of a case: its events as rows of the logs, as counts, and in the counters of its item."""

from __future__ import annotations

import numpy as np

from simulator.engine.jit.compile import internal
from simulator.engine.randomness import mix
from simulator.engine.tables.case_tables import CaseDraw, CaseTables, Count
from simulator.engine.tables.tables import Tally
from simulator.engine.visit.outcomes import VALUE_UNITS
from simulator.engine.visit.records import arrival, is_recorded


@internal
def happened(tables: CaseTables, slot: int, time: float, event: int, value: float) -> None:
    """Count one event of a case, and record it where records are kept."""
    plan, out = tables.plan, tables.out
    c, counts = tables.state.cases[slot], tables.state.counts
    labels, counted, tallies = plan.labels, plan.counted, out.tallies
    item = np.int64(c.item)
    tallies[Tally.EVENT + event] += 1
    for label in range(labels.shape[0]):
        wanted = (labels[label].events >> event) & 1
        tallies[Tally.LABEL + label] += wanted & np.int64(not value < labels[label].at_least)
    if counted[event, 0] >= 0:
        out.counters[item, counted[event, 0]] += 1
    if value == value:
        worth = np.int64(value * VALUE_UNITS)
        tallies[Tally.VALUE + event] += worth
        if counted[event, 1] >= 0:
            out.counters[item, counted[event, 1]] += worth
    if not is_recorded(event, out):
        return
    n = counts[Count.RECORDS]
    counts[Count.RECORDS] = n + 1
    row = out.records[n]
    surface = np.int64(tables.shared.stages[c.stage].surface)
    row.time = time
    key = mix(mix(mix(c.key, np.uint64(c.stage)), np.uint64(CaseDraw.RECORD)), np.uint64(event))
    row.logged_at = arrival(time, event, key, plan.observation, plan.quantiles)
    row.user = c.user
    row.session = c.visit
    row.request = c.request
    row.item = c.item
    row.case = c.case
    row.parent_case = c.parent_case
    row.value = value
    row.propensity = c.propensity
    row.belief = c.belief
    row.belief_sd = c.belief_sd
    row.utility = c.utility
    row.satisfaction = c.satisfaction
    row.visible = np.uint32(plan.screens[c.stage, c.device, 0]) if surface != 255 else np.uint32(0)
    row.attended = np.uint32(0)
    row.position = c.position
    row.policy_version = c.policy
    row.surface = surface
    row.device = c.device
    row.stage = c.stage
    row.event = event
