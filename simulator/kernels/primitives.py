"""Small numeric kernels: exponentials by table, quantised times, keyed draws from tables of quantiles."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from simulator.kernel import inlined, kernel
from simulator.randomness import mix, table_index

_LOG2_E = 1.4426950408889634
_LN_2 = 0.6931471805599453


def exponential_table() -> npt.NDArray[np.float64]:
    """Table for `exponential`, (386,): 2^k for k = -64..64, then 2^(j/256) for j = 0..256."""
    return np.concatenate([2.0 ** np.arange(-64, 65, dtype=np.float64), 2.0 ** (np.arange(257, dtype=np.float64) / 256.0)])


@kernel
def exponential(x: float, powers: npt.NDArray[np.float64]) -> float:
    """exp(x) to 4e-9 (relative), clamped to |x| < 44; the same bits on every machine, and no call into libm."""
    y = min(max(x * _LOG2_E, -63.9), 63.9)
    k = math.floor(y)
    f = y - k
    j = np.int64(f * 256.0)
    r = (f - j * 0.00390625) * _LN_2
    return powers[np.int64(k) + 64] * powers[j + 129] * (1.0 + r + 0.5 * r * r)


@kernel
def sigmoid(x: float, powers: npt.NDArray[np.float64]) -> float:
    """Logistic function 1 / (1 + exp(-x))."""
    return 1.0 / (1.0 + exponential(-x, powers))


@kernel
def quantised(seconds: float) -> float:
    """A duration as a multiple of 1/1024 s, at least one of them."""
    return max(math.floor(seconds * 1024.0), 1.0) / 1024.0


@kernel
def fixed(x: float) -> np.int64:
    """A real number as an integer count of 1/2^20, for sums that do not depend on their order."""
    return np.int64(math.floor(x * 1048576.0 + 0.5))


@kernel
def decision_key(visit_key: np.uint64, request: int, slot: int, what: int) -> np.uint64:
    """Key of one decision of a visit: (request, slot, what) under the key of (user, visit)."""
    return mix(visit_key, (np.uint64(request) << np.uint64(24)) | (np.uint64(slot) << np.uint64(8)) | np.uint64(what))


@inlined
def drawn(quantiles: npt.NDArray[np.float32], table: int, h: np.uint64) -> float:
    """A draw from a table of quantiles."""
    return np.float64(quantiles[table, table_index(h)])
