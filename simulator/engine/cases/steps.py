"""How a case goes through a fulfilment, step by step: it waits for what it needs, takes its time, ends well or not."""

from __future__ import annotations

import math

import numpy as np

from simulator.engine.cases.event_queue import push
from simulator.engine.cases.resources import (
    GRANTED,
    WAITS,
    ask,
    give_back,
    leave_line,
    release,
    servers_at,
    start_service,
    unit_of,
)
from simulator.engine.jit.compile import internal
from simulator.engine.primitives import drawn, quantised
from simulator.engine.randomness import mix, uniform
from simulator.engine.tables.case_tables import NO_ROW, CaseDraw, CaseTables, Happens, Travel, WorldPlan
from simulator.engine.tables.tables import TICKS_PER_SECOND, Array

DONE, REFUSED, CANCELLED, EXPIRED = 0, 1, 2, 3
UNDECIDED = -1


@internal
def case_luck(c: Array, step: int, what: int) -> np.uint64:
    """Return the key of one draw of a case, in its stage and step."""
    return mix(mix(c.key, np.uint64(c.stage)), (np.uint64(step + 1) << np.uint64(16)) | np.uint64(what))


@internal
def holds(shared: WorldPlan, circumstance: int, time: float) -> bool:
    """Return whether a circumstance (rain) holds at a time."""
    low, high = shared.first_period[circumstance], shared.first_period[circumstance + 1]
    while low < high:  # the first period that ends after `time`
        middle = (low + high) // 2
        if shared.periods[middle, 1] <= time:
            low = middle + 1
        else:
            high = middle
    return low < shared.first_period[circumstance + 1] and shared.periods[low, 0] <= time


@internal
def distance(x: float, y: float, other_x: float, other_y: float) -> float:
    """Return the distance of two places, km."""
    return math.sqrt((x - other_x) ** 2 + (y - other_y) ** 2)


@internal
def travelled(tables: CaseTables, slot: int, way: int) -> float:
    """Move a step's server to the item, or from the item to the user. Returns the seconds that the way takes."""
    geography, places = tables.geography, tables.state.places
    c = tables.state.cases[slot]
    user, item = np.int64(c.user), np.int64(c.item)
    x, y = geography.item_place[item, 0], geography.item_place[item, 1]
    to_x, to_y = x, y
    if way == Travel.TO_USER:
        to_x, to_y = geography.user_place[user, 0], geography.user_place[user, 1]
    elif c.server >= 0:
        x, y = places[c.server, 0], places[c.server, 1]
    if c.server >= 0:
        places[c.server, 0], places[c.server, 1] = to_x, to_y
    return distance(x, y, to_x, to_y) / tables.shared.speed[0]


@internal
def begin_step(tables: CaseTables, unit: int, slot: int, time: float) -> None:
    """Begin the step of a case that has what it needs: it takes its time."""
    shared, state = tables.shared, tables.state
    c = state.cases[slot]
    s = shared.steps[shared.stages[c.stage].first_step + c.step]
    table = s.delay
    factor = 1.0
    if s.uses >= 0:
        if table < 0:
            table = shared.resources[s.uses].service
        factor += shared.resources[s.uses].slowdown * state.units[unit].waiting
        factor *= 1.0 + shared.resources[s.uses].more * (np.float64(c.amount) - shared.resources[s.uses].usual)
    for k in range(s.first_slow, s.first_slow + s.n_slow):
        if holds(shared, shared.slows[k].circumstance, time):
            factor *= shared.slows[k].factor
    seconds = drawn(tables.plan.quantiles, table, case_luck(c, c.step, CaseDraw.DURATION)) if table >= 0 else 0.0
    if s.travels != 0:
        seconds += travelled(tables, slot, s.travels)
    ends = time + quantised(seconds * factor)
    push(state, ends, case_number(c), Happens.STEP_END, np.int64(c.step), slot, np.int64(c.generation))


@internal
def case_number(c: Array) -> np.int64:
    """Return what orders cases in which something happens at the same time."""
    return (np.int64(c.user) << 24) | (np.int64(c.case) & 0xFFFFFF)


