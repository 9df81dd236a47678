"""What becomes known of a case: its events as rows of the logs, as counts, and in the counters of its item."""

from __future__ import annotations

import numpy as np

from simulator.engine.jit.compile import internal
from simulator.engine.randomness import mix
from simulator.engine.tables.case_tables import Count, Luck, Tables, World, WorldPlan
from simulator.engine.tables.tables import Output, Tally
from simulator.engine.visit.outcomes import VALUE_UNITS
from simulator.engine.visit.records import arrival

_EVENT, _LABEL, _VALUE = int(Tally.EVENT), int(Tally.LABEL), int(Tally.VALUE)
_RECORDS = int(Count.RECORDS)
_L_RECORD = np.uint64(int(Luck.RECORD))


@internal
def happened(
    tables: Tables, shared: WorldPlan, world: World, out: Output, slot: int, time: float, event: int, value: float
) -> None:
    """One event of a case: counted, and recorded where records are kept."""
    c = world.cases[slot]
    item = np.int64(c.item)
    out.tallies[_EVENT + event] += 1
    for label in range(tables.labels.shape[0]):
        wanted = (tables.labels[label].events >> event) & 1
        out.tallies[_LABEL + label] += wanted & np.int64(not value < tables.labels[label].at_least)
    if tables.counted[event, 0] >= 0:
        out.counters[item, tables.counted[event, 0]] += 1
    if value == value:
        worth = np.int64(value * VALUE_UNITS)
        out.tallies[_VALUE + event] += worth
        if tables.counted[event, 1] >= 0:
            out.counters[item, tables.counted[event, 1]] += worth
    if out.records.shape[0] == 0:
        return
    n = world.counts[_RECORDS]
    world.counts[_RECORDS] = n + 1
    row = out.records[n]
    surface = np.int64(shared.stages[c.stage].surface)
    row.time = time
    key = mix(mix(mix(c.key, np.uint64(c.stage)), _L_RECORD), np.uint64(event))
    row.logged_at = arrival(time, event, key, tables.observation, tables.quantiles)
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
    row.visible = np.uint32(tables.screens[c.stage, c.device, 0]) if surface != 255 else np.uint32(0)
    row.attended = np.uint32(0)
    row.position = c.position
    row.policy_version = c.policy
    row.surface = surface
    row.device = c.device
    row.stage = c.stage
    row.event = event
