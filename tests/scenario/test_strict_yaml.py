"""The strict reader: PyYAML's traps are closed, and what is wrong is said with file and line."""

import math
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from simulator.errors import InputError
from simulator.scenario.strict_yaml import load_yaml, parse_value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", 0.001),
        ("1E5", 1e5),
        ("-.5", -0.5),
        ("1.", 1.0),
        ("12:30", "12:30"),
        ("2024-01-31", "2024-01-31"),
        ("1_000", "1_000"),
        ("on", "on"),
        ("off", "off"),
        ("yes", "yes"),
        ("no", "no"),
        ("n", "n"),
        ("true", True),
        ("False", False),
        ("null", None),
        ("", None),
        ("0", 0),
        ("-7", -7),
        ("0x1F", 31),
        ("'010'", "010"),
        ("14d", "14d"),
        ("news,audio", "news,audio"),
        ("my_package.models:MyRecommender", "my_package.models:MyRecommender"),
        ("./hotel.yaml", "./hotel.yaml"),
        ("[1, 1e-3, on]", [1, 0.001, "on"]),
    ],
)
def test_a_value_means_what_it_looks_like(text, value):
    read = parse_value(text)
    assert read == value
    assert type(read) is type(value)


def test_numbers_that_are_not_finite():
    assert parse_value(".inf") == math.inf
    assert parse_value("-.inf") == -math.inf
    assert math.isnan(parse_value(".nan"))


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_float_comes_back_exactly(value):
    assert parse_value(repr(value)) == value
    assert isinstance(parse_value(repr(value)), float)


@given(st.integers(min_value=-(10**30), max_value=10**30))
def test_every_whole_number_comes_back_exactly(value):
    assert parse_value(str(value)) == value


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("010", "octal"),
        ("-007", "octal"),
        ("{a: 1, b: 2, a: 3}", "key 'a' is repeated"),
        ("{a: {x: 1, x: 1}}", "key 'x' is repeated"),
        ("{1: 2}", "key 1 is not a text"),
        ("{[1]: 2}", "is not a text"),
        ("!!int 3", "tag"),
        ("!!python/object/apply:os.system [ls]", "tag"),
        ("{a: &x 1, <<: {b: 2}}", "merge key"),
        ("&x [*x]", "alias"),
        ("{a: &a [1], b: &b [*a, *a]}", "alias"),
        ("*x", "undefined alias"),
        ("[1", "expected"),
        ("@x", "@"),
        ("1" * 60, "60 characters"),
        ("[" * 3000, "levels deep"),
        ("\x00", "character"),
    ],
)
def test_what_could_be_misread_is_an_error(text, message):
    with pytest.raises(InputError, match=r"users=\?:") as error:
        parse_value(text, where="users=?")
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_an_alias_that_only_repeats_a_value_is_harmless():
    assert parse_value("{a: &soon {lag: 1}, b: *soon}") == {"a": {"lag": 1}, "b": {"lag": 1}}


@given(st.text(max_size=60))
def test_any_text_gives_a_value_or_one_clear_line(text):
    try:
        parse_value(text)
    except InputError as error:
        lines = str(error).splitlines()
    else:
        lines = ["a value"]
    assert len(lines) == 1


def write(folder: Path, content: bytes) -> Path:
    path = folder / "x.yaml"
    path.write_bytes(content)
    return path


def test_a_repeated_key_is_named_with_file_and_line(tmp_path):
    path = write(tmp_path, b"a: 1\nb: 2\n\na: 3\n")
    with pytest.raises(InputError) as error:
        load_yaml(path)
    assert str(error.value) == f"{path}, line 4: key 'a' is repeated; expected every key once"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a: [1\n", "line 2"),
        (b"a: 1\n b: 2\n", "line 2"),
        (b"a: \xff\n", "byte 3 is not UTF-8"),
        (b"", "holds nothing"),
        (b"- 1\n", "holds a list"),
        (b"a: 1\n---\nb: 2\n", "line 2"),
        (b"a: 1\nb: \x07\n", "line 2"),
    ],
)
def test_a_broken_file_is_one_clear_line(tmp_path, content, message):
    path = write(tmp_path, content)
    with pytest.raises(InputError) as error:
        load_yaml(path)
    assert str(error.value).startswith(str(path))
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_a_missing_file_and_a_folder(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        load_yaml(tmp_path / "nothing.yaml")
    with pytest.raises(InputError, match="is a folder"):
        load_yaml(tmp_path)


def test_a_byte_order_mark_is_no_part_of_the_first_key(tmp_path):
    assert load_yaml(write(tmp_path, b"\xef\xbb\xbfa: 1\n")) == {"a": 1}
