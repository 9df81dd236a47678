"""The end of a play: its events, what it leaves in its user, and the stage that follows.

Beside skipped or completed an end may say: a bounce, how far it went, that it came to a paywall.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from simulator.engine.jit.compile import inlined, internal
from simulator.engine.jit.structs import group
from simulator.engine.primitives import fixed
from simulator.engine.stack_arrays import float_buffer, int_buffer, padded
from simulator.engine.tables.codes import SharedEvent
from simulator.engine.tables.tables import TICKS_PER_SECOND, VISIT_MEMORY, Array, Tables, Tally
from simulator.engine.user.beliefs_batch import Real, Whole
from simulator.engine.user.repetition import remember
from simulator.engine.user.satiation import faded_all
from simulator.engine.visit.outcomes import follow
from simulator.engine.visit.records import is_recorded, record_play

_MOST_REMEMBERED = 1.5


@group
class _Ends(NamedTuple):
    """Columns of plays that end side by side: a place for each, on the stack of the kernel."""

    user: Whole
    item: Whole
    topic: Whole  # column of its topic's satiation in `Users.satiation_trust`
    event: Whole  # of its outcome
    clock: Real
    duration: Real
    watched: Real
    utility: Real
    satisfaction: Real
    attending: Real  # 1 or 0
    judged: Real  # 1 or 0


@inlined
def end_plays(at: npt.NDArray[np.int64], m: int, stage: int, n: int, tables: Tables) -> int:
    """End the plays of the rows at[:m], all of one stage: their terminal events, and what they leave in the users.

    Returns:
        The number of records.
    """
    plan, rows, out = tables.plan, tables.visits.state, tables.out
    s, shares, alternatives = plan.stages[stage], plan.shares, plan.alternatives
    ends = _Ends(
        int_buffer(), int_buffer(), int_buffer(), int_buffer(), float_buffer(), float_buffer(), float_buffer(),
        float_buffer(), float_buffer(), float_buffer(), float_buffer()
    )  # fmt: skip
    padded_width = padded(at, m)
    _gather(at, padded_width, stage, ends, tables)
    _leave_traces(at, padded_width, m, ends, tables)
    _add_up(at, m, ends, tables)
    for k in range(m):
        v = rows[at[k]]
        if out.records.shape[0] > 0:
            n = _tell_end(v, n, ends.event[k], ends.watched[k], tables)
        if max(s.bounce_event, s.reached_event, s.wall) >= 0:
            n = mark_ending(v, n, tables)
        if v.resumed > 0.0:
            out.tallies[Tally.WATCHED] -= np.int64(v.resumed * TICKS_PER_SECOND)  # counted when it was paused
            v.resumed = 0.0
        follow(v, stage, np.int64(v.outcome), shares, alternatives)
    return n


@inlined
def _gather(at: npt.NDArray[np.int64], padded_width: int, stage: int, ends: _Ends, tables: Tables) -> None:
    """Fill the columns from the visits' rows."""
    events, first_topic = tables.plan.events, np.int64(tables.plan.user_params[0].first_topic)
    items, rows = tables.items.state, tables.visits.state
    user, item, topic, event, clock = ends.user, ends.item, ends.topic, ends.event, ends.clock
    duration, watched, utility, satisfaction = ends.duration, ends.watched, ends.utility, ends.satisfaction
    attending, judged = ends.attending, ends.judged
    for k in range(padded_width):
        v = rows[at[k]]
        facts = items[v.item]
        user[k], item[k], topic[k] = np.int64(v.user), np.int64(v.item), first_topic + np.int64(facts.topic)
        clock[k] = v.clock
        duration[k], watched[k] = np.float64(facts.duration), v.watched
        event[k] = np.int64(events[stage, v.outcome])
        utility[k], satisfaction[k] = np.float64(v.utility), np.float64(v.satisfaction)
        attending[k], judged[k] = 1.0 - np.float64(v.unattended), np.float64(v.judged)


@inlined
def _leave_traces(at: npt.NDArray[np.int64], padded_width: int, m: int, ends: _Ends, tables: Tables) -> None:
    """Leave in the users more of the topic's satiation, and something to remember."""
    numbers, visits = tables.numbers, tables.visits
    rows, memory, memory_value = visits.state, visits.memory, visits.memory_value
    types, user_params, exp_log_tables, satiation_trust = (
        numbers.types,
        numbers.user_params[0],
        numbers.exp_log_tables,
        numbers.satiation_trust,
    )
    history, items, parent = numbers.parent_history, numbers.items, numbers.parent
    user, item, topic, attending = ends.user, ends.item, ends.topic, ends.attending
    watched, duration = ends.watched, ends.duration
    fading, stored, share = float_buffer(), float_buffer(), float_buffer()
    faded_all(padded_width, m, user, ends.clock, numbers, fading)
    for k in range(padded_width):
        stored[k] = satiation_trust[user[k], topic[k]]
        step = user_params.satiation_step * (1.0 - fading[k] * stored[k]) / fading[k]
        stored[k] += attending[k] * step
        share[k] = watched[k] / duration[k]
    for k in range(m):
        v = rows[at[k]]
        v.playing = 0
        satiation_trust[user[k], topic[k]] = np.float32(stored[k])
        ring = np.int64(v.memory_n) % VISIT_MEMORY
        memory[at[k], ring] = item[k]
        memory_value[at[k], ring] = min(share[k], _MOST_REMEMBERED)
        v.memory_n += np.uint32(1)
        if history.shape[1] > 0 and types[items[item[k]].type].kind >= 0 and v.unattended == 0:
            kind = types[items[item[k]].type]
            remember(
                history, user[k], np.int64(parent[item[k]]), v.clock, min(share[k], 1.0), kind.memory, exp_log_tables
            )


