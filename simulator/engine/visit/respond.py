"""Respond: what the user does about an experience, what they learn from it, and whether they stay."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from simulator.engine.jit.compile import inlined, internal
from simulator.engine.primitives import chosen_by, decision_key, drawn, quantised, sigmoid, slot_of
from simulator.engine.randomness import mix, uniform
from simulator.engine.stack_arrays import float_buffer, int_buffer, key_buffer, padded
from simulator.engine.tables.codes import SharedEvent
from simulator.engine.tables.tables import (
    FOLLOWED,
    LEVELS,
    LEVELS_PER_UNIT,
    NO_CASE,
    USUAL,
    Array,
    Draw,
    Tables,
    Tally,
)
from simulator.engine.user.return_and_churn import leave_log_odds
from simulator.engine.user.trust import learn_trust
from simulator.engine.visit.outcomes import follow, outcome_event
from simulator.engine.visit.records import is_recorded, record_play

CONTINUE, LEAVE, DETOUR = 0, 1, 2

_ABSENT = np.uint32(NO_CASE)


@inlined
def responses(at: npt.NDArray[np.int64], m: int, stage: int, n: int, learnable: np.uint32, tables: Tables) -> int:
    """Let the users of the rows at[:m], all at one stage, respond to their plays, and go on or end their visits.

    `learnable` are the modalities whose bias can be learned, bits.

    Returns:
        The number of records.
    """
    plan, rows, tallies = tables.plan, tables.visits.state, tables.out.tallies
    bounds = plan.act_bounds
    silence = bounds.shape[1] - 1  # column of the probability that no act is left open

    own, place, elsewhere = key_buffer(), key_buffer(), int_buffer()
    satisfaction, gate, shut = float_buffer(), float_buffer(), float_buffer()
    padded_width = padded(at, m)
    for k in range(padded_width):
        v = rows[at[k]]
        own[k], place[k] = v.decisions, slot_of(v.request, np.int64(v.slot))
        satisfaction[k] = np.float64(v.satisfaction) if v.unattended == 0 and v.judged == 1 else 0.0
    for k in range(padded_width):
        gate[k] = uniform(chosen_by(own[k], place[k], Draw.ACT_GATE))
        shut[k] = 1.0 - bounds[level_of(satisfaction[k]), silence]
    for k in range(m):
        v = rows[at[k]]
        elsewhere[k] = 0
        if v.unattended == 1 or v.judged == 0:
            continue
        bonus = _bonus(v, tables)
        usual = abs(satisfaction[k]) < USUAL and bonus == 0.0
        done = 0
        if not usual or gate[k] < shut[k]:
            n, done, elsewhere[k] = acts_of(v, n, satisfaction[k], bonus, gate[k], usual, tables)
        tallies[Tally.SILENT] += done == 0
        _learn(v, satisfaction[k], learnable, tables)

    # ---- the next item, or the end of the visit
    leaves = float_buffer()
    _draw_ends(at, padded_width, own, place, satisfaction, leaves, tables)
    for k in range(m):
        v = rows[at[k]]
        outcome = LEAVE if leaves[k] > 0.0 else DETOUR if elsewhere[k] == 1 else CONTINUE
        if plan.events[stage, outcome] >= 0:
            n = outcome_event(v, n, outcome, np.nan, _ABSENT, tables)
        follow(v, stage, outcome, plan.shares, plan.alternatives)
    return n


@inlined
def _bonus(v: Array, tables: Tables) -> float:
    """Return what it adds to the log-odds of positive acts that the user follows the item's creator."""
    s, followed = tables.plan.stages[v.stage], tables.users.followed
    creator = tables.items.state[np.int64(v.item)].creator
    bonus = 0.0
    for j in range(min(np.int64(tables.users.state[np.int64(v.user)].followed_n), FOLLOWED)):
        if followed[np.int64(v.user), j] == creator:
            bonus = s.followed_bonus
    return bonus


@inlined
def _learn(v: Array, satisfaction: float, learnable: np.uint32, tables: Tables) -> None:
    """Change the user by what was lived: goodwill, tolerance, a run of bad luck, and trust in what was promised."""
    numbers, user, item = tables.numbers, np.int64(v.user), np.int64(v.item)
    u, user_params = numbers.users[user], numbers.user_params[0]
    gap = np.float64(v.lived) - np.float64(v.expected)
    # without a branch: whether a play was better or worse than expected is nothing that a processor can predict
    gained = user_params.goodwill_gain * max(gap, 0.0) + user_params.goodwill_loss * min(gap, 0.0)
    u.goodwill += gained - user_params.goodwill_tolerated * v.tolerated
    v.tolerance -= v.tolerated
    v.streak = (v.streak + np.uint32(1)) * np.uint32(satisfaction < 0.0)
    # what a modality promised against what was met, facet by facet
    learning = v.attended & learnable & (np.uint32(0) - np.uint32(v.known))
    if learning != 0:
        learn_trust(mix(v.perceptions, np.uint64(item)), learning, user, item, numbers)


