"""Several picks from one slate: cards are taken one after the other, then decided on together or played in turn.

A slate with picks lies in the visit's menu as far as it has been looked at, so that a basket from it is read and paid
like one from a menu. It is judged and chosen from with the luck of any other slate: who is after one card takes the one
that they would have selected.
"""

from __future__ import annotations

import numpy as np

from simulator.engine.jit.compile import internal
from simulator.engine.primitives import decision_key, drawn, quantised
from simulator.engine.randomness import uniform
from simulator.engine.tables.tables import Array, CardColumn, Draw, Layout, Tables, Tally
from simulator.engine.visit.browse import LEAVE, SELECT, impressions
from simulator.engine.visit.menu import cards_wanted, compare_what_is_left, lay, look_through, tell_picks

IN_TURN = 2
"""Value of `inside` while picks of the slate at hand are handed over one by one."""

_HANDED_OVER = 2  # value of `taken` of a card


@internal
def screen_of_picks(i: int, n: int, tables: Tables) -> tuple[int, int]:
    """Go through one screen of a slate. Returns the outcome (-1: the next screen), and how many records there are.

    The slate is left with the number of cards that its user is after, at its end, or when they have had enough of it;
    with nothing taken it is left as any other.
    """
    plan, cards, slate, scratch = tables.plan, tables.visits.menu, tables.visits.slate, tables.out.scratch
    v = tables.visits.state[i]
    s, first = plan.stages[v.stage], np.int64(v.position)
    size = min(plan.screens[s.number, v.device, 1], np.int64(v.slate_n) - first)
    wanted = cards_wanted(s, v.decisions, v, plan)
    for slot in range(first if v.taken > 0 else 0, first + size):  # what an earlier basket held is forgotten
        lay(cards, i, slot, np.int64(slate[i, slot].item))
    v.menu_n = np.uint32(first + size)
    looked = look_through(i, first, size, np.int64(v.above), wanted, v.decisions, tables)
    for k in range(looked):
        tables.out.tallies[Tally.EXAMINED] += np.int64(scratch[k, CardColumn.EXAMINED])
    if s.layout != Layout.LIST:
        compare_what_is_left(i, first, size, wanted, v.decisions, tables)
    n = impressions(i, first, looked, n, tables)
    v.clock += quantised(drawn(plan.quantiles, s.seconds, decision_key(v.decisions, v.request, first, Draw.SECONDS)))
    v.position += np.uint32(looked)
    v.slot = first
    n = tell_picks(i, first, looked, True, n, tables)
    stops = uniform(decision_key(v.decisions, v.request, first, Draw.CONTINUE)) >= s.carries_on
    if v.taken >= wanted or (v.taken > 0 and (stops or v.position >= v.slate_n)):
        if s.together == 0:
            v.taken = 0
            v.inside = IN_TURN
            next_pick(i, tables)
        else:
            hold(i, _first_taken(i, v, cards), tables)
            v.attended = np.uint32(0)  # what was read of each pick is kept with its card
        return SELECT, n
    return (LEAVE if stops else -1), n


@internal
def next_pick(i: int, tables: Tables) -> int:
    """Hand the visit `i` the next of its picks. Returns the outcome, -1 where all had their turn."""
    v, cards = tables.visits.state[i], tables.visits.menu
    k = _first_taken(i, v, cards)
    if k < 0:
        v.inside = 0
        return -1
    cards[i, k].taken = np.uint32(_HANDED_OVER)
    hold(i, k, tables)
    return SELECT


@internal
def _first_taken(i: int, v: Array, cards: Array) -> int:
    """Return the place of the first card that was taken and not handed over, -1 none."""
    for k in range(np.int64(v.menu_n)):
        if cards[i, k].taken == 1:
            return k
    return -1


@internal
def hold(i: int, k: int, tables: Tables) -> None:
    """Let the visit `i` go on with the card at place `k` of its slate, as what was made of it."""
    visits = tables.visits
    v, card = visits.state[i], visits.menu[i, k]
    v.item = np.uint32(card.item)
    v.seed = v.item
    v.slot = np.uint32(k)
    v.propensity = visits.slate[i, k].propensity
    v.attended = card.attended
    v.belief = card.belief
    v.belief_sd = card.belief_sd
    v.utility = card.utility
    v.picked = 1
