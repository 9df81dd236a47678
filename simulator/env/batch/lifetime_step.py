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
from simulator.engine.tables.case_tables import (
    CASE,
    CASE_ACT,
    CHOOSER,
    FULFIL,
    HAPPENING,
    PART,
    PROMISE,
    RESOURCE,
    SHIFT,
    SLOW,
    STEP,
    UNIT,
    CaseState,
    CaseTables,
    Count,
    Ground,
    WorldPlan,
)
from simulator.engine.tables.tables import EVENT, FIXED, Goods, Output, People, Status, Tally
from simulator.engine.user.shown_numbers import numbers_of
from simulator.engine.visit.advance import advance
from simulator.env.batch.announcements import phase_at
from simulator.env.batch.encode import answer, begin_episode, begin_step, fold, look, renew
from simulator.env.batch.private_worlds import AT_ONCE, Blank, Orders
from simulator.env.batch.step import (
    PEOPLE,
    POOL,
    Table,
    at,
    goods_at,
    kept_at,
    output_at,
    people_at,
    plan_at,
    seen_at,
    terms_at,
    visits_at,
)
from simulator.env.batch.user_pool import put_users
from simulator.env.rewards import TRUTH

DONE, NO_ITEM, MORE_CASES, MORE_RECORDS, NEW_PHASE = range(5)
"""What a call came to: it is done, an action names no item (nothing has happened), or it cannot go on without more."""

_AWAY, _NEEDS_SLATE, _GONE = int(Status.AWAY), int(Status.NEEDS_SLATE), int(Status.GONE)
_HEAP, _FREE, _RECORDS = int(Count.HEAP), int(Count.FREE), int(Count.RECORDS)
_SATISFACTION = int(Tally.SATISFACTION)
_I1, _I4, _I8 = np.dtype(np.bool_), np.dtype(np.int32), np.dtype(np.int64)
_F4, _F8 = np.dtype(np.float32), np.dtype(np.float64)


@group
class Beside(NamedTuple):
    """What a step reads and writes besides the tables of `simulator.env.batch.step`, the world and its orders."""

    parent: npt.NDArray[np.int32]
    item_place: npt.NDArray[np.float32]
    chooser_taste: npt.NDArray[np.float32]
    phase: npt.NDArray[np.int64]  # of what was announced last to each user
    hours: npt.NDArray[np.float64]  # see `simulator.env.batch.announcements.phase_at`
    phases: npt.NDArray[np.int64]
    at_once: npt.NDArray[np.int64]  # (1,)


@inlined
def _shared_at(t: Table) -> WorldPlan:
    return WorldPlan(
        at(t, 0, FULFIL, 1), at(t, 1, _I4, 3), at(t, 2, _F8, 3), at(t, 3, _I4, 2),
        at(t, 4, STEP, 1), at(t, 5, SLOW, 1), at(t, 6, CASE_ACT, 1), at(t, 7, _F8, 1),
        at(t, 8, RESOURCE, 1), at(t, 9, SHIFT, 1), at(t, 10, CHOOSER, 1),
        at(t, 11, PROMISE, 1), at(t, 12, PART, 1), at(t, 13, _I8, 1), at(t, 14, _F8, 2),
        at(t, 15, _F8, 1),
    )  # fmt: skip


@inlined
def _orders_at(t: Table) -> Orders:
    return Orders(
        at(t, 19, CASE, 2), at(t, 20, HAPPENING, 2), at(t, 21, _I4, 2), at(t, 22, UNIT, 2),
        at(t, 23, _I4, 2), at(t, 24, _F4, 3), at(t, 25, _I8, 2), at(t, 26, _I1, 1),
        at(t, 27, EVENT, 2), at(t, 28, _I8, 1), at(t, 29, _I8, 1), at(t, 30, _F4, 2),
    )  # fmt: skip


@inlined
def _blank_at(t: Table) -> Blank:
    return Blank(
        at(t, 31, HAPPENING, 1), at(t, 32, UNIT, 1), at(t, 33, _I4, 1), at(t, 34, _F4, 2),
        at(t, 35, _I8, 1),
    )  # fmt: skip


@inlined
def _beside_at(t: Table) -> Beside:
    return Beside(
        at(t, 16, _I4, 1), at(t, 17, _F4, 2), at(t, 18, _F4, 2),
        at(t, 36, _I8, 1), at(t, 37, _F8, 1), at(t, 38, _I8, 1), at(t, 39, _I8, 1),
    )  # fmt: skip


