"""A whole step of users whom their orders follow: visits, and what becomes of orders beside them, in one call.

Orders live from tick to tick, as in a world that many share: what happens to them before a tick is known in it.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from simulator.engine.cases.event_queue import without_stale
from simulator.engine.cases.run import live, post
from simulator.engine.jit.compile import inlined, internal, kernel
from simulator.engine.jit.structs import group
from simulator.engine.tables.case_tables import CaseState, CaseTables, Count, Geography, WorldPlan
from simulator.engine.tables.tables import FIXED, Array, Output, Status, Tally, Users, numbers_of
from simulator.env.batch.announcements import phase_at
from simulator.env.batch.encode import fold, look
from simulator.env.batch.private_worlds import AT_ONCE, Blank, Orders
from simulator.env.batch.step import StepGroups, announce, as_announced, begin, offer, visit
from simulator.env.rewards import TRUTH

DONE, NO_ITEM, MORE_CASES, MORE_RECORDS, NEW_PHASE = range(5)
"""What a call came to: it is done, an action names no item (nothing has happened), or it cannot go on without more."""


@group
class LifetimeTables(NamedTuple):
    """What a step reads and writes besides the tables of `simulator.env.batch.step`, the world and its orders."""

    parent: npt.NDArray[np.int32]
    item_place: npt.NDArray[np.float32]
    chooser_taste: npt.NDArray[np.float32]
    phase: npt.NDArray[np.int64]  # of what was announced last to each user
    hours: npt.NDArray[np.float64]  # see `simulator.env.batch.announcements.phase_at`
    phases: npt.NDArray[np.int64]
    at_once: npt.NDArray[np.int64]  # (1,)


class LifetimeGroups(NamedTuple):
    """What a step of lifetimes reads and writes besides `StepGroups`, pinned together."""

    shared: WorldPlan
    orders: Orders
    blank: Blank
    beside: LifetimeTables


@kernel
def follow(t: StepGroups, w: LifetimeGroups, n: int, m: int, resume: int) -> tuple[int, int]:
    """Take users to their next requests, and their orders as far: the first n of `Turn.rows`, and m new ones.

    Args:
        t: see `simulator.env.batch.step.whole_step`.
        w: pinned.
        n, m: as of `whole_step`.
        resume: -1 to begin; else what was returned where the call could not go on, to go on.

    Returns:
        The place in `Turn.rows` where it stopped, and why: `DONE`, or what is wanted.
    """
    if resume < 0:
        if not begin(t, n, m):
            return 0, NO_ITEM
        _forget_orders(t, w.orders, n, m)
        resume = 0
    by_ticks = _may_return(w.shared)
    for k in range(resume, n + m):
        wanted = _live_on(t, w, k, by_ticks)
        if wanted != DONE:
            return k, wanted
    offer(t, n, m)
    for k in range(n + m):
        _hand_over(t, w.orders, t.turn.rows[k])
    look(t.turn.rows[: n + m], t.terms, t.plan.stages, t.visits.state, t.observation, t.memory)
    return n + m, DONE


@internal
def _forget_orders(t: StepGroups, orders: Orders, n: int, m: int) -> None:
    """Begin a step of n rows and m new ones: nothing was felt yet, and new users have no orders."""
    for i in range(n + m):
        j = t.turn.rows[i]
        orders.felt[j] = 0
        if i >= n:
            orders.there[j] = False
            orders.n_waiting[j] = 0


@internal
def _may_return(shared: WorldPlan) -> bool:
    """Tell whether using an item up may bring a user back."""
    found = False
    for s in range(shared.stages.shape[0]):
        found |= shared.stages[s].again_types != 0
    return found


@internal
def _live_on(t: StepGroups, w: LifetimeGroups, k: int, by_ticks: bool) -> int:
    """Take the k-th row to its next request, or to the end. Returns `DONE`, or what is wanted to go on.

    A turn of the loop: what the visit ordered begins, orders live up to the user's tick, the visit lives through it.
    """
    j, facts, users = t.turn.rows[k], t.terms.facts[0], t.users.state
    v = t.visits.state[j]
    while True:
        if t.out.n_messages[0] > 0 and not _order(t, w, j):
            return MORE_CASES
        if v.status == Status.NEEDS_SLATE:
            return DONE
        wanted = _live_orders(t, w, j, by_ticks)
        if wanted != DONE:
            return wanted
        if _is_over(v, facts.end):
            return DONE
        if users[j].gone == 1 and v.status == Status.AWAY:
            v.status = Status.GONE  # dismissed; the rest of the orders is lived through in the next turn of the loop
            continue
        begins = math.floor(v.clock / facts.tick) * facts.tick
        phase = phase_at(begins, facts.tick, w.beside.hours, w.beside.phases)
        if phase < 0:
            return NEW_PHASE
        w.beside.phase[j] = phase
        announce(t, j, phase)
        users[j].row = np.int32(j)
        stop = min((math.floor(v.clock / facts.tick) + 1.0) * facts.tick, facts.end)
        visit(t, t.turn.rows[k : k + 1], 0, stop, phase)
        if v.status == Status.AWAY or v.status == Status.GONE:
            users[j].row = np.int32(-1)


# ---- orders


@internal
def _order(t: StepGroups, w: LifetimeGroups, j: int) -> bool:
    """Begin what user j ordered in the visit. Returns False where there is no room for it."""
    messages, n, state = t.out.messages, t.out.n_messages[0], _state(w.orders, j)
    if not w.orders.there[j]:
        _furnish(j, w.orders, w.blank)
    if state.counts[Count.FREE] < n or not _has_room(state, n, w.beside.at_once[0]):
        return False
    for q in range(n):
        messages[q].user = np.uint32(0)  # in a world of their own
    post(t.terms.facts[0].seed, messages[:n], t.users.state[j : j + 1], state)  # in the order of the visit
    t.out.n_messages[0] = 0
    return True


@internal
def _live_orders(t: StepGroups, w: LifetimeGroups, j: int, by_ticks: bool) -> int:
    """Let all happen to user j's orders that happens before the visit goes on. Returns `DONE`, or what is wanted.

    With `by_ticks` they live a tick at a time: what is used up may bring the user back before the rest happens.
    """
    state, v, facts = _state(w.orders, j), t.visits.state[j], t.terms.facts[0]
    if not _is_due(state, v, facts, w.orders.there[j]):
        return DONE
    user, items = _user(t.users, j), as_announced(t, w.beside.phase[j])
    out = _first_records(t.out)
    tables = CaseTables(
        w.shared, _geography(t, w, user, j), state, t.plan, user, items, numbers_of(t.plan, user, items), out,
        t.plan.hours[:0],  # a step looks at all its users itself
    )  # fmt: skip
    while _is_due(state, v, facts, True):
        if not _has_room(state, 0, w.beside.at_once[0]):
            return MORE_CASES
        if w.orders.n_waiting[j] + AT_ONCE > w.orders.waiting.shape[1]:
            return MORE_RECORDS
        stop = _until(v, facts)
        if by_ticks:
            stop = min(stop, (math.floor(state.heap[0].time / facts.tick) + 1.0) * facts.tick)
        before = out.tallies[Tally.SATISFACTION]
        live(facts.seed, stop, tables)
        w.orders.felt[j] += out.tallies[Tally.SATISFACTION] - before
        _put_aside(j, out, state.counts[Count.RECORDS], w.orders)
        if by_ticks and v.status == Status.AWAY and user.state[0].due < v.clock:
            v.clock = user.state[0].due
    return DONE


@inlined
def _is_over(v: Array, end: float) -> bool:
    return bool(v.status == Status.GONE or v.clock >= end)


@inlined
def _until(v: Array, facts: Array) -> float:
    """Return the time before which orders live: that of the tick that the visit has come to, or the end."""
    return float(facts.end if _is_over(v, facts.end) else math.floor(v.clock / facts.tick) * facts.tick)


@inlined
def _is_due(state: CaseState, v: Array, facts: Array, there: bool) -> bool:
    """Tell whether anything happens to orders before the visit goes on."""
    return there and state.counts[Count.HEAP] > 0 and state.heap[0].time < _until(v, facts)


@inlined
def _state(orders: Orders, j: int) -> CaseState:
    """Return the state of user j's orders."""
    return CaseState(
        orders.cases[j], orders.heap[j], orders.free[j], orders.units[j], orders.servers[j], orders.places[j],
        orders.counts[j],
    )  # fmt: skip


