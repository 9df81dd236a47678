"""Compositions: what recall leaves out never comes, ranks add up, filters hold, exploration is as likely as it says."""

from __future__ import annotations

import numpy as np
import pytest

from recommenders.compose.ab import is_treated
from recommenders.contract import Catalog, RecommenderError
from recommenders.registry import create
from tests.recommenders.little import LIKE, ask, log_of_likes

N = 30


@pytest.fixture(scope="module")
def log():
    random = np.random.default_rng(0)
    pairs = {
        (int(u), int(N * i * i)) for u, i in zip(random.integers(0, 25, 200), random.uniform(size=200), strict=True)
    }
    return log_of_likes(sorted(pairs), 26, N)


def fitted(name, log, **parameters):
    recommender = create(name, parameters, seed=2, label=LIKE)
    recommender.fit(log, Catalog(N, {"price": np.arange(N, dtype=np.float32)}))
    return recommender


def test_a_pipeline_orders_what_recall_chose(log):
    requests = ask(N, users=range(26), slate_size=5)
    recalled = fitted("itemknn", log).recommend(ask(N, users=range(26), slate_size=8)).items
    found = fitted("pipeline", log, recall="itemknn", rerank="popularity", depth=8).recommend(requests).items
    ranking = fitted("popularity", log).recommend(ask(N, users=(25,), slate_size=N)).items[0].tolist()
    for row in range(26):
        assert set(found[row].tolist()) <= set(recalled[row].tolist())
        places = [ranking.index(item) for item in found[row]]
        assert places == sorted(places)


def test_members_take_their_parameters_in_brackets(log):
    pipeline = fitted("pipeline", log, recall="itemknn(neighbors=3, shrink=0)", rerank="puresvd(factors=2)")
    assert pipeline.members["recall"].config.neighbors == 3
    assert pipeline.members["rerank"].config.factors == 2
    assert pipeline.reproducibility == "same machine"


def test_an_ensemble_of_one_is_that_one_and_weights_decide(log):
    requests = ask(N, users=range(20), slate_size=4)
    knn, svd = (fitted(name, log).recommend(requests).items for name in ("itemknn", "puresvd"))
    alone = fitted("ensemble", log, members="itemknn").recommend(requests).items
    np.testing.assert_array_equal(alone, knn)
    mostly = fitted("ensemble", log, members="itemknn+puresvd", weights="0.0001+1").recommend(requests).items
    np.testing.assert_array_equal(mostly, svd)


@pytest.mark.parametrize("normalize", ["minmax", "zscore"])
def test_normalized_scores_add_up(log, normalize):
    """Of one member: its order. Of two: the order of the sum, made again here from what they say."""
    requests = ask(N, users=range(25), slate_size=6)
    alone = fitted("ensemble", log, members="puresvd(factors=4)", normalize=normalize).recommend(requests).items
    np.testing.assert_array_equal(alone, fitted("puresvd", log, factors=4).recommend(requests).items)

    members = [fitted("puresvd", log, factors=4), fitted("popularity", log)]
    total = np.zeros((25, N))
    for weight, member in zip((1, 3), members, strict=True):
        scores = member.scores(requests).astype(float)
        low, high = scores.min(axis=1, keepdims=True), scores.max(axis=1, keepdims=True)
        middle, spread = (low, high - low) if normalize == "minmax" else (
            scores.mean(axis=1, keepdims=True), scores.std(axis=1, keepdims=True)
        )  # fmt: skip
        total += weight * (scores - middle) / spread
    both = fitted("ensemble", log, members="puresvd(factors=4)+popularity", weights="1+3", normalize=normalize)
    for row, slate in enumerate(both.recommend(requests).items):
        own = total[row, slate]
        assert (np.diff(own) <= 1e-6).all()
        had = members[0].history.items[members[0].history.start[row] : members[0].history.start[row + 1]]
        others = np.setdiff1d(np.arange(N), [*slate, *had])
        assert total[row, others].max() <= own.min() + 1e-6


