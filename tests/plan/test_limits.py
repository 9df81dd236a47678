"""Limits on what lies between an item and its user: a promised time at most, a distance at most."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

import simulator
from recommenders.contract import Recommender, Slates
from simulator.engine.jit.compile import kernel
from simulator.engine.randomness import table_points
from simulator.engine.tables.tables import VISIT
from simulator.engine.user.shown_numbers import EVERYTHING, Numbers, attribute_utility, numbers_of
from simulator.plan.compiler import Compiled, compile_scenario
from simulator.plan.limits import LEVELS
from simulator.platform.filters import Criteria
from simulator.population.catalog import draw_catalog
from simulator.population.parent_rows import levels_of
from simulator.population.users import draw_users
from simulator.scenario.load import load_scenario
from tests.laws.harness import luck_of
from tests.platform.test_filters import parts

PERCEPTION, SEED, USERS = 2, 1, 300
LIMITED = [("jobs", "place", "search"), ("fooddelivery", "within", "home"), ("fooddelivery", "nearby", "home")]


@cache
def drawn(name: str) -> tuple[Compiled, Any, Any, Criteria]:
    """A small world whose promises stand as if they had been published."""
    compiled = compile_scenario(load_scenario(name))
    items = draw_catalog(compiled, 600, 86400.0, SEED).items
    users = draw_users(compiled, items, USERS, SEED)
    items.promised[:] = np.random.default_rng(1).uniform(600.0, 2400.0, items.promised.shape)
    return compiled, items, users, Criteria(compiled, users, items, SEED)


def between(name: str, criterion: str, user: int) -> npt.NDArray[np.float64]:
    """What lies between every item and a user: km, or s that the platform promises."""
    compiled, items, users, _ = drawn(name)
    scenario = compiled.scenario
    assert scenario.places is not None
    way = np.linalg.norm(items.place.astype(float) - users.place[user].astype(float), axis=1)
    if scenario.criteria[criterion].kind == "near":
        return way
    promise = scenario.promises[scenario.criteria[criterion].on]
    assert promise.spread is not None
    draw = np.array([luck_of(SEED, PERCEPTION, user, item, 1 << 22) for item in range(len(way))])
    spread = promise.spread.quantile(table_points())[(draw >> np.uint64(52)).astype(int)]
    seconds = items.promised[:, 0].astype(float) + way / scenario.places.speed.value + promise.padding.value
    return np.asarray(seconds * spread)


def asked(name: str, stage: str, visit: int = 0) -> list[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]]:
    """The parts of the first requests of everybody's visit, with the candidates that there were."""
    compiled, items, _, criteria = drawn(name)
    rows = np.zeros(USERS, dtype=VISIT)
    rows["user"], rows["visit"], rows["request"] = np.arange(USERS), visit, 1
    s = compiled.names.stages.index(stage)
    rows["slate_stage"] = s
    there = np.flatnonzero(levels_of(compiled, items) == compiled.plan.stages["shows_parents"][s]).astype(np.int32)
    return [(*part, there) for part in parts(criteria, rows, there)]


@pytest.mark.parametrize(("name", "criterion", "stage"), LIMITED)
def test_what_is_offered_keeps_to_the_limits_of_the_visit(name, criterion, stage):
    compiled = drawn(name)[0]
    kinds = list(compiled.scenario.criteria)
    column = kinds.index(criterion)
    limits = [kinds.index(each) for each in kinds if (name, each, stage) in LIMITED]
    alone, kept = 0, 0
    for part, items, told, there in asked(name, stage):
        others = np.delete(told, limits, axis=1)
        if np.isnan(told[:, column]).all() or not np.isnan(others).all() or np.array_equal(items, there):
            continue
        assert len(part) == 1  # nobody else is where this user is
        passes = np.ones(len(there), dtype=bool)
        for k in limits:
            if not np.isnan(told[0, k]):
                passes &= between(name, kinds[k], int(part[0]))[there] <= told[0, k] + 1e-6
        if set(items) != set(there[passes]):
            # a limit that was told and is not hard is no filter: there are more than keep to all
            assert set(there[passes]) < set(items)
        else:
            kept += 1
        alone += 1
    assert kept > 5
    assert kept >= 0.4 * alone


def test_who_told_no_limit_is_asked_for_with_the_others():
    parts = asked("jobs", "search")
    assert all(
        len(part) == 1 or np.array_equal(items, there) or len(items) < len(there) for part, items, _, there in parts
    )
    whole = [part for part, items, _, there in parts if len(items) == len(there)]
    assert max(len(part) for part in whole) > 50
    assert sorted(np.concatenate([part for part, *_ in parts])) == list(range(USERS))