@inlined
def _user(users: Users, j: int) -> Users:
    """Return user j alone, who is number 0 in a world of their own."""
    return Users(
        users.state[j : j + 1], users.taste[j : j + 1], users.satiation_trust[j : j + 1], users.followed[j : j + 1],
        users.traits[j : j + 1], users.place[j : j + 1], users.promised[j : j + 1], users.parent_history[j : j + 1],
        users.item_memory[j : j + 1], users.deferred[j : j + 1], users.pace[j : j + 1],
    )  # fmt: skip


@inlined
def _geography(t: StepGroups, w: LifetimeGroups, user: Users, j: int) -> Geography:
    """Return where user j and the items are."""
    return Geography(
        w.beside.parent, t.announced.zones[j : j + 1], user.place, w.beside.item_place, w.beside.chooser_taste,
        w.orders.qualification[j : j + 1],
    )  # fmt: skip


@inlined
def _first_records(out: Output) -> Output:
    """Return the output with room for `AT_ONCE` records."""
    return Output(
        out.records[:AT_ONCE], out.tallies, out.counters, out.scratch, out.messages, out.n_messages, out.wanted
    )


@internal
def _furnish(j: int, orders: Orders, blank: Blank) -> None:
    """Begin the world of user j, who orders for the first time."""
    slots = orders.free.shape[1]
    for s in range(slots):
        orders.free[j, s] = slots - 1 - s
    for k in range(blank.heap.shape[0]):
        orders.heap[j, k] = blank.heap[k]
    for u in range(blank.units.shape[0]):
        orders.units[j, u] = blank.units[u]
    for s in range(blank.servers.shape[0]):
        orders.servers[j, s] = blank.servers[s]
        orders.places[j, s, 0] = blank.places[s, 0]
        orders.places[j, s, 1] = blank.places[s, 1]
    for c in range(blank.counts.shape[0]):
        orders.counts[j, c] = blank.counts[c]
    orders.counts[j, Count.FREE] = slots
    orders.there[j] = True


