"""Rows of objects: lines of JSON, one list of JSON, or lines of Python literals as data sets before 2018 have them."""

from __future__ import annotations

import ast
import json
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.json as arrow_json

from recommenders.contract.errors import RecommenderError

_BOM = b"\xef\xbb\xbf"
_EXACT = 2.0**53  # whole numbers from here on are not told apart by float64


def read_json(content: bytes, where: str) -> tuple[pa.Table, list[str]]:
    """Return the columns of all objects, null where one lacks it, and what was found out in plain words.

    Text stays text, also where it looks like a date, and whole numbers stay whole, however large. A column of several
    types becomes text.

    Raises:
        RecommenderError: a line is no object, or an object has a key twice.
    """
    notes: list[str] = []
    content = content.removeprefix(_BOM).strip()
    if not content.isascii():
        try:
            content.decode()
        except UnicodeDecodeError:
            content, notes = content.decode("latin-1").encode(), ["is not in UTF-8: read as Latin-1"]
    if content.startswith(b"["):
        return _table(_list(content, where), where), notes
    if content.startswith((b"{'", b"{u'")):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of odd backslashes, which are the texts of other people
            return _table(_lines(content, ast.literal_eval, "a Python literal", where), where), notes
    try:
        return _by_arrow(content), notes
    except pa.ArrowException:
        # Types that change from line to line, and text that is half a surrogate pair: slower, and says which line.
        return _table(_lines(content, _loads, "JSON", where), where), notes


def _by_arrow(content: bytes) -> pa.Table:
    options = arrow_json.ReadOptions(block_size=min(2**30, 2**20 + len(content) // 4))
    table = arrow_json.read_json(pa.BufferReader(content), options)
    # Arrow takes text that looks like a date for a time, and whole numbers of 2**63 and more for float64: ids of either
    # form would not be read as they are written.
    plain = [pa.field(each.name, _as_written(each.type)) for each in table.schema]
    plain = [
        each.with_type(pa.decimal128(38, 0)) if _too_large(table.column(each.name)) else each for each in plain
    ]  # fmt: skip
    if all(each.type == table.schema.field(each.name).type for each in plain):
        return table
    parse = arrow_json.ParseOptions(explicit_schema=pa.schema(plain))
    return arrow_json.read_json(pa.BufferReader(content), options, parse)


def _as_written(kind: pa.DataType) -> pa.DataType:
    """Return the type with text in place of times."""
    if pa.types.is_timestamp(kind):
        return pa.string()
    if pa.types.is_list(kind):
        return pa.list_(_as_written(kind.value_type))
    if pa.types.is_struct(kind):
        return pa.struct([pa.field(each.name, _as_written(each.type)) for each in kind])
    return kind


def _too_large(column: pa.ChunkedArray) -> bool:
    """Return whether floats are whole numbers all, and of a size at which they stand for several."""
    if not pa.types.is_floating(column.type):
        return False
    values = column.to_numpy()
    there = values[~np.isnan(values)]
    whole = bool((there == np.floor(there)).all() and (np.abs(there) < 1e38).all())
    return whole and bool((np.abs(there) >= _EXACT).any())


def _lines(content: bytes, parse: Callable[[str], Any], form: str, where: str) -> list[Any]:
    rows = []
    for number, line in enumerate(content.decode().split("\n"), 1):  # splitlines would split at U+2028 too
        if not line.strip():
            continue
        try:
            rows.append(parse(line.strip()))
        except (ValueError, SyntaxError, RecursionError, MemoryError) as error:
            said = (str(error).splitlines() or [type(error).__name__])[0].partition(": <ast")[0]
            right = "expected an object in every line"
            raise RecommenderError(where, f"line {number} cannot be read as {form} ({said})", right) from error
    return rows


def _list(content: bytes, where: str) -> list[Any]:
    try:
        rows = _loads(content.decode())
    except (ValueError, RecursionError) as error:
        right = "expected a list of objects, or one object in every line"
        raise RecommenderError(where, f"cannot be read as JSON ({error})", right) from error
    assert isinstance(rows, list)
    return rows


def _loads(text: str) -> Any:
    return json.loads(text, object_pairs_hook=_once)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"it has {twice!r} twice")
    return found


def _table(rows: Sequence[Any], where: str) -> pa.Table:
    for number, row in enumerate(rows):
        if not isinstance(row, dict):
            raise RecommenderError(where, f"row {number} is {str(row)[:40]!r}", "expected an object in every row")
    names = dict.fromkeys(str(name) for row in rows for name in row)
    return pa.table({name: _column([row.get(name) for row in rows]) for name in names})


def _column(values: list[Any]) -> pa.Array:
    try:
        return pa.array(values)
    except UnicodeEncodeError:
        return _column([_paired(value) for value in values])
    except (pa.ArrowException, OverflowError, TypeError, ValueError):
        return pa.array([None if value is None else _text(value) for value in values], pa.large_string())


def _paired(value: Any) -> Any:
    """Return a value whose text has no half of a surrogate pair."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "backslashreplace")
    if isinstance(value, list):
        return [_paired(each) for each in value]
    if isinstance(value, dict):
        return {_paired(name): _paired(each) for name, each in value.items()}
    return value


def _text(value: Any) -> str:
    """Return a value as an id is written: 7 and 7.0 are "7"."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
