"""A real catalog, and a real log where there is one, read from a folder.

The folder holds any of ``items.parquet``, ``features/NAME.npz|npy`` or ``NAME_feat.npz``, ``interactions.parquet`` and
``mapping.yaml``. Ids of any type become rows 0..n-1; the ids themselves are kept for output. Whatever had to be
assumed is listed in plain words.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from simulator.errors import InputError
from simulator.grounding.features import Matrix, feature_files, match_modalities, read_features
from simulator.grounding.tables import (
    KNOWN_NAMES,
    Array,
    check_ids,
    find_column,
    nearest,
    number,
    plain_ids,
    read_table,
    require_column,
    splits,
)

TRAIN, VALIDATION, TEST = 0, 1, 2


@dataclass(frozen=True)
class Interactions:
    """A real log as columns of one length, in the order of the file."""

    user: npt.NDArray[np.uint32]  # row of RealFolder.user_ids
    item: npt.NDArray[np.uint32]  # row of the catalog
    time: npt.NDArray[np.float64] | None = None  # seconds, in the log's own epoch
    value: npt.NDArray[np.float32] | None = None  # as recorded; NaN where missing
    split: npt.NDArray[np.uint8] | None = None  # TRAIN, VALIDATION or TEST


@dataclass(frozen=True)
class RealFolder:
    """What a folder held, in the simulator's words."""

    path: Path
    n_items: int
    n_users: int
    item_ids: Array  # (n_items,), as in the files
    user_ids: Array  # (n_users,)
    columns: Mapping[str, Array] = field(
        default_factory=dict
    )  # item columns; duration in float32 seconds, NaN: unknown
    features: Mapping[str, Matrix] = field(default_factory=dict)  # modality -> (n_items, dimensions)
    sources: Mapping[str, str] = field(default_factory=dict)  # modality -> file of its features
    interactions: Interactions | None = None
    assumptions: tuple[str, ...] = ()


def read_folder(
    path: str | Path,
    modalities: Mapping[str, str | None] | None = None,
    known: Collection[str] | None = None,
) -> RealFolder:
    """Read a catalog folder.

    `modalities` says which modality each feature file describes (``{"image": "cover"}``; None leaves one out) and goes
    before mapping.yaml; `known` are the modalities of the scenario, so that a name that fits none of them is an error.
    Raises InputError for everything that cannot be used as it is.
    """
    folder = Path(path)
    if not folder.is_dir():
        raise InputError(
            str(folder), "no such folder", "expected a folder with items.parquet, features or interactions.parquet"
        )
    names, told = _mapping(folder / "mapping.yaml")
    told.update(modalities or {})
    assumptions: list[str] = []

    files = feature_files(folder)
    chosen, assumed = match_modalities(str(folder), list(files), told, known)
    assumptions += assumed
    features = {modality: read_features(files[name]) for name, modality in chosen.items()}

    items_file, log_file = folder / "items.parquet", folder / "interactions.parquet"
    items = read_table(items_file) if items_file.exists() else None
    log = read_table(log_file) if log_file.exists() else None
    if items is None and log is None and not features:
        raise InputError(
            str(folder),
            "holds no catalog",
            "expected items.parquet, features/*.npz, *_feat.npz or interactions.parquet",
        )
    _check_named(folder, names, items, log)

    item_column, log_item = _item_columns(items_file, items, log_file, log, names)
    item_ids = _item_ids(items_file, items, item_column, features, log, log_item, assumptions)
    for modality, matrix in features.items():
        if len(matrix) != len(item_ids):
            source = files[next(name for name, to in chosen.items() if to == modality)]
            basis = "items.parquet" if items is not None else "the other features"
            raise InputError(
                str(source), f"has {len(matrix)} rows", f"expected {len(item_ids)}, one for each item of {basis}"
            )

    user_ids: Array = np.empty(0, dtype=np.int64)
    interactions = None
    if log is not None and log_item is not None:
        interactions, user_ids = _interactions(log_file, log, log_item, names, item_ids, assumptions)
    return RealFolder(
        path=folder,
        n_items=len(item_ids),
        n_users=len(user_ids),
        item_ids=item_ids,
        user_ids=user_ids,
        columns={} if items is None else _item_table(items_file, items, item_column, names, assumptions),
        features=features,
        sources={modality: files[name].relative_to(folder).as_posix() for name, modality in chosen.items()},
        interactions=interactions,
        assumptions=tuple(assumptions),
    )


