"""Lists of candidates that requests of one batch choose from, each from one of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Lists:
    """Lists of candidates in one array, and which of them each of n requests chooses from.

    They stand for one call: what is to be kept of them is to be copied.

    Attributes:
        items: int32 (m,), where the lists lie; what is on none of them means nothing.
        bounds: int64 (k, 2), where each begins and ends in `items`; a list rises.
        of: int64 (n,), the list of each request; requests of one list lie together.
    """

    items: np.ndarray
    bounds: np.ndarray
    of: np.ndarray

    @classmethod
    def one(cls, candidates: np.ndarray, n: int) -> Lists:
        """The same candidates, int32 (m,), for n requests."""
        return cls(candidates, np.array([[0, candidates.size]]), np.zeros(n, np.int64))

    @property
    def longest(self) -> int:
        """Candidates on the longest list that is chosen from."""
        chosen = self.bounds[self.of]
        return int((chosen[:, 1] - chosen[:, 0]).max(initial=0))

    def each(self) -> Iterator[tuple[int, int, np.ndarray]]:
        """The first request of each list, the one after its last, and a copy of the list, read-only."""
        for first, last in runs(self.of):
            begin, end = self.bounds[self.of[first]]
            own = self.items[begin:end].copy()
            own.flags.writeable = False
            yield first, last, own


def runs(values: np.ndarray) -> Iterator[tuple[int, int]]:
    """Where each run of equal values (n,) begins and ends."""
    ends = [*(np.flatnonzero(values[1:] != values[:-1]) + 1).tolist(), values.size] if values.size else []
    yield from zip([0, *ends], ends, strict=False)
