"""Browse: the next of a feed that plays by itself, or a screen of cards that are examined and compared."""

from __future__ import annotations

import numpy as np

from simulator.engine.jit.compile import inlined, internal
from simulator.engine.jit.simd import fetch_ahead
from simulator.engine.primitives import decision_key, drawn, quantised
from simulator.engine.randomness import mix, uniform
from simulator.engine.tables.codes import SharedEvent
from simulator.engine.tables.tables import RANKS, Array, CardColumn, Draw, Layout, Plan, Tables, Tally
from simulator.engine.user.beliefs import attended_to, belief_about, utility_of
from simulator.engine.user.choice import compared, taken
from simulator.engine.user.item_memory import recalled
from simulator.engine.user.repetition import remember
from simulator.engine.user.satiation import faded
from simulator.engine.user.shown_numbers import EVERYTHING, attribute_utility
from simulator.engine.visit.intents import demanded
from simulator.engine.visit.records import is_recorded, record_card

SELECT, EXHAUSTED, LEAVE = 0, 1, 2


@inlined
def next_in_feed(i: int, v: Array, tables: Tables) -> int:
    """Start the next video of the slate by itself: nothing of it was visible, so there is nothing to judge."""
    slate, items = tables.visits.slate, tables.items
    v.item = np.uint32(slate[i, v.position].item)
    v.propensity = slate[i, v.position].propensity
    v.slot = v.position
    v.position += np.uint32(1)
    if v.position < v.slate_n:
        fetch_ahead(items.state, slate[i, v.position].item)
        fetch_ahead(items.vectors, slate[i, v.position].item)
        fetch_ahead(items.bias_appeal, slate[i, v.position].item)
        fetch_ahead(tables.out.counters, slate[i, v.position].item)
    v.attended = np.uint32(0)
    v.picked = 0
    return SELECT


@inlined
def skimmed(k: int, rank: int, s: Array, plan: Plan) -> float:
    """Return the probability of looking at the card at place `k` of a screen, and `rank` of its list, both from 0."""
    place = rank if s.over_list == 1 else k
    return plan.skim[s.number, min(place, RANKS - 1)]


@inlined
def judged(
    k: int, item: int, slot: int, skim: float, decisions: np.uint64, tired: float, v: Array, tables: Tables
) -> bool:
    """Look at a card, perhaps read it, and judge what was read: fills row `k` of the scratch table.

    Args:
        k: place on the screen.
        item: what the card shows.
        slot: place in the slate, by which the luck of this card is known.
        skim: probability of looking at it.
        decisions: key of that luck.
        tired: what satiation takes off per unit.
        v: the visit.
        tables: whose scratch table is filled.

    Returns:
        Whether it was read.
    """
    plan, users, items, numbers, scratch = tables.plan, tables.users, tables.items, tables.numbers, tables.out.scratch
    s, modalities, attribute_effects = plan.stages[v.stage], plan.modalities, plan.attribute_effects.shape[0] > 0
    user = np.int64(v.user)
    key = mix(v.perceptions, np.uint64(item))
    scratch[k, CardColumn.UTILITY] = utility_of(key, user, item, numbers)
    if attribute_effects:
        scratch[k, CardColumn.UTILITY] += attribute_utility(key, v.clock, user, item, EVERYTHING, numbers)
    scratch[k, CardColumn.EXAMINED] = 0.0
    scratch[k, CardColumn.ATTENDED] = 0.0
    scratch[k, CardColumn.BELIEF] = np.nan
    scratch[k, CardColumn.BELIEF_SD] = np.nan
    if uniform(decision_key(decisions, v.request, slot, Draw.SKIM)) >= skim:
        return False
    if uniform(decision_key(decisions, v.request, slot, Draw.READ)) >= s.read:
        return False
    seen = np.uint32(plan.screens[s.number, v.device, 0]) & ~items.state[item].missing
    attended = attended_to(
        seen & ~v.muted, np.uint32(0), s.attention * v.mindful, decisions, v.request, slot, modalities
    )
    mean, variance = belief_about(key, v.knowing, user, item, attended, 1.0, numbers)
    mean, variance = recalled(mean, variance, user, item, attended, v.clock, numbers)
    if attribute_effects:
        mean += attribute_utility(key, v.clock, user, item, attended, numbers)
    sd = np.sqrt(variance)
    attraction = mean - s.risk_aversion * sd
    attraction -= tired * users.satiation_trust[user, plan.user_params[0].first_topic + items.state[item].topic]
    for m in range(modalities.shape[0]):
        if (attended >> np.uint32(m)) & np.uint32(1):
            attraction += items.bias_appeal[item, modalities.shape[0] + m]
    scratch[k, CardColumn.EXAMINED] = 1.0
    scratch[k, CardColumn.ATTENDED] = np.float64(attended)
    scratch[k, CardColumn.BELIEF] = mean
    scratch[k, CardColumn.BELIEF_SD] = sd
    scratch[k, CardColumn.ATTRACTION] = attraction
    return True


