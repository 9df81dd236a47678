"""Variants ordered to choose from: who does so, what is sent back, and what is left of the money."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import simulator
from simulator.engine.randomness import PERCEPTION
from simulator.engine.visit.variant_orders import _HABIT_KEY
from simulator.errors import InputError
from simulator.scenario.checks.check import check_scenario
from simulator.scenario.load import load_scenario
from tests.laws.harness import as_uniform, compiled_of, edited, luck_of, mixed, number

NAME = "ecommerce"
SEED = 5
WORLD: dict[str, Any] = {"users": 1500, "items": 150, "horizon": "40d", "first_fit": "8d", "refit": "8d", "seed": SEED}
ALWAYS_TWO = {"dist": "constant", "value": 2, "unit": "units", "from": "estimate"}


def eager(folder: Path, **bracket: object) -> Path:
    """E-commerce in which many order, from full shelves."""
    edits: dict[str, object] = {
        "inspect.detail.threshold": number(1.0, "utility"),
        "commit.checkout.threshold": number(1.0, "utility"),
        "user.intents": {},
        "user.groups": {},
        "resources.stock.initial": {"dist": "constant", "value": 100000, "unit": "units", "from": "estimate"},
        "resources.stock.restock_below": number(0, "units"),
        "resources.stock.restock_to": number(100000, "units"),
        "resources.warehouse.capacity": number(1000, "servers"),
        "resources.warehouse.shifts": [],
        "resources.carrier.capacity": number(1000, "servers"),
        "fulfil.delivery.cancel.base": number(0, "probability"),
    }
    edits |= {f"commit.checkout.bracket.{key}": value for key, value in bracket.items()}
    return edited(folder, edits, NAME)


@cache
def lived(folder: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """A row per order of a run in which four of ten bracket, with the type of its item; and the truth."""
    path = eager(folder, users=number(0.4, "share"), extra=ALWAYS_TWO)
    result = simulator.run(str(path), "random", **WORLD)
    truth = result.truth
    orders = truth[truth["event"] == "order"].sort_values(["user", "case"]).reset_index(drop=True)
    kinds = np.array(compiled_of(NAME).names.types)[result.items["type"].to_numpy()]
    prices = result.items["price"].to_numpy()
    orders["kind"], orders["price"] = kinds[orders["item"].astype(int)], prices[orders["item"].astype(int)]
    return orders, truth


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("brackets")


def decisions(orders: pd.DataFrame) -> pd.DataFrame:
    """A row per decision: how many cases it began, and whether its user brackets."""
    key = ["user", "session", "request", "position", "time"]
    made = orders.groupby(key).agg(n=("case", "size"), kind=("kind", "first"), items=("item", "nunique")).reset_index()
    stage = compiled_of(NAME).names.stages.index("checkout")
    draw = as_uniform(mixed(luck_of(SEED, PERCEPTION, made["user"]), _HABIT_KEY + stage))
    return made.assign(brackets=draw < 0.4)


def test_who_brackets_always_does_so_with_the_types_that_are_named(folder):
    made = decisions(lived(folder)[0])
    apparel = made["kind"] == "apparel"
    assert (made["items"] == 1).all()
    assert (made["n"][~apparel] == 1).all()
    assert (made["n"][apparel & made["brackets"]] == 3).all()
    assert (made["n"][apparel & ~made["brackets"]] == 1).all()
    assert (apparel & made["brackets"]).sum() > 15
    users = made.groupby("user")["brackets"].first()
    assert abs(users.mean() - 0.4) < 4.5 * np.sqrt(0.24 / len(users))


def test_variants_are_paid_for_each(folder):
    orders, _ = lived(folder)
    extra = orders.duplicated(["user", "session", "request", "position", "time"])
    np.testing.assert_allclose(orders["value"][extra], orders["price"][extra], rtol=1e-6)
    units = (orders["value"] / orders["price"])[~extra]
    np.testing.assert_allclose(units, np.round(units), atol=1e-4)


def test_most_of_the_extra_units_come_back_and_the_money_with_them(folder):
    orders, truth = lived(folder)
    extra = orders.duplicated(["user", "session", "request", "position", "time"])
    ended = orders["time"] < 15 * 86400.0  # there was time for a way and a way back
    sent_back = truth[truth["event"] == "return"].set_index(["user", "case"]).index
    returned = pd.MultiIndex.from_frame(orders[["user", "case"]]).isin(sent_back)
    share = returned[extra & ended].mean()
    assert (extra & ended).sum() > 15
    assert abs(share - 0.9) < 4.5 * np.sqrt(0.09 / (extra & ended).sum())
    apparel, other = (orders["kind"] == "apparel") & ended, (orders["kind"] != "apparel") & ended
    assert returned[apparel].mean() > returned[other].mean() + 0.2
    # net of what came back, the money is that of what was kept
    refunded = truth[truth["event"] == "refunded"].set_index(["user", "case"]).index
    assert len(refunded) > 0
    assert set(refunded) <= set(sent_back)


def test_an_extra_unit_is_a_case_of_its_own_that_nobody_uses(folder):
    orders, truth = lived(folder)
    extra = orders[orders.duplicated(["user", "session", "request", "position", "time"])]
    cases = pd.MultiIndex.from_frame(extra[["user", "case"]].astype(int))
    own = truth[truth["case"].notna()]
    own = own[pd.MultiIndex.from_frame(own[["user", "case"]].astype(int)).isin(cases)]
    assert set(own["event"]) <= {
        "order", "reserved", "shipped", "delivered", "done", "return", "refunded", "return_refused",
    }  # fmt: skip
    parents = own["parent_case"].dropna()
    assert len(parents) > 0


def test_without_the_habit_there_is_one_case_a_decision(tmp_path):
    path = eager(tmp_path, users=number(0.0, "share"))
    truth = simulator.run(str(path), "random", **(WORLD | {"users": 800, "horizon": "20d"})).truth
    orders = truth[truth["event"] == "order"]
    assert len(orders) > 20
    assert not orders.duplicated(["user", "session", "request", "position", "time"]).any()


@pytest.mark.parametrize(
    ("edits", "line"),
    [
        ({"commit.checkout.bracket.types": ["shoes"]}, "commit.checkout.bracket.types names shoes"),
        ({"commit.checkout.bracket.starts": "use"}, "commit.checkout.bracket.starts names use"),
        ({"commit.checkout.bracket.users": number(2, "share")}, "commit.checkout.bracket.users.value = 2"),
    ],
)
def test_what_does_not_fit_is_refused(tmp_path, edits, line):
    with pytest.raises(InputError) as error:
        check_scenario(load_scenario(edited(tmp_path, edits, NAME)))
    assert line in str(error.value)