def _mapping(file: Path) -> tuple[dict[str, str], dict[str, str | None]]:
    """Columns by role and modalities by feature name, from mapping.yaml where it is there."""
    if not file.exists():
        return {}, {}
    from simulator.scenario.strict_yaml import load_yaml

    content = load_yaml(file)
    parts: dict[str, dict[str, str | None]] = {"columns": {}, "modalities": {}}
    for section, entries in content.items():
        if section not in parts:
            raise InputError(f"{file}: {section}", "unknown key", nearest(section, parts))
        if not isinstance(entries, dict):
            raise InputError(f"{file}: {section}", "is not a map", "expected 'name: name' lines below it")
        for key, value in entries.items():
            if not isinstance(value, str) and not (value is None and section == "modalities"):
                raise InputError(f"{file}: {section}.{key}", f"{value!r} is not a name", "expected a name")
            parts[section][key] = value
    for role in parts["columns"]:
        if role not in KNOWN_NAMES:
            raise InputError(f"{file}: columns.{role}", "unknown role", nearest(role, KNOWN_NAMES))
    return {role: name for role, name in parts["columns"].items() if name is not None}, parts["modalities"]


def _check_named(folder: Path, names: Mapping[str, str], *tables: Mapping[str, Array] | None) -> None:
    """Every column that the user named must be in one of the tables."""
    there = [column for table in tables if table is not None for column in table]
    for role, name in names.items():
        if name not in there:
            raise InputError(
                f"{folder / 'mapping.yaml'}: columns.{role}", f"no table has a column '{name}'", nearest(name, there)
            )


def _item_columns(
    items_file: Path,
    items: Mapping[str, Array] | None,
    log_file: Path,
    log: Mapping[str, Array] | None,
    names: Mapping[str, str],
) -> tuple[str | None, str | None]:
    """Names of the item's column in items.parquet (may be absent) and in interactions.parquet (None without a log)."""

    def told(table: Mapping[str, Array]) -> str | None:
        return names["item"] if names.get("item") in table else None  # the two tables may name it differently

    in_items = None if items is None else find_column(items_file, items, "item", told(items))
    in_log = None if log is None else require_column(log_file, log, "item", told(log))
    return in_items, in_log


def _item_ids(
    items_file: Path,
    items: Mapping[str, Array] | None,
    column: str | None,
    features: Mapping[str, Matrix],
    log: Mapping[str, Array] | None,
    log_item: str | None,
    assumptions: list[str],
) -> Array:
    """The catalog's ids in row order: from items.parquet, else row numbers of the features, else those of the log."""
    if items is not None:
        rows = len(next(iter(items.values())))
        if column is None:
            assumptions.append("items.parquet has no column of ids: an item's id is its row number, from 0")
            return np.arange(rows, dtype=np.int64)
        check_ids(items_file, column, items[column])
        ids = plain_ids(items[column])
        values, first, counts = np.unique(ids, return_index=True, return_counts=True)
        if len(values) < len(ids):
            worst = int(np.argmax(counts))
            raise InputError(
                str(items_file),
                f"the item {values[worst]!s} occurs {counts[worst]} times, first in row {first[worst]}",
                "expected each once",
            )
        if features and not np.array_equal(ids, np.arange(rows)):
            assumptions.append("row r of every feature file belongs to row r of items.parquet")
        return ids
    if features:
        assumptions.append("there is no items.parquet: an item's id is its row in the feature files, from 0")
        return np.arange(len(next(iter(features.values()))), dtype=np.int64)
    assert log is not None
    assert log_item is not None
    assumptions.append(
        "there is neither items.parquet nor a feature file: the catalog is the items of interactions.parquet"
    )
    check_ids(items_file.with_name("interactions.parquet"), log_item, log[log_item])
    known_ids: Array = np.unique(plain_ids(log[log_item]))
    return known_ids


