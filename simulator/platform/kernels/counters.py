"""Read-outs as they are counted, and as they are told: once for all items that show the same count."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from simulator.engine.jit.compile import kernel


@kernel
def items_with_news(counters: npt.NDArray[np.int64], before: npt.NDArray[np.int64], out: npt.NDArray[np.int64]) -> int:
    """Write the items whose counters (items, k) differ between two ticks to `out` (items,), rising; return how many."""
    n = 0
    for item in range(counters.shape[0]):
        differs = np.int64(0)
        for k in range(counters.shape[1]):
            differs |= counters[item, k] ^ before[item, k]
        if differs != 0:
            out[n] = item
            n += 1
    return n


@kernel
def recount(
    counters: npt.NDArray[np.int64],
    before: npt.NDArray[np.int64],
    items: npt.NDArray[np.int64],
    columns: npt.NDArray[np.int64],
    shows: npt.NDArray[np.int64],
    counts: npt.NDArray[np.int64],
    out: npt.NDArray[np.int64],
) -> int:
    """Bring `counts` (columns, counts) up to date with what is new of `items`, each of which shows one count.

    Args:
        counters, before: (items, k), as they are and as they were when `counts` was right.
        items: where they differ, (n,).
        columns: of the counters.
        shows: (items,), which count.
        counts: changed in place.
        out: (n,), the counts that are new, some more than once.

    Returns:
        How many were written to `out`.
    """
    n = 0
    for i in range(items.shape[0]):
        item = items[i]
        differs = False
        for c in range(columns.shape[0]):
            more = counters[item, columns[c]] - before[item, columns[c]]
            counts[c, shows[item]] += more
            differs |= more != 0
        if differs:
            out[n] = shows[item]
            n += 1
    return n


@kernel
def tell(
    values: npt.NDArray[np.float64],
    mean: float,
    spread: float,
    shows: npt.NDArray[np.int64],
    published_counters: npt.NDArray[np.float32],
    column: int,
) -> None:
    """Fill a column of `published_counters` (items, r) with the standardised `values` (counts,) that the items show."""
    for item in range(shows.shape[0]):
        published_counters[item, column] = np.float32((values[shows[item]] - mean) / spread)
