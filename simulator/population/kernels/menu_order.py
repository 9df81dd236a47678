"""Menus put in order: most events of a kind first, or the newest, and equals by luck."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from simulator.engine.jit.compile import kernel


@kernel
def put_in_order(
    first: npt.NDArray[np.int64],
    counts: npt.NDArray[np.int64],
    draw: npt.NDArray[np.float64],
    order: npt.NDArray[np.int64],
) -> None:
    """Sort each menu by insertion: from one tick to the next few places change, if any.

    Args:
        first: of every entry, where its menu begins, (n,); menus lie one behind the other.
        counts, luck: by which entries stand: counts fall, and among equals luck rises, (n,).
        order: the entries as they stood, and as they are to stand, (n,).
    """
    for j in range(order.shape[0]):
        entry = order[j]
        k = j - 1
        while k >= first[j]:
            other = order[k]
            if counts[other] > counts[entry] or (counts[other] == counts[entry] and draw[other] <= draw[entry]):
                break
            order[k + 1] = other
            k -= 1
        order[k + 1] = entry
