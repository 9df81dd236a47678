"""Kernels of sorted lists: the order that a visit asks for, and the items of its pages."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from simulator.engine.jit.compile import internal, kernel
from simulator.engine.jit.structs import group
from simulator.engine.randomness import PERCEPTION, SORTING, mix, root, uniform
from simulator.engine.tables.tables import Array
from simulator.engine.user.shown_numbers import Numbers, distance, promised_seconds
from simulator.platform.kernels.lists import CandidateLists

NONE = -1
"""Number of no order: the recommender's own."""


@internal
def _wished(start: np.uint64, v: Array, bounds: npt.NDArray[np.float64]) -> int:
    """Return the order that a visit asks for wherever it can, by shares that are added up; NONE none."""
    draw = uniform(mix(mix(start, np.uint64(v.user)), np.uint64(v.visit)))
    for order in range(bounds.shape[0]):
        if draw < bounds[order]:
            return np.int64(order)
    return np.int64(NONE)


@kernel
def kinds_of(
    seed: int,
    chosen: npt.NDArray[np.int64],
    rows: Array,
    bounds: npt.NDArray[np.float64],
    kind: npt.NDArray[np.int64],
    out: npt.NDArray[np.int64],
) -> None:
    """Fill `out` (n,) with the kinds of slates that the rows `chosen` wait for.

    Args:
        seed: the world's.
        chosen: places in `rows`, (n,).
        rows: all visits.
        bounds: shares of the orders, added up.
        kind: numbers of kinds by stage and order, (stages, 1 + orders), first without an order.
        out: filled.
    """
    start = root(seed, SORTING)
    for k in range(chosen.shape[0]):
        v = rows[chosen[k]]
        out[k] = kind[v.slate_stage, 1 + _wished(start, v, bounds)]


@kernel
def known_orders(
    seed: int,
    chosen: npt.NDArray[np.int64],
    rows: Array,
    bounds: npt.NDArray[np.float64],
    out: npt.NDArray[np.int8],
) -> None:
    """Fill `out` (n,) with the orders that the visits of the rows `chosen` have asked for so far, NONE none."""
    start = root(seed, SORTING)
    for k in range(chosen.shape[0]):
        v = rows[chosen[k]]
        out[k] = NONE
        if v.listed_at > 0:
            out[k] = _wished(start, v, bounds)


@group
class SortKeys(NamedTuple):
    """Say by what lists are put in order."""

    promise: int  # of which promise; -1: by the distance, -2: by the items' own `values`
    sign: float  # 1.0: lowest first; -1.0: highest first
    values: npt.NDArray[np.float64]  # (items,), lowest first; inf where there is none
    ties: npt.NDArray[np.int64]  # (items,), each once: in which order equals stand
    persons: Array  # states of users: promises err by their keys


@group
class Pages(NamedTuple):
    """Hold the slates of n visits, one page of a list each, and room to put lists in order."""

    items: npt.NDArray[np.int32]  # (n, size), -1 behind the last candidate
    odds: npt.NDArray[np.float32]  # (n, size), NaN there
    heap: npt.NDArray[np.float64]  # (candidates, 2)
    amounts: npt.NDArray[np.float64]  # (candidates,)


