"""Text files of any separator are read as they are written, or the line that does not fit is named."""

from __future__ import annotations

import pytest

from recommenders.contract.errors import RecommenderError
from recommenders.data.text import Dialect, read_text


def read(text, **said):
    content = text if isinstance(text, bytes) else text.encode()
    return read_text(content, Dialect(**said), "file")[0].to_pylist()


@pytest.mark.parametrize("sep", ["\t", ",", ";", "|", "::", " ", "   "])
def test_separators_are_found_out(sep):
    rows = [("user", "item", "rating"), ("007", "NA", "4"), ("-1", "null", "3.5")]
    text = "\n".join(sep.join(row) for row in rows)
    expected = [{"user": "007", "item": "NA", "rating": "4"}, {"user": "-1", "item": "null", "rating": "3.5"}]
    assert read(text) == expected
    assert read(text.replace("\n", "\r\n") + "\r\n\r\n") == expected
    assert read("﻿" + text) == expected
    assert read("\n".join(text.splitlines()[1:]), names=("user", "item", "rating")) == expected
    assert read(text, names=("user", "item", "rating")) == expected, "a line of names above numbers is no row"


def test_quotes_are_characters_between_tabs_and_quotes_between_commas():
    assert read('user\titem\n1\t"Weird Al\n2\t5" disk\n') == [
        {"user": "1", "item": '"Weird Al'}, {"user": "2", "item": '5" disk'}
    ]  # fmt: skip
    assert read('user,item\n1,"a, ""b""\nc"\n2,\n') == [
        {"user": "1", "item": 'a, "b"\nc'}, {"user": "2", "item": None}
    ]  # fmt: skip
    assert read('user,item\n1,"Al\n', quote=False) == [{"user": "1", "item": '"Al'}]


def test_a_comma_in_a_field_of_a_semicolon_file_is_no_separator():
    assert read("user;item;rating\na;x;1,5\nb;y;2,5\n")[0] == {"user": "a", "item": "x", "rating": "1,5"}


def test_latin_1_and_utf_16_are_read_and_said():
    text = "user,item\n1,café\n"
    table, notes = read_text(text.encode("latin-1"), Dialect(), "file")
    assert (table.to_pylist(), notes) == ([{"user": "1", "item": "café"}], ["is not in UTF-8: read as Latin-1"])
    assert read(text.encode("utf-16")) == [{"user": "1", "item": "café"}]


@pytest.mark.parametrize(
    ("text", "said", "says"),
    [
        ("user,item\n1,2\n\n1,2,3\n", {}, "line 4: 3 fields where the others have 2"),
        ("user\titem\n1\t2\n1\n", {}, "line 3: 1 fields where the others have 2"),
        ("user::item\n1::2\n1::2::3\n", {}, "line 3: 3 fields"),
        ('user,item\n1,"a"b\n', {}, "line 2: .*expected quotes around whole fields"),
        ('user,item\n1,"a\n2,b\n', {}, "line 3: .*expected quotes around whole fields"),
        ("196\t242\t3\n186\t302\t3\n", {}, "has no line of names: the first is 196, 242, 3; say what its columns are"),
        ("1,2\n", {"names": ("user",)}, "line 1 has 2 fields, and 1 columns are named"),
        ("user,user\n1,2\n", {}, "has two columns 'user'"),
        ("user,item\n1,\0\n", {}, "is no text"),
        ("\n\n", {}, "has no rows"),
    ],
)
def test_what_does_not_fit_is_named(text, said, says):
    with pytest.raises(RecommenderError, match=says):
        read(text, **said)