@inlined
def screen_of_cards(i: int, n: int, tables: Tables) -> tuple[int, int]:
    """Go through one screen: each card is looked at or not, then read or not; what was read is judged and chosen from.

    A grid compares the cards with each other and with scrolling on; a list is a cascade from the top.
    Returns the outcome (-1: the next screen), and how many records there are.
    """
    plan, vectors, slate = tables.plan, tables.items.vectors, tables.visits.slate
    quantiles, exp_log_tables, user_params, scratch = (
        plan.quantiles,
        plan.exp_log_tables,
        plan.user_params[0],
        tables.out.scratch,
    )
    v = tables.visits.state[i]
    s, user, u = plan.stages[v.stage], np.int64(v.user), tables.users.state[np.int64(v.user)]
    first = np.int64(v.position)
    size = min(plan.screens[s.number, v.device, 1], np.int64(v.slate_n) - first)
    cascade, bar = s.layout == Layout.LIST, demanded(v, s.number, plan)
    tired = user_params.satiation_weight * faded(
        u, user, v.clock, tables.users.satiation_trust, user_params.first_topic, user_params, exp_log_tables
    )
    chosen = -1
    looked = size
    leaves = _looks_and_leaves(first, s, v)
    for k in range(size):
        fetch_ahead(vectors, slate[i, first + k].item)
    for k in range(size):
        slot = first + k
        item = np.int64(slate[i, slot].item)
        skim = 0.0 if leaves else skimmed(k, np.int64(v.above) + slot, s, plan)
        if judged(k, item, slot, skim, v.decisions, tired, v, tables):
            tables.out.tallies[Tally.EXAMINED] += 1
            if _suffices(k, slot, v, tables):
                # the card alone gave what was wanted: no choice, and nobody sees it
                scratch[k, CardColumn.EXAMINED] = 0.0
                n = card_suffices(v, u, n, item, slot, k, tables)
                continue
            if cascade:
                draw = uniform(decision_key(v.decisions, v.request, slot, Draw.CHOICE))
                if taken(scratch[k, CardColumn.ATTRACTION], bar, s.temperature, draw, exp_log_tables):
                    chosen = k
                    looked = k + 1
                    break
    if not cascade:
        draw = uniform(decision_key(v.decisions, v.request, first, Draw.CHOICE))
        chosen = compared(scratch, size, bar, s.temperature, draw, exp_log_tables)
    n = impressions(i, first, looked, n, tables)
    seconds = s.look_seconds if leaves else s.seconds
    v.clock += quantised(drawn(quantiles, seconds, decision_key(v.decisions, v.request, first, Draw.SECONDS)))
    v.position += np.uint32(looked)
    v.slot = first
    if leaves:
        return LEAVE, n
    if chosen >= 0:
        v.slot = first + chosen
        v.item = np.uint32(slate[i, v.slot].item)
        v.propensity = slate[i, v.slot].propensity
        pick(v, chosen, tables)
        return SELECT, n
    if uniform(decision_key(v.decisions, v.request, first, Draw.CONTINUE)) >= s.carries_on:
        return LEAVE, n
    return -1, n


