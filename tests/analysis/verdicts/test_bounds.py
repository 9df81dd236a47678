"""Bounds of measures: by world, relative or not, and in every scenario that comes along."""

from __future__ import annotations

import math

import numpy as np
import pytest

from analysis.elasticity import DECISIONS, OPENS, SATISFACTION, WORTH
from analysis.verdicts.bounds import bound_of, declared, in_words
from analysis.verdicts.directions import DECLARED, better
from simulator.errors import InputError
from simulator.scenario.load import available_scenarios, load_scenario

NEWS = load_scenario("news")


def test_a_bound_goes_with_its_world_where_it_is_a_share_of_it():
    share = declared(NEWS, "visits").value
    assert bound_of(NEWS, "visits", [10.0, 20.0, math.nan]) == pytest.approx(
        [10 * share, 20 * share, math.nan], nan_ok=True
    )
    worth = declared(NEWS, SATISFACTION).value
    assert bound_of(NEWS, SATISFACTION, [-1.0, math.nan]) == pytest.approx([worth, math.nan], nan_ok=True)
    assert bound_of(NEWS, "visits", np.zeros(3)) is None
    assert bound_of(NEWS, "plays", [1.0]) is None
    assert bound_of(NEWS, "recall@20", [0.1]) == pytest.approx([0.1 * declared(NEWS, "recall").value])
    with pytest.raises(InputError, match=r"verdicts\.bounds\.visits is a share of -1; give a bound in the unit"):
        bound_of(NEWS, "visits", [-1.0])


def test_a_bound_of_no_measure_is_refused():
    renamed = NEWS.verdicts.model_copy(update={"bounds": {"satisfactoin": NEWS.verdicts.bounds[SATISFACTION]}})
    changed = NEWS.model_copy(update={"verdicts": renamed})
    with pytest.raises(InputError, match="did you mean satisfaction"):
        declared(changed, SATISFACTION)


@pytest.mark.parametrize("name", available_scenarios())
def test_every_scenario_declares_what_is_too_small_to_matter(name):
    scenario = load_scenario(name)
    for measure in (OPENS, DECISIONS, SATISFACTION, WORTH, "regret", "visits", "churned_share", "recall", "ndcg"):
        assert declared(scenario, measure) is not None


def test_bounds_in_words():
    assert in_words(declared(NEWS, "visits")) == "0.02 of the control"
    assert in_words(declared(NEWS, SATISFACTION)) == "0.05 utility"


def test_measures_that_rise_for_good_or_bad_have_no_direction():
    assert [better(name) for name in ("satisfaction", "regret", "churned_share", "recall@5", "opens_per_visit")] == [
        "higher", "lower", "lower", "higher", None,
    ]  # fmt: skip
    assert len(set(DECLARED)) == len(DECLARED)
