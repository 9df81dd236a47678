"""Selection criteria of visits: who is told, what is a filter, and what they are worth to users."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
import pytest

import simulator
from recommenders.contract import Recommender, Slates
from recommenders.contract.candidate_lists import runs
from simulator.engine.tables.tables import VISIT
from simulator.errors import InputError
from simulator.plan.compiler import Compiled, compile_scenario
from simulator.plan.limits import LEVELS, limit_worths
from simulator.platform.filters import Criteria
from simulator.population.catalog import draw_catalog
from simulator.population.interests import topical
from simulator.population.users import draw_users
from simulator.scenario.checks.check import check_scenario
from simulator.scenario.load import load_scenario, scenario_from
from simulator.scenario.strict_yaml import load_yaml

NAME = "ecommerce"
WORLD: dict[str, Any] = {"users": 150, "items": 300, "horizon": "6d", "seed": 3, "serves": "all"}
QUERY, CEILING = 0, 1  # columns of what is told


def number(value: float, unit: str = "probability") -> dict[str, Any]:
    return {"value": value, "unit": unit, "from": "estimate"}


def scenario_with(edits: dict[str, Any], name: str = NAME) -> Any:
    """A scenario with other criteria; keys are dotted paths, None takes a key away."""
    original = load_scenario(name)
    content = load_yaml(str(original.path), name)
    for path, value in edits.items():
        *way, last = path.split(".")
        place = content["criteria"]
        for key in way:
            place = place[key]
        if value is None:
            del place[last]
        else:
            place[last] = value
    return scenario_from(content, name, original.sources)


@cache
def drawn(users: int) -> tuple[Compiled, Any, Any, Criteria]:
    scenario = load_scenario(NAME)
    compiled = compile_scenario(scenario)
    items = draw_catalog(compiled, 500, 86400.0, 1).items
    all_users = draw_users(compiled, items, users, 1)
    return compiled, items, all_users, Criteria(compiled, all_users, items, 1)


def visits_of(compiled: Compiled, users: int, visit: int, stage: str = "search", request: int = 1) -> np.ndarray:
    rows = np.zeros(users, dtype=VISIT)
    rows["user"], rows["visit"], rows["request"] = np.arange(users), visit, request
    rows["slate_stage"] = compiled.names.stages.index(stage)
    return rows


def parts(criteria: Criteria, rows: np.ndarray, there: np.ndarray) -> Iterator[tuple[np.ndarray, ...]]:
    """Rows that choose from one list, the list, and what is told of them."""
    criteria.forget()
    asked = criteria.ask(np.arange(len(rows)), rows, np.zeros(len(rows), dtype=np.int64), {0: there})
    for first, last in runs(asked.of):
        yield asked.rows[first:last], criteria.lists.array(int(asked.of[first])), asked.criteria[first:last]


def asked(users: int = 200, visit: int = 0, stage: str = "search", request: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """What each user's visit is told of, (users, criteria), and how many items pass its filters."""
    compiled, all_items, _, criteria = drawn(users)
    rows = visits_of(compiled, users, visit, stage, request)
    told, passing = np.full((users, 2), np.nan), np.zeros(users, dtype=int)
    everything = np.arange(len(all_items.state), dtype=np.int32)
    for part, items, said in parts(criteria, rows, everything):
        told[part], passing[part] = said, len(items)
    return told, passing


def test_criteria_are_those_of_the_user_and_the_visit():
    told, passing = asked()
    assert np.array_equal(asked(request=7)[0], told, equal_nan=True)
    assert np.array_equal(asked(users=90)[0], told[:90], equal_nan=True)
    assert not np.array_equal(asked(visit=1)[0], told, equal_nan=True)
    assert (passing[np.isnan(told).all(axis=1)] == 500).all()


def test_shares_are_those_of_the_scenario():
    told = np.concatenate([asked(visit=visit)[0] for visit in range(40)])
    restricted = np.concatenate([asked(visit=visit)[1] for visit in range(40)]) < 500
    said = ~np.isnan(told)
    assert said[:, QUERY].mean() == pytest.approx(0.6, abs=0.02)
    assert said[:, CEILING].mean() == pytest.approx(0.3 * 0.4, abs=0.015)
    assert restricted[said[:, QUERY] & ~said[:, CEILING]].mean() == pytest.approx(0.5, abs=0.03)
    assert len(np.unique(told[said[:, CEILING], CEILING])) == LEVELS


def test_a_query_is_for_what_its_user_likes():
    compiled, items, _, criteria = drawn(200)
    told = asked()[0][:, QUERY]
    match = criteria.taste @ topical(compiled, items.vectors).T
    own = np.array([match[u, items.state["topic"] == told[u]].mean() for u in np.flatnonzero(~np.isnan(told))])
    assert own.mean() > match.mean() + 0.4


