"""A tick's lists of candidates, side by side in one array, so that kernels reach any of them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from recommenders.contract import Lists, sealed

Items = npt.NDArray[np.int32]
Numbers = npt.NDArray[np.int64]

_FIRST_ROOM = 1 << 14  # items
_FIRST_LISTS = 64


class ListStore:
    """Hold lists of items by their numbers; what was put on it stays until it is cleared.

    Attributes:
        items: int32, where the lists lie one behind the other.
    """

    def __init__(self) -> None:
        self.items: Items = np.empty(_FIRST_ROOM, dtype=np.int32)
        self._bounds: Numbers = np.zeros((_FIRST_LISTS, 2), dtype=np.int64)
        self._n = self._used = 0
        self._numbers: dict[int, int] = {}  # of arrays, by identity
        self._arrays: dict[int, Items] = {}
        self._sealed: Lists | None = None  # as they were handed out last

    @property
    def used(self) -> int:
        """Return how many items it holds."""
        return self._used

    @property
    def bounds(self) -> Numbers:
        """Return where each list begins and ends in `items`, (lists, 2)."""
        return self._bounds[: self._n]

    def clear(self) -> None:
        """Take everything off."""
        self._n, self._used, self._sealed = 0, 0, None
        self._numbers.clear()
        self._arrays.clear()

    def number(self, items: Items) -> int:
        """Return the number of a list, an array that nobody changes; store the list if it is new."""
        found = self._numbers.get(id(items))
        if found is None:
            found = self.room(1, len(items))
            end = self._used + len(items)
            self.items[self._used : end], self._bounds[found] = items, (self._used, end)
            self._used = end
            self._numbers[id(items)], self._arrays[found] = found, items
        return found

    def array(self, number: int) -> Items:
        """Return the list of this number: the very array, where the list came as one, else a sealed one."""
        if number in self._arrays:
            return self._arrays[number]
        begin, end = self._bounds[number]
        return sealed(self.items[begin:end])

    def lists(self, of: Numbers) -> Lists:
        """Return what requests choose from, each from the list of its number in `of`, sealed."""
        if self._sealed is None or len(self._sealed.bounds) < self._n:
            self._sealed = Lists(self.items[: self._used], self.bounds, of).sealed()
        return Lists(self._sealed.items, self._sealed.bounds, sealed(of))

    def room(self, lists: int, items: int) -> int:
        """Reserve numbers for new lists, whose bounds are yet to be filled, and room behind `used` for their items.

        Returns:
            The first of the numbers.
        """
        first = self._n
        self._n += lists
        if self._n > len(self._bounds):
            more = np.zeros((2 * self._n, 2), dtype=np.int64)
            more[:first] = self._bounds[:first]
            self._bounds = more
        if self._used + items > len(self.items):
            longer = np.empty(2 * (self._used + items), dtype=np.int32)
            longer[: self._used] = self.items[: self._used]
            self.items = longer
        return first

    def filled(self, used: int) -> None:
        """Take note that the items of all new lists lie before `used`."""
        self._used = used
