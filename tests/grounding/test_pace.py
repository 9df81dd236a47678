"""How often grounded users come: as the real users' numbers of interactions are to one another."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from simulator.grounding.pilot import pilot_positives
from simulator.grounding.setting import _pace
from simulator.plan.compiler import compile_scenario
from simulator.population.catalog import draw_catalog
from simulator.population.users import draw_users, new_people
from simulator.scenario.load import load_scenario

DAY = 86400.0


def test_users_come_at_their_own_pace():
    compiled = compile_scenario(load_scenario("shortvideo"))
    catalog = draw_catalog(compiled, 300, DAY, 1)
    taste = draw_users(compiled, catalog.items, 600, 1).taste
    pace = np.where(np.arange(600) % 2, 1.0, 0.1).astype(np.float32)
    users = new_people(compiled, taste, 1, pace=pace)
    pilot_positives(compiled, catalog, users, 2 * DAY, 1)
    often, seldom = users.state["visits"][1::2].mean(), users.state["visits"][::2].mean()
    # ten times in the long run; in two days less, because returns come in bursts, visits take time, and some churn
    assert 4 < often / seldom < 12


def test_who_has_no_pace_arrives_as_the_scenario_says():
    compiled = compile_scenario(load_scenario("shortvideo", {"user.pace": None, "user.groups": {}}))
    catalog = draw_catalog(compiled, 100, DAY, 1)
    taste = draw_users(compiled, catalog.items, 50, 1).taste
    assert new_people(compiled, taste, 1).pace.shape == (50, 0)
    assert (new_people(compiled, taste, 1).state["due"] <= DAY).all()


@pytest.mark.parametrize("name", ["news", "shortvideo", "audio", "jobs", "ecommerce", "fooddelivery"])
def test_few_users_come_often_and_all_of_them_as_often_as_the_scenario_says_on_average(name):
    compiled = compile_scenario(load_scenario(name))
    taste = np.zeros((20_000, compiled.latent_width), dtype=np.float32)
    pace = new_people(compiled, taste, 1).pace[:, 0]
    assert pace.mean() == pytest.approx(1.0, abs=0.05)
    assert np.median(pace) < 0.8
    busiest = np.sort(pace)[-2_000:].sum() / pace.sum()
    assert busiest > 0.25  # a tenth of the users make more than a quarter of the visits


def test_pace_is_activity_beside_the_most_active_hundredth():
    activity = np.full(200, 4)
    activity[:2] = 300, 500
    activity[5] = 0
    pace = _pace(SimpleNamespace(activity=activity), 300)  # type: ignore[arg-type]
    assert pace[:2].mean() == pytest.approx(1.0)
    assert pace[2] == pytest.approx(4 / 400)
    assert pace[5] == pytest.approx(0.5 / 400)
    assert (pace[200:] == pace[:100]).all()  # further users repeat the real ones
