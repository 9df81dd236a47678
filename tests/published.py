"""What is published at a tick, for tests of single parts of a world."""

from __future__ import annotations

import numpy as np

from simulator.part import Published


def published(
    counters: np.ndarray, offered: np.ndarray, time: float = 0.0, gone: np.ndarray | None = None
) -> Published:
    """Return these counters and items, all of which a slate can be made of."""
    return Published(time, counters, offered, offered, gone)
