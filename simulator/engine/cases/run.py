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
    asked,
    case_luck,
    case_number,
    drop_all,
    next_step,
    serve_line,
)
from simulator.engine.jit.compile import internal, kernel
from simulator.engine.primitives import drawn, quantised, waited
from simulator.engine.randomness import PERCEPTION, WORLD, mix, root, uniform
from simulator.engine.tables.case_tables import (
    GONE,
    NO_ROW,
    Count,
    Ground,
    Happens,
    Luck,
    Tables,
    World,
    WorldPlan,
)
from simulator.engine.tables.tables import DAY, Array, Kind, Output, Status
from simulator.engine.user.shown_numbers import Numbers, promised_seconds

ROOM = 8
"""Rows that one happening may write at the most."""

USED, UNUSED = 0, 1

_FULFIL, _CONSUME = int(Kind.FULFIL), int(Kind.CONSUME)
_HEAP, _FREE, _ENDED, _POSTED = int(Count.HEAP), int(Count.FREE), int(Count.ENDED), int(Count.POSTED)
_RECORDS = int(Count.RECORDS)
_SHIFT, _RESTOCK, _CHOOSE = int(Happens.SHIFT), int(Happens.RESTOCK), int(Happens.CHOOSE)
_ENTER, _ASK, _STEP_END, _CHOSEN = (
    int(Happens.ENTER), int(Happens.ASK), int(Happens.STEP_END), int(Happens.CHOSEN),
)  # fmt: skip
_EXPERIENCE, _CANCEL, _EXPIRE = int(Happens.EXPERIENCE), int(Happens.CANCEL), int(Happens.EXPIRE)
_L_CANCEL, _L_CANCEL_AT, _L_CANCEL_LATE = int(Luck.CANCEL), int(Luck.CANCEL_AT), int(Luck.CANCEL_LATE)
_L_AFTER, _L_SKIPPED, _L_SUCCESSOR = int(Luck.AFTER), int(Luck.SKIPPED), int(Luck.SUCCESSOR)
_AWAY = int(Status.AWAY)


@kernel
def post(seed: int, messages: Array, users: Array, world: World) -> None:
    """Give every message (a case's decision, in the order of (created, user, case)) a row, and put it on the heap."""
    start = root(seed, WORLD)
    for k in range(messages.shape[0]):
        world.counts[_FREE] -= 1
        slot = np.int64(world.free[world.counts[_FREE]])
        generation = world.cases[slot].generation + np.uint32(1)
        world.cases[slot] = messages[k]
        c = world.cases[slot]
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
        world.counts[_POSTED] += 1
        world.counts[_HEAP] = push(
            world.heap, world.counts[_HEAP], c.created, case_number(c), _ENTER, np.int64(c.stage), slot,
            np.int64(generation),
        )  # fmt: skip


@internal
def _schedule(world: World, c: Array, slot: int, time: float, kind: int) -> None:
    world.counts[_HEAP] = push(
        world.heap, world.counts[_HEAP], time, case_number(c), kind, 0, slot, np.int64(c.generation)
    )


