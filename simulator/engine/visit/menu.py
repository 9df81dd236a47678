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
    NO_CASE,
    VISIT_MEMORY,
    Array,
    CardColumn,
    Goods,
    Layout,
    Output,
    People,
    Plan,
    Tally,
    Visits,
    What,
)
from simulator.engine.user.choice import compared, taken
from simulator.engine.user.satiation import faded
from simulator.engine.user.shown_numbers import Numbers
from simulator.engine.visit.browse import EXHAUSTED, LEAVE, SELECT, judged
from simulator.engine.visit.records import NAN, record

_ABSENT = np.uint32(NO_CASE)
_LIST = int(Layout.LIST)
_W_CHOICE, _W_SECONDS, _W_CONTINUE, _W_PICKS = (
    int(What.CHOICE), int(What.SECONDS), int(What.CONTINUE), int(What.BASKET),
)  # fmt: skip
_ATTENDED, _EXAMINED, _ATTRACTION = int(CardColumn.ATTENDED), int(CardColumn.EXAMINED), int(CardColumn.ATTRACTION)
_BELIEF, _BELIEF_SD, _UTILITY = int(CardColumn.BELIEF), int(CardColumn.BELIEF_SD), int(CardColumn.UTILITY)
_EVENT = int(Tally.EVENT)
_ON_A_MENU, _IN_A_QUEUE, _ON_A_PAGE = np.uint64(4), np.uint64(5), np.uint64(6)
_CERTAIN = np.float32(1.0)


@internal
def open_menu(i: int, s: Array, goods: Goods, visits: Visits) -> None:
    """Hand the visit `i` the cards of its item's parent (or creator), or of its item where that is a parent.

    Only what is on sale and was not just played, as far as there is room. At a stage `s` with `picks`, where several of
    them may be taken, the visit goes on with the parent, whose basket it is. A stage with `rest_of` is handed what that
    stage's slate still has to come. There may be nothing: an item whose parent is of another kind, a slate that was
    another stage's.
    """
    v, menu, offered, cards, slate = visits.state[i], goods.menu, goods.offered, visits.menu, visits.slate
    n = 0
    if s.rest_of >= 0:
        if v.slate_stage == s.rest_of:
            while n < cards.shape[1] and v.position + n < v.slate_n:
                _lay(cards, i, n, np.int64(slate[i, v.position + n].item))
                n += 1
    else:
        parent = _owner(s, np.int64(v.item), goods)
        if parent >= 0 and goods.menus[parent, 3] == s.within:
            k, end = np.int64(goods.menus[parent, 0]), np.int64(goods.menus[parent, 1])
            while n < cards.shape[1] and k < end:
                item = np.int64(menu[k])
                on_sale = offered[item, 0] <= v.clock and v.clock < offered[item, 1]
                if on_sale and not _played(item, i, v, visits.memory):
                    _lay(cards, i, n, item)
                    n += 1
                k += 1
            if s.picks >= 0 and goods.menus[parent, 2] >= 0:
                v.item = np.uint32(goods.menus[parent, 2])
    v.menu_n = n
    v.menu_at = 0
    v.taken = 0
    v.menus += np.uint32(1)
    v.inside = 1


@inlined
def _owner(s: Array, item: int, goods: Goods) -> int:
    """Row in `Goods.menus` of who has the menu that a stage shows beside an item: its parent, -1 none; its creator."""
    if s.within == BY_CREATOR:
        return goods.menus.shape[0] - 1 - np.int64(goods.facts[item].creator)
    return np.int64(goods.parent[item])


@inlined
def _played(item: int, i: int, v: Array, memory: npt.NDArray[np.int32]) -> bool:
    """Whether an item is among those that the visit `i` played last: nobody turns to a page for them."""
    found = False
    for k in range(min(np.int64(v.memory_n), VISIT_MEMORY)):
        found |= memory[i, k] == item
    return found