def test_only_the_stages_that_ask_are_told_and_filter():
    told, passing = asked(stage="home")
    assert np.isnan(told).all()
    assert (passing == 500).all()


def test_a_need_is_worth_its_weight():
    """What is needed gains the weight over all else, before saturation; a visit without a need has its own taste."""
    compiled, items, users, criteria = drawn(200)
    f = compiled.names.facets.index("topic")
    shape = compiled.facets[f]
    block = slice(shape.offset, shape.offset + shape.width)
    told = asked()[0][:, QUERY]
    own = draw_users(compiled, items, 200, 1).taste
    assert np.array_equal(criteria.taste, own[:, block])
    turned = users.taste - own
    assert (turned[np.isnan(told)] == 0).all()
    outside = np.ones(users.taste.shape[1], dtype=bool)
    outside[block] = False
    assert (turned[:, outside] == 0).all()
    weights = compiled.plan.weights[:, f][items.state["type"]].mean() * compiled.plan.facets[f]["scale"]
    some = np.flatnonzero(~np.isnan(told))
    assert len(some) > 80
    weight = compiled.scenario.criteria["query"].weight.value
    for user in some:
        gain = weights * (items.vectors[:, block] @ turned[user, block])
        needed = items.state["topic"] == told[user]
        assert gain[needed].mean() - gain[~needed].mean() == pytest.approx(weight, rel=1e-3)


def test_a_limit_costs_what_misses_it_while_the_visit_lasts():
    compiled, items, users, _ = drawn(200)
    first = len(compiled.names.attribute_effects)
    price = items.attributes[:, compiled.names.attributes.index("price")]
    told = asked()[0][:, CEILING]
    limits = users.traits[:, first:]
    assert limits.shape[1] == LEVELS
    assert set(np.unique(limits.sum(axis=1))) == {0.0, 1.0}
    assert limits.any(axis=1).mean() == pytest.approx(0.3, abs=0.1)  # told or not
    lost = limits @ items.attribute_effects[:, first:].T
    for user in np.flatnonzero(~np.isnan(told)):
        assert lost[user] == pytest.approx(np.where(price <= told[user], 0.0, -0.5))
    assert (
        compiled.plan.attribute_effects["revealed_by"][first:] == 1 << compiled.names.modalities.index("price")
    ).all()


def test_a_floor_costs_what_stays_below():
    scenario = load_scenario("jobs")
    salaries = np.array([[20000.0, 5.0], [60000.0, 5.0]], dtype=np.float32)
    worths = limit_worths(scenario, ("salary", "distance"), salaries)
    assert worths.shape == (2, 1 + LEVELS)
    assert (worths[:, 0] == 0).all()  # a distance is nobody's own
    floor = worths[:, 1:]
    assert (floor[1] == 0).all()
    assert (floor[0] < 0).sum() > LEVELS // 2


class Keeper(Recommender):
    """The first candidates; keeps what was asked, and of how many."""

    name = "keeper"
    learns = False

    def __init__(self) -> None:
        super().__init__()
        self.asked: dict[tuple[int, int, int], tuple[bytes, int]] = {}
        self.requests: list[Any] = []

    def recommend(self, requests):
        self.requests.append(requests)
        for row in range(len(requests)):
            key = (int(requests.user[row]), int(requests.session[row]), int(requests.request[row]))
            self.asked[key] = requests.criteria[row].tobytes(), requests.candidates.size
        items = np.full((len(requests), requests.slate_size), -1, dtype=np.int32)
        items[:, : requests.filled] = requests.candidates[: requests.filled]
        return Slates(items)


@pytest.fixture(scope="module")
def lived():
    keeper = Keeper()
    result = simulator.run(NAME, keeper, **WORLD, first_fit="1h")
    return keeper, result


def test_filters_are_what_was_told_and_slates_keep_to_them(lived):
    keeper, result = lived
    compiled = compile_scenario(load_scenario(NAME))
    items = draw_catalog(compiled, 300, 6 * 86400.0, 3).items
    price = items.attributes[:, compiled.names.attributes.index("price")]
    search = compiled.names.stages.index("search")
    whole = max(requests.candidates.size for requests in keeper.requests)
    filtered = 0
    for requests in keeper.requests:
        assert requests.criteria.shape == (len(requests), 2)
        assert (requests.stage[~np.isnan(requests.criteria).all(axis=1)] == search).all()
        if requests.candidates.size < 0.7 * whole:
            # one filter for the whole batch: every row was told of it
            dearest = price[requests.candidates].max()
            wanted = requests.criteria[0, QUERY]
            mostly = (items.state["topic"][requests.candidates] == wanted).mean() >= 0.5
            by_topic = mostly and (requests.criteria[:, QUERY] == wanted).all()
            by_price = (requests.criteria[:, CEILING] >= dearest).all()
            assert by_topic or by_price
            filtered += len(requests)
    assert filtered > 50
    impressions = result.truth[result.truth["event"] == "impression"]
    shown = impressions.groupby(["user", "session", "request"])["item"].nunique()
    for key, n in shown.items():
        assert n <= keeper.asked[key][1] if key in keeper.asked else True


