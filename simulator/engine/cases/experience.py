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
from simulator.engine.tables.case_tables import CaseDraw, CaseState, CaseTables, Count, Happens, WorldPlan
from simulator.engine.tables.tables import NORMAL, Array, Tally
from simulator.engine.user.beliefs import utility_of
from simulator.engine.user.item_memory import keep_in_mind, known_again
from simulator.engine.user.repetition import remember
from simulator.engine.user.satiation import faded
from simulator.engine.user.trust import learn_trust
from simulator.engine.user.watching import satisfied

CONTINUE, LEAVE, RETURN = 0, 1, 2
MOST_ACTS = 32


@internal
def experience(seed: int, tables: CaseTables, c: Array, time: float) -> None:
    """Meet the truth: what was lived is the utility, give or take; and one tires a little of the item's topic.

    The utility was that of what had been promised: a fulfilment is worth what it was, sooner or later than that.
    """
    plan, users, items, numbers = tables.plan, tables.users, tables.items, tables.numbers
    s = tables.shared.stages[c.stage]
    draw = np.float64(plan.quantiles[NORMAL, table_index(case_luck(c, 0, CaseDraw.NOISE))])
    lived = np.float64(c.utility) + s.noise * draw
    if c.promise >= 0 and c.fulfilled >= 0.0:
        for a in range(numbers.attribute_effects.shape[0]):
            if (
                numbers.attribute_effects[a].promise == c.promise and numbers.attribute_effects[a].limit == 0
            ):  # a limit was that visit's
                lived += (
                    numbers.attribute_effects[a].weight
                    * np.float64(numbers.traits[c.user, a])
                    * (c.fulfilled - c.promised)
                )
    c.lived = np.float32(lived)
    user, satiation_trust = np.int64(c.user), users.satiation_trust
    user_params, item = plan.user_params[0], items.state[c.item]
    first = np.int64(user_params.first_topic)
    topic = first + np.int64(item.topic)
    u = users.state[user]
    # the visit of this tick may have gone on already: fading does not go back
    fading = faded(
        u, user, max(time, np.float64(u.satiated_at)), satiation_trust, first, user_params, plan.exp_log_tables
    )
    satiation_trust[user, topic] += np.float32(
        user_params.satiation_step * (1.0 - fading * satiation_trust[user, topic]) / fading
    )
    kind = plan.types[item.type]
    history = users.parent_history
    if history.shape[1] > 0 and kind.kind >= 0:
        remember(history, user, np.int64(items.parent[c.item]), time, 1.0, kind.memory, plan.exp_log_tables)
    if users.item_memory.shape[1] > 0 and kind.known > 0.0:
        met = s.noise * draw
        if c.picks == 0:
            met += _worth(seed, tables, user, np.int64(c.item))
        for k in range(np.int64(c.picks)):  # a parent is remembered for what one had of it
            met += _worth(seed, tables, user, np.int64(c.basket[k])) / np.float64(c.picks)
        subject = known_again(np.int64(c.item), np.int64(item.creator), kind)
        keep_in_mind(users.item_memory, user, subject, met, kind.known_rate, time)


@internal
def _worth(seed: int, tables: CaseTables, user: int, item: int) -> float:
    """Return what an item itself is worth to a user, without its price and its delivery."""
    key = mix(mix(root(seed, PERCEPTION), tables.users.state[user].key), np.uint64(item))
    return utility_of(key, user, item, tables.numbers)


@internal
def lateness(shared: WorldPlan, c: Array) -> float:
    """Return what a broken promise does to satisfaction: an effect from a threshold on, and per second beyond it."""
    s = shared.stages[c.stage]
    if s.late_promise < 0 or not c.promised >= 0.0 or not c.fulfilled >= 0.0:
        return 0.0
    late = c.fulfilled - c.promised
    if late > s.late_threshold:
        return s.late_effect + s.late_per_second * (late - s.late_threshold)
    return s.early if late < 0.0 else 0.0


@internal
def stars_of(value: float, thresholds: npt.NDArray[np.float64], first: int, n: int) -> int:
    """Return the stars of an ordered probit: one more than the thresholds that are reached."""
    stars = 1
    for k in range(first, first + n):
        stars += value >= thresholds[k]
    return stars


