"""Durations become seconds; their unit is told, stands in the column's name, or is taken as seconds and said so."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from recommenders.contract.errors import RecommenderError
from recommenders.data.columns import trimmed
from recommenders.data.times import MICROS, unit_in_name
from recommenders.data.units import WORDS


def read_durations(
    column: pa.ChunkedArray, unit: str | None, where: str, name: str
) -> tuple[npt.NDArray[np.float64], str, bool]:
    """Return seconds (NaN where there is none), the unit in words, and whether somebody has said the unit.

    Raises:
        RecommenderError: they are no numbers, or one is negative or infinite.
    """
    kind = column.type
    try:
        if pa.types.is_duration(kind):
            numbers = column.cast(pa.duration("us"), safe=False).cast(pa.int64()).cast(pa.float64())
            unit = "us"
        elif pa.types.is_temporal(kind):
            raise pa.ArrowInvalid("")
        else:
            numbers = trimmed(column).cast(pa.float64(), safe=False)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        wrong = f"column '{name}' holds {kind} values, not numbers"
        raise RecommenderError(where, wrong, "expected numbers") from error
    said = unit is not None or unit_in_name(name) is not None
    found = unit or unit_in_name(name) or "s"
    values = np.asarray(pc.fill_null(numbers, np.nan).to_numpy(), np.float64)
    seconds = values * 1e-9 if found == "ns" else values * MICROS[found] / 1e6
    wrong_rows = (seconds < 0) | np.isinf(seconds)
    if wrong_rows.any():
        row = int(np.argmax(wrong_rows))
        raise RecommenderError(where, f"the duration in row {row} is {values[row]:g}", "expected a positive number")
    return seconds, WORDS[found], said


def likely_unit(seconds: npt.NDArray[np.float64], usual: npt.NDArray[np.float64]) -> str | None:
    """Return the unit that durations taken as seconds are likelier in, or None where seconds fit.

    Args:
        seconds: durations, NaN where there is none.
        usual: durations as they should be, in seconds; both of any length.
    """
    there = seconds[seconds > 0]
    if not there.size or not usual.size:
        return None
    middle, low, high = float(np.median(there)), float(usual.min()), float(usual.max())
    if low <= middle <= high:
        return None
    for unit in ("ms", "us", "ns"):
        middle /= 1000.0
        if low <= middle <= high:
            return unit
    return None
