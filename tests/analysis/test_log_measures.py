"""What the readings of counterfactuals take from logs, on logs made by hand."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd

from analysis import log_measures as log_measures
from analysis.interventions import Pinned
from recommenders.contract import Requests, validate_slates

DAY = 86400.0


def result(rows: list[dict[str, Any]], **more: Any) -> Any:
    frame = pd.DataFrame(rows)
    for name in ("position", "policy_version", "value", "case"):
        if name not in frame:
            frame[name] = np.nan if name == "value" else 1
    return SimpleNamespace(truth=frame, **more)


def test_orders_per_impression_need_no_log():
    counted = SimpleNamespace(manifest={"events": {"impression": 200, "order": 5}})
    assert log_measures.sales(counted) == {"order_per_impression": 0.025}
    assert log_measures.sales(SimpleNamespace(manifest={"events": {}})) == {"order_per_impression": 0.0}
    assert set(log_measures.READINGS) > log_measures.WITHOUT_LOGS


def test_the_first_seekers_are_followed_and_only_where_an_answer_is_due():
    rows = [{"user": 0, "case": c, "event": "apply", "time": c * DAY} for c in range(4)]
    rows += [
        {"user": 0, "case": 0, "event": "shortlisted", "time": 9 * DAY},
        {"user": 0, "case": 0, "event": "hired", "time": 30 * DAY},
        {"user": 0, "case": 1, "event": "rejected", "time": 9 * DAY},
        {"user": 0, "case": 2, "event": "ghosted", "time": 33 * DAY},
        {"user": 0, "case": 9, "event": "apply", "time": 70 * DAY},  # too young
        {"user": log_measures.SEEKERS, "case": 0, "event": "apply", "time": 0.0},  # somebody else
        {"user": 0, "case": 10, "event": "rejected", "time": 80 * DAY},
    ]
    found = log_measures.first_seekers(result(rows))
    assert found == {"seekers_shortlisted": 0.25, "seekers_hired": 0.25, "seekers_unheard": 0.5}


def test_the_crowded_one_is_what_most_slates_begin_with():
    """Item 7, of 5 stars and then 3, and not item 8, which is shown as often and rated 1."""
    rows: list[dict[str, Any]] = [{"event": "impression", "item": 8, "position": 0, "time": 0.0, "policy_version": 0}]
    for time in (10.0, 20.0, 29.0, 31.0):
        of_slate = {"time": time, "policy_version": 1}
        rows.append({"event": "impression", "item": 7, "position": 0, **of_slate})
        rows.append({"event": "impression", "item": 8, "position": 3, **of_slate})
        rows.append({"event": "done", "item": 7, "position": 0, "value": time, **of_slate})
    for item, early, late in ((7, 5.0, 3.0), (8, 1.0, 1.0)):
        rows.append({"event": "rate", "item": item, "value": early, "position": 1, "time": 12.0, "policy_version": 1})
        rows.append({"event": "rate", "item": item, "value": late, "position": 1, "time": 30.0, "policy_version": 1})
    for time, place in ((11.0, 0), (30.0, 0), (30.0, 3)):  # too early, counted, not from the first place
        rows.append({"event": "order", "item": 7, "position": place, "time": time, "policy_version": 1})
    found = log_measures.crowded(result(rows))
    assert found == {"crowded_rating": 4.0, "crowded_seconds": 22.5, "crowded_orders": 0.5}


def requests_of(n: int) -> Requests:
    """n requests, by one user each, for four of six items."""
    none = np.zeros(n, np.uint8)
    return Requests(
        key=np.arange(n, dtype=np.uint64), user=np.arange(n, dtype=np.uint32), session=np.zeros(n, np.uint32),
        request=np.ones(n, np.uint32), time=np.zeros(n), surface=none, device=none, stage=none,
        recent_start=np.zeros(n + 1, np.int64), recent_items=np.zeros(0, np.int32),
        events_item=np.zeros((n, 0), np.int32), events_value=np.zeros((n, 0), np.float32),
        candidates=np.arange(6, dtype=np.int32), slate_size=4,
    )  # fmt: skip


def test_what_was_opened_most_is_pinned():
    log = SimpleNamespace(
        item=np.array([1, 4, 4, 2, 2, 2]), event=np.array([1, 1, 1, 0, 0, 0]), names={"event": ["impression", "open"]}
    )
    pinned = Pinned(seed=1)
    pinned.fit(log, None)  # type: ignore[arg-type]  # it looks at events and items only
    other = Pinned(seed=1)
    other.restore(pinned.state())
    asked = requests_of(3)
    slates = other.recommend(asked)
    validate_slates(slates, asked, 6, "pinned")
    assert (slates.items[:, 0] == 4).all()
    assert len(set(map(tuple, slates.items[:, 1:]))) > 1
    some = Pinned(seed=1, share=0.3)
    some.restore(pinned.state())
    firsts = (some.recommend(requests_of(900)).items[:, 0] == 4).mean()
    assert abs(firsts - (0.3 + 0.7 / 6)) < 0.06  # where it is not pinned it is first as often as any other
    elsewhere = other.recommend(replace(asked, candidates=np.arange(4, dtype=np.int32)))
    assert not (elsewhere.items == 4).any()
