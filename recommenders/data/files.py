"""One table out of one file: Parquet, lines of JSON, or text with separators, packed or not."""

from __future__ import annotations

import ast
import bz2
import gzip
import json
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.json as arrow_json
import pyarrow.parquet as pq

from recommenders.contract.errors import RecommenderError
from recommenders.data.text import Dialect, read_text

_PACKED: dict[str, Callable[[bytes], bytes]] = {".gz": gzip.decompress, ".bz2": bz2.decompress}
_LINES = (".json", ".jsonl", ".ndjson")


def read_file(path: Path, dialect: Dialect) -> tuple[pa.Table, list[str]]:
    """Read a table; also return what was found out about it in plain words.

    Text comes back as it is written, every field a text. Nested columns (lists, maps) are left out.

    Raises:
        RecommenderError: it cannot be read, has no rows, or two columns of one name.
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
        except (OSError, EOFError, zlib.error) as error:
            raise RecommenderError(
                where, f"cannot be read ({_first_line(error)})", "expected an intact file"
            ) from error
        if kind in _LINES:
            table = _json_lines(content, where)
        else:
            table, notes = read_text(content, dialect, where)
    if table.num_rows == 0:
        raise RecommenderError(where, "the table has no rows", "expected at least one")
    twice = {name for name in table.column_names if table.column_names.count(name) > 1}
    if twice:
        raise RecommenderError(where, f"has two columns {min(twice)!r}", "expected each name once")
    nested = [name for name in table.column_names if pa.types.is_nested(table.schema.field(name).type)]
    return table.drop_columns(nested), notes


def _parquet(path: Path) -> pa.Table:
    try:
        return pq.ParquetFile(path).read()  # not read_table: it would read columns into the path
    except (pa.ArrowException, OSError) as error:
        raise RecommenderError(
            str(path), f"cannot be read as Parquet ({_first_line(error)})", "expected an intact Parquet file"
        ) from error


def _json_lines(content: bytes, where: str) -> pa.Table:
    """Read lines of JSON, or of Python literals, as data sets of the years before 2018 have them."""
    first = content.lstrip()[:3]
    try:
        if first.startswith((b"{'", b"{u'")):
            return pa.Table.from_pylist([ast.literal_eval(line) for line in content.decode().splitlines() if line])
        options = arrow_json.ReadOptions(block_size=min(2**30, 2**20 + len(content) // 4))
        return arrow_json.read_json(pa.BufferReader(content), options)
    except pa.ArrowException as error:
        if first.startswith(b"["):
            return _json_list(content, where)
        right = "expected an object with the same keys in every line"
        raise RecommenderError(where, f"cannot be read as lines of JSON ({_first_line(error)})", right) from error
    except (ValueError, SyntaxError) as error:
        right = "expected an object in every line"
        raise RecommenderError(where, f"cannot be read as lines of JSON ({_first_line(error)})", right) from error


def _json_list(content: bytes, where: str) -> pa.Table:
    try:
        rows: Any = json.loads(content)
        return pa.Table.from_pylist(rows)
    except (ValueError, AttributeError, TypeError, pa.ArrowException) as error:
        right = "expected a list of objects with the same keys, or one object in every line"
        raise RecommenderError(where, f"cannot be read as JSON ({_first_line(error)})", right) from error


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
