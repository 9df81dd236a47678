"""The platform's records so far, as a recommender is fitted on them: rows in order of arrival."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq

from recommenders.contract import COLUMNS, PlatformLog
from simulator.engine.tables.tables import Array
from simulator.records.kernels.arrivals import ROWS_PER_STRETCH, ArrivalKeys, arrival_order

_ROWS_AT_ONCE = 8192


class PlatformMemory:
    """Hold records as they were written, and hand them out as they have arrived.

    Rows come in any order and ahead of their arrival; `arrived(time)` gives exactly those that arrived by then, sorted
    by (logged_at, user, time, event, position), so that a fit never depends on how the run was cut into batches.

    There is one array per column. First in it are the rows that have been handed out, which stay as they are: logs are
    views of them. Behind them lie those that have yet to arrive or to be put in order.
    """

    def __init__(self, names: dict[str, tuple[str, ...]], n_users: int, n_items: int) -> None:
        self.names = names
        self.n_users = n_users
        self.n_items = n_items
        self._columns: dict[str, npt.NDArray[Any]] = {c.name: np.empty(0, dtype=c.dtype) for c in COLUMNS}
        self._n = 0  # rows that are there
        self._ordered = 0  # of them, those before this one that need no more ordering
        self._arrived = 0  # of them, those that have arrived

    def take(self, rows: Array) -> None:
        """Take rows of events that the platform records, whenever they arrive."""
        into_columns(rows, self._room(len(rows)))

    def take_columns(self, columns: Mapping[str, npt.NDArray[Any]]) -> None:
        """Take rows from elsewhere (a real log) by column; a column left out is absent or 0 in every row."""
        log = PlatformLog.from_columns(columns, self.names, self.n_users, self.n_items)
        for name, column in self._room(len(log)).items():
            column[:] = getattr(log, name)

    def read(self, paths: list[Path]) -> None:
        """Read rows from part files of a platform log."""
        for path in paths:
            table = pq.read_table(path)
            room = self._room(len(table))
            for c in COLUMNS:
                values = table[c.name].combine_chunks()
                if c.coded:
                    known = {name: code for code, name in enumerate(self.names[c.name])}
                    code = np.array([known[name] for name in values.dictionary.to_pylist()], dtype=c.dtype)
                    place = values.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
                    room[c.name][:] = np.where(place < 0, c.absent, code[place])
                else:
                    room[c.name][:] = values.fill_null(c.absent).to_numpy(zero_copy_only=False)

    def arrived(self, time: float) -> PlatformLog:
        """Return all records that have arrived by `time`."""
        self._sort_in(time)
        return self._log(slice(0, self._arrived))

    def since(self, last: float, time: float) -> PlatformLog:
        """Return the records that arrived after `last`, up to `time`."""
        self._sort_in(time)
        first = int(np.searchsorted(self._columns["logged_at"][: self._arrived], last, side="right"))
        return self._log(slice(first, self._arrived))

    def _log(self, rows: slice) -> PlatformLog:
        part = {name: column[rows] for name, column in self._columns.items()}
        return PlatformLog(**part, names=self.names, n_users=self.n_users, n_items=self.n_items)

    def _room(self, more: int) -> dict[str, npt.NDArray[Any]]:
        """Return the places of the next rows, behind all others."""
        first, last = self._n, self._n + more
        for name, column in self._columns.items():
            if last > column.size:
                grown = np.empty(max(last, 4 * first), dtype=column.dtype)  # what is not written to costs nothing
                grown[:first] = column[:first]
                self._columns[name] = grown
        self._n = last
        return {name: column[first:last] for name, column in self._columns.items()}

    def _sort_in(self, time: float) -> None:
        """Put what has come in order behind what had arrived before: arrival is the first key of the order."""
        rest = {name: column[self._arrived : self._n] for name, column in self._columns.items()}
        if self._ordered < self._n:
            size = self._n - self._arrived
            order, room = np.empty(size, dtype=np.int64), np.empty(size, dtype=np.int64)
            stretches = np.zeros(size // ROWS_PER_STRETCH + 2, dtype=np.int64)
            arrival_order(ArrivalKeys(*(rest[key] for key in ArrivalKeys._fields)), stretches, order, room)
            for column in rest.values():
                moved = room.view(column.dtype)[:size]
                np.take(column, order, out=moved, mode="clip")  # which writes without a copy
                column[:] = moved
            self._ordered = self._n
        self._arrived += int(np.searchsorted(rest["logged_at"], time, side="right"))


def into_columns(rows: Array, columns: Mapping[str, npt.NDArray[Any]]) -> None:
    """Write rows (n,) into columns (n,) by name; some at a time, so that memory is read once and not per column."""
    for first in range(0, len(rows), _ROWS_AT_ONCE):
        part = rows[first : first + _ROWS_AT_ONCE]
        for name, column in columns.items():
            column[first : first + len(part)] = part[name]
