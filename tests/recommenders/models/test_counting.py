"""Places that popularity filled, by recommenders that score: counted against a plain look at profiles and scores."""

from __future__ import annotations

import numpy as np
import pytest

from recommenders.contract import Catalog, Places
from recommenders.registry import create
from tests.recommenders.little import LIKE, ask, log_of_likes

N_ITEMS = 12
PAIRS = [(0, 0), (0, 1), (1, 0), (1, 1), (1, 2), (2, 2), (2, 3)]  # items 4 ... 11 go with nothing
SCORERS = {"itemknn": {}, "p3alpha": {}, "slim": {}, "contentknn": {"modality": "cover"}, "userknn": {}}


def fitted(name):
    random = np.random.default_rng(0)
    catalog = Catalog(N_ITEMS, {}, {"cover": random.normal(size=(N_ITEMS, 3)).astype(np.float32)})
    recommender = create(name, SCORERS[name], label=LIKE)
    recommender.fit(log_of_likes(PAIRS, 5, N_ITEMS), catalog)
    return recommender


@pytest.mark.parametrize("name", SCORERS)
def test_places_without_a_score_are_counted(name):
    recommender = fitted(name)
    requests = ask(N_ITEMS, users=[0, 1, 2, 3, 99], slate_size=4)  # 3 and 99 have no positives
    slates = recommender.recommend(requests).items
    unscored = np.isnan(np.take_along_axis(recommender.scores(requests), slates, axis=1))
    assert unscored[3:].all()
    assert not unscored[:3].all()
    assert recommender.places() == Places(20, int(unscored.sum()), 8)


@pytest.mark.parametrize("name", SCORERS)
def test_a_resumed_run_counts_on(name):
    recommender, requests = fitted(name), ask(N_ITEMS, users=[0, 3], slate_size=4)
    recommender.recommend(requests)
    again = create(name, SCORERS[name], label=LIKE)
    again.restore(recommender.state())
    again.recommend(requests)
    assert again.places() == Places(*(2 * count for count in recommender.places()))


def test_who_has_nothing_to_fall_back_from_does_not_count():
    assert create("popularity", {}, label=LIKE).places() is None
    assert create("random", {}).places() is None
