"""Parents that baskets are from: remembered for what was eaten there, and ordered from again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import simulator
from simulator.config import complete, resolve
from simulator.engine.tables.tables import ITEMS_REMEMBERED, NO_CASE
from simulator.errors import InputError
from simulator.plan.compiler import compile_scenario
from simulator.platform.policies import create_recommender
from simulator.scenario.checks.check import check_scenario
from simulator.scenario.load import load_scenario
from simulator.world import World
from tests.laws.harness import CLOCK, Bench, bench, edited, number, parents_of, spoilt, step, threshold

NAME, KIND, DAY = "fooddelivery", "restaurant", 86400.0
SETTINGS: dict[str, Any] = {"users": 500, "items": 600, "horizon": "5d", "first_fit": "1d", "seed": 2}
LASTS = {"dist": "constant", "value": 1, "unit": "d", "from": "estimate"}
OFTEN: dict[str, Any] = {
    "commit.checkout.threshold": number(-2, "utility"),
    "user.intents": {},
    "browse.menu.outside_option": number(0.5, "utility"),
    "respond.verdict.again.base": number(0.999999, "probability"),
    "respond.verdict.again.slope": number(0, "1/utility"),
    "respond.verdict.again.lasts": LASTS,
    "consume.eat.noise": number(0, "utility^2"),
    "consume.eat.skipped": number(0, "probability"),
    "criteria.cuisine.present": number(0, "probability"),
}


def lived(path: Path) -> tuple[World, pd.DataFrame]:
    """A world to its end, with its users as they are then, and its truth."""
    pairs = {"scenario": str(path), "recommender": "random", **SETTINGS, "log": "full"}
    config = complete(resolve(list(pairs.items())), load_scenario(path).defaults.model_dump())
    compiled = compile_scenario(load_scenario(path))
    world = World(config, compiled, create_recommender("random", {}, compiled.scenario, 0), None, 0.0)
    try:
        world.live(None)
        return world, world.finish().truth
    finally:
        world.close()


@pytest.fixture(scope="module")
def often(tmp_path_factory: pytest.TempPathFactory) -> tuple[World, pd.DataFrame]:
    return lived(edited(tmp_path_factory.mktemp("reorders"), OFTEN, NAME))


def begun_on_a_menu(world: World, truth: pd.DataFrame) -> pd.DataFrame:
    """The first card of every visit that saw a dish before any restaurant, with the dish's restaurant."""
    cards = truth[truth["event"].isin(["impression", "dish_impression"])].sort_values("time", kind="stable")
    first = cards.groupby(["user", "session"]).first().reset_index()
    first = first[first["event"] == "dish_impression"]
    items = world.setting.catalog.items
    parent = items.parent[first["item"].to_numpy(dtype=np.int64)]
    return first.assign(restaurant=items.menus[parent, 2])


def test_who_ate_well_comes_back_to_the_menu_and_orders_there_again(often):
    world, truth = often
    back = begun_on_a_menu(world, truth)
    assert len(back) > 30
    meals = truth[truth["event"] == "experience"].sort_values("time")
    orders = truth[truth["event"] == "order"].set_index(["user", "session"])
    ordered = 0
    for visit in back.itertuples():
        before = meals[(meals["user"] == visit.user) & (meals["item"] == visit.restaurant)]["time"]
        assert visit.request == 0
        assert len(before)
        assert visit.time >= before.min() + DAY - 1.0
        if (visit.user, visit.session) in orders.index:
            ordered += (orders.loc[[(visit.user, visit.session)], "item"] == visit.restaurant).any()
    assert ordered > 0.3 * len(back)


def test_a_basket_lasts_as_long_however_much_is_in_it(often):
    world, truth = often
    later = world.users.deferred[:, 0]
    means_to = np.flatnonzero(later["item"] != NO_CASE)
    meals = truth[truth["event"] == "experience"]
    assert len(means_to) > 8
    for user in means_to:
        own = meals[(meals["user"] == user) & (meals["item"] == later["item"][user])]["time"]
        assert np.abs(later["until"][user] - own.to_numpy() - DAY).min() < 1.0


def test_nobody_comes_back_for_what_is_not_ordered_again(tmp_path):
    world, truth = lived(edited(tmp_path, OFTEN | {"respond.verdict.again.types": []}, NAME))
    assert len(begun_on_a_menu(world, truth)) == 0


