"""Consume: a play starts, the belief sharpens while it runs, and leaving is a hazard that depends on it."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from simulator.kernel import inlined
from simulator.kernels.beliefs import attended_to, belief_about, utility_of
from simulator.kernels.layout import (
    VISIT_MEMORY,
    Array,
    Tally,
    What,
)
from simulator.kernels.mood import faded
from simulator.kernels.primitives import decision_key, drawn, exponential, fixed, quantised, sigmoid
from simulator.kernels.records import NAN, record
from simulator.kernels.watching import leave_time, loops, satisfied
from simulator.randomness import mix, uniform

COMPLETE, SKIP = 0, 1

# codes of the events
_IMPRESSION, _OPEN, _SKIP_EVENT, _COMPLETE_EVENT, _SEEK_EVENT, _TOLERATE_EVENT, _UNATTENDED_EVENT = 0, 1, 2, 3, 4, 13, 14
_W_UNATTENDED, _W_UNATTENDED_SECONDS, _W_JUDGED, _W_KNOWN, _W_HAZARD = (
    int(What.UNATTENDED), int(What.UNATTENDED_SECONDS), int(What.JUDGED), int(What.KNOWN), int(What.HAZARD),
)  # fmt: skip
_W_TOLERATE, _W_TOLERATED, _W_SEEK, _W_SEEK_SHARE, _W_LOOP, _W_PART = (
    int(What.TOLERATE), int(What.TOLERATED_SECONDS), int(What.SEEK), int(What.SEEK_SHARE), int(What.LOOP), int(What.LOOP_PART),
)  # fmt: skip
_PLAYS, _JUDGED_PLAYS, _WATCHED, _IMPRESSIONS = int(Tally.PLAYS), int(Tally.JUDGED_PLAYS), int(Tally.WATCHED), int(Tally.IMPRESSIONS)
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
    recent: npt.NDArray[np.int32],
    items: Array,
    vectors: npt.NDArray[np.float32],
    colour: npt.NDArray[np.float32],
    readouts: npt.NDArray[np.float32],
    records: Array,
    tallies: npt.NDArray[np.int64],
    counters: npt.NDArray[np.int64],
    scratch: npt.NDArray[np.float64],
) -> int:
    """Start a play and draw how it will end; the row's clock moves to that end. Returns the number of records."""
    user = np.int64(v.user)
    item = np.int64(v.item)
    kind = np.int64(items[item].type)
    slot = np.int64(v.slot)
    own_key = mix(v.decisions, _WATCHING)
    key = mix(v.perceptions, np.uint64(item))
    seen = np.uint32(screens[s.number, v.device, 0])
    duration = np.float64(items[item].duration)

    v.played_at = v.clock
    v.case = u.cases
    u.cases += np.uint32(1)

    fading = faded(u, user, v.clock, mood, modalities.shape[0], habits, powers)
    tired = habits.satiation_weight * mood[user, modalities.shape[0] + items[item].topic] * fading

    if v.picked == 0:
        v.utility = utility_of(
            key, user, item, kind, taste, vectors, facets, weights, types, habits, quantiles, scratch
        )
        v.expected = types[kind].prior
        v.best = v.utility if v.shown == 0 else max(v.best, v.utility)
        v.total += v.utility
        v.shown += np.uint16(1)
        counters[item, 0] += 1
        recent[user, u.recent_n % recent.shape[1]] = item
        u.recent_n += np.uint32(1)
        tallies[_IMPRESSIONS] += 1
    else:
        v.expected = v.belief

    v.tolerated = 0.0
    v.sought = 0.0
    v.judged = 0
    v.known = 0
    v.unattended = 0
    v.outcome = SKIP
    v.lived = NAN
    v.satisfaction = NAN
    judged_after = drawn(quantiles, s.judged_after, decision_key(own_key, v.request, slot, _W_JUDGED))
    hasty = 1.0 / np.float64(u.patience)
    at_sight = hasty * s.leave_at_sight
    luck = uniform(decision_key(own_key, v.request, slot, _W_HAZARD))
    if uniform(decision_key(own_key, v.request, slot, _W_UNATTENDED)) < s.unattended:
        # the phone plays and nobody looks: no cue, no judgment, no response
        v.unattended = 1
        v.attended = np.uint32(0)
        v.belief = NAN
        v.belief_sd = NAN
        v.watched = quantised(
            drawn(quantiles, s.unattended_seconds, decision_key(own_key, v.request, slot, _W_UNATTENDED_SECONDS))
        )
        v.outcome = COMPLETE if v.watched >= duration else SKIP
    elif -math.log1p(-luck) < at_sight * judged_after and v.picked == 0:
        # gone at sight, before anything was read: no judgment, no experience to speak of
        v.attended = np.uint32(0)
        v.belief = NAN
        v.belief_sd = NAN
        v.watched = quantised(min(leave_time(luck, at_sight, judged_after, at_sight, judged_after, at_sight), duration))
    else:
        v.judged = 1
        v.attended |= attended_to(seen, v.attended & seen, s.attention, own_key, v.request, slot, modalities)
        knowledge = drawn(quantiles, types[kind].knowledge, mix(v.knowing, np.uint64(kind)))
        mean, variance = belief_about(
            key, user, item, kind, v.attended, s.glance, knowledge, taste, vectors, colour, mood, readouts,
            pairs, modalities, facets, weights, types, habits, quantiles, scratch,
        )  # fmt: skip
        v.belief = mean
        v.belief_sd = np.sqrt(variance)
        gut = mean - tired
        worth = np.float64(v.utility) - tired
        known_after = judged_after + drawn(quantiles, s.known_after, decision_key(own_key, v.request, slot, _W_KNOWN))
        judged = hasty * s.leave_judged * exponential(-s.judgment_sensitivity * gut, powers)
        known = hasty * s.leave_known * exponential(-s.truth_sensitivity * worth, powers)
        leaves = leave_time(luck, at_sight, judged_after, judged, known_after, known)
        # judged bad, and borne all the same for a while
        if (
            gut < 0.0
            and v.tolerance > 0.0
            and uniform(decision_key(own_key, v.request, slot, _W_TOLERATE)) < s.tolerate
        ):
            borne = drawn(quantiles, s.tolerated_seconds, decision_key(own_key, v.request, slot, _W_TOLERATED))
            leaves = judged_after + borne
            v.tolerated = min(borne, max(duration - judged_after, 0.0))
        ends = duration
        if leaves > known_after and uniform(decision_key(own_key, v.request, slot, _W_SEEK)) < s.seek:
            jumped = duration * drawn(quantiles, s.seek_share, decision_key(own_key, v.request, slot, _W_SEEK_SHARE))
            ends = max(duration - jumped, min(known_after, duration))
            v.sought = duration - ends
        watched = leaves
        if leaves >= ends:
            v.outcome = COMPLETE
            watched = ends
            if v.tolerated == 0.0 and v.sought == 0.0:
                again = sigmoid(s.loop_log_odds + s.loop_sensitivity * worth, powers)
                times = loops(uniform(decision_key(own_key, v.request, slot, _W_LOOP)), again, s.loops_at_most)
                if times > 0:
                    watched += duration * (times - 1 + uniform(decision_key(own_key, v.request, slot, _W_PART)))
        v.watched = quantised(watched)
        v.known = 1 if leaves > known_after or v.outcome == COMPLETE else 0
        v.lived = worth if v.known == 1 else gut
        v.satisfaction = satisfied(
            np.float64(v.lived), np.float64(v.expected), s.experience_weight, s.confirmation, s.loss_aversion
        )

    event = _OPEN if v.picked == 1 else _IMPRESSION
    tallies[_EVENT + event] += 1
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
    items: Array,
    memory: npt.NDArray[np.int32],
    memory_value: npt.NDArray[np.float32],
    records: Array,
    tallies: npt.NDArray[np.int64],
) -> tuple[int, int]:
    """The end of a play: its one terminal event, what nobody saw of it, and what it leaves in the user."""
    user = np.int64(v.user)
    item = np.int64(v.item)
    slot = np.int64(v.slot)
    seen = np.uint32(screens[s.number, v.device, 0])
    surface = s.surface
    duration = np.float64(items[item].duration)
    v.playing = 0
    if v.unattended == 0:
        topic = modalities.shape[0] + np.int64(items[item].topic)
        fading = faded(u, user, v.clock, mood, modalities.shape[0], habits, powers)
        mood[user, topic] += np.float32(habits.satiation_step * (1.0 - fading * mood[user, topic]) / fading)
    event = _COMPLETE_EVENT if v.outcome == COMPLETE else _SKIP_EVENT
    ring = np.int64(v.memory_n) % VISIT_MEMORY
    memory[i, ring] = item
    memory_value[i, ring] = min(v.watched / duration, _MOST_REMEMBERED)
    v.memory_n += np.uint16(1)

    tallies[_PLAYS] += 1
    tallies[_JUDGED_PLAYS] += v.judged
    tallies[_WATCHED] += np.int64(v.watched * 1024.0)
    tallies[_UTILITY] += fixed(np.float64(v.utility))
    if v.judged == 1:
        tallies[_SATISFACTION] += fixed(np.float64(v.satisfaction))
    tallies[_EVENT + event] += 1
    for label in range(labels.shape[0]):
        if (labels[label].events >> event) & 1:
            least = labels[label].at_least
            if labels[label].or_duration == 1:
                least = min(least, duration)
            if np.float32(v.watched) >= np.float32(least):
                tallies[_LABEL + label] += 1
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
