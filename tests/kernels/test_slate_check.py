"""The quick look at slates lets nothing pass that the contract forbids, and stops nothing that it allows."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings, strategies as st

from recommenders.contract import RecommenderError, Slates, validate_slates
from simulator.kernels.slate_check import fits, offer
from tests.recommenders.little import ask

ITEMS = 7


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_it_agrees_with_the_contract(data):
    candidates = sorted(data.draw(st.sets(st.integers(0, ITEMS - 1), min_size=1)))
    size, n = data.draw(st.integers(1, 4)), data.draw(st.integers(1, 3))
    # mostly what is allowed, and now and then something that is not
    place = st.one_of(*[st.sampled_from(candidates)] * 6, st.integers(-2, ITEMS + 1))
    chance = st.one_of(*[st.floats(0.0078125, 1.0, width=32)] * 6, st.sampled_from([0.0, 1.5, np.nan]))
    items = np.array(data.draw(st.lists(place, min_size=n * size, max_size=n * size)), np.int32).reshape(n, size)
    items[:, len(candidates) :] = data.draw(st.sampled_from([-1, -1, -1, 2]))
    odds = None
    if data.draw(st.booleans()):
        odds = np.array(data.draw(st.lists(chance, min_size=n * size, max_size=n * size)), np.float32).reshape(n, size)
    requests = ask(ITEMS, users=[0] * n, keys=range(n), slate_size=size, candidates=candidates)
    try:
        validate_slates(Slates(items, odds), requests, ITEMS, "x")
        allowed = True
    except RecommenderError:
        allowed = False
    given_odds = np.empty((0, 0), np.float32) if odds is None else odds
    last = np.full(ITEMS, 5, np.int64)
    offer(requests.candidates, last)
    assert fits(items, given_odds, requests.filled, last, 0) == allowed
    if allowed:  # the next slates of these candidates, the same ones as it happens
        assert fits(items, given_odds, requests.filled, last, n)
