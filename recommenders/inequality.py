"""How unequally something is shared out: of recommendations among items, of exposure among creators."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def gini(counts: npt.NDArray[np.integer]) -> float:
    """Return the Gini coefficient of non-negative counts, (n,): 0 all equal, towards 1 all with one; NaN of nothing.

    >>> gini(np.array([1, 1])), gini(np.array([0, 2]))
    (0.0, 0.5)
    """
    n, total = len(counts), int(counts.sum())
    if total == 0:
        return float("nan")
    place = np.arange(1, n + 1)
    return float(((2 * place - n - 1) * np.sort(counts)).sum() / (n * total))
