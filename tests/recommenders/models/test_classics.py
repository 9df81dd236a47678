"""Each classic against its definition, written out plainly, or against an independent library."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from recommenders.check import synthetic_world
from recommenders.contract import Catalog, Label, PlatformLog, RecommenderError
from recommenders.contract.log import distinct_pairs
from recommenders.evaluation.offline import POSITIVE, log_of
from recommenders.evaluation.protocol import evaluate
from recommenders.evaluation.splits import SPLITS
from recommenders.models.factorization import right_singular_vectors
from recommenders.registry import create
from tests.recommenders.little import LIKE, NAMES, ask, log_of_likes

N_USERS, N_ITEMS = 40, 25


@pytest.fixture(scope="module")
def x():
    """A little matrix of positives in which every item has one."""
    random = np.random.default_rng(7)
    matrix = (random.uniform(size=(N_USERS, N_ITEMS)) < random.uniform(0.05, 0.5, N_ITEMS)).astype(float)
    matrix[0] = 1
    matrix[0, 20:] = 0
    matrix[1, 20:] = 1
    return matrix


def fitted(name, matrix, **parameters):
    users, items = np.nonzero(matrix)
    pairs = distinct_pairs(users, items, np.arange(users.size, dtype=float), matrix.shape[1])
    recommender = create(name, parameters, label=POSITIVE)
    recommender.fit(log_of(pairs, *matrix.shape), Catalog(matrix.shape[1]))
    return recommender


def scores_of(recommender, n_users=N_USERS):
    """Scores of a ranker for all users, NaN as -inf."""
    requests = ask(N_ITEMS, users=range(n_users))
    scores = np.vstack([recommender.scored(batch) for _, batch in recommender.batches(requests)])
    return np.where(np.isnan(scores), -np.inf, scores)


def weights_of(recommender):
    """Weights of an item-item model as a dense matrix: row had, column scored."""
    near = recommender._near
    dense = np.zeros((N_ITEMS, N_ITEMS))
    for item in range(N_ITEMS):
        for place in range(near.near_start[item], near.near_start[item + 1]):
            dense[item, near.near[place]] = near.similarity[place]
    return dense


def top_per_column(dense, k):
    kept = dense.copy()
    for column in range(dense.shape[1]):
        kept[np.argsort(-dense[:, column], kind="stable")[k:], column] = 0
    return kept


def without_diagonal(matrix):
    matrix = matrix.copy()
    np.fill_diagonal(matrix, 0)
    return matrix


def similarities(a, kind, h, alpha, beta):
    """Between the rows of a matrix, plainly."""
    d, n, length = a @ a.T, a.sum(axis=1), np.linalg.norm(a, axis=1)
    row, column = n[:, None], n[None, :]
    under = {
        "cosine": np.outer(length, length) + h + 1e-6,
        "asymmetric": np.outer(length ** (2 * alpha), length ** (2 * (1 - alpha))) + h + 1e-6,
        "jaccard": row + column - d + h,
        "dice": row + column + h,
        "tversky": d + alpha * (row - d) + beta * (column - d) + h,
        "dot": h,
    }[kind]
    return without_diagonal(d / under)


@pytest.mark.parametrize("kind", ["cosine", "asymmetric", "jaccard", "dice", "tversky", "dot"])
def test_similarities_are_as_defined(x, kind):
    given = {"similarity": kind, "shrink": 3, "alpha": 0.3, "beta": 0.8, "neighbors": 6}
    items = fitted("itemknn", x, **given)
    found, expected = weights_of(items), similarities(x.T, kind, 3, 0.3, 0.8)
    there = found > 0
    np.testing.assert_allclose(found[there], expected[there], rtol=1e-5)
    np.testing.assert_allclose(found.sum(axis=0), top_per_column(expected, 6).sum(axis=0), rtol=1e-5)
    users = fitted("userknn", x, **{**given, "neighbors": 100})
    expected = similarities(x, kind, 3, 0.3, 0.8).T @ x
    np.testing.assert_allclose(np.maximum(scores_of(users), 0), expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("weighting", ["tf-idf", "bm25"])
def test_weighted_rows_are_documents(x, weighting):
    docs = x  # userknn: users are documents, items words
    idf = np.maximum(np.log(N_USERS / (1 + docs.sum(axis=0))), 0)
    weighted = docs * idf
    if weighting == "bm25":
        norm = 0.25 + 0.75 * docs.sum(axis=1) / docs.sum(axis=1).mean()
        weighted = weighted * (2.2 / (1.2 * norm + 1))[:, None]
    found = fitted("userknn", x, weighting=weighting, shrink=2, neighbors=100)
    expected = similarities(weighted, "cosine", 2, 0, 0).T @ weighted
    np.testing.assert_allclose(np.maximum(scores_of(found), 0), expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(("name", "beta"), [("p3alpha", None), ("rp3beta", 0.4)])
def test_walks_are_as_defined(x, name, beta):
    given = {} if beta is None else {"beta": beta}
    found = weights_of(fitted(name, x, alpha=0.7, neighbors=100, normalize=False, **given))
    steps = (x.T / x.sum(axis=0)[:, None]) ** 0.7 @ (x / x.sum(axis=1)[:, None]) ** 0.7
    expected = without_diagonal(steps) * (1 if beta is None else x.sum(axis=0)[None, :] ** -beta)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-7)
    rows = weights_of(fitted(name, x, alpha=0.7, neighbors=100, normalize=True, **given)).sum(axis=1)
    np.testing.assert_allclose(rows, 1, rtol=1e-5)


def test_ease_is_its_closed_form(x):
    inverse = np.linalg.inv(x.T @ x + 5 * np.eye(N_ITEMS))
    expected = without_diagonal(-inverse / np.diag(inverse)[None, :])
    found = fitted("ease", x, regularization=5)
    np.testing.assert_allclose(found.learned["weights"], expected, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(scores_of(found), x @ expected, rtol=1e-3, atol=1e-5)


def test_a_dense_model_refuses_a_catalog_beyond_its_size(x):
    for name in ("ease", "slopeone", "slimbpr"):
        with pytest.raises(RecommenderError, match=r"a dense matrix of 25 items takes .* expected at most 10 items"):
            fitted(name, x, largest=10)


def test_slim_finds_the_optimum_of_its_elastic_net(x):
    linear = pytest.importorskip("sklearn.linear_model")
    found = weights_of(fitted("slim", x, alpha=0.02, l1_ratio=0.4, neighbors=100, tolerance=1e-9, iterations=2000))
    for item in range(N_ITEMS):
        others = x.copy()
        others[:, item] = 0
        net = linear.ElasticNet(alpha=0.02, l1_ratio=0.4, positive=True, fit_intercept=False, tol=1e-10, max_iter=10**5)
        np.testing.assert_allclose(found[:, item], net.fit(others, x[:, item]).coef_, atol=2e-4)


def test_pure_svd_projects_the_profile(x):
    right = np.linalg.svd(x)[2][:6].T
    np.testing.assert_allclose(scores_of(fitted("puresvd", x, factors=6)), x @ right @ right.T, rtol=1e-3, atol=1e-5)


def test_ials_reaches_a_fixed_point_of_its_equations(x):
    model = fitted("ials", x, factors=5, alpha=4, regularization=2, iterations=300, steps=10)
    y = model.learned["items"]

    def solved(other, matrix):
        gram = other.T @ other + 2 * np.eye(5)
        return np.array([np.linalg.solve(gram + 4 * (other.T * row) @ other, 5 * (other.T @ row)) for row in matrix])

    users = solved(y, x)
    np.testing.assert_allclose(scores_of(model), users @ y.T, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(solved(users, x.T), y, rtol=0.02, atol=0.01)


def test_nmf_explains_as_much_as_an_independent_one(x):
    decomposition = pytest.importorskip("sklearn.decomposition")
    other = decomposition.NMF(5, init="random", max_iter=2000, random_state=0)
    theirs = np.linalg.norm(x - other.fit_transform(x) @ other.components_)
    model = fitted("nmf", x, factors=5, iterations=500)
    assert (model.learned["items"] >= 0).all()
    assert np.linalg.norm(x - scores_of(model)) < 1.05 * theirs


def rated(values):
    """A log of ratings (NaN for none) with the label that reads it."""
    users, items = np.nonzero(np.isfinite(values))
    time = np.arange(users.size, dtype=float)
    columns = {
        "time": time,
        "logged_at": time,
        "user": users.astype(np.uint32),
        "item": items.astype(np.uint32),
        "event": np.ones(users.size, np.uint8),
        "value": values[users, items].astype(np.float32),
    }
    return PlatformLog.from_columns(columns, NAMES, *values.shape)


@pytest.fixture(scope="module")
def ratings(x):
    random = np.random.default_rng(1)
    values = random.integers(0, 6, x.shape) + np.linspace(0, 2, N_ITEMS)[None, :]
    return np.where(x > 0, np.round(values), np.nan)


def of_ratings(name, ratings, **parameters):
    recommender = create(name, parameters, label=LIKE)
    recommender.fit(rated(ratings), Catalog(N_ITEMS))
    return recommender


def test_global_effects_are_damped_mean_deviations(ratings):
    deviation = np.nansum(ratings - np.nanmean(ratings), axis=0) / (np.isfinite(ratings).sum(axis=0) + 25)
    np.testing.assert_allclose(scores_of(of_ratings("globaleffects", ratings))[3], deviation, rtol=1e-3, atol=1e-5)


def test_slope_one_adds_up_mean_differences(ratings):
    found = scores_of(of_ratings("slopeone", ratings))
    there = np.isfinite(ratings)
    for user in (2, 5):
        for item in range(N_ITEMS):
            differences = [
                (ratings[:, item] - ratings[:, other])[there[:, item] & there[:, other]].mean()
                for other in np.flatnonzero(there[user])
                if (there[:, item] & there[:, other]).any()
            ]
            expected = np.mean(differences) if differences else -np.inf
            assert found[user, item] == pytest.approx(expected, abs=1e-4)


def test_co_clusters_find_planted_blocks():
    random = np.random.default_rng(5)
    blocks = np.array([[5.0, 1.0], [1.0, 5.0]])
    of_user, of_item = random.integers(0, 2, 60), random.integers(0, 2, N_ITEMS)
    values = blocks[of_user][:, of_item] + random.normal(0, 0.2, (60, N_ITEMS))
    values[random.uniform(size=values.shape) < 0.5] = np.nan
    recommender = create("coclustering", {"user_clusters": 2, "item_clusters": 2}, label=LIKE)
    recommender.fit(rated(values), Catalog(N_ITEMS))
    found = scores_of(recommender, 60)
    liked = of_user[:, None] == of_item[None, :]
    assert found[liked].min() > found[~liked].max()


@pytest.mark.parametrize("name", ["globaleffects", "slopeone", "coclustering"])
def test_models_of_ratings_refuse_where_there_are_none(name, x):
    with pytest.raises(RecommenderError, match="needs a value per pair, and the log gives none"):
        fitted(name, x)
    with pytest.raises(RecommenderError, match="needs a value per pair, and all are 3"):
        of_ratings(name, np.where(x > 0, 3.0, np.nan))


LEARNERS = {
    "bpr": {"factors": 16, "epochs": 60},
    "slimbpr": {},
    "funk": {"factors": 8},
    "asysvd": {"factors": 8, "epochs": 100},
    "multvae": {"hidden": 32, "factors": 16, "epochs": 60, "batch": 50},
    "uneurec": {"hidden": 32, "factors": 16, "epochs": 100, "batch": 50, "decay": 1e-4, "rate": 3e-3},
    "lightgcn": {"factors": 16, "epochs": 60, "rate": 0.01},
    "vbpr": {"factors": 8, "epochs": 60, "rate": 0.01, "modality": "none"},
    "freedom": {"factors": 16, "epochs": 60, "rate": 0.01, "modality": "none", "pruned": 0.3},
}


@pytest.fixture(scope="module")
def communities(tmp_path_factory):
    """Ten communities of users and items, some noise."""
    import pandas as pd

    from recommenders.evaluation.dataset import read_dataset

    random = np.random.default_rng(3)
    users = random.integers(0, 200, 4000)
    items = random.integers(0, 20, 4000) * 10 + users % 10
    items = np.where(random.uniform(size=4000) < 0.1, random.integers(0, 200, 4000), items)
    folder = tmp_path_factory.mktemp("communities")
    pd.DataFrame({"user_id": users, "item_id": items}).to_parquet(folder / "interactions.parquet")
    return read_dataset(folder)


@pytest.mark.parametrize("name", LEARNERS)
def test_what_is_trained_learns_planted_communities(communities, name):
    split = SPLITS["random"](communities, 0)
    found = evaluate(communities, split, name, LEARNERS[name], cutoffs=(10,)).test.means["recall@10"]
    chance = 10 / 200
    assert found > 5 * chance, found


@pytest.mark.parametrize("name", ["vbpr", "freedom"])
def test_content_reaches_items_that_nobody_had(name):
    """Communities whose items look alike: cold items of one's own community rank above the others."""
    random = np.random.default_rng(2)
    users = random.integers(0, 100, 2500)
    items = random.integers(0, 16, 2500) * 5 + users % 5
    warm = items < 60
    pairs = distinct_pairs(users[warm], items[warm], np.zeros(warm.sum()), 80)
    looks = (np.eye(5)[np.arange(80) % 5] + random.normal(0, 0.05, (80, 5))).astype(np.float32)
    parameters = {"factors": 16, "epochs": 40, "rate": 0.01, "modality": "cover"}
    recommender = create(name, parameters, label=POSITIVE)
    recommender.fit(log_of(pairs, 100, 80), Catalog(80, {}, {"cover": looks}))
    slates = recommender.recommend(ask(80, users=range(100), slate_size=4, candidates=range(60, 80)))
    assert (slates.items % 5 == (np.arange(100) % 5)[:, None]).mean() > 0.6


