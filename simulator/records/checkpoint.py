"""Checkpoints: everything that a run needs to go on, in one file that is whole or absent.

With the arrays goes a manifest: what the run is, and what its closed log parts hold. Behind both stands their hash, so
that a file that was changed is never taken for a checkpoint. Number 0 is written when a run begins, and has no arrays.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from simulator.errors import InputError
from simulator.records.run_folder import disk_errors, write_atomic

FOLDER = "checkpoints"

_NAME = re.compile(r"checkpoint-(\d{5,})\.npz")
_MANIFEST = "manifest"
_HASH = hashlib.sha256


@dataclass(frozen=True)
class Checkpoint:
    """Hold a checkpoint as it was read: its file, number, arrays by name, and manifest."""

    path: Path
    index: int
    arrays: dict[str, npt.NDArray[Any]]
    manifest: dict[str, Any]


def checkpoint_path(run: Path, index: int) -> Path:
    """Return the path of a checkpoint."""
    return run / FOLDER / f"checkpoint-{index:05d}.npz"


def write_checkpoint(
    run: Path, index: int, arrays: Mapping[str, npt.NDArray[Any]], manifest: Mapping[str, object]
) -> None:
    """Write checkpoint `index` and remove those before it; a kill at any moment leaves a whole one.

    Args:
        run: folder of the run.
        index: number of the checkpoint.
        arrays: what the run needs to go on, no objects.
        manifest: what it must still find then, as JSON knows it.
    """
    path = checkpoint_path(run, index)
    with disk_errors(path):
        path.parent.mkdir(exist_ok=True)
    content = io.BytesIO()
    said = np.frombuffer(json.dumps({"checkpoint": index, **manifest}).encode(), dtype=np.uint8)
    np.savez(content, **{_MANIFEST: said, **arrays})  # type: ignore[arg-type]  # as if these were its own options
    content.write(_HASH(content.getbuffer()).digest())  # behind the end of the archive, where its readers do not look
    write_atomic(path, content.getvalue())
    for old in _indices(run):
        if old < index:
            checkpoint_path(run, old).unlink(missing_ok=True)


def _indices(run: Path) -> list[int]:
    names = (_NAME.fullmatch(path.name) for path in (run / FOLDER).glob("checkpoint-*.npz"))
    return sorted(int(name[1]) for name in names if name)


def last_checkpoint(run: Path) -> int | None:
    """Return the number of the newest checkpoint, or None if there is none."""
    indices = _indices(run)
    return indices[-1] if indices else None


def newest_checkpoint(run: Path) -> Checkpoint:
    """Read the newest checkpoint of a run. Raises InputError where there is none, or it is damaged."""
    index = last_checkpoint(run)
    if (run / FOLDER).exists() and not (run / FOLDER).is_dir():
        raise InputError(str(run / FOLDER), "is a file where the run has a folder", "put it back, or begin a new run")
    if index is None:
        raise InputError(str(run), "has no checkpoint", "put its checkpoints/ back, or begin a new run")
    path = checkpoint_path(run, index)
    arrays = read_checkpoint(run, index)
    manifest = json.loads(arrays[_MANIFEST].tobytes()) if _MANIFEST in arrays else {}
    if manifest.get("checkpoint") != index:
        raise InputError(str(path), f"holds checkpoint {manifest.get('checkpoint')}", "the run's own checkpoints")
    return Checkpoint(path, index, arrays, manifest)


def read_checkpoint(run: Path, index: int) -> dict[str, npt.NDArray[Any]]:
    """Read the arrays of a checkpoint. Raises InputError if the file is damaged."""
    path = checkpoint_path(run, index)
    right = "an undamaged checkpoint, or a new run"
    try:
        content = path.read_bytes()
        whole = memoryview(content)[: -_HASH().digest_size]
        if _HASH(whole).digest() != content[len(whole) :]:
            raise InputError(str(path), "is not as the run wrote it: cut off, changed, or of an older version", right)
        with np.load(io.BytesIO(content), allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except (OSError, ValueError, zipfile.BadZipFile, KeyError) as error:
        raise InputError(str(path), f"cannot be read ({error})", right) from error


def under(arrays: dict[str, npt.NDArray[Any]], prefix: str) -> dict[str, npt.NDArray[Any]]:
    """Return the arrays that were saved under a prefix, by the names that they had before."""
    return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}
