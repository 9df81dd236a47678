"""Adapters: other libraries' models by name, their own parameters, and what happens where they are not."""

from __future__ import annotations

import os
import subprocess
import sys
import types
import warnings

import numpy as np
import pytest

from recommenders.check import check_recommender
from recommenders.contract import Catalog, PlatformLog, RecommenderError
from recommenders.contract.places import fallback
from recommenders.models.adapters import trial
from recommenders.models.adapters.library import LibraryModel
from recommenders.models.adapters.own_words import LibraryWarning
from recommenders.registry import create
from tests.recommenders.little import LIKE, NAMES, ask, log_of_likes

pytestmark = pytest.mark.filterwarnings("ignore:implicit .* expects CSR input:UserWarning")  # of its own matrices

MODELS = {
    "implicit": ("BayesianPersonalizedRanking(factors=6)", "CosineRecommender(K=9)"),
    "lenskit": ("ImplicitMFScorer(embedding_size=6)", "UserKNNScorer(max_nbrs=9)"),
    "cornac": ("EASE(lamb=50)", "MF(k=4)"),
}
WRONG = {
    "implicit": ("AlternatingLeast", "did you mean AlternatingLeastSquares", "BayesianPersonalizedRanking(factor=3)"),
    "lenskit": ("ItemKNN", "did you mean ItemKNNScorer", "ItemKNNScorer(neighbours=3)"),
    "cornac": ("BPRR", "did you mean BPR", "BPR(factors=3)"),
}


def needs(library):
    pytest.importorskip(library, reason=f"{library} is not installed: pip install -e '.[{library}]'")


@pytest.mark.parametrize(("library", "model"), [(name, model) for name, models in MODELS.items() for model in models])
def test_models_of_each_kind_keep_the_contract(library, model):
    needs(library)
    check_recommender(lambda: create(library, {"model": model}, seed=3, label=LIKE))


@pytest.mark.parametrize("library", WRONG)
def test_wrong_names_and_parameters_are_one_clear_line(library):
    needs(library)
    name, hint, parameters = WRONG[library]
    with pytest.raises(RecommenderError, match=hint):
        create(library, {"model": name}, label=LIKE)
    with pytest.raises(RecommenderError, match=r"refuses .*it takes ") as caught:
        create(library, {"model": parameters}, label=LIKE)
    assert "\n" not in str(caught.value)


def test_the_same_model_here_and_there_ranks_the_same():
    """EASE-R has one solution: ours and Cornac's must agree but for the order of ties."""
    needs("cornac")
    random = np.random.default_rng(0)
    pairs = {
        (int(u), int(40 * i * i)) for u, i in zip(random.integers(0, 60, 900), random.uniform(size=900), strict=True)
    }
    log, catalog = log_of_likes(sorted(pairs), 60, 40), Catalog(40, {})
    requests = ask(40, users=range(60), slate_size=5)
    found = []
    for name, parameters in (("ease", {"regularization": 50.0}), ("cornac", {"model": "EASE(lamb=50, posB=false)"})):
        recommender = create(name, parameters, seed=1, label=LIKE)
        recommender.fit(log, catalog)
        found.append(recommender.scores(requests))
    had = ~np.isnan(found[1])
    np.testing.assert_allclose(found[0][had], found[1][had], atol=1e-4)


def test_without_the_library_the_error_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "implicit", None)
    for module in ("implicit.als", "implicit.bpr", "implicit.lmf", "implicit.nearest_neighbours"):
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(RecommenderError, match=r'pip install "beholder\[implicit\]"'):
        create("implicit", {"model": "AlternatingLeastSquares"}, label=LIKE)


# ---- ratings


