"""Lists in an order that a visit asks for: who asks, what comes first, page by page; no recommender is asked."""

from __future__ import annotations

from functools import cache
from typing import Any

import gymnasium
import numpy as np
import pandas as pd
import pytest

import simulator
import simulator.env
from recommenders.contract import Lists, Recommender, Slates
from simulator.engine.tables.tables import VISIT
from simulator.errors import InputError
from simulator.plan.compiler import Compiled, compile_scenario
from simulator.platform.counters import PublishedCounters
from simulator.platform.kernels.sorting import NONE, kinds_of
from simulator.platform.sorting import SortedLists
from simulator.population.catalog import draw_catalog
from simulator.population.parent_rows import levels_of
from simulator.population.users import draw_users
from simulator.scenario.checks.check import check_scenario
from simulator.scenario.load import load_scenario
from tests.laws.harness import number, spoilt
from tests.plan.test_limits import between
from tests.published import published

SEED, USERS = 1, 400
WORLD: dict[str, Any] = {"users": 250, "items": 300, "horizon": "6d", "first_fit": "1h", "seed": 3, "serves": "all"}


@cache
def drawn(name: str) -> tuple[Compiled, Any, SortedLists]:
    """The world of `tests.plan.test_limits`, with promises as if they had been published."""
    compiled = compile_scenario(load_scenario(name))
    items = draw_catalog(compiled, 600, 86400.0, SEED).items
    users = draw_users(compiled, items, USERS, SEED)
    items.promised[:] = np.random.default_rng(1).uniform(600.0, 2400.0, items.promised.shape)
    return compiled, items, SortedLists(compiled, users, items, SEED)


def rows_of(name: str, stage: str, users: int = USERS, visit: int = 0) -> np.ndarray:
    rows = np.zeros(users, dtype=VISIT)
    rows["user"], rows["visit"], rows["request"] = np.arange(users), visit, 1
    rows["slate_stage"] = drawn(name)[0].names.stages.index(stage)
    return rows


def asked(name: str, stage: str, users: int = USERS, visit: int = 0) -> np.ndarray:
    """The order that each user's visit asks for there, NONE none."""
    lists, rows, out = drawn(name)[2], rows_of(name, stage, users, visit), np.empty(users, dtype=np.int64)
    number = np.full((lists.stages.shape[1], 1 + len(lists.stages)), NONE)
    for order, stages in enumerate(lists.stages):
        number[stages, 1 + order] = order
    kinds_of(SEED, np.arange(users), rows, lists.bounds, number, out)
    return out


def there(name: str, stage: str) -> np.ndarray:
    compiled, items, _ = drawn(name)
    level = compiled.plan.stages["shows_parents"][compiled.names.stages.index(stage)]
    return np.flatnonzero(levels_of(compiled, items) == level).astype(np.int32)


def listed(name: str, order: str, stage: str, size: int) -> np.ndarray:
    """What the first three users are shown in an order."""
    compiled, _, lists = drawn(name)
    number_of = list(compiled.scenario.sorting).index(order)
    rows = rows_of(name, stage, 3)
    slates = lists.slates(number_of, np.arange(3), rows, Lists.common(there(name, stage), 3), size)
    assert (slates.propensity == 1).all()
    return slates.items


def test_an_order_is_the_visits_and_shares_are_those_of_the_scenario():
    found = np.stack([asked("ecommerce", "search", visit=visit) for visit in range(60)])
    assert np.array_equal(asked("ecommerce", "search", users=90), found[0, :90])
    assert not np.array_equal(found[0], found[1])
    sorting = drawn("ecommerce")[0].scenario.sorting
    for k, order in enumerate(sorting.values()):
        assert (found == k).mean() == pytest.approx(order.share.value, abs=0.008)
    assert (asked("ecommerce", "home") == NONE).all()  # the feed offers none


def test_the_cheapest_of_all_that_was_found_come_first():
    compiled, items, lists = drawn("ecommerce")
    price = items.attributes[:, compiled.names.attributes.index("price")]
    found = there("ecommerce", "search")[::3].copy()
    rows = rows_of("ecommerce", "search", 2)
    slates = lists.slates(0, np.arange(2), rows, Lists.common(found, 2), 20)
    assert np.array_equal(slates.items, np.tile(found[np.argsort(price[found])][:20], (2, 1)))


