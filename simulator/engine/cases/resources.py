"""What cases share and wait for: servers with a line, stock, openings, slots; and what a wait would be."""

from __future__ import annotations

import numpy as np

from simulator.engine.cases.event_queue import push
from simulator.engine.jit.compile import internal, kernel
from simulator.engine.primitives import drawn, quantised
from simulator.engine.randomness import WORLD, mix, root
from simulator.engine.tables.case_tables import (
    NO_ROW,
    CaseDraw,
    CaseState,
    CaseTables,
    Happens,
    Per,
    ResourceKind,
    WorldPlan,
)
from simulator.engine.tables.tables import DAY, Array

GRANTED, WAITS, REFUSED = 0, 1, 2


@kernel
def unit_of(tables: CaseTables, resource: int, user: int, item: int) -> int:
    """Return the unit of a resource that serves a user's case about an item; -1 where the item has none (no parent)."""
    r = tables.shared.resources[resource]
    own = np.int64(0)
    if r.per == Per.ITEM:
        own = item
    elif r.per == Per.CREATOR:
        own = np.int64(tables.items.state[item].creator)
    elif r.per == Per.USER:
        own = user
    elif r.per == Per.ZONE:
        own = np.int64(tables.geography.zone[user])
    elif r.per != Per.WORLD:
        own = np.int64(tables.geography.parent[item])
    return r.first_unit + own if 0 <= own < r.n_units else NO_ROW


@internal
def whole_of(amount: float, share: float, rounding: float) -> int:
    """Return the whole number that a unit has of something: `amount * share`, at least 1 where there is any at all."""
    return np.int64(max(amount * share, 1.0) + rounding) if amount * share > 0.0 else np.int64(0)


@internal
def servers_at(tables: CaseTables, resource: int, unit: int, clock: float) -> int:
    """Count servers of a unit at an hour of the day (`clock`, s since midnight): those of its shift, or its own."""
    r, shifts, u = tables.shared.resources[resource], tables.shared.shifts, tables.state.units[unit]
    for k in range(r.first_shift, r.first_shift + r.n_shifts):
        s = shifts[k]
        inside = s.starts <= clock < s.ends if s.starts <= s.ends else (clock >= s.starts or clock < s.ends)
        if inside:
            return whole_of(s.capacity, u.share, u.rounding)
    return np.int64(u.capacity)


@kernel
def next_shift(shared: WorldPlan, resource: int, time: float, starts_at: float) -> float:
    """Return when servers of a resource come or go next after `time`, s; inf without shifts."""
    r = shared.resources[resource]
    clock = (time + starts_at) % DAY
    wait = np.inf
    for k in range(r.first_shift, r.first_shift + r.n_shifts):
        for edge in (shared.shifts[k].starts, shared.shifts[k].ends):
            wait = min(wait, (edge - clock) % DAY if (edge - clock) % DAY > 0.0 else DAY)
    return time + wait


@kernel
def settle_unit(units: Array, unit: int, time: float) -> None:
    """Bring the integrals of a unit up to date."""
    u = units[unit]
    u.area += u.waiting * (time - u.since)
    u.work += u.busy * (time - u.since)
    u.since = time


@internal
def join_line(state: CaseState, unit: int, slot: int, time: float) -> None:
    """Put a case at the end of a unit's line."""
    c, u = state.cases[slot], state.units[unit]
    settle_unit(state.units, unit, time)
    c.before, c.behind = u.last, NO_ROW
    if u.last >= 0:
        state.cases[u.last].behind = slot
    else:
        u.first = slot
    u.last = slot
    u.waiting += 1
    c.waiting = 1
    c.arrived = time


@internal
def leave_line(state: CaseState, unit: int, slot: int, time: float) -> None:
    """Take a case out of a unit's line, wherever it stands in it."""
    c, u = state.cases[slot], state.units[unit]
    settle_unit(state.units, unit, time)
    if c.before >= 0:
        state.cases[c.before].behind = c.behind
    else:
        u.first = c.behind
    if c.behind >= 0:
        state.cases[c.behind].before = c.before
    else:
        u.last = c.before
    u.waiting -= 1
    c.waiting = 0


@internal
def _take_server(tables: CaseTables, unit: int, slot: int) -> None:
    """Give a case the free server that is nearest to its item; the lower number where two are equally near."""
    state, item_place = tables.state, tables.geography.item_place
    u, c, servers, places = state.units[unit], state.cases[slot], state.servers, state.places
    best, nearest = NO_ROW, np.inf
    x, y = item_place[c.item, 0], item_place[c.item, 1]
    for k in range(u.first_server, u.first_server + u.n_servers):
        if servers[k] >= 0:
            continue
        far = (places[k, 0] - x) ** 2 + (places[k, 1] - y) ** 2
        if far < nearest:
            best, nearest = k, far
    c.server = best
    servers[best] = slot


