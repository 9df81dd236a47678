"""Item-to-item recommenders put what goes with an item next to it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from recommenders.contract import Catalog, RecommenderError
from recommenders.models.baselines import LastEvents
from recommenders.models.neighbors import ItemKNN
from tests.recommenders.little import LIKE, ask, log_of_likes

N = 8
# 0, 1 and 2 are liked together, and so are 4, 5 and 6; item 7 is what everybody likes
PAIRS = [(u, i) for u in range(4) for i in (0, 1, 2)] + [(u, i) for u in range(4, 8) for i in (4, 5, 6)]
PAIRS += [(u, 7) for u in range(9)]


@pytest.fixture(params=[ItemKNN, LastEvents])
def fitted(request):
    recommender = request.param(label=LIKE, neighbors=2, shrink=0.0)
    recommender.fit(log_of_likes(PAIRS, 10, N), Catalog(N, {}, {}))
    return recommender


def next_to(item: int, user: int = 9, **other: object):
    requests = ask(N, users=(user,), slate_size=2, recent=((item,) if item >= 0 else (),), **other)
    return replace(requests, anchor_item=np.array([item], np.int32))


def test_what_goes_with_the_item_comes_first(fitted):
    assert set(fitted.recommend(next_to(0)).items[0]) == {1, 2}
    assert set(fitted.recommend(next_to(4)).items[0]) == {5, 6}


def test_it_outweighs_what_the_visit_had(fitted):
    played = (((5, 1.0), (4, 1.0)),)
    assert set(fitted.recommend(next_to(0, played=played)).items[0]) == {1, 2}
    assert 6 in fitted.recommend(next_to(-1, played=played)).items[0]


def test_it_outweighs_what_the_user_had():
    recommender = ItemKNN(label=LIKE, neighbors=2, shrink=0.0)
    recommender.fit(log_of_likes([*PAIRS, *[(9, i) for i in (4, 5, 7)]], 10, N), Catalog(N, {}, {}))
    assert set(recommender.recommend(next_to(0)).items[0]) == {1, 2}
    assert recommender.recommend(next_to(-1)).items[0][0] == 6
    scores = recommender.scores(next_to(0))[0]
    assert np.nanargmax(np.where(np.arange(N) == 0, np.nan, scores)) in (1, 2)


def test_rows_of_one_batch_stand_next_to_items_of_their_own(fitted):
    requests = replace(ask(N, users=(9, 9, 9), slate_size=2), anchor_item=np.array([0, -1, 4], np.int32))
    alone = [fitted.recommend(requests.take(slice(r, r + 1))).items[0].tolist() for r in range(3)]
    assert fitted.recommend(requests).items.tolist() == alone
    assert 7 in alone[1]


def test_an_item_that_nobody_had_leaves_the_rest_as_it_is(fitted):
    unknown = fitted.recommend(next_to(3)).items
    assert np.array_equal(unknown, fitted.recommend(replace(next_to(3), anchor_item=np.array([-1], np.int32))).items)


def test_an_item_beyond_the_catalog_is_refused(fitted):
    with pytest.raises(RecommenderError, match="names item 8"):
        fitted.recommend(replace(next_to(0), anchor_item=np.array([N], np.int32)))


def test_requests_say_which_column_is_wrong():
    with pytest.raises(RecommenderError, match=r"requests\.anchor_item.*expected int32"):
        replace(ask(N), anchor_item=np.zeros(1, np.int64))
    with pytest.raises(RecommenderError, match=r"requests\.context.*expected int8"):
        replace(ask(N), context=np.zeros(2, np.int8))