@internal
def _enter(
    seed: int,
    shared: WorldPlan,
    ground: Ground,
    world: World,
    tables: Tables,
    numbers: Numbers,
    out: Output,
    slot: int,
    stage: int,
    time: float,
    clock: float,
) -> int:
    """A case enters a stage. Returns the outcome where the stage is over at once, else UNDECIDED."""
    c = world.cases[slot]
    f = shared.stages[stage]
    c.stage = stage
    c.entered = time
    c.heard = time
    c.generation += np.uint32(1)
    c.step = -1
    if f.kind == _FULFIL:
        expected = f.expected
        if f.promise >= 0:
            user, item = np.int64(c.user), np.int64(c.item)
            key = mix(mix(root(seed, PERCEPTION), tables.users[user].key), np.uint64(item))
            expected = promised_seconds(key, np.int64(f.promise), user, item, numbers)
            c.promised = time + expected
            c.promise = f.promise
            if f.cancel_late > 0.0:
                patience = waited(case_luck(c, 0, _L_CANCEL_LATE), tables.powers) / f.cancel_late
                _schedule(world, c, slot, c.promised + quantised(patience), _CANCEL)
        if f.cancel > 0.0 and uniform(case_luck(c, 0, _L_CANCEL)) < f.cancel:
            _schedule(world, c, slot, time + quantised(expected * uniform(case_luck(c, 0, _L_CANCEL_AT))), _CANCEL)
        if f.expires_after < np.inf:
            _schedule(world, c, slot, time + quantised(f.expires_after), _EXPIRE)
        return next_step(seed, shared, ground, world, tables.items, tables.quantiles, slot, time, clock)
    if f.kind == _CONSUME:
        c.used = uniform(case_luck(c, 0, _L_SKIPPED)) >= f.skipped
        _schedule(
            world, c, slot, time + quantised(drawn(tables.quantiles, f.after, case_luck(c, 0, _L_AFTER))), _EXPERIENCE
        )
        return UNDECIDED
    judge(seed, shared, tables, numbers, world, out, slot, time)
    return np.int64(c.outcome) if c.pending == 0 else UNDECIDED


@internal
def _finish(
    seed: int,
    shared: WorldPlan,
    ground: Ground,
    world: World,
    tables: Tables,
    numbers: Numbers,
    out: Output,
    slot: int,
    outcome: int,
    time: float,
    clock: float,
) -> None:
    """A stage of a case is over: its event, and the stages that follow, up to one that takes time or the case's end."""
    c = world.cases[slot]
    while outcome != UNDECIDED:
        stage = np.int64(c.stage)
        if shared.stages[stage].kind == _FULFIL:
            drop_all(shared, ground, world, tables.items, tables.quantiles, slot, outcome == DONE, time, clock)
            if outcome == DONE and shared.stages[stage].promise >= 0:
                arrived(world, c, time)
        event = np.int64(shared.events[stage, outcome])
        if event >= 0:
            happened(tables, shared, world, out, slot, time, event, _value(shared, c, time))
        luck = uniform(case_luck(c, outcome, _L_SUCCESSOR))
        following = np.int64(shared.next[stage, outcome, 2])
        if luck < shared.shares[stage, outcome, 0]:
            following = np.int64(shared.next[stage, outcome, 0])
        elif luck < shared.shares[stage, outcome, 1]:
            following = np.int64(shared.next[stage, outcome, 1])
        if following < 0:
            if following == GONE:
                _dismiss(tables.users, np.int64(c.user))
            c.open = 0
            c.generation += np.uint32(1)
            world.free[world.counts[_FREE]] = slot
            world.counts[_FREE] += 1
            world.counts[_ENDED] += 1
            return
        outcome = _enter(seed, shared, ground, world, tables, numbers, out, slot, following, time, clock)


@internal
def _value(shared: WorldPlan, c: Array, time: float) -> float:
    """Value of an outcome's event: seconds that a fulfilment took, else what was lived."""
    return time - c.entered if shared.stages[c.stage].kind == _FULFIL else np.float64(c.lived)


@internal
def _dismiss(users: Array, user: int) -> None:
    """A user needs the platform no more; one who is there finishes the visit."""
    u = users[user]
    u.gone = 1
    if u.row < 0:
        u.due = np.inf


@kernel
def happenings_at_once(shared: WorldPlan, slots: int) -> int:
    """Rows that one happening may put on the heap at the most, with room for `slots` cases."""
    acts = 0
    for stage in range(shared.stages.shape[0]):
        acts = max(acts, np.int64(shared.stages[stage].n_acts))
    return slots + acts + ROOM  # a shift or a decision may set everybody who waits going


