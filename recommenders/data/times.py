"""Times of any form become seconds: what unit they are in is found out from type and size, and said."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from recommenders.contract.errors import RecommenderError
from recommenders.data.columns import trimmed
from recommenders.data.roles import bare
from recommenders.data.units import DATE_ORDERS, WORDS

if TYPE_CHECKING:
    import pandas as pd

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]

MICROS = {"s": 10**6, "ms": 10**3, "us": 1, "min": 60 * 10**6, "h": 3600 * 10**6, "d": 86400 * 10**6}
"""Microseconds in one of each; ``ns`` is a thousandth of one."""

# Seconds since 1970 from 1973 to 2286, so that the ranges of the units lie apart.
_EARLY, _LATE = 1e8, 1e10
_PER_SECOND = {"s": 1.0, "ms": 1e3, "us": 1e6, "ns": 1e9}
_ENDINGS = {"_ms": "ms", "_us": "us", "_ns": "ns", "_s": "s"}
_CLOCKS = ("", " %H:%M", " %H:%M:%S", " %H:%M:%S.%f", " %I:%M %p", " %I:%M:%S %p")


@dataclass(frozen=True)
class Times:
    """Times of one column.

    Attributes:
        seconds: float64 per row, since 1970 in UTC, or since an origin of their own; NaN where there is none.
        form: what they are written in, in words.
        dated: whether they are since 1970.
    """

    seconds: Float64
    form: str
    dated: bool

    @property
    def missing(self) -> npt.NDArray[np.bool_]:
        """Return whether a row has no time."""
        return np.isnan(self.seconds)

    def said(self) -> str:
        """Return unit and range in words."""
        there = self.seconds[~self.missing]
        if not there.size:
            return f"{self.form}, none given"
        low, high = there.min(), there.max()
        if not self.dated:
            return f"{self.form} from an origin of their own, {low:g} to {high:g} s"
        first, last = (np.datetime64(int(edge * 1e6), "us").astype("datetime64[D]") for edge in (low, high))
        return f"{self.form}, {first} to {last}, UTC"


def read_times(column: pa.ChunkedArray, unit: str | None, where: str, name: str) -> Times:
    """Return the times of a column; `unit` is one of :data:`WORDS` or :data:`DATE_ORDERS`, or None to find out.

    Raises:
        RecommenderError: they are neither numbers nor dates, or of a size or an order that no unit explains.
    """
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    kind, what = column.type, f"column '{name}'"
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        micros = column.cast(pa.timestamp("us", getattr(kind, "tz", None)), safe=False).cast(pa.int64())
        return _dated(
            _integers(micros), column, "timestamps" if getattr(kind, "tz", None) else "timestamps without a zone"
        )
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        words = trimmed(column)
        numbers = _numbers(words)
        if numbers is None:
            return _texts(words, unit, where, what)
        column, kind = numbers, numbers.type
    if pa.types.is_decimal(kind):
        column, kind = column.cast(pa.float64()), pa.float64()
    if pa.types.is_null(kind):
        return Times(np.full(len(column), np.nan), "empty", False)
    if not (pa.types.is_integer(kind) or pa.types.is_floating(kind)):
        raise RecommenderError(where, f"{what} holds {kind}", "expected numbers or dates")
    if unit in DATE_ORDERS:
        raise RecommenderError(where, f"{what} holds numbers, not dates", f"expected a unit: {', '.join(WORDS)}")
    return _counted(column, unit, where, name)


def unit_in_name(name: str) -> str | None:
    """Return the unit that a column's name ends in, as ``time_ms`` does."""
    return next((unit for ending, unit in _ENDINGS.items() if bare(name).endswith(ending)), None)


def _numbers(words: pa.ChunkedArray) -> pa.ChunkedArray | None:
    for kind in (pa.int64(), pa.float64()):
        try:
            return words.cast(kind)
        except pa.ArrowInvalid:
            continue
    return None


def _integers(column: pa.ChunkedArray) -> Int64:
    return np.asarray(pc.fill_null(column, 0).to_numpy(), dtype=np.int64)


def _dated(micros: Int64, column: pa.ChunkedArray, form: str) -> Times:
    return Times(np.where(_nulls(column), np.nan, _seconds(micros)), form, True)


def _nulls(column: pa.ChunkedArray) -> npt.NDArray[np.bool_]:
    return np.asarray(pc.is_null(column, nan_is_null=True).to_numpy(), dtype=bool)


