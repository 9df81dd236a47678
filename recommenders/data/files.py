"""One table out of one file: Parquet, lines of JSON, or text with separators, packed or not."""

from __future__ import annotations

import bz2
import gzip
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from recommenders.contract.errors import RecommenderError
from recommenders.data.json_rows import read_json
from recommenders.data.text import Dialect, read_text

_PACKED: dict[str, Callable[[bytes], bytes]] = {".gz": gzip.decompress, ".bz2": bz2.decompress}
_LINES = (".json", ".jsonl", ".ndjson")


def read_file(path: Path, dialect: Dialect, unfold: Sequence[str] = ()) -> tuple[pa.Table, list[str]]:
    """Read a table; also return what was found out about it in plain words.

    Text comes back as it is written, every field a text. Of the columns named in `unfold`, those that hold lists give a
    row per entry, side by side, and entries that are objects a column per key. Other nested columns are left out.

    Raises:
        RecommenderError: it cannot be read, has no rows, two columns of one name, or lists that do not match.
    """
    where = str(path)
    if path.is_dir():
        raise RecommenderError(where, "is a folder", "expected a file")
    kind = Path(path.stem).suffix.lower() if path.suffix.lower() in _PACKED else path.suffix.lower()
    notes: list[str] = []
    if path.suffix.lower() == ".zip":
        raise RecommenderError(where, "is a zip archive", "unpack it first")
    if kind in (".parquet", ".pq"):
        table = _parquet(path)
    else:
        try:
            content = path.read_bytes()
            content = _PACKED.get(path.suffix.lower(), bytes)(content)
        except (OSError, EOFError, ValueError, zlib.error) as error:
            raise RecommenderError(
                where, f"cannot be read ({_first_line(error)})", "expected an intact file"
            ) from error
        if kind in _LINES:
            table, notes = read_json(content, where)
        else:
            table, notes = read_text(content, dialect, where)
    if table.num_rows == 0:
        raise RecommenderError(where, "the table has no rows", "expected at least one")
    twice = {name for name in table.column_names if table.column_names.count(name) > 1}
    if twice:
        raise RecommenderError(where, f"has two columns {min(twice)!r}", "expected each name once")
    table = _unfolded(table, unfold, where, notes)
    nested = [name for name in table.column_names if pa.types.is_nested(table.schema.field(name).type)]
    return table.drop_columns(nested), notes


def _unfolded(table: pa.Table, names: Sequence[str], where: str, notes: list[str]) -> pa.Table:
    """Return a row per entry of the lists."""
    kinds = {name: table.schema.field(name).type for name in names if name in table.column_names}
    lists = {
        name: table.column(name).combine_chunks()
        for name, kind in kinds.items()
        if pa.types.is_list(kind) or pa.types.is_large_list(kind)
    }
    if not lists:
        return table
    first, *others = lists
    sizes = pc.fill_null(pc.list_value_length(lists[first]), 0)
    for name in others:
        if not sizes.equals(pc.fill_null(pc.list_value_length(lists[name]), 0)):
            wrong = f"the lists of '{first}' and '{name}' are not of equal lengths"
            raise RecommenderError(where, wrong, "expected one entry of each per row")
    notes.append(f"has {table.num_rows:,} lists in '{first}': a row per entry")
    rows = table.drop_columns(list(lists)).take(pc.list_parent_indices(lists[first]))
    for name, column in lists.items():
        entries = pc.list_flatten(column)
        if pa.types.is_struct(entries.type):
            for field, part in zip(entries.type, entries.flatten(), strict=True):
                inner = field.name if field.name not in rows.column_names else f"{name}.{field.name}"
                rows = rows.append_column(inner, part)
        else:
            rows = rows.append_column(name, entries)
    if rows.num_rows == 0:
        raise RecommenderError(where, f"the lists in '{first}' are empty", "expected at least one entry")
    return rows


def _parquet(path: Path) -> pa.Table:
    try:
        table = pq.ParquetFile(path).read()  # not read_table: it would read columns into the path
        views = [field for field in table.schema if pa.types.is_string_view(field.type)]
        for field in views:
            place = table.column_names.index(field.name)
            table = table.set_column(place, field.name, table.column(field.name).cast(pa.large_string()))
        return table
    except (pa.ArrowException, OSError) as error:
        raise RecommenderError(
            str(path), f"cannot be read as Parquet ({_first_line(error)})", "expected an intact Parquet file"
        ) from error


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
