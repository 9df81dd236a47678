"""The platform's records so far, as a recommender is fitted on them: rows in order of arrival."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from recommenders.contract import COLUMNS, PlatformLog, sealed
from recommenders.contract.columns import Column
from simulator.engine.tables.tables import EVERY_EVENT, Array
from simulator.errors import InputError, check_known
from simulator.records.kernels.arrivals import ROWS_PER_STRETCH, ArrivalKeys, arrival_order
from simulator.records.kernels.keeping import KeptColumns, keep_rows
from simulator.records.needed_rows import NO_LEAST, NeededRows

_ROWS_AT_ONCE = 8192


class PlatformMemory:
    """Hold records as they were written, and hand them out as they have arrived.

    Rows come in any order and ahead of their arrival; `arrived(time)` gives exactly those that arrived by then, sorted
    by (logged_at, user, time, event, position), so that a fit never depends on how the run was cut into batches.

    Rows that have arrived stay as they are: they are kept in arrays that nobody can change and that hold nothing else,
    so that a log can be handed out as it is. The others wait in arrays of their own, one per column, first those that
    need no more ordering.

    Args:
        names: names behind the codes.
        n_users, n_items: how many there are.
        needed: what is kept of rows of events; None: all.
    """

    def __init__(
        self, names: dict[str, tuple[str, ...]], n_users: int, n_items: int, needed: NeededRows | None = None
    ) -> None:
        self.names, self.needed = names, needed
        self.n_users = n_users
        self.n_items = n_items
        self._columns: dict[str, npt.NDArray[Any]] = {c.name: np.empty(0, dtype=c.dtype) for c in COLUMNS}
        self._n = 0  # rows that wait
        self._ordered = True  # whether they are in order
        self._arrived: dict[str, list[npt.NDArray[Any]]] = {c.name: [] for c in COLUMNS}  # in stretches, as they came

    def take(self, rows: Array, recorded: npt.NDArray[np.bool_] | None = None) -> None:
        """Take rows of events (n,), or those that the platform has `recorded` (n,), whenever they arrive."""
        if recorded is None:
            recorded = np.ones(len(rows), dtype=np.bool_)
        events, least = (EVERY_EVENT, NO_LEAST) if self.needed is None else (self.needed.events, self.needed.least)
        begin, room = self._n, self._room(len(rows))
        self._n = begin + keep_rows(rows, recorded, events, least, KeptColumns(**room))

    def take_columns(self, columns: Mapping[str, npt.NDArray[Any]]) -> None:
        """Take rows from elsewhere (a real log) by column; a column left out is absent or 0 in every row."""
        log = PlatformLog.from_columns(columns, self.names, self.n_users, self.n_items)
        for name, column in self._room(len(log)).items():
            column[:] = getattr(log, name)

    def read(self, paths: list[Path]) -> None:
        """Read rows from part files of a platform log."""
        for path in paths:
            columns = read_columns(path, self.names)
            for name, column in self._room(len(columns["time"])).items():
                column[:] = columns[name]

    def arrived(self, time: float) -> PlatformLog:
        """Return all records that have arrived by `time`."""
        self._sort_in(time)
        for stretches in self._arrived.values():  # one column at a time: memory holds one of them twice, not all
            if len(stretches) > 1:
                stretches[:] = [_joined(stretches)]
        return self._log(0)

    def since(self, last: float, time: float) -> PlatformLog:
        """Return the records that arrived after `last`, up to `time`."""
        self._sort_in(time)
        stretches = self._arrived["logged_at"]
        first = len(stretches)
        while first > 0 and stretches[first - 1][-1] > last:
            first -= 1
        begin = int(np.searchsorted(stretches[first], last, side="right")) if first < len(stretches) else 0
        return self._log(first, begin)

    def _log(self, first: int, begin: int = 0) -> PlatformLog:
        """Return the rows of the stretches from `first` on, in that one from `begin` on."""
        columns = {}
        for c in COLUMNS:
            stretches = self._arrived[c.name][first:] or [sealed(np.empty(0, dtype=c.dtype))]
            columns[c.name] = _joined([stretches[0][begin:], *stretches[1:]])
        return PlatformLog(**columns, names=dict(self.names), n_users=self.n_users, n_items=self.n_items)

    def _room(self, more: int) -> dict[str, npt.NDArray[Any]]:
        """Return the places of the next rows, behind all others."""
        first, last = self._n, self._n + more
        for name, column in self._columns.items():
            if last > column.size:
                grown = np.empty(max(last, 4 * first), dtype=column.dtype)  # what is not written to costs nothing
                grown[:first] = column[:first]
                self._columns[name] = grown
        self._n, self._ordered = last, False
        return {name: column[first:last] for name, column in self._columns.items()}

    def _sort_in(self, time: float) -> None:
        """Put what waits in order, and what has arrived behind what had before, as arrival is the first key."""
        if not self._ordered:
            self._order({name: column[: self._n] for name, column in self._columns.items()})
        here = int(np.searchsorted(self._columns["logged_at"][: self._n], time, side="right"))
        if here == 0:
            return
        for name, column in self._columns.items():  # one column at a time: its memory is free before the next
            self._arrived[name].append(sealed(column[:here]))
            self._columns[name] = column[here : self._n].copy()
        self._n -= here

    def _order(self, waiting: Mapping[str, npt.NDArray[Any]]) -> None:
        """Put the rows that wait in order, in place."""
        order, room = np.empty(self._n, dtype=np.int64), np.empty(self._n, dtype=np.int64)
        stretches = np.zeros(self._n // ROWS_PER_STRETCH + 2, dtype=np.int64)
        arrival_order(ArrivalKeys(*(waiting[key] for key in ArrivalKeys._fields)), stretches, order, room)
        for column in waiting.values():
            moved = room.view(column.dtype)[: self._n]
            np.take(column, order, out=moved, mode="clip")  # which writes without a copy
            column[:] = moved
        self._ordered = True


def read_columns(path: Path, names: Mapping[str, tuple[str, ...]]) -> dict[str, npt.NDArray[Any]]:
    """Read the columns of a part file of a platform log, (n,) each, coded by `names`.

    Raises:
        InputError: the file is no such part, or holds a name that is not among `names`.
    """
    try:
        table = pq.read_table(path, columns=[c.name for c in COLUMNS])
    except (OSError, pa.ArrowException) as error:
        wrong = f"cannot be read as Parquet ({str(error).splitlines()[0]})"
        raise InputError(str(path), wrong, "expected a part of a platform log") from error
    return {c.name: _values(path, table, c, names) for c in COLUMNS}


def _values(path: Path, table: pa.Table, c: Column, names: Mapping[str, tuple[str, ...]]) -> npt.NDArray[Any]:
    """Return one column (n,); of a coded one, the codes that `names` give to what its rows hold."""
    if c.name not in table.column_names:
        raise InputError(str(path), f"has no column {c.name}", "expected a part of a platform log")
    values = table[c.name].combine_chunks()
    if not c.coded:
        whole: npt.NDArray[Any] = values.fill_null(c.absent).to_numpy(zero_copy_only=False)
        return whole
    there, place = values.dictionary.to_pylist(), values.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    check_known(str(path), c.name, [there[k] for k in np.unique(place) if k >= 0], names[c.name])
    known = {name: code for code, name in enumerate(names[c.name])}
    code = np.array([known.get(name, c.absent) for name in there] or [c.absent], dtype=c.dtype)
    return np.where(place < 0, c.absent, code[place.astype(np.int64)]).astype(c.dtype)


def _joined(stretches: Sequence[npt.NDArray[Any]]) -> npt.NDArray[Any]:
    """Return sealed arrays as one."""
    if len(stretches) == 1:
        return stretches[0]
    return np.frombuffer(b"".join(each.data for each in stretches), dtype=stretches[0].dtype)


def into_columns(rows: Array, columns: Mapping[str, npt.NDArray[Any]]) -> None:
    """Write rows (n,) into columns (n,) by name; some at a time, so that memory is read once and not per column."""
    for first in range(0, len(rows), _ROWS_AT_ONCE):
        part = rows[first : first + _ROWS_AT_ONCE]
        for name, column in columns.items():
            column[first : first + len(part)] = part[name]