def test_a_list_goes_on_page_by_page_and_is_found_again_where_it_was_left():
    found = there("ecommerce", "search")
    lists, rows = drawn("ecommerce")[2], rows_of("ecommerce", "search", 1)

    def page(request: int, stage: int = int(rows["slate_stage"][0])) -> list[int]:
        rows["request"], rows["slate_stage"] = request, stage
        return list(lists.slates(0, np.array([0]), rows, Lists.common(found[:50], 1), 20).items[0])

    first, second = page(1), page(2)
    assert not set(first) & set(second)
    assert page(4) == second  # request 3 was for something beside it
    third = page(5)
    assert set(third[:10]) == set(found[:50]) - set(first) - set(second)
    assert third[10:] == first[:10]  # the end: from the beginning again
    assert page(6, stage=0 if rows["slate_stage"][0] else 1) == first  # another list


@pytest.mark.parametrize(
    ("name", "order", "criterion", "stage"),
    [("fooddelivery", "soonest", "within", "home"), ("fooddelivery", "nearest", "nearby", "home"),
     ("jobs", "nearest", "place", "search")],
)  # fmt: skip
def test_what_lies_between_is_sorted_for_each_user(name, order, criterion, stage):
    items = listed(name, order, stage, 10)
    for user in range(3):
        amount = between(name, criterion, user)
        best = np.sort(amount[there(name, stage)])[:10]
        assert amount[items[user]] == pytest.approx(best, abs=2e-3)
    assert not np.array_equal(items[0], items[1])


def test_what_does_not_say_its_number_comes_last():
    compiled, all_items, _ = drawn("jobs")
    shown = all_items.state["missing"] & np.uint32(1 << compiled.names.modalities.index("salary")) == 0
    salary = all_items.attributes[:, compiled.names.attributes.index("salary")]
    items = listed("jobs", "best_paid", "search", len(shown))[0]
    n = int(shown.sum())
    assert 0 < n < len(shown)
    assert shown[items[:n]].all()
    assert (np.diff(salary[items[:n]]) <= 0).all()


def test_a_readout_sorts_as_it_was_published_last():
    compiled, all_items, _ = drawn("ecommerce")
    counters = np.zeros((len(all_items.state), 1 + len(compiled.names.counters)), dtype=np.int64)
    n, total = (1 + compiled.names.counters.index(each) for each in ("rate", "rate+"))
    everything = np.arange(len(all_items.state), dtype=np.int32)
    for best, worst in ((7, 8), (8, 7)):
        counters[[7, 8], n] = 50
        counters[best, total], counters[worst, total] = 250 * 1024, 50 * 1024
        PublishedCounters(compiled, all_items).publish(published(counters, everything))
        items = listed("ecommerce", "best_rated", "search", len(everything))[0]
        assert (items[0], items[-1]) == (best, worst)
    unrated = listed("ecommerce", "best_rated", "search", 20)[0][1:]
    assert not np.array_equal(unrated, np.sort(unrated))  # equals stand in an order of luck


class Keeper(Recommender):
    """The last candidates; keeps what was asked."""

    name = "keeper"
    learns = False

    def __init__(self) -> None:
        super().__init__()
        self.asked: dict[tuple[int, int, int], tuple[int, int]] = {}

    def recommend(self, requests):
        for row in range(len(requests)):
            key = (int(requests.user[row]), int(requests.session[row]), int(requests.request[row]))
            self.asked[key] = int(requests.stage[row]), int(requests.sorting[row])
        items = np.full((len(requests), requests.slate_size), -1, dtype=np.int32)
        items[:, : requests.filled] = requests.candidates[::-1][: requests.filled]
        return Slates(items)


@pytest.fixture(scope="module")
def lived() -> tuple[Keeper, simulator.RunResult]:
    keeper = Keeper()
    return keeper, simulator.run("ecommerce", keeper, **WORLD)


