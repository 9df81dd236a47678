"""Readings of targets, on logs of a few rows that are counted by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from pydantic import TypeAdapter

from analysis.fidelity.readings import READERS, Log, read
from simulator.scenario.schema.platform import Label
from simulator.scenario.schema.readings import READINGS, MeasureReading, Reading

NO = None
H, D = 3600.0, 86400.0
ITEMS = pd.DataFrame({"type": [0, 1, 0], "duration": [10.0, 20.0, 40.0], "published_at": [0.0, 100.0, 400.0]})


def log(*rows, horizon: float = 1000.0, **more) -> Log:
    """Make a log of rows (time, user, session, case, item, event, value, device)."""
    names = ["time", "user", "session", "case", "item", "event", "value", "device"]
    frame = pd.DataFrame([(*row, *("phone",) * (8 - len(row))) for row in rows], columns=names)
    whole = dict.fromkeys(("user", "session", "case", "item"), "UInt32")
    frame = frame.astype({**whole, "event": "category", "device": "category", "value": "float32"})
    return Log(frame, ITEMS, ["song", "talk"], horizon, **more)


def reading(name: str, **given):
    return TypeAdapter(Reading).validate_python({"reading": name, **given})


PLAYS = log(
    (1, 0, 0, 0, 0, "skip", 4.0),
    (2, 0, 0, 1, 0, "complete", 10.0),
    (3, 0, 0, 2, 1, "complete", 30.0),
    (4, 1, 0, 0, 2, "skip", 8.0, "pc"),
    (4, 1, 0, 0, 2, "like", 1.0, "pc"),
    (9, 1, 0, NO, NO, "leave", NO, "pc"),
    (9, 2, 0, 0, 0, "skip", 2.0),
    (9, 2, 0, 0, 0, "hate", NO),
)  # fmt: skip
CASES = log(
    (0, 0, 0, NO, 0, "cart", NO),
    (10, 0, 0, 0, 0, "order", 5.0),
    (20, 0, 0, 0, 0, "picked", NO),
    (70, 0, 0, 0, 0, "there", NO),
    (110, 0, 0, 0, 0, "done", NO),
    (200, 0, 0, 0, 0, "rate", 2.0),
    (300, 0, 1, NO, 0, "cart", NO),  # after what was bought: nothing follows
    (10, 1, 0, 0, 1, "order", 5.0, "pc"),
    (40, 1, 0, 0, 1, "picked", NO, "pc"),
    (240, 1, 0, 0, 1, "there", NO, "pc"),
    (310, 1, 0, 0, 1, "done", NO, "pc"),
    (400, 1, 0, 0, 1, "rate", 5.0, "pc"),
    (910, 2, 0, 0, 0, "order", 5.0),
    (920, 2, 1, NO, 2, "cart", NO),
    late=pd.DataFrame({"user": [0, 1], "case": [0, 0], "late": [True, False]}),
)  # fmt: skip
SEEN = log(
    (0, 0, 0, 0, 0, "peek", NO), (1, 0, 0, 0, 1, "peek", NO), (2, 0, 0, 0, 2, "peek", NO), (3, 0, 0, 0, 0, "take", NO),
    (4, 1, 0, 0, 0, "peek", NO), (5, 1, 0, 0, 1, "peek", NO), (6, 1, 0, 0, 0, "take", NO), (7, 1, 0, 0, 1, "take", NO),
    modalities=["price", "photo"],
)  # fmt: skip
SEEN.truth["visible"] = np.array(
    [3, 1, 1, 0, 1, 1, 0, 0], dtype=np.uint32
)  # item 0 has a photo, though not on each screen
ENDED = {"events": ["skip"], "of": ["skip", "complete"]}


@pytest.mark.parametrize(
    ("given", "said", "right"),
    [
        (PLAYS, reading("share", **ENDED), 3 / 5),
        (PLAYS, reading("share", **ENDED, within="4s"), 2 / 5),
        (PLAYS, reading("share", **ENDED, types=["song"]), 3 / 4),
        (PLAYS, reading("share", **ENDED, devices=["pc"]), 1.0),
        (PLAYS, reading("share", **ENDED, per_visit=[2, 3]), 1 / 3),
        (PLAYS, reading("rate", **ENDED), 3 / 54),
        (PLAYS, reading("visits_with", events=["complete"]), 1 / 3),
        (PLAYS, reading("visits_with", events=["skip"], devices=["pc"]), 1.0),
        (PLAYS, reading("played", events=["skip", "complete"], quantile=0.5), 0.4),  # of 0.4, 1, 1.5, 0.2, 0.2
        (PLAYS, reading("played", events=["skip", "complete"], above=1.0), 1 / 5),
        (PLAYS, reading("played", events=["skip", "complete"], given=["like"], quantile=0.5), 0.2),
        (PLAYS, reading("age", events=["complete"], quantile=0.5), (2 + 3 - 100) / 2),
        (SEEN, reading("lift", events=["take"], of=["peek"], modality="photo"), (2 / 2) / (1 / 3)),
        (CASES, reading("followed", events=["order"], by=["rate"]), 2 / 3),
        (CASES, reading("followed", events=["order"], by=["rate"], after="100s"), 1.0),
        (CASES, reading("followed", events=["order"], by=["rate"], gives="none"), 1 / 3),
        (CASES, reading("followed", events=["order"], by=["rate"], gives="per"), 3 / 2),
        (CASES, reading("followed", events=["order"], by=["rate"], types=["talk"]), 1.0),
        (CASES, reading("followed", events=["cart"], by=["order"], along="item", gives="none"), 2 / 3),
        (CASES, reading("mean", events=["rate"]), 3.5),
        (CASES, reading("mean", events=["rate"], late=True), 2.0),
        (CASES, reading("mean", events=["rate"], late=False), 5.0),
        (CASES, reading("delay", begins=["order"], ends=["done"]), 200.0),
        (CASES, reading("delay", begins=["order"], ends=["done"], quantile=0.75), 250.0),
        (CASES, reading("delay", begins=["order"], ends=["picked", "done"]), 20.0),  # the first that comes
        (CASES, reading("delay", begins=["order"], ends=["done"], devices=["pc"]), 300.0),
        (CASES, reading("delay", begins=["cart"], ends=["order"], along="item"), 10.0),
        (CASES, reading("delay", begins=["order"], ends=["done"], after="995s"), np.nan),
        (CASES, reading("time_share", begins="picked", ends="there", of=["order", "done"]), (50 + 200) / (100 + 300)),
        (CASES, reading("items", attribute="duration", quantile=0.5), 20.0),
        (PLAYS, reading("share", events=["order"], of=["order"]), np.nan),
        (PLAYS, reading("rate", events=["order"], of=["order"]), np.nan),
        (PLAYS, reading("followed", events=["order"], by=["rate"]), np.nan),
        (CASES, reading("followed", events=["order"], by=["like"], gives="per"), np.nan),
        (PLAYS, reading("time_share", begins="skip", ends="hate", of=["order", "done"]), np.nan),
    ],
)  # fmt: skip
def test_a_reading_is_what_is_counted_by_hand(given, said, right):
    assert read(given, said) == pytest.approx(right, rel=1e-6, nan_ok=True)


def test_ages_until_some_age_are_those_of_items_that_came_out_in_the_run_and_were_watched_as_long():
    opened = log(
        (150, 0, 0, NO, 1, "open", NO),
        (160, 0, 0, NO, 1, "open", NO),
        (399, 0, 0, NO, 1, "open", NO),  # older than that
        (150, 0, 0, NO, 0, "open", NO),  # as old as the world
        (410, 0, 0, NO, 2, "open", NO),  # out too late
        horizon=600.0,
    )  # fmt: skip
    assert read(opened, reading("age", events=["open"], quantile=0.5, until="250s")) == 55.0


def test_learnability_is_of_the_platforms_distinct_positives():
    rows = [(u, u, 0, 0, i, "buy", NO) for u in range(4) for i in ([0, 1, 2] if u % 2 else [0, 1])] * 2
    kept = log(*rows).truth
    given = log(platform=kept, label=Label.model_validate({"events": ["buy"]}), users=4)
    assert read(given, reading("learnability", gives="density")) == 10 / 12
    some = read(given, reading("learnability", gives="ratio"))
    assert np.isnan(some) or some >= 0


def test_every_reading_that_a_file_may_name_is_taken():
    assert set(READERS) == set(READINGS.values()) - {MeasureReading}
