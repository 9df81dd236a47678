"""Parents that stages show, menus within one, and baskets: what is on a menu, what is taken, and what it comes to."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import simulator
from recommenders.contract import Recommender, Requests, Slates
from simulator.engine.tables.tables import StageKind
from simulator.errors import InputError
from simulator.plan.compiler import Compiled, compile_scenario
from simulator.platform.counters import PublishedCounters
from simulator.population.catalog import TrueCatalog, draw_catalog
from simulator.population.parent_rows import Menus, levels_of, recommendable
from simulator.scenario.checks.check import check_scenario
from simulator.scenario.load import load_scenario
from tests.laws.harness import bench, edited, number, spoilt, step, threshold
from tests.published import published

NAME, KIND = "fooddelivery", "restaurant"
SETTINGS: dict[str, Any] = {"users": 400, "items": 600, "horizon": "3d", "first_fit": "1d", "seed": 2}
OFTEN = {
    "commit.checkout.threshold": number(-2, "utility"), "browse.menu.outside_option": number(0.5, "utility"),
    "user.intents": {},
    # couriers for all who are so hungry
    "resources.couriers.shifts": [], "resources.couriers.capacity": number(20, "couriers/1000 users"),
}  # fmt: skip


class Kept(Recommender):
    """Random slates; keeps what it was asked for."""

    name = "kept"
    learns = False

    def __init__(self) -> None:
        super().__init__(seed=0)
        self.asked: list[tuple[np.ndarray, np.ndarray]] = []

    def recommend(self, requests: Requests) -> Slates:
        self.asked.append((requests.candidates.copy(), requests.stage.copy()))
        slates = np.full((len(requests), requests.slate_size), -1, dtype=np.int32)
        for slate, key in zip(slates, requests.key, strict=True):
            some = np.random.default_rng(int(key)).permutation(requests.candidates)[: requests.slate_size]
            slate[: len(some)] = some
        return Slates(slates)


@pytest.fixture(scope="module")
def drawn() -> tuple[Compiled, TrueCatalog]:
    compiled = compile_scenario(load_scenario(NAME))
    return compiled, draw_catalog(compiled, 600, 3 * 86400.0, 2)


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> tuple[simulator.RunResult, Kept]:
    path = edited(tmp_path_factory.mktemp("menus"), OFTEN, NAME)
    asked = Kept()
    return simulator.run(path, asked, **SETTINGS), asked


def of_restaurant(catalog: TrueCatalog, items: pd.Series) -> np.ndarray:
    return catalog.public.columns[KIND][items.to_numpy(dtype=np.int64)]


# ---- parents as rows ------------------------------------------------------------------------------------------------


def test_parents_are_rows_behind_the_items_and_say_so(drawn):
    compiled, catalog = drawn
    is_one, number_of = catalog.public.columns[f"is_{KIND}"], catalog.public.columns[KIND]
    rows = np.flatnonzero(is_one)
    assert len(rows) > 10
    assert rows[0] == 600
    assert (number_of[rows] == np.arange(len(rows))).all()
    assert set(number_of[:600]) == set(range(len(rows)))
    assert (levels_of(compiled, catalog.items)[rows] == 0).all()
    assert (recommendable(compiled, catalog.items) == (is_one == 1)).all()
    published = catalog.published_at
    for k, row in enumerate(rows):
        assert published[row] == published[:600][number_of[:600] == k].min()


def test_a_parent_is_worth_what_its_children_are_on_average():
    """To many users, over the facets: the mean over children of what they are worth tends to what the parent is."""
    of = bench(NAME, users=300)
    plan, items = of.compiled.plan, of.items
    types = items.state["type"].astype(np.int64)

    def worth(rows: np.ndarray) -> np.ndarray:
        total = np.zeros((len(of.users.state), len(rows)))
        for f, facet in enumerate(plan.facets):
            part = slice(int(facet["offset"]), int(facet["offset"] + facet["width"]))
            x = of.users.taste[:, part].astype(np.float64) @ items.vectors[rows, part].T.astype(np.float64)
            x = facet["scale"] * x / (1.0 + facet["saturation"] * np.abs(x))
            total += plan.weights[types[rows], f] * x
        return total

    parents = np.flatnonzero(levels_of(of.compiled, items) >= 0)
    children = worth(np.arange(parents[0]))
    mean = np.stack([children[:, items.parent[: parents[0]] == items.parent[row]].mean(axis=1) for row in parents], 1)
    own = worth(parents)
    assert np.corrcoef(mean.ravel(), own.ravel())[0, 1] > 0.9
    slope = float((mean * own).sum() / (own * own).sum())
    assert slope == pytest.approx(1.0, abs=0.08)


def test_numbers_of_a_parent_count_once_and_those_of_children_as_their_mean(drawn):
    compiled, catalog = drawn
    items, names = catalog.items, compiled.names
    fee, price = names.attribute_effects.index("fee"), names.attribute_effects.index("price")
    assert (items.attribute_effects[:600, fee] == 0).all()
    assert (items.attribute_effects[600:, fee] != 0).all()
    for row in range(600, 610):
        own = np.flatnonzero(items.parent[:600] == items.parent[row])
        assert items.attribute_effects[row, price] == pytest.approx(
            items.attribute_effects[own, price].mean(), abs=1e-6
        )
        assert len(set(items.attributes[own, names.attributes.index("fee")])) == 1


def test_what_parents_lack_is_missing_and_has_features_of_zeros(drawn):
    compiled, catalog = drawn
    own = set(compiled.scenario.parents[KIND].modalities)
    for m, name in enumerate(compiled.names.modalities):
        missing = catalog.items.state["missing"][600:] >> m & 1
        lacks = name not in own and compiled.scenario.modalities[name].kind != "attribute"
        assert (missing == lacks).all()
        if name in catalog.public.features:
            assert (catalog.public.features[name][600:] == 0).all() == lacks


def test_read_outs_of_parents_are_compared_among_parents(drawn):
    compiled, catalog = drawn
    counters = np.zeros((catalog.n_items, 1 + len(compiled.names.counters)), dtype=np.int64)
    counters[600:, 1 + compiled.names.counters.index("rate")] = np.arange(catalog.n_items - 600)
    counters[:600, 1 + compiled.names.counters.index("add_to_basket")] = np.arange(600)
    everything = np.arange(catalog.n_items, dtype=np.int32)
    PublishedCounters(compiled, catalog.items).publish(published(counters, everything))
    shown = catalog.items.published_counters
    rated, popular = map(compiled.names.published_counters.index, ("n_ratings", "popular"))
    assert shown[600:, rated].mean() == pytest.approx(0, abs=1e-5)
    assert shown[600:, rated].std() == pytest.approx(1, abs=1e-5)
    assert shown[:600, popular].std() == pytest.approx(1, abs=1e-5)
    assert (np.diff(shown[600:, rated]) > 0).all()


# ---- menus ----------------------------------------------------------------------------------------------------------


def test_recommenders_are_asked_for_restaurants_alone(lived):
    result, kept = lived
    catalog = _catalog(result)
    asked = np.concatenate([candidates for candidates, _ in kept.asked])
    assert (catalog.public.columns[f"is_{KIND}"][asked] == 1).all()
    stages = {int(stage) for _, of in kept.asked for stage in of}
    scenario = load_scenario(NAME)
    assert {list(scenario.stages)[stage] for stage in stages} == {"home", "again"}


def _catalog(result: simulator.RunResult) -> TrueCatalog:
    return draw_catalog(compile_scenario(load_scenario(NAME)), SETTINGS["items"], 3 * 86400.0, SETTINGS["seed"])


def test_a_menu_shows_the_dishes_of_the_restaurant_that_was_opened_as_far_as_they_are_on_offer(lived):
    result, _ = lived
    truth, catalog = result.truth, _catalog(result)
    # visits of who comes back to a restaurant begin on its menu, without a request (cases/test_basket_reorder.py)
    cards = truth[(truth["event"] == "dish_impression") & (truth["request"] > 0)]
    assert len(cards) > 1000
    opened = truth[truth["event"] == "open"]
    keys = ["user", "session", "request"]
    both = cards.merge(opened[[*keys, "item", "time"]], on=keys, suffixes=("", "_opened"))
    same = of_restaurant(catalog, both["item"]) == of_restaurant(catalog, both["item_opened"])
    assert both[same].groupby([*keys, "item"]).ngroups == cards.groupby([*keys, "item"]).ngroups
    assert (catalog.public.columns[f"is_{KIND}"][cards["item"].to_numpy(dtype=np.int64)] == 0).all()
    tick = load_scenario(NAME).clock.tick.value
    published = catalog.published_at[cards["item"].to_numpy(dtype=np.int64)]
    assert (published <= np.floor(cards["time"] / tick) * tick).all()
    assert (cards["propensity"] == 1).all()
    platform = result.platform
    assert len(platform[platform["event"] == "dish_impression"]) > 0.9 * len(cards)


def test_menus_begin_with_what_was_taken_most_and_leave_out_what_is_sold_out(drawn):
    compiled, catalog = drawn
    items = catalog.items
    menus = Menus(compiled, items, catalog.published_at, catalog.withdrawn_at, 2)
    counters = np.zeros((catalog.n_items, 1 + len(compiled.names.counters)), dtype=np.int64)
    column = 1 + compiled.names.counters.index("add_to_basket")
    before = items.menu.copy()
    counters[before[[3, 17, 30]], column] = 2, 5, 1
    gone = np.zeros(catalog.n_items, dtype=np.bool_)
    gone[before[17]] = True
    menus.publish(published(counters, np.arange(catalog.n_items, dtype=np.int32), gone=gone))
    for k in range(len(items.menus)):
        part = items.menu[slice(*items.menus[k, :2])]
        assert set(part) == set(np.flatnonzero(items.parent[:600] == items.parent[items.menus[k, 2]]))
        assert (np.diff(counters[part, column]) <= 0).all()
    assert (items.menu != before).any()
    assert items.offered[before[17], 0] == np.inf
    fresh = Menus(compiled, items, catalog.published_at, catalog.withdrawn_at, 2)
    fresh.publish(published(counters, np.arange(catalog.n_items, dtype=np.int32)))
    assert items.offered[before[17], 0] < np.inf
    again = items.menu.copy()
    menus.publish(published(counters, np.arange(catalog.n_items, dtype=np.int32)))
    assert (items.menu == again).all(), "the order is a function of the counts alone"


def test_an_open_menu_stays_as_it_was_handed_out():
    """What the platform publishes while a menu is open changes no card of it."""
    of = bench(NAME)
    stage = of.compiled.names.stages.index("menu")
    rows = threshold(of, stage, 0)
    other = of.items._replace(menu=of.items.menu[::-1].copy())
    assert step(of.with_items(other), rows).bits() == step(of, rows).bits()


def test_a_hidden_modality_of_a_dish_changes_nothing_on_the_list():
    of = bench(NAME)
    stage, photo = of.compiled.names.stages.index("home"), of.compiled.names.modalities.index("dish_photo")
    rows = threshold(of, stage, 0)
    bias_appeal = of.items.bias_appeal.copy()
    bias_appeal[:, [photo, of.modalities + photo]] += np.float32(2.0)
    before, after = step(of, rows), step(of.with_items(of.items._replace(bias_appeal=bias_appeal)), rows)
    assert len(before.records) > 0
    assert after.bits() == before.bits()


# ---- baskets --------------------------------------------------------------------------------------------------------


def test_baskets_hold_what_was_taken_and_an_order_says_what_it_comes_to(lived):
    result, _ = lived
    truth, catalog = result.truth, _catalog(result)
    keys = ["user", "session", "request"]
    taken = truth[truth["event"] == "add_to_basket"].assign(restaurant=lambda t: of_restaurant(catalog, t["item"]))
    assert not taken.duplicated([*keys, "item"]).any()
    assert taken.groupby([*keys, "restaurant"]).size().between(1, 4).all()
    orders = truth[truth["event"] == "order"].assign(restaurant=lambda t: of_restaurant(catalog, t["item"]))
    assert len(orders) > 50
    price = catalog.public.columns["price"]
    for order in orders.itertuples():
        own = taken[
            (taken[keys] == [getattr(order, key) for key in keys]).all(axis=1)
            & (taken["restaurant"] == order.restaurant)
        ]
        assert len(own) >= 1
        assert order.value == pytest.approx(price[own["item"].to_numpy(dtype=np.int64)].sum(), rel=1e-5)
    assert taken.groupby([*keys, "restaurant"]).size().max() >= 3


def test_what_an_order_is_worth_is_the_mean_of_its_dishes_and_the_restaurants_numbers_once(lived):
    result, _ = lived
    truth, catalog = result.truth, _catalog(result)
    fee = compile_scenario(load_scenario(NAME)).names.attribute_effects.index("fee")
    keys = ["user", "session", "request"]
    taken = truth[truth["event"] == "add_to_basket"].assign(restaurant=lambda t: of_restaurant(catalog, t["item"]))
    mean = taken.groupby([*keys, "restaurant"])["utility"].mean()
    orders = truth[truth["event"] == "order"].assign(restaurant=lambda t: of_restaurant(catalog, t["item"]))
    rest = orders["utility"].to_numpy() - mean.loc[
        list(orders[[*keys, "restaurant"]].itertuples(index=False, name=None))
    ].to_numpy()  # fmt: skip
    charged = catalog.items.attribute_effects[orders["item"].to_numpy(dtype=np.int64), fee]
    # what is left beside the fee is the arrival time: worth of the minutes beyond what is usual, per user
    waits = rest - charged
    assert np.abs(waits).max() < 5
    assert np.std(waits) > 0.05
    assert np.corrcoef(rest, charged)[0, 1] > 0.1


def test_orders_and_ratings_are_the_restaurants(lived):
    result, _ = lived
    catalog = _catalog(result)
    after = result.truth[result.truth["event"].isin(["open", "basket", "order", "ready", "done", "rate", "experience"])]
    assert len(after) > 100
    assert (catalog.public.columns[f"is_{KIND}"][after["item"].to_numpy(dtype=np.int64)] == 1).all()


@pytest.mark.parametrize("wanted", [1, 3])
def test_nobody_takes_more_than_they_are_after(tmp_path, wanted):
    eager = {
        "browse.menu.picks.number": number(wanted, "dishes"), "browse.menu.outside_option": number(-30, "utility"),
        "browse.menu.read": number(1, "probability"), "browse.menu.skim": number(1, "probability"),
        "browse.menu.position_decay": number(0, "exponent"), "browse.menu.picks.outside_option": number(-30, "utility"),
    }  # fmt: skip
    for layout in ("list", "grid"):
        path = edited(tmp_path / layout, {**eager, "surfaces.menu.layout": layout}, NAME)
        truth = simulator.run(path, "random", **{**SETTINGS, "users": 120}).truth
        taken = truth[truth["event"] == "add_to_basket"]
        picked = taken.groupby(["user", "session", "request"]).size()
        baskets = truth[truth["event"] == "basket"].groupby(["user", "session", "request"]).size()
        assert len(baskets) > 20
        # every menu has enough dishes, and everybody wants them all
        assert (picked == wanted * baskets).all()


def test_trust_in_a_dishs_photo_is_learned_from_the_dishes_of_the_order(tmp_path):
    """Photos that promise too much are believed less by who ordered from them, though the restaurant shows none."""
    promising = {**OFTEN, "modalities.dish_photo.bias.mean": 3.0, "discount": number(0, "share")}
    path = edited(tmp_path, promising, NAME)
    from simulator.config import complete, resolve
    from simulator.world import World

    pairs = {"scenario": str(path), "recommender": "random", **SETTINGS, "log": "full"}
    config = complete(resolve(list(pairs.items())), load_scenario(path).defaults.model_dump())
    compiled = compile_scenario(load_scenario(path))
    from simulator.platform.policies import create_recommender

    world = World(config, compiled, create_recommender("random", {}, compiled.scenario, 0), None, 0.0)
    try:
        world.live(None)
        photo = compiled.names.modalities.index("dish_photo")
        learned = world.users.satiation_trust[:, compiled.plan.modalities["trust"][photo]]
        truth = world.finish().truth
    finally:
        world.close()
    ate = np.zeros(len(learned), dtype=bool)
    ate[truth.loc[truth["event"] == "experience", "user"].to_numpy(dtype=np.int64)] = True
    assert (learned[~ate] == 0).all()
    assert learned[ate].mean() > 0.03


# ---- what does not run ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "value", "line"),
    [
        ("stages.menu.shows_parents", "restaurant", "stages.menu.children_of beside shows_parents"),
        ("stages.home.next.exhausted", "menu", "stages.home.next.exhausted = menu: no parent is chosen there"),
        ("stages.menu.next.exhausted", "checkout", "stages.menu.next.exhausted = checkout: nothing was chosen"),
        ("stages.menu.next.exhausted", "menu", "stages.menu.next.exhausted = menu"),
        ("browse.menu.picks", None, "stages.menu.children_of: the promises of restaurant are not those of the child"),
        ("browse.menu.picks.number", number(9, "dishes"), "browse.menu.picks.number reaches 9; at most 8"),
        ("browse.home.picks", {"number": number(2, "dishes"), "event": "add_to_basket"}, "browse.home.picks"),
        ("surfaces.home.layout", "autoplay", "stages.home.shows_parents on a surface that plays by itself"),
        ("surfaces.menu.editorial",
         {"slots": 2, "every": number(1, "d"), "picks": "newest"},
         "surfaces.menu.editorial, where stages.menu has children_of"),
        ("commit.checkout.basket",
         {"size": {"dist": "constant", "value": 2, "unit": "dishes", "from": "estimate"}, "at_most": 2},
         "commit.checkout.basket after browse.menu.picks"),
        ("criteria.cuisine.on", "item_type", "criteria.cuisine.on = item_type"),
        ("criteria.cuisine.stated_in", ["menu"], "criteria.cuisine.stated_in = menu"),
    ],
)  # fmt: skip
def test_what_does_not_run_is_refused_by_name(tmp_path, path, value, line):
    scenario = load_scenario(spoilt(tmp_path, path, value, NAME))
    with pytest.raises(InputError) as error:
        compile_scenario(scenario)
    assert line in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("path", "value", "line"),
    [
        ("parents.restaurant.knowledge", None, "parents.restaurant.knowledge is missing"),
        ("stages.menu.card_event", None, "stages.menu.card_event is missing"),
        ("stages.menu.card_event", "impression", "stages.menu.card_event = impression"),
        ("stages.home.card_event", "dish_impression", "stages.home.children_of is missing"),
        ("stages.home.ordered_by", "add_to_basket", "stages.home.children_of is missing"),
        ("stages.menu.ordered_by", "experience", "stages.menu.ordered_by names experience"),
        ("parents.restaurant.precisions", {"smell": number(1, "ratio")}, "parents.restaurant.precisions names smell"),
    ],
)
def test_what_does_not_fit_together_is_one_clear_line(tmp_path, path, value, line):
    with pytest.raises(InputError) as error:
        check_scenario(load_scenario(spoilt(tmp_path, path, value, NAME)))
    assert line in str(error.value)


def test_a_real_folder_has_no_parents(tmp_path):
    with pytest.raises(InputError, match="stages of parents"):
        simulator.run(NAME, "random", users=10, horizon="1d", catalog=tmp_path)


def test_every_browse_stage_of_a_world_is_asked_for_or_is_a_menu(drawn):
    plan = drawn[0].plan
    browse = plan.stages["kind"] == StageKind.BROWSE
    assert (plan.stages["children_of"][~browse] < 0).all()
    assert drawn[0].largest_menu == 40
    assert drawn[0].largest_slate == 30
