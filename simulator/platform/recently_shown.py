"""The platform's memory of what it has sent to whom, so that requests can say what need not be sent again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from simulator.part import Part
from simulator.platform.kernels.recently_shown import BLOCK, SIZES, Rings, send, sent

_FIRST_CAPACITY = 1024


class RecentlyShown(Part):
    """Remember the last `kept` items sent to every user. Memory follows what was sent, not the number of users.

    Args:
        n_users: users of the world.
        kept: items that are remembered per user; 0: none.
    """

    def __init__(self, n_users: int, kept: int) -> None:
        self._kept = kept
        self._longest = max(-(-kept // BLOCK), 1)
        self._rings = Rings(
            first=np.full(n_users, -1, dtype=np.int32),
            count=np.zeros(n_users, dtype=np.uint32),
            blocks=np.empty(0, dtype=np.int32),  # BLOCK items each, one after the other
            free=np.full(SIZES, -1, dtype=np.int32),
        )
        self._used = 0

    @property
    def kept(self) -> int:
        """Return how many items are remembered per user."""
        return self._kept

    def add(self, users: npt.NDArray[np.uint32], items: npt.NDArray[np.int32]) -> None:
        """Remember slates `items` (k, size), -1 after the last of a row, sent to `users` (k,)."""
        if self._kept == 0:
            return
        row = 0
        while row < len(users):
            row, self._used = send(users, items, row, self._rings, self._used, self._longest)
            if row < len(users):
                size = max(_FIRST_CAPACITY, 4 * self._used, self._used + self._longest)
                blocks = np.empty(size * BLOCK, dtype=np.int32)  # memory that nothing was written to costs nothing
                blocks[: self._used * BLOCK] = self._rings.blocks[: self._used * BLOCK]
                self._rings = self._rings._replace(blocks=blocks)

    def sizes(self, users: npt.NDArray[np.uint32]) -> npt.NDArray[np.int64]:
        """Return how many items are remembered of each of `users`, (k,)."""
        return np.minimum(self._rings.count[users], self._kept).astype(np.int64)

    def fill(self, users: npt.NDArray[np.uint32], start: npt.NDArray[np.int64], out: npt.NDArray[np.int32]) -> None:
        """Write the last start[k + 1] - start[k] items sent to users[k] from out[start[k]] on, in order."""
        sent(users, self._rings, self._longest, start, out)

    def state(self) -> dict[str, npt.NDArray[Any]]:
        """Return everything as plain arrays, for a checkpoint."""
        return self._rings._asdict() | {"blocks": self._rings.blocks[: self._used * BLOCK]}

    def restore(self, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        """Take back what `state` gave."""
        rings = self._rings
        rings.first[:], rings.count[:], rings.free[:] = arrays["first"], arrays["count"], arrays["free"]
        self._rings = rings._replace(blocks=np.array(arrays["blocks"], dtype=np.int32))
        self._used = len(self._rings.blocks) // BLOCK
