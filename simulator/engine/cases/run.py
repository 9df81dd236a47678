"""The world's turn: cases go through what follows a decision, in the order of (time, kind, key)."""

from __future__ import annotations

import math

import numpy as np

from simulator.engine.cases.choosers import decide, end_step, turned_down
from simulator.engine.cases.event_queue import drop_first, push
from simulator.engine.cases.experience import arrived, experience, judge, respond_now
from simulator.engine.cases.records import happened
from simulator.engine.cases.resources import next_shift, restock
from simulator.engine.cases.steps import (
    CANCELLED,
    DONE,
    EXPIRED,
    UNDECIDED,
    case_luck,
    case_number,
    drop_all,
    next_step,
    request_resource,
    serve_line,
)
from simulator.engine.jit.compile import internal, kernel
from simulator.engine.primitives import drawn, quantised, waited
from simulator.engine.randomness import PERCEPTION, WORLD, mix, root, uniform
from simulator.engine.tables.case_tables import GONE, NO_ROW, CaseDraw, CaseState, CaseTables, Count, Happens, WorldPlan
from simulator.engine.tables.tables import DAY, Array, StageKind
from simulator.engine.user.shown_numbers import promised_seconds

ROOM = 16
"""Rows that one happening may write at the most."""

USED, UNUSED = 0, 1


@kernel
def post(seed: int, messages: Array, users: Array, state: CaseState) -> None:
    """Give every message (a case's decision, in the order of (created, user, case)) a row, and put it on the heap."""
    start = root(seed, WORLD)
    cases, free, counts = state.cases, state.free, state.counts
    for k in range(messages.shape[0]):
        counts[Count.FREE] -= 1
        slot = np.int64(free[counts[Count.FREE]])
        generation = cases[slot].generation + np.uint32(1)
        cases[slot] = messages[k]
        c = cases[slot]
        c.generation = generation
        c.key = mix(mix(start, users[c.user].key), np.uint64(c.case))
        c.promised = math.nan
        c.promise = NO_ROW
        c.fulfilled = math.nan
        c.lived = np.float32(math.nan)
        c.satisfaction = np.float32(math.nan)
        c.stars = np.float32(math.nan)
        c.held = np.uint32(0)
        c.taken = np.uint32(0)
        c.server = NO_ROW
        c.before = NO_ROW
        c.behind = NO_ROW
        c.waiting = 0
        c.pending = 0
        c.used = 1
        c.open = 1
        counts[Count.POSTED] += 1
        push(state, c.created, case_number(c), Happens.ENTER, np.int64(c.stage), slot, np.int64(generation))


@internal
def _schedule(state: CaseState, c: Array, slot: int, time: float, kind: int) -> None:
    push(state, time, case_number(c), kind, 0, slot, np.int64(c.generation))


@internal
def _enter(seed: int, tables: CaseTables, slot: int, stage: int, time: float, clock: float) -> int:
    """Have a case enter a stage. Returns the outcome where the stage is over at once, else UNDECIDED."""
    state, plan = tables.state, tables.plan
    c = state.cases[slot]
    f = tables.shared.stages[stage]
    c.stage = stage
    c.entered = time
    c.heard = time
    c.generation += np.uint32(1)
    c.step = -1
    if f.kind == StageKind.FULFIL:
        expected = f.expected
        if f.promise >= 0:
            user, item = np.int64(c.user), np.int64(c.item)
            key = mix(mix(root(seed, PERCEPTION), tables.users.state[user].key), np.uint64(item))
            expected = promised_seconds(key, np.int64(f.promise), user, item, tables.numbers)
            c.promised = time + expected
            c.promise = f.promise
            if f.announced >= 0:
                happened(tables, slot, time, np.int64(f.announced), expected)
            if f.cancel_late > 0.0:
                patience = waited(case_luck(c, 0, CaseDraw.CANCEL_LATE), plan.exp_log_tables) / f.cancel_late
                _schedule(state, c, slot, c.promised + quantised(patience), Happens.CANCEL)
        if f.cancel > 0.0 and uniform(case_luck(c, 0, CaseDraw.CANCEL)) < f.cancel:
            wait = quantised(expected * uniform(case_luck(c, 0, CaseDraw.CANCEL_AT)))
            _schedule(state, c, slot, time + wait, Happens.CANCEL)
        if f.expires_after < np.inf:
            _schedule(state, c, slot, time + quantised(f.expires_after), Happens.EXPIRE)
        return next_step(seed, tables, slot, time, clock)
    if f.kind == StageKind.CONSUME:
        c.used = uniform(case_luck(c, 0, CaseDraw.SKIPPED)) >= f.skipped
        wait = quantised(drawn(plan.quantiles, f.after, case_luck(c, 0, CaseDraw.AFTER)))
        _schedule(state, c, slot, time + wait, Happens.EXPERIENCE)
        return UNDECIDED
    judge(seed, tables, slot, time)
    return np.int64(c.outcome) if c.pending == 0 else UNDECIDED


