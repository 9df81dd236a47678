"""Pauses: a play that is left to be continued in a later visit, from where it stopped.

It is one play: one case, one beginning, one end. What it leaves in its user (satiation, siblings, an item of the visit)
it leaves at its end.
"""

from __future__ import annotations

import numpy as np

from simulator.engine.jit.compile import internal
from simulator.engine.primitives import decision_key, drawn, exponential, quantised, waited
from simulator.engine.randomness import mix, uniform
from simulator.engine.tables.tables import NO_CASE, TICKS_PER_SECOND, Array, Draw, Tables, Tally
from simulator.engine.user.beliefs import attended_to, utility_of
from simulator.engine.user.satiation import faded
from simulator.engine.user.shown_numbers import EVERYTHING, attribute_utility
from simulator.engine.user.watching import leave_by_share, satisfied
from simulator.engine.visit.records import is_recorded, record_play

PAUSE = 2
PLAYING = 1
"""Value of `playing` of a row whose play goes on until its clock, and ends there."""

PAUSING = 5
"""Value of `playing` of a row whose play goes on until its clock, and is left there to be continued."""

_COMPLETE, _SKIP = 0, 1
_NOTHING = np.uint32(NO_CASE)
_WATCHING = np.uint64(2)
_ITS_EVENT, _RESUMES = 2, 3  # columns of `Plan.events`


@internal
def pauses(v: Array, deferred: Array, s: Array, left: float) -> bool:
    """Return whether a user who stops, knowing what it is worth, means to go on later.

    What was merely borne is not taken up again, nor what has less than so many seconds `left`. A user has one thing put
    off at a time.
    """
    if v.tolerated > 0.0 or left < s.pause_left or deferred[v.user, 0].item != _NOTHING:
        return False
    own_key = mix(v.decisions, _WATCHING)
    return uniform(decision_key(own_key, v.request, np.int64(v.slot), Draw.PAUSE)) < s.pause


@internal
def pause_play(i: int, n: int, tables: Tables) -> tuple[int, int]:
    """Keep in its user where a play stopped whose visit is over. Returns the outcome and how many records there are."""
    plan, out = tables.plan, tables.out
    v = tables.visits.state[i]
    s, deferred = plan.stages[v.stage], tables.users.deferred[np.int64(v.user), 0]
    own_key, item, slot = mix(v.decisions, _WATCHING), np.int64(v.item), np.int64(v.slot)
    v.playing = 0
    delay = drawn(plan.quantiles, s.pause_delay, decision_key(own_key, v.request, slot, Draw.PAUSE_DELAY))
    deferred.item, deferred.stage = v.item, v.stage
    deferred.until = v.clock + quantised(delay)
    deferred.case = v.case
    deferred.seconds = v.watched
    deferred.expected, deferred.belief, deferred.belief_sd = v.expected, v.belief, v.belief_sd
    event = np.int64(plan.events[v.stage, _ITS_EVENT])
    out.tallies[Tally.EVENT + event] += 1
    out.tallies[Tally.WATCHED] += np.int64(v.watched * TICKS_PER_SECOND) - np.int64(v.resumed * TICKS_PER_SECOND)
    v.resumed = 0.0
    if is_recorded(event, out):
        seen = np.uint32(plan.screens[v.stage, v.device, 0]) & ~tables.items.state[item].missing
        n = record_play(n, v, event, v.watched, np.nan, seen, tables)
    return PAUSE, n


@internal
def resume_play(i: int, n: int, tables: Tables) -> int:
    """Go on with a play where it stopped; the row's clock moves to its end. Returns the number of records.

    The user knows what it is worth, so leaving has the one hazard of those who know, over what is left of it.
    """
    plan, users, items, out, numbers = tables.plan, tables.users, tables.items, tables.out, tables.numbers
    v, user_params, exp_log_tables = tables.visits.state[i], plan.user_params[0], plan.exp_log_tables
    s, user, item, slot = plan.stages[v.stage], np.int64(v.user), np.int64(v.item), np.int64(v.slot)
    u, deferred, facts = users.state[user], users.deferred[user, 0], items.state[item]
    own_key = mix(v.decisions, _WATCHING)
    key = mix(v.perceptions, np.uint64(item))
    seen = np.uint32(plan.screens[s.number, v.device, 0]) & ~facts.missing
    v.played_at = v.clock
    v.case = deferred.case
    v.expected, v.belief, v.belief_sd = deferred.expected, deferred.belief, deferred.belief_sd
    v.utility = utility_of(key, user, item, numbers) + attribute_utility(key, v.clock, user, item, EVERYTHING, numbers)
    topic = user_params.first_topic + np.int64(facts.topic)
    fading = faded(u, user, v.clock, users.satiation_trust, user_params.first_topic, user_params, exp_log_tables)
    worth = np.float64(v.utility) - user_params.satiation_weight * users.satiation_trust[user, topic] * fading
    hasty = plan.types[facts.type].leaving * v.haste / np.float64(u.patience)
    hazard = hasty * s.leave_known
    hazard *= exponential(-s.truth_sensitivity * worth, exp_log_tables)
    left = np.float64(facts.duration) - np.float64(v.resumed)
    lasts = waited(decision_key(own_key, v.request, slot, Draw.HAZARD), exp_log_tables) / hazard
    if s.n_shares > 0:
        lives_through = waited(decision_key(own_key, v.request, slot, Draw.LEAVE_BY_SHARE), exp_log_tables) / hasty
        begins, steps = np.float64(v.resumed), plan.leave_by_share
        earlier = leave_by_share(lives_through, begins, np.float64(facts.duration), steps, s.first_share, s.n_shares)
        lasts = min(lasts, earlier - begins)
    v.outcome = _COMPLETE if lasts >= left else _SKIP
    lasts = quantised(min(lasts, left))
    v.watched = v.resumed + lasts
    v.attended = attended_to(
        seen & ~v.muted, np.uint32(0), s.attention * v.mindful, own_key, v.request, slot, plan.modalities
    )
    v.tolerated = np.float32(0.0)
    v.sought = np.float32(0.0)
    v.judged, v.known, v.unattended = 1, 1, 0
    v.lived = worth
    v.satisfaction = satisfied(worth, np.float64(v.expected), s.experience_weight, s.confirmation, s.loss_aversion)
    rest = np.float64(facts.duration) - v.watched
    if v.outcome == _SKIP and pauses(v, users.deferred, s, rest):
        v.outcome = PAUSE
    event = np.int64(plan.events[s.number, _RESUMES])
    out.tallies[Tally.EVENT + event] += 1
    if is_recorded(event, out):
        n = record_play(n, v, event, v.resumed, np.nan, seen, tables)
    v.clock += lasts
    v.playing = PAUSING if v.outcome == PAUSE else PLAYING
    return n
