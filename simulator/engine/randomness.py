"""Keyed randomness: every random number is a pure function of (seed, purpose, entity ids).

There is no state and no order of drawing: a hash of the keys *is* the luck (counter-based generation; Salmon et al.,
"Parallel random numbers: as easy as 1, 2, 3", SC 2011). Two worlds that reach the same key meet the same luck, however
they came there; batches, windows, threads and resumed runs cannot matter.

The hash chains one multiply-xorshift round per key (the finaliser of MurmurHash3 / SplitMix64). Distributions come
from tables of quantiles with 4,096 entries, indexed by the top 12 bits: one draw, one look-up, no rejection.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from simulator.engine.jit.compile import kernel

TABLE_BITS = 12
TABLE_SIZE = 1 << TABLE_BITS

_M1 = np.uint64(0xFF51AFD7ED558CCD)
_M2 = np.uint64(0xC4CEB9FE1A85EC53)
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_S33 = np.uint64(33)
_S29 = np.uint64(29)
_S11 = np.uint64(11)
_S52 = np.uint64(64 - TABLE_BITS)
_UNIT = 2.0**-53

# Purposes: the second key of every chain. A number, once used, keeps its meaning.
DECISION = np.uint64(1)  # (user, visit, request << 24 | slot << 8 | what)
PERCEPTION = np.uint64(2)  # (user, item, modality): misreadings, and the taste that no model can learn
PERSON = np.uint64(3)  # (user, trait)
TASTE = np.uint64(4)  # (user, dimension)
CONTENT = np.uint64(5)  # (item, dimension)
SUPPLY = np.uint64(6)  # (item or creator, attribute)
ENCODER = np.uint64(7)  # (item, modality, dimension)
REQUEST = np.uint64(8)  # (user, visit, request): handed to recommenders
OBSERVATION = np.uint64(9)  # (user, visit, request, slot, event): whether and when a record arrives
SPACE = np.uint64(10)  # (facet, cluster, dimension): centres and shared tastes
KNOWLEDGE = np.uint64(11)  # (user, item type)
TIE = np.uint64(12)  # (item): order among equals
WORLD = np.uint64(13)  # (user, case, stage, step, what), and what resources draw
DECLARED = np.uint64(16)  # (user, occasion, what): what users say of their interests
CRITERIA = np.uint64(17)  # (user, visit, criterion, what)
EDITORS = np.uint64(18)  # (item, surface): what editors make of an item
SEARCH = np.uint64(19)  # (item, criterion, value): what a search takes an item for
PARENT = np.uint64(24)  # (kind of parent and number, attribute)
LIKENESS = np.uint64(25)  # (kind of parent and number, dimension): what children have in common
REFERENCE = np.uint64(27)  # (number of the pair, what): whom and what expectations are taken over
SORTING = np.uint64(26)  # (user, visit): which order a visit asks for


@kernel
def mix(h: np.uint64, key: np.uint64) -> np.uint64:
    """Mix one more key into the chain; bijective in `key` for a given `h`."""
    h = (h ^ key) * _M1
    h ^= h >> _S33
    h = (h + _GOLDEN) * _M2
    h ^= h >> _S29
    return h


@kernel
def uniform(h: np.uint64) -> float:
    """Return a double in [0, 1) with 53 random bits."""
    return np.float64(h >> _S11) * _UNIT


@kernel
def table_index(h: np.uint64) -> np.int64:
    """Return the row of a table of `TABLE_SIZE` quantiles."""
    return np.int64(h >> _S52)


@kernel
def root(seed: int, purpose: np.uint64) -> np.uint64:
    """Return the start of a chain for one purpose of one world."""
    return mix(mix(_GOLDEN, np.uint64(seed)), purpose)


@kernel
def fill_normals(
    out: npt.NDArray[np.float32],
    seed: int,
    purpose: np.uint64,
    keys: npt.NDArray[np.uint64],
    block: int,
    normal: npt.NDArray[np.float32],
) -> None:
    """Fill `out` (n, d) with standard normals keyed by (seed, purpose, key of the row, column + 1024 * block)."""
    start = root(seed, purpose)
    for i in range(out.shape[0]):
        row = mix(start, keys[i])
        for d in range(out.shape[1]):
            out[i, d] = normal[table_index(mix(row, np.uint64(d + 1024 * block)))]


@kernel
def fill_uniforms(
    out: npt.NDArray[np.float64], seed: int, purpose: np.uint64, keys: npt.NDArray[np.uint64], what: int
) -> None:
    """Fill `out` (n,) with uniforms keyed by (seed, purpose, key of the row, what)."""
    start = root(seed, purpose)
    for i in range(out.shape[0]):
        out[i] = uniform(mix(mix(start, keys[i]), np.uint64(what)))


def table_points() -> npt.NDArray[np.float64]:
    """Return the probabilities, shape (4096,), at which tables hold quantiles: midpoints, so that none is 0 or 1."""
    return (np.arange(TABLE_SIZE, dtype=np.float64) + 0.5) / TABLE_SIZE


@cache
def normal_table() -> npt.NDArray[np.float32]:
    """Return quantiles of the standard normal, rescaled to variance exactly 1, float32 (4096,); one array for all."""
    values = ndtri(table_points())
    return np.asarray(values / values.std(), dtype=np.float32)


Keys = int | npt.NDArray[np.uint64]
"""Rows 0 ... n - 1, or the keys of rows, (n,)."""


def numbered(rows: Keys, first: int = 0) -> npt.NDArray[np.uint64]:
    """Return the keys of rows; a count stands for the numbers from `first` on."""
    return np.arange(first, first + rows, dtype=np.uint64) if isinstance(rows, int) else rows


def uniforms(seed: int, purpose: np.uint64, rows: Keys, what: int) -> npt.NDArray[np.float64]:
    """Return uniforms in [0, 1), shape (n,), keyed by (seed, purpose, row, what)."""
    keys = numbered(rows)
    out = np.empty(len(keys), dtype=np.float64)
    fill_uniforms(out, seed, purpose, keys, what)
    return out


def normals(
    seed: int, purpose: np.uint64, rows: Keys, d: int, block: int = 0, first: int = 0
) -> npt.NDArray[np.float32]:
    """Return standard normals, shape (n, d), keyed by (seed, purpose, row, block, column); d at most 1,024."""
    keys = numbered(rows, first)
    out = np.empty((len(keys), d), dtype=np.float32)
    fill_normals(out, seed, purpose, keys, block, normal_table())
    return out