@internal
def _finish(seed: int, tables: CaseTables, slot: int, outcome: int, time: float, clock: float) -> None:
    """End a stage of a case: its event, and the stages that follow, up to one that takes time or the case's end."""
    shared, state = tables.shared, tables.state
    c = state.cases[slot]
    while outcome != UNDECIDED:
        stage = np.int64(c.stage)
        if shared.stages[stage].kind == StageKind.FULFIL:
            drop_all(tables, slot, outcome == DONE, time, clock)
            if outcome == DONE and shared.stages[stage].promise >= 0:
                arrived(state, c, time)
        event = np.int64(shared.events[stage, outcome])
        if event >= 0:
            happened(tables, slot, time, event, _value(shared, c, time))
        draw = uniform(case_luck(c, outcome, CaseDraw.SUCCESSOR))
        following = np.int64(shared.next[stage, outcome, 2])
        if draw < shared.shares[stage, outcome, 0]:
            following = np.int64(shared.next[stage, outcome, 0])
        elif draw < shared.shares[stage, outcome, 1]:
            following = np.int64(shared.next[stage, outcome, 1])
        if following < 0:
            if following == GONE:
                _dismiss(tables.users.state, np.int64(c.user))
            c.open = 0
            c.generation += np.uint32(1)
            state.free[state.counts[Count.FREE]] = slot
            state.counts[Count.FREE] += 1
            state.counts[Count.ENDED] += 1
            return
        outcome = _enter(seed, tables, slot, following, time, clock)


@internal
def _value(shared: WorldPlan, c: Array, time: float) -> float:
    """Return the value of an outcome's event: seconds that a fulfilment took, else what was lived."""
    return time - c.entered if shared.stages[c.stage].kind == StageKind.FULFIL else np.float64(c.lived)


@internal
def _dismiss(users: Array, user: int) -> None:
    """Let a user go who needs the platform no more; one who is there finishes the visit."""
    u = users[user]
    u.gone = 1
    if u.row < 0:
        u.due = np.inf


@kernel
def happenings_at_once(shared: WorldPlan, slots: int) -> int:
    """Count rows that one happening may put on the heap at the most, with room for `slots` cases."""
    acts = 0
    for stage in range(shared.stages.shape[0]):
        acts = max(acts, np.int64(shared.stages[stage].n_acts))
    return slots + acts + ROOM  # a shift or a decision may set everybody who waits going