def test_another_recommender_is_asked_the_same(lived):
    keeper, _ = lived
    other = Keeper()
    simulator.run(NAME, other, **WORLD | {"seed": 3}, first_fit="1h", window=5, batch=3)
    assert other.asked == keeper.asked


def test_without_criteria_requests_have_none():
    keeper = Keeper()
    simulator.run("news", keeper, users=20, items=60, horizon="3h", first_fit="20min", seed=1)
    assert all(requests.criteria.shape == (len(requests), 0) for requests in keeper.requests)


def test_a_search_that_finds_nothing_is_answered_without_its_filters():
    compiled = compile_scenario(scenario_with({"query.precision": None, "query.recall": None}))
    all_items = draw_catalog(compiled, 500, 86400.0, 1).items
    criteria = Criteria(compiled, draw_users(compiled, all_items, 200, 1), all_items, 1)
    rows = visits_of(compiled, 200, 0)
    one_topic = np.flatnonzero(all_items.state["topic"] == all_items.state["topic"][0]).astype(np.int32)
    for _, items, said in parts(criteria, rows, one_topic):
        assert len(items)
        if len(said) and (said[:, QUERY] != all_items.state["topic"][0]).all() and np.isnan(said[:, CEILING]).all():
            assert np.array_equal(items, one_topic)


@pytest.mark.parametrize(
    ("edits", "wrong"),
    [
        ({"price_at_most.on": "published_at"}, "criteria.price_at_most.on = published_at: this version cannot"),
        ({"query.on": "style"}, "criteria.query.on = style: this version cannot run it yet"),
        ({"price_at_most.weight": None}, "criteria.price_at_most.weight is missing"),
        ({"query.kind": "category", "query.on": "item_type"}, "criteria.query.weight: this version cannot run it yet"),
    ],
)
def test_what_cannot_be_run_is_refused_by_name(edits, wrong):
    with pytest.raises(InputError) as raised:
        compile_scenario(scenario_with(edits))
    assert wrong in str(raised.value)


def flagged(weight: float | None) -> Any:
    """The scenario with a flag of items, and visits that want only what has it."""
    original = load_scenario(NAME)
    content = load_yaml(str(original.path), NAME)
    for kind in content["item_types"].values():
        kind["attributes"]["green"] = {"dist": "bernoulli", "p": 0.4, "unit": "ratio", "from": "estimate"}
    for other in content["criteria"].values():
        other["present"] = number(0)
    always = dict.fromkeys(("present", "stated", "hard"), number(1))
    content["criteria"]["green"] = {"kind": "only", "on": "green", **always}
    if weight is not None:
        content["criteria"]["green"]["weight"] = number(weight, "utility")
        reading = {"reading": number(0.1, "s"), "salience": number(0.5)}
        content["modalities"]["badge"] = {"kind": "attribute", "shows": "green", **reading}
        content["surfaces"]["results"]["shows"]["browse"].append("badge")
    return scenario_from(content, NAME, original.sources)


@pytest.mark.parametrize("weight", [None, 0.7])
def test_who_wants_only_what_has_a_flag_is_shown_that_and_misses_it_elsewhere(weight):
    scenario = flagged(weight)
    check_scenario(scenario)
    compiled = compile_scenario(scenario)
    all_items = draw_catalog(compiled, 500, 86400.0, 1).items
    users = draw_users(compiled, all_items, 100, 1)
    flag = all_items.attributes[:, compiled.names.attributes.index("green")]
    assert 0 < flag.sum() < 500
    asked = list(
        parts(Criteria(compiled, users, all_items, 1), visits_of(compiled, 100, 0), np.arange(500, dtype=np.int32))
    )
    assert sum(len(rows) for rows, _, _ in asked) == 100
    for _, items, said in asked:
        assert np.array_equal(items, np.flatnonzero(flag))
        assert (said[:, -1] == 1).all()
    lost = limit_worths(scenario, compiled.names.attributes, all_items.attributes)
    assert np.array_equal(lost[:, -1] == 0, flag == 1) if weight else lost.shape[1] == LEVELS
    if weight:
        assert np.allclose(lost[flag == 0, -1], -weight)


