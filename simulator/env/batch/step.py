"""A whole step in one call, with all tables bound beforehand.

Handing the engine's tables to a kernel one by one costs more than a user's step: each array is taken apart and wrapped
anew. Their addresses do not change, so they are written down once, and the kernel makes the arrays from there.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from simulator.engine.jit.compile import inlined, kernel
from simulator.engine.jit.structs import group
from simulator.engine.tables.case_row import CASE
from simulator.engine.tables.tables import (
    ACT,
    ANNOUNCED,
    ASIDE,
    CARD,
    CONTEXT,
    COST,
    EVENT,
    FACET,
    HABITS,
    HAD,
    ITEM,
    KNOWN,
    LABEL,
    LATER,
    MODALITY,
    NOTE,
    OBSERVED,
    OFFER,
    OUTREACH,
    PAIR,
    STAGE,
    SUFFICES,
    TYPE,
    USER,
    VISIT,
    Goods,
    Output,
    People,
    Plan,
    Visits,
)  # fmt: skip
from simulator.engine.visit.advance import advance
from simulator.env.batch.encode import answer, begin_episode, begin_step, fold, look, renew
from simulator.env.batch.user_pool import put_users
from simulator.env.buffers import Kept, Seen

from numba import types  # isort: skip  # after simulator.engine.jit.compile, which names the folder of its cache
from numba.extending import intrinsic  # isort: skip
from numba.np.arrayobj import populate_array  # isort: skip

Table = npt.NDArray[np.int64]
_DIMENSIONS = 4
F4, F8 = np.dtype(np.float32), np.dtype(np.float64)
I1, I4, I8 = np.dtype(np.int8), np.dtype(np.int32), np.dtype(np.int64)
U1, U4 = np.dtype(np.uint8), np.dtype(np.uint32)


@group
class Terms(NamedTuple):
    """What else a step reads: of the scene, and what is asked."""

    opens: npt.NDArray[np.float64]
    closes: npt.NDArray[np.float64]
    edges: npt.NDArray[np.float64]
    weights: npt.NDArray[np.float32]
    worth: npt.NDArray[np.float32]
    marks: npt.NDArray[np.uint8]
    signal: npt.NDArray[np.float32]
    features: npt.NDArray[np.float32]
    by_item: npt.NDArray[np.float32]  # (phases, items, promises), as of `simulator.env.batch.announcements.Published`
    by_zone: npt.NDArray[np.float32]  # (phases, zones, promises)
    zones: npt.NDArray[np.int32]  # of all users
    rows: npt.NDArray[np.int64]
    order: npt.NDArray[np.int64]  # the same rows, by phase
    phases: npt.NDArray[np.int64]  # theirs, rising
    actions: npt.NDArray[np.int64]
    numbers: npt.NDArray[np.float64]  # tick, horizon, end, starts_at, margin
    counts: npt.NDArray[np.int64]  # seed, room, places, recent, limit, address of the shared steps
    places: npt.NDArray[np.int64]  # of new users in the pool


def table_of(groups: Iterable[Iterable[Any]]) -> Table:
    """Address and shape of every array, int64 (arrays, 5). The arrays have to outlive the table, and stay in place."""
    arrays = [array for group in groups for array in group]
    table = np.zeros((len(arrays), 1 + _DIMENSIONS), dtype=np.int64)
    for row, array in zip(table, arrays, strict=True):
        if not array.flags.c_contiguous:
            raise ValueError(f"an array of shape {array.shape} is not in one piece")
        row[0] = array.ctypes.data
        row[1 : 1 + array.ndim] = array.shape
    return table


def _array_at(typing: Any, table: Any, k: Any, dtype: Any, dimensions: Any) -> Any:
    """The array of row k of a table, in one piece, of a type that is known when the kernel is compiled."""
    of = types.Array(dtype.dtype, dimensions.literal_value, "C")

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        data = context.make_array(table)(context, builder, value=arguments[0]).data
        place = builder.mul(arguments[1], arguments[1].type(1 + _DIMENSIONS))
        numbers = [builder.load(builder.gep(data, [builder.add(place, place.type(d))])) for d in range(1 + of.ndim)]
        made = context.make_array(of)(context, builder)
        size = place.type(context.get_abi_sizeof(context.get_data_type(of.dtype)))
        strides = [size]
        for length in reversed(numbers[2:]):
            strides.insert(0, builder.mul(strides[0], length))
        populate_array(  # type: ignore[no-untyped-call]
            made, data=builder.inttoptr(numbers[0], made.data.type), shape=numbers[1:], strides=strides,
            itemsize=size, meminfo=None,
        )  # fmt: skip
        return made._getvalue()

    return of(table, types.intp, dtype, dimensions), code


at: Any = intrinsic(prefer_literal=True)(_array_at)


# Where the tables of each group begin in a table of places.
_PLAN = 0
PEOPLE = _PLAN + len(Plan._fields)
_GOODS = PEOPLE + len(People._fields)
_VISITS = _GOODS + len(Goods._fields)
_OUT = _VISITS + len(Visits._fields)
_SEEN = _OUT + len(Output._fields)
_KEPT = _SEEN + len(Seen._fields)
_TERMS = _KEPT + len(Kept._fields)
POOL = _TERMS + len(Terms._fields)


@inlined
def plan_at(t: Table) -> Plan:
    """The plan in a table of places."""
    return Plan(
        at(t, _PLAN + 0, STAGE, 1), at(t, _PLAN + 1, F8, 3), at(t, _PLAN + 2, I4, 3), at(t, _PLAN + 3, F8, 2),
        at(t, _PLAN + 4, I8, 3), at(t, _PLAN + 5, F8, 1), at(t, _PLAN + 6, F8, 1), at(t, _PLAN + 7, PAIR, 1),
        at(t, _PLAN + 8, MODALITY, 1), at(t, _PLAN + 9, FACET, 1), at(t, _PLAN + 10, TYPE, 1),
        at(t, _PLAN + 11, F8, 2), at(t, _PLAN + 12, HABITS, 1), at(t, _PLAN + 13, ACT, 1),
        at(t, _PLAN + 14, OBSERVED, 1), at(t, _PLAN + 15, LABEL, 1), at(t, _PLAN + 16, F8, 1),
        at(t, _PLAN + 17, F8, 1), at(t, _PLAN + 18, F4, 2), at(t, _PLAN + 19, F8, 1), at(t, _PLAN + 20, I4, 2),
        at(t, _PLAN + 21, ASIDE, 1), at(t, _PLAN + 22, COST, 1), at(t, _PLAN + 23, NOTE, 1),
        at(t, _PLAN + 24, OUTREACH, 1), at(t, _PLAN + 25, SUFFICES, 1), at(t, _PLAN + 26, ANNOUNCED, 1),
        at(t, _PLAN + 27, F8, 1), at(t, _PLAN + 28, CONTEXT, 1), at(t, _PLAN + 29, F8, 2), at(t, _PLAN + 30, F8, 2),
        at(t, _PLAN + 31, F8, 2), at(t, _PLAN + 32, I4, 2), at(t, _PLAN + 33, F8, 2),
    )  # fmt: skip


@inlined
def people_at(t: Table, first: int) -> People:
    """Users in it: those of the fleet (`PEOPLE`) or of the pool (`POOL`)."""
    return People(
        at(t, first + 0, USER, 1), at(t, first + 1, F4, 2), at(t, first + 2, F4, 2), at(t, first + 3, U4, 2),
        at(t, first + 4, F4, 2), at(t, first + 5, F4, 2), at(t, first + 6, F4, 2), at(t, first + 7, HAD, 2),
        at(t, first + 8, KNOWN, 2), at(t, first + 9, LATER, 2), at(t, first + 10, F4, 2),
    )  # fmt: skip


@inlined
def goods_at(t: Table) -> Goods:
    """The items in it."""
    return Goods(
        at(t, _GOODS + 0, ITEM, 1), at(t, _GOODS + 1, F4, 2), at(t, _GOODS + 2, F4, 2), at(t, _GOODS + 3, F4, 2),
        at(t, _GOODS + 4, F4, 2), at(t, _GOODS + 5, F4, 2), at(t, _GOODS + 6, F4, 2), at(t, _GOODS + 7, F4, 2),
        at(t, _GOODS + 8, F8, 1), at(t, _GOODS + 9, I4, 1), at(t, _GOODS + 10, I4, 1), at(t, _GOODS + 11, I4, 2),
        at(t, _GOODS + 12, F8, 2),
    )  # fmt: skip


@inlined
def visits_at(t: Table) -> Visits:
    """The visits in it."""
    return Visits(
        at(t, _VISITS + 0, VISIT, 1), at(t, _VISITS + 1, OFFER, 2), at(t, _VISITS + 2, I4, 2),
        at(t, _VISITS + 3, F4, 2), at(t, _VISITS + 4, CARD, 2),
    )  # fmt: skip


@inlined
def output_at(t: Table) -> Output:
    """What a kernel writes to, in it."""
    return Output(
        at(t, _OUT + 0, EVENT, 1), at(t, _OUT + 1, I8, 1), at(t, _OUT + 2, I8, 2), at(t, _OUT + 3, F8, 2),
        at(t, _OUT + 4, CASE, 1), at(t, _OUT + 5, I8, 1),
    )  # fmt: skip


@inlined
def seen_at(t: Table) -> Seen:
    """What was seen, in it."""
    return Seen(
        at(t, _SEEN + 0, F4, 2), at(t, _SEEN + 1, I8, 1), at(t, _SEEN + 2, I8, 1), at(t, _SEEN + 3, I8, 1),
        at(t, _SEEN + 4, I4, 2), at(t, _SEEN + 5, I4, 2), at(t, _SEEN + 6, F4, 2), at(t, _SEEN + 7, F4, 2),
        at(t, _SEEN + 8, I1, 2), at(t, _SEEN + 9, I4, 2), at(t, _SEEN + 10, F4, 2), at(t, _SEEN + 11, F4, 2),
        at(t, _SEEN + 12, F8, 1), at(t, _SEEN + 13, F8, 1), at(t, _SEEN + 14, I1, 1),
    )  # fmt: skip


@inlined
def kept_at(t: Table) -> Kept:
    """What is kept, in it."""
    return Kept(
        at(t, _KEPT + 0, F4, 3), at(t, _KEPT + 1, F4, 2), at(t, _KEPT + 2, I4, 2), at(t, _KEPT + 3, I8, 1),
        at(t, _KEPT + 4, F8, 1), at(t, _KEPT + 5, F4, 2), at(t, _KEPT + 6, I8, 1), at(t, _KEPT + 7, I8, 1),
        at(t, _KEPT + 8, I4, 2),
    )  # fmt: skip


@inlined
def terms_at(t: Table) -> Terms:
    """The rest of it."""
    return Terms(
        at(t, _TERMS + 0, F8, 1), at(t, _TERMS + 1, F8, 1), at(t, _TERMS + 2, F8, 1), at(t, _TERMS + 3, F4, 1),
        at(t, _TERMS + 4, F4, 4), at(t, _TERMS + 5, U1, 2), at(t, _TERMS + 6, F4, 2), at(t, _TERMS + 7, F4, 2),
        at(t, _TERMS + 8, F4, 3), at(t, _TERMS + 9, F4, 3), at(t, _TERMS + 10, I4, 1), at(t, _TERMS + 11, I8, 1),
        at(t, _TERMS + 12, I8, 1), at(t, _TERMS + 13, I8, 1), at(t, _TERMS + 14, I8, 2), at(t, _TERMS + 15, F8, 1),
        at(t, _TERMS + 16, I8, 1), at(t, _TERMS + 17, I8, 1),
    )  # fmt: skip


@kernel
def whole_step(t: Table, n: int, m: int) -> bool:
    """Take users to their next requests: the first n of `Terms.rows`, and m new ones.

    Args:
        t: `table_of((plan, people, goods, visits, output, seen, kept, terms, people of the pool))`.
        n: rows that waited, and get `Terms.actions`.
        m: rows after them that users at `Terms.places` of the pool take to begin an episode.

    Returns:
        False where an action is no item; then nothing has happened.
    """
    plan, people, goods, visits, out = plan_at(t), people_at(t, PEOPLE), goods_at(t), visits_at(t), output_at(t)
    seen, kept, terms, pool = seen_at(t), kept_at(t), terms_at(t), people_at(t, POOL)
    tick, horizon, end, starts_at, margin = (
        terms.numbers[0], terms.numbers[1], terms.numbers[2], terms.numbers[3], terms.numbers[4],
    )  # fmt: skip
    seed, room, cap, recent, limit = (
        terms.counts[0], terms.counts[1], terms.counts[2], terms.counts[3], terms.counts[4],
    )  # fmt: skip
    for i in range(n):
        for p in range(cap):
            if terms.actions[i, p] < 0 or terms.actions[i, p] >= goods.facts.shape[0]:
                return False
    rows = terms.rows[: n + m]
    going, new = rows[:n], rows[n:]
    answer(
        going, terms.actions, cap, tick, recent, terms.opens, terms.closes, plan.stages, visits.state, visits.slate,
        seen, kept,
    )  # fmt: skip
    begin_step(going, seen)
    put_users(new, terms.places, pool, people)
    begin_episode(new, people.state, visits.state, seen, kept)
    begin = 0
    while begin < n + m:
        phase, after = terms.phases[begin], begin
        while after < n + m and terms.phases[after] == phase:
            j = terms.order[after]
            for q in range(people.promised.shape[1]):
                people.promised[j, q] = terms.by_zone[phase, terms.zones[j], q]
            after += 1
        told = Goods(
            goods.facts, goods.vectors, goods.colour, goods.readouts, goods.attributes, goods.asides, goods.place,
            terms.by_item[phase], goods.published, goods.parent, goods.menu, goods.menus, goods.offered,
        )  # fmt: skip
        part = terms.order[begin:after]
        first = 0
        while first < part.shape[0]:
            first, written = advance(
                seed,
                part,
                first,
                end,
                room,
                plan,
                people,
                told,
                visits,
                out,
                terms.counts[5],
                plan.entries,
                plan.entries,
                plan.entries,
            )
            fold(
                out.records, written, margin, terms.worth, terms.marks, terms.signal, goods.facts, terms.features,
                seen, kept,
            )  # fmt: skip
            out.n_messages[0] = 0  # nobody follows an order beyond the visit
        begin = after
    renew(rows, tick, recent, terms.opens, terms.closes, terms.edges, visits.state, seen, kept)
    begin_step(new, seen)  # what came before the first request is nobody's doing
    look(rows, limit, cap, starts_at, horizon, terms.weights, plan.stages, visits.state, seen, kept)
    return True