@kernel
def turn_pages(
    seed: int,
    chosen: npt.NDArray[np.int64],
    rows: Array,
    lists: CandidateLists,
    by: SortKeys,
    numbers: Numbers,
    pages: Pages,
) -> None:
    """Fill `pages` with what comes first on the lists of the rows `chosen`, or next, and note there how far.

    Args:
        seed: the world's.
        chosen: places in `rows`, (n,).
        rows: all visits.
        lists: what the rows choose from.
        by: the order that they ask for.
        numbers: tables of the world.
        pages: filled.
    """
    items, bounds, of = lists.items, lists.bounds, lists.of
    out, odds, heap, amounts = pages.items, pages.odds, pages.heap, pages.amounts
    draw, persons = by.ties, by.persons
    start = root(seed, PERCEPTION)
    size = out.shape[1]
    for k in range(chosen.shape[0]):
        v = rows[chosen[k]]
        user = np.int64(v.user)
        begin, m = bounds[of[k], 0], bounds[of[k], 1] - bounds[of[k], 0]
        filled = min(size, m)
        first = np.int64(0)
        if v.listed_at > 0 and v.listed_in == v.slate_stage:
            first = np.int64(v.listed)
            if v.request == v.listed_at + 1:
                first += filled
        v.listed, v.listed_at, v.listed_in = first, v.request, v.slate_stage
        v.above = np.uint32(first)  # a page that is shown once more is as far down as it was
        page = first % max(m, 1)
        last = m if page + filled > m else page + filled  # behind the last page comes the first
        _amounts(mix(start, persons[user].key), user, items[begin : begin + m], by, numbers, amounts)
        kept = np.int64(0)
        for c in range(m):
            if kept < last or amounts[c] <= heap[0, 0]:
                kept = _keep(heap, kept, last, amounts[c], np.float64(items[begin + c]), draw)
        _put_in_order(heap, kept, draw)
        for j in range(filled):
            out[k, j] = np.int32(heap[(page + j) % m, 1])
            odds[k, j] = 1.0
        for j in range(filled, size):
            out[k, j] = -1
            odds[k, j] = np.float32(np.nan)


@internal
def _amounts(
    perceptions: np.uint64,
    user: int,
    items: npt.NDArray[np.int32],
    by: SortKeys,
    numbers: Numbers,
    out: npt.NDArray[np.float64],
) -> None:
    """Fill `out` with what a user's list `items` is put in order by: a loop of its own for each kind of number."""
    promise, sign, values = by.promise, by.sign, by.values
    if promise == -1:
        for c in range(items.shape[0]):
            out[c] = sign * distance(user, np.int64(items[c]), numbers)
    elif promise < 0:
        for c in range(items.shape[0]):
            out[c] = values[items[c]]
    else:
        for c in range(items.shape[0]):
            item = np.int64(items[c])
            out[c] = sign * promised_seconds(mix(perceptions, np.uint64(item)), promise, user, item, numbers)


@internal
def _later(heap: npt.NDArray[np.float64], a: int, value: float, item: float, draw: npt.NDArray[np.int64]) -> bool:
    """Tell whether entry `a` of a heap comes after (value, item)."""
    if heap[a, 0] != value:
        return heap[a, 0] > value
    return draw[np.int64(heap[a, 1])] > draw[np.int64(item)]


@internal
def _keep(
    heap: npt.NDArray[np.float64], kept: int, most: int, value: float, item: float, draw: npt.NDArray[np.int64]
) -> int:
    """Offer an item to a heap of the first `most`, the last of them at the root; returns how many it has."""
    if kept < most:
        place = kept
        while place > 0 and not _later(heap, (place - 1) >> 1, value, item, draw):
            heap[place, 0], heap[place, 1] = heap[(place - 1) >> 1, 0], heap[(place - 1) >> 1, 1]
            place = (place - 1) >> 1
        heap[place, 0], heap[place, 1] = value, item
        return kept + 1
    if kept > 0 and _later(heap, 0, value, item, draw):
        _sink(heap, kept, value, item, draw)
    return kept


@internal
def _sink(heap: npt.NDArray[np.float64], kept: int, value: float, item: float, draw: npt.NDArray[np.int64]) -> None:
    """Put an entry in the place of the root of a heap of `kept`."""
    place, child = np.int64(0), np.int64(1)
    while child < kept:
        if child + 1 < kept and _later(heap, child + 1, heap[child, 0], heap[child, 1], draw):
            child += 1
        if not _later(heap, child, value, item, draw):
            break
        heap[place, 0], heap[place, 1] = heap[child, 0], heap[child, 1]
        place = child
        child = 2 * place + 1
    heap[place, 0], heap[place, 1] = value, item


@internal
def _put_in_order(heap: npt.NDArray[np.float64], kept: int, draw: npt.NDArray[np.int64]) -> None:
    """Turn a heap of `kept` into a list, what comes first first."""
    for last in range(kept - 1, 0, -1):
        value, item = heap[last, 0], heap[last, 1]
        heap[last, 0], heap[last, 1] = heap[0, 0], heap[0, 1]
        _sink(heap, last, value, item, draw)
