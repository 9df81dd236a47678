"""What the readings of counterfactuals take from logs, on logs made by hand."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis import readings
from analysis.treatments import Pinned
from recommenders.contract import Requests
from recommenders.requests import validate_slates

DAY = 86400.0


def result(rows: list[dict[str, Any]], **more: Any) -> Any:
    frame = pd.DataFrame(rows)
    for name in ("position", "policy_version", "value", "case"):
        if name not in frame:
            frame[name] = np.nan if name == "value" else 1
    return SimpleNamespace(truth=frame, **more)


def test_orders_per_impression_need_no_log():
    counted = SimpleNamespace(manifest={"events": {"impression": 200, "order": 5}})
    assert readings.sales(counted) == {"order_per_impression": 0.025}
    assert readings.sales(SimpleNamespace(manifest={"events": {}})) == {"order_per_impression": 0.0}
    assert set(readings.READINGS) > readings.WITHOUT_LOGS


def test_the_first_seekers_are_followed_and_only_where_an_answer_is_due():
    rows = [{"user": 0, "case": c, "event": "apply", "time": c * DAY} for c in range(4)]
    rows += [
        {"user": 0, "case": 0, "event": "shortlisted", "time": 9 * DAY},
        {"user": 0, "case": 0, "event": "hired", "time": 30 * DAY},
        {"user": 0, "case": 1, "event": "rejected", "time": 9 * DAY},
        {"user": 0, "case": 2, "event": "ghosted", "time": 33 * DAY},
        {"user": 0, "case": 9, "event": "apply", "time": 70 * DAY},  # too young
        {"user": readings.SEEKERS, "case": 0, "event": "apply", "time": 0.0},  # somebody else
        {"user": 0, "case": 10, "event": "rejected", "time": 80 * DAY},
    ]
    found = readings.first_seekers(result(rows))
    assert found == {"seekers_shortlisted": 0.25, "seekers_hired": 0.25, "seekers_unheard": 0.5}


@pytest.mark.parametrize(("first", "expected"), [(7, -2.0), (8, 0.0)])
def test_the_crowded_one_is_what_most_slates_begin_with(first, expected):
    """Item 7 falls from 5 stars to 3; item 8 keeps its 4."""
    rows: list[dict[str, Any]] = [{"event": "impression", "item": 1, "position": 0, "time": 0.0, "policy_version": 0}]
    for time in (10.0, 20.0, 29.0, 31.0):
        rows.append({"event": "impression", "item": first, "position": 0, "time": time, "policy_version": 1})
        others = {"event": "impression", "position": 3, "time": time, "policy_version": 1}
        rows += [{**others, "item": item} for item in (7, 8)]
    for item, early, late in ((7, 5.0, 3.0), (8, 4.0, 4.0)):
        rows.append({"event": "rate", "item": item, "value": early, "position": 1, "time": 12.0, "policy_version": 1})
        rows.append({"event": "rate", "item": item, "value": late, "position": 1, "time": 30.0, "policy_version": 1})
    assert readings.crowded(result(rows))["crowded_rating_change"] == expected


def test_without_one_that_is_first_all_say_how_an_ordinary_one_fares():
    rows: list[dict[str, Any]] = []
    for k, time in enumerate((10.0, 20.0, 29.0, 31.0)):
        rows.append({"event": "impression", "item": k, "position": 0, "time": time, "policy_version": 1})
    rows.append({"event": "order", "item": 3, "position": 0, "time": 11.0, "policy_version": 1})
    found = readings.crowded(result(rows))
    assert (found["crowded_order_first"], found["crowded_order_last"]) == (1.0, 0.0)


def test_what_was_opened_most_is_pinned():
    log = SimpleNamespace(
        item=np.array([1, 4, 4, 2, 2, 2]), event=np.array([1, 1, 1, 0, 0, 0]), names={"event": ["impression", "open"]}
    )
    pinned = Pinned(seed=1)
    pinned.fit(log, None)  # type: ignore[arg-type]  # it looks at events and items only
    other = Pinned(seed=1)
    other.restore(pinned.state())
    n, none = 3, np.zeros(3, np.uint8)
    asked = Requests(
        key=np.arange(n, dtype=np.uint64), user=np.arange(n, dtype=np.uint32), session=np.zeros(n, np.uint32),
        request=np.ones(n, np.uint32), time=np.zeros(n), surface=none, device=none, stage=none,
        recent_start=np.zeros(n + 1, np.int64), recent_items=np.zeros(0, np.int32),
        events_item=np.zeros((n, 0), np.int32), events_value=np.zeros((n, 0), np.float32),
        candidates=np.arange(6, dtype=np.int32), slate_size=4,
    )  # fmt: skip
    slates = other.recommend(asked)
    validate_slates(slates, asked, 6, "pinned")
    assert (slates.items[:, 0] == 4).all()
    assert len(set(map(tuple, slates.items[:, 1:]))) > 1
    elsewhere = other.recommend(replace(asked, candidates=np.arange(4, dtype=np.int32)))
    assert not (elsewhere.items == 4).any()
