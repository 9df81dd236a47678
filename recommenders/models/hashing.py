"""Keyed hashes over numpy arrays: luck that depends on keys and on nothing else."""

from __future__ import annotations

from functools import lru_cache
from typing import TypeVar

import numpy as np

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_M1 = np.uint64(0xBF58476D1CE4E5B9)
_M2 = np.uint64(0x94D049BB133111EB)
_S30, _S27, _S31 = np.uint64(30), np.uint64(27), np.uint64(31)


Bits = TypeVar("Bits", np.ndarray, np.uint64)


def mix(state: Bits, key: Bits) -> Bits:
    """Hash one more key: SplitMix64's step and finaliser (Steele, Lea and Flood, OOPSLA 2014).

    It works on uint64 arrays of broadcastable shapes; ``recommenders.models.kernel.mix`` is compiled from it.

    >>> int(mix(np.array([0], np.uint64), np.array([0], np.uint64))[0]) == 0xE220A8397B1DCDAF
    True
    """
    z = (state ^ key) + _GOLDEN
    z = (z ^ (z >> _S30)) * _M1
    z = (z ^ (z >> _S27)) * _M2
    mixed: Bits = z ^ (z >> _S31)
    return mixed


def chain(seed: int, *keys: np.ndarray) -> np.ndarray:
    """Return the hash of a seed and one or more arrays of non-negative integers, uint64, of their broadcast shape."""
    state = np.full(1, np.uint64(seed % 2**64))
    for key in keys:
        state = mix(state, np.asarray(key).astype(np.uint64))
    return state


@lru_cache(maxsize=1024)
def root(seed: int, purpose: str) -> np.uint64:
    """Return the start of a chain for one purpose of one seed; different purposes share no draws."""
    letters = np.frombuffer(purpose.encode(), dtype=np.uint8)
    state = np.full(1, np.uint64(seed % 2**64))
    for letter in letters:
        state = mix(state, np.full(1, np.uint64(letter)))
    return np.uint64(state[0])


def uniform(draw: np.ndarray) -> np.ndarray:
    """Return float64 in [0, 1) from 64 random bits each (the upper 53 of them)."""
    return np.asarray((draw >> np.uint64(11)) * 2.0**-53)
