"""The limits of numbers, tables and sizes: each refusal is one line with path, value and limit."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, strategies as st
from pydantic import ValidationError

from simulator.errors import InputError
from simulator.scenario import limits
from simulator.scenario.checks.check import check_scenario
from simulator.scenario.load import available_scenarios
from simulator.scenario.schema.distributions import PARAMETERS, Distribution
from simulator.scenario.schema.scenario import scenario_json_schema
from simulator.scenario.schema.units import parse_unit


def _number(value: float, unit: str) -> dict[str, Any]:
    return {"value": value, "unit": unit, "from": "estimate"}


ECOMMERCE, FOOD = "ecommerce", "fooddelivery"
PARETO = {"dist": "pareto", "shape": 0.01, "unit": "relative", "from": "estimate"}
CASES: list[tuple[str, dict[str, Any], str]] = [
    # by unit
    (FOOD, {"modalities.name.bias.value": 1e30}, "modalities.name.bias.value = 1e+30; expected at most 1000 utility"),
    ("shortvideo", {"clock.tick": _number(1e30, "min")}, "clock.tick.value = 1e+30; expected at most 525600000 min"),
    ("shortvideo", {"consume.watch.leave_known": _number(1e9, "1/s")}, "consume.watch.leave_known.value = 1000000000"),
    ("shortvideo", {"user.churn_goodwill": _number(5e-324, "1/goodwill")},
     "user.churn_goodwill.value = 5e-324; expected 0, or at least 1e-12 1/goodwill"),
    # distributions
    (FOOD, {"user.budget": {"dist": "lognormal", "median": 5, "sigma": 40, "unit": "min", "from": "estimate"}},
     "user.budget = a lognormal that reaches"),
    ("shortvideo", {"supply.creator_activity": PARETO},
     "supply.creator_activity = a pareto that reaches inf"),
    ("shortvideo", {"supply.creator_activity.shape": 1e-4}, "supply.creator_activity.shape = 0.0001; expected"),
    # whole numbers
    (FOOD, {"surfaces.again.slate": 2**31 - 1}, "surfaces.again.slate = 2147483647; expected at most 500"),
    (FOOD, {"facets.topic.dimensions": 2**32}, "facets.topic.dimensions = 4294967296; expected at most 1024"),
    (FOOD, {"facets.topic.clusters": 10**39}, "facets.topic.clusters = 1" + "0" * 39 + "; expected at most 4096"),
    ("shortvideo", {"platform.recent": 2**31 - 1}, "platform.recent = 2147483647; expected at most 10000"),
    ("shortvideo", {"consume.watch.loops_at_most": 10**30}, "consume.watch.loops_at_most = 1"),
    ("shortvideo", {"defaults.users": 10**12}, "defaults.users = 1000000000000; expected at most 4294967294"),
    ("shortvideo", {"defaults.horizon": "1e9d"}, "defaults.horizon = 1e9d; expected at least 1/1024 s and at most"),
    (ECOMMERCE, {"commit.checkout.bracket.at_most": 9}, "commit.checkout.bracket.at_most = 9; expected at most 8"),
    # units of resources
    (FOOD, {"resources.kitchen.line": _number(1e30, "orders")}, "resources.kitchen.line.value = 1e+30; expected"),
    (FOOD, {"resources.kitchen.shifts.0.capacity": _number(3e6, "eur")},
     "resources.kitchen.shifts.0.capacity.value = 3000000; expected at least 0 and at most 1000000"),
    (FOOD, {"resources.couriers.capacity": _number(20000, "couriers"), "resources.couriers.shifts": []},
     "resources.couriers: 20000 servers with places; expected at most 10000"),
    (FOOD, {"supply.creators": _number(1e5, "creators/item")}, "supply.creators.value = 100000; expected at least"),
    (FOOD, {"places.zones": _number(1e6, "zones")}, "places.zones.value = 1000000; expected at least 1 and at"),
    # times that come again
    ("news", {"outreach.alert.every": _number(1, "ms")}, "outreach.alert.every.value = 0.001 s; expected at"),
    ("jobs", {"resources.interviews.every": _number(1e-9, "s")}, "resources.interviews.every.value = 1e-09 s"),
    (FOOD, {"circumstances.rain.lasts": {"dist": "constant", "value": 1, "unit": "ms", "from": "estimate"}},
     "circumstances.rain.lasts: always less than a second; expected a second or more"),
    # what follows from several
    (ECOMMERCE, {"modalities.price.per": _number(1e-9, "ratio")}, "modalities.price: what it shows may be worth"),
    # names
    (ECOMMERCE, {"user.traits": {}}, "modalities.price.trait names price_sensitivity, which does not exist"),
    # lists and profiles
    ("shortvideo", {"platform.labels.like.events": ["like", "like"]},
     "platform.labels.like.events = ['like', 'like']; expected every name once; like is repeated"),
    ("shortvideo", {"user.hours.profile": [1.0] * 23 + [1e30]}, "user.hours.profile = "),
    ("shortvideo", {"user.hours.profile": [1.0] * 23 + [5e-324]}, "user.hours.profile = "),
    ("shortvideo", {"facets": {"a" * 81: {}}}, "key facets." + "a" * 81 + "; expected a name of small letters"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "changes", "line"), CASES)
def test_what_is_too_large_or_too_small_is_one_line(spoiled, name, changes, line):
    with pytest.raises(InputError) as error:
        check_scenario(spoiled(changes, name=name))
    assert str(error.value).startswith(f"scenarios/{name}.yaml: {line}")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("table", "most"),
    [("modalities", limits.MODALITIES), ("stages", limits.NAMED), ("platform.labels", limits.LABELS),
     ("respond.react.acts", limits.ACTS), ("criteria", limits.ENTRIES)],
)  # fmt: skip
def test_tables_hold_what_stands_for_their_entries(spoiled, table, most):
    share = _number(1, "share")
    rows = {
        "criteria": {"kind": "category", "on": "item_type", "present": share, "stated": share, "hard": share},
        "modalities": {"kind": "distance", "reading": _number(1, "s"), "salience": share},
        "stages": {"kind": "browse", "next": {}},
        "platform.labels": {"events": ["like"]},
        "respond.react.acts": {"base": share, "slope": _number(0, "1/utility")},
    }
    with pytest.raises(InputError, match=rf"{table} has {most + 1} entries; expected at most {most}"):
        spoiled({table: {f"x{k}": rows[table] for k in range(most + 1)}})


def test_editors_are_shown_the_limits():
    shown = scenario_json_schema()["$defs"]
    assert shown["Surface"]["properties"]["slate"]["maximum"] == limits.SLATE
    assert shown["Facet"]["properties"]["clusters"]["maximum"] == limits.CLUSTERS
    assert shown["Shift"]["properties"]["capacity"]["description"] == f"at least 0 and at most {limits.UNITS}"
    assert shown["Step"]["properties"]["holds"]["uniqueItems"] is True


@pytest.mark.parametrize("unit", ["ms", "s", "d", "1/s", "1/ms", "utility", "share", "eur", "km/h", "1/utility^2"])
def test_a_unit_bounds_its_numbers_in_si(unit):
    parsed = parse_unit(unit)
    largest = min(parsed.most / parsed.factor, parsed.high)
    assert parsed.allows(largest)
    assert not parsed.allows(largest * 1.01)
    assert parsed.allows(0.0)
    assert parsed.allows(1.01 * limits.LEAST / parsed.factor)
    assert parsed.allows(0.99 * limits.LEAST / parsed.factor) == (unit == "share")


SIZES = st.one_of(st.sampled_from([5e-324, 1e-12, 1e-3, 1.0, 1e3, 1e6, 3e9, 1e30, 1.7e308]), st.floats(1e-6, 1e6))


@given(st.sampled_from(sorted(PARAMETERS)), st.data())
def test_a_distribution_is_refused_or_all_of_its_values_are_finite(dist, data):
    named = {name: data.draw(SIZES, label=name) for name in PARAMETERS[dist]}
    if dist not in ("constant", "uniform", "bernoulli"):
        named |= {name: data.draw(SIZES) for name in data.draw(st.sets(st.sampled_from(["low", "high"])))}
    try:
        made = Distribution.model_validate({"dist": dist, "unit": "s", "from": "estimate", **named})
    except ValidationError:
        return
    table = made.quantile((np.arange(4096) + 0.5) / 4096)
    most = limits.REACH * limits.MOST_OF["s"]
    assert np.isfinite(table.astype(np.float32)).all()
    lowest, highest = made.reach()
    assert lowest * (1 - 1e-9) <= table[0]
    assert table[-1] <= highest * (1 + 1e-9) <= most * (1 + 1e-9)
    ends = made.quantile(np.array([0.0, 2.0**-53, 1.0 - 2.0**-53, 1.0]))
    assert (np.abs(ends) <= most).all()


def test_a_gamma_is_bounded_from_above_and_not_by_much():
    gamma = Distribution.model_validate({"dist": "gamma", "shape": 2, "scale": 3, "unit": "s", "from": "estimate"})
    highest = float(gamma.quantile(np.array([1 - 0.5 / 4096]))[0])
    assert highest < gamma.reach()[1] < 2 * highest


@pytest.mark.parametrize("name", available_scenarios())
def test_packaged_scenarios_are_far_from_every_limit(spoiled, name):
    scenario = spoiled(name=name)
    assert max(surface.slate for surface in scenario.surfaces.values()) * 5 < limits.SLATE
    assert len(scenario.modalities) * 2 < limits.MODALITIES
    assert math.isfinite(scenario.user.return_after.reach()[1])
