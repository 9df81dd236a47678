"""Columns as plain arrays, and what stands for a missing number."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

MISSING = ("", "NA", "N/A", "nan", "NaN", "NAN", "NaT", "null", "NULL", "None", "\\N")
"""Words that stand for a missing number or time. Of ids, only blank ones are missing: somebody may be called NA."""


def trimmed(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return text without blanks around it, null where it says that nothing is there; other columns as they are."""
    kind = column.type
    if not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
        return column
    words = pc.utf8_trim_whitespace(column)
    return pc.if_else(pc.is_in(words, pa.array(MISSING, kind)), pa.scalar(None, kind), words)


def plain(column: pa.ChunkedArray) -> npt.NDArray[Any]:
    """Return numbers and yes or no as they are, text as objects, dates as seconds since 1970.

    A missing value becomes NaN in numbers and dates, and None in text.
    """
    kind = column.type
    if pa.types.is_dictionary(kind):
        column, kind = column.cast(kind.value_type), kind.value_type
    if pa.types.is_decimal(kind):
        column = column.cast(pa.float64())
    values = column.to_numpy()
    if values.dtype.kind == "M":
        seconds = values.astype("datetime64[us]").astype(np.int64) / 1e6
        return np.where(np.isnat(values), np.nan, seconds)
    return np.asarray(values)
