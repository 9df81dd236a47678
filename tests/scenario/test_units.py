"""Units: a closed set, with conversion to seconds and the range that each allows."""

import pytest

from simulator.scenario.schema.units import parse_unit


@pytest.mark.parametrize(
    ("text", "factor", "canonical"),
    [
        ("ms", 0.001, "s"),
        ("min", 60, "s"),
        ("h", 3600, "s"),
        ("d", 86400, "s"),
        ("1/s", 1, "1/s"),
        ("1/min", 1 / 60, "1/s"),
        ("km/h", 1 / 3600, "km/s"),
        ("utility", 1, "utility"),
        ("1/utility^2", 1, "1/utility^2"),
        ("utility/utility", 1, "utility/utility"),
        ("goodwill/s", 1, "goodwill/s"),
        ("share", 1, "share"),
    ],
)
def test_conversion(text, factor, canonical):
    unit = parse_unit(text)
    assert unit.factor == pytest.approx(factor)
    assert unit.canonical == canonical


@pytest.mark.parametrize(
    "text", ["", "1", "mins", "sec", "s/", "/s", "s/s/s", "utility^3", "S", "1/", "%", "share/", "5 s"]
)
def test_an_unknown_unit_is_an_error(text):
    with pytest.raises(ValueError, match="expected"):
        parse_unit(text)


def test_a_near_miss_is_pointed_at():
    with pytest.raises(ValueError, match="expected min"):
        parse_unit("mins")


@pytest.mark.parametrize(
    ("text", "possible", "impossible"),
    [
        ("share", [0, 1], [-0.01, 1.01]),
        ("probability", [0.5], [2]),
        ("correlation", [-1, 1], [1.1]),
        ("s", [0, 1e9], [-1]),
        ("1/s", [0], [-1]),
        ("items", [3], [-1]),
        ("1/utility^2", [2], [-2]),
        ("utility^2", [2], [-2]),
    ],
)
def test_ranges(text, possible, impossible):
    unit = parse_unit(text)
    assert all(unit.allows(value) for value in possible)
    assert not any(unit.allows(value) for value in impossible)


@pytest.mark.parametrize("text", ["utility", "log-odds", "goodwill", "1/utility", "utility/eur"])
def test_what_may_be_negative(text):
    assert parse_unit(text).allows(-3)
