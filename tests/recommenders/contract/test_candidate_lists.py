"""Several lists of candidates in one batch: each request gets what it would get were its list all that there is."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from recommenders.check import check_recommender, synthetic_world
from recommenders.contract import Label, Lists, Recommender, RecommenderError, Requests, Slates, slates_of
from recommenders.contract.candidate_lists import runs
from recommenders.models.factorization import PureSVD
from recommenders.models.random import Random
from recommenders.models.ranker import Ranker
from recommenders.registry import create
from simulator.platform.service import Platform
from simulator.scenario.load import load_scenario
from tests.recommenders.little import LIKE, ask

ITEMS = 12


def side_by_side(own: list[np.ndarray], of: np.ndarray) -> Lists:
    ends = np.cumsum([each.size for each in own])
    return Lists(np.concatenate(own), np.stack([np.r_[0, ends[:-1]], ends], axis=1), of)


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
    asked = ask(ITEMS, users=[0] * n, keys=range(n), recent=recent)
    policy = Random(seed=3)
    together = policy.recommend(replace(asked, several=side_by_side(own, of)))
    for row, number in enumerate(of):
        one = ask(ITEMS, users=[0], keys=[row], recent=recent[row : row + 1], candidates=own[number])
        alone = policy.recommend(one)
        assert np.array_equal(together.items[row], alone.items[0])
        assert np.array_equal(together.propensity[row], alone.propensity[0], equal_nan=True)


TAKERS = {
    "itemknn": {}, "p3alpha": {}, "popularity": {}, "puresvd": {}, "userknn": {}, "contentknn": {"modality": "cover"},
    "pipeline": {"recall": "itemknn", "rerank": "puresvd(factors=4)", "depth": 15},
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        *TAKERS.items(),
        ("exploringplaces", {"member": "linucb"}),
        ("pipeline", {"recall": "ease", "rerank": "exploring(member=linucb)", "depth": 15}),
    ],
)
def test_many_requests_of_many_lists_get_what_each_gets_alone(name, parameters):
    """More requests than are scored together, lists shorter than a slate among them, some of them met again."""
    world = synthetic_world(n_requests=150, label=LIKE)
    recommender = create(name, parameters, seed=1, label=LIKE)
    assert recommender.takes_lists
    recommender.fit(world.log, world.catalog)
    random = np.random.default_rng(1)
    own = [np.sort(random.permutation(120)[: random.integers(2, 60)]).astype(np.int32) for _ in range(40)]
    of = np.repeat(np.r_[np.arange(40), np.arange(35)], 2)
    requests = replace(world.requests, several=side_by_side(own, of))
    together = recommender.recommend(requests)
    for first, last, alone in requests.by_list():
        assert alone.several is None
        assert alone.candidates.tolist() == own[of[first]].tolist()
        assert np.array_equal(together.items[first:last], recommender.recommend(alone).items)


def test_whatever_is_taken_of_requests_keeps_their_lists():
    own = [np.array(each, np.int32) for each in ([4, 5], [0, 2, 6, 8])]
    requests = replace(ask(ITEMS, users=[0, 1, 2]), several=side_by_side(own, np.array([1, 1, 0])))
    turned = requests.take(np.array([2, 0]))
    assert [there.tolist() for _, _, there in turned.lists.each()] == [[4, 5], [0, 2, 6, 8]]
    assert (requests.filled, turned.take(slice(0, 1)).filled) == (3, 2)
    whole = replace(requests, several=None)
    assert [(first, last, part is whole) for first, last, part in whole.by_list()] == [(0, 3, True)]
    assert [there.tolist() for _, _, there in whole.lists.each()] == [list(range(ITEMS))]
    for lists in (requests.several, turned.several, whole.lists):
        assert not any(array.flags.writeable for array in lists)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (
            {"items": np.arange(6)},
            r"are int64 of shape \(6,\), .*; expected int32 \(m,\), int64 \(k, 2\), int64 \(3,\)",
        ),
        ({"of": np.zeros(2, np.int64)}, "expected int32"),
        ({"bounds": np.arange(6).reshape(2, 3)}, "expected int32"),
        ({"of": np.array([0, 1, 2])}, r"are 2, of numbers 0 \.\.\. 2; expected the number of a list"),
        ({"of": np.array([0, -1, 0])}, "expected the number of a list"),
        ({"bounds": np.array([[0, 2], [2, 7]])}, "do not lie within their 6 items"),
        ({"bounds": np.array([[0, 2], [4, 2]])}, "do not lie within their 6 items"),
        ({"items": np.array([4, 5, 0, 2, 6, ITEMS], np.int32)}, f"hold item {ITEMS}, which is no candidate"),
        ({"items": np.array([-1, 5, 0, 2, 6, 8], np.int32)}, "hold item -1, which is no candidate"),
    ],
)
def test_lists_that_kernels_could_not_read_are_refused(changed, message):
    good = Lists(np.array([4, 5, 0, 2, 6, 8], np.int32), np.array([[0, 2], [2, 6]]), np.array([1, 1, 0]))
    requests = ask(ITEMS, users=[0, 1, 2])
    replace(requests, several=good)
    with pytest.raises(RecommenderError, match=rf"requests\.several: .*{message}"):
        replace(requests, several=good._replace(**changed))


class Choosy(Ranker):
    """Scores that depend on the candidates."""

    name = "choosy"
    needs = "nothing"

    def learn(self, data):
        return {}

    def score(self, batch):
        assert batch.requests.several is None
        return np.tile(np.arange(self.history.n_items, dtype=np.float32), (len(batch.requests), 1))


class Reversed:
    """Turns whatever it is mixed into round."""

    def recommend(self, requests):
        assert requests.several is None
        return Slates(super().recommend(requests).items[:, ::-1].copy())


class Mixed(Reversed, PureSVD):
    """Another way to recommend than the base's, which it did not write itself."""

    name = "mixed"


