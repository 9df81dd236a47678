"""The table of interactions of a folder, as a layout says where its parts lie: one row per interaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from recommenders.contract.errors import RecommenderError
from recommenders.data.files import read_file
from recommenders.data.ids import as_text, read_ids
from recommenders.data.layouts import USUAL, Layout, known_layout, layout_of, shipped
from recommenders.data.splits import SPLIT_NAMES
from recommenders.data.text import Dialect

LOGGED = ("user", "item", "time", "event", "value")
"""Columns of a run's platform log that are read."""
SPLIT = "split"
_TABLES = {".parquet", ".csv", ".tsv", ".dat", ".data", ".txt", ".json", ".jsonl", ".ndjson", ".inter"}


@dataclass
class Rows:
    """Hold one row per interaction.

    Attributes:
        table: columns as they are in the files.
        source: where they are from, in words.
        files: their names.
        notes: what was found out or assumed, in plain words.
        of_run: whether it is the platform log of a run, whose times are seconds.
    """

    table: pa.Table
    source: str
    files: list[str]
    notes: list[str] = field(default_factory=list)
    of_run: bool = False


def read_rows(path: Path, layout: Layout) -> Rows:
    """Read the interactions of a folder or of one file.

    Raises:
        RecommenderError: nothing matches the layout, a file cannot be read, or a column that it names is missing.
    """
    usual = layout.tables == USUAL.tables
    if path.is_file():
        files = [path]
    else:
        files = matching(path, layout.tables)
        parts = sorted((path / "platform").glob("*.parquet"))
        if not files and parts and usual:
            tables = [read_file(part, Dialect())[0].select(LOGGED) for part in parts]
            return Rows(pa.concat_tables(tables), str(path / "platform"), [part.name for part in parts], of_run=True)
    if not files:
        raise _nothing(path, layout)
    dialect = Dialect(layout.sep, layout.quote, layout.header, layout.names)
    found, (files, labels) = files, _by_part(files)
    rows = Rows(pa.table({}), str(files[0] if len(files) == 1 else path), [each.name for each in files])
    beside = {each for pattern in layout.tables for each in path.glob(pattern)} if path.is_dir() else set()
    unread = sorted(each.name for each in {*beside, *found} - set(files))
    if unread:
        rows.notes.append(f"not read: {', '.join(unread)} (data=FILE reads one)")
    read = [_read(each, dialect, rows.notes, layout.unfold) for each in files]
    if labels:
        rows.notes.append(f"split: by file ({', '.join(rows.files)})")
        read = [
            table.append_column(SPLIT, pa.array([label] * table.num_rows, pa.large_string()))
            for table, label in zip(read, labels, strict=True)
        ]
    rows.table = _together(read, rows.source)
    for join in layout.join:
        others = matching(path if path.is_dir() else path.parent, join.tables)
        if others:
            dialect = Dialect(layout.sep, layout.quote)
            other = _together([_read(each, dialect, rows.notes) for each in others], str(others[0]))
            rows.table = _looked_up(rows, other, join.by, str(others[0]))
            rows.files += [each.name for each in others]
    if layout.lists is not None:
        rows.table = _clicked(rows, layout.lists)
    return rows


def layout_at(path: Path, given: str | None) -> Layout:
    """Return the layout of that name or file; unless one is given, the usual one, or a set known by its files."""
    if given is not None or (path.is_dir() and (matching(path, USUAL.tables) or (path / "platform").is_dir())):
        return layout_of(given)
    names = sorted(each.name for each in path.iterdir()) if path.is_dir() else [path.name]
    return known_layout(names) or layout_of(None)


def _nothing(path: Path, layout: Layout) -> RecommenderError:
    """Return the error that says what would be read, and by which layout what is there would be."""
    if not path.is_dir():
        return RecommenderError(str(path), "is not there", "expected a folder or a file")
    right = f"expected {', '.join(layout.tables)}"
    if layout.tables == USUAL.tables:
        right += ", the platform log of a run, or a set that is known by name: layout=NAME"
    fitting = [name for name in shipped() if name != layout.name and matching(path, layout_of(name).tables)]
    if fitting:
        right += f" (what is there would be read by layout={' or '.join(fitting)})"
    else:
        tables = sorted(each.name for each in path.iterdir() if set(each.suffixes) & _TABLES)
        if tables:
            right += f"; data=FILE reads one file, as {', '.join(tables[:4])}"
    return RecommenderError(str(path), "holds no interactions", right)


