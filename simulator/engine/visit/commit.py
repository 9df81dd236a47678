"""Commit: money and time are at stake; the user confirms, gives up, or puts the decision off to a later visit."""

from __future__ import annotations

import numpy as np

from simulator.engine.jit.compile import internal
from simulator.engine.primitives import decision_key, drawn, quantised
from simulator.engine.randomness import mix, uniform
from simulator.engine.tables.tables import NO_CASE, Array, Draw, Tables
from simulator.engine.user.beliefs import utility_of
from simulator.engine.user.choice import taken
from simulator.engine.user.satiation import faded
from simulator.engine.user.shown_numbers import EVERYTHING, attribute_utility
from simulator.engine.visit.basket import pack, read_basket, summed
from simulator.engine.visit.inspect_card import read_closely
from simulator.engine.visit.intents import demanded
from simulator.engine.visit.outcomes import outcome_event
from simulator.engine.visit.picks import hold
from simulator.engine.visit.variant_orders import extra_units

CONFIRM, ABANDON, DEFER = 0, 1, 2

_ABSENT = np.uint32(NO_CASE)
_COMMITTING = np.uint64(3)
_WEIGHING = 4  # value of `playing` while a decision is open


@internal
def weigh(i: int, n: int, tables: Tables) -> tuple[int, int]:
    """Weigh one decision: what is visible here is read, it takes its time, and then what it costs counts as well."""
    plan, users, items, numbers = tables.plan, tables.users, tables.items, tables.numbers
    user_params, quantiles, exp_log_tables = plan.user_params[0], plan.quantiles, plan.exp_log_tables
    satiation_trust = users.satiation_trust
    v = tables.visits.state[i]
    s, user, item, slot = plan.stages[v.stage], np.int64(v.user), np.int64(v.item), np.int64(v.slot)
    u = users.state[user]
    own_key = mix(v.decisions, _COMMITTING)
    if v.playing == 0:
        if v.taken > 0:
            read_basket(i, own_key, tables)
        else:
            read_closely(i, own_key, tables)
            key = mix(v.perceptions, np.uint64(item))
            v.utility = utility_of(key, user, item, numbers) + attribute_utility(
                key, v.clock, user, item, EVERYTHING, numbers
            )
        v.played_at = v.clock
        v.clock += quantised(drawn(quantiles, s.seconds, decision_key(own_key, v.request, slot, Draw.SECONDS)))
        v.playing = _WEIGHING
        return -1, n
    v.playing = 0
    tired = user_params.satiation_weight * faded(
        u, user, v.clock, satiation_trust, user_params.first_topic, user_params, exp_log_tables
    )
    drive = np.float64(v.belief) - s.risk_aversion * np.float64(v.belief_sd)
    drive -= tired * satiation_trust[user, user_params.first_topic + items.state[item].topic]
    for k in range(s.n_costs):
        cost = plan.costs[s.first_cost + k]
        if cost.attribute >= 0 and cost.each == 1 and v.taken > 0:
            drive += cost.weight * summed(i, np.int64(cost.attribute), tables)
        elif cost.attribute >= 0:
            drive += cost.weight * np.float64(items.attributes[item, cost.attribute])
        else:
            drive += cost.weight * drawn(quantiles, cost.amount, decision_key(own_key, v.request, slot, Draw.COST + k))
    if taken(
        drive,
        demanded(v, s.number, plan),
        s.temperature,
        uniform(decision_key(own_key, v.request, slot, Draw.CONFIRM)),
        exp_log_tables,
    ):
        if v.taken > 0 and v.slate_stage < plan.stages.shape[0] and plan.stages[v.slate_stage].picks >= 0:
            n = _confirm_each(i, n, own_key, tables)
        else:
            n = _confirm(i, n, own_key, tables)
        v.taken = 0
        return CONFIRM, n
    v.taken = 0  # a basket that is left is empty when its user comes back
    if s.defer > 0.0 and uniform(decision_key(own_key, v.request, slot, Draw.DEFER)) < s.defer:
        if uniform(decision_key(own_key, v.request, slot, Draw.FORGET)) >= s.forgotten:
            wait = quantised(drawn(quantiles, s.defer_delay, decision_key(own_key, v.request, slot, Draw.DEFER_DELAY)))
            deferred = users.deferred[user, 0]
            deferred.item = v.item
            deferred.until = v.clock + wait
            deferred.stage = v.stage
            deferred.seconds = 0.0
        n = outcome_event(v, n, DEFER, np.nan, _ABSENT, tables)
        return DEFER, n
    return ABANDON, outcome_event(v, n, ABANDON, v.clock - v.played_at, _ABSENT, tables)


