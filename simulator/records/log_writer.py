"""The two logs: rows from the kernels become Parquet parts, frames, and the memory that recommenders are fitted on.

The platform log is the truth log through its observation model: rows whose record arrives by the horizon, without the
columns that only the world knows. Rows travel to one writer thread, so that writing and simulating overlap.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from simulator.engine.jit.compile import kernel
from simulator.engine.randomness import mix
from simulator.engine.tables.tables import EVENT, EVERY_EVENT, Array
from simulator.errors import OutputError
from simulator.records.parts import KEPT, PLATFORM, TRUTH, HashedFile, PartFacts, part_path
from simulator.records.platform_log import PlatformMemory, into_columns
from simulator.records.run_folder import PARTIAL, disk_errors

ONLY_TRUTH = ("attended", "belief", "belief_sd", "utility", "satisfaction")
CODED = ("surface", "device", "stage", "event")
BUFFER_ROWS = 1 << 17
BUFFERS = 3
_QUEUE = 2

_ABSENT = {
    "item": 0xFFFFFFFF,
    "case": 0xFFFFFFFF,
    "parent_case": 0xFFFFFFFF,
    "position": 0xFFFF,
    "surface": 255,
    "stage": 255,
}
_ORDER = (
    "time", "logged_at", "user", "session", "request", "item", "position", "case", "parent_case",
    "surface", "device", "stage", "event", "value", "propensity", "policy_version", "visible",
    "attended", "belief", "belief_sd", "utility", "satisfaction",
)  # fmt: skip


@kernel
def row_hash_sums(
    words: npt.NDArray[np.uint64], counted: npt.NDArray[np.bool_], mask: npt.NDArray[np.uint64]
) -> tuple[np.uint64, np.uint64]:
    """Return sums (mod 2^64) of one hash per row of `words` (n, k), which are the same in any order of rows.

    The first is over all rows, the second over those that are `counted` (n,), with only the bits of `mask` (k,).
    """
    total, some = np.uint64(0), np.uint64(0)
    for i in range(words.shape[0]):
        whole = np.uint64(0x9E3779B97F4A7C15)
        part = np.uint64(0x9E3779B97F4A7C15)
        for k in range(words.shape[1]):
            whole = mix(whole, words[i, k])
            part = mix(part, words[i, k] & mask[k])
        total += whole
        some += part * np.uint64(counted[i])
    return total, some


def _bits_of(names: tuple[str, ...]) -> npt.NDArray[np.uint64]:
    """Return the bits of a row of events, by words of 8 bytes, that belong to these columns."""
    row = np.zeros(EVENT.itemsize, dtype=np.uint8)
    for name in names:
        kind, first = EVENT.fields[name][:2]  # type: ignore[index]
        row[first : first + kind.itemsize] = 255
    return row.view(np.uint64)


_PLATFORM_BITS = ~_bits_of(ONLY_TRUTH)


@dataclass
class LogTotals:
    """Count the rows of a log so far, and keep the order-free hash of them."""

    rows: int = 0
    hash: int = 0


def count_in(totals: dict[str, LogTotals], rows: Array, arrived: npt.NDArray[np.bool_]) -> None:
    """Count rows in: all of them in the truth, those whose record `arrived` (n,) in what the platform has."""
    words = rows.view(np.uint64).reshape(len(rows), EVENT.itemsize // 8)
    counts = {TRUTH: len(rows), PLATFORM: int(np.count_nonzero(arrived))}
    for kind, hash_sum in zip((TRUTH, PLATFORM), row_hash_sums(words, arrived, _PLATFORM_BITS), strict=True):
        totals[kind].rows += counts[kind]
        totals[kind].hash = (totals[kind].hash + int(hash_sum)) % 2**64


def to_table(rows: Array, names: dict[str, tuple[str, ...]], truth: bool) -> pa.Table:
    """Convert rows of events to an Arrow table; what is absent is null, codes are dictionaries of names."""
    columns: dict[str, pa.Array] = {}
    wanted = [name for name in _ORDER if truth or name not in ONLY_TRUTH]
    split: dict[str, npt.NDArray[np.generic]] = {name: np.empty(len(rows), dtype=rows.dtype[name]) for name in wanted}
    into_columns(rows, split)
    for name, values in split.items():
        if name in _ABSENT:
            missing = values == _ABSENT[name]
            array = pa.array(values, mask=missing if missing.any() else None)
        elif values.dtype.kind == "f" and name != "time":
            array = pa.array(values, from_pandas=True)
        else:
            array = pa.array(values)
        if name in CODED:
            array = pa.DictionaryArray.from_arrays(
                pc.cast(array, pa.int8(), safe=False), pa.array(names[name], pa.string())
            )
        columns[name] = array
    return pa.table(columns)


@dataclass
class _Part:
    """One open part file of one log."""

    kind: str
    path: Path
    file: HashedFile
    writer: pq.ParquetWriter
    rows: int = 0

    def close(self) -> PartFacts:
        """Close it under its final name."""
        with disk_errors(self.path):
            self.writer.close()
            self.file.close()
            self.file.path.replace(self.path)
        return PartFacts(self.path.name, self.rows, self.file.size, self.file.sha256)


@dataclass
class LogWriter:
    """Take rows of events and write what the run asked for.

    Args:
        folder: the run's folder, or None: logs are then kept in memory for frames.
        level: `full`, `platform` or `metrics`.
        names: names behind the codes.
        horizon: records that arrive later than this were never seen, s.
        memory: where a learning platform keeps what it recorded, or None.
    """

    folder: Path | None
    level: str
    names: dict[str, tuple[str, ...]]
    horizon: float
    memory: PlatformMemory | None
    tap: Callable[[Array], None] | None = None  # shown all rows as they come
    totals: dict[str, LogTotals] = field(default_factory=lambda: {TRUTH: LogTotals(), PLATFORM: LogTotals()})
    tables: dict[str, list[pa.Table]] = field(default_factory=lambda: {TRUTH: [], PLATFORM: []})

    def __post_init__(self) -> None:
        self.index = 1
        self.closed: dict[str, list[PartFacts]] = {}  # all part files so far
        self._parts: dict[str, _Part] = {}
        self.seconds = 0.0  # that the writer was busy
        self._failure: BaseException | None = None
        self._queue: queue.Queue[tuple[Array, int] | None] = queue.Queue(_QUEUE)
        self._spare: queue.Queue[Array] = queue.Queue()
        self._thread: threading.Thread | None = None
        if self.recording:
            for _ in range(BUFFERS):
                self._spare.put(np.zeros(BUFFER_ROWS, dtype=EVENT))
            self._thread = threading.Thread(target=self._work, name="log writer", daemon=True)
            self._thread.start()

    @property
    def recording(self) -> bool:
        """Tell whether anybody wants rows: a log, or a recommender that learns."""
        return self.level != "metrics" or self.memory is not None or self.tap is not None

    @property
    def wanted(self) -> npt.NDArray[np.uint8]:
        """Return flags of the events whose rows somebody reads, as in `Output.wanted`."""
        needed = None if self.memory is None else self.memory.needed
        return EVERY_EVENT if self.level != "metrics" or self.tap is not None or needed is None else needed.events

    @property
    def whole(self) -> bool:
        """Tell whether rows of all events come, so that what is counted of them is the log's."""
        return self.recording and bool(self.wanted.all())

    @property
    def kinds(self) -> tuple[str, ...]:
        """Return the part files that are written: a log's own folder, or the platform's memory without a log."""
        if self.level == "full":
            return (TRUTH, PLATFORM)
        if self.level == "platform":
            return (PLATFORM,)
        return (KEPT,) if self.memory is not None else ()

    def buffer(self, room: int) -> Array:
        """Return a buffer to fill, for `room` rows at least; waits until the writer has one to spare."""
        while True:
            self._check()
            try:
                spare = self._spare.get(timeout=1.0)
            except queue.Empty:
                continue
            return spare if len(spare) >= room else np.zeros(room, dtype=EVENT)

    def submit(self, buffer: Array, n: int) -> None:
        """Hand over the first n rows of a buffer; it comes back through `buffer` when they are written."""
        self._check()
        if self.tap is not None:
            self.tap(buffer[:n])
        self._queue.put((buffer, n))

    def drain(self) -> None:
        """Wait until everything submitted is written."""
        self._queue.join()
        self._check()

    def close_parts(self, index: int) -> None:
        """Close the open part files under their final names; later rows go to parts of number `index` + 1."""
        if self._thread is not None:
            self.drain()
        for kind, part in self._parts.items():
            self.closed.setdefault(kind, []).append(part.close())
        self._parts.clear()
        self.index = index + 1

    def abandon(self) -> None:
        """Stop without closing parts: the run is resumed from its last checkpoint."""
        if self._thread is not None and self._thread.is_alive():
            self._queue.put(None)
            self._thread.join()
        for part in self._parts.values():
            if part.writer.is_open:
                try:
                    part.writer.close()
                except OSError:  # the disk is full: what was first wrong is already being reported
                    part.writer.is_open = False  # or it would try, and complain, once more when it is thrown away
            part.file.close()
            part.file.path.unlink(missing_ok=True)
        self._parts.clear()

    def _check(self) -> None:
        if self._failure is not None:
            raise self._failure

    def _work(self) -> None:
        while True:
            job = self._queue.get()
            if job is None:
                self._queue.task_done()
                return
            buffer, n = job
            try:
                if self._failure is None:
                    begun = time.perf_counter()
                    self._write(buffer[:n])
                    self.seconds += time.perf_counter() - begun
            except (OutputError, OSError, pa.ArrowException, MemoryError) as error:
                self._failure = error  # raised in the run's own thread at its next step
            finally:
                self._spare.put(buffer)
                self._queue.task_done()

    def _write(self, rows: Array) -> None:
        arrived = rows["logged_at"] <= self.horizon  # false for NaN: never recorded
        if self.whole:
            count_in(self.totals, rows, arrived)
        if self.memory is not None:
            self.memory.take(rows, arrived)
        kinds = self.kinds if self.folder is not None else tuple(k for k in self.kinds if k != KEPT)
        if not kinds:
            return
        whole = to_table(rows, self.names, truth=TRUTH in kinds)
        for kind in kinds:
            table = whole
            if kind != TRUTH:
                table = whole.drop_columns([name for name in ONLY_TRUTH if TRUTH in kinds])
                table = table if arrived.all() else table.filter(pa.array(arrived))
            if self.folder is None:
                self.tables[kind].append(table)
            else:
                part = self._part(kind, table.schema)
                with disk_errors(part.path):
                    part.writer.write_table(table)
                part.rows += len(table)

    def _part(self, kind: str, schema: pa.Schema) -> _Part:
        if kind not in self._parts and self.folder is not None:
            path = part_path(self.folder, kind, self.index)
            with disk_errors(path):
                path.parent.mkdir(exist_ok=True)
                file = HashedFile(path.with_name(f".{path.name}{PARTIAL}"))
                # dictionaries only where values repeat: for the others they cost time and gain nothing
                writer = pq.ParquetWriter(
                    file, schema, compression="zstd", use_dictionary=list(CODED), write_statistics=False
                )
            self._parts[kind] = _Part(kind, path, file, writer)
        return self._parts[kind]