@inlined
def _looks_and_leaves(first: int, s: Array, v: Array) -> bool:
    """Return whether the visit `v` is but a look at its first screen, which begins at the place `first` of a slate."""
    if s.look_and_leave == 0.0 or v.request != 1 or first > 0:
        return False
    return uniform(decision_key(v.decisions, v.request, 0, Draw.LOOK_AND_LEAVE)) < s.look_and_leave


@inlined
def _suffices(k: int, slot: int, v: Array, tables: Tables) -> bool:
    """Return whether what was read of the card at place `k` of the screen gives all that its reader wants."""
    enough = tables.plan.suffices[v.stage]
    if enough.event < 0 or not np.uint32(tables.out.scratch[k, CardColumn.ATTENDED]) >> np.uint32(enough.modality) & 1:
        return False
    return uniform(decision_key(v.decisions, v.request, slot, Draw.SUFFICES)) < enough.probability


@internal
def card_suffices(v: Array, u: Array, n: int, item: int, slot: int, k: int, tables: Tables) -> int:
    """Give part of the item's worth, and goodwill with it, for a headline that says it all. Returns how many records.

    The card is at place `k` of the screen.
    """
    plan, out, history = tables.plan, tables.out, tables.users.parent_history
    enough, user_params = plan.suffices[v.stage], plan.user_params[0]
    gained = enough.value * out.scratch[k, CardColumn.UTILITY]
    u.goodwill += user_params.goodwill_gain * max(gained, 0.0) + user_params.goodwill_loss * min(gained, 0.0)
    kind = plan.types[tables.items.state[item].type]
    if history.shape[1] > 0 and kind.kind >= 0:
        parent = np.int64(tables.items.parent[item])
        remember(history, np.int64(v.user), parent, v.clock, enough.value, kind.memory, plan.exp_log_tables)
    out.tallies[Tally.EVENT + enough.event] += 1
    if is_recorded(np.int64(enough.event), out):
        row = out.records[n]
        n = record_card(n, v, np.int64(enough.event), item, slot, k, tables)
        row.value = gained
        row.satisfaction = gained
        row.visible = np.uint32(plan.screens[v.stage, v.device, 0])
    return n


@inlined
def impressions(i: int, first: int, looked: int, n: int, tables: Tables) -> int:
    """Count and record the cards of a screen that were there to be seen. Returns how many records there are."""
    v, slate, out = tables.visits.state[i], tables.visits.slate, tables.out
    tallies, counters, scratch = out.tallies, out.counters, out.scratch
    recorded = is_recorded(SharedEvent.IMPRESSION, out)
    for k in range(looked):
        item = np.int64(slate[i, first + k].item)
        tallies[Tally.IMPRESSIONS] += 1
        tallies[Tally.EVENT + SharedEvent.IMPRESSION] += 1
        counters[item, 0] += 1
        worth = scratch[k, CardColumn.UTILITY]
        v.best = worth if v.shown == 0 else max(v.best, worth)
        v.total += worth
        v.shown += np.uint32(1)
        if recorded:
            n = record_card(n, v, SharedEvent.IMPRESSION, item, first + k, k, tables)
            out.records[n - 1].propensity = slate[i, first + k].propensity
    return n


@inlined
def pick(v: Array, k: int, tables: Tables) -> None:
    """Let the visit `v` go on with its item, picked from cards, as what was made of place `k` of the screen."""
    scratch = tables.out.scratch
    v.seed = v.item
    v.attended = np.uint32(scratch[k, CardColumn.ATTENDED])
    v.belief = scratch[k, CardColumn.BELIEF]
    v.belief_sd = scratch[k, CardColumn.BELIEF_SD]
    v.utility = scratch[k, CardColumn.UTILITY]
    v.picked = 1