def two_tastes(users=40, items=30, values=(1.0, 5.0)):
    """Likes of everybody for three items in four, with a high value where user and item are both odd or both even."""
    user, item = (each.ravel().astype(np.uint32) for each in np.meshgrid(np.arange(users), np.arange(items)))
    keep = (user * 7 + item * 3) % 4 > 0
    user, item = user[keep], item[keep]
    time = np.arange(user.size, dtype=np.float64)
    value = np.where(user % 2 == item % 2, values[1], values[0]).astype(np.float32)
    likes = np.ones(user.size, np.uint8)
    columns = {"time": time, "logged_at": time, "user": user, "item": item, "event": likes, "value": value}
    return PlatformLog.from_columns(columns, NAMES, users, items), Catalog(items, {})


RATED = {
    "cornac": ("ItemKNN(k=9)", "UserKNN(k=9)", "PMF(k=4)"),
    "lenskit": (
        "BiasedMFScorer(embedding_size=4)",
        "ItemKNNScorer(feedback=explicit)",
        "UserKNNScorer(feedback=explicit)",
    ),
}


@pytest.mark.parametrize(("library", "model"), [(name, model) for name, models in RATED.items() for model in models])
def test_models_of_ratings_get_the_ratings(library, model):
    needs(library)
    log, catalog = two_tastes()
    recommender = create(library, {"model": model}, seed=1, label=LIKE)
    recommender.fit(log, catalog)
    scores = recommender.scores(ask(30, users=range(40)))
    same = np.arange(40)[:, None] % 2 == np.arange(30)[None, :] % 2
    assert np.nanmean(scores[same]) > np.nanmean(scores[~same]) + 0.5  # stars
    again = create(library, {"model": model}, seed=1, label=LIKE)
    again.restore(recommender.state())
    np.testing.assert_array_equal(again.scores(ask(30, users=range(40))), scores)


@pytest.mark.parametrize("model", ["ItemKNN", "UserKNN", "GlobalAvg"])
def test_a_model_that_ranks_nothing_is_refused(model):
    needs("cornac")
    log, catalog = two_tastes(values=(3.0, 3.0))
    recommender = create("cornac", {"model": model}, label=LIKE)
    with pytest.raises(RecommenderError, match=r"cornac [\d.]+ \w+ ranks nothing: .* the log has no ratings"):
        recommender.fit(log, catalog)


@pytest.mark.parametrize(("model", "needed"), [("BiasScorer", True), ("ItemKNNScorer", False)])
def test_a_trial_finds_out_who_needs_ratings(model, needed):
    needs("lenskit")
    assert create("lenskit", {"model": model}, label=LIKE).needs_values is needed
    given_none = create("lenskit", {"model": model, "ratings": "none"}, label=LIKE)
    if needed:
        with pytest.raises(RecommenderError, match=r"lenskit\.ratings: is none, .* needs values of pairs"):
            given_none.check(Catalog(9, {}))
    else:
        given_none.check(Catalog(9, {}))


# ---- what cannot work, and what a library says


@pytest.mark.parametrize(
    ("library", "model", "why"),
    [
        ("cornac", "VBPR", "needs item_image"),
        ("cornac", "MTER", "needs sentiment"),
        ("cornac", "SoRec", "needs user_graph"),
        ("cornac", "VEBPR", "needs a PurchaseViewDataset"),
        ("cornac", "SASRec", "is a NextItemRecommender: it scores by history_items"),
        ("cornac", "GPTop", "is a NextBasketRecommender: it scores by history_baskets"),
        ("cornac", "NextItemRecommender", "scores no items"),
        ("cornac", "AnnoyANN", "missing 1 required positional argument: 'model'"),
        ("implicit", "RecommenderBase", "scores no items"),
        ("lenskit", "ALSBase", "scores no items"),
        ("lenskit", "UserTrainingHistoryLookup", "scores no items"),
    ],
)
def test_what_cannot_work_is_refused_before_the_fit(library, model, why):
    needs(library)
    with pytest.raises(RecommenderError, match=why) as caught:
        create(library, {"model": model}, label=LIKE).check(Catalog(9, {}))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("library", "model"), [("lenskit", "PopScorer"), ("implicit", "ItemItemRecommender(K=9)")])
