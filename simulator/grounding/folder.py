"""A real catalog, and a real log where there is one, read from a folder.

The folder holds any of ``items.parquet`` (or ``.csv``), ``features/NAME.npz|npy`` or ``NAME_feat.npz``,
``interactions.parquet`` (or what else the readers of interactions know) and ``mapping.yaml``. Ids of any type become
rows 0..n-1; the ids themselves are kept, as text. Whatever had to be assumed is listed in plain words.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from recommenders.contract.errors import RecommenderError
from recommenders.data.features import Matrix, feature_files, read_features
from simulator.errors import InputError
from simulator.grounding.features import match_modalities, nearest

if TYPE_CHECKING:
    import pyarrow as pa

    from recommenders.data.interactions import Interactions as Rows

Array = npt.NDArray[Any]
TRAIN, VALIDATION, TEST = 0, 1, 2


@dataclass(frozen=True)
class Interactions:
    """A real log as columns of one length, in the order of the file."""

    user: npt.NDArray[np.uint32]  # row of RealFolder.user_ids
    item: npt.NDArray[np.uint32]  # row of the catalog
    time: npt.NDArray[np.float64] | None = None  # seconds, since 1970 or in the log's own epoch
    value: npt.NDArray[np.float32] | None = None  # as recorded; NaN where missing
    split: npt.NDArray[np.uint8] | None = None  # TRAIN, VALIDATION or TEST


@dataclass(frozen=True)
class RealFolder:
    """What a folder held, in the simulator's words."""

    path: Path
    n_items: int
    n_users: int
    item_ids: Array  # (n_items,), text as in the files
    user_ids: Array  # (n_users,), text
    columns: Mapping[str, Array] = field(
        default_factory=dict
    )  # item columns; duration in float32 seconds, NaN: unknown
    features: Mapping[str, Matrix] = field(default_factory=dict)  # modality -> (n_items, dimensions)
    sources: Mapping[str, str] = field(default_factory=dict)  # modality -> file of its features
    interactions: Interactions | None = None
    assumptions: tuple[str, ...] = ()
    duration_said: bool = True  # whether somebody said what unit durations are in, and not only the project


@dataclass(frozen=True)
class _Mapping:
    """What mapping.yaml says: columns by role, modalities by feature name, units by role, how interactions are read."""

    columns: Mapping[str, str]
    modalities: Mapping[str, str | None]
    units: Mapping[str, str]
    layout: str | None
    events: tuple[str, ...]
    drop_missing: bool


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
    try:
        return _read_folder(Path(path), dict(modalities or {}), known)
    except RecommenderError as error:
        right = error.right
        if any(word in right for word in ("columns.", "events=", "missing=drop")):
            right += " (in mapping.yaml: columns: {ROLE: COLUMN}, units: {time: UNIT}, events: [EVENT], missing: drop)"
        raise InputError(error.where, error.wrong, right) from error


def _read_folder(folder: Path, modalities: dict[str, str | None], known: Collection[str] | None) -> RealFolder:
    from recommenders.data.items import ids_in_order, read_items

    if not folder.is_dir():
        raise InputError(
            str(folder), "no such folder", "expected a folder with items.parquet, features or interactions.parquet"
        )
    told = _mapping(folder / "mapping.yaml")
    assumptions: list[str] = []

    files = feature_files(folder)
    chosen, assumed = match_modalities(str(folder), list(files), {**told.modalities, **modalities}, known)
    assumptions += assumed
    features = {modality: read_features(files[name]) for name, modality in chosen.items()}

    table = read_items(folder, told.columns.get("item"))
    rows = _interactions(folder, told, [] if table is None else table[1].column_names)
    if table is None and rows is None and not features:
        raise InputError(
            str(folder),
            "holds no catalog",
            "expected items.parquet, features/*.npz, *_feat.npz or interactions.parquet",
        )
    basis = "the other features" if table is None else table[0].name
    if table is not None and table[2] is not None:
        item_ids = ids_in_order(table[0], table[1].column(table[2]), table[2])
        if features and not np.array_equal(item_ids, np.arange(len(item_ids)).astype(str)):
            assumptions.append(f"row r of every feature file belongs to row r of {basis}")
    elif table is not None:
        item_ids = np.arange(table[1].num_rows).astype(str)
        assumptions.append(f"{basis} has no column of ids: an item's id is its row number, from 0")
    elif features:
        item_ids = np.arange(len(next(iter(features.values())))).astype(str)
        assumptions.append("there is no items.parquet: an item's id is its row in the feature files, from 0")
    else:
        assert rows is not None
        item_ids = rows.item.names
        assumptions.append("there is neither items.parquet nor a feature file: the catalog is the items of the log")
    for modality, matrix in features.items():
        if len(matrix) != len(item_ids):
            source = files[next(name for name, to in chosen.items() if to == modality)]
            raise InputError(
                str(source), f"has {len(matrix)} rows", f"expected {len(item_ids)}, one for each item of {basis}"
            )
    interactions = None if rows is None else _log(rows, item_ids, assumptions)
    columns: dict[str, Array] = {}
    said = True
    if table is not None:
        columns, said = _item_columns(*table, told, assumptions)
    return RealFolder(
        path=folder,
        n_items=len(item_ids),
        n_users=0 if rows is None else len(rows.user.names),
        item_ids=item_ids,
        user_ids=np.empty(0, "U1") if rows is None else rows.user.names,
        columns=columns,
        features=features,
        sources={modality: files[name].relative_to(folder).as_posix() for name, modality in chosen.items()},
        interactions=interactions,
        assumptions=tuple(assumptions),
        duration_said=said,
    )


