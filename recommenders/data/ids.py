"""Ids are names: read as they are written, and numbered by what is known of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from recommenders.contract.errors import RecommenderError

Int64 = npt.NDArray[np.int64]
Text = npt.NDArray[np.str_]


@dataclass(frozen=True)
class Ids:
    """The ids of one column.

    Attributes:
        names: the distinct ids as text: numbers first, by size, then words.
        code: int64 per row, place in ``names``; -1 where there is none.
    """

    names: Text
    code: Int64

    @property
    def missing(self) -> npt.NDArray[np.bool_]:
        """Return whether a row has no id."""
        return self.code < 0

    def take(self, rows: npt.NDArray[Any]) -> Ids:
        """Return the ids of these rows; names that none of them has are gone."""
        code = self.code[rows]
        there = np.unique(code[code >= 0])
        place = np.full(len(self.names) + 1, -1, np.int64)
        place[there] = np.arange(len(there))
        return Ids(self.names[there], place[code])

    def ordered(self, order: Int64) -> Ids:
        """Return the same ids with the names in another order."""
        place = np.empty(len(order) + 1, np.int64)
        place[order] = np.arange(len(order))
        place[-1] = -1
        return Ids(self.names[order], place[self.code])


def read_ids(column: pa.ChunkedArray, where: str, name: str) -> Ids:
    """Return the ids of a column: text as it stands, 7 and 7.0 as "7", whatever the width of the number.

    Raises:
        RecommenderError: the column holds no ids (dates, lists, bytes that are no text, fractions), or floats of a size
            at which two ids may have become one.
    """
    words = as_text(column, where, name)
    encoded = (
        words.combine_chunks().dictionary_encode() if words.num_chunks != 1 else words.chunk(0).dictionary_encode()
    )
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.combine_chunks()
    code = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    names = np.array(encoded.dictionary.to_pylist(), dtype=str)
    if names.size == 0:
        return Ids(np.empty(0, "U1"), code)
    return Ids(names, code).ordered(_natural_order(names))


def as_text(column: pa.ChunkedArray, where: str, name: str, strict: bool = True) -> pa.ChunkedArray:
    """Return ids as text, blank ones as null; with `strict` off, also what is no id, as Arrow writes it.

    Raises:
        RecommenderError: as :func:`read_ids` does, where `strict`.
    """
    kind = column.type
    if not strict and not pa.types.is_dictionary(kind):
        return column.cast(pa.large_string())
    if pa.types.is_dictionary(kind):
        column = column.cast(kind.value_type)
        kind = column.type
    if pa.types.is_floating(kind):
        column, kind = _whole(column, where, name), pa.int64()
    wrong = None
    if pa.types.is_temporal(kind) or pa.types.is_nested(kind) or pa.types.is_boolean(kind):
        wrong = f"holds {kind}, not ids"
    else:
        try:
            words = column.cast(pa.large_string())
            blank = pc.equal(pc.utf8_trim_whitespace(words), "")  # here too: it finds text that is no UTF-8
        except (pa.ArrowException, UnicodeDecodeError):
            wrong = f"holds {kind} that are no text"
    if wrong is not None:
        raise RecommenderError(where, f"column '{name}' {wrong}", "expected numbers or text")
    return pc.if_else(blank, pa.scalar(None, pa.large_string()), words)


def _whole(column: pa.ChunkedArray, where: str, name: str) -> pa.ChunkedArray:
    """Return floats as whole numbers: a table whose ids had gaps has them so."""
    values = column.cast(pa.float64()).to_numpy()
    limit = {"halffloat": 2.0**11, "float": 2.0**24}.get(str(column.type), 2.0**53)
    there = values[~np.isnan(values)]
    fractions = there != np.floor(there)
    if fractions.any():
        raise RecommenderError(
            where,
            f"column '{name}' holds {there[np.argmax(fractions)]:g}, which is no id",
            "expected whole numbers or text",
        )
    if there.size and np.abs(there).max() >= limit:
        largest = f"{np.abs(there).max():.0f}"
        wrong = f"column '{name}' holds ids as {column.type} as large as {largest}: near ones are one already"
        raise RecommenderError(where, wrong, "write them as integers or text")
    mask = np.isnan(values)
    return pa.chunked_array([pa.array(np.where(mask, 0, values).astype(np.int64), mask=mask)])


def _natural_order(names: Text) -> Int64:
    """Return the order in which whole numbers come first, by size, then words by their characters."""
    digits = np.char.isdigit(names) & (np.char.str_len(names) == np.char.str_len(np.char.encode(names, "utf-8")))
    length = np.char.str_len(names)
    plain = digits & (~np.char.startswith(names, "0") | (length == 1))
    # Numbers of equal length compare as text does, so length and text order them, however many digits they have.
    return np.lexsort((names, np.where(plain, length, 0), ~plain))
