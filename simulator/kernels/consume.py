"""Consume: a play starts, the belief sharpens while it runs, and leaving is a hazard that depends on it."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from simulator.kernel import inlined
from simulator.kernels.asides import EVERYTHING, Numbers, aside_worth
from simulator.kernels.beliefs import attended_to, belief_about, utility_of
from simulator.kernels.layout import (
    VISIT_MEMORY,
    Array,
    Tally,
    What,
)
from simulator.kernels.mood import faded
from simulator.kernels.pauses import PAUSE, pauses
from simulator.kernels.primitives import decision_key, drawn, exponential, fixed, quantised, sigmoid, waited
from simulator.kernels.recall import keep_in_mind, recalled
from simulator.kernels.records import NAN, record
from simulator.kernels.siblings import remember
from simulator.kernels.watching import leave_time, loops, satisfied
from simulator.randomness import mix, uniform

COMPLETE, SKIP = 0, 1

# codes of the events
_IMPRESSION, _OPEN = 0, 1
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
def start_play(
    v: Array,
    u: Array,
    s: Array,
    n: int,
    screens: npt.NDArray[np.int64],
    pairs: Array,
    modalities: Array,
    facets: Array,
    weights: npt.NDArray[np.float64],
    types: Array,
    habits: Array,
    observation: Array,
    quantiles: npt.NDArray[np.float32],
    powers: npt.NDArray[np.float64],
    taste: npt.NDArray[np.float32],
    mood: npt.NDArray[np.float32],
    minds: Array,
    items: Array,
    vectors: npt.NDArray[np.float32],
    colour: npt.NDArray[np.float32],
    readouts: npt.NDArray[np.float32],
    records: Array,
    tallies: npt.NDArray[np.int64],
    counters: npt.NDArray[np.int64],
    scratch: npt.NDArray[np.float64],
    numbers: Numbers,
    asides: bool,
    counts_opens: int,
) -> int:
    """Start a play and draw how it will end; the row's clock moves to that end. Returns the number of records."""
    user = np.int64(v.user)
    item = np.int64(v.item)
    kind = np.int64(items[item].type)
    slot = np.int64(v.slot)
    request = v.request
    own_key = mix(v.decisions, _WATCHING)
    key = mix(v.perceptions, np.uint64(item))
    seen = np.uint32(screens[s.number, v.device, 0]) & ~items[item].missing
    duration = np.float64(items[item].duration)

    v.played_at = v.clock
    v.case = u.cases
    u.cases += np.uint32(1)

    if v.picked == 0:
        v.utility = utility_of(
            key, user, item, kind, taste, vectors, facets, weights, types, habits, quantiles, scratch
        )
        if asides:
            v.utility += np.float32(aside_worth(key, v.clock, user, item, EVERYTHING, numbers))
        v.expected = types[kind].prior
        v.best = v.utility if v.shown == 0 else max(v.best, v.utility)
        v.total += v.utility
        v.shown += np.uint32(1)
        counters[item, 0] += 1
        tallies[_IMPRESSIONS] += 1
    else:
        v.expected = v.belief

    tolerated = 0.0
    sought = 0.0
    judged = 0
    known = 0
    unattended = 0
    outcome = SKIP
    lived = np.nan
    satisfaction = np.nan
    belief = np.nan
    belief_sd = np.nan
    attended = np.uint32(0)
    judged_after = drawn(quantiles, s.judged_after, decision_key(own_key, request, slot, _W_JUDGED))
    hasty = types[kind].leaving * v.haste / np.float64(u.patience)
    at_sight = hasty * s.leave_at_sight
    left = waited(decision_key(own_key, request, slot, _W_HAZARD), powers)
    elsewhere = s.unattended if v.elsewhere < 0.0 else np.float64(v.elsewhere)
    if uniform(decision_key(own_key, request, slot, _W_UNATTENDED)) < elsewhere:
        # the phone plays and nobody looks: no cue, no judgment, no response
        unattended = 1
        watched = drawn(quantiles, s.unattended_seconds, decision_key(own_key, request, slot, _W_UNATTENDED_SECONDS))
        watched = quantised(watched)
        outcome = COMPLETE if watched >= duration else SKIP
    elif left < at_sight * judged_after and v.picked == 0:
        # gone at sight, before anything was read: no judgment, no experience to speak of
        watched = quantised(min(left / at_sight, duration))
    else:
        judged = 1
        known_after = judged_after + drawn(quantiles, s.known_after, decision_key(own_key, request, slot, _W_KNOWN))
        fading = faded(u, user, v.clock, mood, modalities.shape[0], habits, powers)
        tired = habits.satiation_weight * mood[user, modalities.shape[0] + items[item].topic] * fading
        worth = np.float64(v.utility) - tired
        knows = hasty * s.leave_known * exponential(-s.truth_sensitivity * worth, powers)
        attended = v.attended | attended_to(
            seen & ~v.muted, v.attended & seen, s.attention * v.mindful, own_key, request, slot, modalities
        )
        knowledge = drawn(quantiles, types[kind].knowledge, mix(v.knowing, np.uint64(kind)))
        belief, variance = belief_about(
            key, user, item, kind, attended, s.glance, knowledge, taste, vectors, colour, mood, readouts, pairs,
            modalities, facets, weights, types, habits, quantiles, scratch,
        )  # fmt: skip
        remembers = minds.shape[1] > 0 and types[kind].known > 0.0
        if remembers and attended != 0:
            belief, variance = recalled(belief, variance, minds, user, item, v.clock, types[kind], powers)
        if asides:  # of the numbers only those that were read
            belief += aside_worth(key, v.clock, user, item, np.uint32(attended), numbers)
        belief_sd = math.sqrt(variance)
        gut = belief - tired
        judges = hasty * s.leave_judged * exponential(-s.judgment_sensitivity * gut, powers)
        leaves = leave_time(left, at_sight, judged_after, judges, known_after, knows)
        # judged bad, and borne all the same for a while (`min`: one rare branch, not three that are hard to predict)
        bearing = s.tolerate - uniform(decision_key(own_key, request, slot, _W_TOLERATE))
        if min(bearing, min(-gut, np.float64(v.tolerance))) > 0.0:
            borne = drawn(quantiles, s.tolerated_seconds, decision_key(own_key, request, slot, _W_TOLERATED))
            leaves = judged_after + borne
            tolerated = min(borne, max(duration - judged_after, 0.0))
        ends = duration
        seeking = s.seek - uniform(decision_key(own_key, request, slot, _W_SEEK))
        if min(seeking, leaves - known_after) > 0.0:
            jumped = duration * drawn(quantiles, s.seek_share, decision_key(own_key, request, slot, _W_SEEK_SHARE))
            ends = max(duration - jumped, min(known_after, duration))
            sought = duration - ends
        watched = leaves
        if leaves >= ends:
            outcome = COMPLETE
            watched = ends
            if tolerated == 0.0 and sought == 0.0:
                again = sigmoid(s.loop_log_odds + s.loop_sensitivity * worth, powers)
                times = loops(uniform(decision_key(own_key, request, slot, _W_LOOP)), again, s.loops_at_most)
                if times > 0:
                    watched += duration * (times - 1 + uniform(decision_key(own_key, request, slot, _W_PART)))
        watched = quantised(watched)
        known = np.int64(leaves > known_after) | (outcome == COMPLETE)
        if s.pause > 0.0 and outcome == SKIP and pauses(v, u, s, known, tolerated, duration - watched):
            outcome = PAUSE
        if remembers and known == 1:  # nobody but this play reads it before the play has ended
            met = utility_of(key, user, item, kind, taste, vectors, facets, weights, types, habits, quantiles, scratch)
            keep_in_mind(minds, user, item, met, v.clock + watched)
        lived = worth if known == 1 else gut
        satisfaction = satisfied(lived, np.float64(v.expected), s.experience_weight, s.confirmation, s.loss_aversion)
    v.tolerated = tolerated
    v.sought = sought
    v.judged = judged
    v.known = known
    v.unattended = unattended
    v.outcome = outcome
    v.lived = lived
    v.satisfaction = satisfaction
    v.belief = belief
    v.belief_sd = belief_sd
    v.attended = attended
    v.watched = watched

    event = _OPEN if v.picked == 1 else _IMPRESSION
    tallies[_EVENT + event] += 1
    if v.picked == 1 and counts_opens > 0:
        counters[item, counts_opens] += 1
    if records.shape[0] > 0:
        n = record(
            records, n, v, v.played_at, event, item, v.case, slot, s.number, s.surface, NAN, v.propensity,
            v.belief, v.belief_sd, v.utility, NAN, seen, v.attended, observation, quantiles,
        )  # fmt: skip
    v.clock += v.watched
    v.playing = 1
    return n


