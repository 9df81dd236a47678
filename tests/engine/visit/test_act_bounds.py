"""Bounds of acts: at no satisfaction is an act likelier than its bound, and the bounds are near enough to be of use."""

from __future__ import annotations

import numpy as np
import pytest

from simulator.engine.primitives import exponential_table, sigmoid
from simulator.engine.tables.tables import LEVELS, LEVELS_PER_UNIT, USUAL
from simulator.plan.compiler import compile_scenario
from simulator.scenario.load import load_scenario


@pytest.mark.parametrize("scenario", ["shortvideo", "audio", "news"])
def test_no_act_is_likelier_than_its_bound(scenario):
    plan = compile_scenario(load_scenario(scenario)).plan
    exp_log_tables = exponential_table()
    for satisfaction in np.nextafter(np.linspace(-USUAL, USUAL, 16 * LEVELS + 1), 0.0):
        level = min(int((satisfaction + USUAL) * LEVELS_PER_UNIT), LEVELS - 1)
        for act, bound in zip(plan.acts, plan.act_bounds[level], strict=False):
            likely = sigmoid(float(act["log_odds"] + act["slope"] * satisfaction), exp_log_tables)
            assert likely <= bound < 1.3 * likely + 1e-9


def test_the_last_column_is_the_probability_that_none_is_left_open():
    bounds = compile_scenario(load_scenario("shortvideo")).plan.act_bounds
    assert bounds.shape[0] == LEVELS
    assert bounds[:, -1] == pytest.approx(np.prod(1.0 - bounds[:, :-1], axis=1))
    assert bounds[LEVELS // 2, -1] > 0.9  # most plays are known at once to lead to no act