def test_only_takes_no_limit_and_an_attribute():
    ceiling = {"price_at_most.kind": "only"}
    with pytest.raises(InputError, match=r"criteria\.price_at_most\.limit: only what has any of price passes"):
        check_scenario(scenario_with(ceiling))
    with pytest.raises(InputError, match=r"criteria\.price_at_most\.on names delivery_date"):
        check_scenario(scenario_with({**ceiling, "price_at_most.on": "delivery_date"}))


def test_stages_that_are_told_must_exist():
    with pytest.raises(InputError, match=r"criteria\.query\.stated_in names serch"):
        check_scenario(scenario_with({"query.stated_in": ["serch"]}))


def test_a_category_of_items_filters_by_type():
    edits = {
        "query.kind": "category", "query.on": "item_type", "query.weight": None, "query.hard": number(1),
        "query.precision": None, "query.recall": None, "query.present": number(1), "price_at_most.present": number(0),
    }  # fmt: skip
    scenario = scenario_with(edits)
    check_scenario(scenario)
    compiled = compile_scenario(scenario)
    all_items = draw_catalog(compiled, 500, 86400.0, 1).items
    users = draw_users(compiled, all_items, 300, 1)
    rows = visits_of(compiled, 300, 0)
    counts = np.zeros(len(compiled.names.types))
    criteria = Criteria(compiled, users, all_items, 1)
    for part, items, said in parts(criteria, rows, np.arange(500, dtype=np.int32)):
        kind = int(said[0, QUERY])
        assert (said[:, QUERY] == kind).all()
        assert np.array_equal(items, np.flatnonzero(all_items.state["type"] == kind))
        counts[kind] += len(part)
    shares = [kind.share.value for kind in scenario.item_types.values()]
    assert counts / 300 == pytest.approx(shares, abs=0.09)


@pytest.mark.parametrize(
    ("edits", "wrong"),
    [
        ({"price_at_most.kind": "near"}, "criteria.price_at_most.on names price, which does not exist"),
        ({"price_at_most.kind": "near", "price_at_most.on": "place"}, "places is missing"),
        (
            {"price_at_most.on": "delivery_date"},
            "criteria.price_at_most.limit.unit = eur, and delivery_date is a promise",
        ),
        (
            {"price_at_most.on": "delivery_date", "price_at_most.kind": "at_least"},
            "criteria.price_at_most.kind = at_least on the promise delivery_date; expected at_most",
        ),
        ({"price_at_most.limit": None}, "criteria.price_at_most.limit is missing"),
        ({"price_at_most.precision": number(0.5)}, "criteria.price_at_most.precision: a limit finds what keeps to it"),
        ({"query.recall": number(0)}, "criteria.query.recall = 0; expected a share above 0"),
    ],
)
def test_limits_that_make_no_sense_are_named(edits, wrong):
    with pytest.raises(InputError) as raised:
        check_scenario(scenario_with(edits))
    assert wrong in str(raised.value)


def test_a_distance_is_limited_in_km():
    limit = {"dist": "constant", "value": 5, "unit": "min", "from": "estimate"}
    with pytest.raises(InputError, match=r"criteria\.place\.limit\.unit = min; expected km"):
        check_scenario(scenario_with({"place.limit": limit}, "jobs"))


def test_what_users_weigh_has_to_be_shown():
    limit = {"dist": "constant", "value": 3, "unit": "d", "from": "estimate"}
    original = load_scenario(NAME)
    content = load_yaml(str(original.path), NAME)
    content["criteria"]["price_at_most"] |= {"on": "delivery_date", "limit": limit}
    check_scenario(scenario_from(content, NAME, original.sources))
    content["criteria"]["nearby"] = content["criteria"]["price_at_most"] | {
        "kind": "near", "on": "place", "limit": limit | {"unit": "km"},
    }  # fmt: skip
    content["places"] = load_yaml(str(load_scenario("jobs").path), "jobs")["places"]
    scenario = scenario_from(content, NAME, original.sources)
    check_scenario(scenario)
    with pytest.raises(InputError, match=r"criteria\.nearby\.on = place, which no modality shows"):
        compile_scenario(scenario)


def test_what_a_search_finds_is_what_is_shown():
    compiled, all_items, _, criteria = drawn(200)
    everything = np.arange(len(all_items.state), dtype=np.int32)
    right, found, there = 0, 0, 0
    visits = [visits_of(compiled, 200, visit) for visit in range(10)]
    for _, items, said in (part for rows in visits for part in parts(criteria, rows, everything)):
        if len(items) < len(everything) and not np.isnan(said[:, QUERY]).any() and np.isnan(said[:, CEILING]).all():
            asked_for = all_items.state["topic"] == said[0, QUERY]
            right, found, there = right + asked_for[items].sum(), found + len(items), there + asked_for.sum()
    assert found > 200
    assert right / found == pytest.approx(0.8, abs=0.1)
    assert right / there == pytest.approx(0.9, abs=0.06)
