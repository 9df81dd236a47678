"""What came before the run: ages as a steady stream of items leaves them, and counts that follow from them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import kstest

import simulator
from simulator.config import complete, resolve
from simulator.errors import InputError
from simulator.plan.compiler import SUM, compile_scenario
from simulator.platform.past import past_counts
from simulator.population.catalog import draw_catalog
from simulator.population.users import draw_users
from simulator.scenario.checks.check import check_scenario
from simulator.scenario.load import load_scenario
from simulator.world import run_world
from tests.runtime.stopped import resumed, stopped

NAME = "ecommerce"
DAY = 86400.0
USERS, ITEMS = 500, 4000


def number(value: float, unit: str) -> dict[str, object]:
    return {"value": value, "unit": unit, "from": "estimate"}


def before(**more: object) -> dict[str, object]:
    """A past in which each user rated something every ten days."""
    return {
        "worth": number(0.3, "exponent"),
        "popularity": {"dist": "lognormal", "median": 1, "sigma": 1, "unit": "relative", "from": "estimate"},
        "events": {"rate": {"rate": number(0.1, "1/d"), "mean": number(4, "stars"), "per_worth": number(0.3, "stars")}},
        **more,
    }


def begun(changes: dict[str, object], seed: int = 1):
    """The counters of before the run, the catalog and the compiled scenario."""
    scenario = load_scenario(NAME, {"supply.past": before(), **changes})
    check_scenario(scenario)
    compiled = compile_scenario(scenario)
    catalog = draw_catalog(compiled, ITEMS, 10 * DAY, seed)
    users = draw_users(compiled, catalog.items, USERS, seed)
    counters = past_counts(compiled, users, catalog.items, seed)
    return counters, catalog, compiled


def columns(compiled, counters):
    """How many ratings each item has had, and the sum of their stars."""
    names = compiled.names.counters
    return counters[:, 1 + names.index("rate")], counters[:, 1 + names.index("rate" + SUM)] / 1024.0


def test_items_that_stay_have_come_at_any_time():
    scenario = load_scenario(NAME)
    _, catalog, _ = begun({})
    old = -catalog.published_at[catalog.published_at < 0]
    since = DAY / scenario.supply.fresh.value
    assert kstest(old / since, "uniform").pvalue > 1e-3
    assert -begun({"supply.past.since": number(20, "d")})[1].published_at.min() == pytest.approx(20 * DAY, rel=0.01)
    without = draw_catalog(compile_scenario(scenario), ITEMS, 10 * DAY, 1).published_at
    fresh = without > 0
    assert np.array_equal(catalog.published_at[fresh], without[fresh])
    assert not without[~fresh].any()


def test_what_is_left_of_a_lifetime_begins_where_the_age_ends():
    lasting = {"dist": "constant", "value": 40, "unit": "d", "from": "estimate"}
    _, catalog, _ = begun({"supply.lifetime": lasting})
    old = catalog.published_at < 0
    assert np.allclose((catalog.withdrawn_at - catalog.published_at)[old], 40 * DAY, rtol=1e-3)
    assert kstest(-catalog.published_at[old] / (40 * DAY), "uniform").pvalue > 1e-3


def test_counts_are_as_many_as_ages_and_rates_make_them():
    """All together gather at the rate of the users; an item by its age, its worth and its luck."""
    counters, catalog, compiled = begun({})
    n, _ = columns(compiled, counters)
    old = catalog.published_at < 0
    age = -catalog.published_at[old]
    assert not counters[~old].any()
    assert n.sum() == pytest.approx(0.1 / DAY * USERS * age.mean(), rel=0.1)
    assert np.corrcoef(np.log1p(n[old]), np.log(age))[0, 1] > 0.4
    flat = {"dist": "constant", "value": 1, "unit": "relative", "from": "estimate"}
    many = {
        "supply.past.popularity": flat,
        "supply.past.worth": number(0, "exponent"),
        "supply.past.events.rate.rate": number(5, "1/d"),
    }
    plain, faded = begun(many), begun({**many, "supply.past.half_life": number(5, "d")})
    alike, worn = columns(plain[2], plain[0])[0][old], columns(faded[2], faded[0])[0][old]
    assert np.corrcoef(alike, age)[0, 1] > 0.99
    assert worn[age > 40 * DAY].std() < 0.05 * worn.mean()  # all that there was to gather


def test_means_follow_worth_within_the_stars():
    counters, _, compiled = begun({"supply.past.events.rate.per_worth": number(2, "stars")})
    n, total = columns(compiled, counters)
    mean = total[n > 0] / n[n > 0]
    assert mean.min() >= 1.0 - 1e-3
    assert mean.max() <= 5.0 + 1e-3
    assert mean.std() > 1.0
    even = columns(compiled, begun({"supply.past.events.rate.per_worth": number(0, "stars")})[0])[1]
    assert np.allclose(even[n > 0] / n[n > 0], 4.0, atol=1e-3)


def test_readouts_are_not_blank_on_day_0_and_a_resumed_run_knows_them(tmp_path):
    changes = {"scenario.supply.past": before(), "users": 40, "items": 100, "horizon": "9h", "checkpoint": "2h"}
    pairs = [("scenario", NAME), ("recommender", "random"), ("output", str(tmp_path / "run")), *changes.items()]
    config = complete(resolve(pairs), load_scenario(NAME).defaults.model_dump())
    told: list[np.ndarray] = []

    def look(world) -> None:
        told.append(world.setting.catalog.items.published_counters.copy())

    whole = run_world(replace(config, output=None), watch=look)
    assert (told[0].std(axis=0) > 0.5).all()
    assert resumed(stopped(config, 5), config).manifest["log"] == whole.manifest["log"]
    plain = simulator.run(
        NAME, "random", **{key: value for key, value in changes.items() if key != "scenario.supply.past"}
    )
    assert plain.manifest["log"] != whole.manifest["log"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"supply.past.events.order": {"rate": number(1, "1/d")}}, r"supply\.past\.events names order"),
        ({"supply.past.events.rate": {"rate": number(1, "1/d")}}, r"events\.rate has no mean; a read-out averages"),
        ({"supply.past.events.rate.rate": number(1, "share")}, r"rate\.unit = share"),
        ({"supply.fresh": number(0, "share")}, r"supply\.past\.since is missing: nothing is fresh, and apparel"),
    ],
)
def test_a_past_that_nothing_follows_from_is_refused(changes, message):
    with pytest.raises(InputError, match=message):
        check_scenario(load_scenario(NAME, {"supply.past": before(), **changes}))