def _interactions(
    file: Path,
    log: Mapping[str, Array],
    item_column: str,
    names: Mapping[str, str],
    item_ids: Array,
    assumptions: list[str],
) -> tuple[Interactions, Array]:
    """The log in rows of users and items, and the users' own ids in order."""
    user_column = require_column(file, log, "user", names.get("user"))
    for role, column in (("user", user_column), ("item", item_column)):
        check_ids(file, column, log[column])
        if role not in names and column != role:
            assumptions.append(f"the {role} of an interaction is in the column '{column}'")
    user_ids, user = np.unique(plain_ids(log[user_column]), return_inverse=True)
    item = _rows_of(file, item_column, plain_ids(log[item_column]), item_ids)

    found = {role: find_column(file, log, role, names.get(role)) for role in ("time", "value", "split")}
    for role, name in found.items():
        if name is not None and role not in names and name != role:
            assumptions.append(f"the {role} of an interaction is in the column '{name}'")
    time = None if found["time"] is None else number(file, found["time"], log[found["time"]])
    if time is not None and not np.isfinite(time).all():
        raise InputError(
            str(file),
            f"{int((~np.isfinite(time)).sum())} interactions have no time",
            "expected a time in every row, or no such column",
        )
    value = None if found["value"] is None else number(file, found["value"], log[found["value"]]).astype(np.float32)
    split = None if found["split"] is None else splits(file, found["split"], log[found["split"]])
    return Interactions(user.astype(np.uint32), item, time, value, split), user_ids


def _rows_of(file: Path, column: str, wanted: Array, item_ids: Array) -> npt.NDArray[np.uint32]:
    """Catalog rows of the items that interactions name; raises InputError for items that are not there."""
    if (wanted.dtype.kind == "U") != (item_ids.dtype.kind == "U"):
        raise InputError(
            str(file),
            f"column '{column}' holds ids such as {wanted[0]!s} ({_kind(wanted)})",
            f"expected ids of the catalog's type, such as {item_ids[0]!s} ({_kind(item_ids)})",
        )
    order = np.argsort(item_ids)
    place = np.minimum(np.searchsorted(item_ids, wanted, sorter=order), len(item_ids) - 1)
    rows = order[place]
    absent = item_ids[rows] != wanted
    if absent.any():
        first = int(np.argmax(absent))
        raise InputError(
            str(file),
            f"{int(absent.sum())} interactions name absent items, the first is item {wanted[first]!s} in row {first}",
            f"expected ids of the catalog's {len(item_ids)} items, {item_ids[order[0]]!s} to {item_ids[order[-1]]!s}",
        )
    return rows.astype(np.uint32)


def _kind(ids: Array) -> str:
    return "text" if ids.dtype.kind == "U" else "number"


def _item_table(
    file: Path, items: Mapping[str, Array], id_column: str | None, names: Mapping[str, str], assumptions: list[str]
) -> dict[str, Array]:
    """The item columns under their role's name (duration, type, creator) or their own."""
    found = {role: find_column(file, items, role, names.get(role)) for role in ("duration", "type", "creator")}
    role_of = {name: role for role, name in found.items() if name is not None}
    for name, role in role_of.items():
        if name != role and role not in names:
            assumptions.append(f"the {role} of an item is in the column '{name}'")
    columns = {role_of.get(name, name): values for name, values in items.items() if name != id_column}
    timed = found["duration"]
    if timed is not None:
        seconds = number(file, timed, items[timed])
        if np.any(seconds < 0) or np.any(np.isinf(seconds)):
            row = int(np.argmax((seconds < 0) | np.isinf(seconds)))
            raise InputError(
                str(file), f"the duration in row {row} is {seconds[row]:g}", "expected a positive number of seconds"
            )
        unknown = ~(seconds > 0)
        if unknown.any():
            assumptions.append(f"{int(unknown.sum())} items have no duration (missing or 0): taken as unknown")
        if not timed.lower().endswith("_ms"):
            assumptions.append(f"durations (column '{timed}') are in seconds")
        columns["duration"] = np.where(unknown, np.nan, seconds).astype(np.float32)
    return columns