class Overriding(PureSVD):
    """Another way to recommend than the base's."""

    name = "overriding"

    def recommend(self, requests):
        assert requests.several is None
        return Slates(super().recommend(requests).items[:, ::-1].copy())


class Heir(Overriding):
    """As its base, which is asked list by list."""


class Sure(Overriding):
    """As its base, and knows better."""

    takes_lists = True


def test_who_answers_in_a_way_of_its_own_takes_one_list_until_it_says_otherwise():
    assert PureSVD.takes_lists
    assert [kind.takes_lists for kind in (Choosy, Mixed, Overriding, Heir, Sure)] == [False] * 4 + [True]


@pytest.mark.parametrize("kind", [Choosy, Mixed, Overriding])
def test_who_takes_one_list_is_asked_list_by_list(kind):
    world = synthetic_world(label=LIKE)
    recommender = kind(label=LIKE)
    recommender.fit(world.log, world.catalog)
    own = [world.requests.candidates[::2], world.requests.candidates[1::2]]
    requests = replace(world.requests, several=side_by_side(own, (np.arange(len(world.requests)) > 9).astype(np.int64)))
    found = slates_of(recommender, requests)
    for first, last, alone in requests.by_list():
        assert np.array_equal(found.items[first:last], recommender.recommend(alone).items)


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


def first_of(requests: Requests, lists: Lists, wrong: bool) -> Slates:
    items = np.full((len(requests), requests.slate_size), -1, np.int32)
    for first, last, own in lists.each():
        own = own[::2] if wrong else own
        items[first:last, : len(own[: requests.slate_size])] = own[: requests.slate_size]
    return Slates(items)


class Together(First):
    """The same, of all lists in one go."""

    takes_lists = True

    def recommend(self, requests):
        return first_of(requests, requests.lists, self.wrong)


with warnings.catch_warnings():
    warnings.simplefilter("ignore")

    class Older(First):
        """The same, as contract version 1 had it."""

        def recommend_from(self, requests, lists):
            assert requests.several is None
            return first_of(requests, lists, self.wrong)

    class Undecided(First):
        """Has the method of contract version 1, and would rather be asked list by list."""

        def recommend_from(self, requests, lists):
            return None


def answered(recommender: Recommender) -> Slates:
    class Catalog:
        n_items = ITEMS

    platform = Platform(load_scenario("shortvideo"), recommender, Catalog(), None, 1, 0.0, lambda: None)
    platform.fit(0.0)
    items = np.array([4, 5, 0, 2, 6, 8], np.int32)
    lists = Lists(items, np.array([[0, 2], [2, 6]]), np.array([1, 1, 0]))
    return platform.answer(replace(ask(ITEMS, users=[0, 1, 2]), several=lists))


@pytest.mark.parametrize("kind", [First, Together, Older, Undecided])
def test_a_platform_asks_list_by_list_or_all_at_once(kind):
    recommender = kind()
    found = answered(recommender)
    assert found.items.tolist() == [[0, 2, 6], [0, 2, 6], [4, 5, -1]]
    assert recommender.asked == ([[0, 2, 6, 8], [4, 5]] if kind in (First, Undecided) else [])


@pytest.mark.parametrize("kind", [First, Together, Older])
def test_what_breaks_the_contract_is_named_either_way(kind):
    recommender = kind()
    recommender.wrong = True
    with pytest.raises(RecommenderError, match="recommender first"):
        answered(recommender)


def test_slates_of_another_shape_are_named_before_they_are_put_together():
    class Long(First):
        def recommend(self, requests):
            return Slates(np.zeros((len(requests), requests.slate_size + 1), np.int32))

    lists = Lists(np.arange(6, dtype=np.int32), np.array([[0, 2], [2, 6]]), np.array([1, 1, 0]))
    with pytest.raises(RecommenderError, match=r"recommender first: its slates have shape \(2, 4\)"):
        slates_of(Long(), replace(ask(ITEMS, users=[0, 1, 2]), several=lists))


def test_version_1_is_told_once_what_to_do_instead():
    calls = []

    def recommend_from(self, requests, lists):
        calls.append(len(requests))
        return Random.recommend(self, replace(requests, several=lists))

    with pytest.warns(FutureWarning, match="say takes_lists = True and let recommend") as said:
        older = type("Older", (Random,), {"name": "older", "recommend_from": recommend_from})
    assert len(said) == 1
    assert "\n" not in str(said[0].message)
    assert said[0].filename == __file__
    assert not older.takes_lists
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_recommender(older)
    assert len(calls) == 1