def test_models_that_are_called_in_another_way_work(library, model):
    needs(library)
    log, catalog = two_tastes()
    recommender = create(library, {"model": model}, label=LIKE)
    recommender.check(catalog)
    recommender.fit(log, catalog)
    assert np.isfinite(recommender.scores(ask(30, users=range(40)))).any(axis=1).all()


class Stub(LibraryModel):
    """A library of one module, `stub_library`, whose models do what a test wants."""

    name = "stub"
    package = "stub"
    modules = ("stub_library",)

    def is_model(self, kind):
        return hasattr(kind, "fit")

    def train(self, model, matrix):
        model.fit(matrix)

    def scores_of(self, model, users, profile):
        return np.full((users.size, self.history.n_items), model.score, np.float32)


@pytest.fixture
def stub(monkeypatch):
    """Make a stub of which `fit` is given."""

    def make(fit, score=np.nan):
        library = types.ModuleType("stub_library")
        library.Model = type("Model", (), {"fit": lambda self, matrix: fit(), "score": score})
        monkeypatch.setitem(sys.modules, "stub_library", library)
        return Stub(model="Model", label=LIKE)

    return make


def test_an_exception_of_a_library_is_one_line(stub):
    def fit():
        raise KeyError("no\nsuch thing")

    with pytest.raises(
        RecommenderError, match=r"^recommender stub.model: stub of unknown version Model fails .*KeyError"
    ) as caught:
        stub(fit).fit(*two_tastes())
    assert "\n" not in str(caught.value)


def test_a_library_that_exits_does_not_end_the_run(stub):
    with pytest.raises(RecommenderError, match="SystemExit: only on Windows"):
        stub(lambda: sys.exit("only on Windows")).fit(*two_tastes())


def test_all_that_a_library_prints_is_one_warning(stub, capfd):
    def fit():
        warnings.warn("old data", stacklevel=1)
        print("epoch 1")  # noqa: T201
        os.write(2, b"from C\n")

    model = stub(fit)
    log, catalog = two_tastes()
    text = r"^stub of unknown version Model says when it is trained: old data \(and 2 more lines\)$"
    with pytest.warns(LibraryWarning, match=text):
        model.fit(log, catalog)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.fit(log, catalog)  # said once
    assert capfd.readouterr() == ("", "")


def test_scores_of_nan_are_counted_as_filled_by_popularity(stub):
    model = stub(lambda: None)
    log, catalog = two_tastes()
    model.fit(log, catalog)
    model.recommend(ask(30, users=[*range(9), 77], slate_size=4))  # 77: unknown
    assert fallback(model.places()) == {"share": 1.0, "places": 40, "by_popularity": 40, "of_unknown_users": 4}
    again = stub(lambda: None)
    again.restore(model.state())
    assert again.places() == model.places()  # a resumed run counts on


def test_a_model_that_ends_its_process_is_refused(monkeypatch):
    done = subprocess.CompletedProcess([], -11, "", "")
    monkeypatch.setattr(trial.subprocess, "run", lambda *words, **how: done)
    assert trial.refusal("stub", "a model that crashes") == (
        "ends its process when it is fitted: SIGSEGV (on a small trial)"
    )


@pytest.mark.long
@pytest.mark.parametrize("library", MODELS)
def test_every_model_that_can_be_named_works_or_is_refused_in_one_line(library):
    needs(library)
    with pytest.raises(RecommenderError, match="there are: ") as caught:
        create(library, {"model": "Zzzzzzzzzzzz"}, label=LIKE)
    log, catalog = two_tastes()
    broken = []
    for model in caught.value.right.removeprefix("there are: ").split(", "):
        try:
            recommender = create(library, {"model": model}, label=LIKE)
            recommender.check(catalog)
            recommender.fit(log, catalog)
        except RecommenderError as error:
            broken += [str(error)] if "\n" in str(error) or f"{library} " not in str(error) else []
        else:
            recommender.recommend(ask(30, users=range(40)))
            broken += [model] if recommender.places().share > 0.5 else []
    assert not broken
