"""What happens next in the world: a binary heap in an array, ordered by (time, kind, key)."""

from __future__ import annotations

from simulator.engine.jit.compile import internal, kernel
from simulator.engine.tables.case_tables import CaseState, Count, Happens
from simulator.engine.tables.tables import Array


@internal
def sooner(a: Array, b: Array) -> bool:
    """Return whether row a comes before row b."""
    if a.time != b.time:
        return a.time < b.time
    if a.kind != b.kind:
        return a.kind < b.kind
    if a.key != b.key:
        return a.key < b.key
    return a.detail < b.detail


@internal
def _copy(heap: Array, to: int, of: int) -> None:
    heap[to].time = heap[of].time
    heap[to].key = heap[of].key
    heap[to].kind = heap[of].kind
    heap[to].detail = heap[of].detail
    heap[to].slot = heap[of].slot
    heap[to].generation = heap[of].generation


@kernel
def push(state: CaseState, time: float, key: int, kind: int, detail: int, slot: int, generation: int) -> None:
    """Add a row to the heap. `state.heap` has one row more than the heap can hold."""
    heap = state.heap
    room = heap.shape[0] - 1  # the last row is where the new one waits for its place
    heap[room].time = time
    heap[room].key = key
    heap[room].kind = kind
    heap[room].detail = detail
    heap[room].slot = slot
    heap[room].generation = generation
    child = state.counts[Count.HEAP]
    state.counts[Count.HEAP] = child + 1
    while child > 0:
        parent = (child - 1) // 2
        if not sooner(heap[room], heap[parent]):
            break
        _copy(heap, child, parent)
        child = parent
    _copy(heap, child, room)


@internal
def drop_first(state: CaseState) -> None:
    """Take the first row off the heap."""
    heap = state.heap
    n = state.counts[Count.HEAP] - 1
    state.counts[Count.HEAP] = n
    parent = 0
    while True:
        child = 2 * parent + 1
        if child >= n:
            break
        if child + 1 < n and sooner(heap[child + 1], heap[child]):
            child += 1
        if not sooner(heap[child], heap[n]):
            break
        _copy(heap, parent, child)
        parent = child
    _copy(heap, parent, n)


@kernel
def without_stale(state: CaseState) -> None:
    """Drop the rows of cases that have gone on without them, and order the rest again.

    What a row was about may be over long before its time (an expiry, a cancellation), so such rows pile up. Rows of a
    kind below `Happens.ENTER` are about resources and stay.
    """
    heap, cases = state.heap, state.cases
    kept = 0
    for k in range(state.counts[Count.HEAP]):
        slot = heap[k].slot
        if heap[k].kind < Happens.ENTER or (cases[slot].open == 1 and cases[slot].generation == heap[k].generation):
            _copy(heap, kept, k)
            kept += 1
    state.counts[Count.HEAP] = kept
    room = heap.shape[0] - 1
    for top in range(kept // 2 - 1, -1, -1):
        _copy(heap, room, top)
        parent = top
        while True:
            child = 2 * parent + 1
            if child >= kept:
                break
            if child + 1 < kept and sooner(heap[child + 1], heap[child]):
                child += 1
            if not sooner(heap[child], heap[room]):
                break
            _copy(heap, parent, child)
            parent = child
        _copy(heap, parent, room)
