"""Item-kNN and content-kNN against plain dense numpy references."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from recommenders.contract import Catalog, RecommenderError, Requests
from recommenders.models.content import GROUP, TILE, ContentKNN, dot_tile, tiled
from recommenders.models.hashing import mix, root
from recommenders.models.neighbors import ItemKNN
from tests.recommenders.little import LIKE, ask, log_of_likes

N_USERS, N_ITEMS = 6, 9
PAIRS = st.lists(st.tuples(st.integers(0, N_USERS - 2), st.integers(0, N_ITEMS - 1)), max_size=30)
PLAYED = st.lists(st.tuples(st.integers(0, N_ITEMS - 1), st.sampled_from([0.0, 0.25, 1.0, 1.5])), max_size=4)
ITEMS = st.lists(st.integers(0, N_ITEMS - 1), max_size=5)
QUICK = settings(deadline=None, derandomize=True, max_examples=150)


def ties_of(seed: int, name: str) -> np.ndarray:
    return mix(np.full(1, root(seed, name)), np.arange(N_ITEMS, dtype=np.uint64))


def best_first(score: np.ndarray, ties: np.ndarray, among: list[int]) -> list[int]:
    """Items of ``among`` by falling score, ties by falling hash."""
    return sorted(among, key=lambda item: (-float(score[item]), -int(ties[item])))


def in_four_steps(
    score: np.ndarray | None, popularity: np.ndarray, ties: np.ndarray, had: set[int], recent: set[int], k: int
) -> list[int]:
    """Scored, then popular; then had, then recent, both by popularity."""
    everything = range(N_ITEMS)
    eligible = [i for i in everything if i not in had | recent]
    scored = best_first(score, ties, [i for i in eligible if score[i] > -np.inf]) if score is not None else []
    order = scored[:k]
    for part in ([i for i in eligible if i not in order], sorted(had - recent), sorted(recent)):
        order += best_first(popularity, ties, list(part))
    return order[:k]


def dense_similarity(pairs: list, neighbors: int, shrink: float, ties: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    x = np.zeros((N_USERS, N_ITEMS))
    for user, item in pairs:
        x[user, item] = 1
    length = np.sqrt((x * x).sum(axis=0))
    similarity = (x.T @ x / (np.outer(length, length) + shrink + 1e-6)).astype(np.float32)
    np.fill_diagonal(similarity, 0)
    for item in range(N_ITEMS):  # keep the best of each column
        order = best_first(similarity[:, item], ties, list(range(N_ITEMS)))
        similarity[order[neighbors:], item] = 0
    return x, similarity


@QUICK
@given(pairs=PAIRS, user=st.integers(0, N_USERS - 1), played=PLAYED, recent=ITEMS, neighbors=st.integers(1, 9),
       shrink=st.sampled_from([0.0, 1.0, 10.0]), k=st.integers(1, N_ITEMS), seed=st.integers(0, 3))  # fmt: skip
def test_item_knn_is_its_dense_definition(pairs, user, played, recent, neighbors, shrink, k, seed):
    knn = ItemKNN(neighbors=neighbors, shrink=shrink, seed=seed, label=LIKE)
    knn.fit(log_of_likes(pairs, N_USERS, N_ITEMS), Catalog(N_ITEMS))
    slate = knn.recommend(ask(N_ITEMS, (user,), slate_size=k, recent=(recent,), played=(played,))).items[0].tolist()

    ties = ties_of(seed, "itemknn")
    x, similarity = dense_similarity(pairs, neighbors, shrink, ties)
    profile = [(i, 1.0) for i in np.flatnonzero(x[user])] + [(i, value) for i, value in played]
    score = np.zeros(N_ITEMS, np.float32)
    for item, weight in profile:
        score += np.float32(weight) * similarity[item]
    score[score == 0] = -np.inf
    had = {int(i) for i, _ in profile}
    assert slate == in_four_steps(score, x.sum(axis=0), ties, had, set(recent), k)


@QUICK
@given(pairs=PAIRS, user=st.integers(0, N_USERS - 1), played=PLAYED, recent=ITEMS, k=st.integers(1, N_ITEMS),
       centre=st.booleans(), seed=st.integers(0, 3))  # fmt: skip
def test_content_knn_is_its_dense_definition(pairs, user, played, recent, k, centre, seed):
    features = np.random.default_rng(seed).normal(size=(N_ITEMS, 5)).astype(np.float32) + 1
    features[2] = 0  # an item without content
    knn = ContentKNN(modality="cover", centre=centre, seed=seed, label=LIKE)
    knn.fit(log_of_likes(pairs, N_USERS, N_ITEMS), Catalog(N_ITEMS, {}, {"cover": features}))
    slate = knn.recommend(ask(N_ITEMS, (user,), slate_size=k, recent=(recent,), played=(played,))).items[0].tolist()

    raw = features.astype(np.float64)
    if centre:
        raw = raw - raw.mean(axis=0)
    length = np.linalg.norm(raw, axis=1, keepdims=True)
    unit = np.where(length > 0, raw / np.where(length > 0, length, 1), 0)
    liked = sorted({item for who, item in pairs if who == user})
    profile = [(i, 1.0) for i in liked] + [(i, value) for i, value in played]
    popularity = np.bincount([item for _, item in set(pairs)], minlength=N_ITEMS)
    weights = [weight for _, weight in profile if weight > 0]
    mean = sum(weight * unit[i] for i, weight in profile) if weights else None
    # Rounding to 1e-5 makes equal what float32 cannot tell apart; random features have no such pairs but exact ties.
    score = None if mean is None else np.round(unit @ mean, 5)
    had = {int(i) for i, _ in profile}
    assert slate == in_four_steps(score, popularity, ties_of(seed, "contentknn"), had, set(recent), k)


def test_what_others_liked_too_comes_first():
    likes = [(0, 0), (0, 1), (1, 0), (1, 1), (2, 0), (2, 1), (3, 2), (3, 3), (4, 2), (4, 3), (5, 0)]
    knn = ItemKNN(label=LIKE)
    knn.fit(log_of_likes(likes, 7, 5), Catalog(5))
    assert knn.recommend(ask(5, (5,), slate_size=1)).items.tolist() == [[1]]
    assert knn.recommend(ask(5, (6,), slate_size=1, played=([(3, 1.0)],))).items.tolist() == [[2]]


@pytest.mark.parametrize(("first", "second", "best"), [(0.2, 1.0, 3), (1.0, 0.2, 1)])
def test_what_was_consumed_most_in_this_visit_has_most_say(first, second, best):
    likes = [(0, 0), (0, 1), (1, 2), (1, 3)]  # 0 goes with 1, and 2 with 3, equally
    features = np.array([[1, 0], [1, 0.1], [0, 1], [0.1, 1]], np.float32)
    for recommender in (ItemKNN(label=LIKE), ContentKNN(modality="cover", centre=False, label=LIKE)):
        recommender.fit(log_of_likes(likes, 3, 4), Catalog(4, {}, {"cover": features}))
        asked = ask(4, (2,), slate_size=1, played=([(0, first), (2, second)],))
        assert recommender.recommend(asked).items.tolist() == [[best]]


def test_a_cold_user_gets_what_is_popular():
    likes = [(0, 2), (1, 2), (2, 2), (0, 1), (1, 1), (0, 0)]
    for recommender in (ItemKNN(label=LIKE), ContentKNN(modality="cover", label=LIKE)):
        recommender.fit(log_of_likes(likes, 9, 4), Catalog(4, {}, {"cover": np.eye(4, dtype=np.float32)}))
        assert recommender.recommend(ask(4, (8,), slate_size=4)).items.tolist() == [[2, 1, 0, 3]]


def test_a_cold_item_is_reached_by_its_content():
    features = np.array([[1, 0], [1, 0.1], [0, 1], [0.1, 1]], np.float32)
    content = ContentKNN(modality="cover", label=LIKE)
    content.fit(log_of_likes([(0, 0), (1, 2), (2, 2)], 3, 4), Catalog(4, {}, {"cover": features}))
    assert content.recommend(ask(4, (0,), slate_size=1)).items.tolist() == [[1]]


@pytest.mark.parametrize("dimensions", [1, 4, 7])
def test_tiles_hold_the_features_and_dot_with_them(dimensions):
    random = np.random.default_rng(0)
    rows = random.integers(-3, 4, (TILE + 9, dimensions)).astype(np.float32)
    tiles = tiled(rows)
    assert tiles.shape == (2, -(-dimensions // 4) * 4, TILE)
    profile = np.zeros((GROUP, tiles.shape[1]), np.float32)
    profile[3, :dimensions] = random.integers(-3, 4, dimensions)
    out = np.empty(TILE, np.float32)
    dot_tile(profile, 3, tiles, 1, out)
    assert out[:9].tolist() == (rows[TILE:] @ profile[3, :dimensions]).tolist()


def big_requests(n_items: int) -> Requests:
    random = np.random.default_rng(5)
    users = random.integers(0, 60, 75).tolist()
    played = [[(int(i), 0.7) for i in random.integers(0, n_items, 5)] for _ in users]
    return ask(n_items, users, slate_size=20, played=played, recent=[random.integers(0, n_items, 8) for _ in users])


@pytest.mark.parametrize("name", ["itemknn", "contentknn"])
def test_no_request_feels_its_neighbours_in_the_batch(name):
    n_items = 3 * TILE + 17
    random = np.random.default_rng(6)
    likes = list(zip(random.integers(0, 60, 900).tolist(), random.integers(0, n_items, 900).tolist(), strict=True))
    features = {"cover": random.normal(size=(n_items, 10)).astype(np.float32)}
    recommender = ItemKNN(label=LIKE) if name == "itemknn" else ContentKNN(modality="cover", label=LIKE)
    recommender.fit(log_of_likes(likes, 60, n_items), Catalog(n_items, {}, features))
    requests = big_requests(n_items)
    whole = recommender.recommend(requests).items
    alone = [recommender.recommend(requests.take(np.array([row]))).items[0] for row in range(len(requests))]
    assert np.array_equal(whole, alone)


def test_parameters_out_of_range_are_refused():
    log = log_of_likes([(0, 1)], 2, 3)
    with pytest.raises(RecommenderError, match=r"itemknn.neighbors: is 0; expected at least 1"):
        ItemKNN(neighbors=0, label=LIKE).fit(log, Catalog(3))
    with pytest.raises(RecommenderError, match=r"itemknn.shrink: is -1.0; expected at least 0"):
        ItemKNN(shrink=-1.0, label=LIKE).fit(log, Catalog(3))
    with pytest.raises(
        RecommenderError, match="contentknn: the catalog has no features of modality 'cover'; it has: a"
    ):
        ContentKNN(modality="cover", label=LIKE).fit(log, Catalog(3, {}, {"a": np.ones((3, 1))}))


def test_barely_consumed_items_have_no_say():
    knn = ItemKNN(label=LIKE)
    knn.fit(log_of_likes([(0, 0), (0, 1), (1, 2), (2, 2)], 4, 4), Catalog(4))
    assert knn.recommend(ask(4, (3,), slate_size=1, played=([(0, 1e-30)],))).items.tolist() == [[2]]
    assert knn.recommend(ask(4, (3,), slate_size=1, played=([(0, float("nan"))],))).items.tolist() == [[2]]