def matching(folder: Path, patterns: Sequence[str]) -> list[Path]:
    """Return all files of the first pattern that any file matches."""
    for pattern in patterns:
        found = sorted(folder.glob(pattern))
        if found:
            return found
    return []


def _by_part(files: list[Path]) -> tuple[list[Path], list[str]]:
    """Return the files of a split by their labels (x.train.inter, x.test.inter) where that is how they are called."""
    if len(files) < 2:
        return files, []
    labels = [next((word for word in each.name.lower().split(".")[1:-1] if word in SPLIT_NAMES), "") for each in files]
    kept = [(each, label) for each, label in zip(files, labels, strict=True) if label]
    if {SPLIT_NAMES[label] for _, label in kept} >= {0, 2}:
        return [each for each, _ in kept], [label for _, label in kept]
    return files, []


def _read(path: Path, dialect: Dialect, notes: list[str], unfold: Sequence[str] = ()) -> pa.Table:
    table, found = read_file(path, dialect, unfold)
    notes += [f"{path.name} {note}" for note in found]
    return table


def _together(tables: Sequence[pa.Table], source: str) -> pa.Table:
    """Put tables below one another; columns of several types become text, as which all ids and numbers are the same."""
    if len(tables) == 1:
        return tables[0]
    types: dict[str, set[pa.DataType]] = {}
    for table in tables:
        for name in table.column_names:
            types.setdefault(name, set()).add(table.schema.field(name).type)
    mixed = {name for name, kinds in types.items() if len(kinds) > 1}
    alike = []
    for table in tables:
        for name in mixed & set(table.column_names):
            place = table.column_names.index(name)
            table = table.set_column(place, name, as_text(table.column(name), source, name))
        alike.append(table)
    return pa.concat_tables(alike, promote_options="default")


def _column(table: pa.Table, name: str, source: str) -> pa.ChunkedArray:
    if name not in table.column_names:
        raise RecommenderError(source, f"has no column {name!r}", f"it has: {', '.join(table.column_names)}")
    return table.column(name)


def _looked_up(rows: Rows, other: pa.Table, by: str, where: str) -> pa.Table:
    """Add to each row what the other table says of it; of several rows that say something, always the same one."""
    here, there = _column(rows.table, by, rows.source), _column(other, by, where)
    keys = pa.chunked_array([*as_text(here, rows.source, by).chunks, *as_text(there, where, by).chunks])
    code = read_ids(keys, where, by).code
    mine, theirs = code[: len(here)], code[len(here) :]
    # Which of several rows counts must not depend on their order in the file.
    rank = np.arange(len(theirs))
    counts = np.bincount(theirs[theirs >= 0])
    several = int((counts > 1).sum())
    if several:
        keyed = [read_ids(as_text(column, where, name, strict=False), where, name) for name, column in
                 zip(other.column_names, other.columns, strict=True)]  # fmt: skip
        rank = np.lexsort([ids.code for ids in reversed(keyed)]).argsort()
        rows.notes.append(f"{Path(where).name} has several rows for {several:,} of {by}: one of them is used")
    place = np.full(int(code.max(initial=-1)) + 2, -1, np.int64)
    order = np.argsort(-rank, kind="stable")  # the smallest is written last
    place[theirs[order]] = order
    place[-1] = -1
    found = place[mine]
    taken = pa.array(found, mask=found < 0)
    table = rows.table
    for name, column in zip(other.column_names, other.columns, strict=True):
        if name not in table.column_names:
            table = table.append_column(name, column.take(taken))
    return table


def _clicked(rows: Rows, name: str) -> pa.Table:
    """Return one row per clicked item of impression lists like ``N1-1 N2-0``."""
    shown = pc.utf8_split_whitespace(_column(rows.table, name, rows.source).cast(pa.large_string()).combine_chunks())
    parent, items = pc.list_parent_indices(shown), pc.list_flatten(shown)
    clicked = pc.ends_with(items, "-1")
    if not pc.any(pc.or_(clicked, pc.ends_with(items, "-0"))).as_py():
        wrong = f"column '{name}' has no lists such as N1-1 N2-0"
        raise RecommenderError(rows.source, wrong, "expected what was shown, -1 behind what was clicked")
    table = rows.table.drop_columns([name, *({"item_id"} & set(rows.table.column_names))])
    table = table.take(pc.filter(parent, clicked))
    rows.notes.append(f"{len(items):,} items shown in {len(shown):,} lists; clicked ones are rows")
    return table.append_column("item_id", pc.utf8_slice_codeunits(pc.filter(items, clicked), 0, -2))