@inlined
def _add_up(at: npt.NDArray[np.int64], m: int, ends: _Ends, tables: Tables) -> None:
    """Add the plays to the sums that measures are made from, and to the counters of their items."""
    labels, counted, rows = tables.plan.labels, tables.plan.counted, tables.visits.state
    tallies, counters = tables.out.tallies, tables.out.counters
    item, event, judged, watched, duration = ends.item, ends.event, ends.judged, ends.watched, ends.duration
    utility, satisfaction = ends.utility, ends.satisfaction
    judged_plays, seconds, worth, joy = np.int64(0), np.int64(0), np.int64(0), np.int64(0)
    for k in range(m):
        is_judged = judged[k] > 0.0
        judged_plays += np.int64(is_judged)
        seconds += np.int64(watched[k] * TICKS_PER_SECOND)
        worth += fixed(utility[k])
        joy += fixed(satisfaction[k] if is_judged else 0.0)
    tallies[Tally.PLAYS] += m
    tallies[Tally.JUDGED_PLAYS] += judged_plays
    tallies[Tally.WATCHED] += seconds
    tallies[Tally.UTILITY] += worth
    tallies[Tally.SATISFACTION] += joy
    for label in range(labels.shape[0]):
        least, by_duration, wanted = np.float32(labels[label].at_least), labels[label].or_duration, labels[label].events
        positives = np.int64(0)
        for k in range(m):
            whole = np.int64(np.float32(watched[k]) >= np.float32(duration[k])) & by_duration
            enough = np.int64(np.float32(watched[k]) >= least) | whole
            positives += enough & (wanted >> event[k])
        tallies[Tally.LABEL + label] += positives
    for k in range(m):
        v = rows[at[k]]
        tallies[Tally.EVENT + event[k]] += 1
        if counted[event[k], 0] >= 0:
            counters[item[k], counted[event[k], 0]] += 1
        tallies[Tally.EVENT + SharedEvent.SEEK] += v.sought > 0.0
        tallies[Tally.EVENT + SharedEvent.TOLERATE] += v.tolerated > 0.0
        tallies[Tally.EVENT + SharedEvent.UNATTENDED] += v.unattended


@internal
def _tell_end(v: Array, n: int, event: int, watched: float, tables: Tables) -> int:
    """Record the end of the play of the visit `v`, and what happened before it. Returns the number of records."""
    out = tables.out
    seen = np.uint32(tables.plan.screens[v.stage, v.device, 0]) & ~tables.items.state[v.item].missing
    joy = np.float64(v.satisfaction)
    if is_recorded(event, out):
        n = record_play(n, v, event, watched, joy, seen, tables)
    if v.sought > 0.0 and is_recorded(SharedEvent.SEEK, out):
        n = record_play(n, v, SharedEvent.SEEK, np.float64(v.sought), joy, seen, tables)
    if v.tolerated > 0.0 and is_recorded(SharedEvent.TOLERATE, out):
        n = record_play(n, v, SharedEvent.TOLERATE, np.float64(v.tolerated), joy, seen, tables)
    if v.unattended == 1 and is_recorded(SharedEvent.UNATTENDED, out):
        n = record_play(n, v, SharedEvent.UNATTENDED, watched, joy, seen, tables)
    return n


@internal
def mark_ending(v: Array, n: int, tables: Tables) -> int:
    """Count and record a bounce (left within so many seconds) and the share that was reached, jumps included.

    What does not move by itself (a text) is not reached by who does not attend to it. Nor is a paywall in it.
    Returns the number of records.
    """
    s = tables.plan.stages[v.stage]
    if s.bounce_event >= 0 and v.watched < s.bounce_within and v.outcome == 1:
        n = _mark(v, n, np.int64(s.bounce_event), np.float64(v.watched), tables)
    if s.reached_event >= 0:
        duration = np.float64(tables.items.state[np.int64(v.item)].duration)
        share = (np.float64(v.watched) + np.float64(v.sought)) / duration
        if v.unattended == 1 and s.moves == 0:
            share = 0.0
        n = _mark(v, n, np.int64(s.reached_event), min(share, 1.0), tables)
    if s.wall >= 0 and v.walled == 1:
        n = _mark(v, n, np.int64(s.wall_event), np.float64(s.free), tables)
    return n


@internal
def _mark(v: Array, n: int, event: int, value: float, tables: Tables) -> int:
    out = tables.out
    out.tallies[Tally.EVENT + event] += 1
    out.tallies[Tally.VALUE + event] += np.int64(value * TICKS_PER_SECOND)
    if is_recorded(event, out):
        seen = np.uint32(tables.plan.screens[v.stage, v.device, 0]) & ~tables.items.state[v.item].missing
        n = record_play(n, v, event, value, np.float64(v.satisfaction), seen, tables)
    return n