def _seconds(micros: Int64) -> Float64:
    """Return the same float64 for one time, whatever unit it was written in."""
    return micros // 10**6 + (micros % 10**6) / 1e6


def _counted(column: pa.ChunkedArray, unit: str | None, where: str, name: str) -> Times:
    """Return times that are numbers of a unit."""
    nulls, what = _nulls(column), f"column '{name}'"
    whole = pa.types.is_integer(column.type)
    try:
        values = (
            _integers(column.cast(pa.int64())) if whole else np.asarray(pc.fill_null(column, 0).to_numpy(), np.float64)
        )
    except pa.ArrowInvalid as error:
        raise RecommenderError(where, f"{what} holds {error}", "expected times") from error
    values = np.where(nulls, values.dtype.type(0), values)
    there = values[~nulls]
    if there.size and not np.isfinite(there).all():
        raise RecommenderError(where, f"{what} holds infinity", "expected times")
    top = float(np.abs(there).max()) if there.size else 0.0
    if unit is None and there.size and there.min() >= 19000101:
        digits = _calendar(values, there, nulls)
        if digits is not None:
            return _dated(digits, column, "dates as digits")
    found = unit or _unit_of(top, where, name)
    if top / _PER_SECOND.get(found, np.inf) >= _LATE:
        likely = next((each for each, per in _PER_SECOND.items() if _EARLY <= top / per < _LATE), None)
        wrong = f"{what} goes up to {top:g}: {WORDS[found]} since 1970 would be after the year 2286"
        right = "expected another unit" + ("" if likely is None else f", likely columns.time.unit={likely}")
        raise RecommenderError(where, wrong, right)
    if unit is None:
        _check_one_unit(there, found, where, what)
    if found == "ns":
        micros = values // 1000
    elif whole:
        micros = values * MICROS[found]
        if there.size and top > 2**63 / MICROS[found]:
            raise RecommenderError(
                where, f"{what} goes up to {top:g} {WORDS[found]}", f"expected a unit: {', '.join(WORDS)}"
            )
    else:
        micros = np.rint(values * MICROS[found])
    since_1970 = top / _PER_SECOND.get(found, np.inf) >= _EARLY
    if since_1970:
        seconds = _seconds(micros.astype(np.int64))
    else:
        # An origin of its own: as fine as it is written. Divided, as a product with 0.001 is not the nearest number.
        per_second = _PER_SECOND.get(found)
        seconds = np.asarray(values / per_second if per_second else values * (MICROS[found] // 10**6), np.float64)
    form = WORDS[found] + (" since 1970" if since_1970 else "")
    return Times(np.where(nulls, np.nan, seconds), form, since_1970)


def _unit_of(top: float, where: str, name: str) -> str:
    for unit, per_second in _PER_SECOND.items():
        if _EARLY <= top / per_second < _LATE:
            said = unit_in_name(name) or unit
            if said != unit:
                wrong = f"column '{name}' goes up to {top:g}, which would be {WORDS[unit]} since 1970"
                raise RecommenderError(where, wrong, f"say which it is: columns.time.unit={said} or {unit}")
            return unit
    said = unit_in_name(name) or "s"
    if top / _PER_SECOND[said] >= _LATE:
        wrong = f"column '{name}' goes up to {top:g}: a time of no known unit"
        raise RecommenderError(where, wrong, f"say which: columns.time.unit={', '.join(WORDS)}")
    return said


def _check_one_unit(there: npt.NDArray[np.number], found: str, where: str, what: str) -> None:
    """Raise RecommenderError where some rows count in a coarser unit than the largest does."""
    units = list(_PER_SECOND)
    for coarser in units[: units.index(found)] if found in units else ():
        odd = (there >= _EARLY * _PER_SECOND[coarser]) & (there < _LATE * _PER_SECOND[coarser])
        if odd.any() and float(there.max()) >= _EARLY * _PER_SECOND[found]:
            wrong = f"{what}: {int(odd.sum())} rows are {WORDS[coarser]} since 1970, others {WORDS[found]}"
            raise RecommenderError(where, wrong, "expected one unit")


def _calendar(
    values: npt.NDArray[np.number], there: npt.NDArray[np.number], nulls: npt.NDArray[np.bool_]
) -> Int64 | None:
    """Return microseconds of dates written as 20190301, or 20190301235959; None where the numbers are no such dates."""
    pandas_format = "%Y%m%d" if there.max() <= 21001231 else "%Y%m%d%H%M%S"
    if pandas_format == "%Y%m%d%H%M%S" and not (there.min() >= 19000101000000 and there.max() <= 21001231235959):
        return None
    import pandas as pd

    filled = np.where(nulls, there[0], values)
    if (filled != np.floor(filled)).any():
        return None
    read = pd.to_datetime(
        pd.Series(filled.astype(np.int64).astype(str)), format=pandas_format, errors="coerce", utc=True
    )
    return None if read.isna().any() else _micros(read)


def _texts(words: pa.ChunkedArray, unit: str | None, where: str, what: str) -> Times:
    """Return times that are written as dates."""
    import pandas as pd

    encoded = words.combine_chunks().dictionary_encode()
    encoded = encoded.combine_chunks() if isinstance(encoded, pa.ChunkedArray) else encoded
    texts = pd.Series(encoded.dictionary.to_pylist(), dtype=object).str.replace(r"\s*(UTC|GMT)$", "Z", regex=True)
    micros, form = _parsed(texts, unit, where, what)
    code = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    seconds = np.append(_seconds(micros), np.nan)[code]
    return Times(seconds, form, True)


def _parsed(texts: pd.Series, unit: str | None, where: str, what: str) -> tuple[Int64, str]:
    import pandas as pd

    parts = texts.str.extract(r"^(\d{1,2})([/.\-])(\d{1,2})[/.\-](\d{4})(?:,?\s+(.*))?$")
    if not parts[0].isna().any():
        return _by_parts(texts, parts, unit, where, what)
    zoned = texts.str.contains(r"(?:Z|[+-]\d\d:?\d\d)$", regex=True)
    form = "dates" if zoned.all() else "dates without a zone" if not zoned.any() else "dates, some without a zone"
    try:
        return _micros(pd.to_datetime(texts, format="ISO8601", utc=True)), form
    except (ValueError, OverflowError):
        pass
    try:
        with warnings.catch_warnings():
            # pandas says so where it would read every text by a rule of its own.
            warnings.simplefilter("error")
            return _micros(pd.to_datetime(texts, utc=True)), f"dates such as '{texts.iloc[0]}'"
    except (ValueError, OverflowError, TypeError, UserWarning) as error:
        readable = pd.to_datetime(texts, format="ISO8601", utc=True, errors="coerce")
        shown = texts[readable.isna()].iloc[0]
        raise RecommenderError(
            where, f"{what} holds '{shown}'", "expected numbers or dates, all in one form"
        ) from error


def _micros(read: pd.Series) -> Int64:
    """Return microseconds since 1970 of times in UTC."""
    return np.asarray(read.dt.tz_convert(None).to_numpy().astype("datetime64[us]").astype(np.int64))


def _by_parts(
    texts: pd.Series,
    parts: pd.DataFrame,
    unit: str | None,
    where: str,
    what: str,
) -> tuple[Int64, str]:
    """Return dates like 9/30/2019, whose month comes first unless it is said that the day does."""
    import pandas as pd

    day_first = unit == "day-first"
    month, shown = parts[2 if day_first else 0].astype(int), texts.iloc[0]
    if (month > 12).any():
        shown, other = texts[month > 12].iloc[0], "month-first" if day_first else "day-first"
        wrong = f"{what} holds '{shown}', which has no month {'second' if day_first else 'first'}"
        raise RecommenderError(where, wrong, f"say so: columns.time.unit={other}")
    if unit is None and (parts[1] != "/").any():
        wrong = f"{what} holds dates such as '{shown}'"
        raise RecommenderError(where, wrong, "say what comes first: columns.time.unit=day-first or month-first")
    order = "%d/%m/%Y" if day_first else "%m/%d/%Y"
    plain = (
        parts[0] + "/" + parts[2] + "/" + parts[3] + parts[4].map(lambda clock: "" if pd.isna(clock) else f" {clock}")
    )
    for clock in _CLOCKS:
        read = pd.to_datetime(plain, format=order + clock, errors="coerce", utc=True)
        if not read.isna().any():
            return _micros(read), f"dates without a zone, {'day' if day_first else 'month'} first"
    raise RecommenderError(
        where, f"{what} holds dates such as '{shown}'", "expected all in one form, as 9/30/2019 23:59:59"
    )
