"""A basket: several children of one parent, decided on together.

What a basket is worth is the mean of what its items are worth, and what belongs to the parent (a fee, an arrival time)
once. So is what its user thinks of it; the variances are averaged as well, for what is wrong about one child of a
parent is mostly wrong about the next. Prices of items add up, numbers of the parent count once.
"""

from __future__ import annotations

import numpy as np

from simulator.engine.jit.compile import internal
from simulator.engine.randomness import mix
from simulator.engine.tables.tables import Array, Tables, Visits
from simulator.engine.user.beliefs import attended_to, belief_about, utility_of
from simulator.engine.user.shown_numbers import EVERYTHING, attribute_utility


@internal
def read_basket(i: int, own_key: np.uint64, tables: Tables) -> None:
    """Set what the visit `i` makes of its basket: belief and its spread, what it is worth, and what was read.

    What is attended to on this screen is attended to for the parent and for every item of the basket. The belief about
    each item is made from all its cues again: from its card, from this screen, and what was read of the parent before.
    """
    plan, items, numbers, cards = tables.plan, tables.items, tables.numbers, tables.visits.menu
    modalities, types, v = plan.modalities, plan.types, tables.visits.state[i]
    s = plan.stages[v.stage]
    user, parent = np.int64(v.user), np.int64(v.item)
    seen = np.uint32(plan.screens[s.number, v.device, 0])
    read = attended_to(
        seen & ~v.muted, v.attended, s.attention * v.mindful, own_key, v.request, np.int64(v.slot), modalities
    )
    v.attended |= read & ~items.state[parent].missing
    own = types[items.state[parent].type].own
    mean = 0.0
    variance = 0.0
    worth = 0.0
    for k in range(np.int64(v.menu_n)):
        if cards[i, k].taken != 1:
            continue
        item = np.int64(cards[i, k].item)
        key = mix(v.perceptions, np.uint64(item))
        cards[i, k].attended |= (read | v.attended) & ~items.state[item].missing
        attended = np.uint32(cards[i, k].attended)
        one, spread = belief_about(key, v.knowing, user, item, attended, 1.0, numbers)
        thought = one + attribute_utility(key, v.clock, user, item, attended & ~own, numbers)
        true = utility_of(key, user, item, numbers) + attribute_utility(
            key, v.clock, user, item, EVERYTHING & ~own, numbers
        )
        mean += thought
        variance += spread
        worth += true
        cards[i, k].belief = thought
        cards[i, k].belief_sd = np.sqrt(spread)
        cards[i, k].utility = true
    n = np.float64(max(np.int64(v.taken), 1))
    key = mix(v.perceptions, np.uint64(parent))
    v.belief = mean / n + attribute_utility(key, v.clock, user, parent, v.attended & own, numbers)
    v.belief_sd = np.sqrt(variance / n)
    v.utility = worth / n + attribute_utility(key, v.clock, user, parent, own, numbers)


@internal
def summed(i: int, attribute: int, tables: Tables) -> float:
    """Add up an attribute of the items in the basket of the visit `i`."""
    v, cards, attributes = tables.visits.state[i], tables.visits.menu, tables.items.attributes
    total = 0.0
    for k in range(np.int64(v.menu_n)):
        if cards[i, k].taken == 1:
            total += np.float64(attributes[cards[i, k].item, attribute])
    return total


@internal
def pack(i: int, m: Array, visits: Visits) -> None:
    """Write the basket of the visit `i` into the case `m`."""
    v, cards = visits.state[i], visits.menu
    n = 0
    if v.taken > 0:
        for k in range(np.int64(v.menu_n)):
            if cards[i, k].taken == 1:
                m.basket[n] = np.uint32(cards[i, k].item)
                m.basket_attended[n] = cards[i, k].attended
                n += 1
    m.picks = n
