"""A whole step in one call, with all tables bound beforehand.

Handing the engine's tables to a kernel one by one costs more than a user's step: each array is taken apart and wrapped
anew. Their addresses do not change, so they are written down once, and the kernel makes the arrays from there.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from simulator.env.buffers import Kept, Seen
from simulator.env.steps import answer, begin_episode, begin_step, fold, look, renew
from simulator.env.users import put_users
from simulator.kernel import kernel
from simulator.kernels.case_row import CASE
from simulator.kernels.layout import (
    ACT,
    ANNOUNCED,
    ASIDE,
    COST,
    EVENT,
    FACET,
    HABITS,
    HAD,
    ITEM,
    KNOWN,
    LABEL,
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
from simulator.kernels.visit import advance

from numba import types  # isort: skip  # after simulator.kernel, which names the folder of its cache
from numba.extending import intrinsic  # isort: skip
from numba.np.arrayobj import populate_array  # isort: skip

Table = npt.NDArray[np.int64]
_DIMENSIONS = 4
F4, F8 = np.dtype(np.float32), np.dtype(np.float64)
I1, I4, I8 = np.dtype(np.int8), np.dtype(np.int32), np.dtype(np.int64)
U1, U4 = np.dtype(np.uint8), np.dtype(np.uint32)


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
    by_item: npt.NDArray[np.float32]  # (phases, items, promises), as of `simulator.env.published.Published`
    by_zone: npt.NDArray[np.float32]  # (phases, zones, promises)
    zones: npt.NDArray[np.int32]  # of all users
    rows: npt.NDArray[np.int64]
    order: npt.NDArray[np.int64]  # the same rows, by phase
    phases: npt.NDArray[np.int64]  # theirs, rising
    actions: npt.NDArray[np.int64]
    numbers: npt.NDArray[np.float64]  # tick, horizon, end, starts_at, margin
    counts: npt.NDArray[np.int64]  # seed, room, places, recent, limit
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


_at: Any = intrinsic(prefer_literal=True)(_array_at)


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
    plan = Plan(
        _at(t, 0, STAGE, 1), _at(t, 1, F8, 3), _at(t, 2, I4, 3), _at(t, 3, F8, 2), _at(t, 4, I8, 3),
        _at(t, 5, F8, 1), _at(t, 6, F8, 1), _at(t, 7, PAIR, 1), _at(t, 8, MODALITY, 1), _at(t, 9, FACET, 1),
        _at(t, 10, TYPE, 1), _at(t, 11, F8, 2), _at(t, 12, HABITS, 1), _at(t, 13, ACT, 1), _at(t, 14, OBSERVED, 1),
        _at(t, 15, LABEL, 1), _at(t, 16, F8, 1), _at(t, 17, F8, 1), _at(t, 18, F4, 2), _at(t, 19, F8, 1),
        _at(t, 20, I4, 2), _at(t, 21, ASIDE, 1), _at(t, 22, COST, 1), _at(t, 23, NOTE, 1), _at(t, 24, OUTREACH, 1),
        _at(t, 25, SUFFICES, 1), _at(t, 26, ANNOUNCED, 1), _at(t, 27, F8, 1), _at(t, 28, I4, 2),
        _at(t, 29, F8, 2),
    )  # fmt: skip
    people = People(
        _at(t, 30, USER, 1), _at(t, 31, F4, 2), _at(t, 32, F4, 2), _at(t, 33, U4, 2), _at(t, 34, F4, 2),
        _at(t, 35, F4, 2), _at(t, 36, F4, 2), _at(t, 37, HAD, 2), _at(t, 38, KNOWN, 2),
    )  # fmt: skip
    goods = Goods(
        _at(t, 39, ITEM, 1), _at(t, 40, F4, 2), _at(t, 41, F4, 2), _at(t, 42, F4, 2), _at(t, 43, F4, 2),
        _at(t, 44, F4, 2), _at(t, 45, F4, 2), _at(t, 46, F4, 2), _at(t, 47, F8, 1),
        _at(t, 48, I4, 1),
    )  # fmt: skip
    visits = Visits(
        _at(t, 49, VISIT, 1), _at(t, 50, OFFER, 2), _at(t, 51, I4, 2), _at(t, 52, F4, 2),
    )  # fmt: skip
    out = Output(
        _at(t, 53, EVENT, 1), _at(t, 54, I8, 1), _at(t, 55, I8, 2), _at(t, 56, F8, 2), _at(t, 57, CASE, 1),
        _at(t, 58, I8, 1),
    )  # fmt: skip
    seen = Seen(
        _at(t, 59, F4, 2), _at(t, 60, I8, 1), _at(t, 61, I8, 1), _at(t, 62, I8, 1), _at(t, 63, I4, 2),
        _at(t, 64, I4, 2), _at(t, 65, F4, 2), _at(t, 66, F4, 2), _at(t, 67, I1, 2), _at(t, 68, I4, 2),
        _at(t, 69, F4, 2), _at(t, 70, F4, 2), _at(t, 71, F8, 1), _at(t, 72, F8, 1), _at(t, 73, I1, 1),
    )  # fmt: skip
    kept = Kept(
        _at(t, 74, F4, 3), _at(t, 75, F4, 2), _at(t, 76, I4, 2), _at(t, 77, I8, 1), _at(t, 78, F8, 1),
        _at(t, 79, F4, 2), _at(t, 80, I8, 1), _at(t, 81, I8, 1), _at(t, 82, I4, 2),
    )  # fmt: skip
    terms = Terms(
        _at(t, 83, F8, 1), _at(t, 84, F8, 1), _at(t, 85, F8, 1), _at(t, 86, F4, 1), _at(t, 87, F4, 4),
        _at(t, 88, U1, 2), _at(t, 89, F4, 2), _at(t, 90, F4, 2), _at(t, 91, F4, 3), _at(t, 92, F4, 3),
        _at(t, 93, I4, 1), _at(t, 94, I8, 1), _at(t, 95, I8, 1), _at(t, 96, I8, 1), _at(t, 97, I8, 2),
        _at(t, 98, F8, 1), _at(t, 99, I8, 1), _at(t, 100, I8, 1),
    )  # fmt: skip
    pool = People(
        _at(t, 101, USER, 1), _at(t, 102, F4, 2), _at(t, 103, F4, 2), _at(t, 104, U4, 2),
        _at(t, 105, F4, 2), _at(t, 106, F4, 2), _at(t, 107, F4, 2), _at(t, 108, HAD, 2), _at(t, 109, KNOWN, 2),
    )  # fmt: skip
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
            terms.by_item[phase], goods.published, goods.parent,
        )  # fmt: skip
        part = terms.order[begin:after]
        first = 0
        while first < part.shape[0]:
            first, written = advance(seed, part, first, end, room, plan, people, told, visits, out)
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
