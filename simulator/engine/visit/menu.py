"""A menu: the children of a parent that was chosen before, on sale now, from which a user takes one or several.

Nobody recommends here. What a menu shows, and in which order, is what the platform has published at the tick; the
visit keeps the cards that it was handed, so that a new tick changes nothing on an open screen. Its cards are not those
of a slate: they carry the request that led to the parent, a propensity of 1, and an event of their own.

A queue is a menu of what a slate still has to come. Its cards carry their propensity and their places in the slate.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from simulator.engine.jit.compile import inlined, internal
from simulator.engine.primitives import decision_key, drawn, quantised
from simulator.engine.randomness import mix, uniform
from simulator.engine.tables.tables import (
    BY_CREATOR,
    MOST_PICKS,
    VISIT_MEMORY,
    Array,
    CardColumn,
    Draw,
    Items,
    Layout,
    Plan,
    Tables,
    Tally,
    Visits,
)
from simulator.engine.user.choice import compared, taken
from simulator.engine.user.satiation import faded
from simulator.engine.visit.browse import EXHAUSTED, LEAVE, SELECT, judged, pick, skimmed
from simulator.engine.visit.intents import demanded
from simulator.engine.visit.records import is_recorded, record_card

_ON_A_MENU, _IN_A_QUEUE, _ON_A_PAGE = np.uint64(4), np.uint64(5), np.uint64(6)
_CERTAIN = np.float32(1.0)


@internal
def open_menu(i: int, s: Array, items: Items, visits: Visits) -> None:
    """Hand the visit `i` the cards of its item's parent (or creator), or of its item where that is a parent.

    Only what is on sale and was not just played, as far as there is room. At a stage `s` with `picks`, where several of
    them may be taken, the visit goes on with the parent, whose basket it is. A stage with `queue_of` is handed what
    that stage's slate still has to come. There may be nothing: an item whose parent is of another kind, a slate that
    was another stage's.
    """
    v, menu, offered, cards, slate = visits.state[i], items.menu, items.offered, visits.menu, visits.slate
    n = 0
    if s.queue_of >= 0:
        if v.slate_stage == s.queue_of:
            while n < cards.shape[1] and v.position + n < v.slate_n:
                lay(cards, i, n, np.int64(slate[i, v.position + n].item))
                n += 1
    else:
        parent = _owner(s, np.int64(v.item), items)
        if parent >= 0 and items.menus[parent, 3] == s.children_of:
            k, end = np.int64(items.menus[parent, 0]), np.int64(items.menus[parent, 1])
            while n < cards.shape[1] and k < end:
                item = np.int64(menu[k])
                on_sale = offered[item, 0] <= v.clock and v.clock < offered[item, 1]
                if on_sale and not _played(item, i, v, visits.memory):
                    lay(cards, i, n, item)
                    n += 1
                k += 1
            if s.picks >= 0 and items.menus[parent, 2] >= 0:
                v.item = np.uint32(items.menus[parent, 2])
    v.menu_n = n
    v.menu_at = 0
    v.taken = 0
    v.menus += np.uint32(1)
    v.inside = 1


@inlined
def _owner(s: Array, item: int, items: Items) -> int:
    """Return the row in `Items.menus` of whose menu a stage shows beside an item: its parent (-1 none) or creator."""
    if s.children_of == BY_CREATOR:
        return items.menus.shape[0] - 1 - np.int64(items.state[item].creator)
    return np.int64(items.parent[item])


@inlined
def _played(item: int, i: int, v: Array, memory: npt.NDArray[np.int32]) -> bool:
    """Return whether an item is among those that the visit `i` played last: nobody turns to a page for them."""
    found = False
    for k in range(min(np.int64(v.memory_n), VISIT_MEMORY)):
        found |= memory[i, k] == item
    return found


@internal
def lay(cards: Array, i: int, n: int, item: int) -> None:
    """Lay a card that nobody has looked at on place `n` of the visit `i`."""
    cards[i, n].item = np.int32(item)
    cards[i, n].attended = np.uint32(0)
    cards[i, n].taken = np.uint32(0)


@inlined
def screen_of_menu(i: int, n: int, tables: Tables) -> tuple[int, int]:
    """Go through one screen of an open menu. Returns the outcome (-1: the next screen), and how many records there are.

    Without `picks` the first card that is taken is selected. With them users are after a number of cards: a list goes
    on from card to card, a grid compares what is left once more, until they have as many as they are after, find
    nothing more on this screen, or the menu ends. Whoever stops with something in the basket selects that.
    """
    plan, cards, slate = tables.plan, tables.visits.menu, tables.visits.slate
    v = tables.visits.state[i]
    s, first = plan.stages[v.stage], np.int64(v.menu_at)
    if first >= np.int64(v.menu_n) or plan.screens[s.number, v.device, 1] == 0:  # the end, or no screen to see it on
        v.inside = 0
        return (SELECT if v.taken > 0 else EXHAUSTED), n
    own_key, queued, several = _key(v, s, tables.items), s.queue_of >= 0, s.picks >= 0
    before = 0  # places before the first: one that is selected is played, with luck by its place under the request
    if queued:
        before = np.int64(v.position)
    elif not several:
        before = np.int64(v.slate_n) + (np.int64(v.menus) - 1) * cards.shape[1]
    wanted = cards_wanted(s, own_key, v, plan) if several else np.int64(1)
    size = min(plan.screens[s.number, v.device, 1], np.int64(v.menu_n) - first)
    had = np.int64(v.taken)
    looked = look_through(i, first, size, 0, wanted, own_key, tables)
    if s.layout != Layout.LIST:
        compare_what_is_left(i, first, size, wanted, own_key, tables)
    observations, propensity = v.observations, v.propensity
    v.observations = mix(own_key, v.observations)  # rows of a menu are seen, or not, by themselves
    n = _show(i, first, looked, before, n, tables)
    v.clock += quantised(drawn(plan.quantiles, s.seconds, decision_key(own_key, v.request, first, Draw.SECONDS)))
    v.menu_at += np.uint32(looked)
    if several:
        n = tell_picks(i, first, looked, False, n, tables)
    v.observations = observations
    if not several and np.int64(v.taken) > had:
        _select(i, first, looked, before, tables)
        if queued:  # what came before it is passed over
            v.propensity = slate[i, v.slot].propensity
            v.position = v.slot + np.uint32(1)
        return SELECT, n
    v.propensity = propensity
    if v.taken >= wanted:
        v.inside = 0
        return SELECT, n
    if uniform(decision_key(own_key, v.request, first, Draw.CONTINUE)) >= s.carries_on:
        v.inside = 0
        return (SELECT if v.taken > 0 else LEAVE), n
    return -1, n


@inlined
def cards_wanted(s: Array, own_key: np.uint64, v: Array, plan: Plan) -> int:
    """Return how many cards the visit `v` is after, at a stage `s` with `picks`."""
    size_of_basket = drawn(plan.quantiles, s.picks, decision_key(own_key, v.request, 0, Draw.BASKET))
    return min(max(np.int64(size_of_basket + 0.5), 1), MOST_PICKS)


@inlined
def _key(v: Array, s: Array, items: Items) -> np.uint64:
    """Return the key of a menu's own luck: by the parent, creator or queue, and how many menus the visit has opened."""
    kind, whose = mix(v.decisions, _ON_A_MENU), np.int64(items.parent[v.item])
    if s.queue_of >= 0:
        kind, whose = mix(v.decisions, _IN_A_QUEUE), np.int64(0)
    elif s.children_of == BY_CREATOR:
        kind, whose = mix(v.decisions, _ON_A_PAGE), np.int64(items.state[v.item].creator)
    return mix(mix(kind, np.uint64(whose)), np.uint64(v.menus))


