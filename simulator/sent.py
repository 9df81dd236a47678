"""The platform's memory of what it has sent to whom, so that requests can say what need not be sent again."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from simulator.kernels.sending import BLOCK, send, sent

_FIRST_CAPACITY = 1024


class SentItems:
    """The last items sent to every user, up to `kept` of them. Memory follows what was sent, not the number of users.

    Args:
        n_users: users of the world.
        kept: items that are remembered per user; 0: none.
    """

    def __init__(self, n_users: int, kept: int) -> None:
        self._kept = kept
        self._longest = -(-kept // BLOCK) + 1  # the block that is being filled is not complete
        self._newest = np.full(n_users, -1, dtype=np.int32)
        self._count = np.zeros(n_users, dtype=np.uint32)
        self._blocks = np.empty((0, BLOCK), dtype=np.int32)
        self._following = np.empty(0, dtype=np.int32)
        self._used = 0

    def add(self, users: npt.NDArray[np.uint32], items: npt.NDArray[np.int32]) -> None:
        """Remember slates `items` (k, size), -1 after the last of a row, sent to `users` (k,)."""
        if self._kept == 0:
            return
        needed = self._used + len(users) * (-(-items.shape[1] // BLOCK) + 1)
        if needed > len(self._blocks):
            size = max(_FIRST_CAPACITY, needed, self._used + self._used // 2)
            blocks, following = np.empty((size, BLOCK), dtype=np.int32), np.empty(size, dtype=np.int32)
            blocks[: self._used], following[: self._used] = self._blocks[: self._used], self._following[: self._used]
            self._blocks, self._following = blocks, following
        self._used = send(
            users, items, self._newest, self._count, self._blocks, self._following, self._used, self._longest
        )

    def width(self, users: npt.NDArray[np.uint32]) -> int:
        """The most items that are remembered of any of `users`."""
        return min(int(self._count[users].max(initial=0)), self._kept)

    def fill(self, users: npt.NDArray[np.uint32], out: npt.NDArray[np.int32]) -> None:
        """Write what was lately sent to `users` into the first `width(users)` columns of `out`, then -1."""
        width = self.width(users)
        sent(users, self._newest, self._count, self._blocks, self._following, self._longest, width, out)

    def state(self) -> dict[str, npt.NDArray[np.generic]]:
        """Everything as plain arrays, for a checkpoint."""
        return {
            "newest": self._newest,
            "count": self._count,
            "blocks": self._blocks[: self._used],
            "following": self._following[: self._used],
        }

    def restore(self, arrays: Mapping[str, npt.NDArray[np.generic]]) -> None:
        """Take back what `state` gave."""
        self._newest[:], self._count[:] = arrays["newest"], arrays["count"]
        self._blocks = np.asarray(arrays["blocks"], dtype=np.int32)
        self._following = np.asarray(arrays["following"], dtype=np.int32)
        self._used = len(self._blocks)
