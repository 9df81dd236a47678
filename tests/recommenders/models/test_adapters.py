"""Adapters: other libraries' models by name, their own parameters, and what happens where they are not."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from recommenders.check import check_recommender
from recommenders.contract import Catalog, RecommenderError
from recommenders.registry import create
from tests.recommenders.little import LIKE, ask, log_of_likes

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