@internal
def _has_room(state: CaseState, more: int, at_once: int) -> bool:
    """Tell whether `more` rows and what one happening puts there fit on the heap; what is stale makes way for them."""
    needed, room = more + at_once + state.cases.shape[0] + 1, state.heap.shape[0]
    if state.counts[Count.HEAP] + needed <= room:
        return True
    without_stale(state)
    return bool(state.counts[Count.HEAP] + needed + state.cases.shape[0] // 2 <= room)


# ---- records of orders, on their way to the platform


@internal
def _put_aside(j: int, out: Output, n: int, orders: Orders) -> None:
    """Keep of n records those that the platform will get."""
    for r in range(n):
        if out.records[r].logged_at == out.records[r].logged_at:
            orders.waiting[j, orders.n_waiting[j]] = out.records[r]
            orders.waiting[j, orders.n_waiting[j]].user = np.uint32(j)
            orders.n_waiting[j] += 1


@internal
def _hand_over(t: StepGroups, orders: Orders, j: int) -> None:
    """Add up what has come to the platform by user j's request, one record after the other, and what was felt."""
    v, records = t.visits.state[j], t.out.records
    now = v.clock if v.status == Status.NEEDS_SLATE else t.terms.facts[0].end
    first = _next_arrival(j, now, orders)
    handed = first >= 0
    while first >= 0:
        records[0] = orders.waiting[j, first]
        orders.waiting[j, first].logged_at = math.nan
        fold(records, 1, t.terms, t.items.state, t.observation, t.memory)
        first = _next_arrival(j, now, orders)
    if handed:
        _close_up(j, orders)
    t.observation.earned[j, TRUTH] += np.float32(orders.felt[j] / FIXED)


@internal
def _next_arrival(j: int, now: float, orders: Orders) -> int:
    """Return the record that came first by `now`, of those at one time by event and case; -1: none has come."""
    first = -1
    for r in range(orders.n_waiting[j]):
        row = orders.waiting[j, r]
        if not row.logged_at <= now:
            continue
        if first >= 0:
            other = orders.waiting[j, first]
            if row.logged_at != other.logged_at:
                sooner = row.logged_at < other.logged_at
            elif row.event != other.event:
                sooner = row.event < other.event
            else:
                sooner = row.case < other.case
            if not sooner:
                continue
        first = r
    return first


@internal
def _close_up(j: int, orders: Orders) -> None:
    """Close the gaps that records leave which were handed over, and have no time by now."""
    left = 0
    for r in range(orders.n_waiting[j]):
        if orders.waiting[j, r].logged_at == orders.waiting[j, r].logged_at:
            if left < r:
                orders.waiting[j, left] = orders.waiting[j, r]
            left += 1
    orders.n_waiting[j] = left
