"""Tables of interactions from files, as a layout says where they lie: one row per interaction."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from recommenders.contract.errors import RecommenderError
from recommenders.evaluation.layouts import USUAL, Layout

_LOGGED = ["user", "item", "time", "event", "value"]


def read_table(path: Path, layout: Layout) -> tuple[pd.DataFrame, str]:
    """Read the interactions of a folder or of one file; also return where they are from.

    Raises:
        RecommenderError: nothing matches the layout, a file cannot be read, or a column that it names is missing.
    """
    if path.is_file():
        files = [path]
    else:
        files = _matching(path, layout.tables)
        parts = sorted((path / "platform").glob("*.parquet"))
        if not files and parts and layout is USUAL:
            return pd.concat([pd.read_parquet(part, columns=_LOGGED) for part in parts]), str(path / "platform")
    if not files:
        right = f"expected {', '.join(layout.tables)}" + (", or the platform log of a run" if layout is USUAL else "")
        raise RecommenderError(str(path), "holds no interactions", right)
    table = pd.concat([_read(each, layout.names) for each in files], ignore_index=True)
    source = str(files[0] if len(files) == 1 else path)
    for join in layout.join:
        others = _matching(path if path.is_dir() else path.parent, join.tables)
        if others:
            other = pd.concat([_read(each, ()) for each in others], ignore_index=True)
            for have, where in ((table, source), (other, str(others[0]))):
                _needed(have, join.by, where)
            new = [column for column in other.columns if column == join.by or column not in table.columns]
            table = table.merge(other[new].drop_duplicates(join.by), on=join.by, how="left")
    if layout.lists is not None:
        _needed(table, layout.lists, source)
        table = _clicked(table, layout.lists)
    return table, source


def happened(table: pd.DataFrame, flags: Sequence[str], source: str) -> pd.DataFrame:
    """Keep the rows in which any of the flags, columns of 0 and 1, is set.

    Raises:
        RecommenderError: no flag is named, or one is no such column.
    """
    there = [str(column) for column in table.columns if table[column].isin((0, 1)).all()]
    for flag in flags or ("",):
        if flag not in there:
            wrong = f"{flag!r} is no column of 0 and 1" if flag else "has events as columns of 0 and 1"
            raise RecommenderError(source, wrong, f"say which count: events={','.join(there)}")
    return table[table[list(flags)].astype(bool).any(axis=1)]


def seconds(times: pd.Series, source: str) -> np.ndarray:
    """Times as float64: numbers as they are, dates and times of day as seconds since 1970.

    Raises:
        RecommenderError: a time is neither.
    """
    if pd.api.types.is_numeric_dtype(times):
        return times.to_numpy(np.float64)
    try:
        read = pd.to_datetime(times, format="mixed")
    except (ValueError, TypeError) as error:
        raise RecommenderError(
            source, f"column {times.name}: {str(error).splitlines()[0]}", "expected numbers or dates"
        ) from error
    return ((read - pd.Timestamp(0)) / pd.Timedelta(seconds=1)).to_numpy(np.float64)


def _matching(folder: Path, patterns: Sequence[str]) -> list[Path]:
    """Return all files of the first pattern that any file matches."""
    for pattern in patterns:
        found = sorted(folder.glob(pattern))
        if found:
            return found
    return []


def _read(path: Path, names: Sequence[str]) -> pd.DataFrame:
    try:
        if path.suffix == ".parquet":
            return pd.read_parquet(path)
        sep = "\t" if path.suffix in (".inter", ".tsv") else ","
        return pd.read_csv(path, sep=sep, names=list(names) or None, header=None if names else "infer")
    except (OSError, ValueError) as error:  # pandas' and Arrow's own errors are ValueErrors
        raise RecommenderError(
            str(path), f"cannot be read ({str(error).splitlines()[0]})", "expected a table"
        ) from error


def _needed(table: pd.DataFrame, column: str, source: str) -> None:
    if column not in table.columns:
        raise RecommenderError(source, f"has no column {column!r}", f"it has: {', '.join(map(str, table.columns))}")


def _clicked(table: pd.DataFrame, column: str) -> pd.DataFrame:
    """One row per clicked item of impression lists like ``N1-1 N2-0``."""
    shown = table.assign(**{column: table[column].astype(str).str.split()}).explode(column, ignore_index=True)
    clicked = shown[shown[column].str.endswith("-1", na=False)]
    return clicked.assign(item_id=clicked[column].str.slice(0, -2)).drop(columns=column)