@inlined
def end_play(
    i: int,
    v: Array,
    u: Array,
    s: Array,
    n: int,
    screens: npt.NDArray[np.int64],
    modalities: Array,
    habits: Array,
    observation: Array,
    labels: Array,
    quantiles: npt.NDArray[np.float32],
    powers: npt.NDArray[np.float64],
    mood: npt.NDArray[np.float32],
    had: Array,
    types: Array,
    items: Array,
    parent: npt.NDArray[np.int32],
    memory: npt.NDArray[np.int32],
    memory_value: npt.NDArray[np.float32],
    records: Array,
    tallies: npt.NDArray[np.int64],
    events: npt.NDArray[np.int32],
) -> tuple[int, int]:
    """The end of a play: its one terminal event, what nobody saw of it, and what it leaves in the user."""
    user = np.int64(v.user)
    item = np.int64(v.item)
    slot = np.int64(v.slot)
    seen = np.uint32(screens[s.number, v.device, 0]) & ~items[item].missing
    surface = s.surface
    duration = np.float64(items[item].duration)
    v.playing = 0
    if v.unattended == 0:
        topic = modalities.shape[0] + np.int64(items[item].topic)
        fading = faded(u, user, v.clock, mood, modalities.shape[0], habits, powers)
        mood[user, topic] += np.float32(habits.satiation_step * (1.0 - fading * mood[user, topic]) / fading)
        if had.shape[1] > 0 and types[items[item].type].kind >= 0:
            kind = types[items[item].type]
            share = min(v.watched / duration, 1.0)
            remember(had, user, np.int64(parent[item]), v.clock, share, kind.memory, powers)
    event = np.int64(events[s.number, v.outcome])
    ring = np.int64(v.memory_n) % VISIT_MEMORY
    memory[i, ring] = item
    memory_value[i, ring] = min(v.watched / duration, _MOST_REMEMBERED)
    v.memory_n += np.uint32(1)

    tallies[_PLAYS] += 1
    tallies[_JUDGED_PLAYS] += v.judged
    tallies[_WATCHED] += np.int64(v.watched * 1024.0)
    tallies[_UTILITY] += fixed(np.float64(v.utility))
    if v.judged == 1:
        tallies[_SATISFACTION] += fixed(np.float64(v.satisfaction))
    tallies[_EVENT + event] += 1
    watched, whole = np.float32(v.watched), np.float32(duration)
    for label in range(labels.shape[0]):
        least = np.float32(labels[label].at_least)
        # without a branch: how long a play lasted is nothing that a processor can predict
        enough = np.int64(watched >= least) | (np.int64(watched >= whole) & labels[label].or_duration)
        tallies[_LABEL + label] += enough & (labels[label].events >> event)
    tallies[_EVENT + _SEEK_EVENT] += v.sought > 0.0
    tallies[_EVENT + _TOLERATE_EVENT] += v.tolerated > 0.0
    tallies[_EVENT + _UNATTENDED_EVENT] += v.unattended
    if records.shape[0] > 0:
        n = record(
            records, n, v, v.clock, event, item, v.case, slot, s.number, surface, v.watched, v.propensity,
            v.belief, v.belief_sd, v.utility, v.satisfaction, seen, v.attended, observation, quantiles,
        )  # fmt: skip
        for extra in range(3):
            value = np.float64(v.sought)
            event = _SEEK_EVENT
            if extra == 1:
                value = np.float64(v.tolerated)
                event = _TOLERATE_EVENT
            if extra == 2:
                value = v.watched if v.unattended == 1 else 0.0
                event = _UNATTENDED_EVENT
            if value > 0.0:
                n = record(
                    records, n, v, v.clock, event, item, v.case, slot, s.number, surface, value, v.propensity,
                    v.belief, v.belief_sd, v.utility, v.satisfaction, seen, v.attended, observation, quantiles,
                )  # fmt: skip
    return np.int64(v.outcome), n
