"""Text files of rows: which separator, quotes and header they have, and their fields as they are written."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.csv as arrow_csv

from recommenders.contract.errors import RecommenderError
from recommenders.data.roles import bare, known_names

# Likeliest first, where several divide all lines alike.
_TRIED = ("\t", "::", ";", ",", "|", " ")
# Quotes protect a separator in these; in other files a quotation mark is a character like any other.
_QUOTED = (",", ";", "|")
_STAND_IN = "\x1f"  # a single character in place of a separator of several
_SAMPLE = 100
_NUMBER = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*")


@dataclass(frozen=True)
class Dialect:
    """Say how a text file is written; None is found out.

    Attributes:
        sep: what stands between two fields: one character, ``::``, or a blank for any number of blanks.
        quote: whether fields may stand in double quotes, and hold separators and line ends there.
        header: whether the first line names the columns.
        names: the columns of a file that does not name them itself.
    """

    sep: str | None = None
    quote: bool | None = None
    header: bool | None = None
    names: tuple[str, ...] = ()


def read_text(content: bytes, dialect: Dialect, where: str) -> tuple[pa.Table, list[str]]:
    """Return all fields as text, empty ones as null, and what was found out about the file in plain words.

    Raises:
        RecommenderError: the file is no text, or a line has not as many fields as the others.
    """
    text, notes = _decoded(content, where)
    sample = _sample(text)
    if not sample:
        raise RecommenderError(where, "the table has no rows", "expected at least one")
    sep = dialect.sep or _separator(sample, dialect)
    quote = dialect.quote if dialect.quote is not None else sep in _QUOTED
    cells = [_fields(line, sep, quote) for line in sample]
    header = dialect.header if dialect.header is not None else _has_header(cells, dialect.names)
    names = dialect.names or tuple(cell.strip() for cell in cells[0])
    if header and len(sample) == 1:
        raise RecommenderError(where, "the table has no rows", "expected at least one below the names")
    own = [cell.strip().lower() for cell in cells[0]]
    if header and dialect.names and dialect.header is None and any(bare(name) in known_names() for name in own):
        names = tuple(cell.strip() for cell in cells[0])
        if own != [name.lower() for name in dialect.names]:
            notes.append("its first line names the columns, so they are called so (header=no if it does not)")
    elif header and dialect.names and dialect.header is None:
        notes.append("its first line is taken for the names of the columns (header=no if it is not)")
    if not header and not dialect.names:
        shown = ", ".join(cells[0][:4])
        right = "say what its columns are: names=user,item,... (or header=yes)"
        raise RecommenderError(where, f"has no line of names: the first is {shown}", right)
    if len(names) != len(cells[0]):
        wrong = f"line 1 has {len(cells[0])} fields, and {len(names)} columns are named"
        raise RecommenderError(where, wrong, "expected a name for each, or another sep=")
    quotes = quote and '"' in text
    escapes = quotes and _escapes(text, sep, where)
    if escapes:
        notes.append("has backslashes before quotes: a backslash protects the next character")
    if sep == "::" or sep == " ":
        text, sep = _single(text, sep, where), _STAND_IN
    return _parsed(text, sep, quotes, escapes, header, names, where), notes


def _decoded(content: bytes, where: str) -> tuple[str, list[str]]:
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        try:
            return content.decode("utf-16"), ["is in UTF-16"]
        except UnicodeDecodeError as error:
            raise RecommenderError(where, f"begins as UTF-16 and is not ({error})", "expected text") from error
    if b"\0" in content[:4096]:
        raise RecommenderError(where, "is no text", "expected a table as text, Parquet or JSON lines")
    try:
        return content.decode("utf-8-sig"), []
    except UnicodeDecodeError:
        return content.decode("latin-1"), ["is not in UTF-8: read as Latin-1"]


def _sample(text: str) -> list[str]:
    lines = io.StringIO(text, newline=None)
    found = []
    for line in lines:
        if line.strip():
            found.append(line.rstrip("\n"))
            if len(found) == _SAMPLE:
                break
    return found


def _fields(line: str, sep: str, quote: bool) -> list[str]:
    if sep == " ":
        return line.split()
    if sep == "::" or not quote:
        return line.split(sep)
    return next(csv.reader([line], delimiter=sep), [])


def _separator(sample: Sequence[str], dialect: Dialect) -> str:
    """Return what divides all lines of the sample alike; of several, the one that gives known or wanted names."""
    usual = known_names()
    found: list[tuple[int, str]] = []
    for sep in _TRIED:
        rows = [_fields(line, sep, sep in _QUOTED if dialect.quote is None else dialect.quote) for line in sample]
        widths = {len(row) for row in rows}
        # Quoted fields may run over line ends, so not all lines of such a file are alike: its header decides.
        known = sum(cell.strip().lower().split(":")[0] in usual for cell in rows[0])
        if len(dialect.names) > 1 and widths == {len(dialect.names)}:
            return sep
        if len(rows[0]) > 1 and (len(widths) == 1 or known >= 2):
            found.append((known, sep))
    if not found:
        return ","
    best = max(known for known, _ in found)
    return next(sep for known, sep in found if known == best)


def _has_header(cells: Sequence[Sequence[str]], names: Sequence[str]) -> bool:
    first = [cell.strip() for cell in cells[0]]
    if names and [cell.lower() for cell in first] == [name.lower() for name in names]:
        return True
    if any(_NUMBER.fullmatch(cell) for cell in first):
        return False
    if not names:
        return True
    # Names are given, so a line without numbers is a header only where numbers stand below it.
    below = [row for row in cells[1:] if len(row) == len(first)]
    return any(all(_NUMBER.fullmatch(row[place]) for row in below) for place in range(len(first))) if below else False


def _escapes(text: str, sep: str, where: str) -> bool:
    """Return whether quotes inside of fields have a backslash before them, and are not doubled.

    Raises:
        RecommenderError: quotes do not enclose whole fields in either way: which rows there are would be a guess.
    """
    wrong = _wrong_quotes(text, sep, None)
    if wrong is None:
        return False
    if '\\"' in text and _wrong_quotes(text, sep, "\\") is None:
        return True
    right = "expected quotes around whole fields, doubled inside of them; or quote=no"
    raise RecommenderError(where, wrong, right)


def _wrong_quotes(text: str, sep: str, escape: str | None) -> str | None:
    csv.field_size_limit(2**31 - 1)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=sep, escapechar=escape, strict=True)
    try:
        for _ in rows:
            pass
    except csv.Error as error:
        return f"line {rows.line_num}: {error}"
    return None


def _single(text: str, sep: str, where: str) -> str:
    if _STAND_IN in text:
        raise RecommenderError(where, "holds control characters", "expected text")
    if sep == " ":
        return re.sub(r"[ \t]+", _STAND_IN, re.sub(r"(?m)^[ \t]+|[ \t]+$", "", text))
    return text.replace(sep, _STAND_IN)


def _parsed(
    text: str, sep: str, quotes: bool, escapes: bool, header: bool, names: Sequence[str], where: str
) -> pa.Table:
    twice = {name for name in names if list(names).count(name) > 1}
    if twice:
        raise RecommenderError(where, f"has two columns {min(twice)!r}", "expected each name once")
    skipped = 0
    if header:
        skipped = next(n for n, line in enumerate(_lines(text)) if line.strip()) + 1
    content = text.encode()

    # Blocks that hold any row there may be: Arrow refuses one that is longer than a block.
    blocks = min(2**30, 2**20 + len(content) // 4)
    columns = dict.fromkeys(names, pa.large_string())

    def read(threads: bool, handler: Any = None) -> pa.Table:
        return arrow_csv.read_csv(
            pa.BufferReader(content),
            arrow_csv.ReadOptions(column_names=list(names), skip_rows=skipped, use_threads=threads, block_size=blocks),
            arrow_csv.ParseOptions(
                delimiter=sep,
                quote_char='"' if quotes else False,
                escape_char="\\" if escapes else False,
                newlines_in_values=quotes,
                invalid_row_handler=handler,
            ),
            arrow_csv.ConvertOptions(column_types=columns, null_values=[""], strings_can_be_null=True),
        )

    try:
        return read(True)
    except (pa.ArrowException, ValueError) as error:
        wrong: list[Any] = []

        def note(row: Any) -> str:
            wrong.append(row)
            return "skip"

        try:
            read(False, note)
        except (pa.ArrowException, ValueError):
            wrong = []
        if wrong:
            row = wrong[0]
            line = _line_of(text, sep, quotes, escapes, row.expected_columns) or row.number
            raise RecommenderError(
                where,
                f"line {line}: {row.actual_columns} fields where the others have {row.expected_columns}",
                "expected as many in every line; or another sep= or quote=",
            ) from error
        raise RecommenderError(where, f"cannot be read ({str(error).splitlines()[0]})", "expected a table") from error


def _lines(text: str) -> Iterator[str]:
    return iter(io.StringIO(text, newline=None))


def _line_of(text: str, sep: str, quotes: bool, escapes: bool, width: int) -> int | None:
    """Return the number of the first line that has another number of fields, from 1."""
    if quotes:
        rows = csv.reader(io.StringIO(text, newline=""), delimiter=sep, escapechar="\\" if escapes else None)
        return next((rows.line_num for row in rows if row and len(row) != width), None)
    return next((n for n, line in enumerate(_lines(text), 1) if line.strip() and line.count(sep) != width - 1), None)
