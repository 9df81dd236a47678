"""The best of many scores."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from simulator.kernel import kernel


@kernel
def choose_best(scores: npt.NDArray[np.float32], available: npt.NDArray[np.int8], out: npt.NDArray[np.int64]) -> None:
    """Fill `out` (n, places) with the items of highest score (n, items) that are available, best first.

    Ties go by number; where fewer are available, the others come last, by number.
    """
    n_items, places = scores.shape[1], out.shape[1]
    for row in range(scores.shape[0]):
        size = 0
        for item in range(n_items):
            score = scores[row, item]
            if available[row, item] == 0 or (size == places and not score > scores[row, out[row, places - 1]]):
                continue
            place = min(size, places - 1)
            while place > 0 and score > scores[row, out[row, place - 1]]:
                out[row, place] = out[row, place - 1]
                place -= 1
            out[row, place] = item
            size = min(size + 1, places)
        item = 0
        while size < places and item < n_items:
            if available[row, item] == 0:
                out[row, size] = item
                size += 1
            item += 1
