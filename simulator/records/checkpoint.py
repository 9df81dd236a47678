"""Checkpoints: everything that a run needs to go on, in one file that is whole or absent."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from simulator.errors import InputError
from simulator.records.run_folder import disk_errors, write_atomic

FOLDER = "checkpoints"


def checkpoint_path(run: Path, index: int) -> Path:
    """Return the path of a checkpoint."""
    return run / FOLDER / f"checkpoint-{index:05d}.npz"


def write_checkpoint(run: Path, index: int, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
    """Write checkpoint `index` and remove the one before the last; a kill at any moment leaves a whole one."""
    path = checkpoint_path(run, index)
    with disk_errors(path):
        path.parent.mkdir(exist_ok=True)
    content = io.BytesIO()
    np.savez(content, **dict(arrays))  # type: ignore[arg-type]  # the stub takes keyword arrays for its own options
    write_atomic(path, content.getvalue())
    for old in _indices(run):
        if old < index:
            checkpoint_path(run, old).unlink(missing_ok=True)


def _indices(run: Path) -> list[int]:
    return sorted(int(path.stem.removeprefix("checkpoint-")) for path in (run / FOLDER).glob("checkpoint-*.npz"))


def last_checkpoint(run: Path) -> int | None:
    """Return the number of the newest checkpoint, or None if the run was stopped before its first."""
    indices = _indices(run)
    return indices[-1] if indices else None


def read_checkpoint(run: Path, index: int) -> dict[str, npt.NDArray[Any]]:
    """Read the arrays of a checkpoint. Raises InputError if the file is damaged."""
    path = checkpoint_path(run, index)
    try:
        with np.load(path, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except (OSError, ValueError, zipfile.BadZipFile, KeyError) as error:
        raise InputError(str(path), f"cannot be read ({error})", "an undamaged checkpoint, or a new run") from error


def under(arrays: dict[str, npt.NDArray[Any]], prefix: str) -> dict[str, npt.NDArray[Any]]:
    """Return the arrays that were saved under a prefix, by the names that they had before."""
    return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}
