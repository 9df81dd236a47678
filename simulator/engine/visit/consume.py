"""Consume: a play starts, the belief sharpens while it runs, and leaving is a hazard that depends on it."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from simulator.engine.jit.compile import inlined
from simulator.engine.primitives import chosen_by, drawn, exponential, quantised, sigmoid, slot_of, waited
from simulator.engine.randomness import mix, uniform
from simulator.engine.stack_arrays import float_buffer, int_buffer, key_buffer, padded
from simulator.engine.tables.codes import SharedEvent
from simulator.engine.tables.tables import Array, AtEnd, Draw, Numbers, Tables, Tally
from simulator.engine.user.beliefs import utility_of
from simulator.engine.user.beliefs_batch import Plays, attention, beliefs, utilities
from simulator.engine.user.item_memory import keep_in_mind, known_again, recalled
from simulator.engine.user.satiation import faded_all
from simulator.engine.user.shown_numbers import EVERYTHING, attribute_utility
from simulator.engine.user.watching import leave_by_share, leave_time, loops, satisfied
from simulator.engine.visit.pauses import PAUSE, PAUSING, PLAYING, pauses
from simulator.engine.visit.paywall import cut_off
from simulator.engine.visit.records import NAN, is_recorded, record_play

COMPLETE, SKIP = 0, 1
STARTING = 2
"""Value of `playing` of a row whose play is about to start."""

_WATCHING = np.uint64(2)
_HARDLY = 1e-12  # 1/s


@inlined
def start_plays(at: npt.NDArray[np.int64], m: int, stage: int, n: int, tables: Tables) -> int:
    """Start a play in each of the rows at[:m], all of one stage, and draw how it will end.

    The plays have nothing to do with each other. They are worked out side by side, step by step, because a processor
    can do the same with many numbers at once. Each row's clock moves to the end of its play.

    Returns:
        The number of records.
    """
    s, rows, numbers = tables.plan.stages[stage], tables.visits.state, tables.numbers
    plays = Plays(
        int_buffer(), int_buffer(), int_buffer(), int_buffer(), key_buffer(), key_buffer(), key_buffer(),
        key_buffer(), key_buffer(), key_buffer(), key_buffer(), key_buffer(), float_buffer(), float_buffer(),
        float_buffer(), float_buffer(), float_buffer(), float_buffer(), float_buffer(), float_buffer(),
        float_buffer(), float_buffer(), float_buffer(), float_buffer(), float_buffer(), float_buffer(),
        float_buffer(), float_buffer(), float_buffer(), float_buffer(),
    )  # fmt: skip
    padded_width = padded(at, m)
    _gather(at, padded_width, s, plays, tables)
    if s.wall >= 0:
        cut_off(plays.until, m, plays.user, plays.item, s, tables)
    utilities(padded_width, plays, numbers)
    attention(padded_width, plays, numbers.modalities)
    beliefs(padded_width, plays, s.glance, numbers)
    _tire(padded_width, m, plays, numbers)
    for k in range(m):
        _first_sight(k, rows[at[k]], plays, tables)
    _draw_leaving(padded_width, s, plays, numbers)
    if s.n_shares > 0:
        _leave_by_share(padded_width, s, plays, tables)
    for k in range(m):
        v = rows[at[k]]
        _forget_the_last(v)
        if plays.away[k] < 0.0:
            v.watched = _play_to_nobody(k, v, s, plays, numbers)
        elif plays.left[k] < plays.sighted[k] * plays.judged_after[k] and v.picked == 0:
            # gone at sight, before anything was read: no judgment, no experience to speak of
            v.watched = quantised(min(plays.left[k] / plays.sighted[k], plays.until[k]))
            v.belief, v.belief_sd, v.lived, v.satisfaction = NAN, NAN, NAN, NAN
        else:
            _watch(k, v, s, plays, tables)
        n = _tell_start(k, v, n, plays, tables)
        v.clock += v.watched
        v.playing = PAUSING if v.outcome == PAUSE else PLAYING
    return n


@inlined
def _gather(at: npt.NDArray[np.int64], padded_width: int, s: Array, plays: Plays, tables: Tables) -> None:
    """Fill the columns that say who plays what, and how much of it there is for them."""
    screens, types, first_topic = (
        tables.plan.screens,
        tables.plan.types,
        np.int64(tables.plan.user_params[0].first_topic),
    )
    users, items, rows = tables.users.state, tables.items.state, tables.visits.state
    user, item, kind, topic, own, place = plays.user, plays.item, plays.kind, plays.topic, plays.own, plays.place
    key, knowing, seen, visible, already = plays.key, plays.knowing, plays.seen, plays.visible, plays.already
    mindful, elsewhere, clock, duration = plays.mindful, plays.elsewhere, plays.clock, plays.duration
    until, hasty = plays.until, plays.hasty
    for k in range(padded_width):
        v = rows[at[k]]
        facts = items[v.item]
        user[k], item[k] = np.int64(v.user), np.int64(v.item)
        kind[k], topic[k] = np.int64(facts.type), first_topic + np.int64(facts.topic)
        own[k], key[k], knowing[k] = v.decisions, v.perceptions, v.knowing
        place[k] = slot_of(v.request, np.int64(v.slot))
        seen[k] = np.uint64(np.uint32(screens[s.number, v.device, 0]) & ~facts.missing)
        visible[k] = seen[k] & ~np.uint64(v.muted)
        already[k] = np.uint64(v.attended)
        mindful[k] = s.attention * v.mindful
        elsewhere[k] = s.unattended if v.elsewhere < 0.0 else np.float64(v.elsewhere)
        duration[k] = until[k] = np.float64(facts.duration)
        clock[k] = v.clock
        hasty[k] = np.float64(v.haste) / np.float64(users[user[k]].patience)
    for k in range(padded_width):
        own[k] = mix(own[k], _WATCHING)
        key[k] = mix(key[k], np.uint64(item[k]))
        knowing[k] = mix(knowing[k], np.uint64(kind[k]))
        hasty[k] *= types[kind[k]].leaving


@inlined
def _tire(padded_width: int, m: int, plays: Plays, numbers: Numbers) -> None:
    """Set what satiation with their topics takes off."""
    user_params, satiation_trust = numbers.user_params[0], numbers.satiation_trust
    user, topic, tired = plays.user, plays.topic, plays.tired
    fading = float_buffer()
    faded_all(padded_width, m, user, plays.clock, numbers, fading)
    for k in range(padded_width):
        tired[k] = user_params.satiation_weight * satiation_trust[user[k], topic[k]] * fading[k]


@inlined
def _first_sight(k: int, v: Array, plays: Plays, tables: Tables) -> None:
    """Begin the play at place `k`: what is known of it so far, what is remembered, and numbers shown as they are."""
    numbers, tallies, u = tables.numbers, tables.out.tallies, tables.users.state[plays.user[k]]
    key, user, item, attribute_effects = (
        plays.key[k],
        plays.user[k],
        plays.item[k],
        numbers.attribute_effects.shape[0] > 0,
    )
    v.played_at = v.clock
    v.case = u.cases
    u.cases += np.uint32(1)
    if v.picked == 0:
        v.utility = plays.worth[k]
        if attribute_effects:
            v.utility += np.float32(attribute_utility(key, v.clock, user, item, EVERYTHING, numbers))
        v.expected = numbers.types[plays.kind[k]].prior
        v.best = v.utility if v.shown == 0 else max(v.best, v.utility)
        v.total += v.utility
        v.shown += np.uint32(1)
        tables.out.counters[item, 0] += 1
        tallies[Tally.IMPRESSIONS] += 1
    else:
        v.expected = v.belief
    plays.worth[k] = np.float64(v.utility) - plays.tired[k]
    attended = np.uint32(plays.attended[k])
    plays.belief[k], plays.variance[k] = recalled(
        plays.belief[k], plays.variance[k], user, item, attended, v.clock, numbers
    )
    if attribute_effects:  # of the numbers only those that were read
        plays.belief[k] += attribute_utility(key, v.clock, user, item, attended, numbers)


@inlined
def _draw_leaving(padded_width: int, s: Array, plays: Plays, numbers: Numbers) -> None:
    """Draw when users would leave, were there nothing else; whether they look, bear what is bad, and jump ahead."""
    quantiles, exp_log_tables, own, place = numbers.quantiles, numbers.exp_log_tables, plays.own, plays.place
    left, sighted, judged_after, known_after = plays.left, plays.sighted, plays.judged_after, plays.known_after
    hasty, belief, tired, worth, leaves = plays.hasty, plays.belief, plays.tired, plays.worth, plays.leaves
    away, bearing, seeking, elsewhere = plays.away, plays.bearing, plays.seeking, plays.elsewhere
    for k in range(padded_width):
        judged_after[k] = drawn(quantiles, s.judged_after, chosen_by(own[k], place[k], Draw.JUDGED))
    for k in range(padded_width):
        known_after[k] = judged_after[k] + drawn(quantiles, s.known_after, chosen_by(own[k], place[k], Draw.KNOWN))
    for k in range(padded_width):
        left[k] = waited(chosen_by(own[k], place[k], Draw.HAZARD), exp_log_tables)
    for k in range(padded_width):
        at_sight = hasty[k] * s.leave_at_sight
        gut = belief[k] - tired[k]
        judges = hasty[k] * s.leave_judged * exponential(-s.judgment_sensitivity * gut, exp_log_tables)
        knows = hasty[k] * s.leave_known * exponential(-s.truth_sensitivity * worth[k], exp_log_tables)
        sighted[k] = at_sight
        leaves[k] = leave_time(left[k], at_sight, judged_after[k], judges, known_after[k], knows)
    for k in range(padded_width):
        away[k] = uniform(chosen_by(own[k], place[k], Draw.UNATTENDED)) - elsewhere[k]
        bearing[k] = s.tolerate - uniform(chosen_by(own[k], place[k], Draw.TOLERATE))
        seeking[k] = s.seek - uniform(chosen_by(own[k], place[k], Draw.SEEK))


@inlined
def _leave_by_share(padded_width: int, s: Array, plays: Plays, tables: Tables) -> None:
    """Let users leave earlier, where the hazards that begin at shares of a play say so; of two times the first counts.

    Who leaves by them before the judgment leaves at sight: `left` says so.
    """
    steps, exp_log_tables, own, place = tables.plan.leave_by_share, tables.plan.exp_log_tables, plays.own, plays.place
    left, sighted, leaves, hasty, duration = plays.left, plays.sighted, plays.leaves, plays.hasty, plays.duration
    for k in range(padded_width):
        lives_through = waited(chosen_by(own[k], place[k], Draw.LEAVE_BY_SHARE), exp_log_tables) / hasty[k]
        earlier = leave_by_share(lives_through, 0.0, duration[k], steps, s.first_share, s.n_shares)
        sighted[k] = max(sighted[k], _HARDLY)
        left[k] = min(left[k], sighted[k] * earlier)
        leaves[k] = min(leaves[k], earlier)


@inlined
def _forget_the_last(v: Array) -> None:
    """Clear what the visit `v` knows of the play before."""
    v.tolerated = 0.0
    v.sought = 0.0
    v.judged = 0
    v.known = 0
    v.unattended = 0
    v.walled = 0
    v.outcome = SKIP
    v.attended = np.uint32(0)


@inlined
def _play_to_nobody(k: int, v: Array, s: Array, plays: Plays, numbers: Numbers) -> float:
    """Let the phone play while nobody looks: no cue, no judgment, no response. Returns for how long, s."""
    duration, until = plays.duration[k], plays.until[k]
    key = chosen_by(plays.own[k], plays.place[k], Draw.UNATTENDED_SECONDS)
    watched = quantised(drawn(numbers.quantiles, s.unattended_seconds, key))
    v.unattended = 1
    if s.wall >= 0 and s.moves == 1 and until < min(duration, watched):
        watched = quantised(until)
        v.walled = 1
    v.outcome = COMPLETE if watched >= duration and until == duration else SKIP
    if s.at_end == AtEnd.NEXT:
        watched = min(watched, quantised(duration))
    v.belief, v.belief_sd, v.lived, v.satisfaction = NAN, NAN, NAN, NAN
    return watched


@inlined
def _watch(k: int, v: Array, s: Array, plays: Plays, tables: Tables) -> None:
    """Set how long the play at place `k` is watched, how it ends, and how satisfied its user is."""
    numbers, own, place = tables.numbers, plays.own[k], plays.place[k]
    quantiles, exp_log_tables, memory = numbers.quantiles, numbers.exp_log_tables, numbers.item_memory
    user, item, kind = plays.user[k], plays.item[k], numbers.types[plays.kind[k]]
    judged_after, known_after, until, duration = (
        plays.judged_after[k], plays.known_after[k], plays.until[k], plays.duration[k],
    )  # fmt: skip
    gut = plays.belief[k] - plays.tired[k]
    ends = until
    watched = plays.leaves[k]
    # judged bad, and borne all the same for a while (`min`: one rare branch, not three)
    if min(plays.bearing[k], min(-gut, np.float64(v.tolerance))) > 0.0:
        borne = drawn(quantiles, s.tolerated_seconds, chosen_by(own, place, Draw.TOLERATED_SECONDS))
        watched = judged_after + borne
        v.tolerated = min(borne, max(until - judged_after, 0.0))
    if min(plays.seeking[k], min(watched, ends) - known_after) > 0.0:
        jumped = ends * drawn(quantiles, s.seek_share, chosen_by(own, place, Draw.SEEK_SHARE))
        ends = max(ends - jumped, min(known_after, ends))
        v.sought = until - ends
    knows_it = watched > known_after
    if watched >= ends and until < duration:  # at the wall: what is behind it nobody has met
        watched = ends
        knows_it = v.sought > 0.0 or ends > known_after
        v.walled = 1
    elif watched >= ends:
        v.outcome = COMPLETE
        stays = min(watched, ends * (1.0 + s.loops_at_most))
        watched = ends
        knows_it = True
        if s.at_end == AtEnd.AGAIN and v.tolerated == 0.0 and v.sought == 0.0:
            watched = stays
        elif v.tolerated == 0.0 and v.sought == 0.0:
            again = sigmoid(s.loop_log_odds + s.loop_sensitivity * plays.worth[k], exp_log_tables)
            times = loops(uniform(chosen_by(own, place, Draw.LOOP)), again, s.loops_at_most)
            if times > 0:
                watched += ends * (times - 1 + uniform(chosen_by(own, place, Draw.LOOP_PART)))
    watched = quantised(watched)
    if knows_it and memory.shape[1] > 0 and kind.known > 0.0:
        # nobody but this play reads it before the play has ended
        met = utility_of(plays.key[k], user, item, numbers)
        subject = known_again(item, np.int64(numbers.items[item].creator), kind)
        keep_in_mind(memory, user, subject, met, kind.known_rate, v.clock + watched)
    lived = plays.worth[k] if knows_it else gut
    if s.pause > 0.0 and v.outcome == SKIP and knows_it:
        v.outcome = PAUSE if pauses(v, tables.users.deferred, s, duration - watched) else SKIP
    v.judged = 1
    v.known = knows_it
    v.attended = np.uint32(plays.attended[k])
    v.belief, v.belief_sd, v.lived = plays.belief[k], math.sqrt(plays.variance[k]), lived
    v.satisfaction = satisfied(lived, np.float64(v.expected), s.experience_weight, s.confirmation, s.loss_aversion)
    v.watched = watched


@inlined
def _tell_start(k: int, v: Array, n: int, plays: Plays, tables: Tables) -> int:
    """Count and record the beginning of the play at place `k`. Returns the number of records."""
    out, counts_opens = tables.out, np.int64(tables.plan.counted[SharedEvent.OPEN, 0])
    event = SharedEvent.OPEN if v.picked == 1 else SharedEvent.IMPRESSION
    out.tallies[Tally.EVENT + event] += 1
    if v.picked == 1 and counts_opens > 0:
        out.counters[plays.item[k], counts_opens] += 1
    if is_recorded(event, out):
        n = record_play(n, v, event, np.nan, np.nan, np.uint32(plays.seen[k]), tables)
    return n
