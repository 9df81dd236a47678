"""A run that has ended: read back from its folder, and left as it is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from simulator.config import RunConfig
from simulator.errors import InputError
from simulator.records.manifest import ITEMS
from simulator.records.parts import check_parts, parts_told
from simulator.records.result import RunResult
from simulator.records.run_folder import MANIFEST, METRICS
from simulator.runtime.identity import check_settings, settings_of

_LIVE_AGAIN = f"without {MANIFEST} the run goes on from its last checkpoint"


def finished_run(config: RunConfig) -> RunResult | None:
    """Return the result of the run that `config.resume` names; None where it has not ended. Nothing is written.

    Raises:
        InputError: it has ended, and its folder does not hold what its manifest says.
    """
    folder = config.resume
    if folder is None or not (folder / MANIFEST).exists():
        return None
    manifest = _read_json(folder / MANIFEST)
    try:
        settings, parts = manifest["identity"]["settings"], parts_told(manifest["parts"])
    except (KeyError, TypeError, AttributeError):
        wrong = "does not say what the run was and wrote: it is damaged, or of an older version"
        raise InputError(str(folder / MANIFEST), wrong, _LIVE_AGAIN) from None
    check_settings(settings_of(config), settings, folder, MANIFEST)
    check_parts(folder, parts, None)
    metrics = {name: float("nan") if value is None else value for name, value in _read_json(folder / METRICS).items()}
    return RunResult(metrics, manifest, folder, {}, _read_items(folder / ITEMS))


def _read_json(path: Path) -> dict[str, Any]:
    try:
        loaded = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(str(path), f"cannot be read ({error})", _LIVE_AGAIN) from error
    if not isinstance(loaded, dict):
        raise InputError(str(path), "is no table", _LIVE_AGAIN)
    return loaded


def _read_items(path: Path) -> dict[str, npt.NDArray[np.generic]]:
    try:
        table = pq.read_table(path)
    except (OSError, pa.ArrowException) as error:
        raise InputError(str(path), f"cannot be read ({error})", f"without {MANIFEST} it is written again") from error
    return {name: table[name].to_numpy() for name in table.column_names}