@internal
def start_service(tables: CaseTables, resource: int, unit: int, slot: int, time: float) -> None:
    """Have a server of a unit take a case on."""
    state = tables.state
    u, c = state.units[unit], state.cases[slot]
    settle_unit(state.units, unit, time)
    u.busy += 1
    u.served += 1
    u.waited += time - c.arrived
    c.held |= np.uint32(1) << np.uint32(resource)
    if tables.shared.resources[resource].moves == 1:
        _take_server(tables, unit, slot)


@internal
def release(tables: CaseTables, resource: int, unit: int, slot: int, time: float) -> None:
    """Give back a case's server."""
    state = tables.state
    c = state.cases[slot]
    settle_unit(state.units, unit, time)
    state.units[unit].busy -= 1
    c.held &= ~(np.uint32(1) << np.uint32(resource))
    if tables.shared.resources[resource].moves == 1:
        state.servers[c.server] = NO_ROW
        c.server = NO_ROW


@internal
def ask(seed: int, tables: CaseTables, resource: int, unit: int, slot: int, time: float, clock: float) -> int:
    """Ask for a resource: a case has it (GRANTED), stands in line (WAITS), or nothing is left (REFUSED)."""
    state = tables.state
    r, u, c = tables.shared.resources[resource], state.units[unit], state.cases[slot]
    u.arrivals += 1
    if r.kind == ResourceKind.QUEUE:
        c.arrived = time
        if u.waiting == 0 and u.busy < servers_at(tables, resource, unit, clock):
            start_service(tables, resource, unit, slot, time)
            return GRANTED
        if u.waiting >= r.line * u.share:
            return REFUSED
        join_line(state, unit, slot, time)
        return WAITS
    wanted = 1
    if r.kind == ResourceKind.STOCK:
        wanted = np.int64(c.amount)
    elif r.kind == ResourceKind.OPENINGS:
        if c.created >= u.closes:  # who came in time may still be taken, however long it takes
            return REFUSED
    elif r.every > 0.0 and np.int64(time // r.every) > u.period:
        u.period = np.int64(time // r.every)
        u.level = u.capacity
    if u.level < wanted:
        return REFUSED
    u.level -= wanted
    u.served += 1
    if r.kind == ResourceKind.STOCK or r.kind == ResourceKind.OPENINGS:
        c.taken |= np.uint32(1) << np.uint32(resource)
    if r.kind == ResourceKind.STOCK and u.ordered == 0 and u.level <= r.restock_below * u.share:
        u.ordered = 1
        key = mix(mix(mix(root(seed, WORLD), np.uint64(CaseDraw.RESTOCK)), np.uint64(unit)), np.uint64(u.restocks))
        u.restocks += 1
        arrives = time + quantised(drawn(tables.plan.quantiles, r.restock_lead, key))
        push(state, arrives, unit, Happens.RESTOCK, resource, unit, 0)
    return GRANTED


@internal
def left_of(tables: CaseTables, resource: int, user: int, item: int, time: float) -> int:
    """Count slots or openings that are left at a time for a user's case about an item."""
    unit = unit_of(tables, resource, user, item)
    if unit < 0:
        return 0
    u, every = tables.state.units[unit], tables.shared.resources[resource].every
    if every > 0.0 and np.int64(time // every) > u.period:
        return np.int64(u.capacity)
    return np.int64(u.level)


@internal
def restock(tables: CaseTables, resource: int, unit: int) -> None:
    """Put new stock in, which has come."""
    u = tables.state.units[unit]
    u.level = max(np.int64(u.level), whole_of(tables.shared.resources[resource].restock_to, u.share, u.rounding))
    u.ordered = 0


@internal
def give_back(tables: CaseTables, resource: int, unit: int, slot: int) -> None:
    """Give back what a case had taken and will not use."""
    c = tables.state.cases[slot]
    c.taken &= ~(np.uint32(1) << np.uint32(resource))
    stock = tables.shared.resources[resource].kind == ResourceKind.STOCK
    tables.state.units[unit].level += np.int64(c.amount) if stock else 1


@internal
def expected_wait(tables: CaseTables, resource: int, unit: int, service: float, clock: float) -> float:
    """Return how long one more case would wait for a server now, s: those before it, served at the usual speed.

    (waiting + 1) / (servers / service) while all servers are busy, 0 while one is free; a unit that is closed counts
    as one with one server.
    """
    u = tables.state.units[unit]
    servers = servers_at(tables, resource, unit, clock)
    if u.busy < servers and u.waiting == 0:
        return 0.0
    return service * (u.waiting + 1.0) / max(servers, 1)
