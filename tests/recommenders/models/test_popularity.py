"""Popularity: order, ties, what is passed over, and in which order it comes back when candidates run out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from recommenders.check import synthetic_world
from recommenders.contract import Catalog, RecommenderError
from recommenders.models.baselines import RecentPopularity
from recommenders.models.popularity import Popularity, Relevance
from recommenders.models.ranker import Ranker
from tests.recommenders.little import LIKE, ask, log_of_likes

# Item 3 has three likes, item 1 two, items 0 and 4 one each, item 2 none; user 9 likes nothing.
LIKES = [(0, 3), (1, 3), (2, 3), (0, 1), (1, 1), (2, 0), (0, 4), (0, 3), (0, 3)]


def fitted(seed: int = 0) -> Popularity:
    recommender = Popularity(seed=seed, label=LIKE)
    recommender.fit(log_of_likes(LIKES, 10, 5), Catalog(5))
    return recommender


def first(recommender: Popularity, **request) -> list[int]:
    return recommender.recommend(ask(5, **request)).items[0].tolist()


def test_items_come_by_their_number_of_distinct_users():
    assert first(fitted(), users=(9,), slate_size=2) == [3, 1]
    assert first(fitted(), users=(9,), slate_size=5)[4] == 2


def test_ties_are_broken_by_the_seed():
    orders = {tuple(first(fitted(seed), users=(9,), slate_size=4)[2:]) for seed in range(20)}
    assert orders == {(0, 4), (4, 0)}


def test_items_had_played_or_shown_lately_are_passed_over():
    assert first(fitted(), users=(1,), slate_size=2, recent=((0,),)) == [4, 2]
    assert first(fitted(), users=(9,), slate_size=1, played=([(3, 0.1)],)) == [1]


def test_when_candidates_run_out_items_had_come_before_recent_ones():
    assert first(fitted(), users=(1,), slate_size=5, recent=((0, 3),)) == [4, 2, 1, 3, 0]
    assert first(fitted(), users=(1,), slate_size=3, candidates=(0, 1, 3), recent=((3,),)) == [0, 1, 3]


def test_a_user_after_the_fit_is_cold():
    assert first(fitted(), users=(4_000_000_000,), slate_size=2) == [3, 1]


def test_it_must_be_fitted_and_have_a_label():
    with pytest.raises(RecommenderError, match="popularity: is asked before it was fitted"):
        Popularity(label=LIKE).recommend(ask(5))
    with pytest.raises(RecommenderError, match="popularity: has no label"):
        Popularity().fit(log_of_likes(LIKES, 10, 5), Catalog(5))


def test_items_beyond_the_catalog_are_refused():
    with pytest.raises(RecommenderError, match="a request names item 7; the catalog at fit had 5 items"):
        fitted().recommend(ask(5, recent=((7,),)))
    with pytest.raises(RecommenderError, match="a request names item 5"):
        fitted().recommend(ask(6))


def test_a_long_batch_leaves_no_marks_behind():
    users = np.tile([0, 1, 2, 9], 50).tolist()
    slates = fitted().recommend(ask(5, users=users, slate_size=3)).items
    assert (slates.reshape(50, 4, 3) == slates[:4]).all()


def test_what_is_asked_for_comes_first_and_then_what_is_popular():
    kinds = Catalog(5, {"topic": np.array([0, 1, 1, 0, 1], np.int32)})
    recommender = Relevance(label=LIKE)
    recommender.fit(log_of_likes(LIKES, 10, 5), kinds)
    asked = replace(ask(5, users=(9, 9, 9), slate_size=4), criteria=np.array([[1], [0], [np.nan]], np.float32))
    by_kind, popular = recommender.recommend(asked).items, first(fitted(), users=(9,), slate_size=4)
    assert by_kind[0].tolist() == [1, 4, 2, 3]
    assert by_kind[1].tolist() == [3, 0, 1, 4]
    assert by_kind[2].tolist()[:2] == popular[:2] == [3, 1]
    narrow = replace(
        ask(5, users=(9,), slate_size=2, candidates=(0, 2), played=([(2, 1.0)],)), criteria=asked.criteria[:1]
    )
    assert recommender.recommend(narrow).items.tolist() == [[0, 2]]  # had already: it comes last, asked for or not
    with pytest.raises(RecommenderError, match=r"relevance\.column"):
        recommender.check(Catalog(5))


@pytest.mark.parametrize("sizes", [{}, {"n_items": 12, "n_candidates": 8, "slate_size": 7}], ids=["many", "few"])
@pytest.mark.parametrize("seen", ["last", "allow"])
def test_one_order_for_everybody_is_what_scoring_everything_gives(sizes, seen):
    world = synthetic_world(n_requests=90, label=LIKE, **sizes)
    recommender = RecentPopularity(seed=4, label=LIKE)
    recommender.fit(world.log, world.catalog)
    requests = replace(world.requests, seen=seen)
    slates = recommender.recommend(requests).items
    assert np.array_equal(slates, Ranker.recommend(recommender, requests).items)
    assert recommender.places().by_popularity == 0
