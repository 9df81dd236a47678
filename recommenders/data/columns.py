"""Columns that play no role, as plain arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa


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
