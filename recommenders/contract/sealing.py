"""Arrays that stay as they are: their memory belongs to an immutable object, and no flag can open it for writing."""

from __future__ import annotations

import numpy as np


def sealed(array: np.ndarray) -> np.ndarray:
    """Return a contiguous array that nobody can write to, whatever flag is set; a copy, unless it is that already.

    >>> numbers = sealed(np.arange(3))
    >>> numbers.setflags(write=True)
    Traceback (most recent call last):
        ...
    ValueError: cannot set WRITEABLE flag to True of this array
    """
    if array.flags.c_contiguous and is_sealed(array):
        return array
    return np.ndarray(array.shape, array.dtype, array.tobytes())


def is_sealed(array: np.ndarray) -> bool:
    """Tell whether an array, or what it is a view of, lies in an immutable object's memory."""
    owner: object = array
    while type(owner) is np.ndarray:
        owner = owner.base
    return type(owner) is bytes
