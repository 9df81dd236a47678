"""A run's folder in its first moment: what lies there before the run lives, and how that is cleared away."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from simulator.config import RunConfig
from simulator.records.checkpoint import FOLDER, checkpoint_path, write_checkpoint
from simulator.records.lock import LOCK, FolderLock
from simulator.records.manifest import FEATURES, ITEMS, SOURCE_IDS, SourceIds, write_items
from simulator.records.run_folder import claim_folder, disk_errors, remove_partials, write_config

if TYPE_CHECKING:
    from recommenders.contract import Catalog


def begin_folder(
    path: Path,
    lock: FolderLock,
    config: RunConfig,
    identity: Mapping[str, object],
    public: Catalog,
    source_ids: SourceIds,
) -> Path:
    """Make and lock a run's folder, and write what it begins with; `config.yaml`, which makes it a run's, comes last.

    Raises:
        InputError: something of that name exists.
        OutputError: the disk refuses.
    """
    folder = claim_folder(path)
    lock.take(folder)
    write_items(folder, public, source_ids, config.features)
    write_checkpoint(folder, 0, {}, {"identity": identity, "parts": {}})
    write_config(folder, config)
    return folder


def clear_beginning(folder: Path) -> bool:
    """Remove a folder whose run was killed before it had a `config.yaml`; False where it holds anything else.

    Raises:
        InputError: a run is just beginning there.
        OutputError: the disk refuses.
    """
    written = [LOCK, ITEMS, *SOURCE_IDS.values(), FEATURES, FOLDER]
    beginning = {*(folder / name for name in written), checkpoint_path(folder, 0), *(folder / FEATURES).rglob("*")}
    with FolderLock() as lock, disk_errors(folder):
        lock.take(folder)
        remove_partials(folder)
        if not beginning.issuperset(folder.rglob("*")):
            return False
        shutil.rmtree(folder)
    return True
