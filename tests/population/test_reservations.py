"""What it is worth to search on: the reservation value, and how it moves with what can be seen."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, strategies as st
from scipy.stats import norm

from simulator.plan.compiler import compile_scenario
from simulator.plan.demands import demands_of
from simulator.population.catalog import draw_catalog
from simulator.population.reservations import reservation, way_to, with_reservations
from simulator.population.users import draw_users
from simulator.scenario.load import load_scenario

VALUES = st.lists(st.floats(-5.0, 5.0), min_size=1, max_size=40).map(np.array)
COST = st.floats(0.001, 3.0)
SEARCHED = ("ecommerce", "fooddelivery", "jobs")


@given(VALUES, COST)
def test_one_more_look_gains_on_average_what_it_costs(values, cost):
    z = reservation(values, cost)
    assert np.maximum(values - z, 0.0).mean() == pytest.approx(cost)


@given(VALUES, COST, COST)
def test_who_pays_more_for_a_look_demands_less(values, cost, more):
    assert reservation(values, cost + more) < reservation(values, cost)


@given(VALUES, COST, st.floats(0.1, 3.0), st.floats(-2.0, 2.0))
def test_it_has_the_unit_of_utility(values, cost, scale, shift):
    assert reservation(scale * values + shift, scale * cost) == pytest.approx(scale * reservation(values, cost) + shift)


@pytest.mark.parametrize("z", [-1.0, 0.0, 1.0, 2.0])
def test_of_normal_offers_it_is_the_closed_form(z):
    values = norm.ppf((np.arange(200_000) + 0.5) / 200_000)
    assert reservation(values, norm.pdf(z) - z * norm.sf(z)) == pytest.approx(z, abs=1e-3)


def demands(name, changes=None, seed=0):
    compiled = compile_scenario(load_scenario(name, changes))
    items = draw_catalog(compiled, 400, 86400.0, seed).items
    users = draw_users(compiled, items, 300, seed)
    return compiled, with_reservations(compiled, users, items, seed)


def test_the_less_can_be_seen_the_less_is_demanded():
    compiled, seen = demands("ecommerce")
    hidden = {
        f"surfaces.{name}.shows.{kind}": [each for each in shown if each != "image"]
        for name, surface in compiled.scenario.surfaces.items()
        for kind, shown in surface.shows.items()
    }
    _, blind = demands("ecommerce", hidden)
    for stage in ("search", "detail", "checkout"):
        s = compiled.names.stages.index(stage)
        assert (blind.plan.demands[s] < seen.plan.demands[s]).all(), stage


@pytest.mark.parametrize("name", SEARCHED)
def test_decisions_are_in_the_body_of_beliefs(name):
    """What is demanded of an item lies within 1.5 standard deviations of what users think of any, at every stage."""
    compiled, found = demands(name)
    for stage in (*compiled.scenario.browse, *compiled.scenario.inspect, *compiled.scenario.commit):
        z = found.plan.demands[compiled.names.stages.index(stage)]
        assert (np.abs(z) < 1.5).all(), stage  # utility has a standard deviation of 1, beliefs a smaller one


def test_fixed_demands_stay(tmp_path):
    compiled, found = demands("shortvideo")
    assert found is compiled


def test_an_item_comes_to_a_checkout_by_card_and_page():
    compiled, _ = demands("ecommerce")
    assert [compiled.names.stages[s] for s in way_to(compiled, "checkout")] == ["search", "detail", "checkout"]
    assert [compiled.names.stages[s] for s in way_to(compiled, "home")] == ["home"]


@pytest.mark.parametrize("name", SEARCHED)
def test_environments_demand_what_runs_do(name):
    """Demands of a stage with a search cost are 0 until users and items are known."""
    from simulator.env.context import EnvContext
    from simulator.env.settings import EnvSettings

    context = EnvContext(EnvSettings(scenario=name, items=400))
    searched = [name for name, each in demands_of(context.compiled.scenario) if any(each.search_cost)]
    _, found = demands(name)
    for stage in searched:
        s = context.compiled.names.stages.index(stage)
        assert context.plan.demands[s] == pytest.approx(found.plan.demands[s], abs=0.25), stage
        assert (context.plan.demands[s] != 0.0).all(), stage
