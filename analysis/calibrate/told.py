"""What a log tells, whoever wrote it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from analysis.calibrate import logs, real_logs
from simulator.errors import InputError
from simulator.records.run_folder import CONFIG
from simulator.scenario.schema.scenario import Scenario


def read(folder: Path, scenario: Scenario, names: Sequence[str], held_out: float) -> logs.FromLog:
    """Read the figures of a scenario's targets from a log: of a run of our own, or of a known public set.

    Raises:
        InputError: as `logs.of_run` and `real_logs.of_set`; or the folder is neither.
    """
    if not folder.is_dir():
        raise InputError(str(folder), "is no folder", "expected that of a run, or of a public set")
    if (folder / CONFIG).is_file():
        return logs.of_run(folder, scenario, names, held_out)
    return real_logs.of_set(folder, scenario, names, held_out)