@internal
def _lay(cards: Array, i: int, n: int, item: int) -> None:
    cards[i, n].item = np.int32(item)
    cards[i, n].attended = np.uint32(0)
    cards[i, n].taken = np.uint32(0)


@inlined
def screen_of_menu(
    i: int, stage: int, n: int, numbers: Numbers, plan: Plan, people: People, goods: Goods, visits: Visits, out: Output
) -> tuple[int, int]:
    """One screen of an open menu. Returns the outcome (-1: the next screen), and how many records there are.

    Without `picks` the first card that is taken is selected. With them users are after a number of cards: a list goes
    on from card to card, a grid compares what is left once more, until they have as many as they are after, find
    nothing more on this screen, or the menu ends. Whoever stops with something in the basket selects that.
    """
    screens, habits, observation = plan.screens, plan.habits[0], plan.observation
    quantiles, powers, mood = plan.quantiles, plan.powers, people.mood
    items, cards, records, tallies, scratch = goods.facts, visits.menu, out.records, out.tallies, out.scratch
    s = plan.stages[stage]
    v = visits.state[i]
    u = people.state[np.int64(v.user)]
    user, first = np.int64(v.user), np.int64(v.menu_at)
    if first >= np.int64(v.menu_n) or screens[s.number, v.device, 1] == 0:  # the end, or no screen to see it on
        v.inside = 0
        return (SELECT if v.taken > 0 else EXHAUSTED), n
    # luck of its own: by the parent, the creator, or the queue, and by how many menus the visit has opened
    queued = s.rest_of >= 0
    kind, whose = mix(v.decisions, _ON_A_MENU), np.int64(goods.parent[v.item])
    if queued:
        kind, whose = mix(v.decisions, _IN_A_QUEUE), np.int64(0)
    elif s.within == BY_CREATOR:
        kind, whose = mix(v.decisions, _ON_A_PAGE), np.int64(items[v.item].creator)
    own_key = mix(mix(kind, np.uint64(whose)), np.uint64(v.menus))
    several = s.picks >= 0
    before = 0  # places before the first: one that is selected is played, with luck by its place under the request
    if queued:
        before = np.int64(v.position)
    elif not several:
        before = np.int64(v.slate_n) + (np.int64(v.menus) - 1) * cards.shape[1]
    wanted = np.int64(1)
    if several:
        size_of_basket = drawn(quantiles, s.picks, decision_key(own_key, v.request, 0, _W_PICKS))
        wanted = min(max(np.int64(size_of_basket + 0.5), 1), MOST_PICKS)
    size = min(screens[s.number, v.device, 1], np.int64(v.menu_n) - first)
    seen = np.uint32(screens[s.number, v.device, 0])
    tired = habits.satiation_weight * faded(u, user, v.clock, mood, habits.first_topic, habits, powers)
    cascade = s.layout == _LIST
    had = np.int64(v.taken)
    looked = size
    for k in range(size):
        slot = first + k
        item = np.int64(cards[i, slot].item)
        read = judged(k, item, slot, own_key, stage, tired, numbers, plan, people, goods, v, out)
        if read and cascade:
            luck = uniform(decision_key(own_key, v.request, slot, _W_CHOICE))
            outside = s.outside_option if v.taken == 0 else s.further
            if taken(scratch[k, _ATTRACTION], outside, s.temperature, luck, powers):
                _take(v, cards, i, slot, np.uint32(scratch[k, _ATTENDED]))
                if v.taken >= wanted:
                    looked = k + 1
                    break
    if not cascade:
        for attempt in range(size):
            luck = uniform(decision_key(own_key, v.request, first + attempt, _W_CHOICE))
            outside = s.outside_option if v.taken == 0 else s.further
            chosen = compared(scratch, size, outside, s.temperature, luck, powers)
            if chosen < 0:
                break
            _take(v, cards, i, first + chosen, np.uint32(scratch[chosen, _ATTENDED]))
            if v.taken >= wanted:
                break
            scratch[chosen, _EXAMINED] = 0.0  # it is taken: what is left is compared again
    observations, asked = v.observations, v.propensity
    v.observations = mix(own_key, v.observations)  # rows of a menu are seen, or not, by themselves
    for k in range(looked):
        slot = first + k
        item = np.int64(cards[i, slot].item)
        tallies[_EVENT + s.card_event] += 1
        if records.shape[0] > 0:
            odds = visits.slate[i, before + slot].propensity if queued else _CERTAIN
            n = record(
                records, n, v, v.clock, np.int64(s.card_event), item, _ABSENT, before + slot, s.number, s.surface, NAN,
                odds, scratch[k, _BELIEF], scratch[k, _BELIEF_SD], scratch[k, _UTILITY], NAN,
                seen & ~items[item].missing, np.uint32(scratch[k, _ATTENDED]), observation, quantiles,
            )  # fmt: skip
    v.clock += quantised(drawn(quantiles, s.seconds, decision_key(own_key, v.request, first, _W_SECONDS)))
    v.menu_at += np.uint32(looked)
    if several:
        n = _tell_picks(i, first, looked, n, stage, plan, goods, visits, out)
    v.observations = observations
    if not several and np.int64(v.taken) > had:
        _select(i, first, looked, before, v, cards, scratch)
        if queued:  # what came before it is passed over
            v.propensity = visits.slate[i, v.slot].propensity
            v.position = v.slot + np.uint32(1)
        return SELECT, n
    v.propensity = asked
    if v.taken >= wanted:
        v.inside = 0
        return SELECT, n
    if uniform(decision_key(own_key, v.request, first, _W_CONTINUE)) >= s.carries_on:
        v.inside = 0
        return (SELECT if v.taken > 0 else LEAVE), n
    return -1, n