def test_a_limit_lasts_as_long_as_its_visit():
    compiled, _, users, _ = drawn("jobs")
    column = len(compiled.names.attribute_effects)
    assert compiled.plan.attribute_effects["limit"][column] == 1
    levels = set()
    for visit in range(3):
        told = np.full((USERS, 3), np.nan)
        for part, _, said, _ in asked("jobs", "search", visit):
            told[part] = said
        trait = users.traits[:, column]
        stated = ~np.isnan(told[:, 0])
        assert (trait[stated] == told[stated, 0].astype(np.float32)).all()
        assert ((trait > 0).mean()) == pytest.approx(0.8, abs=0.08)  # told or not
        levels |= set(np.unique(trait[trait > 0]))
    assert len(levels) == LEVELS


@kernel
def worths(keys: npt.NDArray[np.uint64], user: int, numbers: Numbers, out: npt.NDArray[np.float64]) -> None:
    """What the numbers of every item are worth to a user."""
    for item in range(out.shape[0]):
        out[item] = attribute_utility(keys[item], 0.0, user, item, EVERYTHING, numbers)


@pytest.mark.parametrize(("name", "criterion"), [("jobs", "place"), ("fooddelivery", "within")])
def test_what_misses_a_limit_is_worth_less(name, criterion):
    compiled, items, users, _ = drawn(name)
    weight = compiled.scenario.criteria[criterion].weight
    assert weight is not None
    column = next(k for k, row in enumerate(compiled.plan.attribute_effects) if row["limit"] == 1)
    user, n = 7, len(items.state)
    keys = np.array([luck_of(SEED, PERCEPTION, user, item) for item in range(n)], dtype=np.uint64)
    amount = between(name, criterion, user)
    limit = np.float32(np.median(amount))
    found = []
    for trait in (0.0, limit):
        traits = users.traits.copy()
        traits[user, column] = trait
        out = np.empty(n)
        worths(keys, user, numbers_of(compiled.plan, users._replace(traits=traits), items), out)
        found.append(out)
    meets = (compiled.plan.attribute_effects["types"][column] >> items.state["type"].astype(np.uint32)) & 1
    expected = np.where((amount > limit) & (meets == 1), -weight.value, 0.0)
    assert 0.2 < (expected[meets == 1] < 0).mean() < 0.8
    assert found[1] - found[0] == pytest.approx(expected, abs=1e-9)
    if compiled.shown_parents:  # a restaurant's time is not also that of its dishes
        assert (meets == (items.state["type"] >= len(compiled.scenario.item_types))).all()


class Keeper(Recommender):
    """The first candidates; keeps of how many each was asked."""

    name = "keeper"
    learns = False

    def __init__(self) -> None:
        super().__init__()
        self.asked: dict[tuple[int, int, int], tuple[bytes, bytes]] = {}

    def recommend(self, requests):
        for row in range(len(requests)):
            key = (int(requests.user[row]), int(requests.session[row]), int(requests.request[row]))
            self.asked[key] = requests.criteria[row].tobytes(), requests.candidates.tobytes()
        items = np.full((len(requests), requests.slate_size), -1, dtype=np.int32)
        items[:, : requests.filled] = requests.candidates[: requests.filled]
        return Slates(items)


@pytest.mark.parametrize(("name", "horizon"), [("jobs", "6d"), ("fooddelivery", "2d")])
def test_settings_change_no_limits_and_slates_keep_to_them(name, horizon):
    lived = []
    for settings in ({}, {"window": 3, "batch": 2}):
        keeper = Keeper()
        world: dict[str, Any] = {"users": 600, "items": 600, "horizon": horizon, "first_fit": "6h", "seed": 3}
        result = simulator.run(name, keeper, **world | settings)
        lived.append((keeper.asked, {log: each["hash"] for log, each in result.manifest["log"].items()}))
    assert lived[0] == lived[1]
    assert len({candidates for _, candidates in lived[0][0].values()}) > 20


@pytest.mark.parametrize(("at_once", "full"), [(3, 1 << 24), (1024, 0)])
def test_how_many_lists_stand_at_a_time_changes_nothing(monkeypatch, at_once, full):
    """Few rows at a time, and a shelf that is cleared between any two rounds."""
    world: dict[str, Any] = {"users": 400, "items": 400, "horizon": "4d", "first_fit": "6h", "seed": 3}
    usual = simulator.run("jobs", "random", **world)
    monkeypatch.setattr("simulator.platform.filters._AT_ONCE", at_once)
    monkeypatch.setattr("simulator.platform.filters._FULL", full)
    assert simulator.run("jobs", "random", **world).manifest["log"] == usual.manifest["log"]


def test_how_late_it_came_is_no_matter_of_the_limit():
    """The visit that set the limit is over: what was eaten is worth what it is, and lateness counts once."""
    result = simulator.run("fooddelivery", "random", users=600, items=200, horizon="2d", seed=3)
    worths = result.truth.loc[result.truth["event"] == "experience", "utility"]
    assert len(worths) > 5
    assert abs(result.metrics["satisfaction"]) < 5.0
