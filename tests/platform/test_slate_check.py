"""The quick look at slates lets nothing pass that the contract forbids, and stops nothing that it allows."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings, strategies as st

from recommenders.contract import Lists, RecommenderError, Slates, validate_slates
from simulator.platform.kernels.slate_check import fits
from tests.recommenders.little import ask

ITEMS = 7


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_it_agrees_with_the_contract(data):
    """On slates of several lists, each of which is looked at closely by itself."""
    some = st.sets(st.integers(0, ITEMS - 1), min_size=1)
    candidates = [sorted(each) for each in data.draw(st.lists(some, min_size=1, max_size=3))]
    size, n = data.draw(st.integers(1, 4)), data.draw(st.integers(1, 3))
    ends = np.cumsum([len(each) for each in candidates])
    of = np.array(data.draw(st.lists(st.integers(0, len(ends) - 1), min_size=n, max_size=n)))
    lists = Lists(np.concatenate(candidates).astype(np.int32), np.stack([np.r_[0, ends[:-1]], ends], axis=1), of)
    items, odds = np.empty((n, size), np.int32), np.empty((n, size), np.float32)
    # mostly what is allowed, and now and then something that is not
    chance = st.one_of(*[st.floats(0.0078125, 1.0, width=32)] * 6, st.sampled_from([0.0, 1.5, np.nan]))
    for row, own in enumerate(candidates[number] for number in of):
        place = st.one_of(*[st.sampled_from(own)] * 6, st.integers(-2, ITEMS + 1))
        items[row] = data.draw(st.lists(place, min_size=size, max_size=size))
        items[row, len(own) :] = data.draw(st.sampled_from([-1, -1, -1, 2]))
        odds[row] = data.draw(st.lists(chance, min_size=size, max_size=size))
    given_odds = odds if data.draw(st.booleans()) else None
    allowed = True
    for row, own in enumerate(candidates[number] for number in of):
        requests = ask(ITEMS, users=[0], keys=[row], slate_size=size, candidates=own)
        one = Slates(items[row : row + 1], None if given_odds is None else given_odds[row : row + 1])
        try:
            validate_slates(one, requests, ITEMS, "x")
        except RecommenderError:
            allowed = False
    if given_odds is None:
        given_odds = np.empty((0, 0), np.float32)
    offered, seen = np.full(ITEMS, 5, np.int64), np.full(ITEMS, 5, np.int64)
    tables = lists.items, lists.bounds, lists.of, offered, seen
    assert fits(items, given_odds, *tables, 5, -1) == allowed
    if allowed:  # once more, with the first list marked already where it is the only one
        assert fits(items, given_odds, *tables, 5 + n, 6 if (of == of[0]).all() else -1)
