"""What a platform has sent to each user lately: rings of blocks that grow with what is sent, for all users at once.

A user's ring is a circle of blocks of `BLOCK` items: `newest[user]` names the block that is being filled (-1: none),
`following[block]` the next one in the circle, which is the oldest when it follows the newest.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from simulator.kernel import kernel

BLOCK = 16
"""Items in a block."""


@kernel
def send(
    users: npt.NDArray[np.uint32],
    items: npt.NDArray[np.int32],
    newest: npt.NDArray[np.int32],
    count: npt.NDArray[np.uint32],
    blocks: npt.NDArray[np.int32],
    following: npt.NDArray[np.int32],
    used: int,
    longest: int,
) -> int:
    """Add each row of `items` (k, size; -1 ends a row) to the ring of its user; returns how many blocks are in use.

    A ring has at most `longest` blocks; then the oldest is written over. `blocks` (capacity, BLOCK) must have room.
    """
    for k in range(users.shape[0]):
        user = users[k]
        n = np.int64(count[user])
        for j in range(items.shape[1]):
            if items[k, j] < 0:
                break
            if n % BLOCK == 0:
                last = newest[user]
                if n >= longest * BLOCK:
                    newest[user] = following[last]
                else:
                    following[used] = used if last < 0 else following[last]
                    if last >= 0:
                        following[last] = used
                    newest[user] = used
                    used += 1
            blocks[newest[user], n % BLOCK] = items[k, j]
            n += 1
        count[user] = n
    return used


@kernel
def sent(
    users: npt.NDArray[np.uint32],
    newest: npt.NDArray[np.int32],
    count: npt.NDArray[np.uint32],
    blocks: npt.NDArray[np.int32],
    following: npt.NDArray[np.int32],
    longest: int,
    kept: int,
    out: npt.NDArray[np.int32],
) -> None:
    """Fill the left of `out` (k, at least `kept`) with the last `kept` items sent to each user, in order, then -1."""
    for k in range(users.shape[0]):
        user = users[k]
        n = np.int64(count[user])
        there = min((n + BLOCK - 1) // BLOCK, longest)
        held = n - max((n - 1) // BLOCK - there + 1, 0) * BLOCK
        skipped = max(held - kept, 0)
        block = newest[user]
        column = 0
        for j in range(held):
            if j % BLOCK == 0:
                block = following[block]
            if j >= skipped:
                out[k, column] = blocks[block, j % BLOCK]
                column += 1
        out[k, column:kept] = -1
