"""Several lists of candidates in one batch: each request gets what it would get were its list all that there is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from recommenders.check import synthetic_world
from recommenders.contract import Label, Lists, Recommender, RecommenderError, Slates
from recommenders.contract.candidate_lists import runs
from recommenders.models.factorization import PureSVD
from recommenders.models.random import Random
from recommenders.models.ranker import Ranker
from recommenders.registry import create
from simulator.platform.service import Platform
from simulator.scenario.load import load_scenario
from tests.recommenders.little import ask

ITEMS = 12


@given(st.lists(st.integers(0, 2)))
def test_runs_are_equal_within_and_differ_from_the_next(values):
    found = list(runs(np.array(values, dtype=np.int64)))
    assert [value for first, last in found for value in values[first:last]] == values
    assert all(len(set(values[first:last])) == 1 for first, last in found)
    assert all(values[last - 1] != values[last] for _, last in found[:-1])


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_random_slates_of_a_list_do_not_depend_on_the_others(data):
    some = st.sets(st.integers(0, ITEMS - 1), min_size=1)
    own = [np.array(sorted(each), np.int32) for each in data.draw(st.lists(some, min_size=1, max_size=4))]
    n = data.draw(st.integers(1, 6))
    of = np.array(data.draw(st.lists(st.integers(0, len(own) - 1), min_size=n, max_size=n)))
    recent = data.draw(st.lists(st.lists(st.integers(0, ITEMS - 1), max_size=5, unique=True), min_size=n, max_size=n))
    ends = np.cumsum([len(each) for each in own])
    lists = Lists(np.concatenate(own), np.stack([np.r_[0, ends[:-1]], ends], axis=1), of)
    policy = Random(seed=3)
    together = policy.recommend_from(ask(ITEMS, users=[0] * n, keys=range(n), recent=recent), lists)
    for row, number in enumerate(of):
        one = ask(ITEMS, users=[0], keys=[row], recent=recent[row : row + 1], candidates=own[number])
        alone = policy.recommend(one)
        assert np.array_equal(together.items[row], alone.items[0])
        assert np.array_equal(together.propensity[row], alone.propensity[0], equal_nan=True)


@pytest.mark.parametrize("name", ["itemknn", "p3alpha", "popularity", "puresvd", "userknn"])
def test_many_requests_of_many_lists_get_what_each_gets_alone(name):
    """More requests than are scored together, lists shorter than a slate among them, some of them met again."""
    label = Label("like", ("like",))
    world = synthetic_world(n_requests=150, label=label)
    recommender = create(name, {}, seed=1, label=label)
    recommender.fit(world.log, world.catalog)
    random = np.random.default_rng(1)
    own = [np.sort(random.permutation(120)[: random.integers(2, 60)]).astype(np.int32) for _ in range(40)]
    ends = np.cumsum([each.size for each in own])
    of = np.repeat(np.r_[np.arange(40), np.arange(35)], 2)
    lists = Lists(np.concatenate(own), np.stack([np.r_[0, ends[:-1]], ends], axis=1), of)
    together = recommender.recommend_from(world.requests, lists)
    for first, last, there in lists.each():
        part = replace(world.requests.take(slice(first, last)), candidates=there)
        assert np.array_equal(together.items[first:last], recommender.recommend(part).items)


class Choosy(Ranker):
    """Scores that depend on the candidates."""

    name = "choosy"
    needs = "nothing"

    def learn(self, data):
        return {}

    def score(self, batch):
        return np.tile(np.arange(self.history.n_items, dtype=np.float32), (len(batch.requests), 1))


class Overriding(PureSVD):
    """Another way to recommend than the base's."""

    name = "overriding"

    def recommend(self, requests):
        return Slates(super().recommend(requests).items[:, ::-1].copy())


@pytest.mark.parametrize("kind", [Choosy, Overriding])
def test_who_may_answer_otherwise_is_asked_list_by_list(kind):
    label = Label("like", ("like",))
    world = synthetic_world(label=label)
    recommender = kind(label=label)
    recommender.fit(world.log, world.catalog)
    everything = Lists.one(world.requests.candidates, len(world.requests))
    assert recommender.recommend_from(world.requests, everything) is None


class First(Recommender):
    """The first candidates; keeps which lists it was asked for."""

    name = "first"
    learns = False
    wrong = False

    def __init__(self) -> None:
        super().__init__(label=Label("like", ("like",)))
        self.asked: list[list[int]] = []

    def recommend(self, requests):
        self.asked.append(requests.candidates.tolist())
        items = np.full((len(requests), requests.slate_size), -1, np.int32)
        items[:, : requests.filled] = requests.candidates[: requests.filled]
        if self.wrong:
            items[:, 0] = (requests.candidates[0] + 1) % ITEMS
        return Slates(items)


class Together(First):
    """The same, of all lists in one go."""

    def recommend_from(self, requests, lists):
        items = np.full((len(requests), requests.slate_size), -1, np.int32)
        for first, last, own in lists.each():
            own = own[::2] if self.wrong else own
            items[first:last, : len(own[: requests.slate_size])] = own[: requests.slate_size]
        return Slates(items)


def answered(recommender: Recommender) -> Slates:
    class Catalog:
        n_items = ITEMS

    platform = Platform(load_scenario("shortvideo"), recommender, Catalog(), None, 1, 0.0, lambda: None)
    platform.fit(0.0)
    items = np.array([4, 5, 0, 2, 6, 8], np.int32)
    lists = Lists(items, np.array([[0, 2], [2, 6]]), np.array([1, 1, 0]))
    return platform.answer(ask(ITEMS, users=[0, 1, 2]), lists)


@pytest.mark.parametrize("kind", [First, Together])
def test_a_platform_asks_list_by_list_or_all_at_once(kind):
    recommender = kind()
    found = answered(recommender)
    assert found.items.tolist() == [[0, 2, 6], [0, 2, 6], [4, 5, -1]]
    assert recommender.asked == ([[0, 2, 6, 8], [4, 5]] if kind is First else [])


@pytest.mark.parametrize("kind", [First, Together])
def test_what_breaks_the_contract_is_named_either_way(kind):
    recommender = kind()
    recommender.wrong = True
    with pytest.raises(RecommenderError, match="recommender first"):
        answered(recommender)
