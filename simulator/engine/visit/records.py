"""How an event becomes a row: what the world knows, and whether and when the platform gets a record of it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from simulator.engine.jit.compile import internal, kernel
from simulator.engine.primitives import decision_key, quantised
from simulator.engine.randomness import mix, table_index, uniform
from simulator.engine.tables.tables import NO_CASE, Array

_LAG_KEY = np.uint64(1)
_ABSENT = np.uint32(NO_CASE)
NAN = np.float32(np.nan)


@kernel
def arrival(
    time: float,
    event: int,
    key: np.uint64,
    observation: Array,
    quantiles: npt.NDArray[np.float32],
) -> float:
    """When the platform's record of an event arrives, s; NaN if there is never one (the observation model)."""
    if observation[event].probability <= 0.0 or uniform(key) >= observation[event].probability:
        return np.nan
    return time + quantised(np.float64(quantiles[observation[event].lag, table_index(mix(key, _LAG_KEY))]))


@internal
def record(
    records: Array,
    n: int,
    visit: Array,
    time: float,
    event: int,
    item: int,
    case: np.uint32,
    position: int,
    stage: int,
    surface: int,
    value: float,
    propensity: float,
    belief: float,
    belief_sd: float,
    utility: float,
    satisfaction: float,
    visible: np.uint32,
    attended: np.uint32,
    observation: Array,
    quantiles: npt.NDArray[np.float32],
) -> int:
    """Write one row of the truth log at `records[n]`; returns n + 1. NaN is what does not apply."""
    row = records[n]
    row.time = time
    key = decision_key(visit.observations, visit.request, position, event)
    row.logged_at = arrival(time, event, key, observation, quantiles)
    row.user = visit.user
    row.session = visit.visit
    row.request = visit.request
    row.item = item
    row.case = case
    row.parent_case = _ABSENT
    row.value = value
    row.propensity = propensity
    row.belief = belief
    row.belief_sd = belief_sd
    row.utility = utility
    row.satisfaction = satisfaction
    row.visible = visible
    row.attended = attended
    row.position = position
    row.policy_version = visit.policy
    row.surface = surface
    row.device = visit.device
    row.stage = stage
    row.event = event
    return n + 1
