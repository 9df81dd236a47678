"""Effects of a knock-out: contrasts of eight worlds, against worlds whose measures are made of known parts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, strategies as st

from analysis.knockout.design import CELLS, Cell
from analysis.knockout.effects import (
    BOTH,
    EFFECTS,
    LOG,
    SEEN_BY_LOG,
    SHOWN,
    THREE,
    USED,
    USED_BY_LOG,
    USED_BY_SEEN,
    USED_UNSEEN,
    per_seed,
    possible,
    two_sides,
)

PARTS = st.lists(st.integers(-20, 20), min_size=8, max_size=8)


def measure(parts: list[int], seeds: int = 3):
    """Every subset of the three factors adds a part of its own; seeds differ by what all their worlds have."""
    luck = np.arange(seeds, dtype=float)

    def of(cell: Cell) -> np.ndarray:
        there = (all(c or not s for c, s in zip(cell, subset, strict=True)) for subset in CELLS)
        return luck + sum(part for part, counts in zip(parts, there, strict=True) if counts)

    return of


@given(PARTS)
def test_effects_are_made_of_the_parts_that_they_name(parts):
    """Parts in the order of CELLS: none, learned, uses, uses+learned, sees, sees+learned, sees+uses, all three."""
    _, learned, uses, uses_learned, sees, sees_learned, sees_uses, three = parts
    expected = [
        (USED, uses + uses_learned + sees_uses + three),
        (SHOWN, sees + learned + sees_learned),
        (BOTH, sum(parts[1:])),
        (USED_UNSEEN, uses),
        (LOG, learned + uses_learned),
        (USED_BY_SEEN, sees_uses + three),
        (USED_BY_LOG, uses_learned + three),
        (SEEN_BY_LOG, sees_learned + three),
        (THREE, three),
    ]
    assert len(expected) == len(EFFECTS)
    for effect, value in expected:
        np.testing.assert_allclose(per_seed(effect, measure(parts)), value)


@pytest.mark.parametrize("effect", EFFECTS, ids=lambda each: each.name)
def test_weights_cancel_and_both_sides_differ_by_a_simple_effect(effect):
    assert sum(effect.weights.values()) == 0
    more, less = two_sides(effect, measure([1, 2, 4, 8, 16, 32, 64, 128]))
    assert effect.simple == (len(effect.weights) == 2)
    if effect.simple:
        np.testing.assert_allclose(more - less, per_seed(effect, measure([1, 2, 4, 8, 16, 32, 64, 128])))


def test_without_features_only_what_is_shown_can_differ():
    assert possible(False) == [SHOWN]
    assert possible(True) == list(EFFECTS)


def test_a_world_without_a_value_leaves_its_seed_without_an_effect():
    values = dict.fromkeys(CELLS, np.array([1.0, np.nan, 3.0]))
    found = per_seed(USED, lambda cell: values[cell])
    assert np.isnan(found).tolist() == [False, True, False]
