"""Bracketing: some users order variants of an item to choose from, and mean to keep one."""

from __future__ import annotations

import numpy as np

from simulator.engine.jit.compile import internal
from simulator.engine.primitives import decision_key, drawn
from simulator.engine.randomness import mix, uniform
from simulator.engine.tables.tables import Array, Draw, Plan

_HABIT_KEY = 1 << 25  # below a user, beside items


@internal
def extra_units(v: Array, kind: int, stage: int, own_key: np.uint64, plan: Plan) -> int:
    """Return the units of an item of this type that are ordered beside the first; who does so always does so."""
    s = plan.stages[stage]
    if (s.bracket_types >> np.uint64(kind)) & np.uint64(1) == 0:
        return 0
    if uniform(mix(v.perceptions, np.uint64(_HABIT_KEY + stage))) >= s.bracket_users:
        return 0
    units = drawn(plan.quantiles, s.bracket_extra, decision_key(own_key, v.request, np.int64(v.slot), Draw.BRACKET))
    return min(max(np.int64(units + 0.5), 0), np.int64(s.bracket_at_most))
