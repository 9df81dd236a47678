"""What cases share and wait for: servers with a line, stock, openings, slots; and what a wait would be."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from simulator.engine.cases.event_queue import push
from simulator.engine.jit.compile import internal, kernel
from simulator.engine.primitives import drawn, quantised
from simulator.engine.randomness import WORLD, mix, root
from simulator.engine.tables.case_tables import (
    NO_ROW,
    Count,
    Ground,
    Happens,
    Luck,
    Per,
    ResourceKind,
    World,
    WorldPlan,
)
from simulator.engine.tables.tables import DAY, Array

GRANTED, WAITS, REFUSED = 0, 1, 2

_HEAP = int(Count.HEAP)
_QUEUE, _STOCK, _OPENINGS = int(ResourceKind.QUEUE), int(ResourceKind.STOCK), int(ResourceKind.OPENINGS)
_WORLD, _ITEM, _CREATOR, _USER, _ZONE = (int(p) for p in (Per.WORLD, Per.ITEM, Per.CREATOR, Per.USER, Per.ZONE))
_RESTOCK, _SHIFT = int(Happens.RESTOCK), int(Happens.SHIFT)
_L_RESTOCK = int(Luck.RESTOCK)


@kernel
def unit_of(plan: WorldPlan, ground: Ground, items: Array, resource: int, user: int, item: int) -> int:
    """The unit of a resource that serves a user's case about an item; -1 where the item has none (no parent)."""
    r = plan.resources[resource]
    own = np.int64(0)
    if r.per == _ITEM:
        own = item
    elif r.per == _CREATOR:
        own = np.int64(items[item].creator)
    elif r.per == _USER:
        own = user
    elif r.per == _ZONE:
        own = np.int64(ground.zone[user])
    elif r.per != _WORLD:
        own = np.int64(ground.parent[item])
    return r.first_unit + own if 0 <= own < r.n_units else NO_ROW


@internal
def servers_at(plan: WorldPlan, units: Array, resource: int, unit: int, clock: float) -> int:
    """Servers of a unit at an hour of the day (`clock`, s since midnight): those of its shift, or its own."""
    r = plan.resources[resource]
    for k in range(r.first_shift, r.first_shift + r.n_shifts):
        s = plan.shifts[k]
        inside = s.starts <= clock < s.ends if s.starts <= s.ends else (clock >= s.starts or clock < s.ends)
        if inside:
            return s.capacity
    return np.int64(units[unit].capacity)


@kernel
def next_shift(plan: WorldPlan, resource: int, time: float, starts_at: float) -> float:
    """When servers of a resource come or go next after `time`, s; inf without shifts."""
    r = plan.resources[resource]
    clock = (time + starts_at) % DAY
    wait = np.inf
    for k in range(r.first_shift, r.first_shift + r.n_shifts):
        for edge in (plan.shifts[k].starts, plan.shifts[k].ends):
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
def join_line(world: World, unit: int, slot: int, time: float) -> None:
    """A case waits at the end of a unit's line."""
    c, u = world.cases[slot], world.units[unit]
    settle_unit(world.units, unit, time)
    c.before, c.behind = u.last, NO_ROW
    if u.last >= 0:
        world.cases[u.last].behind = slot
    else:
        u.first = slot
    u.last = slot
    u.waiting += 1
    c.waiting = 1
    c.arrived = time


@internal
def leave_line(world: World, unit: int, slot: int, time: float) -> None:
    """A case stops waiting, from wherever it stands in the line."""
    c, u = world.cases[slot], world.units[unit]
    settle_unit(world.units, unit, time)
    if c.before >= 0:
        world.cases[c.before].behind = c.behind
    else:
        u.first = c.behind
    if c.behind >= 0:
        world.cases[c.behind].before = c.before
    else:
        u.last = c.before
    u.waiting -= 1
    c.waiting = 0


@internal
def _take_server(world: World, ground: Ground, unit: int, slot: int) -> None:
    """Give a case the free server that is nearest to its item; the lower number where two are equally near."""
    u, c = world.units[unit], world.cases[slot]
    best, nearest = NO_ROW, np.inf
    x, y = ground.item_place[c.item, 0], ground.item_place[c.item, 1]
    for k in range(u.first_server, u.first_server + u.n_servers):
        if world.servers[k] >= 0:
            continue
        far = (world.places[k, 0] - x) ** 2 + (world.places[k, 1] - y) ** 2
        if far < nearest:
            best, nearest = k, far
    c.server = best
    world.servers[best] = slot


