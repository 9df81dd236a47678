"""Items lately sent to each user: one ring per user that grows with what is sent, all in one array.

A user's ring lies in one piece, so that it is read in one go: `size` blocks of `BLOCK` items from `first[user]` on,
where `size` follows from what was sent (`ring`): it doubles until it holds what is to be remembered. A ring that moved
leaves its place to the next one of that size; places that are free form a list per size, through their first entry.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from simulator.engine.jit.compile import inlined, internal, kernel
from simulator.engine.jit.simd import fetch_word, leading_zeros
from simulator.engine.jit.structs import group

BLOCK = 16
"""Items in a block."""

SIZES = 32
"""Lists of free places, one per power of two."""

_AHEAD = 4
_LINES = 8  # of a ring that are asked for ahead; memory follows a longer run by itself
_WIDTH = np.int64(BLOCK)


@group
class Rings(NamedTuple):
    """Hold the rings of all users, and the places that are free."""

    first: npt.NDArray[np.int32]  # (users,): where each ring begins, in blocks
    count: npt.NDArray[np.uint32]  # (users,): items sent so far
    blocks: npt.NDArray[np.int32]  # (capacity * BLOCK,): the items
    free: npt.NDArray[np.int32]  # (SIZES,): the first free place per size, -1 none


@internal
def ring(count: int, longest: int) -> int:
    """Return the blocks of the ring of a user who was sent `count` items: a power of two, at most `longest`; or 0."""
    needed = (count + BLOCK - 1) // BLOCK
    if needed <= 1:
        return needed
    return min(np.int64(1) << (np.int64(64) - leading_zeros(np.uint64(needed - 1))), longest)


@inlined
def _list_of(size: int) -> int:
    """Return the list of free places for a ring of `size` blocks: the exponent of the next power of two."""
    return np.int64(64) - leading_zeros(np.uint64(size - 1)) if size > 1 else np.int64(0)


@inlined
def _copy(source: npt.NDArray[np.int32], first: int, target: npt.NDArray[np.int32], place: int, count: int) -> None:
    """Copy `count` items from source[first] on to target[place] on."""
    for j in range(count):
        target[place + j] = source[first + j]


@kernel
def send(
    users: npt.NDArray[np.uint32],
    items: npt.NDArray[np.int32],
    row: int,
    rings: Rings,
    used: int,
    longest: int,
) -> tuple[int, int]:
    """Add each row of `items` (k, size; -1 ends a row) from `row` on to the ring of its user.

    `used` blocks are in use so far. A ring has at most `longest`; then the oldest items are written over.

    Returns:
        The first row that was not added, because `blocks` has too little room left (k when all were); and the blocks
        in use.
    """
    first, count, blocks, free = rings.first, rings.count, rings.blocks, rings.free
    width = items.shape[1]
    for k in range(row, users.shape[0]):
        if k + _AHEAD < users.shape[0]:
            later = users[k + _AHEAD]
            slots = ring(np.int64(count[later]), longest) * _WIDTH
            if slots > 0:
                place = np.int64(first[later]) * _WIDTH
                fetch_word(blocks, place + min(np.int64(count[later]), slots - 1))
        user = users[k]
        n = np.int64(count[user])
        added = 0
        while added < width and items[k, added] >= 0:
            added += 1
        had, needed = ring(n, longest), ring(n + added, longest)
        if needed > had:
            place = np.int64(free[_list_of(needed)])
            if place >= 0:
                free[_list_of(needed)] = blocks[place * _WIDTH]
            else:
                if (used + needed) * _WIDTH > blocks.shape[0]:
                    return k, used
                place = used
                used += needed
            if had > 0:
                old = np.int64(first[user])
                _copy(blocks, old * _WIDTH, blocks, place * _WIDTH, had * _WIDTH)
                blocks[old * _WIDTH] = free[_list_of(had)]
                free[_list_of(had)] = old
            first[user] = place
        start, slots = np.int64(first[user]) * _WIDTH, needed * _WIDTH
        begin = n if n < slots else n % slots
        for j in range(added):
            slot = begin + j
            while slot >= slots:
                slot -= slots
            blocks[start + slot] = items[k, j]
        count[user] = n + added
    return users.shape[0], used


@kernel
def sent(
    users: npt.NDArray[np.uint32],
    rings: Rings,
    longest: int,
    start: npt.NDArray[np.int64],
    out: npt.NDArray[np.int32],
) -> None:
    """Fill out[start[k] : start[k + 1]] with the last so many items sent to users[k], in order."""
    first, count, blocks = rings.first, rings.count, rings.blocks
    for k in range(users.shape[0]):
        if k + _AHEAD < users.shape[0]:
            later = users[k + _AHEAD]
            place = np.int64(first[later]) * _WIDTH
            for line in range(min(ring(np.int64(count[later]), longest), _LINES)):
                fetch_word(blocks, place + line * _WIDTH)
        user = users[k]
        there = start[k + 1] - start[k]
        if there == 0:
            continue
        n = np.int64(count[user])
        slots = ring(n, longest) * _WIDTH
        ring_start = np.int64(first[user]) * _WIDTH
        # two runs where the ring has come round, else one
        oldest = n - there if n <= slots else (n - there) % slots
        whole = min(there, slots - oldest)
        _copy(blocks, ring_start + oldest, out, start[k], whole)
        _copy(blocks, ring_start, out, start[k] + whole, there - whole)