def test_missing_features_say_which_and_what_there_is():
    with pytest.raises(RecommenderError, match="vbpr: the catalog has no features of any modality; expected features"):
        fitted("vbpr", np.eye(N_ITEMS))
    world = synthetic_world()
    with pytest.raises(RecommenderError, match="no features of modality 'smell'; it has: audio, caption"):
        create("freedom", {"modality": "cover+smell"}, label=Label("click", ("click",))).fit(world.log, world.catalog)


def test_popularity_fades():
    log = log_of_likes([(0, 0), (1, 0), (2, 0), (3, 1), (4, 1)], 6, 3)
    old = create("recentpopularity", {"half_life": 1}, label=LIKE)
    log.time[-2:] += 1000
    old.fit(log, Catalog(3))
    assert old.recommend(ask(3, users=(5,))).items[0, 0] == 1
    slow = create("recentpopularity", {"half_life": 1e9}, label=LIKE)
    slow.fit(log, Catalog(3))
    assert slow.recommend(ask(3, users=(5,))).items[0, 0] == 0


def test_only_the_last_events_count():
    likes = [(u, i) for u in range(5) for i in (0, 1)] + [(u, i) for u in range(5, 10) for i in (2, 3)]
    recommender = create("lastevents", {"events": 1, "shrink": 0}, label=LIKE)
    recommender.fit(log_of_likes([*likes, (10, 0), (10, 2)], 11, 6), Catalog(6))
    assert recommender.recommend(ask(6, users=(10,), slate_size=1)).items[0, 0] == 3
    played = ([(2, 1.0), (0, 1.0)],)
    assert recommender.recommend(ask(6, users=(10,), slate_size=1, played=played)).items[0, 0] == 1