@internal
def judge(seed: int, tables: CaseTables, slot: int, time: float) -> None:
    """Judge what was lived; then put every response that will come on the heap (`pending` counts them).

    A case that comes here without an experience (refused, cancelled, never answered) is judged by what that is worth:
    its user has nothing to send back, to buy again, or to learn from about what was shown.
    """
    shared, state, plan, out = tables.shared, tables.state, tables.plan, tables.out
    c = state.cases[slot]
    s = shared.stages[c.stage]
    c.pending = 0
    c.outcome = CONTINUE
    value = 0.0
    gap = 0.0
    lived = np.float64(c.lived)
    never_came = c.used == 1 and lived != lived
    if never_came:
        lived = s.never_came
    if c.used == 1:
        gap = lived - np.float64(c.expected)
        value = satisfied(lived, np.float64(c.expected), s.experience_weight, s.confirmation, s.loss_aversion)
        late = lateness(shared, c)
        value += late
        c.satisfaction = np.float32(value)
        out.tallies[Tally.SATISFACTION] += fixed(value)
        out.tallies[Tally.JUDGED_PLAYS] += 1
        _feel(tables, c, gap + late)  # a broken promise is a loss as well
        if not never_came:
            _learn(seed, tables, c)
    # Who sends it back has said by then what they will say: a return is the last response, and comes in its own time.
    last = np.inf
    returning = plan.types[tables.items.state[c.item].type].returning
    odds = s.returns_log_odds + returning + s.returns_slope * value
    if (
        s.returns == 1
        and not never_came
        and uniform(case_luck(c, 0, CaseDraw.RETURNS)) < sigmoid(odds, plan.exp_log_tables)
    ):
        last = 0.0
        if s.returns_delay >= 0:
            last = quantised(drawn(plan.quantiles, s.returns_delay, case_luck(c, 0, CaseDraw.RETURN_DELAY)))
        _later(state, c, slot, time + last, Happens.RETURN, 0)
        c.outcome = RETURN
    elif c.used == 1 and not never_came and s.again_types != 0:
        means_to_return(tables, c, value, time)
    if c.used == 1:
        for a in range(s.n_acts):
            if never_came and (s.never_came_acts >> np.uint64(a)) & np.uint64(1) == 0:
                continue
            act = shared.acts[s.first_act + a]
            if uniform(case_luck(c, a, CaseDraw.ACT)) >= sigmoid(act.log_odds + act.slope * value, plan.exp_log_tables):
                continue
            wait = 0.0
            if act.delay >= 0:
                wait = quantised(drawn(plan.quantiles, act.delay, case_luck(c, a, CaseDraw.ACT_DELAY)))
            _later(state, c, slot, time + min(wait, last), Happens.ACT, s.first_act + a)
        if s.rating_event >= 0 and (s.never_came_rates == 1 or not never_came):
            odds = s.rating_log_odds + s.rating_slope * abs(gap)
            if uniform(case_luck(c, 0, CaseDraw.RATES)) < sigmoid(odds, plan.exp_log_tables):
                noise = np.float64(plan.quantiles[NORMAL, table_index(case_luck(c, 0, CaseDraw.RATING_NOISE))])
                c.stars = stars_of(value + s.rating_noise * noise, shared.thresholds, s.first_threshold, s.n_thresholds)
                wait = quantised(drawn(plan.quantiles, s.rating_delay, case_luck(c, 0, CaseDraw.RATING_DELAY)))
                _later(state, c, slot, time + min(wait, last), Happens.RATE, 0)
    if c.pending == 0:
        c.outcome = LEAVE


@internal
def _feel(tables: CaseTables, c: Array, felt: float) -> None:
    """Move a user's goodwill by what was `felt`."""
    user_params, u = tables.plan.user_params[0], tables.users.state[np.int64(c.user)]
    u.goodwill += user_params.goodwill_gain * max(felt, 0.0) + user_params.goodwill_loss * min(felt, 0.0)


@internal
def _learn(seed: int, tables: CaseTables, c: Array) -> None:
    """Move a user's trust by what each modality had promised."""
    plan, users, items = tables.plan, tables.users, tables.items
    user, item = np.int64(c.user), np.int64(c.item)
    u = users.state[user]
    learnable = np.uint32(0)
    for m in range(plan.modalities.shape[0]):
        learnable |= np.uint32(plan.modalities[m].trust >= 0) << np.uint32(m)
    learn_trust(
        mix(mix(root(seed, PERCEPTION), u.key), np.uint64(item)), c.attended & learnable, user, item, tables.numbers
    )
    own = plan.types[items.state[item].type].own
    for k in range(np.int64(c.picks)):  # every item of a basket teaches as well, but not of what is its parent's
        one = np.int64(c.basket[k])
        learn_trust(
            mix(mix(root(seed, PERCEPTION), u.key), np.uint64(one)),
            np.uint32(c.basket_attended[k]) & learnable & ~own, user, one, tables.numbers,
        )  # fmt: skip


@internal
def _later(state: CaseState, c: Array, slot: int, time: float, kind: int, detail: int) -> None:
    c.pending += 1
    push(state, time, case_number(c), kind, detail, slot, np.int64(c.generation))


@internal
def respond_now(tables: CaseTables, slot: int, time: float, kind: int, detail: int) -> bool:
    """Let one response happen. Returns whether it was the last that is to come."""
    shared, counts = tables.shared, tables.state.counts
    c = tables.state.cases[slot]
    if kind == Happens.ACT:
        happened(tables, slot, time, np.int64(shared.acts[detail].event), math.nan)
    elif kind == Happens.RATE:
        s, stars = shared.stages[c.stage], np.float64(c.stars)
        happened(tables, slot, time, np.int64(s.rating_event), stars)
        if s.text_event >= 0:
            odds = s.text_log_odds + s.text_slope * abs(np.float64(c.satisfaction))
            if uniform(case_luck(c, 0, CaseDraw.TEXT)) < sigmoid(odds, tables.plan.exp_log_tables):
                happened(tables, slot, time, np.int64(s.text_event), stars)
        counts[Count.RATED] += 1
        counts[Count.STARS] += np.int64(c.stars)
    c.pending -= 1
    return c.pending == 0


@internal
def arrived(state: CaseState, c: Array, time: float) -> None:
    """Count a fulfilment that has ended well: whether in time."""
    c.fulfilled = time
    if c.promised >= 0.0:
        state.counts[Count.PROMISED] += 1
        state.counts[Count.LATE] += time > c.promised
