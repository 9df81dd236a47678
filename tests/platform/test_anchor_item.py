"""Slates that stand next to an item: what recommenders are told of it, and that it is the right one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import simulator
from recommenders.contract import NO_ITEM, in_slates
from tests.laws.harness import compiled_of
from tests.laws.plugins import Spy

WORLD: dict[str, Any] = {"users": 60, "items": 120, "first_fit": "12h", "refit": "12h", "seed": 4, "serves": "all"}


def asked_and_lived(name: str, horizon: str, **more: Any) -> tuple[Spy, pd.DataFrame]:
    spy = Spy(seed=1)
    truth = simulator.run(name, spy, **(WORLD | more), horizon=horizon).truth
    return spy, truth.sort_values("time", kind="stable")


def requests_of(name: str, spy: Spy, stage: str) -> pd.DataFrame:
    """A row per request of a stage: whose, in which visit, when, and the item that it is about (-1 none)."""
    code = compiled_of(name).names.stages.index(stage)
    rows = [
        pd.DataFrame(
            {key: getattr(batch, key)[batch.stage == code] for key in ("user", "session", "time", "anchor_item")}
        )
        for batch in spy.asked
    ]
    return pd.concat(rows, ignore_index=True)


def last_of(truth: pd.DataFrame, events: tuple[str, ...], stages: tuple[str, ...]) -> Any:
    """What a user last did in a visit up to a time: item of the last of these events, -1 none."""
    done = truth[truth["event"].isin(events) & truth["stage"].isin(stages)]
    by = dict(list(done.groupby(["user", "session"])))

    def look(user: int, session: int, time: float) -> int:
        rows = by.get((user, session))
        before = rows[rows["time"] <= time] if rows is not None else ()
        return int(before["item"].iloc[-1]) if len(before) else NO_ITEM

    return look


def test_a_rail_is_asked_for_next_to_the_article_just_read():
    spy, truth = asked_and_lived("news", "4d", users=150)
    rail = requests_of("news", spy, "rail")
    read = last_of(truth, ("read_part", "read_whole"), ("read",))
    assert len(rail) > 60
    assert (
        rail["anchor_item"] == [read(*row) for row in rail[["user", "session", "time"]].itertuples(index=False)]
    ).all()
    for stage in ("front", "river", "alert", "digest"):
        assert (requests_of("news", spy, stage)["anchor_item"] == NO_ITEM).all()


def test_also_bought_is_asked_for_next_to_the_product_just_looked_at():
    spy, truth = asked_and_lived("ecommerce", "30d")
    also = requests_of("ecommerce", spy, "also")
    assert len(also) > 10
    assert (also["anchor_item"] != NO_ITEM).all()
    rejected = last_of(truth, ("reject",), ("detail",))
    expected = [rejected(*row) for row in also[["user", "session", "time"]].itertuples(index=False)]
    assert (also["anchor_item"] == expected).all()


def test_a_radio_is_asked_for_next_to_what_was_chosen_from_cards_however_long_it_plays():
    spy, truth = asked_and_lived("audio", "3d")
    radio = requests_of("audio", spy, "radio")
    chosen = last_of(truth, ("open", "resume"), ("listen",))
    expected = np.array([chosen(*row) for row in radio[["user", "session", "time"]].itertuples(index=False)])
    assert (radio["anchor_item"] == expected).all()
    assert 30 < (expected == NO_ITEM).sum() < len(expected) - 30, "some visits begin with the radio, some do not"
    again = radio[radio["anchor_item"] >= 0].groupby(["user", "session"])["anchor_item"].agg(["size", "nunique"])
    assert (again["size"] > again["nunique"]).any(), "the seed stays while slates follow each other"


@pytest.mark.parametrize(("name", "stage", "horizon"), [("news", "rail", "3d"), ("ecommerce", "also", "30d")])
def test_what_a_slate_stands_next_to_is_not_in_it(name, stage, horizon):
    spy, _ = asked_and_lived(name, horizon)
    code, n = compiled_of(name).names.stages.index(stage), 0
    for batch, slates in zip(spy.asked, spy.answered, strict=True):
        here = (batch.stage == code) & (batch.anchor_item != NO_ITEM) & (batch.candidates.size > 60)
        assert not in_slates(batch.anchor_item[here, None], slates.items[here]).any()
        n += here.sum()
    assert n > 5
