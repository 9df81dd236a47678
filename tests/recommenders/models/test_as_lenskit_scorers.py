"""Recommenders as scorers in pipelines of LensKit: the laws that its own component and scorer tests are of."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest

from recommenders.contract import Catalog
from recommenders.contract.log import distinct_pairs
from recommenders.evaluation.offline import POSITIVE, log_of
from recommenders.registry import create
from tests.recommenders.little import ask

lenskit = pytest.importorskip("lenskit", reason="lenskit is not installed: pip install -e '.[lenskit]'")
pytestmark = [
    pytest.mark.long,
    pytest.mark.filterwarnings("ignore:implicit .* expects CSR input:UserWarning"),  # of its own matrices
]

import pandas as pd  # noqa: E402
from lenskit import operations  # noqa: E402
from lenskit.data import Dataset, ItemList, RecQuery, from_interactions_df  # noqa: E402
from lenskit.pipeline import Component, predict_pipeline, topn_pipeline  # noqa: E402
from lenskit.training import Trainable, TrainingOptions  # noqa: E402
from pydantic import BaseModel  # noqa: E402

SCORERS: dict[str, dict[str, Any]] = {
    "popularity": {}, "itemknn": {"neighbors": 20}, "ease": {}, "puresvd": {"factors": 8}, "ials": {"factors": 8},
    "globaleffects": {}, "slopeone": {},
    "implicit": {"model": "AlternatingLeastSquares(factors=8)"},
    "lenskit": {"model": "BiasedMFScorer(embedding_size=8)"},
    "cornac": {"model": "PMF(k=8)"},
}  # fmt: skip
EVERYBODY = {"popularity", "globaleffects"}  # who score for users without positives too


class OursConfig(BaseModel):
    name: str = "popularity"
    parameters: dict[str, Any] = {}


class Ours(Component[ItemList], Trainable):
    """One of the recommenders here, as a scorer there."""

    config: OursConfig

    def train(self, data: Dataset, options: TrainingOptions) -> None:
        if hasattr(self, "items_") and not options.retrain:
            return
        self.users_, self.items_ = data.users, data.items
        rows = data.interaction_table(format="pandas")
        pairs = distinct_pairs(
            *(rows[name].to_numpy() for name in ("user_num", "item_num")), np.arange(len(rows)), data.item_count
        )
        pairs.weight[:] = rows.sort_values(["user_num", "item_num"])["rating"]
        log = log_of(pairs, data.user_count, data.item_count, values=True)
        self.recommender_ = create(self.config.name, self.config.parameters, seed=3, label=POSITIVE)
        self.recommender_.fit(log, Catalog(data.item_count, {}))

    def __getstate__(self):
        mine = {"config": self.config, "users_": self.users_, "items_": self.items_}
        return mine | {"state": self.recommender_.state()}

    def __setstate__(self, state):
        learned = state.pop("state")
        vars(self).update(state)
        self.recommender_ = create(self.config.name, self.config.parameters, seed=3, label=POSITIVE)
        self.recommender_.restore(learned)

    def __call__(self, query: RecQuery, items: ItemList) -> ItemList:
        query = RecQuery.create(query)
        user = None if query.user_id is None else self.users_.number(query.user_id, missing=None)
        given = ask(len(self.items_), users=[len(self.users_) if user is None else user])
        scores = self.recommender_.scores(given)[0]
        numbers = items.numbers(vocabulary=self.items_, missing="negative")
        return ItemList(items, scores=np.where(numbers >= 0, scores[numbers], np.nan))


def ratings(seed: int = 0) -> pd.DataFrame:
    luck = np.random.default_rng(seed)
    pairs = [(100 + u, 1000 + 7 * i) for u in range(60) for i in luck.choice(40, 14, replace=False)]
    frame = pd.DataFrame(pairs, columns=["user_id", "item_id"])
    frame["rating"] = luck.integers(1, 6, len(frame)).astype(np.float32)
    frame["timestamp"] = pd.to_datetime(np.arange(len(frame)), unit="h")
    return frame


@pytest.fixture(scope="module")
def data() -> Dataset:
    return from_interactions_df(ratings())


@pytest.fixture(scope="module", params=SCORERS)
def scorer(request) -> Ours:
    name = request.param
    if name in ("implicit", "cornac"):
        pytest.importorskip(name, reason=f"{name} is not installed: pip install -e '.[{name}]'")
    return Ours(OursConfig(name=name, parameters=SCORERS[name]))


@pytest.fixture(scope="module")
def pipeline(scorer, data):
    found = predict_pipeline(scorer, fallback=False)
    found.train(data)
    return found


def scored(pipeline, query, items: ItemList) -> np.ndarray:
    found = operations.score(pipeline, query, items)
    assert np.array_equal(found.ids(), items.ids())
    scores = found.scores()
    assert scores is not None
    return np.asarray(scores)


def some(data: Dataset, n: int = 25, seed: int = 1) -> ItemList:
    numbers = np.random.default_rng(seed).choice(data.item_count, n, replace=False)
    return ItemList(item_nums=numbers, vocabulary=data.items)


def test_a_configuration_comes_back_from_its_dump(scorer):
    dump = scorer.dump_config()
    assert Ours(Ours.validate_config(dump)).dump_config() == dump


def test_known_users_have_scores_of_known_items(pipeline, data):
    for user in data.users.ids()[:20]:
        assert np.isfinite(scored(pipeline, user, some(data))).all()


def test_a_pickled_scorer_scores_the_same(pipeline, scorer, data):
    copy = pickle.loads(pickle.dumps(pipeline.component("scorer")))
    for user in data.users.ids()[:10]:
        query = RecQuery(user_id=user)
        np.testing.assert_allclose(copy(query, some(data)).scores(), scored(pipeline, user, some(data)), atol=1e-3)


def test_an_unknown_user_has_scores_or_none(pipeline, scorer, data):
    for query in (-1348, RecQuery()):
        scores = scored(pipeline, query, some(data))
        assert np.isfinite(scores).all() if scorer.config.name in EVERYBODY else np.isnan(scores).all()


def test_an_unknown_item_has_no_score(pipeline, data):
    scores = scored(pipeline, data.users.id(0), ItemList([*some(data).ids().tolist(), -318]))
    assert np.isfinite(scores[:-1]).all()
    assert np.isnan(scores[-1])


def test_a_history_in_the_query_changes_no_shape(pipeline, data):
    user = data.users.id(3)
    for query in (RecQuery(user_id=user, user_items=data.user_row(user)), RecQuery(user_items=data.user_row(user))):
        assert scored(pipeline, query, some(data)).shape == (25,)


def test_no_items_have_no_scores(pipeline, data):
    assert scored(pipeline, data.users.id(0), ItemList()).size == 0


def test_trained_is_not_trained_again_unless_asked(pipeline, data):
    model = pipeline.component("scorer")
    before = model.recommender_
    model.train(data, TrainingOptions(retrain=False))
    assert model.recommender_ is before


def test_users_and_items_without_data_are_borne(scorer):
    frame = ratings()
    users, items = np.unique(frame["user_id"]), np.unique(frame["item_id"])
    kept = frame[(frame["user_id"] > users[4]) & (frame["item_id"] > items[5])]
    part = from_interactions_df(kept, users=users, items=items)
    pipe = predict_pipeline(Ours(scorer.config), fallback=False)
    pipe.train(part)
    for user in (*users[:5], *users[-5:]):
        assert scored(pipe, user, ItemList(items, vocabulary=part.items)).shape == items.shape


def test_it_recommends_at_the_end_of_a_pipeline(scorer, data):
    pipe = topn_pipeline(Ours(scorer.config), n=7)
    pipe.train(data)
    found = operations.recommend(pipe, data.users.id(5))
    had = data.user_row(data.users.id(5)).ids()
    assert len(found) == 7
    assert not np.isin(found.ids(), had).any()
