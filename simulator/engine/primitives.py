"""Small numeric kernels: exponentials by table, quantised times, keyed draws from tables of quantiles."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from simulator.engine.jit.compile import inlined, internal, kernel
from simulator.engine.jit.simd import leading_zeros
from simulator.engine.randomness import mix, table_index
from simulator.engine.tables.state_rows import TICKS_PER_SECOND

_STEPS_PER_UNIT = 256.0 / 0.6931471805599453
_STEPS_BELOW = 64.0 * 256.0
_STEPS_ABOVE = 127.9 * 256.0
_LN_2_256 = 0.6931471805599453 / 256.0
_EIGHT, _LOW_EIGHT, _PARTS = np.uint64(8), np.uint64(255), np.uint64(129)
_LN_2 = 0.6931471805599453
_UNIT = 2.0**-53


def exponential_table() -> npt.NDArray[np.float64]:
    """Return the tables for `exponential` and `waited`, float64 (642,).

    2^k for k = -64..64, then 2^(j/256) for j = 0..256; then for the middles c of 128 equal steps of [1/2, 1) the 1 / c,
    then the -log(c).
    """
    int_buffer = 2.0 ** np.arange(-64, 65, dtype=np.float64)
    parts = 2.0 ** (np.arange(257, dtype=np.float64) / 256.0)
    middles = (128.5 + np.arange(128, dtype=np.float64)) / 256.0
    return np.concatenate([int_buffer, parts, 1.0 / middles, -np.log(middles)])


@kernel
def exponential(x: float, exp_log_tables: npt.NDArray[np.float64]) -> float:
    """Return exp(x) to 4e-9 (relative), clamped to |x| < 44; the same bits on every machine, without libm."""
    # counted in 1/256 of a power of two from 2^-64, so that it is positive and truncation is the floor
    # (the bound comes first: of a NaN and a number, `max` gives the first if it is the number, and the index is sound)
    y = min(max(1.0, x * _STEPS_PER_UNIT + _STEPS_BELOW), _STEPS_ABOVE)
    n = np.uint64(np.int64(y))
    r = (y - np.float64(np.int64(y))) * _LN_2_256
    return exp_log_tables[n >> _EIGHT] * exp_log_tables[(n & _LOW_EIGHT) + _PARTS] * (1.0 + r * (1.0 + 0.5 * r))


@kernel
def waited(h: np.uint64, exp_log_tables: npt.NDArray[np.float64]) -> float:
    """Return a draw from the standard exponential distribution, -log(1 - u) for the uniform u of the hash, to 2e-13.

    With h the 64 bits, 1 - u is the complement of h over 2^64: the zeros before its first one are its whole powers of
    two, the bits behind it the rest. No call into libm, no branch, and the same bits on every machine.
    """
    word = ~h | np.uint64(1)
    zeros = leading_zeros(word)
    word = word << np.uint64(zeros)
    j = np.int64(word >> np.uint64(56)) - 128
    e = np.float64(word >> np.uint64(11)) * _UNIT * exp_log_tables[j + 386] - 1.0
    series = e * (1.0 - e * (0.5 - e * (0.3333333333333333 - e * 0.25)))
    return max(np.float64(zeros) * _LN_2 + exp_log_tables[j + 514] - series, 0.0)


@kernel
def sigmoid(x: float, exp_log_tables: npt.NDArray[np.float64]) -> float:
    """Return the logistic function 1 / (1 + exp(-x))."""
    return 1.0 / (1.0 + exponential(-x, exp_log_tables))


@kernel
def quantised(seconds: float) -> float:
    """Return a duration as a multiple of 1/1024 s, at least one of them."""
    return max(math.floor(seconds * TICKS_PER_SECOND), 1.0) / TICKS_PER_SECOND


@kernel
def fixed(x: float) -> np.int64:
    """Return a real number as an integer count of 1/2^20, for sums that do not depend on their order."""
    return np.int64(math.floor(x * 1048576.0 + 0.5))


@inlined
def slot_of(request: int, slot: int) -> np.uint64:
    """Return the part of a decision's key that says where in a visit it is taken."""
    return (np.uint64(request) << np.uint64(24)) | (np.uint64(slot) << np.uint64(8))


@inlined
def chosen_by(visit_key: np.uint64, place: np.uint64, what: int) -> np.uint64:
    """Return the luck of one decision of a visit at a place (`slot_of`)."""
    return mix(visit_key, place | np.uint64(what))


@internal
def decision_key(visit_key: np.uint64, request: int, slot: int, what: int) -> np.uint64:
    """Return the key of one decision of a visit: (request, slot, what) under the key of (user, visit)."""
    return chosen_by(visit_key, slot_of(request, slot), what)


@inlined
def drawn(quantiles: npt.NDArray[np.float32], table: int, h: np.uint64) -> float:
    """Return a draw from a table of quantiles."""
    return np.float64(quantiles[np.uint32(table), table_index(h)])
