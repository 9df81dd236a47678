"""What a user remembers of parents had lately, against a plain sum over everything that was had."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, strategies as st

from simulator.engine.jit.compile import kernel
from simulator.engine.primitives import exponential_table
from simulator.engine.tables.tables import PARENT_HISTORY, PARENTS_REMEMBERED
from simulator.engine.user.repetition import had_lately, remember, repeated

HALF_LIFE = 5e4
POWERS = exponential_table()


@kernel
def _remember(had, user, parent, time, amount, half_life, exp_log_tables):
    remember(had, user, parent, time, amount, half_life, exp_log_tables)


@kernel
def _had_lately(had, user, parent, time, half_life, exp_log_tables):
    return had_lately(had, user, parent, time, half_life, exp_log_tables)


@kernel
def _repeated(rest, amount, exp_log_tables):
    return repeated(rest, amount, exp_log_tables)


def parts(parents: int) -> st.SearchStrategy[list[tuple[int, float, float]]]:
    """Parent, seconds since the last, and how much of an item."""
    return st.lists(
        st.tuples(st.integers(0, parents - 1), st.floats(0.0, 2e5), st.floats(0.01, 1.0)), min_size=1, max_size=60
    )


def lived(history: list[tuple[int, float, float]]) -> tuple[np.ndarray, dict[int, float], float]:
    """The memory after a history, what the sums would be, and the time."""
    had = np.zeros((2, PARENTS_REMEMBERED), dtype=PARENT_HISTORY)
    sums: dict[int, float] = {}
    time = 0.0
    for parent, wait, amount in history:
        time += wait
        sums = {each: have * 0.5 ** (wait / HALF_LIFE) for each, have in sums.items()}
        sums[parent] = sums.get(parent, 0.0) + amount
        _remember(had, 1, parent, time, amount, HALF_LIFE, POWERS)
    return had, sums, time


@given(parts(PARENTS_REMEMBERED))
def test_as_many_parents_as_there_are_places_are_all_remembered(history):
    had, sums, time = lived(history)
    for parent, have in sums.items():
        assert _had_lately(had, 1, parent, time, HALF_LIFE, POWERS) == pytest.approx(have, rel=1e-5, abs=1e-12)
    assert (had[0]["amount"] == 0).all()
    assert _had_lately(had, 0, history[0][0], time, HALF_LIFE, POWERS) == 0.0


@given(parts(40))
def test_of_more_parents_nothing_is_made_up_and_the_last_one_is_known(history):
    had, sums, time = lived(history)
    rows = had[1][had[1]["amount"] > 0]
    assert len(np.unique(rows["parent"])) == len(rows)
    for parent in range(40):
        got = _had_lately(had, 1, parent, time, HALF_LIFE, POWERS)
        assert got <= sums.get(parent, 0.0) * (1 + 1e-5)
    strongest = max(sums, key=lambda each: sums[each])
    if strongest == history[-1][0] and len({parent for parent, _, _ in history}) <= PARENTS_REMEMBERED:
        assert _had_lately(had, 1, strongest, time, HALF_LIFE, POWERS) > 0.0


def test_the_least_goes_first():
    had = np.zeros((1, PARENTS_REMEMBERED), dtype=PARENT_HISTORY)
    for parent in range(PARENTS_REMEMBERED):
        _remember(had, 0, parent, 100.0, 0.5 + 0.01 * parent, HALF_LIFE, POWERS)
    _remember(had, 0, 77, 100.0, 0.3, HALF_LIFE, POWERS)  # less than anything that is there
    assert _had_lately(had, 0, 77, 100.0, HALF_LIFE, POWERS) == 0.0
    _remember(had, 0, 77, 100.0, 0.9, HALF_LIFE, POWERS)
    assert _had_lately(had, 0, 77, 100.0, HALF_LIFE, POWERS) == pytest.approx(0.9)
    assert _had_lately(had, 0, 0, 100.0, HALF_LIFE, POWERS) == 0.0
    assert _had_lately(had, 0, 1, 100.0, HALF_LIFE, POWERS) > 0.0


def test_an_item_without_a_parent_has_no_siblings():
    had = np.zeros((1, PARENTS_REMEMBERED), dtype=PARENT_HISTORY)
    _remember(had, 0, -1, 1.0, 1.0, HALF_LIFE, POWERS)
    assert (had["amount"] == 0).all()
    assert _had_lately(had, 0, -1, 1.0, HALF_LIFE, POWERS) == 0.0


def test_what_is_known_late_is_dated_at_what_is_there():
    had = np.zeros((1, PARENTS_REMEMBERED), dtype=PARENT_HISTORY)
    _remember(had, 0, 3, 5000.0, 1.0, HALF_LIFE, POWERS)
    _remember(had, 0, 3, 1000.0, 1.0, HALF_LIFE, POWERS)
    assert _had_lately(had, 0, 3, 5000.0, HALF_LIFE, POWERS) == pytest.approx(2.0)


@given(st.floats(0.0, 20.0), st.floats(0.01, 0.99))
def test_the_worth_of_a_repetition_levels_off(amount, first):
    assert _repeated(np.log(1.0 - first), amount, POWERS) == pytest.approx(1.0 - (1.0 - first) ** amount, abs=1e-7)


def test_half_of_it_after_one_sibling_and_three_quarters_after_two():
    shares = [_repeated(np.log(0.5), float(n), POWERS) for n in range(4)]
    assert shares == pytest.approx([0.0, 0.5, 0.75, 0.875])
