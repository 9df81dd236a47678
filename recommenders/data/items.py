"""Items of a folder: their ids in order of row, and the feature files whose rows are theirs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa

from recommenders.contract import LazyFeatures
from recommenders.contract.errors import RecommenderError
from recommenders.data.features import feature_files, read_features
from recommenders.data.files import read_file
from recommenders.data.folder import matching
from recommenders.data.ids import Text, read_ids
from recommenders.data.roles import find_role
from recommenders.data.text import Dialect

TABLES = ("items.parquet", "items.csv", "items.tsv", "items.jsonl")
"""Files of items, first come first."""


def read_items(folder: Path, told: str | None = None) -> tuple[Path, pa.Table, str | None] | None:
    """Return the file of items of a folder, its columns, and which of them is the id; None where there is no file.

    Raises:
        RecommenderError: it cannot be read.
    """
    files = matching(folder, TABLES)
    if not files:
        return None
    table, _ = read_file(files[0], Dialect())
    names = table.column_names
    return files[0], table, told if told in names else find_role("item", names)


def ids_in_order(file: Path, column: pa.ChunkedArray, name: str) -> Text:
    """Return the ids of a table of items, one per row.

    Raises:
        RecommenderError: a row has none, or two have the same.
    """
    ids = read_ids(column, str(file), name)
    if ids.missing.any():
        first = int(np.argmax(ids.missing))
        wrong = f"column '{name}' has {int(ids.missing.sum())} missing values, the first in row {first}"
        raise RecommenderError(str(file), wrong, "expected an id in every row")
    counts = np.bincount(ids.code)
    if counts.size and counts.max() > 1:
        worst = int(np.argmax(counts))
        first = int(np.argmax(ids.code == worst))
        wrong = f"the item {ids.names[worst]} occurs {counts[worst]} times, first in row {first}"
        raise RecommenderError(str(file), wrong, "expected each once")
    return ids.names[ids.code]


def rows_of(wanted: Text, ids: Text) -> np.ndarray:
    """Return the place of each wanted id among the ids, int64; -1 where it is not there."""
    order = np.argsort(ids)
    place = order[np.minimum(np.searchsorted(ids, wanted, sorter=order), len(ids) - 1)]
    return np.where(ids[place] == wanted, place, -1)


def features_of(folder: Path, wanted: Text) -> LazyFeatures:
    """Return the features of these items by the names of their files, each read on first use.

    Row r of a feature file belongs to row r of the file of items, or else to the item whose id is r.
    """

    def reader(file: Path) -> np.ndarray:
        matrix = read_features(file)
        items = read_items(folder)
        if items is None or items[2] is None:
            ids, what = np.arange(len(matrix)).astype(str), "an item's id is its row, from 0"
        else:
            path, table, name = items
            assert name is not None
            ids, what = ids_in_order(path, table.column(name), name), f"rows are those of {path.name}"
            if len(ids) != len(matrix):
                raise RecommenderError(
                    str(file), f"has {len(matrix)} rows", f"expected {len(ids)}, one per row of {path.name}"
                )
        rows = rows_of(wanted, ids)
        if (rows < 0).any():
            first = wanted[int(np.argmax(rows < 0))]
            wrong = f"has no row for {int((rows < 0).sum())} items, the first is item {first}"
            raise RecommenderError(str(file), wrong, f"expected {len(matrix)} ids that fit; {what}")
        return np.asarray(matrix[rows])

    return LazyFeatures({name: lambda file=file: reader(file) for name, file in feature_files(folder).items()})  # type: ignore[misc]