@pytest.mark.parametrize(
    "name", ["itemknn", "userknn", "popularity", "contentknn", "p3alpha", "puresvd", "ease", "ensemble"]
)
def test_slates_follow_the_scores_that_a_recommender_says_it_ranks_by(log, name):
    parameters = {"ensemble": {"members": "itemknn+ease"}, "contentknn": {"modality": "cover"}}.get(name, {})
    recommender = create(name, parameters, seed=2, label=LIKE)
    recommender.fit(log, Catalog(N, {}, {"cover": np.random.default_rng(1).normal(size=(N, 5)).astype(np.float32)}))
    requests = ask(N, users=range(26), slate_size=5)
    scores = recommender.scores(requests)
    assert scores.shape == (26, N)
    of_slates = np.take_along_axis(scores, recommender.recommend(requests).items.astype(np.int64), axis=1)
    known = np.isfinite(of_slates)
    assert known[:, 0].any()
    assert (np.diff(np.where(known, of_slates, -1e30)) <= 1e-5).all()


def test_members_without_scores_are_refused_where_scores_are_added(log):
    with pytest.raises(RecommenderError, match=r"random gives no scores, .* or normalize=rank"):
        create("ensemble", {"members": "itemknn+random", "normalize": "minmax"}, label=LIKE)
    fitted("ensemble", log, members="itemknn+random").recommend(ask(N, users=(1,)))  # ranks it has


def test_what_does_not_pass_comes_only_when_all_else_is_gone(log):
    filtered = fitted("filtered", log, member="popularity", column="price", at_least=20)
    assert (filtered.recommend(ask(N, users=range(26), slate_size=8)).items >= 20).all()
    many = filtered.recommend(ask(N, users=(25,), slate_size=15)).items[0]
    assert (many[:10] >= 20).all()
    assert (many[10:] < 20).all()


def test_a_filter_learns_what_passes_even_if_its_member_learns_nothing(log):
    filtered = fitted("filtered", log, member="random", column="price", at_least=20)
    assert filtered.learns, "a platform fits who learns, and only those"
    assert (filtered.recommend(ask(N, users=range(26), slate_size=8)).items >= 20).all()


def test_exploration_is_as_likely_as_it_says(log):
    n = 4000
    keys = np.random.default_rng(3).integers(0, 2**63, n).tolist()
    exploring = fitted("exploring", log, member="itemknn", epsilon=0.4)
    slates = exploring.recommend(ask(N, users=[1] * n, keys=keys, slate_size=3, recent=((5, 6),)))
    for item in np.unique(slates.items):
        said = slates.propensity[slates.items == item][0]
        assert (slates.items == item).any(axis=1).mean() == pytest.approx(said, abs=4 * np.sqrt(0.25 / n))


@pytest.mark.parametrize("name", ["exploring", "exploringplaces"])
@pytest.mark.parametrize("member", ["thompson(draws=5)", "random", "linucb", "exploring(member=itemknn)"])
def test_exploring_over_one_that_randomises_keeps_exact_propensities(log, name, member):
    """Enumerated over many keys: an item stands in as many slates as was said, whichever branch had made them."""
    n = 6000
    keys = np.random.default_rng(5).integers(0, 2**63, n).tolist()
    exploring = fitted(name, log, member=member, epsilon=0.3)
    slates = exploring.recommend(ask(N, users=[1] * n, keys=keys, slate_size=3))
    for item in np.unique(slates.items):
        said = slates.propensity[slates.items == item]
        assert np.ptp(said) < 1e-6
        assert (slates.items == item).any(axis=1).mean() == pytest.approx(said[0], abs=4 * np.sqrt(0.25 / n))
    alone = exploring.recommend(ask(N, users=[1], keys=keys[:1], slate_size=3))
    assert np.array_equal(alone.propensity, slates.propensity[:1])  # whatever else is in the batch