@internal
def start_service(
    plan: WorldPlan, ground: Ground, world: World, resource: int, unit: int, slot: int, time: float
) -> None:
    """A server of a unit takes a case on."""
    u, c = world.units[unit], world.cases[slot]
    settle_unit(world.units, unit, time)
    u.busy += 1
    u.served += 1
    u.waited += time - c.arrived
    c.held |= np.uint32(1) << np.uint32(resource)
    if plan.resources[resource].moves == 1:
        _take_server(world, ground, unit, slot)


@internal
def release(plan: WorldPlan, world: World, resource: int, unit: int, slot: int, time: float) -> None:
    """A case gives its server back."""
    c = world.cases[slot]
    settle_unit(world.units, unit, time)
    world.units[unit].busy -= 1
    c.held &= ~(np.uint32(1) << np.uint32(resource))
    if plan.resources[resource].moves == 1:
        world.servers[c.server] = NO_ROW
        c.server = NO_ROW


@internal
def ask(
    seed: int,
    plan: WorldPlan,
    ground: Ground,
    world: World,
    quantiles: npt.NDArray[np.float32],
    resource: int,
    unit: int,
    slot: int,
    time: float,
    clock: float,
) -> int:
    """A case asks for a resource: GRANTED (it has it), WAITS (it stands in line) or REFUSED (nothing is left)."""
    r, u, c = plan.resources[resource], world.units[unit], world.cases[slot]
    bit = np.uint32(1) << np.uint32(resource)
    u.arrivals += 1
    if r.kind == _QUEUE:
        c.arrived = time
        if u.waiting == 0 and u.busy < servers_at(plan, world.units, resource, unit, clock):
            start_service(plan, ground, world, resource, unit, slot, time)
            return GRANTED
        if u.waiting >= r.line:
            return REFUSED
        join_line(world, unit, slot, time)
        return WAITS
    wanted = 1
    if r.kind == _STOCK:
        wanted = np.int64(c.amount)
    elif r.kind == _OPENINGS:
        if c.created >= u.closes:  # who came in time may still be taken, however long it takes
            return REFUSED
    elif r.every > 0.0 and np.int64(time // r.every) > u.period:
        u.period = np.int64(time // r.every)
        u.level = u.capacity
    if u.level < wanted:
        return REFUSED
    u.level -= wanted
    u.served += 1
    if r.kind == _STOCK or r.kind == _OPENINGS:
        c.taken |= bit
    if r.kind == _STOCK and u.ordered == 0 and u.level <= r.restock_below:
        u.ordered = 1
        key = mix(mix(mix(root(seed, WORLD), np.uint64(_L_RESTOCK)), np.uint64(unit)), np.uint64(u.restocks))
        u.restocks += 1
        arrives = time + quantised(drawn(quantiles, r.restock_lead, key))
        world.counts[_HEAP] = push(world.heap, world.counts[_HEAP], arrives, unit, _RESTOCK, resource, unit, 0)
    return GRANTED


@internal
def left_of(
    plan: WorldPlan, ground: Ground, units: Array, items: Array, resource: int, user: int, item: int, time: float
) -> int:
    """Slots or openings that are left at a time for a user's case about an item."""
    unit = unit_of(plan, ground, items, resource, user, item)
    if unit < 0:
        return 0
    every = plan.resources[resource].every
    if every > 0.0 and np.int64(time // every) > units[unit].period:
        return np.int64(units[unit].capacity)
    return np.int64(units[unit].level)


@internal
def restock(plan: WorldPlan, world: World, resource: int, unit: int) -> None:
    """New stock has come."""
    u = world.units[unit]
    u.level = max(np.int64(u.level), np.int64(plan.resources[resource].restock_to))
    u.ordered = 0


@internal
def give_back(plan: WorldPlan, world: World, resource: int, unit: int, slot: int) -> None:
    """What a case had taken and will not use comes back."""
    c = world.cases[slot]
    c.taken &= ~(np.uint32(1) << np.uint32(resource))
    world.units[unit].level += np.int64(c.amount) if plan.resources[resource].kind == _STOCK else 1


@internal
def expected_wait(plan: WorldPlan, units: Array, resource: int, unit: int, service: float, clock: float) -> float:
    """How long one more case would wait for a server now, s: those before it, served at the usual speed.

    (waiting + 1) / (servers / service) while all servers are busy, 0 while one is free; a unit that is closed counts
    as one with one server.
    """
    u = units[unit]
    servers = servers_at(plan, units, resource, unit, clock)
    if u.busy < servers and u.waiting == 0:
        return 0.0
    return service * (u.waiting + 1.0) / max(servers, 1)