@inlined
def look_through(i: int, first: int, size: int, above: int, wanted: int, own_key: np.uint64, tables: Tables) -> int:
    """Judge the cards of a screen one after the other, and take of a list what is good enough.

    `first` is its first place in the visit's menu, `above` how many cards of the list lie before those. Returns how
    many were looked at.
    """
    cards, plan, scratch, users = tables.visits.menu, tables.plan, tables.out.scratch, tables.users
    v, user_params, exp_log_tables = tables.visits.state[i], plan.user_params[0], plan.exp_log_tables
    s, user = plan.stages[v.stage], np.int64(v.user)
    u, cascade = users.state[user], s.layout == Layout.LIST
    tired = user_params.satiation_weight * faded(
        u, user, v.clock, users.satiation_trust, user_params.first_topic, user_params, exp_log_tables
    )
    for k in range(size):
        slot = first + k
        item = np.int64(cards[i, slot].item)
        read = judged(k, item, slot, skimmed(k, above + slot, s, plan), own_key, tired, v, tables)
        if read and cascade:
            draw = uniform(decision_key(own_key, v.request, slot, Draw.CHOICE))
            outside = demanded(v, s.number, plan)
            if taken(scratch[k, CardColumn.ATTRACTION], outside, s.temperature, draw, exp_log_tables):
                _take(v, cards, i, slot, k, scratch)
                if v.taken >= wanted:
                    return k + 1
    return size


