"""Choice on a screen against the closed forms: multinomial logit with an outside option, and the cascade."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings, strategies as st

from simulator.engine.primitives import exponential_table
from simulator.engine.tables.tables import MAX_SCREEN, SCRATCH_WIDTH, CardColumn
from simulator.engine.user.choice import compared, taken

POWERS = exponential_table()
N = 4001
EVENLY = (np.arange(N) + 0.5) / N  # inversion: shares over evenly spread luck are probabilities, to 1 / N


def screen(attractions: list[float], examined: list[bool]) -> np.ndarray:
    cards = np.full((MAX_SCREEN, SCRATCH_WIDTH), np.nan)
    cards[:, CardColumn.EXAMINED] = 0.0
    for k, (attraction, seen) in enumerate(zip(attractions, examined, strict=True)):
        cards[k, CardColumn.EXAMINED] = float(seen)
        if seen:
            cards[k, CardColumn.ATTRACTION] = attraction
    return cards


CARDS = st.lists(st.tuples(st.floats(-3.0, 3.0), st.booleans()), min_size=1, max_size=8)


@settings(max_examples=40)
@given(CARDS, st.floats(-2.0, 2.0), st.floats(0.1, 3.0))
def test_a_grid_is_a_multinomial_logit_with_an_outside_option(cards, outside, temperature):
    attractions, examined = [a for a, _ in cards], [e for _, e in cards]
    table = screen(attractions, examined)
    picked = np.array([compared(table, len(cards), outside, temperature, u, POWERS) for u in EVENLY])
    weights = [math.exp(a / temperature) if e else 0.0 for a, e in cards]
    total = math.exp(outside / temperature) + sum(weights)
    for k, weight in enumerate(weights):
        assert (picked == k).mean() == pytest.approx(weight / total, abs=2.0 / N)
    assert (picked == -1).mean() == pytest.approx(math.exp(outside / temperature) / total, abs=2.0 / N)


def test_what_was_not_examined_is_never_picked():
    table = screen([50.0, 0.0], [False, True])
    assert {compared(table, 2, 0.0, 1.0, u, POWERS) for u in EVENLY} == {-1, 1}
    assert {compared(screen([1.0, 1.0], [False, False]), 2, 0.0, 1.0, u, POWERS) for u in EVENLY} == {-1}


@given(CARDS, st.floats(-100.0, 100.0))
def test_only_differences_count(cards, shift):
    assume(any(examined for _, examined in cards))
    examined = [e for _, e in cards]
    low = screen([a for a, _ in cards], examined)
    high = screen([a + shift for a, _ in cards], examined)
    same = [
        compared(low, len(cards), 0.0, 0.5, u, POWERS) == compared(high, len(cards), shift, 0.5, u, POWERS)
        for u in EVENLY[::40]
    ]
    assert np.mean(same) >= 0.97  # luck within rounding of a border may fall on either side


def test_the_last_bit_of_luck_still_picks_a_card():
    assert compared(screen([0.0, 0.0], [True, True]), 2, -40.0, 1.0, np.nextafter(1.0, 0.0), POWERS) == 1


@given(st.floats(-3.0, 3.0), st.floats(-3.0, 3.0), st.floats(0.1, 3.0))
def test_one_card_by_itself_is_a_logistic_choice(attraction, outside, temperature):
    share = np.mean([taken(attraction, outside, temperature, u, POWERS) for u in EVENLY[::4]])
    assert share == pytest.approx(1.0 / (1.0 + math.exp((outside - attraction) / temperature)), abs=8.0 / N)


def test_a_list_is_a_cascade_of_judgments():
    """P(k taken) is the product of passing over the cards above it and taking it (Craswell et al. 2008)."""
    generator = np.random.default_rng(1)
    attractions = [0.4, -0.3, 1.0, 0.2]
    n = 40_000
    rng = generator.uniform(size=(n, len(attractions)))
    first = np.full(n, -1)
    for k, attraction in enumerate(attractions):
        takes = np.array([taken(attraction, 0.8, 0.5, u, POWERS) for u in rng[:, k]])
        first[(first < 0) & takes] = k
    p = [1.0 / (1.0 + math.exp((0.8 - a) / 0.5)) for a in attractions]
    for k in range(len(attractions)):
        derived = p[k] * math.prod(1.0 - each for each in p[:k])
        assert abs((first == k).mean() - derived) < 4.5 * math.sqrt(derived * (1.0 - derived) / n)
