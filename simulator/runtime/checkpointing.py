"""Checkpoints of a run: everything that changes is written to its folder, and read back when the run is resumed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from simulator.engine.tables.tables import Users, Visits
from simulator.part import Part
from simulator.records.checkpoint import Checkpoint, under, write_checkpoint
from simulator.records.log_writer import LogWriter
from simulator.records.parts import KEPT, PLATFORM, parts_told, read_parts, told_of_parts
from simulator.runtime.identity import Identity
from simulator.runtime.rounds import Rounds


class Checkpointing:
    """Write and read back the checkpoints of one run; without a folder there are none.

    Args:
        folder: of the run.
        identity: what the run is.
        users: its users.
        rounds: its visits and sums.
        log: its two logs, whose parts are closed at every checkpoint.
        parts: everything else that has a state, by its name in a checkpoint.
    """

    def __init__(
        self,
        folder: Path | None,
        identity: Identity,
        users: Users,
        rounds: Rounds,
        log: LogWriter,
        parts: Mapping[str, Part],
    ) -> None:
        self._folder, self._users, self._rounds, self._log, self._parts = folder, users, rounds, log, parts
        self._identity = identity
        self._next = 1

    def write(self, time: float) -> None:
        """Write a checkpoint at simulated time `time`, s."""
        if self._folder is None:
            return
        self.close_log()
        users, rows = self._rounds.visits.compacted(self._users)
        arrays: dict[str, npt.NDArray[Any]] = {"time": np.array([time])}
        arrays |= {f"users/{name}": array for name, array in self._users._asdict().items()}
        arrays |= {f"visits/{name}": array for name, array in rows._asdict().items()}
        arrays |= {"visits/users": users, "tallies": self._rounds.tallies, "counters": self._rounds.counters}
        for name, part in self._parts.items():
            arrays |= {f"{name}/{key}": array for key, array in part.state().items()}
        for kind, totals in self._log.totals.items():
            arrays[f"log/{kind}"] = np.array([totals.rows, totals.hash], dtype=np.uint64)
        manifest = {"identity": self._identity, "parts": told_of_parts(self._log.closed)}
        write_checkpoint(self._folder, self._next, arrays, manifest)
        self._next += 1

    def close_log(self) -> None:
        """Hand all records to the log, and close the files that they go to."""
        self._rounds.flush()
        self._log.close_parts(self._next)

    def restore(self, found: Checkpoint) -> float:
        """Take back a checkpoint of this very run, as `identity.take_up` found it.

        Returns:
            The simulated time to go on from, s; 0 where the run was stopped before its first checkpoint.
        """
        self._log.index = self._next = found.index + 1
        if found.index == 0:
            return 0.0
        arrays = found.arrays
        for name, array in self._users._asdict().items():
            array[...] = arrays[f"users/{name}"]
        rows = Visits(*(arrays[f"visits/{name}"] for name in Visits._fields))
        self._rounds.visits.restore(self._users, arrays["visits/users"], rows)
        self._rounds.restore(arrays["tallies"], arrays["counters"])
        for name, part in self._parts.items():
            part.restore(under(arrays, f"{name}/"))
        for kind, totals in self._log.totals.items():
            totals.rows, totals.hash = (int(x) for x in arrays[f"log/{kind}"])
        self._log.closed = parts_told(found.manifest["parts"])
        if self._log.memory is not None and self._folder is not None:
            self._log.memory.read(read_parts(self._folder, KEPT if self._log.level == "metrics" else PLATFORM))
        return float(arrays["time"][0])
