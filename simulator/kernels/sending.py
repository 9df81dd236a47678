"""What a platform has sent to each user lately: one ring per user that grows with what is sent, all in one array.

A user's ring lies in one piece, so that it is read in one go: `size` blocks of `BLOCK` items from `first[user]` on,
where `size` follows from what was sent (`ring`): it doubles until it holds what is to be remembered. A ring that moved
leaves its place to the next one of that size; places that are free form a list per size, through their first entry.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from simulator.kernel import inlined, internal, kernel
from simulator.kernels.lanes import fetch_ahead

BLOCK = 16
"""Items in a block."""

SIZES = 32
"""Lists of free places, one per power of two."""

_AHEAD = 4


@internal
def ring(count: int, longest: int) -> int:
    """Blocks of the ring of a user who was sent `count` items: a power of two, `longest` at most; 0 for none."""
    needed = (count + BLOCK - 1) // BLOCK
    if needed == 0:
        return 0
    size = 1
    while size < needed:
        size *= 2
    return min(size, longest)


@inlined
def _list_of(size: int) -> int:
    """The list of free places that a ring of `size` blocks leaves or takes."""
    place = 0
    while size > 1:
        size = (size + 1) // 2
        place += 1
    return place


@kernel
def send(
    users: npt.NDArray[np.uint32],
    items: npt.NDArray[np.int32],
    row: int,
    first: npt.NDArray[np.int32],
    count: npt.NDArray[np.uint32],
    blocks: npt.NDArray[np.int32],
    free: npt.NDArray[np.int32],
    used: int,
    longest: int,
) -> tuple[int, int]:
    """Add each row of `items` (k, size; -1 ends a row) from `row` on to the ring of its user.

    `blocks` is (capacity, BLOCK), `free` (SIZES,) the first free place per size, -1 none. A ring has at most `longest`
    blocks; then the oldest items are written over.

    Returns:
        The first row that was not added, because `blocks` has too little room left (k when all were); and the blocks
        in use.
    """
    width = items.shape[1]
    for k in range(row, users.shape[0]):
        if k + _AHEAD < users.shape[0]:
            later = users[k + _AHEAD]
            if count[later] > 0:
                fetch_ahead(blocks, first[later] + (np.int64(count[later]) // BLOCK) % longest)
        user = users[k]
        n = np.int64(count[user])
        added = 0
        while added < width and items[k, added] >= 0:
            added += 1
        had, needed = ring(n, longest), ring(n + added, longest)
        if needed > had:
            place = free[_list_of(needed)]
            if place >= 0:
                free[_list_of(needed)] = blocks[place, 0]
            else:
                if used + needed > blocks.shape[0]:
                    return k, used
                place = used
                used += needed
            old = first[user]
            for b in range(had):
                for j in range(BLOCK):
                    blocks[place + b, j] = blocks[old + b, j]
            if had > 0:
                blocks[old, 0] = free[_list_of(had)]
                free[_list_of(had)] = old
            first[user] = place
        start, slots = np.int64(first[user]), needed * BLOCK
        for j in range(added):
            slot = (n + j) % slots
            blocks[start + slot // BLOCK, slot % BLOCK] = items[k, j]
        count[user] = n + added
    return users.shape[0], used


@kernel
def sent(
    users: npt.NDArray[np.uint32],
    first: npt.NDArray[np.int32],
    count: npt.NDArray[np.uint32],
    blocks: npt.NDArray[np.int32],
    longest: int,
    start: npt.NDArray[np.int64],
    out: npt.NDArray[np.int32],
) -> None:
    """Fill out[start[k] : start[k + 1]] with the last so many items sent to users[k], in order."""
    for k in range(users.shape[0]):
        if k + _AHEAD < users.shape[0] and count[users[k + _AHEAD]] > 0:
            fetch_ahead(blocks, first[users[k + _AHEAD]])
        user = users[k]
        n = np.int64(count[user])
        slots = ring(n, longest) * BLOCK
        ring_start = np.int64(first[user])
        place, there = start[k], start[k + 1] - start[k]
        if n <= slots:  # nothing was written over yet: it lies in order
            for j in range(there):
                slot = n - there + j
                out[place + j] = blocks[ring_start + slot // BLOCK, slot % BLOCK]
        else:
            for j in range(there):
                slot = (n - there + j) % slots
                out[place + j] = blocks[ring_start + slot // BLOCK, slot % BLOCK]
