"""The parts of a world: what happens to each of them at a tick, and what a checkpoint keeps of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt


@dataclass
class Published:
    """Hold what everybody can see from a tick on; the parts of a world add to it, each in its turn.

    Attributes:
        time: beginning of the tick, s.
        counters: int64 (items, 1 + counters), exposures and counted events so far.
        offered: int32, rising: all items that are published and not withdrawn.
        candidates: int32, rising: those of them that a slate can be made of.
        gone: bool (items,), of which items nothing is left; None where nothing runs out.
    """

    time: float
    counters: npt.NDArray[np.int64]
    offered: npt.NDArray[np.int32]
    candidates: npt.NDArray[np.int32]
    gone: npt.NDArray[np.bool_] | None = None


class Sink(Protocol):
    """Take the records of a part that writes some, and hand over what visits have told the world."""

    def messages(self) -> npt.NDArray[np.void]:
        """Return the decisions since the last call that the world has to know of, dtype CASE (n,)."""

    def output(self, room: int) -> Any:
        """Return where to write next, with room for so many records."""

    def wrote(self, n: int) -> None:
        """Take note that n records were written there."""


class Part:
    """A part of a world. By default nothing happens to it, and it has nothing to keep."""

    def publish(self, published: Published) -> None:
        """Make what this part shows known to everybody, at the beginning of a tick."""

    def end_tick(self, start: float, end: float, sink: Sink) -> None:
        """Let happen what is due in [start, end), s, once the tick's visits have been lived."""

    def state(self) -> dict[str, npt.NDArray[Any]]:
        """Return everything that changes as plain arrays, for a checkpoint."""
        return {}

    def restore(self, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        """Take back what `state` gave."""