@pytest.mark.parametrize("candidates", [range(N), range(0, N, 7)], ids=["many", "as few as places"])
def test_open_places_hold_what_is_likely_and_the_others_what_the_member_chose(log, candidates):
    """Over many keys: every candidate stands in as many slates as is said, shown or not, and places open one by one."""
    n, epsilon = 6000, 0.3
    keys = np.random.default_rng(7).integers(0, 2**63, n).tolist()
    requests = ask(N, users=[1] * n, keys=keys, slate_size=4, recent=((5, 6, 6),), candidates=candidates)
    own = fitted("popularity", log).recommend(requests).items
    exploring = fitted("exploringplaces", log, member="popularity", epsilon=epsilon)
    slates = exploring.recommend(requests)
    said = exploring.chances(requests.take(slice(0, 1)), np.array([[*candidates]], np.int32))[0]
    assert said.sum() == pytest.approx(4)
    for item, chance in zip(candidates, said, strict=True):
        shown = (slates.items == item).any(axis=1)
        assert shown.mean() == pytest.approx(chance, abs=4 * np.sqrt(0.25 / n))
        assert np.allclose(slates.propensity[slates.items == item], chance, rtol=1e-5)
        assert chance > 0 or item in (5, 6)
    kept = (slates.items == own).mean(axis=0)
    by_luck = epsilon / (len(candidates) - 4 - 2 + epsilon) if len(candidates) > 5 else epsilon
    assert (kept > 1 - epsilon - 4 * np.sqrt(0.25 / n)).all()
    assert (kept < 1 - epsilon + by_luck + 4 * np.sqrt(0.25 / n)).all()


@pytest.mark.parametrize("share", [0.0, 0.4, 1.0])
def test_users_are_dealt_for_good_to_one_of_two_members(log, share):
    users, keys = [u for u in range(26) for _ in range(3)], list(range(78))
    requests = ask(N, users=users, keys=keys, slate_size=4)
    ab = fitted("ab", log, treated="popularity", control="random", share=share, salt=5)
    slates = ab.recommend(requests)
    treated = is_treated(requests.user, share, 5)
    popularity, luck = (fitted(name, log).recommend(requests) for name in ("popularity", "random"))
    assert np.array_equal(slates.items, np.where(treated[:, None], popularity.items, luck.items))
    assert np.array_equal(slates.propensity, np.where(treated[:, None], 1, luck.propensity).astype(np.float32))
    assert treated.reshape(26, 3).std(axis=1).max() == 0
    assert 0 < treated.mean() < 1 if share == 0.4 else (treated == bool(share)).all()
    assert np.allclose(ab.chances(requests, slates.items), slates.propensity)
    alone = ab.recommend(requests.take(slice(7, 8)))
    assert np.array_equal(alone.items, slates.items[7:8])


def test_another_salt_deals_users_anew_and_shares_are_met():
    users = np.arange(20_000)
    deals = np.stack([is_treated(users, 0.5, salt) for salt in range(4)])
    assert np.abs(np.corrcoef(deals) - np.eye(4)).max() < 4 / np.sqrt(users.size)
    for share in (0.1, 0.5, 0.9):
        bound = 4 * np.sqrt(share * (1 - share) / users.size)
        assert is_treated(users, share, 3).mean() == pytest.approx(share, abs=bound)


def test_a_file_describes_a_composition(log, tmp_path):
    file = tmp_path / "mine.yaml"
    file.write_text("ensemble:\n  members: [itemknn, {bpr: {factors: 4, epochs: 2}}]\n  depth: 10\n")
    composed = fitted("composed", log, file=str(file))
    whole = composed.members["whole"]
    assert whole.config.depth == 10
    assert whole.members["1"].config.epochs == 2
    assert composed.recommend(ask(N, users=(1,))).items.shape == (1, 3)


@pytest.mark.parametrize(
    ("name", "parameters", "message"),
    [
        ("pipeline", {"recall": "itemkn", "rerank": "bpr"}, r"'itemkn' is not known; did you mean 'itemknn'\?"),
        ("pipeline", {"recall": "itemknn"}, r"pipeline\.rerank: is missing"),
        ("pipeline", {"recall": "itemknn(neighbors=3", "rerank": "bpr"}, "does not close its brackets"),
        ("pipeline", {"recall": "itemknn(neighbours=3)", "rerank": "bpr"}, "did you mean 'neighbors'"),
        ("ensemble", {"members": "itemknn+bpr", "weights": "1"}, "expected 2 numbers"),
        ("exploring", {"member": "random", "epsilon": 2}, "expected at least 0 and at most 1"),
        ("composed", {"file": "/nowhere.yaml"}, "cannot be read"),
    ],
)
def test_wrong_compositions_are_refused_when_they_are_made(name, parameters, message):
    with pytest.raises(RecommenderError, match=message):
        create(name, parameters, label=LIKE)


def test_a_filter_without_its_column_says_what_there_is(log):
    with pytest.raises(RecommenderError, match=r"the catalog has no 'prize'; it has: price"):
        fitted("filtered", log, member="random", column="prize")
