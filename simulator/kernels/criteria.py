"""The luck of a visit's selection criteria: a pure function of (user, visit, criterion)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from simulator.kernel import kernel
from simulator.kernels.layout import Array
from simulator.randomness import CRITERIA, mix, root, uniform


@kernel
def luck_of_criteria(seed: int, visits: Array, out: npt.NDArray[np.float64]) -> None:
    """Fill `out` (n, criteria, draws) with uniforms for the rows `visits` (n,), keyed by their user and visit."""
    start = root(seed, CRITERIA)
    for i in range(out.shape[0]):
        own = mix(mix(start, np.uint64(visits[i].user)), np.uint64(visits[i].visit))
        for c in range(out.shape[1]):
            key = mix(own, np.uint64(c))
            for k in range(out.shape[2]):
                out[i, c, k] = uniform(mix(key, np.uint64(k)))