@internal
def came(time: float, c: Array) -> np.int64:
    """Return what orders those who ask at one gate: who came first; then, by `detail`, the user."""
    return (np.int64(time * TICKS_PER_SECOND) << 12) | (np.int64(c.case) & 0xFFF)


@internal
def serve_line(tables: CaseTables, resource: int, unit: int, time: float, clock: float) -> None:
    """Have free servers of a unit take on who waits longest."""
    state = tables.state
    u = state.units[unit]
    while u.waiting > 0 and u.busy < servers_at(tables, resource, unit, clock):
        slot = np.int64(u.first)
        leave_line(state, unit, slot, time)
        start_service(tables, resource, unit, slot, time)
        begin_step(tables, unit, slot, time)


@internal
def let_go(tables: CaseTables, slot: int, kept: np.uint32, time: float, clock: float) -> None:
    """Give back every server of a case that is not among the resources `kept`."""
    c = tables.state.cases[slot]
    leaving = np.uint32(c.held) & ~kept
    for r in range(tables.shared.resources.shape[0]):
        if (leaving >> np.uint32(r)) & np.uint32(1):
            unit = unit_of(tables, r, np.int64(c.user), np.int64(c.item))
            release(tables, r, unit, slot, time)
            serve_line(tables, r, unit, time, clock)


@internal
def next_step(seed: int, tables: CaseTables, slot: int, time: float, clock: float) -> int:
    """Go on to the next step that the case needs. Returns DONE after the last, REFUSED, or UNDECIDED in between."""
    shared, state = tables.shared, tables.state
    c = state.cases[slot]
    f = shared.stages[c.stage]
    while True:
        c.step += 1
        if c.step >= f.n_steps:
            return DONE
        s = shared.steps[f.first_step + c.step]
        if s.needs < 1.0 and uniform(case_luck(c, c.step, CaseDraw.NEEDS)) >= s.needs:
            continue
        let_go(tables, slot, s.holds, time, clock)
        if s.uses < 0:
            begin_step(tables, NO_ROW, slot, time)
            return UNDECIDED
        every = shared.resources[s.uses].every
        if every > 0.0 and time % every > 0.0 and shared.resources[s.uses].kind == 0:
            gate = (time // every + 1.0) * every
            push(state, gate, came(time, c), Happens.ASK, np.int64(c.user), slot, np.int64(c.generation))
            return UNDECIDED
        return request_resource(seed, tables, slot, time, clock)


@internal
def request_resource(seed: int, tables: CaseTables, slot: int, time: float, clock: float) -> int:
    """Ask for the resource of the step: the step begins, the case waits (UNDECIDED), or it is REFUSED."""
    c, shared = tables.state.cases[slot], tables.shared
    s = shared.steps[shared.stages[c.stage].first_step + c.step]
    unit = unit_of(tables, s.uses, np.int64(c.user), np.int64(c.item))
    if unit < 0:
        return REFUSED
    answer = ask(seed, tables, s.uses, unit, slot, time, clock)
    if answer == GRANTED:
        begin_step(tables, unit, slot, time)
        return UNDECIDED
    return UNDECIDED if answer == WAITS else REFUSED


@internal
def drop_all(tables: CaseTables, slot: int, well: bool, time: float, clock: float) -> None:
    """Take a case out of its fulfilment: it stands in no line, has no server, and what it will not use comes back."""
    shared, state = tables.shared, tables.state
    c = state.cases[slot]
    user, item = np.int64(c.user), np.int64(c.item)
    if c.waiting != 0:
        s = shared.steps[shared.stages[c.stage].first_step + c.step]
        in_line = c.waiting == 1
        unit = unit_of(tables, s.uses, user, item) if in_line else np.int64(s.review_batch) + item
        leave_line(state, unit, slot, time)
    let_go(tables, slot, np.uint32(0), time, clock)
    for r in range(shared.resources.shape[0]):
        if (np.uint32(c.taken) >> np.uint32(r)) & np.uint32(1):
            unit = unit_of(tables, r, user, item)
            if well:
                state.units[unit].filled += 1
            else:
                give_back(tables, r, unit, slot)
    c.taken = 0