_SECTIONS = ("columns", "modalities", "units", "layout", "events", "missing")


def _mapping(file: Path) -> _Mapping:
    """Read mapping.yaml where it is there."""
    from recommenders.data.layouts import several, unit_of
    from recommenders.data.roles import ALIASES, ROLES

    content: Mapping[str, Any] = {}
    if file.exists():
        from simulator.scenario.strict_yaml import load_yaml

        content = load_yaml(file)
    for section in content:
        if section not in _SECTIONS:
            raise InputError(f"{file}: {section}", "unknown key", nearest(section, _SECTIONS))
    parts: dict[str, dict[str, str | None]] = {}
    for section in ("columns", "modalities", "units"):
        entries = content.get(section, {})
        if not isinstance(entries, dict):
            raise InputError(f"{file}: {section}", "is not a map", "expected 'name: name' lines below it")
        for key, value in entries.items():
            if not isinstance(value, str) and not (value is None and section == "modalities"):
                raise InputError(f"{file}: {section}.{key}", f"{value!r} is not a name", "expected a name")
        parts[section] = dict(entries)
    columns = {ALIASES.get(role, role): name for role, name in parts["columns"].items() if name is not None}
    for role in columns:
        if role not in ROLES:
            raise InputError(f"{file}: columns.{role}", "unknown role", nearest(role, ROLES))
    if content.get("missing", "refuse") not in ("refuse", "drop"):
        raise InputError(f"{file}: missing", f"{content['missing']!r}", "expected refuse or drop")
    layout = content.get("layout")
    if layout is not None and not isinstance(layout, str):
        raise InputError(f"{file}: layout", f"{layout!r} is not a name", "expected the name of a set, or a YAML file")
    if layout is not None and layout.endswith((".yaml", ".yml")):
        layout = str(file.parent / layout)
    units = {role: unit_of(role, str(unit), f"{file}: units.{role}") for role, unit in parts["units"].items()}
    events = several(content.get("events") or [])
    return _Mapping(columns, parts["modalities"], units, layout, events, content.get("missing") == "drop")


def _interactions(folder: Path, told: _Mapping, of_items: Collection[str]) -> Rows | None:
    """Read the interactions of the folder; None where there are none."""
    from recommenders.data.folder import matching
    from recommenders.data.interactions import Reading, read_interactions
    from recommenders.data.roles import OF_INTERACTIONS

    reading = Reading(
        layout=told.layout,
        columns={role: name for role, name in told.columns.items() if role in OF_INTERACTIONS},
        elsewhere=frozenset(of_items),
        units={role: unit for role, unit in told.units.items() if role == "time"},
        needs=("split",),
        events=told.events,
        drop_missing=told.drop_missing,
    )
    there = bool(matching(folder, reading.layout_in_use(folder).tables))
    for role, name in told.columns.items():
        if name not in of_items and (role not in OF_INTERACTIONS or not there):
            where = f"{folder / 'mapping.yaml'}: columns.{role}"
            raise InputError(where, f"no table has a column '{name}'", nearest(name, of_items))
    return read_interactions(folder, reading) if there else None


def _log(rows: Rows, item_ids: Array, assumptions: list[str]) -> Interactions:
    """Return the log in rows of users and items."""
    from recommenders.data.items import rows_of
    from recommenders.data.splits import parts_of

    for role, column in rows.columns.items():
        if column != role:
            assumptions.append(f"the {role} of an interaction is in the column '{column}'")
    assumptions += rows.notes
    row_of = rows_of(rows.item.names, item_ids)
    item = row_of[rows.item.code]
    absent = item < 0
    if absent.any():
        first = int(np.argmax(absent))
        raise InputError(
            rows.source,
            f"{int(absent.sum())} interactions name absent items, the first is item "
            f"{rows.item.names[rows.item.code[first]]} in row {first}",
            f"expected ids of the catalog's {len(item_ids)} items, {item_ids[0]} to {item_ids[-1]}",
        )
    split = None
    if rows.split is not None:
        split = parts_of(rows.split, rows.source, rows.columns["split"]).astype(np.uint8)
    time = None if rows.times is None else rows.times.seconds
    return Interactions(rows.user.code.astype(np.uint32), item.astype(np.uint32), time, rows.value, split)


def _item_columns(
    file: Path, table: pa.Table, id_column: str | None, told: _Mapping, assumptions: list[str]
) -> tuple[dict[str, Array], bool]:
    """Return the item columns under their role's name (duration, type, creator) or their own, and whether somebody has
    said what unit durations are in.
    """
    from recommenders.data.columns import plain
    from recommenders.data.durations import read_durations
    from recommenders.data.roles import find_role

    names = [name for name in table.column_names if name != id_column]
    found = {
        role: told.columns[role] if told.columns.get(role) in names else find_role(role, names)
        for role in ("duration", "type", "creator")
    }
    role_of = {name: role for role, name in found.items() if name is not None}
    for name, role in role_of.items():
        if name != role and role not in told.columns:
            assumptions.append(f"the {role} of an item is in the column '{name}'")
    columns = {role_of.get(name, name): plain(table.column(name)) for name in names}
    timed, said = found["duration"], True
    if timed is not None:
        seconds, unit, said = read_durations(table.column(timed), told.units.get("duration"), str(file), timed)
        unknown = ~(seconds > 0)
        if unknown.any():
            assumptions.append(f"{int(unknown.sum())} items have no duration (missing or 0): taken as unknown")
        assumptions.append(f"durations (column '{timed}') are in {unit}")
        columns["duration"] = np.where(unknown, np.nan, seconds).astype(np.float32)
    return columns, said
