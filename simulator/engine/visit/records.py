"""How an event becomes a row: what the world knows, and whether and when the platform gets a record of it.

A row is written from the visit at whose clock it happens. What does not apply is NaN.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from simulator.engine.jit.compile import inlined, internal, kernel
from simulator.engine.primitives import decision_key, quantised
from simulator.engine.randomness import mix, table_index, uniform
from simulator.engine.tables.tables import NO_CASE, Array, CardColumn, Output, Tables

_LAG_KEY = np.uint64(1)
_ABSENT = np.uint32(NO_CASE)
NAN = np.float32(np.nan)
EXIT = 255
"""In place of a stage: the visit is over; in rows of a visit itself in place of its stage and surface."""

_NO_POSITION = 0xFFFF


@kernel
def arrival(
    time: float,
    event: int,
    key: np.uint64,
    observation: Array,
    quantiles: npt.NDArray[np.float32],
) -> float:
    """Return when the platform's record of an event arrives, s; NaN if there is never one (the observation model)."""
    if observation[event].probability <= 0.0 or uniform(key) >= observation[event].probability:
        return np.nan
    return time + quantised(np.float64(quantiles[observation[event].lag, table_index(mix(key, _LAG_KEY))]))


@inlined
def is_recorded(event: int, out: Output) -> bool:
    """Return whether an event becomes a row: somebody keeps records, and reads those of this event."""
    return out.records.shape[0] > 0 and out.wanted[event] == 1


@internal
def record(n: int, v: Array, event: int, value: float, seen: np.uint32, tables: Tables) -> int:
    """Write what happens to the item at hand of the visit `v`, of which `seen` is shown; returns n + 1."""
    _begin(n, v, event, np.int64(v.item), np.int64(v.slot), value, tables)
    row = tables.out.records[n]
    row.propensity = v.propensity
    row.belief = v.belief
    row.belief_sd = v.belief_sd
    row.utility = v.utility
    row.visible = seen
    row.attended = v.attended
    row.surface = tables.plan.stages[v.stage].surface
    row.stage = v.stage
    return n + 1


@internal
def record_play(
    n: int, v: Array, event: int, value: float, satisfaction: float, seen: np.uint32, tables: Tables
) -> int:
    """Write what happens to the case at hand of the visit `v`, as `record` does; returns n + 1."""
    row = tables.out.records[n]
    n = record(n, v, event, value, seen, tables)
    row.case = v.case
    row.satisfaction = satisfaction
    return n


@internal
def record_card(n: int, v: Array, event: int, item: int, slot: int, k: int, tables: Tables) -> int:
    """Write what happens to the card of an item, place `k` of the screen and `slot` of what it is from; returns n + 1.

    Its propensity is left to the caller.
    """
    _begin(n, v, event, item, slot, np.nan, tables)
    row, scratch = tables.out.records[n], tables.out.scratch
    row.propensity = np.nan
    row.belief = scratch[k, CardColumn.BELIEF]
    row.belief_sd = scratch[k, CardColumn.BELIEF_SD]
    row.utility = scratch[k, CardColumn.UTILITY]
    row.visible = np.uint32(tables.plan.screens[v.stage, v.device, 0]) & ~tables.items.state[item].missing
    row.attended = np.uint32(scratch[k, CardColumn.ATTENDED])
    row.surface = tables.plan.stages[v.stage].surface
    row.stage = v.stage
    return n + 1


@internal
def record_visit(n: int, v: Array, event: int, value: float, tables: Tables) -> int:
    """Write what happens to the visit `v` and concerns no item; returns n + 1."""
    _begin(n, v, event, NO_CASE, _NO_POSITION, value, tables)
    row = tables.out.records[n]
    row.propensity = np.nan
    row.belief = np.nan
    row.belief_sd = np.nan
    row.utility = np.nan
    row.visible = np.uint32(0)
    row.attended = np.uint32(0)
    row.surface = EXIT
    row.stage = EXIT
    return n + 1


@internal
def _begin(n: int, v: Array, event: int, item: int, position: int, value: float, tables: Tables) -> None:
    """Write of a row whose it is, when it happened, and when the platform hears of it; no case, and no verdict."""
    row = tables.out.records[n]
    row.time = v.clock
    key = decision_key(v.observations, v.request, position, event)
    row.logged_at = arrival(v.clock, event, key, tables.plan.observation, tables.plan.quantiles)
    row.user = v.user
    row.session = v.visit
    row.request = v.request
    row.item = item
    row.case = _ABSENT
    row.parent_case = _ABSENT
    row.value = value
    row.satisfaction = np.nan
    row.position = position
    row.policy_version = v.policy
    row.device = v.device
    row.event = event
