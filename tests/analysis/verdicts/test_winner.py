"""Winners: no name for what is equal, nearly equal, or not there."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, strategies as st

from analysis.verdicts.winner import winner
from simulator.errors import InputError

VALUES = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=12)
BETTER = st.sampled_from(["higher", "lower"])


def table(**arms: object) -> pd.DataFrame:
    return pd.DataFrame(arms)


@given(VALUES, BETTER)
def test_equal_arms_never_name_a_winner(values, better):
    found = winner(table(a=values, b=values, c=values), better)
    assert found.name is None
    assert found.among == ("a", "b", "c")


@given(VALUES, BETTER, st.integers(0, 2**32))
def test_arms_that_differ_by_rounding_never_name_a_winner(values, better, key):
    noise = np.random.default_rng(key).uniform(0.0, 1e-15, (2, len(values)))
    nearly = np.array(values)[None] * (1 + noise)
    assert winner(table(a=values, b=nearly[0], c=nearly[1]), better).name is None


@given(VALUES, BETTER, st.data())
def test_an_arm_without_a_value_never_wins(values, better, data):
    lacking = [1e9 if better == "higher" else -1e9] * len(values)
    lacking[data.draw(st.integers(0, len(values) - 1))] = math.nan
    found = winner(table(a=lacking, b=values), better)
    assert found.name is None
    assert found.without == ("a",)


@given(st.integers(2, 6), st.integers(2, 9))
def test_what_nobody_has_names_nobody(arms, seeds):
    nothing = pd.DataFrame(np.full((seeds, arms), math.nan))
    assert winner(nothing).says.startswith("nothing to compare; without 0, 1")


def test_a_name_is_said_where_it_is_surely_better_than_every_other():
    world = np.linspace(0.0, 5.0, 10)
    wobble = np.tile([0.1, -0.1], 5)
    arms = table(a=world, b=world + 1 + wobble, c=world + 0.98)
    assert winner(arms).says == "undecided among b, c"
    assert winner(arms, "lower").says == "a"
    assert winner(arms[["a", "b"]]).says == "b"
    assert winner(arms[["a", "b"]][:4]).says == "b (4 seeds: few)"
    assert winner(arms[["a", "b"]][:1]).says == "undecided among a, b (1 seeds: few)"
    assert winner(arms[["a"]]).says == "nothing to compare"


def test_where_nothing_differs_few_comparisons_name_a_winner():
    n = 500
    worlds = np.random.default_rng(1).normal(size=(n, 10, 4))
    named = [winner(pd.DataFrame(each, columns=list("abcd"))).name is not None for each in worlds]
    assert np.mean(named) <= 0.05 + 2 * math.sqrt(0.05 * 0.95 / n)


def test_an_arm_that_stands_twice_is_refused():
    with pytest.raises(InputError, match="a stands twice"):
        winner(pd.DataFrame([[1.0, 2.0]], columns=["a", "a"]))