def test_a_restaurant_is_remembered_for_what_was_eaten(often):
    world, truth = often
    items, known = world.setting.catalog.items, world.users.item_memory
    assert known.shape[1] == ITEMS_REMEMBERED
    price = items.attribute_effects[:, compile_scenario(load_scenario(NAME)).names.attribute_effects.index("price")]
    keys = ["user", "session", "request"]
    picks = truth[truth["event"] == "add_to_basket"].assign(item=lambda t: t["item"].astype(int))
    picks = picks.assign(met=picks["utility"] - price[picks["item"]], parent=items.parent[picks["item"]])
    met = picks.groupby([*keys, "parent"])["met"].mean()
    orders = truth[truth["event"] == "order"].set_index(["user", "case"])
    checked = 0
    for meal in truth[truth["event"] == "experience"].itertuples():
        own = known[int(meal.user)]
        kept = own[(own["item"] == meal.item) & (np.abs(own["at"] - meal.time) < 1e-3)]
        user, order = meal.user, orders.loc[(meal.user, meal.case)]
        if len(kept):  # else a later meal has taken its place
            expected = met.loc[(user, order["session"], order["request"], items.parent[int(meal.item)])]
            assert kept["worth"][0] == pytest.approx(expected, abs=1e-4)
            checked += 1
    assert checked > 40


def meeting(worth: float, told: bool) -> pd.DataFrame:
    """Cards of restaurants before users who have eaten in some of them at this worth; who knows a name or not."""
    of: Bench = bench(NAME)
    names = of.compiled.names.modalities
    users = of.users._replace(item_memory=of.users.item_memory.copy())
    users.item_memory["worth"], users.item_memory["at"] = worth, CLOCK - 100.0
    modalities = of.compiled.plan.modalities.copy()
    for name in ("name", "hero_image"):
        modalities["salience"][names.index(name)] = float(told)
        modalities["reading"][names.index(name)] = 0.0
    of = replace(of, users=users).with_plan(modalities=modalities)
    stage = of.compiled.names.stages.index("home")
    return step(of, threshold(of, stage, 0)).records


def test_memory_moves_the_belief_about_a_restaurant_whose_name_was_read():
    bad, good = (records[~np.isnan(records["belief"])] for records in (meeting(worth, True) for worth in (-1.0, 1.0)))
    keyed = [dict(zip(zip(own["user"], own["item"], strict=True), own["belief"], strict=True)) for own in (bad, good)]
    both = list(keyed[0].keys() & keyed[1].keys())
    shifts = np.array([keyed[1][each] - keyed[0][each] for each in both])
    known = {(u, int(item)) for u, row in enumerate(bench(NAME).users.item_memory) for item in row["item"]}
    met = np.array([(int(user), int(item)) in known for user, item in both])
    assert 100 < met.sum() < len(met)
    assert (shifts[met] > 0.1).mean() > 0.9
    assert (shifts[~met] == 0).all()
    assert set(parents_of(bench(NAME))) >= {item for _, item in known}


def test_memory_has_no_path_where_neither_name_nor_picture_was_seen():
    low, high = meeting(-1.0, False), meeting(1.0, False)
    assert len(low) > 200
    assert np.array_equal(low["belief"], high["belief"], equal_nan=True)


def test_settings_change_no_reorders(tmp_path):
    path = str(edited(tmp_path, OFTEN, NAME))
    logs = [
        simulator.run(path, "random", **SETTINGS, **more).manifest["log"] for more in ({}, {"window": 3, "batch": 7})
    ]
    assert logs[0] == logs[1]


AGAIN = "respond.verdict.again"


@pytest.mark.parametrize(
    ("path", "value", "wrong"),
    [
        (f"{AGAIN}.stage", "checkout", f"{AGAIN}.stage = checkout, of kind commit, where restaurant is bought again"),
        (f"{AGAIN}.stage", "home", f"{AGAIN}.stage = home, of kind browse, where restaurant is bought again"),
        (f"{AGAIN}.types", ["restarant"], f"{AGAIN}.types names restarant, which does not exist"),
        ("parents.restaurant.remembered.revealed_by", ["nme"], "parents.restaurant.remembered.revealed_by names nme"),
    ],
)
def test_what_makes_no_sense_is_named(tmp_path, path, value, wrong):
    with pytest.raises(InputError) as raised:
        check_scenario(load_scenario(str(spoilt(tmp_path, path, value, NAME))))
    assert wrong in str(raised.value)


def test_a_dish_of_a_basket_is_not_bought_again_by_itself(tmp_path):
    path = edited(tmp_path, {"respond.verdict.again.types": ["drink"], "respond.verdict.again.stage": "checkout"}, NAME)
    with pytest.raises(InputError, match=r"respond\.verdict\.again\.types = drink: this version cannot run it yet"):
        compile_scenario(load_scenario(path))


def test_only_what_is_ordered_from_is_remembered(tmp_path):
    memory = {"precision": number(4, "1/utility^2"), "half_life": number(9, "d")}
    path = spoilt(tmp_path, "parents.show.remembered", memory, "audio")
    with pytest.raises(InputError, match=r"parents\.show\.remembered: nothing is ordered from show"):
        compile_scenario(load_scenario(path))
