"""Bought again: what satisfied is remembered after an order, and its user comes back for it when it is used up."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import simulator
from simulator.engine.tables.tables import NO_CASE
from simulator.engine.visit.due import BLOCK
from simulator.errors import InputError
from simulator.plan.compiler import compile_scenario
from simulator.scenario.checks.check import check_scenario
from simulator.scenario.load import load_scenario
from tests.laws.harness import edited, number
from tests.worlds import TinyWorld, claim, exponential

NAME, DAY = "ecommerce", 86400.0
LASTS = {"dist": "constant", "value": 3, "unit": "d", "from": "estimate"}
WORLD: dict[str, Any] = {"users": 1800, "items": 150, "horizon": "40d", "first_fit": "8d", "refit": "8d", "seed": 5}
EAGER: dict[str, Any] = {
    "inspect.detail.threshold": number(1.0, "utility"),
    "commit.checkout.threshold": number(1.0, "utility"),
    "user.intents": {},
    "user.groups": {},
    "commit.checkout.defer.probability": number(0, "probability"),
    "resources.warehouse.capacity": number(1000, "servers"),  # enough for the eager
    "resources.warehouse.shifts": [],
    "resources.carrier.capacity": number(1000, "servers"),
    "respond.verdict.again.base": number(0.999999, "probability"),
    "respond.verdict.again.slope": number(0, "1/utility"),
    "respond.verdict.again.lasts": LASTS,
    "respond.verdict.again.types": ["apparel", "groceries"],
}


@cache
def lived(folder: Path) -> tuple[pd.DataFrame, np.ndarray]:
    """The truth of a world in which everybody comes back for what is used up; and the types of its items."""
    result = simulator.run(str(edited(folder, EAGER, NAME)), "random", **WORLD)
    kinds = np.array(compile_scenario(load_scenario(NAME)).names.types)
    return result.truth, kinds[result.items["type"].to_numpy()]


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("again")


def begun_with_an_item(truth: pd.DataFrame) -> pd.DataFrame:
    """The first row of every visit that looked at something before any card was shown."""
    rows = truth[truth["event"].isin(["impression", "hesitate", "reject", "add_to_cart", "wishlist"])]
    first = rows.sort_values("time", kind="stable").groupby(["user", "session"]).first().reset_index()
    return first[first["event"] != "impression"]


def test_who_comes_back_comes_for_what_was_used_up(folder):
    truth, kinds = lived(folder)
    back = begun_with_an_item(truth)
    assert len(back) > 20
    had = truth[truth["event"] == "experience"].groupby(["user", "item"])["time"].min()
    sent_back = set(map(tuple, truth.loc[truth["event"] == "return", ["user", "item"]].to_numpy(dtype=int)))
    for row in back.itertuples():
        assert kinds[int(row.item)] in ("apparel", "groceries")
        assert row.time >= had[(row.user, row.item)] + 3 * DAY
        assert row.utility == row.utility
    assert len(back) > 5 * sum((int(row.user), int(row.item)) in sent_back for row in back.itertuples())
    again = truth[(truth["event"] == "order") & truth["item"].isin(back["item"])]
    assert (again.groupby(["user", "item"]).size() > 1).sum() > 3


def test_nobody_comes_back_where_nothing_is_used_up(tmp_path):
    edits = {**EAGER, "respond.verdict.again.types": []}
    truth = simulator.run(str(edited(tmp_path, edits, NAME)), "random", **WORLD).truth
    assert len(begun_with_an_item(truth)) == 0


def tiny(**again: Any) -> TinyWorld:
    """Everything is delivered and used within minutes, all items are groceries to be bought again."""
    terms = {"types": list(load_scenario(NAME).item_types), "base": claim(0.5, "probability"),
             "slope": claim(0, "1/utility"), "stage": "detail", "lasts": LASTS}  # fmt: skip
    kinds = load_scenario(NAME).item_types
    memory = {"precision": claim(4, "1/utility^2"), "half_life": claim(90, "d")}
    edits = {"respond.verdict.again": terms | again, "consume.use.after": exponential(60.0)}
    edits |= {f"item_types.{kind}.remembered": memory for kind in kinds}
    steps = [{"step": "go", "delay": exponential(60.0)}]
    world = TinyWorld(steps, {}, users=2000, edits=edits, ends=False)
    world.users.state["due"] = world.earliest[:] = 50 * DAY
    users = np.arange(2000)
    world.decide(users + 1.0, users, users % 20)
    world.run(30 * DAY)
    return world


def test_as_many_as_the_share_says_and_not_before_it_is_used_up():
    users = tiny().users
    state, later = users.state, users.deferred[:, 0]
    means_to = later["item"] != NO_CASE
    # 3 % are sent back unused, and some of the others
    assert 0.3 < means_to.mean() < 0.5
    assert (later["item"][means_to] == np.flatnonzero(means_to) % 20).all()
    assert (state["due"][means_to] == later["until"][means_to]).all()
    assert (state["due"][means_to] > 3 * DAY).all()
    assert (state["due"][~means_to] == 50 * DAY).all()


def test_their_arrivals_are_looked_for_when_they_come_back():
    world = tiny(base=claim(0.01, "probability"))
    due = world.users.state["due"]
    of = [due[first : first + BLOCK].min() for first in range(0, len(due), BLOCK)]
    assert (world.earliest == of).all()
    assert 10 < (world.earliest < 50 * DAY).sum() < len(of)  # and elsewhere nobody is


def test_they_come_back_at_hours_at_which_people_come():
    lasts = {"dist": "lognormal", "median": 3, "sigma": 1.0, "low": 0.5, "unit": "d", "from": "estimate"}
    world = tiny(lasts=lasts)
    later, starts_at = world.users.deferred[:, 0], world.compiled.scenario.clock.starts_at.value
    until = later["until"][later["item"] != NO_CASE]
    hour = (until + starts_at) % DAY // 3600.0
    profile = np.array(load_scenario(NAME).user.hours.profile)
    found = np.bincount(hour.astype(int), minlength=24) / len(hour)
    night, evening = slice(1, 6), slice(19, 23)
    for part in (night, evening):
        assert found[part].sum() == pytest.approx(profile[part].sum() / profile.sum(), abs=0.03)
    assert found[night].sum() < 0.08  # of 0.21 of the day


def test_satisfaction_brings_them_back():
    world = tiny(slope=claim(2, "1/utility"))
    judged = world.records[world.records["event"] == world.compiled.names.codes["experience"]]
    means_to = world.users.deferred["item"][:, 0] != NO_CASE
    met = pd.Series(judged["value"].astype(float)).groupby(judged["user"].astype(int)).first()
    low, high = met < met.quantile(0.3), met > met.quantile(0.7)
    assert means_to[met[high].index].mean() > means_to[met[low].index].mean() + 0.15


def test_who_has_put_something_off_remembers_no_other_and_who_is_gone_none():
    world = tiny()
    state, later = world.users.state, world.users.deferred[:, 0]
    before = later["item"].copy(), later["until"].copy()
    users = np.arange(2000)
    state["gone"][before[0] == NO_CASE] = 1
    world.decide(31 * DAY + users, users, (users + 1) % 20)
    world.run(70 * DAY)
    assert np.array_equal(later["item"], before[0])
    assert np.array_equal(later["until"], before[1])


def test_what_was_had_is_remembered_for_what_it_was_worth():
    world = tiny()
    judged = world.records[world.records["event"] == world.compiled.names.codes["experience"]]
    users = np.unique(judged["user"]).astype(int)
    known = world.users.item_memory[users]
    assert len(users) > 1800
    assert (known["at"][:, 0] > 0).all()
    assert (known["at"][:, 1:] == 0).all()
    assert (known["item"][:, 0] == users % 20).all()
    lived = pd.Series(judged["value"].astype(float)).groupby(judged["user"].astype(int)).first()
    # decisions were made up here, worth nothing: what was lived is the noise alone, and it is in the memory too
    worth = known["worth"][:, 0] - lived[users].to_numpy()
    compiled, items = world.compiled, world.catalog.items
    kinds = items.state["type"][users % 20].astype(int)
    expected = np.zeros(len(users))
    for f, row in enumerate(compiled.plan.facets):
        block = slice(int(row["offset"]), int(row["offset"] + row["width"]))
        match = (world.users.taste[users, block] * items.vectors[users % 20, block]).sum(axis=1).astype(float)
        expected += compiled.plan.weights[kinds, f] * row["scale"] * match / (1.0 + row["saturation"] * np.abs(match))
    own = compiled.scenario.idiosyncratic.share.value
    assert (worth - expected).mean() == pytest.approx(0.0, abs=4 * np.sqrt(own / len(users)))
    assert (worth - expected).var() == pytest.approx(own, rel=0.12)
    assert expected.var() > 0.4


@pytest.mark.parametrize(
    ("edits", "wrong"),
    [
        (
            {"respond.verdict.again.types": ["grocery"]},
            "respond.verdict.again.types names grocery, which does not exist",
        ),
        ({"respond.verdict.again.stage": "search"}, "respond.verdict.again.stage = search, of kind browse"),
        ({"respond.verdict.again.lasts": LASTS | {"value": 0.01}}, "respond.verdict.again.lasts may be 864 s"),
    ],
)
def test_what_makes_no_sense_is_named(tmp_path, edits, wrong):
    with pytest.raises(InputError) as raised:
        check_scenario(load_scenario(str(edited(tmp_path, edits, NAME))))
    assert wrong in str(raised.value)
