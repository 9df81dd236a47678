"""What a platform has recorded so far, as a recommender is fitted on it: rows in order of arrival."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq

from recommenders.contract import COLUMNS, PlatformLog
from simulator.kernels.layout import Array


class PlatformMemory:
    """Records as they were written, handed out as they have arrived.

    Rows come in any order and ahead of their arrival; `arrived(time)` gives exactly those that arrived by then, sorted
    by (logged_at, user, time, event, position), so that a fit never depends on how the run was cut into batches.
    """

    def __init__(self, names: dict[str, tuple[str, ...]], n_users: int, n_items: int) -> None:
        self.names = names
        self.n_users = n_users
        self.n_items = n_items
        self._waiting: list[dict[str, npt.NDArray[np.generic]]] = []
        self._room: dict[str, npt.NDArray[np.generic]] = {c.name: np.empty(0, dtype=c.dtype) for c in COLUMNS}
        self._n = 0  # rows of it that are there
        self._until = -np.inf

    def take(self, rows: Array) -> None:
        """Rows of events that the platform records, whenever they arrive."""
        self._waiting.append({c.name: rows[c.name].astype(c.dtype) for c in COLUMNS})

    def take_columns(self, columns: dict[str, npt.NDArray[np.generic]]) -> None:
        """Rows from elsewhere (a real log) by column; a column left out is absent or 0 in every row."""
        log = PlatformLog.from_columns(columns, self.names, self.n_users, self.n_items)
        self._waiting.append({c.name: getattr(log, c.name) for c in COLUMNS})

    def read(self, paths: list[Path]) -> None:
        """Rows from part files of a platform log."""
        for path in paths:
            table = pq.read_table(path)
            columns = {}
            for c in COLUMNS:
                values = table[c.name].combine_chunks()
                if c.coded:
                    known = {name: code for code, name in enumerate(self.names[c.name])}
                    code = np.array([known[name] for name in values.dictionary.to_pylist()], dtype=c.dtype)
                    place = values.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
                    columns[c.name] = np.where(place < 0, c.absent, code[place]).astype(c.dtype)
                else:
                    columns[c.name] = values.fill_null(c.absent).to_numpy(zero_copy_only=False).astype(c.dtype)
            self._waiting.append(columns)

    def arrived(self, time: float) -> PlatformLog:
        """All records that have arrived by `time`."""
        self._sort_in(time)
        whole = {name: self._sorted(name) for name in self._room}
        return PlatformLog(**whole, names=self.names, n_users=self.n_users, n_items=self.n_items)

    def since(self, last: float, time: float) -> PlatformLog:
        """Records that arrived after `last`, up to `time`."""
        self._sort_in(time)
        first = int(np.searchsorted(self._sorted("logged_at"), last, side="right"))
        part = {name: self._sorted(name)[first:] for name in self._room}
        return PlatformLog(**part, names=self.names, n_users=self.n_users, n_items=self.n_items)

    def _sort_in(self, time: float) -> None:
        """Move what has arrived by `time` behind what had arrived before: arrival is the first key of the order."""
        if time <= self._until and not self._waiting:
            return
        if self._waiting:
            rows = {c.name: np.concatenate([chunk[c.name] for chunk in self._waiting]) for c in COLUMNS}
            there = rows["logged_at"] <= time
            here, later = np.flatnonzero(there), np.flatnonzero(~there)
            self._waiting = [{name: values[later] for name, values in rows.items()}] if later.size else []
            self._append(rows, here[_order({key: rows[key][here] for key in _ORDER})])
        self._until = time

    def _append(self, rows: dict[str, npt.NDArray[np.generic]], order: npt.NDArray[np.int64]) -> None:
        """Put rows behind what is sorted. Logs that were handed out are views of it: what is there never changes."""
        first, last = self._n, self._n + order.size
        for name, values in rows.items():
            if last > self._room[name].size:
                grown = np.empty(max(last, 2 * first), dtype=values.dtype)
                grown[:first] = self._sorted(name)
                self._room[name] = grown
            np.take(values, order, out=self._room[name][first:last], mode="clip")  # which writes without a copy
        self._n = last

    def _sorted(self, name: str) -> npt.NDArray[np.generic]:
        return self._room[name][: self._n]


_ORDER = ("logged_at", "user", "time", "event", "position")


def _order(keys: dict[str, npt.NDArray[np.generic]]) -> npt.NDArray[np.int64]:
    """The order by all keys, the first one first; only where it leaves a tie are the others looked at."""
    first = keys[_ORDER[0]]
    order = np.argsort(first, kind="stable")
    same = np.diff(first[order]) == 0
    tied = np.flatnonzero(np.append(same, False) | np.append(False, same))
    rows = order[tied]
    order[tied] = rows[np.lexsort([keys[name][rows] for name in reversed(_ORDER)])]
    return order