@internal
def _take(v: Array, cards: Array, i: int, slot: int, attended: np.uint32) -> None:
    cards[i, slot].taken = np.uint32(1)
    cards[i, slot].attended = attended
    v.taken += np.uint32(1)


@internal
def _select(i: int, first: int, looked: int, before: int, v: Array, cards: Array, scratch: Array) -> None:
    """The card that was taken is what the visit goes on with: the menu is left, and there is no basket."""
    for k in range(looked):
        if cards[i, first + k].taken == 1:
            v.item = np.uint32(cards[i, first + k].item)
            v.seed = v.item
            v.slot = np.uint32(before + first + k)
            v.propensity = _CERTAIN
            v.attended = np.uint32(scratch[k, _ATTENDED])
            v.belief = scratch[k, _BELIEF]
            v.belief_sd = scratch[k, _BELIEF_SD]
            v.utility = scratch[k, _UTILITY]
            v.picked = 1
    v.taken = 0
    v.inside = 0


@internal
def _tell_picks(
    i: int, first: int, looked: int, n: int, stage: int, plan: Plan, goods: Goods, visits: Visits, out: Output
) -> int:
    """An event for each card of this screen that went into the basket. Returns how many records there are."""
    s, v, cards, scratch = plan.stages[stage], visits.state[i], visits.menu, out.scratch
    event = np.int64(s.pick_event)
    seen = np.uint32(plan.screens[s.number, v.device, 0])
    for k in range(looked):
        if cards[i, first + k].taken == 0:
            continue
        item = np.int64(cards[i, first + k].item)
        out.tallies[_EVENT + event] += 1
        if plan.counted[event, 0] >= 0:
            out.counters[item, plan.counted[event, 0]] += 1
        if out.records.shape[0] > 0:
            n = record(
                out.records, n, v, v.clock, event, item, _ABSENT, first + k, s.number, s.surface, NAN, _CERTAIN,
                scratch[k, _BELIEF], scratch[k, _BELIEF_SD], scratch[k, _UTILITY], NAN,
                seen & ~goods.facts[item].missing, cards[i, first + k].attended, plan.observation, plan.quantiles,
            )  # fmt: skip
    return n