@kernel
def live(
    seed: int,
    end: float,
    shared: WorldPlan,
    ground: Ground,
    world: World,
    tables: Tables,
    numbers: Numbers,
    out: Output,
) -> bool:
    """Let everything happen that happens before `end`. Returns False where room ran out: make some and call it again.

    Room is wanted for records, and on the heap for all that one happening may put there.

    Args:
        seed: the world's seed.
        end: s; what is due at or after it stays.
        shared, ground, numbers: what does not change.
        world, tables: changed in place where they are about cases, units and users.
        out: what is written; records from place 0, `world.counts[Count.RECORDS]` of them.
    """
    world.counts[_RECORDS] = 0
    recording = out.records.shape[0] > 0
    fullest = world.heap.shape[0] - 1 - happenings_at_once(shared, world.cases.shape[0])
    while world.counts[_HEAP] > 0 and world.heap[0].time < end:
        if world.counts[_HEAP] > fullest:
            return False
        if recording and out.records.shape[0] - world.counts[_RECORDS] < ROOM:
            return False
        time, kind = world.heap[0].time, np.int64(world.heap[0].kind)
        slot, detail = np.int64(world.heap[0].slot), np.int64(world.heap[0].detail)
        generation = world.heap[0].generation
        world.counts[_HEAP] = drop_first(world.heap, world.counts[_HEAP])
        clock = (time + tables.starts_at[0]) % DAY
        if kind == _SHIFT:
            r = shared.resources[slot]
            for unit in range(r.first_unit, r.first_unit + r.n_units):
                if world.units[unit].waiting > 0:
                    serve_line(shared, ground, world, tables.quantiles, slot, unit, time, clock)
            world.counts[_HEAP] = push(
                world.heap,
                world.counts[_HEAP],
                next_shift(shared, slot, time, tables.starts_at[0]),
                slot,
                _SHIFT,
                0,
                slot,
                0,
            )
            continue
        if kind == _RESTOCK:
            restock(shared, world, detail, slot)
            continue
        if kind == _CHOOSE:
            decide(shared, ground, world, tables.items, slot, detail, time)
            continue
        c = world.cases[slot]
        if c.generation != generation or c.open == 0:
            continue  # what this was about is over
        outcome = UNDECIDED
        if kind == _ENTER:
            outcome = _enter(seed, shared, ground, world, tables, numbers, out, slot, detail, time, clock)
        elif kind == _ASK:
            outcome = asked(seed, shared, ground, world, tables.items, tables.quantiles, slot, time, clock)
        elif kind in (_STEP_END, _CHOSEN):
            if kind == _CHOSEN:
                outcome = DONE if detail == 1 else turned_down(shared, c, np.int64(c.step))
            else:
                outcome = end_step(
                    shared, ground, world, tables.items, tables.quantiles, tables.powers, slot, detail, time
                )
            if outcome == DONE:  # the step is, and the case goes on
                event = np.int64(shared.steps[shared.stages[c.stage].first_step + c.step].event)
                if event >= 0:
                    happened(tables, shared, world, out, slot, time, event, time - c.entered)
                    c.heard = time
                outcome = next_step(seed, shared, ground, world, tables.items, tables.quantiles, slot, time, clock)
        elif kind == _EXPERIENCE:
            outcome = UNUSED
            if c.used == 1:
                experience(seed, shared, tables, numbers, c, time)
                outcome = USED
        elif kind == _CANCEL:
            outcome = CANCELLED
        elif kind == _EXPIRE:
            patience = quantised(shared.stages[c.stage].expires_after)
            if time < c.heard + patience:
                _schedule(world, c, slot, c.heard + patience, _EXPIRE)
            else:
                outcome = EXPIRED
        elif respond_now(shared, tables, world, out, slot, time, kind, detail):
            outcome = np.int64(c.outcome)
        if outcome != UNDECIDED:
            _finish(seed, shared, ground, world, tables, numbers, out, slot, outcome, time, clock)
    return True