@internal
def _furnish(j: int, orders: Orders, blank: Blank) -> None:
    """User j orders for the first time: their world begins."""
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
    orders.counts[j, _FREE] = slots
    orders.there[j] = True


@internal
def _has_room(state: CaseState, more: int, at_once: int) -> bool:
    """Whether `more` rows and what one happening puts there fit on the heap; what is stale makes way for them."""
    needed, room = more + at_once + state.cases.shape[0] + 1, state.heap.shape[0]
    if state.counts[_HEAP] + needed <= room:
        return True
    without_stale(state)
    return bool(state.counts[_HEAP] + needed + state.cases.shape[0] // 2 <= room)


@internal
def _put_aside(j: int, out: Output, n: int, orders: Orders) -> None:
    """Keep of n records those that the platform will get."""
    for r in range(n):
        if out.records[r].logged_at == out.records[r].logged_at:
            orders.waiting[j, orders.n_waiting[j]] = out.records[r]
            orders.waiting[j, orders.n_waiting[j]].user = np.uint32(j)
            orders.n_waiting[j] += 1


@internal
def _next_arrival(j: int, now: float, orders: Orders) -> int:
    """The record that came first by `now`, of those at one time by event and case; -1: none has come."""
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
    """Records that were handed over, without a time by now, leave no gaps."""
    left = 0
    for r in range(orders.n_waiting[j]):
        if orders.waiting[j, r].logged_at == orders.waiting[j, r].logged_at:
            if left < r:
                orders.waiting[j, left] = orders.waiting[j, r]
            left += 1
    orders.n_waiting[j] = left


@kernel
def follow(t: Table, beside: Table, n: int, m: int, resume: int) -> tuple[int, int]:
    """Take users to their next requests, and their orders as far: the first n of `Terms.rows`, and m new ones.

    Args:
        t: see `simulator.env.batch.step.whole_step`.
        beside: `table_of((shared, item sides of the ground, orders, blank, rest of `Beside`))`.
        n, m: as of `whole_step`.
        resume: -1 to begin; else what was returned where the call could not go on, to go on.

    Returns:
        The place in `Terms.rows` where it stopped, and why: `DONE`, or what is wanted.
    """
    plan, people, goods, visits, out = plan_at(t), people_at(t, PEOPLE), goods_at(t), visits_at(t), output_at(t)
    seen, kept, terms, pool = seen_at(t), kept_at(t), terms_at(t), people_at(t, POOL)
    shared, orders, blank, a = _shared_at(beside), _orders_at(beside), _blank_at(beside), _beside_at(beside)
    at_once = a.at_once[0]
    tick, horizon, end, starts_at, margin = (
        terms.numbers[0], terms.numbers[1], terms.numbers[2], terms.numbers[3], terms.numbers[4],
    )  # fmt: skip
    seed, room, cap, recent, limit = (
        terms.counts[0], terms.counts[1], terms.counts[2], terms.counts[3], terms.counts[4],
    )  # fmt: skip
    rows = terms.rows[: n + m]
    going, new = rows[:n], rows[n:]
    if resume < 0:
        for i in range(n):
            for p in range(cap):
                if terms.actions[i, p] < 0 or terms.actions[i, p] >= goods.facts.shape[0]:
                    return 0, NO_ITEM
        answer(
            going, terms.actions, cap, tick, recent, terms.opens, terms.closes, plan.stages, visits.state,
            visits.slate, seen, kept,
        )  # fmt: skip
        begin_step(going, seen)
        put_users(new, terms.places, pool, people)
        begin_episode(new, people.state, visits.state, seen, kept)
        for i in range(m):
            orders.there[new[i]] = False
            orders.n_waiting[new[i]] = 0
        for i in range(n + m):
            orders.felt[rows[i]] = 0
        resume = 0
    coming_back = False
    for s in range(shared.stages.shape[0]):
        coming_back |= shared.stages[s].again_types != 0
    few = Output(out.records[:AT_ONCE], out.tallies, out.counters, out.scratch, out.messages, out.n_messages)
    for k in range(resume, n + m):
        j = rows[k]
        v = visits.state[j]
        # In a world of their own a user is number 0.
        alone = People(
            people.state[j : j + 1], people.taste[j : j + 1], people.mood[j : j + 1], people.followed[j : j + 1],
            people.traits[j : j + 1], people.place[j : j + 1], people.promised[j : j + 1], people.had[j : j + 1],
            people.known[j : j + 1], people.later[j : j + 1], people.pace[j : j + 1],
        )  # fmt: skip
        state = CaseState(
            orders.cases[j], orders.heap[j], orders.free[j], orders.units[j], orders.servers[j], orders.places[j],
            orders.counts[j],
        )  # fmt: skip
        while True:
            sent = out.n_messages[0]
            if sent > 0:
                if not orders.there[j]:
                    _furnish(j, orders, blank)
                if state.counts[_FREE] < sent or not _has_room(state, sent, at_once):
                    return k, MORE_CASES
                for q in range(sent):
                    out.messages[q].user = np.uint32(0)
                post(seed, out.messages[:sent], alone.state, state)  # in the order in which the visit made them
                out.n_messages[0] = 0
            if v.status == _NEEDS_SLATE:
                break
            over = v.status == _GONE or v.clock >= end
            begin = math.floor(v.clock / tick) * tick
            until = end if over else begin
            while orders.there[j] and state.counts[_HEAP] > 0 and state.heap[0].time < until:
                if not _has_room(state, 0, at_once):
                    return k, MORE_CASES
                if orders.n_waiting[j] + AT_ONCE > orders.waiting.shape[1]:
                    return k, MORE_RECORDS
                told = _told(goods, terms.by_item[a.phase[j]])
                ground = Ground(
                    a.parent, terms.zones[j : j + 1], alone.place, a.item_place, a.chooser_taste,
                    orders.qualification[j : j + 1],
                )  # fmt: skip
                tables = CaseTables(
                    shared, ground, state, plan, alone, told, numbers_of(plan, alone, told), few,
                    plan.hours[:0],  # looks at all users itself
                )  # fmt: skip
                before = out.tallies[_SATISFACTION]
                stop = until
                if coming_back:  # a tick at a time: what is used up may bring the user back before the rest happens
                    stop = min(until, (math.floor(state.heap[0].time / tick) + 1.0) * tick)
                live(seed, stop, tables)
                orders.felt[j] += out.tallies[_SATISFACTION] - before
                _put_aside(j, few, state.counts[_RECORDS], orders)
                if coming_back and v.status == _AWAY and people.state[j].due < v.clock:
                    v.clock = people.state[j].due
                    over = v.clock >= end
                    begin = math.floor(v.clock / tick) * tick
                    until = end if over else begin
            if over:
                break
            if people.state[j].gone == 1 and v.status == _AWAY:
                v.status = _GONE  # dismissed; the rest of the orders is lived through in the next turn of the loop
                continue
            phase = phase_at(begin, tick, a.hours, a.phases)
            if phase < 0:
                return k, NEW_PHASE
            a.phase[j] = phase
            for q in range(people.promised.shape[1]):
                people.promised[j, q] = terms.by_zone[phase, terms.zones[j], q]
            people.state[j].row = np.int32(j)
            stop = min((math.floor(v.clock / tick) + 1.0) * tick, end)
            _, written = advance(
                seed, rows[k : k + 1], 0, stop, room, plan, people, _told(goods, terms.by_item[phase]), visits, out,
                terms.counts[5], plan.entries, plan.entries, plan.entries,
            )  # fmt: skip
            fold(
                out.records, written, margin, terms.worth, terms.marks, terms.signal, goods.facts, terms.features,
                seen, kept,
            )  # fmt: skip
            if v.status == _AWAY or v.status == _GONE:
                people.state[j].row = np.int32(-1)
    renew(rows, tick, recent, terms.opens, terms.closes, terms.edges, visits.state, seen, kept)
    begin_step(new, seen)  # what came before the first request is nobody's doing
    for k in range(n + m):
        j = rows[k]
        now = visits.state[j].clock if visits.state[j].status == _NEEDS_SLATE else end
        first = _next_arrival(j, now, orders)
        handed = first >= 0
        while first >= 0:
            out.records[0] = orders.waiting[j, first]
            orders.waiting[j, first].logged_at = math.nan
            fold(
                out.records, 1, margin, terms.worth, terms.marks, terms.signal, goods.facts, terms.features, seen,
                kept,
            )  # fmt: skip
            first = _next_arrival(j, now, orders)
        if handed:
            _close_up(j, orders)
        seen.earned[j, TRUTH] += np.float32(orders.felt[j] / FIXED)
    look(rows, limit, cap, starts_at, horizon, terms.weights, plan.stages, visits.state, seen, kept)
    return n + m, DONE


@inlined
def _told(goods: Goods, promised: npt.NDArray[np.float32]) -> Goods:
    """The items, with what is announced of them."""
    return Goods(
        goods.facts, goods.vectors, goods.colour, goods.readouts, goods.attributes, goods.asides, goods.place,
        promised, goods.published, goods.parent, goods.menu, goods.menus, goods.offered,
    )  # fmt: skip