@inlined
def _draw_ends(
    at: npt.NDArray[np.int64],
    padded_width: int,
    own: npt.NDArray[np.uint64],
    place: npt.NDArray[np.uint64],
    satisfaction: npt.NDArray[np.float64],
    leaves: npt.NDArray[np.float64],
    tables: Tables,
) -> None:
    """Set `leaves` above 0 where users end their visits."""
    rows, user_params, exp_log_tables = tables.visits.state, tables.plan.user_params[0], tables.plan.exp_log_tables
    streak, elapsed, tolerance = float_buffer(), float_buffer(), float_buffer()
    for k in range(padded_width):
        v = rows[at[k]]
        streak[k], tolerance[k] = np.float64(v.streak), np.float64(v.tolerance)
        elapsed[k], leaves[k] = v.clock - v.start, np.float64(v.budget)
    for k in range(padded_width):
        odds = leave_log_odds(satisfaction[k], streak[k], elapsed[k] / leaves[k], tolerance[k], user_params)
        leaves[k] = sigmoid(odds, exp_log_tables) - uniform(chosen_by(own[k], place[k], Draw.LEAVE))


@internal
def acts_of(
    v: Array, n: int, satisfaction: float, bonus: float, gate: float, usual: bool, tables: Tables
) -> tuple[int, int, int]:
    """Draw what a user does about an experience.

    Few plays lead to an act. One uniform, `gate`, finds the first act that its bound leaves open: the a-th with
    probability bound_a times the product of 1 - bound over those before it; each act after that has its own. So every
    act is still an independent coin, and most plays throw one. Where an experience is not `usual` there are no bounds.

    Returns:
        The number of records and of acts, and 1 if one leads elsewhere.
    """
    plan, users, items, out = tables.plan, tables.users, tables.items, tables.out
    s, acts, bounds, u = plan.stages[v.stage], plan.acts, plan.act_bounds, users.state[np.int64(v.user)]
    tallies, counters = out.tallies, out.counters
    item, slot = np.int64(v.item), np.int64(v.slot)
    level = level_of(satisfaction)
    done, positive, detour, spent, before = 0, 0, 0, 0.0, 1.0
    for a in range(acts.shape[0]):
        draw = uniform(decision_key(v.decisions, v.request, slot, Draw.ACT + a))
        if usual and before > 0.0:
            # 1 - before is the probability that an act before this one was left open
            after = before * (1.0 - bounds[level, a])
            if gate >= 1.0 - after:
                before = after
                continue
            draw *= bounds[level, a]
            before = 0.0
        odds = acts[a].log_odds + acts[a].slope * satisfaction
        if acts[a].positive == 1:
            odds += bonus
        if draw >= sigmoid(odds, plan.exp_log_tables):
            continue
        event = acts[a].event
        if event == SharedEvent.FOLLOW:
            users.followed[np.int64(v.user), u.followed_n % FOLLOWED] = items.state[item].creator
            u.followed_n = u.followed_n + 1 if u.followed_n < 2 * FOLLOWED - 1 else FOLLOWED
        if acts[a].topic == 1:
            follow_topic(users.followed, np.int64(v.user), np.int64(items.state[item].topic))
        done += 1
        positive |= acts[a].positive
        detour |= acts[a].detour
        key = decision_key(v.decisions, v.request, slot, Draw.ACT_SECONDS + a)
        seconds = quantised(drawn(plan.quantiles, s.seconds, key))
        tallies[Tally.EVENT + event] += 1
        if acts[a].counter >= 0:
            counters[item, acts[a].counter] += 1
        if is_recorded(np.int64(event), out):
            seen = np.uint32(plan.screens[v.stage, v.device, 0])
            n = record_play(n, v, np.int64(event), seconds, satisfaction, seen, tables)
        spent += seconds
    # acts are dated at the decision; the seconds that they take pass afterwards
    v.clock += spent
    tallies[Tally.POSITIVE] += positive
    return n, done, detour


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
    """Return the row of the acts' bounds for a satisfaction: that of its level, of all levels from -USUAL to USUAL."""
    return np.int64(min(max(0.0, (satisfaction + USUAL) * LEVELS_PER_UNIT), LEVELS - 1.0))
