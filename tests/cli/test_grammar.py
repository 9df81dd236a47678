"""The grammar of the command line."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from simulator.cli import arguments as command_line
from simulator.errors import InputError


def test_flags_commands_and_pairs_are_told_apart():
    arguments = command_line.read_arguments(["-m", "scenario=a,b", "--debug", "recommender.neighbors=50"])
    assert arguments.flags == {"multirun", "debug"}
    assert arguments.command is None
    assert arguments.pairs == (("scenario", "a,b"), ("recommender.neighbors", "50"))
    check = command_line.read_arguments(["check", "file=odd.yaml"])
    assert (check.command, check.operands) == ("check", ("file=odd.yaml",))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--shw"], "unknown flag '--shw'; did you mean --show?"),
        (["users=1", "users=2"], "users is given twice; give it once, or -m users=1,2"),
        (["users="], "'users=' is not complete"),
        (["=3"], "'=3' is not complete"),
        (["hotel"], "did you mean scenario=hotel?"),
        (["users=3", "doctor"], "'doctor' is neither key=value"),
    ],
)
def test_words_that_make_no_sense(words, message):
    with pytest.raises(InputError) as caught:
        command_line.read_arguments(words)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("a", ["a"]),
        ("a,b , c", ["a", "b", "c"]),
        ("range(3)", ["0", "1", "2"]),
        ("range(2,4)", ["2", "3"]),
        ("range(5, 0, -2)", ["5", "3", "1"]),
        ("range(2),7", ["0", "1", "7"]),
        ("[1,2],[3]", ["[1,2]", "[3]"]),
        ("pipeline(a,b),c", ["pipeline(a,b)", "c"]),
        ("'a,b',c", ["'a,b'", "c"]),
        ('"a\\",b",c', ['"a\\",b"', "c"]),
    ],
)
def test_lists(text, values):
    assert command_line.expand_values("key", text) == values


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,,b", "has an empty part"),
        ("a,", "has an empty part"),
        ("[1,2", "does not close ]"),
        ("'a", "does not close '"),
        ("range(a)", "is no range"),
        ("range()", "is no range"),
        ("range(1,2,0)", "is no range"),
        ("range(1,2,3,4)", "is no range"),
        ("range(0)", "holds no number"),
        ("range(1000000)", "expected at most 100000"),
        ("1,2,1", "holds 1 twice"),
        ("range(3),2", "holds 2 twice"),
    ],
)
def test_broken_lists(text, message):
    with pytest.raises(InputError) as caught:
        command_line.expand_values("key", text)
    assert message in str(caught.value)


@pytest.mark.parametrize("text", ["1,2", "range(3)", "range(1)"])
def test_several_values_need_the_flag(text):
    with pytest.raises(InputError, match=r"gives several values; add -m"):
        command_line.single_settings([("seed", text)])


def test_values_are_read_by_the_strict_reader_and_names_as_they_stand():
    pairs = [
        ("users", "1e3"),
        ("recommender.scale", "1e-3"),
        ("recommender.flag", "on"),
        ("output", "2024"),
        ("horizon", "14d"),
    ]
    assert command_line.single_settings(pairs) == [
        ("users", 1000.0),
        ("recommender.scale", 0.001),
        ("recommender.flag", "on"),
        ("output", "2024"),
        ("horizon", "14d"),
    ]


def test_a_sweep_is_the_cross_product_with_the_last_key_fastest():
    runs = list(command_line.sweep_settings([("scenario", "a,b"), ("seed", "range(2)"), ("users", "10")]))
    assert [(dict(run)["scenario"], dict(run)["seed"]) for run in runs] == [("a", 0), ("a", 1), ("b", 0), ("b", 1)]
    assert all(dict(run)["users"] == 10 for run in runs)


@given(st.lists(st.from_regex(r"[a-z0-9_.:/]+", fullmatch=True), min_size=1, unique=True))
def test_joining_and_splitting_are_inverse(values):
    assert command_line.split_list(",".join(values)) == values
