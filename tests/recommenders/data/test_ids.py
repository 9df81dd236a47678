"""Ids are names, whatever type a table has them in."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from recommenders.contract.errors import RecommenderError
from recommenders.data.ids import read_ids


def named(values, kind=None):
    ids = read_ids(pa.chunked_array([pa.array(values, kind)]), "file", "user")
    return [str(ids.names[code]) if code >= 0 else None for code in ids.code]


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([7, 0, None], pa.int8()), ([7, 0, None], pa.uint64()), ([7.0, 0.0, None], pa.float64()),
        ([7.0, 0.0, float("nan")], pa.float32()), (["7", "0", None], pa.string()), (["7", "0", " "], pa.large_string()),
        ([b"7", b"0", None], pa.binary()),
    ],
)  # fmt: skip
def test_one_id_has_one_name_in_every_type(values, kind):
    assert named(values, kind) == ["7", "0", None]


def test_ids_stay_as_they_are_written():
    assert named(["007", "7", "NA", "null", "None", "nan", "-1", "1e3"]) == [
        "007",
        "7",
        "NA",
        "null",
        "None",
        "nan",
        "-1",
        "1e3",
    ]
    assert named([2**64 - 1, 2**64 - 2], pa.uint64()) == ["18446744073709551615", "18446744073709551614"]
    assert named([-(2**63)], pa.int64()) == ["-9223372036854775808"]


def test_numbers_come_first_by_size_then_words():
    ids = read_ids(pa.chunked_array([["b", "10", "9", "a", "010", "²", "123456789012345678901"]]), "file", "user")
    assert ids.names.tolist() == ["9", "10", "123456789012345678901", "010", "a", "b", "²"]


@pytest.mark.parametrize(
    ("values", "kind", "says"),
    [
        ([1.5], pa.float64(), "holds 1.5, which is no id"),
        ([2.0**53], pa.float64(), "near ones are one already"),
        ([2.0**24], pa.float32(), "near ones are one already"),
        ([b"\xff"], pa.binary(), "holds binary that are no text"),
        ([0], pa.timestamp("s"), "not ids"),
        ([True], pa.bool_(), "not ids"),
    ],
)
def test_what_is_no_id_is_refused(values, kind, says):
    with pytest.raises(RecommenderError, match=says):
        named(values, kind)


def test_ids_that_no_row_has_are_gone():
    ids = read_ids(pa.chunked_array([["a", "b", None, "c"]]), "file", "user").take(np.array([0, 3]))
    assert (ids.names.tolist(), ids.code.tolist()) == (["a", "c"], [0, 1])
