"""Requests, and the check of the slates that answer them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from recommenders.contract import RecommenderError, Slates, compressed, sealed, validate_slates
from tests.recommenders.little import ask

REQUESTS = ask(10, users=(0, 1), slate_size=3, candidates=(1, 2, 3, 5))


def slates(*rows: list[int]) -> Slates:
    return Slates(np.array(rows, np.int32))


def test_good_slates_pass():
    validate_slates(slates([1, 2, 3], [5, 3, 2]), REQUESTS, 10, "x")
    few = replace(REQUESTS, candidates=np.array([4], np.int32))
    validate_slates(slates([4, -1, -1], [4, -1, -1]), few, 10, "x")


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (slates([1, 2], [3, 5]), r"recommender x: its slates have shape \(2, 2\); expected \(2, 3\)"),
        (Slates(np.ones((2, 3))), "its slates are float64; expected int32"),
        (slates([1, 2, 3], [5, 3, 10]), r"request 1 of the batch got item 10; items are 0 ... 9"),
        (slates([1, -1, 3], [5, 3, 2]), "request 0 of the batch got item -1"),
        (slates([1, 2, 3], [5, 3, 4]), "request 1 of the batch got item 4; it is not a candidate"),
        (slates([1, 2, 3], [5, 3, 5]), "request 1 of the batch got item 5 twice"),
        (Slates(slates([1, 2, 3], [5, 3, 2]).items, np.ones((2, 2))), "its propensities have shape"),
        (Slates(slates([1, 2, 3], [5, 3, 2]).items, np.full((2, 3), 1.5)), r"a propensity is outside \(0, 1\]"),
        (Slates(slates([1, 2, 3], [5, 3, 2]).items, np.full((2, 3), np.nan)), r"a propensity is outside \(0, 1\]"),
    ],
)
def test_each_kind_of_wrong_slate_has_its_message(wrong, message):
    with pytest.raises(RecommenderError, match=message):
        validate_slates(wrong, REQUESTS, 10, "x")


def test_places_without_candidates_stay_empty():
    few = replace(REQUESTS, candidates=np.array([4], np.int32))
    with pytest.raises(RecommenderError, match=r"fills more places than there are candidates \(1\)"):
        validate_slates(slates([4, -1, -1], [4, 4, -1]), few, 10, "x")


def test_requests_refuse_arrays_of_wrong_type_or_length():
    with pytest.raises(RecommenderError, match=r"requests.user: is int64"):
        replace(REQUESTS, user=np.zeros(2, np.int64))
    with pytest.raises(RecommenderError, match=r"requests.recent_start: is int64 of shape"):
        replace(REQUESTS, recent_start=np.zeros(2, np.int64), recent_items=np.zeros(0, np.int32))
    with pytest.raises(RecommenderError, match=r"requests.recent_items: is int64"):
        replace(REQUESTS, recent_start=np.zeros(3, np.int64), recent_items=np.zeros(0, np.int64))
    with pytest.raises(RecommenderError, match=r"requests.events_value: has shape"):
        replace(REQUESTS, events_value=np.zeros((2, 7), np.float32))
    with pytest.raises(RecommenderError, match=r"requests.candidates: is int64"):
        replace(REQUESTS, candidates=np.zeros(2, np.int64))
    with pytest.raises(RecommenderError, match=r"requests.slate_size: is 0"):
        replace(REQUESTS, slate_size=0)


def test_what_was_lately_sent_is_a_matrix_too_and_goes_with_its_rows():
    start, items = compressed(np.array([[-1, 4, -1], [-1, -1, -1], [3, 1, 2]], np.int32))
    three = replace(ask(6, users=(0, 1, 2)), recent_start=start, recent_items=items)
    assert three.recently_shown.tolist() == [[4, -1, -1], [-1, -1, -1], [3, 1, 2]]
    for rows, expected in (
        (slice(1, 3), [[-1, -1, -1], [3, 1, 2]]),
        (np.array([2, 0, 2]), [[3, 1, 2], [4, -1, -1], [3, 1, 2]]),
    ):
        assert three.take(rows).recently_shown.tolist() == expected


@pytest.mark.parametrize(("old", "new"), [("recent", "recently_shown"), ("about", "anchor_item")])
def test_an_old_name_can_be_read_for_one_version_and_warns_once(old, new, monkeypatch):
    monkeypatch.setattr("recommenders.contract.requests._WARNED", set())
    with pytest.warns(FutureWarning, match=f"requests.{old} is requests.{new} now") as said:
        read = [getattr(each, old) for each in (REQUESTS, REQUESTS.take(slice(0, 1)))]
    assert len(said) == 1
    assert read[0] is getattr(REQUESTS, new)
    assert len(read[1]) == 1
    assert said[0].filename == __file__
    with pytest.raises(AttributeError):
        setattr(REQUESTS, old, getattr(REQUESTS, new))


def test_a_part_is_what_would_be_taken_but_for_its_candidates():
    start, items = compressed(np.array([[-1, 4, -1], [-1, -1, -1], [3, 1, 2]], np.int32))
    three = replace(ask(6, users=(0, 1, 2)), recent_start=start, recent_items=items)
    few = sealed(np.array([1, 4], np.int32))
    part, taken = three.part(1, 3, few, 5), three.take(slice(1, 3))
    assert part.candidates is few
    assert (len(part), part.slate_size, part.filled) == (2, 5, 2)
    for name, array in part.arrays().items():
        assert not array.flags.writeable, name
        if name != "candidates":
            assert np.array_equal(array, taken.arrays()[name], equal_nan=array.dtype.kind == "f")
            assert array.dtype == taken.arrays()[name].dtype
    assert part.recently_shown.tolist() == [[-1, -1, -1], [3, 1, 2]]
    assert replace(part, slate_size=1).slate_size == 1  # and is as good as any other


def test_taking_rows_keeps_candidates():
    one = REQUESTS.take(np.array([1]))
    assert len(one) == 1
    assert one.user.tolist() == [1]
    assert one.candidates is REQUESTS.candidates
