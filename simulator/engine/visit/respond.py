"""Respond: what the user does about an experience, what they learn from it, and whether they stay."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from simulator.engine.jit.compile import inlined, internal
from simulator.engine.primitives import chosen_by, decision_key, drawn, quantised, sigmoid, slot_of
from simulator.engine.randomness import mix, uniform
from simulator.engine.stack_arrays import padded, reals, wholes, words
from simulator.engine.tables.tables import (
    FOLLOWED,
    LEVELS,
    LEVELS_PER_UNIT,
    NO_CASE,
    USUAL,
    Array,
    Goods,
    Output,
    People,
    Plan,
    Tally,
    Visits,
    What,
)
from simulator.engine.user.return_and_churn import leave_log_odds
from simulator.engine.user.trust import learn_trust
from simulator.engine.visit.outcomes import follow, outcome_event
from simulator.engine.visit.records import record

CONTINUE, LEAVE, ASIDE = 0, 1, 2

_FOLLOW = 8  # code of the event
_W_ACT, _W_ACT_GATE, _W_ACT_SECONDS = int(What.ACT), int(What.ACT_GATE), int(What.ACT_SECONDS)
_W_LEAVE = int(What.LEAVE)
_SILENT, _POSITIVE, _EVENT = int(Tally.SILENT), int(Tally.POSITIVE), int(Tally.EVENT)
_ABSENT = np.uint32(NO_CASE)


@inlined
def responses(
    at: npt.NDArray[np.int64],
    m: int,
    stage: int,
    n: int,
    learnable: np.uint32,
    plan: Plan,
    people: People,
    goods: Goods,
    visits: Visits,
    out: Output,
) -> int:
    """What follows the plays of the rows at[:m], all at one stage: acts or silence, goodwill, tolerance, trust.

    Then the next item, or the end of the visit. `learnable` are the modalities whose bias can be learned, bits.

    Returns:
        The number of records.
    """
    s, habits = plan.stages[stage], plan.habits[0]
    bounds, powers = plan.act_bounds, plan.powers
    users, followed, items, rows = people.state, people.followed, goods.facts, visits.state
    tallies = out.tallies
    silence = bounds.shape[1] - 1  # column of the probability that no act is left open

    own, place, elsewhere = words(), words(), wholes()
    satisfaction, gate, shut = reals(), reals(), reals()
    wide = padded(at, m)
    for k in range(wide):
        v = rows[at[k]]
        own[k], place[k] = v.decisions, slot_of(v.request, np.int64(v.slot))
        satisfaction[k] = np.float64(v.satisfaction) if v.unattended == 0 and v.judged == 1 else 0.0
    for k in range(wide):
        gate[k] = uniform(chosen_by(own[k], place[k], _W_ACT_GATE))
        shut[k] = 1.0 - bounds[level_of(satisfaction[k]), silence]
    for k in range(m):
        v = rows[at[k]]
        elsewhere[k] = 0
        if v.unattended == 1 or v.judged == 0:
            continue
        u = users[np.int64(v.user)]
        item = np.int64(v.item)

        # ---- acts, or silence
        bonus = 0.0
        for j in range(min(np.int64(u.followed_n), FOLLOWED)):
            if followed[np.int64(v.user), j] == items[item].creator:
                bonus = s.followed_bonus
        usual = abs(satisfaction[k]) < USUAL and bonus == 0.0
        done = 0
        if not usual or gate[k] < shut[k]:
            n, done, elsewhere[k] = acts_of(
                v, u, stage, n, satisfaction[k], bonus, gate[k], usual, plan, people, goods, out
            )
        tallies[_SILENT] += done == 0

        # ---- goodwill, tolerance, and a run of bad luck
        gap = np.float64(v.lived) - np.float64(v.expected)
        # without a branch: whether a play was better or worse than expected is nothing that a processor can predict
        gained = habits.goodwill_gain * max(gap, 0.0) + habits.goodwill_loss * min(gap, 0.0)
        u.goodwill += gained - habits.goodwill_tolerated * v.tolerated
        v.tolerance -= v.tolerated
        v.streak = (v.streak + np.uint32(1)) * np.uint32(satisfaction[k] < 0.0)

        # ---- trust: what a modality promised against what was met, facet by facet
        learning = v.attended & learnable & (np.uint32(0) - np.uint32(v.known))
        if learning != 0:
            learn_trust(
                mix(v.perceptions, np.uint64(item)), learning, np.int64(v.user), item, habits.trust_rate, plan.pairs,
                plan.modalities, plan.facets, plan.quantiles, people.taste, people.mood, goods.vectors, goods.colour,
            )  # fmt: skip

    # ---- the next item, or the end of the visit
    leaves, streak, elapsed, tolerance = reals(), reals(), reals(), reals()
    for k in range(wide):
        v = rows[at[k]]
        streak[k], tolerance[k] = np.float64(v.streak), np.float64(v.tolerance)
        elapsed[k], leaves[k] = v.clock - v.start, np.float64(v.budget)
    for k in range(wide):
        odds = leave_log_odds(satisfaction[k], streak[k], elapsed[k] / leaves[k], tolerance[k], habits)
        leaves[k] = sigmoid(odds, powers) - uniform(chosen_by(own[k], place[k], _W_LEAVE))
    for k in range(m):
        v = rows[at[k]]
        outcome = LEAVE if leaves[k] > 0.0 else ASIDE if elsewhere[k] == 1 else CONTINUE
        if plan.events[stage, outcome] >= 0:
            n = outcome_event(v, n, stage, outcome, np.nan, _ABSENT, plan, out)
        follow(v, stage, outcome, plan.shares, plan.alternatives)
    return n


@internal
def acts_of(
    v: Array,
    u: Array,
    stage: int,
    n: int,
    satisfaction: float,
    bonus: float,
    gate: float,
    usual: bool,
    plan: Plan,
    people: People,
    goods: Goods,
    out: Output,
) -> tuple[int, int, int]:
    """What a user does about an experience. Returns the number of records and of acts, and 1 if one leads elsewhere.

    Few plays lead to an act. One uniform, `gate`, finds the first act that its bound leaves open: the a-th with
    probability bound_a times the product of 1 - bound over those before it; each act after that has its own. So every
    act is still an independent coin, and most plays throw one. Where an experience is not `usual` there are no bounds.
    """
    s, acts, bounds = plan.stages[stage], plan.acts, plan.act_bounds
    records, tallies, counters = out.records, out.tallies, out.counters
    item, slot = np.int64(v.item), np.int64(v.slot)
    level = level_of(satisfaction)
    done, positive, aside, spent, before = 0, 0, 0, 0.0, 1.0
    for a in range(acts.shape[0]):
        luck = uniform(decision_key(v.decisions, v.request, slot, _W_ACT + a))
        if usual and before > 0.0:
            # 1 - before is the probability that an act before this one was left open
            after = before * (1.0 - bounds[level, a])
            if gate >= 1.0 - after:
                before = after
                continue
            luck *= bounds[level, a]
            before = 0.0
        odds = acts[a].log_odds + acts[a].slope * satisfaction
        if acts[a].positive == 1:
            odds += bonus
        if luck >= sigmoid(odds, plan.powers):
            continue
        event = acts[a].event
        if event == _FOLLOW:
            people.followed[np.int64(v.user), u.followed_n % FOLLOWED] = goods.facts[item].creator
            u.followed_n = u.followed_n + 1 if u.followed_n < 2 * FOLLOWED - 1 else FOLLOWED
        if acts[a].topic == 1:
            follow_topic(people.followed, np.int64(v.user), np.int64(goods.facts[item].topic))
        done += 1
        positive |= acts[a].positive
        aside |= acts[a].aside
        key = decision_key(v.decisions, v.request, slot, _W_ACT_SECONDS + a)
        seconds = quantised(drawn(plan.quantiles, s.seconds, key))
        tallies[_EVENT + event] += 1
        if acts[a].counter >= 0:
            counters[item, acts[a].counter] += 1
        if records.shape[0] > 0:
            n = record(
                records, n, v, v.clock, event, item, v.case, slot, stage, s.surface, seconds, v.propensity, v.belief,
                v.belief_sd, v.utility, satisfaction, np.uint32(plan.screens[stage, v.device, 0]), v.attended,
                plan.observation, plan.quantiles,
            )  # fmt: skip
        spent += seconds
    # acts are dated at the decision; the seconds that they take pass afterwards
    v.clock += spent
    tallies[_POSITIVE] += positive
    return n, done, aside


@internal
def follow_topic(followed: npt.NDArray[np.uint32], user: int, topic: int) -> None:
    """Keep a topic that a user follows from now on; where no place is left, the oldest goes."""
    new, last = np.uint32(1 + topic), followed.shape[1] - 1
    for j in range(FOLLOWED, last + 1):
        if followed[user, j] == new:
            return
        if followed[user, j] == 0:
            followed[user, j] = new
            return
    for j in range(FOLLOWED, last):
        followed[user, j] = followed[user, j + 1]
    followed[user, last] = new


@inlined
def level_of(satisfaction: float) -> int:
    """Row of the acts' bounds for a satisfaction: that of its level, of all levels from -USUAL to USUAL."""
    return np.int64(min(max((satisfaction + USUAL) * LEVELS_PER_UNIT, 0.0), LEVELS - 1.0))