def test_what_is_declared_comes_first():
    from dataclasses import replace

    catalog = Catalog(4, {"category": np.array([7, 7, 8, 8])})
    recommender = create("declared", label=LIKE)
    recommender.fit(log_of_likes([(0, 0), (1, 0), (1, 1), (2, 3)], 5, 4), catalog)
    requests = ask(4, users=(4,), slate_size=4)
    assert set(recommender.recommend(requests).items[0, :1].tolist()) == {0}
    stated = replace(requests, stated=np.array([[8, -1]], np.int32))
    assert recommender.recommend(stated).items[0, :2].tolist() == [3, 2]


@pytest.mark.parametrize("shape", [(60, 200), (200, 60), (300, 80)])
def test_leading_singular_vectors_are_those_of_a_dense_decomposition(shape):
    matrix = sparse.random(*shape, density=0.1, random_state=1, format="csr")
    found = right_singular_vectors(matrix, 7, np.random.default_rng(0))
    dense = np.linalg.svd(matrix.toarray())[2][:7]
    assert np.abs((found * dense.T).sum(axis=0)) == pytest.approx(np.ones(7), abs=1e-6)


@pytest.mark.parametrize("few", [3, 100])
def test_the_first_positives_of_a_log_are_decomposed_alike_every_time(few):
    # all singular values are 1: the iteration ends early and begins again from something drawn
    matrix = sparse.csr_matrix((np.ones(few), (np.arange(few), 2 * np.arange(few))), shape=(300, 1000))
    first, again = (right_singular_vectors(matrix, 8, np.random.default_rng(0)) for _ in range(2))
    assert np.array_equal(first, again)
    assert first.shape == (1000, min(few, 8))  # no direction in which there is nothing
