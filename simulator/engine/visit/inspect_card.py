"""A closer reading of one item: what is visible in a stage is attended to, and the belief is made from all cues."""

from __future__ import annotations

import numpy as np

from simulator.engine.jit.compile import internal
from simulator.engine.primitives import drawn
from simulator.engine.randomness import mix
from simulator.engine.tables.tables import Goods, Output, People, Plan, Visits
from simulator.engine.user.beliefs import attended_to, belief_about
from simulator.engine.user.item_memory import known_again, recalled
from simulator.engine.user.shown_numbers import Numbers, aside_worth


@internal
def read_closely(
    i: int, stage: int, own_key: np.uint64, numbers: Numbers, plan: Plan, people: People, goods: Goods, visits: Visits,
    out: Output,
) -> float:  # fmt: skip
    """Set what the visit `i` has attended to of its item, and its belief, from all cues again; returns its mean."""
    modalities, types = plan.modalities, plan.types
    s, v = plan.stages[stage], visits.state[i]
    user, item = np.int64(v.user), np.int64(v.item)
    kind = np.int64(goods.facts[item].type)
    seen = np.uint32(plan.screens[s.number, v.device, 0]) & ~goods.facts[item].missing
    v.attended |= attended_to(
        seen & ~v.muted, v.attended, s.attention * v.mindful, own_key, v.request, np.int64(v.slot), modalities
    )
    knowledge = drawn(plan.quantiles, types[kind].knowledge, mix(v.knowing, np.uint64(kind)))
    key = mix(v.perceptions, np.uint64(item))
    mean, variance = belief_about(
        key, user, item, kind, v.attended, 1.0, knowledge, people.taste, goods.vectors, goods.colour, people.mood,
        goods.readouts, plan.pairs, modalities, plan.facets, plan.weights, types, plan.habits[0], plan.quantiles,
        out.scratch,
    )  # fmt: skip
    if people.known.shape[1] > 0 and v.attended & types[kind].known_by != 0 and types[kind].known > 0.0:
        subject = known_again(item, np.int64(goods.facts[item].creator), types[kind])
        mean, variance = recalled(mean, variance, people.known, user, subject, v.clock, types[kind], plan.powers)
    if plan.asides.shape[0] > 0:
        mean += aside_worth(key, v.clock, user, item, np.uint32(v.attended), numbers)
    v.belief = mean
    v.belief_sd = np.sqrt(variance)
    return mean
