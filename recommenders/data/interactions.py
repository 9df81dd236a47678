"""Interactions as every command reads them: who, what, when, how much, in which part, and what was left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from recommenders.contract.errors import RecommenderError
from recommenders.contract.names import did_you_mean
from recommenders.data.columns import trimmed
from recommenders.data.folder import Rows, layout_at, read_rows
from recommenders.data.ids import Ids, as_text, read_ids
from recommenders.data.layouts import Layout
from recommenders.data.roles import OF_INTERACTIONS, find_role, role_of, unused
from recommenders.data.times import Times, read_times

T = TypeVar("T", bound=np.generic)
NONE = "none"
"""Said of a role, it means that no column plays it."""


@dataclass(frozen=True)
class Reading:
    """Say how interactions are read where the usual way is not right.

    Attributes:
        layout: name of a set, or a YAML file; the usual tables unless given.
        columns: role -> column, or ``none``.
        elsewhere: columns of another table of the source, which may be meant by ``columns`` too.
        units: role -> unit of its numbers.
        sep, header, quote, names: how text files are written.
        drop_missing: leave rows out that lack what is needed, in place of refusing.
        needs: roles besides user, item and time that a row must have.
        events: which events count; of a layout with flags, which columns.
        at_least: lowest value that counts.
    """

    layout: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    elsewhere: frozenset[str] = frozenset()
    units: Mapping[str, str] = field(default_factory=dict)
    sep: str | None = None
    header: bool | None = None
    quote: bool | None = None
    names: tuple[str, ...] = ()
    drop_missing: bool = False
    needs: tuple[str, ...] = ()
    events: tuple[str, ...] = ()
    at_least: float | None = None

    def layout_in_use(self, path: Path) -> Layout:
        """Return the layout of a folder or file, with what is said beside it."""
        layout = layout_at(path, self.layout)
        said = {"sep": self.sep, "header": self.header, "quote": self.quote, "names": self.names or None}
        told: dict[str, Any] = {key: value for key, value in said.items() if value is not None}
        return replace(layout, units={**layout.units, **self.units}, **told)


@dataclass(frozen=True)
class Interactions:
    """Hold what counts of the interactions of a source, in the order of its rows.

    Attributes:
        source: where they are from.
        files: names of the files.
        columns: role -> column.
        user, item: ids, none missing.
        times: of each row, none missing; None where there is no such column.
        value: float32, NaN where there is none; None where there is no such column.
        split: labels; None where there is no such column.
        label: what counts as a positive, in words.
        n_rows: rows of the source.
        left_out: reason -> rows.
        notes: what was found out or assumed, in plain words.
    """

    source: str
    files: tuple[str, ...]
    columns: Mapping[str, str]
    user: Ids
    item: Ids
    times: Times | None
    value: npt.NDArray[np.float32] | None
    split: Ids | None
    label: str
    n_rows: int
    left_out: Mapping[str, int]
    notes: tuple[str, ...]

    def __len__(self) -> int:
        return self.user.code.size


def read_interactions(path: Path, reading: Reading) -> Interactions:
    """Read the interactions of a folder or of one file.

    Raises:
        RecommenderError: there is no table, it lacks a column, a row lacks what it needs, or nothing in it counts.
    """
    layout = reading.layout_in_use(path)
    rows = read_rows(path, layout)
    if layout.name != reading.layout and layout.name is not None:
        rows.notes.insert(0, f"its files are those of {layout.name}: read with layout={layout.name}")
    columns = _roles(rows, reading, layout)
    counting = _Counting(rows)
    label = _count(counting, rows, columns, reading, layout)
    if not counting.kept.any():
        raise RecommenderError(rows.source, "holds no positive", f"what counts: {label}")
    values = _values(rows, columns, told="value" in _told(reading.columns))
    if reading.at_least is not None:
        if values is None:
            raise RecommenderError(
                rows.source, "has no ratings", "leave out at_least, or name the column: columns.rating"
            )
        name = columns["value"]
        counting.leave(np.isnan(values), f"no value (column '{name}')")
        counting.leave(~(values >= reading.at_least), f"value below {reading.at_least:g}")
        if not counting.kept.any():
            raise RecommenderError(rows.source, "holds no positive", f"what counts: {label}")
    ids: dict[str, Ids] = {}
    for role in ("user", "item", *(("split",) if "split" in columns else ())):
        found = read_ids(counting.column(columns[role]), rows.source, columns[role])
        ids[role] = Ids(found.names, counting.spread(found.code, -1))
    unit = "s" if rows.of_run else layout.units.get("time")
    times = None
    if "time" in columns:
        read = read_times(counting.column(columns["time"]), unit, rows.source, columns["time"])
        times = replace(read, seconds=counting.spread(read.seconds, np.nan))
        rows.notes.append(f"time: {read.said()} (column '{columns['time']}')")
    for role in ("user", "item", "split"):
        if role in ids and (role != "split" or role in reading.needs):
            _need(counting, ids[role].missing, role, columns[role], rows.source, reading.drop_missing)
    if times is not None:
        _need(counting, times.missing, "time", columns["time"], rows.source, reading.drop_missing)
    if not counting.kept.any():
        raise RecommenderError(rows.source, "holds no row with all that is needed", ", ".join(counting.said()))
    kept = np.flatnonzero(counting.kept)
    value = None if values is None else values[kept].astype(np.float32)
    if value is not None and np.isnan(value).any():
        rows.notes.append(
            f"value: {int(np.isnan(value).sum()):,} of {value.size:,} rows have none (column '{columns['value']}')"
        )
    return Interactions(
        rows.source, tuple(rows.files), columns, ids["user"].take(kept), ids["item"].take(kept),
        None if times is None else replace(times, seconds=times.seconds[kept]),
        value, ids["split"].take(kept) if "split" in ids else None, label, rows.table.num_rows,
        dict(counting.left_out), (*rows.notes, *counting.said()),
    )  # fmt: skip


class _Counting:
    """Keep count of rows: which are kept, and how many were left out for which reason."""

    def __init__(self, rows: Rows) -> None:
        self._table = rows.table
        self.kept = np.ones(rows.table.num_rows, bool)
        self.left_out: dict[str, int] = {}

    def leave(self, wrong: npt.NDArray[np.bool_], reason: str) -> None:
        out = self.kept & wrong
        if out.any():
            self.left_out[reason] = int(out.sum())
            self.kept &= ~wrong

    def column(self, name: str) -> pa.ChunkedArray:
        """Return a column without the rows that are left out."""
        column = self._table.column(name)
        return column if self.kept.all() else column.filter(pa.array(self.kept))

    def spread(self, values: npt.NDArray[T], absent: float) -> npt.NDArray[T]:
        """Return values of the rows that are kept as values of all rows."""
        if self.kept.all():
            return values
        spread = np.full(self.kept.size, absent, values.dtype)
        spread[self.kept] = values
        return spread

    def said(self) -> list[str]:
        return [f"left out: {count:,} of {self.kept.size:,} rows, {reason}" for reason, count in self.left_out.items()]


def _need(counting: _Counting, missing: npt.NDArray[np.bool_], role: str, column: str, source: str, drop: bool) -> None:
    """Leave rows out that lack what they need, where that is asked for; refuse the table else."""
    wrong = counting.kept & missing
    if not wrong.any():
        return
    if not drop:
        first = int(np.argmax(wrong))
        what = f"column '{column}' has {int(wrong.sum())} missing values, the first in row {first}"
        without = f", or columns.{role}=none" if role in ("time", "split") else ""
        raise RecommenderError(
            source, what, f"expected {_an(role)} in every row; missing=drop leaves such rows out{without}"
        )
    counting.leave(missing, f"no {role} (column '{column}')")


def _an(role: str) -> str:
    return f"{'an' if role[0] in 'aeio' else 'a'} {role}"


def _told(columns: Mapping[str, str]) -> dict[str, str]:
    return {role_of(role, f"columns.{role}", OF_INTERACTIONS): column for role, column in columns.items()}


def _roles(rows: Rows, reading: Reading, layout: Layout) -> dict[str, str]:
    """Return the column of each role: as told, as the layout says, or by a known name; several may make one id."""
    told, names = _told(reading.columns), rows.table.column_names
    for role, column in list(told.items()):
        if column in reading.elsewhere and not _there(rows, column):
            del told[role]
        elif column != NONE and not _there(rows, column):
            hint = did_you_mean(column, names, repr)
            raise RecommenderError(
                f"columns.{role}", f"{rows.source} has no {column!r}", f"{hint}it has: {', '.join(names)}"
            )
    chosen: dict[str, str] = {}
    for role in OF_INTERACTIONS:
        if role in told:
            found = told[role] if told[role] != NONE else None
        else:
            wanted = [column for column in layout.columns.get(role, ()) if _there(rows, column)]
            found = wanted[0] if wanted else find_role(role, rows.table.column_names)
            if found in (*chosen.values(), *told.values()):
                found = None
        if found is not None:
            chosen[role] = found
    for role in ("user", "item"):
        if role not in chosen:
            hint = did_you_mean(f"{role}_id", names, repr)
            raise RecommenderError(
                rows.source,
                f"has no column for the {role} among {', '.join(names)}",
                f"{hint}name it: columns.{role}=COLUMN",
            )
    looks = unused(names, chosen)
    if looks:
        rows.notes.append(f"not used, though they look like times, values or events: {', '.join(looks)}")
    return chosen


def _there(rows: Rows, column: str) -> bool:
    """Return whether there is such a column; of ``a+b``, which is made here, whether there are both.

    A plus inside of a part gets a backslash, so that ``a+b`` and ``c`` make another id than ``a`` and ``b+c``.
    """
    if column in rows.table.column_names:
        return True
    parts = column.split("+")
    if len(parts) < 2 or not all(part in rows.table.column_names for part in parts):
        return False
    texts = [
        pc.replace_substring_regex(as_text(rows.table.column(part), rows.source, part), r"([\\+])", r"\\\1")
        for part in parts
    ]
    plus = pa.scalar("+", pa.large_string())
    rows.table = rows.table.append_column(column, pc.binary_join_element_wise(*texts, plus))
    return True


def _count(counting: _Counting, rows: Rows, columns: dict[str, str], reading: Reading, layout: Layout) -> str:
    """Leave out the rows whose event does not count; return what counts in words."""
    events, least = reading.events or layout.events, reading.at_least
    label = "any interaction" if least is None else f"{columns.get('value', 'value')} >= {least:g}"
    if layout.flags:
        counting.leave(~_flagged(rows, events), f"not {' or '.join(events)}")
        return " or ".join(events)
    if "event" not in columns:
        if reading.events:
            wrong = f"has no column of events among {', '.join(rows.table.column_names)}"
            raise RecommenderError(rows.source, wrong, "name it: columns.event=COLUMN")
        return label
    there = read_ids(rows.table.column(columns["event"]), rows.source, columns["event"])
    names = [str(name) for name in there.names]
    if not reading.events and any(event in names for event in events):
        rows.notes.append(
            f"event: of {_some(names)} (column '{columns['event']}') {' and '.join(e for e in events if e in names)} "
            "count (events= says which do)"
        )
        events = tuple(event for event in events if event in names)
    if events:
        for event in events:
            if event not in names:
                hint = did_you_mean(event, names, repr)
                raise RecommenderError(rows.source, f"has no event {event!r}", f"{hint}there are: {_some(names)}")
        counts = np.isin(there.names, events)
        counting.leave(~np.append(counts, False)[there.code], f"not {' or '.join(events)}")
        if rows.of_run:
            counting.leave(np.asarray(rows.table.column(columns["item"]).is_null()), "no item")
        return f"{' or '.join(events)}" + ("" if least is None else f", value >= {least:g}")
    if "event" in reading.columns or rows.of_run:
        raise RecommenderError(rows.source, "is a log of events", f"say which count: events={','.join(names)}")
    rows.notes.append(
        f"event: column '{columns['event']}' ({_some(names)}) is not used: every row counts (events= says which do)"
    )
    return label


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:8]) + (", ..." if len(names) > 8 else "")


def _flagged(rows: Rows, flags: Sequence[str]) -> npt.NDArray[np.bool_]:
    """Return whether any of the flags, columns of 0 and 1, is set in a row."""
    found = {name: flag for name in rows.table.column_names if (flag := _flag(rows.table.column(name))) is not None}
    for name in flags or ("",):
        if name not in found:
            wrong = f"{name!r} is no column of 0 and 1" if name else "has events as columns of 0 and 1"
            raise RecommenderError(rows.source, wrong, f"say which count: events={','.join(found)}")
    return np.asarray(np.logical_or.reduce([found[name] for name in flags]), dtype=bool)


def _flag(column: pa.ChunkedArray) -> npt.NDArray[np.bool_] | None:
    """Return a column of yes and no; None where it holds anything else."""
    if pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type):
        return None
    words = set(column.slice(0, 1000).cast(pa.large_string()).unique().to_pylist())
    yes, no = {"1", "1.0", "true", "True"}, {"0", "0.0", "false", "False"}
    if not words <= yes | no:
        return None
    ids = read_ids(column.cast(pa.large_string()), "", "")
    if ids.missing.any() or not set(ids.names.tolist()) <= yes | no:
        return None
    return np.isin(ids.names, list(yes))[ids.code]


def _values(rows: Rows, columns: dict[str, str], told: bool) -> npt.NDArray[np.float64] | None:
    """Return how much each row is worth, NaN where nothing is said; None where no column says it."""
    if "value" not in columns:
        return None
    name = columns["value"]
    column = rows.table.column(name)
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    try:
        if pa.types.is_temporal(column.type):
            raise pa.ArrowInvalid("times are no values")
        values = np.asarray(pc.fill_null(trimmed(column).cast(pa.float64(), safe=False), np.nan).to_numpy(), np.float64)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        if told:
            raise RecommenderError(
                rows.source, f"column '{name}' holds {_some(_shown(column))}", "expected numbers"
            ) from error
        rows.notes.append(f"value: column '{name}' holds no numbers: not used")
        del columns["value"]
        return None
    large = np.abs(values) > np.finfo(np.float32).max
    if large.any():
        row = int(np.argmax(large))
        wrong = f"column '{name}' holds {values[row]:g} in row {row}"
        raise RecommenderError(rows.source, wrong, "expected numbers that fit 32-bit floats")
    return values


def _shown(column: pa.ChunkedArray) -> list[str]:
    return [str(each) for each in column.slice(0, 3).to_pylist()]