@inlined
def compare_what_is_left(i: int, first: int, size: int, wanted: int, own_key: np.uint64, tables: Tables) -> None:
    """Take from the cards of a grid, compared with each other, one after the other."""
    cards, scratch, exp_log_tables = tables.visits.menu, tables.out.scratch, tables.plan.exp_log_tables
    v = tables.visits.state[i]
    s = tables.plan.stages[v.stage]
    for attempt in range(size):
        draw = uniform(decision_key(own_key, v.request, first + attempt, Draw.CHOICE))
        outside = demanded(v, s.number, tables.plan)
        chosen = compared(scratch, size, outside, s.temperature, draw, exp_log_tables)
        if chosen < 0:
            return
        _take(v, cards, i, first + chosen, chosen, scratch)
        if v.taken >= wanted:
            return
        scratch[chosen, CardColumn.EXAMINED] = 0.0  # it is taken: what is left is compared again


@inlined
def _show(i: int, first: int, looked: int, before: int, n: int, tables: Tables) -> int:
    """Count and record the cards of a screen that were looked at. Returns how many records there are."""
    visits, out = tables.visits, tables.out
    v, cards, slate, tallies = visits.state[i], visits.menu, visits.slate, out.tallies
    s = tables.plan.stages[v.stage]
    for k in range(looked):
        tallies[Tally.EVENT + s.card_event] += 1
        if is_recorded(np.int64(s.card_event), out):
            slot = before + first + k
            n = record_card(n, v, np.int64(s.card_event), np.int64(cards[i, first + k].item), slot, k, tables)
            out.records[n - 1].propensity = slate[i, slot].propensity if s.queue_of >= 0 else _CERTAIN
    return n


@internal
def _take(v: Array, cards: Array, i: int, slot: int, k: int, scratch: npt.NDArray[np.float64]) -> None:
    """Put a card into the basket, with what was made of it at place `k` of the screen."""
    card = cards[i, slot]
    card.taken = np.uint32(1)
    card.attended = np.uint32(scratch[k, CardColumn.ATTENDED])
    card.belief = scratch[k, CardColumn.BELIEF]
    card.belief_sd = scratch[k, CardColumn.BELIEF_SD]
    card.utility = scratch[k, CardColumn.UTILITY]
    v.taken += np.uint32(1)


@internal
def _select(i: int, first: int, looked: int, before: int, tables: Tables) -> None:
    """Let the visit go on with the card that was taken: the menu is left, and there is no basket."""
    v, cards = tables.visits.state[i], tables.visits.menu
    for k in range(looked):
        if cards[i, first + k].taken == 1:
            v.item = np.uint32(cards[i, first + k].item)
            v.slot = np.uint32(before + first + k)
            v.propensity = _CERTAIN
            pick(v, k, tables)
    v.taken = 0
    v.inside = 0


@internal
def tell_picks(i: int, first: int, looked: int, recommended: bool, n: int, tables: Tables) -> int:
    """Count and record each card of this screen that went into the basket. Returns how many records there are.

    A card that was `recommended`, at its place in the slate, has the propensity that it has there.
    """
    plan, cards, slate, out = tables.plan, tables.visits.menu, tables.visits.slate, tables.out
    v = tables.visits.state[i]
    event = np.int64(plan.stages[v.stage].pick_event)
    for k in range(looked):
        if cards[i, first + k].taken == 0:
            continue
        item = np.int64(cards[i, first + k].item)
        out.tallies[Tally.EVENT + event] += 1
        if plan.counted[event, 0] >= 0:
            out.counters[item, plan.counted[event, 0]] += 1
        if is_recorded(event, out):
            n = record_card(n, v, event, item, first + k, k, tables)
            out.records[n - 1].propensity = slate[i, first + k].propensity if recommended else _CERTAIN
    return n
