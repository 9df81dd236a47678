"""Times of any form are the same seconds; what unit they are in is found out and said, or asked for."""

from __future__ import annotations

import datetime

import numpy as np
import pyarrow as pa
import pytest

from recommenders.contract.errors import RecommenderError
from recommenders.data.durations import likely_unit, read_durations
from recommenders.data.times import read_times

SECONDS = np.array([1_551_398_400.0, 1_551_484_799.25, 1_569_801_600.5])
MICROS = (SECONDS * 1e6).astype(np.int64)
MOMENTS = [datetime.datetime.fromtimestamp(s, datetime.UTC) for s in SECONDS]


def column(values, kind=None):
    return pa.chunked_array([pa.array(values, kind)])


def texts(form):
    return column([form(moment) for moment in MOMENTS], pa.large_string())


FORMS = {
    "seconds": column(SECONDS),
    "milliseconds": column(MICROS // 1000),
    "microseconds": column(MICROS),
    "nanoseconds": column(MICROS * 1000),
    "text of seconds": column([f"{s:.2f}" for s in SECONDS], pa.large_string()),
    "text of nanoseconds": column([str(m * 1000) for m in MICROS], pa.large_string()),
    "timestamps in UTC": column(MOMENTS, pa.timestamp("ns", "UTC")),
    "timestamps elsewhere": column(MOMENTS, pa.timestamp("us", "America/Sao_Paulo")),
    "timestamps without a zone": column([m.replace(tzinfo=None) for m in MOMENTS], pa.timestamp("ms")),
    "ISO": texts(lambda m: m.isoformat()),
    "ISO, Z": texts(lambda m: m.isoformat().replace("+00:00", "Z")),
    "ISO, elsewhere": texts(lambda m: m.astimezone(datetime.timezone(datetime.timedelta(hours=-3))).isoformat()),
    "the word UTC": texts(lambda m: m.strftime("%Y-%m-%d %H:%M:%S.%f UTC")),
    "month first": texts(lambda m: m.strftime("%m/%d/%Y %H:%M:%S.%f")),
    "categories": column([m.isoformat() for m in MOMENTS]).dictionary_encode(),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_the_same_seconds(form):
    times = read_times(FORMS[form], None, "file", "t")
    np.testing.assert_array_equal(times.seconds, SECONDS)
    assert times.said().endswith("2019-03-01 to 2019-09-30, UTC")


@pytest.mark.parametrize(
    ("values", "unit", "seconds"),
    [
        ([20190301, 20190302], None, [1551398400, 1551484800]),
        ([20190301000001, 20190302000000], None, [1551398401, 1551484800]),
        (["01/03/2019", "02/03/2019"], "day-first", [1551398400, 1551484800]),
        (["3/1/2019 12:00:01 AM", "3/2/2019 12:00:00 AM"], None, [1551398401, 1551484800]),
        ([1500, 2567], "ms", [1.5, 2.567]),
        ([2, 3], "d", [172800, 259200]),
        ([0, 5000], None, [0, 5000]),
    ],
)
def test_other_forms(values, unit, seconds):
    assert read_times(column(values), unit, "file", "t").seconds.tolist() == seconds


def test_missing_times_are_missing():
    for values in (["2019-03-01", None], ["2019-03-01", " "], [1551398400, None], [1551398400.0, float("nan")]):
        assert read_times(column(values), None, "file", "t").missing.tolist() == [False, True]


@pytest.mark.parametrize(
    ("values", "unit", "says"),
    [
        (["soon", "later"], None, "'t' holds 'soon'; expected numbers or dates"),
        (["2019-03-01", "1551398400"], None, "expected numbers or dates"),
        (["13/03/2019", "14/03/2019"], None, "no month first; say so: columns.time.unit=day-first"),
        (["03/13/2019"], "day-first", "no month second; say so: columns.time.unit=month-first"),
        (["01.03.2019"], None, "say what comes first"),
        ([1551398400, 1551398400000], None, "1 rows are seconds since 1970, others milliseconds"),
        ([5 * 10**10], None, "a time of no known unit; say which"),
        ([1551398400], "day-first", "holds numbers, not dates"),
        ([float("inf")], None, "holds infinity"),
        ([True], None, "holds bool"),
    ],
)
def test_what_is_no_time_is_said(values, unit, says):
    with pytest.raises(RecommenderError, match=says.replace("(", r"\(")):
        read_times(column(values), unit, "file", "t")


def test_a_name_that_says_another_unit_than_the_size_is_asked_about():
    with pytest.raises(
        RecommenderError, match=r"would be seconds since 1970; say which it is: columns\.time\.unit=ms or s"
    ):
        read_times(column([1551398400]), None, "file", "time_ms")
    assert read_times(column([1500]), None, "file", "time_ms").seconds.tolist() == [1.5]


def test_durations_are_seconds_and_unlikely_ones_are_known():
    assert read_durations(column([1500]), None, "file", "duration_ms")[0].tolist() == [1.5]
    assert read_durations(column(["1.5", ""]), "min", "file", "d")[0][0] == 90
    seconds, unit, said = read_durations(column([15000, 9000]), None, "file", "duration")
    assert (seconds.tolist(), unit, said) == ([15000, 9000], "seconds", False)
    usual = np.array([3.0, 600.0])
    assert likely_unit(seconds, usual) == "ms"
    assert likely_unit(seconds * 1000, usual) == "us"
    assert likely_unit(seconds / 1000, usual) is None
    assert likely_unit(np.array([7200.0]) * 1e9, usual) is None
    for values, says in ((["long"], "not numbers"), ([-1.0], "row 0 is -1"), ([float("inf")], "row 0 is inf")):
        with pytest.raises(RecommenderError, match=says):
            read_durations(column(values), None, "file", "d")