@internal
def _confirm(i: int, n: int, own_key: np.uint64, tables: Tables) -> int:
    """Make a decision: its event, and where it starts one, a case, of which the world hears."""
    plan, items, visits, out = tables.plan, tables.items, tables.visits, tables.out
    v = visits.state[i]
    s, u = plan.stages[v.stage], tables.users.state[np.int64(v.user)]
    slot, item = np.int64(v.slot), np.int64(v.item)
    amount = 1
    if s.basket >= 0:
        size = drawn(plan.quantiles, s.basket, decision_key(own_key, v.request, slot, Draw.BASKET))
        amount = min(max(np.int64(size + 0.5), 1), np.int64(s.basket_at_most))
    amount = max(amount, np.int64(v.taken))
    paid = np.nan
    if s.pays >= 0 and v.taken > 0:
        paid = np.float64(items.attributes[item, s.pays])
        if s.pays_each == 1:
            paid = summed(i, np.int64(s.pays), tables)
    elif s.pays >= 0:
        paid = amount * np.float64(items.attributes[item, s.pays])
    v.case = u.cases
    u.cases += np.uint32(1)
    before = n
    n = outcome_event(v, n, CONFIRM, paid, v.case, tables)
    draw = uniform(decision_key(own_key, v.request, slot, Draw.OFF_PLATFORM))
    elsewhere = draw < s.off_platform
    if n > before and elsewhere:
        out.records[before].logged_at = np.nan
    if s.starts >= 0:
        _tell(v, out.messages, np.int64(out.n_messages[0]), s.starts, amount, paid, _ABSENT)
        pack(i, out.messages[np.int64(out.n_messages[0])], visits)
        out.n_messages[0] += 1
        first = v.case
        for _ in range(extra_units(v, np.int64(items.state[item].type), np.int64(v.stage), own_key, plan)):
            v.case = u.cases
            u.cases += np.uint32(1)
            before = n
            n = outcome_event(v, n, CONFIRM, paid / amount, v.case, tables)
            if n > before and elsewhere:
                out.records[before].logged_at = np.nan
            _tell(v, out.messages, np.int64(out.n_messages[0]), s.bracket_starts, 1, paid / amount, first)
            out.n_messages[0] += 1
    return n


@internal
def _confirm_each(i: int, n: int, own_key: np.uint64, tables: Tables) -> int:
    """Make the decision on picks from a slate: each is a case of its own, with the first as its parent case."""
    plan, visits, out = tables.plan, tables.visits, tables.out
    v, cards = visits.state[i], visits.menu
    s, u = plan.stages[v.stage], tables.users.state[np.int64(v.user)]
    draw = uniform(decision_key(own_key, v.request, np.int64(v.slot), Draw.OFF_PLATFORM))
    elsewhere = draw < s.off_platform
    first = _ABSENT
    for k in range(np.int64(v.menu_n)):
        if cards[i, k].taken != 1:
            continue
        hold(i, k, tables)
        paid = np.nan
        if s.pays >= 0:
            paid = np.float64(tables.items.attributes[np.int64(v.item), s.pays])
        v.case = u.cases
        u.cases += np.uint32(1)
        before = n
        n = outcome_event(v, n, CONFIRM, paid, v.case, tables)
        if n > before:
            out.records[before].parent_case = first
            if elsewhere:
                out.records[before].logged_at = np.nan
        if s.starts >= 0:
            _tell(v, out.messages, np.int64(out.n_messages[0]), s.starts, 1, paid, first)
            out.n_messages[0] += 1
        if first == _ABSENT:
            first = v.case
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
    m.picks = 0
    m.stage = stage
    m.device = v.device
