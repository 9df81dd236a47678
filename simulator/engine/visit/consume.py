"""Consume: a play starts, the belief sharpens while it runs, and leaving is a hazard that depends on it."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from simulator.engine.jit.compile import inlined, internal
from simulator.engine.primitives import chosen_by, drawn, exponential, fixed, quantised, sigmoid, slot_of, waited
from simulator.engine.randomness import mix, uniform
from simulator.engine.stack_arrays import padded, reals, wholes, words
from simulator.engine.tables.codes import SharedEvent
from simulator.engine.tables.tables import (
    TICKS_PER_SECOND,
    VISIT_MEMORY,
    Array,
    Goods,
    Output,
    People,
    Plan,
    Tally,
    Visits,
    What,
)
from simulator.engine.user.beliefs import utility_of
from simulator.engine.user.beliefs_batch import attention, beliefs, utilities
from simulator.engine.user.item_memory import keep_in_mind, known_again, recalled
from simulator.engine.user.repetition import remember
from simulator.engine.user.satiation import faded_all
from simulator.engine.user.shown_numbers import EVERYTHING, Numbers, aside_worth
from simulator.engine.user.watching import leave_time, loops, satisfied
from simulator.engine.visit.outcomes import follow
from simulator.engine.visit.pauses import PAUSE, PAUSING, PLAYING, pauses
from simulator.engine.visit.paywall import cut_off
from simulator.engine.visit.play_endings import mark_ending
from simulator.engine.visit.records import NAN, record

COMPLETE, SKIP = 0, 1
STARTING = 2
"""Value of `playing` of a row whose play is about to start."""

# codes of the events
_IMPRESSION, _OPEN = int(SharedEvent.IMPRESSION), int(SharedEvent.OPEN)
_SEEK_EVENT, _TOLERATE_EVENT, _UNATTENDED_EVENT = 4, 13, 14
_W_UNATTENDED, _W_UNATTENDED_SECONDS = int(What.UNATTENDED), int(What.UNATTENDED_SECONDS)
_W_JUDGED, _W_KNOWN, _W_HAZARD = int(What.JUDGED), int(What.KNOWN), int(What.HAZARD)
_W_TOLERATE, _W_TOLERATED = int(What.TOLERATE), int(What.TOLERATED_SECONDS)
_W_SEEK, _W_SEEK_SHARE, _W_LOOP, _W_PART = int(What.SEEK), int(What.SEEK_SHARE), int(What.LOOP), int(What.LOOP_PART)
_PLAYS, _JUDGED_PLAYS, _WATCHED = int(Tally.PLAYS), int(Tally.JUDGED_PLAYS), int(Tally.WATCHED)
_IMPRESSIONS = int(Tally.IMPRESSIONS)
_SATISFACTION = int(Tally.SATISFACTION)
_UTILITY, _EVENT, _LABEL = int(Tally.UTILITY), int(Tally.EVENT), int(Tally.LABEL)
_WATCHING = np.uint64(2)
_MOST_REMEMBERED = 1.5


@inlined
def start_plays(
    at: npt.NDArray[np.int64],
    m: int,
    stage: int,
    n: int,
    numbers: Numbers,
    plan: Plan,
    people: People,
    goods: Goods,
    visits: Visits,
    out: Output,
) -> int:
    """Start a play in each of the rows at[:m], all of one stage, and draw how it will end.

    The plays have nothing to do with each other. They are worked out side by side, step by step, because a processor
    can do the same with many numbers at once. Each row's clock moves to the end of its play.

    Returns:
        The number of records.
    """
    s, habits = plan.stages[stage], plan.habits[0]
    screens, modalities, types, facets, weights = plan.screens, plan.modalities, plan.types, plan.facets, plan.weights
    observation, quantiles, powers = plan.observation, plan.quantiles, plan.powers
    users, taste, mood, minds = people.state, people.taste, people.mood, people.known
    items, vectors, rows = goods.facts, goods.vectors, visits.state
    records, tallies, counters, scratch = out.records, out.tallies, out.counters, out.scratch
    asides = plan.asides.shape[0] > 0
    counts_opens = np.int64(plan.counted[_OPEN, 0])
    first_topic = np.int64(habits.first_topic)

    # ---- who plays what
    wide = padded(at, m)
    user, item, kind, topic = wholes(), wholes(), wholes(), wholes()
    own, place, key, knowing, seen, already = words(), words(), words(), words(), words(), words()
    visible, mindful, elsewhere = words(), reals(), reals()
    clock, satiated_at, duration, until, hasty = reals(), reals(), reals(), reals(), reals()
    for k in range(wide):
        v = rows[at[k]]
        facts = items[v.item]
        user[k], item[k] = np.int64(v.user), np.int64(v.item)
        kind[k], topic[k] = np.int64(facts.type), first_topic + np.int64(facts.topic)
        own[k], key[k], knowing[k] = v.decisions, v.perceptions, v.knowing
        place[k] = slot_of(v.request, np.int64(v.slot))
        seen[k] = np.uint64(np.uint32(screens[stage, v.device, 0]) & ~facts.missing)
        visible[k] = seen[k] & ~np.uint64(v.muted)
        already[k] = np.uint64(v.attended)
        mindful[k] = s.attention * v.mindful
        elsewhere[k] = s.unattended if v.elsewhere < 0.0 else np.float64(v.elsewhere)
        duration[k] = until[k] = np.float64(facts.duration)
        u = users[user[k]]
        clock[k], satiated_at[k] = v.clock, u.satiated_at
        hasty[k] = np.float64(v.haste) / np.float64(u.patience)
    for k in range(wide):
        own[k] = mix(own[k], _WATCHING)
        key[k] = mix(key[k], np.uint64(item[k]))
        knowing[k] = mix(knowing[k], np.uint64(kind[k]))
        hasty[k] *= types[kind[k]].leaving

    if s.wall >= 0:
        cut_off(until, m, user, item, s, people, goods)

    # ---- what it is worth to them, and what they make of it
    worth, belief, variance, attended = reals(), reals(), reals(), words()
    utilities(wide, key, user, item, kind, taste, vectors, facets, weights, types, habits, quantiles, worth)
    attention(wide, own, place, visible, already, mindful, modalities, attended)
    beliefs(wide, key, knowing, user, item, kind, attended, s.glance, plan, people, goods, belief, variance)

    # ---- how tired they are of its topic
    fading, tired = reals(), reals()
    faded_all(wide, m, user, clock, satiated_at, users, mood, habits, powers, fading)
    for k in range(wide):
        tired[k] = habits.satiation_weight * mood[user[k], topic[k]] * fading[k]

    # ---- the first sight of it, and numbers that are shown as they are
    for k in range(m):
        v = rows[at[k]]
        v.played_at = v.clock
        v.case = users[user[k]].cases
        users[user[k]].cases += np.uint32(1)
        if v.picked == 0:
            v.utility = worth[k]
            if asides:
                v.utility += np.float32(aside_worth(key[k], v.clock, user[k], item[k], EVERYTHING, numbers))
            v.expected = types[kind[k]].prior
            v.best = v.utility if v.shown == 0 else max(v.best, v.utility)
            v.total += v.utility
            v.shown += np.uint32(1)
            counters[item[k], 0] += 1
            tallies[_IMPRESSIONS] += 1
        else:
            v.expected = v.belief
        worth[k] = np.float64(v.utility) - tired[k]
        if minds.shape[1] > 0 and types[kind[k]].known > 0.0 and np.uint32(attended[k]) & types[kind[k]].known_by != 0:
            subject = known_again(item[k], np.int64(items[item[k]].creator), types[kind[k]])
            belief[k], variance[k] = recalled(
                belief[k], variance[k], minds, user[k], subject, v.clock, types[kind[k]], powers
            )
        if asides:  # of the numbers only those that were read
            belief[k] += aside_worth(key[k], v.clock, user[k], item[k], np.uint32(attended[k]), numbers)

    # ---- when they would leave, were there nothing else
    left, sighted, judged_after, known_after, leaves = reals(), reals(), reals(), reals(), reals()
    for k in range(wide):
        judged_after[k] = drawn(quantiles, s.judged_after, chosen_by(own[k], place[k], _W_JUDGED))
    for k in range(wide):
        known_after[k] = judged_after[k] + drawn(quantiles, s.known_after, chosen_by(own[k], place[k], _W_KNOWN))
    for k in range(wide):
        left[k] = waited(chosen_by(own[k], place[k], _W_HAZARD), powers)
    for k in range(wide):
        at_sight = hasty[k] * s.leave_at_sight
        gut = belief[k] - tired[k]
        judges = hasty[k] * s.leave_judged * exponential(-s.judgment_sensitivity * gut, powers)
        knows = hasty[k] * s.leave_known * exponential(-s.truth_sensitivity * worth[k], powers)
        sighted[k] = at_sight
        leaves[k] = leave_time(left[k], at_sight, judged_after[k], judges, known_after[k], knows)
    away, bearing, seeking = reals(), reals(), reals()
    for k in range(wide):
        away[k] = uniform(chosen_by(own[k], place[k], _W_UNATTENDED)) - elsewhere[k]
        bearing[k] = s.tolerate - uniform(chosen_by(own[k], place[k], _W_TOLERATE))
        seeking[k] = s.seek - uniform(chosen_by(own[k], place[k], _W_SEEK))

    # ---- how it ends
    for k in range(m):
        v = rows[at[k]]
        gut = belief[k] - tired[k]
        v.tolerated = 0.0
        v.sought = 0.0
        v.judged = 0
        v.known = 0
        v.unattended = 0
        v.walled = 0
        v.outcome = SKIP
        v.attended = np.uint32(0)
        if away[k] < 0.0:
            # the phone plays and nobody looks: no cue, no judgment, no response
            v.unattended = 1
            watched = quantised(
                drawn(quantiles, s.unattended_seconds, chosen_by(own[k], place[k], _W_UNATTENDED_SECONDS))
            )
            if s.wall >= 0 and s.moves == 1 and until[k] < min(duration[k], watched):
                watched = quantised(until[k])
                v.walled = 1
            v.outcome = COMPLETE if watched >= duration[k] and until[k] == duration[k] else SKIP
            v.belief, v.belief_sd, v.lived, v.satisfaction = NAN, NAN, NAN, NAN
        elif left[k] < sighted[k] * judged_after[k] and v.picked == 0:
            # gone at sight, before anything was read: no judgment, no experience to speak of
            watched = quantised(min(left[k] / sighted[k], until[k]))
            v.belief, v.belief_sd, v.lived, v.satisfaction = NAN, NAN, NAN, NAN
        else:
            ends = until[k]
            watched = leaves[k]
            # judged bad, and borne all the same for a while (`min`: one rare branch, not three)
            if min(bearing[k], min(-gut, np.float64(v.tolerance))) > 0.0:
                borne = drawn(quantiles, s.tolerated_seconds, chosen_by(own[k], place[k], _W_TOLERATED))
                watched = judged_after[k] + borne
                v.tolerated = min(borne, max(until[k] - judged_after[k], 0.0))
            if min(seeking[k], min(watched, ends) - known_after[k]) > 0.0:
                jumped = ends * drawn(quantiles, s.seek_share, chosen_by(own[k], place[k], _W_SEEK_SHARE))
                ends = max(ends - jumped, min(known_after[k], ends))
                v.sought = until[k] - ends
            knows_it = watched > known_after[k]
            if watched >= ends and until[k] < duration[k]:  # at the wall: what is behind it nobody has met
                watched = ends
                knows_it = v.sought > 0.0 or ends > known_after[k]
                v.walled = 1
            elif watched >= ends:
                v.outcome = COMPLETE
                watched = ends
                knows_it = True
                if v.tolerated == 0.0 and v.sought == 0.0:
                    again = sigmoid(s.loop_log_odds + s.loop_sensitivity * worth[k], powers)
                    times = loops(uniform(chosen_by(own[k], place[k], _W_LOOP)), again, s.loops_at_most)
                    if times > 0:
                        watched += ends * (times - 1 + uniform(chosen_by(own[k], place[k], _W_PART)))
            watched = quantised(watched)
            if knows_it and minds.shape[1] > 0 and types[kind[k]].known > 0.0:
                # nobody but this play reads it before the play has ended
                met = utility_of(
                    key[k], user[k], item[k], kind[k], taste, vectors, facets, weights, types, habits, quantiles,
                    scratch,
                )  # fmt: skip
                subject = known_again(item[k], np.int64(items[item[k]].creator), types[kind[k]])
                keep_in_mind(minds, user[k], subject, met, types[kind[k]].known_rate, v.clock + watched)
            lived = worth[k] if knows_it else gut
            if s.pause > 0.0 and v.outcome == SKIP and knows_it:
                v.outcome = PAUSE if pauses(v, people.later, s, duration[k] - watched) else SKIP
            v.judged = 1
            v.known = knows_it
            v.attended = np.uint32(attended[k])
            v.belief, v.belief_sd, v.lived = belief[k], math.sqrt(variance[k]), lived
            v.satisfaction = satisfied(
                lived, np.float64(v.expected), s.experience_weight, s.confirmation, s.loss_aversion
            )
        v.watched = watched
        event = _OPEN if v.picked == 1 else _IMPRESSION
        tallies[_EVENT + event] += 1
        if v.picked == 1 and counts_opens > 0:
            counters[item[k], counts_opens] += 1
        if records.shape[0] > 0:
            n = record(
                records, n, v, v.played_at, event, item[k], v.case, np.int64(v.slot), stage, s.surface, NAN,
                v.propensity, v.belief, v.belief_sd, v.utility, NAN, np.uint32(seen[k]), v.attended, observation,
                quantiles,
            )  # fmt: skip
        v.clock += v.watched
        v.playing = PAUSING if v.outcome == PAUSE else PLAYING
    return n


@inlined
def end_plays(
    at: npt.NDArray[np.int64],
    m: int,
    stage: int,
    n: int,
    plan: Plan,
    people: People,
    goods: Goods,
    visits: Visits,
    out: Output,
) -> int:
    """End the plays of the rows at[:m], all of one stage: their terminal events, and what they leave in the users.

    Returns:
        The number of records.
    """
    s, habits = plan.stages[stage], plan.habits[0]
    screens, labels, types, events = plan.screens, plan.labels, plan.types, plan.events
    observation, quantiles, powers = plan.observation, plan.quantiles, plan.powers
    users, mood, had, items, parent = people.state, people.mood, people.had, goods.facts, goods.parent
    rows, memory, memory_value = visits.state, visits.memory, visits.memory_value
    records, tallies, counters, counted = out.records, out.tallies, out.counters, plan.counted
    first_topic = np.int64(habits.first_topic)

    wide = padded(at, m)
    user, item, topic, event = wholes(), wholes(), wholes(), wholes()
    clock, satiated_at, duration, watched, share = reals(), reals(), reals(), reals(), reals()
    utility, satisfaction, attending, judged, stored, fading = reals(), reals(), reals(), reals(), reals(), reals()
    for k in range(wide):
        v = rows[at[k]]
        facts = items[v.item]
        user[k], item[k], topic[k] = np.int64(v.user), np.int64(v.item), first_topic + np.int64(facts.topic)
        clock[k], satiated_at[k] = v.clock, users[user[k]].satiated_at
        duration[k], watched[k] = np.float64(facts.duration), v.watched
        event[k] = np.int64(events[stage, v.outcome])
        utility[k], satisfaction[k] = np.float64(v.utility), np.float64(v.satisfaction)
        attending[k], judged[k] = 1.0 - np.float64(v.unattended), np.float64(v.judged)

    # ---- what it leaves in the users: more of the topic's satiation, and something to remember
    faded_all(wide, m, user, clock, satiated_at, users, mood, habits, powers, fading)
    for k in range(wide):
        stored[k] = mood[user[k], topic[k]]
        step = habits.satiation_step * (1.0 - fading[k] * stored[k]) / fading[k]
        stored[k] += attending[k] * step
        share[k] = watched[k] / duration[k]
    for k in range(m):
        v = rows[at[k]]
        v.playing = 0
        mood[user[k], topic[k]] = np.float32(stored[k])
        ring = np.int64(v.memory_n) % VISIT_MEMORY
        memory[at[k], ring] = item[k]
        memory_value[at[k], ring] = min(share[k], _MOST_REMEMBERED)
        v.memory_n += np.uint32(1)
        if had.shape[1] > 0 and types[items[item[k]].type].kind >= 0 and v.unattended == 0:
            kind = types[items[item[k]].type]
            remember(had, user[k], np.int64(parent[item[k]]), v.clock, min(share[k], 1.0), kind.memory, powers)

    # ---- sums
    judged_plays, seconds, worth, joy = np.int64(0), np.int64(0), np.int64(0), np.int64(0)
    for k in range(m):
        is_judged = judged[k] > 0.0
        judged_plays += np.int64(is_judged)
        seconds += np.int64(watched[k] * TICKS_PER_SECOND)
        worth += fixed(utility[k])
        joy += fixed(satisfaction[k] if is_judged else 0.0)
    tallies[_PLAYS] += m
    tallies[_JUDGED_PLAYS] += judged_plays
    tallies[_WATCHED] += seconds
    tallies[_UTILITY] += worth
    tallies[_SATISFACTION] += joy
    for label in range(labels.shape[0]):
        least, by_duration, wanted = np.float32(labels[label].at_least), labels[label].or_duration, labels[label].events
        positives = np.int64(0)
        for k in range(m):
            whole = np.int64(np.float32(watched[k]) >= np.float32(duration[k])) & by_duration
            enough = np.int64(np.float32(watched[k]) >= least) | whole
            positives += enough & (wanted >> event[k])
        tallies[_LABEL + label] += positives
    for k in range(m):
        v = rows[at[k]]
        tallies[_EVENT + event[k]] += 1
        if counted[event[k], 0] >= 0:
            counters[item[k], counted[event[k], 0]] += 1
        tallies[_EVENT + _SEEK_EVENT] += v.sought > 0.0
        tallies[_EVENT + _TOLERATE_EVENT] += v.tolerated > 0.0
        tallies[_EVENT + _UNATTENDED_EVENT] += v.unattended

    # ---- events, and the stage that follows
    for k in range(m):
        v = rows[at[k]]
        if records.shape[0] > 0:
            seen = np.uint32(screens[stage, v.device, 0]) & ~items[item[k]].missing
            n = _played(records, n, v, event[k], watched[k], item[k], stage, s.surface, seen, observation, quantiles)
            if v.sought > 0.0:
                value = np.float64(v.sought)
                n = _played(records, n, v, _SEEK_EVENT, value, item[k], stage, s.surface, seen, observation, quantiles)
            if v.tolerated > 0.0:
                value = np.float64(v.tolerated)
                n = _played(
                    records, n, v, _TOLERATE_EVENT, value, item[k], stage, s.surface, seen, observation, quantiles
                )
            if v.unattended == 1:
                n = _played(
                    records, n, v, _UNATTENDED_EVENT, watched[k], item[k], stage, s.surface, seen, observation,
                    quantiles,
                )  # fmt: skip
        if max(s.bounce_event, s.reached_event, s.wall) >= 0:
            n = mark_ending(v, n, stage, plan, goods, out)
        if v.resumed > 0.0:
            tallies[_WATCHED] -= np.int64(v.resumed * TICKS_PER_SECOND)  # counted when it was paused
            v.resumed = 0.0
        follow(v, stage, np.int64(v.outcome), plan.shares, plan.alternatives)
    return n


@internal
def _played(
    records: Array,
    n: int,
    v: Array,
    event: int,
    value: float,
    item: int,
    stage: int,
    surface: int,
    seen: np.uint32,
    observation: Array,
    quantiles: npt.NDArray[np.float32],
) -> int:
    """One event at the end of a play; returns n + 1."""
    return record(
        records, n, v, v.clock, event, item, v.case, np.int64(v.slot), stage, surface, value, v.propensity, v.belief,
        v.belief_sd, v.utility, v.satisfaction, seen, v.attended, observation, quantiles,
    )  # fmt: skip
