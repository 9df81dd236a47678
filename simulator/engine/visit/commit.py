"""Commit: money and time are at stake; the user confirms, gives up, or puts the decision off to a later visit."""

from __future__ import annotations

import numpy as np

from simulator.engine.jit.compile import internal
from simulator.engine.primitives import decision_key, drawn, quantised
from simulator.engine.randomness import mix, uniform
from simulator.engine.tables.tables import NO_CASE, Array, Goods, Output, People, Plan, Visits, What
from simulator.engine.user.beliefs import utility_of
from simulator.engine.user.choice import taken
from simulator.engine.user.satiation import faded
from simulator.engine.user.shown_numbers import EVERYTHING, Numbers, aside_worth
from simulator.engine.visit.basket import pack, read_basket, summed
from simulator.engine.visit.inspect_card import read_closely
from simulator.engine.visit.outcomes import outcome_event
from simulator.engine.visit.variant_orders import extra_units

CONFIRM, ABANDON, DEFER = 0, 1, 2

_W_SECONDS, _W_CONFIRM, _W_DEFER, _W_FORGET = int(What.SECONDS), int(What.CONFIRM), int(What.DEFER), int(What.FORGET)
_W_DEFER_DELAY, _W_BASKET, _W_OFF = int(What.DEFER_DELAY), int(What.BASKET), int(What.OFF_PLATFORM)
_W_COST = int(What.COST)
_ABSENT = np.uint32(NO_CASE)
_COMMITTING = np.uint64(3)
_WEIGHING = 4  # value of `playing` while a decision is open


@internal
def weigh(
    i: int, stage: int, n: int, numbers: Numbers, plan: Plan, people: People, goods: Goods, visits: Visits, out: Output
) -> tuple[int, int]:
    """Weigh one decision: what is visible here is read, it takes its time, and then what it costs counts as well."""
    types, habits = plan.types, plan.habits[0]
    facets, weights = plan.facets, plan.weights
    quantiles, powers = plan.quantiles, plan.powers
    taste, mood = people.taste, people.mood
    items, vectors = goods.facts, goods.vectors
    scratch = out.scratch
    s = plan.stages[stage]
    v = visits.state[i]
    u = people.state[np.int64(v.user)]
    user, item = np.int64(v.user), np.int64(v.item)
    kind, slot = np.int64(items[item].type), np.int64(v.slot)
    own_key = mix(v.decisions, _COMMITTING)
    if v.playing == 0:
        if v.taken > 0:
            read_basket(i, stage, own_key, numbers, plan, people, goods, visits, out)
        else:
            read_closely(i, stage, own_key, numbers, plan, people, goods, visits, out)
            key = mix(v.perceptions, np.uint64(item))
            v.utility = utility_of(
                key, user, item, kind, taste, vectors, facets, weights, types, habits, quantiles, scratch
            ) + aside_worth(key, v.clock, user, item, EVERYTHING, numbers)
        v.played_at = v.clock
        v.clock += quantised(drawn(quantiles, s.seconds, decision_key(own_key, v.request, slot, _W_SECONDS)))
        v.playing = _WEIGHING
        return -1, n
    v.playing = 0
    tired = habits.satiation_weight * faded(u, user, v.clock, mood, habits.first_topic, habits, powers)
    drive = np.float64(v.belief) - s.risk_aversion * np.float64(v.belief_sd)
    drive -= tired * mood[user, habits.first_topic + items[item].topic]
    for k in range(s.n_costs):
        cost = plan.costs[s.first_cost + k]
        if cost.attribute >= 0 and cost.each == 1 and v.taken > 0:
            drive += cost.weight * summed(i, np.int64(cost.attribute), goods, visits)
        elif cost.attribute >= 0:
            drive += cost.weight * np.float64(goods.attributes[item, cost.attribute])
        else:
            drive += cost.weight * drawn(quantiles, cost.amount, decision_key(own_key, v.request, slot, _W_COST + k))
    if taken(drive, s.bar, s.temperature, uniform(decision_key(own_key, v.request, slot, _W_CONFIRM)), powers):
        n = _confirm(i, stage, n, own_key, plan, people, goods, visits, out)
        v.taken = 0
        return CONFIRM, n
    v.taken = 0  # a basket that is left is empty when its user comes back
    if s.defer > 0.0 and uniform(decision_key(own_key, v.request, slot, _W_DEFER)) < s.defer:
        if uniform(decision_key(own_key, v.request, slot, _W_FORGET)) >= s.forgotten:
            wait = quantised(drawn(quantiles, s.defer_delay, decision_key(own_key, v.request, slot, _W_DEFER_DELAY)))
            later = people.later[user, 0]
            later.item = v.item
            later.until = v.clock + wait
            later.stage = stage
            later.seconds = 0.0
        n = outcome_event(v, n, stage, DEFER, np.nan, _ABSENT, plan, out)
        return DEFER, n
    return ABANDON, outcome_event(v, n, stage, ABANDON, v.clock - v.played_at, _ABSENT, plan, out)


