"""What a user makes of what they got, outside of any visit: experience, satisfaction, and what they do about it."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from simulator.engine.cases.event_queue import push
from simulator.engine.cases.records import happened
from simulator.engine.cases.reorder import means_to_return
from simulator.engine.cases.steps import case_luck, case_number
from simulator.engine.jit.compile import internal
from simulator.engine.primitives import drawn, fixed, quantised, sigmoid
from simulator.engine.randomness import PERCEPTION, mix, root, table_index, uniform
from simulator.engine.tables.case_tables import Count, Happens, Luck, Tables, World, WorldPlan
from simulator.engine.tables.tables import NORMAL, Array, Output, Tally
from simulator.engine.user.beliefs import utility_of
from simulator.engine.user.item_memory import keep_in_mind, known_again
from simulator.engine.user.repetition import remember
from simulator.engine.user.satiation import faded
from simulator.engine.user.shown_numbers import Numbers
from simulator.engine.user.trust import learn_trust
from simulator.engine.user.watching import satisfied

CONTINUE, LEAVE, RETURN = 0, 1, 2
MOST_ACTS = 32

_HEAP, _LATE, _PROMISED = int(Count.HEAP), int(Count.LATE), int(Count.PROMISED)
_RATED, _STARS = int(Count.RATED), int(Count.STARS)
_ACT, _RATE, _RETURN = int(Happens.ACT), int(Happens.RATE), int(Happens.RETURN)
_L_NOISE, _L_RATES, _L_RATING_NOISE = int(Luck.NOISE), int(Luck.RATES), int(Luck.RATING_NOISE)
_L_RATING_DELAY, _L_RETURNS, _L_RETURN_DELAY = int(Luck.RATING_DELAY), int(Luck.RETURNS), int(Luck.RETURN_DELAY)
_L_ACT, _L_ACT_DELAY = int(Luck.ACT), int(Luck.ACT_DELAY)
_SATISFACTION, _JUDGED = int(Tally.SATISFACTION), int(Tally.JUDGED_PLAYS)


@internal
def experience(seed: int, shared: WorldPlan, tables: Tables, numbers: Numbers, c: Array, time: float) -> None:
    """The truth is met: what was lived is the utility, give or take; and one tires a little of the item's topic.

    The utility was that of what had been promised: a fulfilment is worth what it was, sooner or later than that.
    """
    s = shared.stages[c.stage]
    luck = np.float64(tables.quantiles[NORMAL, table_index(case_luck(c, 0, _L_NOISE))])
    lived = np.float64(c.utility) + s.noise * luck
    if c.promise >= 0 and c.fulfilled >= 0.0:
        for a in range(numbers.asides.shape[0]):
            if numbers.asides[a].promise == c.promise and numbers.asides[a].limit == 0:  # a limit was that visit's
                lived += numbers.asides[a].weight * np.float64(numbers.traits[c.user, a]) * (c.fulfilled - c.promised)
    c.lived = np.float32(lived)
    user = np.int64(c.user)
    habits = tables.habits[0]
    first = np.int64(habits.first_topic)
    topic = first + np.int64(tables.items[c.item].topic)
    u = tables.users[user]
    # the visit of this tick may have gone on already: fading does not go back
    fading = faded(u, user, max(time, np.float64(u.satiated_at)), tables.mood, first, habits, tables.powers)
    tables.mood[user, topic] += np.float32(habits.satiation_step * (1.0 - fading * tables.mood[user, topic]) / fading)
    kind = tables.types[tables.items[c.item].type]
    if tables.had.shape[1] > 0 and kind.kind >= 0:
        remember(tables.had, user, np.int64(tables.parent[c.item]), time, 1.0, kind.memory, tables.powers)
    if tables.known.shape[1] > 0 and kind.known > 0.0:
        met = s.noise * luck
        if c.picks == 0:
            met += _worth(seed, user, np.int64(c.item), numbers)
        for k in range(np.int64(c.picks)):  # a parent is remembered for what one had of it
            met += _worth(seed, user, np.int64(c.basket[k]), numbers) / np.float64(c.picks)
        subject = known_again(np.int64(c.item), np.int64(tables.items[c.item].creator), kind)
        keep_in_mind(tables.known, user, subject, met, kind.known_rate, time)


@internal
def _worth(seed: int, user: int, item: int, numbers: Numbers) -> float:
    """What an item itself is worth to a user, without its price and its delivery."""
    key = mix(mix(root(seed, PERCEPTION), numbers.users[user].key), np.uint64(item))
    return utility_of(key, user, item, numbers)


@internal
def lateness(shared: WorldPlan, c: Array) -> float:
    """What a broken promise does to satisfaction: an effect from a threshold on, and per second beyond it."""
    s = shared.stages[c.stage]
    if s.late_promise < 0 or not c.promised >= 0.0 or not c.fulfilled >= 0.0:
        return 0.0
    late = c.fulfilled - c.promised
    if late > s.late_threshold:
        return s.late_effect + s.late_per_second * (late - s.late_threshold)
    return s.early if late < 0.0 else 0.0


@internal
def stars_of(value: float, thresholds: npt.NDArray[np.float64], first: int, n: int) -> int:
    """Stars of an ordered probit: one more than the thresholds that are reached."""
    stars = 1
    for k in range(first, first + n):
        stars += value >= thresholds[k]
    return stars


@internal
def judge(
    seed: int,
    shared: WorldPlan,
    tables: Tables,
    numbers: Numbers,
    world: World,
    out: Output,
    slot: int,
    time: float,
) -> None:
    """Satisfaction, goodwill and trust; then every response that will come goes on the heap (`pending` counts them)."""
    c = world.cases[slot]
    s = shared.stages[c.stage]
    habits, user, item = tables.habits[0], np.int64(c.user), np.int64(c.item)
    c.pending = 0
    c.outcome = CONTINUE
    value = 0.0
    gap = 0.0
    if c.used == 1:
        gap = np.float64(c.lived) - np.float64(c.expected)
        value = satisfied(
            np.float64(c.lived), np.float64(c.expected), s.experience_weight, s.confirmation, s.loss_aversion
        )
        late = lateness(shared, c)
        value += late
        c.satisfaction = np.float32(value)
        out.tallies[_SATISFACTION] += fixed(value)
        out.tallies[_JUDGED] += 1
        u = tables.users[user]
        felt = gap + late  # a broken promise is a loss as well
        u.goodwill += habits.goodwill_gain * max(felt, 0.0) + habits.goodwill_loss * min(felt, 0.0)
        learnable = np.uint32(0)
        for m in range(tables.modalities.shape[0]):
            learnable |= np.uint32(tables.modalities[m].trust >= 0) << np.uint32(m)
        learn_trust(
            mix(mix(root(seed, PERCEPTION), u.key), np.uint64(item)), c.attended & learnable, user, item, numbers
        )
        own = tables.types[tables.items[item].type].own
        for k in range(np.int64(c.picks)):  # every item of a basket teaches as well, but not of what is its parent's
            one = np.int64(c.basket[k])
            learn_trust(
                mix(mix(root(seed, PERCEPTION), u.key), np.uint64(one)),
                np.uint32(c.basket_attended[k]) & learnable & ~own, user, one, numbers,
            )  # fmt: skip
    # Who sends it back has said by then what they will say: a return is the last response, and comes in its own time.
    last = np.inf
    odds = s.returns_log_odds + tables.types[tables.items[item].type].returning + s.returns_slope * value
    if s.returns == 1 and uniform(case_luck(c, 0, _L_RETURNS)) < sigmoid(odds, tables.powers):
        last = 0.0
        if s.returns_delay >= 0:
            last = quantised(drawn(tables.quantiles, s.returns_delay, case_luck(c, 0, _L_RETURN_DELAY)))
        _later(world, c, slot, time + last, _RETURN, 0)
        c.outcome = RETURN
    elif c.used == 1 and s.again_types != 0:
        means_to_return(shared, tables, c, value, time)
    if c.used == 1:
        for a in range(s.n_acts):
            act = shared.acts[s.first_act + a]
            if uniform(case_luck(c, a, _L_ACT)) >= sigmoid(act.log_odds + act.slope * value, tables.powers):
                continue
            wait = (
                quantised(drawn(tables.quantiles, act.delay, case_luck(c, a, _L_ACT_DELAY))) if act.delay >= 0 else 0.0
            )
            _later(world, c, slot, time + min(wait, last), _ACT, s.first_act + a)
        if s.rating_event >= 0:
            odds = s.rating_log_odds + s.rating_slope * abs(gap)
            if uniform(case_luck(c, 0, _L_RATES)) < sigmoid(odds, tables.powers):
                noise = np.float64(tables.quantiles[NORMAL, table_index(case_luck(c, 0, _L_RATING_NOISE))])
                c.stars = stars_of(value + s.rating_noise * noise, shared.thresholds, s.first_threshold, s.n_thresholds)
                wait = quantised(drawn(tables.quantiles, s.rating_delay, case_luck(c, 0, _L_RATING_DELAY)))
                _later(world, c, slot, time + min(wait, last), _RATE, 0)
    if c.pending == 0:
        c.outcome = LEAVE


@internal
def _later(world: World, c: Array, slot: int, time: float, kind: int, detail: int) -> None:
    c.pending += 1
    world.counts[_HEAP] = push(
        world.heap, world.counts[_HEAP], time, case_number(c), kind, detail, slot, np.int64(c.generation)
    )


@internal
def respond_now(
    shared: WorldPlan, tables: Tables, world: World, out: Output, slot: int, time: float, kind: int, detail: int
) -> bool:
    """One response happens. Returns whether it was the last that is to come."""
    c = world.cases[slot]
    if kind == _ACT:
        happened(tables, shared, world, out, slot, time, np.int64(shared.acts[detail].event), math.nan)
    elif kind == _RATE:
        happened(
            tables, shared, world, out, slot, time, np.int64(shared.stages[c.stage].rating_event), np.float64(c.stars)
        )
        world.counts[_RATED] += 1
        world.counts[_STARS] += np.int64(c.stars)
    c.pending -= 1
    return c.pending == 0


@internal
def arrived(world: World, c: Array, time: float) -> None:
    """A fulfilment has ended well: whether in time."""
    c.fulfilled = time
    if c.promised >= 0.0:
        world.counts[_PROMISED] += 1
        world.counts[_LATE] += time > c.promised
