"""Lists of candidates that requests of one batch choose from, each from one of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from recommenders.contract.errors import RecommenderError
from recommenders.contract.sealing import sealed

_ZEROS = sealed(np.zeros(1 << 10, np.int64))


class Lists(NamedTuple):
    """Lists of candidates in one array, and which of them each of n requests chooses from; kernels take it as it is.

    Attributes:
        items: int32 (m,), where the lists lie; what is on none of them means nothing.
        bounds: int64 (k, 2), where each begins and ends in `items`; a list rises.
        of: int64 (n,), the list of each request; a model works least where requests of one list lie together.
    """

    items: np.ndarray
    bounds: np.ndarray
    of: np.ndarray

    @classmethod
    def common(cls, candidates: np.ndarray, n: int) -> Lists:
        """Return the form of n requests that all choose from the same candidates, int32 (m,)."""
        of = _ZEROS[:n] if n <= _ZEROS.size else sealed(np.zeros(n, np.int64))
        bounds = np.array((0, candidates.size), np.int64)
        return cls(sealed(candidates), np.ndarray((1, 2), np.int64, bounds.tobytes()), of)

    @property
    def longest(self) -> int:
        """Return how many candidates the longest list has that is chosen from."""
        if len(self.bounds) == 1:
            return int(self.bounds[0, 1] - self.bounds[0, 0]) if self.of.size else 0
        chosen = self.bounds[self.of]
        return int((chosen[:, 1] - chosen[:, 0]).max(initial=0))

    def each(self) -> Iterator[tuple[int, int, np.ndarray]]:
        """Yield the first request of each list, the one after its last, and the list, read-only."""
        for first, last in runs(self.of):
            begin, end = self.bounds[self.of[first]]
            yield first, last, sealed(self.items[begin:end])

    def rows(self, rows: np.ndarray | slice) -> Lists:
        """Return the same lists for some of the requests."""
        return Lists(self.items, self.bounds, sealed(self.of[rows]))

    def sealed(self) -> Lists:
        """Return the same lists in arrays that stay as they are: copies of those that do not yet."""
        return Lists(*map(sealed, self))

    def checked(self, n: int, candidates: np.ndarray) -> Lists:
        """Return lists of n requests whose items are among the candidates, sealed.

        Raises:
            RecommenderError: types, shapes or bounds are wrong: kernels would read beyond the arrays.
        """
        items, bounds, of = self
        shapes = [each.shape for each in self]
        if [each.dtype for each in self] != [np.int32, np.int64, np.int64] or shapes != [
            (items.size,),
            (len(bounds), 2),
            (n,),
        ]:
            said = ", ".join(f"{each.dtype} of shape {each.shape}" for each in self)
            raise _wrong(f"are {said}", f"expected int32 (m,), int64 (k, 2), int64 ({n},)")
        if n and not 0 <= of.min() <= of.max() < len(bounds):
            raise _wrong(f"are {len(bounds)}, of numbers {of.min()} ... {of.max()}", "expected the number of a list")
        begin, end = bounds.T
        if bounds.size and not (begin.min() >= 0 and (begin <= end).all() and end.max() <= items.size):
            raise _wrong(f"do not lie within their {items.size} items", "expected where each begins and ends")
        filled = end > begin
        low, high = items[begin[filled]].min(initial=0), items[end[filled] - 1].max(initial=-1)
        if low < 0 or high > candidates.max(initial=-1):
            wrong = low if low < 0 else high
            raise _wrong(f"hold item {wrong}, which is no candidate", "expected lists of the candidates")
        return self.sealed()


def _wrong(what: str, right: str) -> RecommenderError:
    return RecommenderError("requests.several", what, right)


def runs(values: np.ndarray) -> Iterator[tuple[int, int]]:
    """Yield where each run of equal values (n,) begins and ends."""
    ends = [*(np.flatnonzero(values[1:] != values[:-1]) + 1).tolist(), values.size] if values.size else []
    yield from zip([0, *ends], ends, strict=False)
