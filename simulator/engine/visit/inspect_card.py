"""A closer reading of one item: what is visible in a stage is attended to, and the belief is made from all cues."""

from __future__ import annotations

import numpy as np

from simulator.engine.jit.compile import internal
from simulator.engine.randomness import mix
from simulator.engine.tables.tables import Tables
from simulator.engine.user.beliefs import attended_to, belief_about
from simulator.engine.user.item_memory import recalled
from simulator.engine.user.shown_numbers import attribute_utility


@internal
def read_closely(i: int, own_key: np.uint64, tables: Tables) -> float:
    """Set what the visit `i` has attended to of its item, and its belief, from all cues again; returns its mean."""
    plan, items, numbers = tables.plan, tables.items, tables.numbers
    v = tables.visits.state[i]
    s, user, item = plan.stages[v.stage], np.int64(v.user), np.int64(v.item)
    seen = np.uint32(plan.screens[s.number, v.device, 0]) & ~items.state[item].missing
    v.attended |= attended_to(
        seen & ~v.muted, v.attended, s.attention * v.mindful, own_key, v.request, np.int64(v.slot), plan.modalities
    )
    key = mix(v.perceptions, np.uint64(item))
    mean, variance = belief_about(key, v.knowing, user, item, v.attended, 1.0, numbers)
    mean, variance = recalled(mean, variance, user, item, v.attended, v.clock, numbers)
    if plan.attribute_effects.shape[0] > 0:
        mean += attribute_utility(key, v.clock, user, item, np.uint32(v.attended), numbers)
    v.belief = mean
    v.belief_sd = np.sqrt(variance)
    return mean
