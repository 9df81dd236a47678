"""Reading the tables of a real catalog folder: Parquet to plain columns, and which column plays which role."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from recommenders.contract.names import did_you_mean
from simulator.errors import InputError

Array = npt.NDArray[Any]

# Names under which a role is known without being told, the likeliest first.
KNOWN_NAMES: dict[str, tuple[str, ...]] = {
    "user": ("user", "user_id", "userid", "uid", "viewer_id", "customer_id", "reviewerid"),
    "item": (
        "item",
        "item_id",
        "itemid",
        "iid",
        "video_id",
        "photo_id",
        "product_id",
        "article_id",
        "asin",
        "track_id",
    ),
    "time": ("time", "timestamp", "timestamp_s", "ts", "time_ms", "timestamp_ms", "unix_time"),
    "value": ("value", "rating", "weight", "watch_ratio", "play_count"),
    "split": ("split", "x_label", "fold"),
    "duration": ("duration", "duration_s", "duration_ms", "video_duration", "video_duration_ms"),
    "type": ("type", "item_type", "category", "video_type"),
    "creator": ("creator", "creator_id", "author", "author_id"),
}
_SPLIT_NAMES = {
    "train": 0, "training": 0, "0": 0,
    "valid": 1, "val": 1, "validation": 1, "dev": 1, "1": 1,
    "test": 2, "testing": 2, "2": 2,
}  # fmt: skip


def read_table(path: Path) -> dict[str, Array]:
    """All flat columns of a Parquet file: numbers and booleans as they are, texts as objects, times as seconds.

    A missing value becomes NaN in numbers and None in texts. Nested columns (lists, structs) are left out.
    Raises InputError for a file that is not Parquet or has no rows.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.ParquetFile(path).read()  # not read_table: it would read columns into the path
    except (pa.ArrowException, OSError) as problem:
        first_line = str(problem).strip().splitlines()[0] if str(problem).strip() else type(problem).__name__
        raise InputError(
            str(path), f"cannot be read as Parquet ({first_line})", "expected an intact Parquet file"
        ) from problem
    if table.num_rows == 0:
        raise InputError(str(path), "the table has no rows", "expected at least one")
    columns: dict[str, Array] = {}
    for name in table.column_names:
        column = table.column(name)
        if pa.types.is_dictionary(column.type):
            column = column.cast(column.type.value_type)
        if pa.types.is_nested(column.type):
            continue
        if pa.types.is_decimal(column.type):
            column = column.cast(pa.float64())
        values = column.to_numpy()
        if values.dtype.kind == "M":
            seconds = values.astype("datetime64[us]").astype(np.int64) / 1e6
            values = np.where(np.isnat(values), np.nan, seconds)
        columns[name] = values
    return columns


def find_column(path: Path, columns: Mapping[str, Array], role: str, named: str | None) -> str | None:
    """The column that plays `role`: the one the user named, else the first known name (letter case ignored), else None.

    Raises InputError when the user named a column that the table does not have.
    """
    if named is not None:
        if named in columns:
            return named
        raise InputError(str(path), f"no column '{named}', which mapping.yaml names as {role}", nearest(named, columns))
    lower: dict[str, str] = {}
    for name in columns:
        lower.setdefault(name.lower(), name)
    return next((lower[name] for name in KNOWN_NAMES[role] if name in lower), None)


def require_column(path: Path, columns: Mapping[str, Array], role: str, named: str | None) -> str:
    """As `find_column`, for a role that must be there."""
    found = find_column(path, columns, role, named)
    if found is None:
        raise InputError(
            str(path),
            f"no column for the {role} among {', '.join(columns)}",
            f"{nearest(role + '_id', columns)}; name it in mapping.yaml (columns: {{{role}: NAME}}) or rename it",
        )
    return found


def nearest(name: str, among: Iterable[str]) -> str:
    """A sentence with the closest name that exists."""
    options = list(among)
    return did_you_mean(name, options, "'{}'".format).rstrip() or f"there are: {', '.join(options) or 'none'}"


def check_ids(path: Path, name: str, ids: Array) -> None:
    """Raise InputError where a column of ids holds a missing value."""
    if ids.dtype.kind == "O":
        missing = np.array([value is None or value != value for value in ids], dtype=bool)
    elif ids.dtype.kind == "f":
        missing = np.isnan(ids)
    else:
        return
    if missing.any():
        raise InputError(
            str(path),
            f"column '{name}' has {int(missing.sum())} missing values, the first in row {int(np.argmax(missing))}",
            "expected an id in every row",
        )


def plain_ids(ids: Array) -> Array:
    """Whole numbers as integers, so that 7 and 7.0 are one id, and anything else as text."""
    if ids.dtype.kind in "iu":
        return ids
    if ids.dtype.kind == "f" and bool(np.all(ids == np.floor(ids))) and float(np.max(np.abs(ids))) < 2.0**53:
        return ids.astype(np.int64)
    return ids.astype(str)


def number(path: Path, name: str, values: Array) -> npt.NDArray[np.float64]:
    """A column of numbers as float64; raises InputError for texts. Names that end in ``_ms`` become seconds."""
    if values.dtype.kind not in "iufb":
        raise InputError(
            str(path), f"column '{name}' holds {values.dtype.name} values, not numbers", "expected numbers"
        )
    out = values.astype(np.float64)
    return out / 1000.0 if name.lower().endswith("_ms") else out


def splits(path: Path, name: str, values: Array) -> npt.NDArray[np.uint8]:
    """A split column as codes: 0 train, 1 validation, 2 test."""
    labels, inverse = np.unique(plain_ids(values), return_inverse=True)
    codes = np.empty(len(labels), dtype=np.uint8)
    for row, label in enumerate(labels):
        code = _SPLIT_NAMES.get(str(label).strip().lower())
        if code is None:
            raise InputError(
                str(path), f"column '{name}' holds the split '{label}'", "expected train, validation, test (or 0, 1, 2)"
            )
        codes[row] = code
    return codes[inverse]