@internal
def _confirm(
    i: int,
    stage: int,
    n: int,
    own_key: np.uint64,
    plan: Plan,
    people: People,
    goods: Goods,
    visits: Visits,
    out: Output,
) -> int:
    """A decision is made: its event, and where it starts one, a case, of which the world hears."""
    s = plan.stages[stage]
    v = visits.state[i]
    u = people.state[np.int64(v.user)]
    slot, item = np.int64(v.slot), np.int64(v.item)
    amount = 1
    if s.basket >= 0:
        size = drawn(plan.quantiles, s.basket, decision_key(own_key, v.request, slot, _W_BASKET))
        amount = min(max(np.int64(size + 0.5), 1), np.int64(s.basket_at_most))
    amount = max(amount, np.int64(v.taken))
    paid = np.nan
    if s.pays >= 0 and v.taken > 0:
        paid = np.float64(goods.attributes[item, s.pays])
        if s.pays_each == 1:
            paid = summed(i, np.int64(s.pays), goods, visits)
    elif s.pays >= 0:
        paid = amount * np.float64(goods.attributes[item, s.pays])
    v.case = u.cases
    u.cases += np.uint32(1)
    before = n
    n = outcome_event(v, n, stage, CONFIRM, paid, v.case, plan, out)
    elsewhere = s.off_platform > 0.0 and uniform(decision_key(own_key, v.request, slot, _W_OFF)) < s.off_platform
    if n > before and elsewhere:
        out.records[before].logged_at = np.nan
    if s.starts >= 0:
        _tell(v, out.messages, np.int64(out.n_messages[0]), s.starts, amount, paid, _ABSENT)
        pack(i, out.messages[np.int64(out.n_messages[0])], visits)
        out.n_messages[0] += 1
        first = v.case
        for _ in range(extra_units(v, np.int64(goods.facts[item].type), stage, own_key, plan)):
            v.case = u.cases
            u.cases += np.uint32(1)
            n = outcome_event(v, n, stage, CONFIRM, paid / amount, v.case, plan, out)
            if elsewhere and out.records.shape[0] > 0:
                out.records[n - 1].logged_at = np.nan
            _tell(v, out.messages, np.int64(out.n_messages[0]), s.bracket_starts, 1, paid / amount, first)
            out.n_messages[0] += 1
    return n


@internal
def _tell(v: Array, messages: Array, k: int, stage: int, amount: int, paid: float, parent: np.uint32) -> None:
    m = messages[k]
    m.created = v.clock
    m.user = v.user
    m.item = v.item
    m.case = v.case
    m.parent_case = parent
    m.visit = v.visit
    m.request = v.request
    m.position = v.slot
    m.policy = v.policy
    m.attended = v.attended
    m.propensity = v.propensity
    m.belief = v.belief
    m.belief_sd = v.belief_sd
    m.expected = v.belief
    m.utility = v.utility
    m.paid = paid
    m.amount = amount
    m.stage = stage
    m.device = v.device