def test_no_recommender_is_asked_for_a_list_in_an_order(lived):
    keeper, result = lived
    cards = result.truth[(result.truth["event"] == "impression") & (result.truth["time"] > 3600)]
    price, published = result.items["price"], result.items["published_at"]
    sorted_by: dict[str, int] = {"cheapest": 0, "newest": 0}
    for key, slate in cards.groupby(["user", "session", "request"]):
        if tuple(map(int, key)) in keeper.asked:
            assert slate["propensity"].isna().all()
            continue
        assert (slate["stage"] == "search").all()
        assert (slate["propensity"] == 1).all()
        items = slate.sort_values("position")["item"].to_numpy()
        if len(items) > 2:
            sorted_by["cheapest"] += (np.diff(price[items]) >= 0).all()
            sorted_by["newest"] += (np.diff(published[items]) <= 0).all()
    assert min(sorted_by.values()) > 3


def test_requests_say_which_order_their_visit_has_asked_for(lived):
    keeper, result = lived
    stages = load_scenario("ecommerce").stages
    search, also = (list(stages).index(name) for name in ("search", "also"))
    told = pd.DataFrame([(*key, *value) for key, value in keeper.asked.items()])
    told.columns = ["user", "session", "request", "stage", "sorting"]
    assert (told["sorting"][told["stage"] == search] == NONE).all()
    beside = told[(told["stage"] == also) & (told["sorting"] != NONE)]
    assert len(beside) > 3
    cards = result.truth[result.truth["event"] == "impression"]
    listed_in = cards[(cards["stage"] == "search") & (cards["propensity"] == 1)].groupby(["user", "session"])["request"]
    first = listed_in.min()
    for row in beside.itertuples():
        assert first[row.user, row.session] < row.request  # not before it was asked for


def test_settings_change_no_lists(lived):
    other = simulator.run("ecommerce", Keeper(), **WORLD, window=3, batch=2)
    assert other.manifest["log"] == lived[1].manifest["log"]


def test_an_agent_is_not_asked_for_a_list_in_an_order():
    envs = gymnasium.make_vec("beholder/Jobs-v1", num_envs=60, shared=True, items=60, horizon="10d")
    envs.reset(seed=1)
    asked, passed = 0, 0
    world = envs.unwrapped.world
    serve = world.rounds.serve

    def counting(todo: np.ndarray, *rest: Any) -> None:
        nonlocal passed
        passed += int((world.rounds.by_platform(todo) & (world.platform.version > 0)).sum())
        serve(todo, *rest)

    world.rounds.serve = counting
    for _ in range(60):
        for users, requests in envs.unwrapped.requests():
            assert not world.rounds.by_platform(envs.unwrapped._due).any()
            asked += len(users)
            assert len(requests)
        *_, truncated, _ = envs.step(np.tile(np.arange(envs.unwrapped.context.slate), (60, 1)))
        if truncated.all():
            break
    envs.close()
    assert asked > 60
    assert passed > 5


@pytest.mark.parametrize(
    ("path", "value", "wrong"),
    [
        ("sorting.cheapest.on", "prise", "sorting.cheapest.on names prise, which does not exist; did you mean price?"),
        ("sorting.cheapest.on", "place", "sorting.cheapest.on names place, which does not exist"),
        ("sorting.cheapest.first", "best", "sorting.cheapest.first"),
        ("sorting.cheapest.stages", ["serch"], "sorting.cheapest.stages names serch, which does not exist"),
        ("sorting.cheapest.stages", ["detail"], "sorting.cheapest.stages names detail, which asks for no slate"),
        ("sorting.cheapest.stages", [], "sorting.cheapest.stages"),
        ("sorting.cheapest.share", number(0.95, "share"), "sorting: shares add up to 1.03; expected at most 1"),
    ],
)
def test_what_makes_no_sense_is_named(tmp_path, path, value, wrong):
    with pytest.raises(InputError) as raised:
        check_scenario(load_scenario(str(spoilt(tmp_path, path, value, "ecommerce"))))
    assert wrong in str(raised.value)
