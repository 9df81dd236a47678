"""Browse: the next of a feed that plays by itself, or a screen of cards that are examined and compared."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from simulator.engine.jit.compile import inlined, internal
from simulator.engine.jit.simd import fetch_ahead
from simulator.engine.primitives import decision_key, drawn, quantised
from simulator.engine.randomness import mix, uniform
from simulator.engine.tables.codes import SharedEvent
from simulator.engine.tables.tables import Array, CardColumn, Goods, Layout, Output, People, Plan, Tally, Visits, What
from simulator.engine.user.beliefs import attended_to, belief_about, utility_of
from simulator.engine.user.choice import compared, taken
from simulator.engine.user.item_memory import known_again, recalled
from simulator.engine.user.repetition import remember
from simulator.engine.user.satiation import faded
from simulator.engine.user.shown_numbers import EVERYTHING, Numbers, aside_worth
from simulator.engine.visit.records import NAN, record

SELECT, EXHAUSTED, LEAVE = 0, 1, 2

_IMPRESSION = int(SharedEvent.IMPRESSION)
_ABSENT = np.uint32(0xFFFFFFFF)
_LIST = int(Layout.LIST)
_W_SUFFICES = int(What.SUFFICES)
_W_CHOICE, _W_SECONDS, _W_CONTINUE, _W_SKIM, _W_READ = (
    int(What.CHOICE), int(What.SECONDS), int(What.CONTINUE), int(What.SKIM), int(What.READ),
)  # fmt: skip
_ATTRACTION, _BELIEF, _BELIEF_SD = int(CardColumn.ATTRACTION), int(CardColumn.BELIEF), int(CardColumn.BELIEF_SD)
_ATTENDED, _UTILITY, _EXAMINED = int(CardColumn.ATTENDED), int(CardColumn.UTILITY), int(CardColumn.EXAMINED)
_IMPRESSIONS, _EXAMINED_TALLY, _EVENT = int(Tally.IMPRESSIONS), int(Tally.EXAMINED), int(Tally.EVENT)


@inlined
def next_in_feed(
    i: int,
    v: Array,
    slate: Array,
    items: Array,
    vectors: npt.NDArray[np.float32],
    colour: npt.NDArray[np.float32],
) -> int:
    """The next video of the slate starts by itself: nothing of it was visible, so there is nothing to judge."""
    v.item = np.uint32(slate[i, v.position].item)
    v.propensity = slate[i, v.position].propensity
    v.slot = v.position
    v.position += np.uint32(1)
    if v.position < v.slate_n:
        fetch_ahead(items, slate[i, v.position].item)
        fetch_ahead(vectors, slate[i, v.position].item)
        fetch_ahead(colour, slate[i, v.position].item)
    v.attended = np.uint32(0)
    v.picked = 0
    return SELECT


@inlined
def judged(
    k: int, item: int, slot: int, decisions: np.uint64, stage: int, tired: float, numbers: Numbers, plan: Plan,
    people: People, goods: Goods, v: Array, out: Output,
) -> bool:  # fmt: skip
    """Look at a card, perhaps read it, and judge what was read: fills row `k` of the scratch table.

    Args:
        k: place on the screen.
        item: what the card shows.
        slot: place in the slate, by which the luck of this card is known.
        decisions: key of that luck.
        stage: where the card is.
        tired: what satiation takes off per unit.
        numbers, plan, people, goods: tables.
        v: the visit.
        out: whose scratch table is filled.

    Returns:
        Whether it was read.
    """
    s, types, weights, scratch = plan.stages[stage], plan.types, plan.weights, out.scratch
    modalities, habits, quantiles = plan.modalities, plan.habits[0], plan.quantiles
    user, kind = np.int64(v.user), np.int64(goods.facts[item].type)
    asides = plan.asides.shape[0] > 0
    key = mix(v.perceptions, np.uint64(item))
    scratch[k, _UTILITY] = utility_of(
        key, user, item, kind, people.taste, goods.vectors, plan.facets, weights, types, habits, quantiles, scratch
    )
    if asides:
        scratch[k, _UTILITY] += aside_worth(key, v.clock, user, item, EVERYTHING, numbers)
    scratch[k, _EXAMINED] = 0.0
    scratch[k, _ATTENDED] = 0.0
    scratch[k, _BELIEF] = np.nan
    scratch[k, _BELIEF_SD] = np.nan
    if uniform(decision_key(decisions, v.request, slot, _W_SKIM)) >= plan.skim[s.number, k]:
        return False
    if uniform(decision_key(decisions, v.request, slot, _W_READ)) >= s.read:
        return False
    seen = np.uint32(plan.screens[s.number, v.device, 0]) & ~goods.facts[item].missing
    attended = attended_to(
        seen & ~v.muted, np.uint32(0), s.attention * v.mindful, decisions, v.request, slot, modalities
    )
    knowledge = drawn(quantiles, types[kind].knowledge, mix(v.knowing, np.uint64(kind)))
    mean, variance = belief_about(
        key, user, item, kind, attended, 1.0, knowledge, people.taste, goods.vectors, goods.colour, people.mood,
        goods.readouts, plan.pairs, modalities, plan.facets, weights, types, habits, quantiles, scratch,
    )  # fmt: skip
    if people.known.shape[1] > 0 and attended & types[kind].known_by != 0 and types[kind].known > 0.0:
        subject = known_again(item, np.int64(goods.facts[item].creator), types[kind])
        mean, variance = recalled(mean, variance, people.known, user, subject, v.clock, types[kind], plan.powers)
    if asides:
        mean += aside_worth(key, v.clock, user, item, attended, numbers)
    sd = np.sqrt(variance)
    attraction = mean - s.risk_aversion * sd
    attraction -= tired * people.mood[user, plan.habits[0].first_topic + goods.facts[item].topic]
    for m in range(modalities.shape[0]):
        if (attended >> np.uint32(m)) & np.uint32(1):
            attraction += goods.colour[item, modalities.shape[0] + m]
    scratch[k, _EXAMINED] = 1.0
    scratch[k, _ATTENDED] = np.float64(attended)
    scratch[k, _BELIEF] = mean
    scratch[k, _BELIEF_SD] = sd
    scratch[k, _ATTRACTION] = attraction
    return True


@inlined
def screen_of_cards(
    i: int, stage: int, n: int, numbers: Numbers, plan: Plan, people: People, goods: Goods, visits: Visits, out: Output
) -> tuple[int, int]:
    """One screen: each card is looked at or not, then read or not; what was read is judged and chosen from.

    A grid compares the cards with each other and with scrolling on; a list is a cascade from the top.
    """
    screens, habits, observation = plan.screens, plan.habits[0], plan.observation
    quantiles, powers, mood = plan.quantiles, plan.powers, people.mood
    items, vectors = goods.facts, goods.vectors
    slate, records, tallies, counters, scratch = visits.slate, out.records, out.tallies, out.counters, out.scratch
    s = plan.stages[stage]
    v = visits.state[i]
    u = people.state[np.int64(v.user)]
    user = np.int64(v.user)
    first = np.int64(v.position)
    size = min(screens[s.number, v.device, 1], np.int64(v.slate_n) - first)
    seen = np.uint32(screens[s.number, v.device, 0])
    outside = s.outside_option
    temperature = s.temperature
    cascade = s.layout == _LIST
    enough = plan.suffices[stage]
    tired = habits.satiation_weight * faded(u, user, v.clock, mood, habits.first_topic, habits, powers)
    chosen = -1
    looked = size
    for k in range(size):
        fetch_ahead(vectors, slate[i, first + k].item)
    for k in range(size):
        slot = first + k
        item = np.int64(slate[i, slot].item)
        if judged(k, item, slot, v.decisions, stage, tired, numbers, plan, people, goods, v, out):
            attraction = scratch[k, _ATTRACTION]
            attended = np.uint32(scratch[k, _ATTENDED])
            tallies[_EXAMINED_TALLY] += 1
            if enough.event >= 0 and (attended >> np.uint32(enough.modality)) & np.uint32(1):
                luck = uniform(decision_key(v.decisions, v.request, slot, _W_SUFFICES))
                if luck < enough.probability:
                    # the card alone gave what was wanted: no choice, and nobody sees it
                    scratch[k, _EXAMINED] = 0.0
                    n = card_suffices(
                        v, u, n, stage, item, slot, scratch[k, _UTILITY], scratch[k, _BELIEF], scratch[k, _BELIEF_SD],
                        attended, plan, people, goods, out,
                    )  # fmt: skip
                    continue
            if cascade and taken(
                attraction, outside, temperature, uniform(decision_key(v.decisions, v.request, slot, _W_CHOICE)), powers
            ):
                chosen = k
                looked = k + 1
                break
    if not cascade:
        luck = uniform(decision_key(v.decisions, v.request, first, _W_CHOICE))
        chosen = compared(scratch, size, outside, temperature, luck, powers)
    for k in range(looked):
        slot = first + k
        item = np.int64(slate[i, slot].item)
        tallies[_IMPRESSIONS] += 1
        tallies[_EVENT + _IMPRESSION] += 1
        counters[item, 0] += 1
        v.best = scratch[k, _UTILITY] if v.shown == 0 else max(v.best, scratch[k, _UTILITY])
        v.total += scratch[k, _UTILITY]
        v.shown += np.uint32(1)
        if records.shape[0] > 0:
            n = record(
                records, n, v, v.clock, _IMPRESSION, item, _ABSENT, slot, s.number, s.surface, NAN,
                slate[i, slot].propensity, scratch[k, _BELIEF], scratch[k, _BELIEF_SD], scratch[k, _UTILITY], NAN,
                seen & ~items[item].missing, np.uint32(scratch[k, _ATTENDED]), observation, quantiles,
            )  # fmt: skip
    v.clock += quantised(drawn(quantiles, s.seconds, decision_key(v.decisions, v.request, first, _W_SECONDS)))
    v.position += np.uint32(looked)
    v.slot = first
    if chosen >= 0:
        v.slot = first + chosen
        v.item = np.uint32(slate[i, v.slot].item)
        v.seed = v.item
        v.propensity = slate[i, v.slot].propensity
        v.attended = np.uint32(scratch[chosen, _ATTENDED])
        v.belief = scratch[chosen, _BELIEF]
        v.belief_sd = scratch[chosen, _BELIEF_SD]
        v.utility = scratch[chosen, _UTILITY]
        v.picked = 1
        return SELECT, n
    if uniform(decision_key(v.decisions, v.request, first, _W_CONTINUE)) >= s.carries_on:
        return LEAVE, n
    return -1, n


@internal
def card_suffices(
    v: Array, u: Array, n: int, stage: int, item: int, slot: int, utility: float, belief: float, belief_sd: float,
    attended: np.uint32, plan: Plan, people: People, goods: Goods, out: Output,
) -> int:  # fmt: skip
    """A headline that says it all: part of the item's worth is had, and goodwill with it. Returns how many records."""
    s, enough, habits = plan.stages[stage], plan.suffices[stage], plan.habits[0]
    gained = enough.value * utility
    u.goodwill += habits.goodwill_gain * max(gained, 0.0) + habits.goodwill_loss * min(gained, 0.0)
    kind = plan.types[goods.facts[item].type]
    if people.had.shape[1] > 0 and kind.kind >= 0:
        remember(
            people.had, np.int64(v.user), np.int64(goods.parent[item]), v.clock, enough.value, kind.memory, plan.powers
        )
    out.tallies[_EVENT + enough.event] += 1
    if out.records.shape[0] > 0:
        n = record(
            out.records, n, v, v.clock, np.int64(enough.event), item, _ABSENT, slot, s.number, s.surface, gained,
            NAN, belief, belief_sd, utility, gained, np.uint32(plan.screens[s.number, v.device, 0]), attended,
            plan.observation, plan.quantiles,
        )  # fmt: skip
    return n