@kernel
def live(seed: int, end: float, tables: CaseTables) -> bool:
    """Let everything happen that happens before `end`. Returns False where room ran out: make some and call it again.

    Room is wanted for records, and on the heap for all that one happening may put there.

    Args:
        seed: the world's seed.
        end: s; what is due at or after it stays.
        tables: changed in place where they are about cases, units and users; records are written to `out.records` from
            place 0, `state.counts[Count.RECORDS]` of them.
    """
    state, records = tables.state, tables.out.records
    heap, cases, counts = state.heap, state.cases, state.counts
    starts_at = tables.plan.starts_at[0]
    counts[Count.RECORDS] = 0
    fullest = heap.shape[0] - 1 - happenings_at_once(tables.shared, cases.shape[0])
    while counts[Count.HEAP] > 0 and heap[0].time < end:
        if counts[Count.HEAP] > fullest:
            return False
        if records.shape[0] > 0 and records.shape[0] - counts[Count.RECORDS] < ROOM:
            return False
        time, kind, generation = heap[0].time, np.int64(heap[0].kind), heap[0].generation
        slot, detail = np.int64(heap[0].slot), np.int64(heap[0].detail)
        drop_first(state)
        clock = (time + starts_at) % DAY
        if kind < Happens.ENTER:
            _happen_to_unit(tables, kind, slot, detail, time, clock)
        elif cases[slot].generation == generation and cases[slot].open == 1:  # else what this was about is over
            outcome = _happen_to_case(seed, tables, kind, slot, detail, time, clock)
            if outcome != UNDECIDED:
                _finish(seed, tables, slot, outcome, time, clock)
    return True


@internal
def _happen_to_unit(tables: CaseTables, kind: int, slot: int, detail: int, time: float, clock: float) -> None:
    """Let servers come or go (`slot` is their resource), new stock come, or a chooser decide (a unit)."""
    if kind == Happens.SHIFT:
        shared, state = tables.shared, tables.state
        r = shared.resources[slot]
        for unit in range(r.first_unit, r.first_unit + r.n_units):
            if state.units[unit].waiting > 0:
                serve_line(tables, slot, unit, time, clock)
        push(state, next_shift(shared, slot, time, tables.plan.starts_at[0]), slot, Happens.SHIFT, 0, slot, 0)
    elif kind == Happens.RESTOCK:
        restock(tables, detail, slot)
    else:
        decide(tables, slot, detail, time)


@internal
def _happen_to_case(seed: int, tables: CaseTables, kind: int, slot: int, detail: int, time: float, clock: float) -> int:
    """Let something happen to an open case. Returns the outcome where its stage is over, else UNDECIDED."""
    c = tables.state.cases[slot]
    if kind == Happens.ENTER:
        return _enter(seed, tables, slot, detail, time, clock)
    if kind == Happens.ASK:
        return request_resource(seed, tables, slot, time, clock)
    if kind == Happens.STEP_END or kind == Happens.CHOSEN:
        return _go_on(seed, tables, kind, slot, detail, time, clock)
    if kind == Happens.EXPERIENCE:
        if c.used == 0:
            return UNUSED
        experience(seed, tables, c, time)
        return USED
    if kind == Happens.CANCEL:
        return CANCELLED
    if kind == Happens.EXPIRE:
        patience = quantised(tables.shared.stages[c.stage].expires_after)
        if time >= c.heard + patience:
            return EXPIRED
        _schedule(tables.state, c, slot, c.heard + patience, Happens.EXPIRE)
        return UNDECIDED
    return np.int64(c.outcome) if respond_now(tables, slot, time, kind, detail) else UNDECIDED


@internal
def _go_on(seed: int, tables: CaseTables, kind: int, slot: int, detail: int, time: float, clock: float) -> int:
    """End a step, or hear what a chooser decided (`detail` 1: it passes); where the step is done, begin the next."""
    shared, c = tables.shared, tables.state.cases[slot]
    if kind == Happens.STEP_END:
        outcome = end_step(tables, slot, detail, time)
    else:
        outcome = DONE if detail == 1 else turned_down(shared, c, np.int64(c.step))
    if outcome != DONE:
        return outcome
    event = np.int64(shared.steps[shared.stages[c.stage].first_step + c.step].event)
    if event >= 0:
        happened(tables, slot, time, event, time - c.entered)
        c.heard = time
    return next_step(seed, tables, slot, time, clock)
