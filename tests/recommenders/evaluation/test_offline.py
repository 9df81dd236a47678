"""Metrics against their definitions, the keyed split, and the published figures on the real split."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from recommenders.contract import Catalog, RecommenderError
from recommenders.contract.log import distinct_pairs
from recommenders.evaluation.metrics import HeldOut, hit_rate, ndcg, recall
from recommenders.evaluation.offline import evaluate, holdout_split, learnability, log_of
from recommenders.registry import create


@settings(deadline=None, derandomize=True, max_examples=100)
@given(
    ranked=st.lists(st.permutations(range(8)), min_size=1, max_size=5),
    relevant=st.lists(st.sets(st.integers(0, 9)), min_size=5, max_size=5),
    cut=st.integers(0, 8),
    k=st.integers(1, 8),
)
def test_metrics_are_their_definitions(ranked, relevant, cut, k):
    lists = np.array(ranked, np.int32)
    lists[:, cut:] = -1
    rows = [(row, item) for row in range(len(ranked)) for item in relevant[row]]
    held_out = HeldOut.of_pairs(np.array([r for r, _ in rows], int), np.array([i for _, i in rows], int), len(ranked))
    for row in range(len(ranked)):
        hits = [item in relevant[row] for item in lists[row, :k].tolist()]
        gained = sum(1 / math.log2(rank + 2) for rank, hit in enumerate(hits) if hit)
        ideal = sum(1 / math.log2(rank + 2) for rank in range(min(k, len(relevant[row]))))
        expected = (
            (sum(hits) / len(relevant[row]), gained / ideal, float(any(hits))) if relevant[row] else (math.nan,) * 3
        )
        found = [metric(lists, held_out, k)[row] for metric in (recall, ndcg, hit_rate)]
        assert found == pytest.approx(expected, nan_ok=True)


def test_longer_cuts_than_lists_are_refused():
    with pytest.raises(RecommenderError, match="k = 3 for lists of 2"):
        recall(np.zeros((1, 2), np.int32), HeldOut.of_pairs(np.array([0]), np.array([0]), 1), 3)


def random_pairs(n_users: int, n_items: int, n: int, seed: int = 0):
    random = np.random.default_rng(seed)
    return distinct_pairs(random.integers(0, n_users, n), random.integers(0, n_items, n), np.zeros(n), n_items)


def test_the_split_is_disjoint_complete_and_of_the_asked_shares():
    pairs = random_pairs(500, 400, 30_000)
    split = holdout_split(pairs, seed=1)
    parts = [
        set(zip(p.user.tolist(), p.item.tolist(), strict=True)) for p in (split.train, split.validation, split.test)
    ]
    assert sum(map(len, parts)) == len(pairs) == len(set.union(*parts))
    for part, share in zip(parts, (0.8, 0.1, 0.1), strict=True):
        assert abs(len(part) / len(pairs) - share) < 4 * math.sqrt(share * (1 - share) / len(pairs))
    assert len(holdout_split(pairs, 1, (1.0, 0.0, 0.0)).train) == len(pairs)
    assert len(holdout_split(pairs, 1, (0.0, 0.0, 1.0)).test) == len(pairs)


def test_the_split_of_a_pair_depends_on_the_pair_and_the_seed_only():
    pairs = random_pairs(50, 40, 600)
    fewer = pairs.take(np.arange(0, len(pairs), 2))
    whole = holdout_split(pairs, seed=1).test
    part = holdout_split(fewer, seed=1).test
    kept = set(zip(fewer.user.tolist(), fewer.item.tolist(), strict=True))
    in_whole = {pair for pair in zip(whole.user.tolist(), whole.item.tolist(), strict=True) if pair in kept}
    assert set(zip(part.user.tolist(), part.item.tolist(), strict=True)) == in_whole
    assert holdout_split(pairs, seed=2).test.item.tolist() != whole.item.tolist()


def test_wrong_shares_are_refused():
    with pytest.raises(RecommenderError, match="three shares that add up to 1"):
        holdout_split(random_pairs(5, 5, 9), 0, (0.5, 0.1, 0.1))


def test_training_items_are_masked_for_every_recommender():
    pairs = random_pairs(30, 25, 300)
    found = evaluate(create("random", seed=1), pairs, pairs, Catalog(25), 30, k=5)
    assert found.means == {"recall@5": 0.0, "ndcg@5": 0.0, "hit_rate@5": 0.0}


def test_random_recall_is_the_share_of_the_catalog_that_is_shown():
    pairs = random_pairs(2000, 300, 20_000)
    split = holdout_split(pairs, seed=3)
    found = evaluate(create("random", seed=1), split.train, split.test, Catalog(300), 2000, k=30)
    values = found.per_user["recall@30"]
    trained = np.bincount(split.train.user, minlength=2000)[found.users]
    expected = float((30 / (300 - trained)).mean())
    assert abs(values.mean() - expected) < 4 * values.std() / math.sqrt(values.size)


def test_evaluation_leaves_the_label_of_the_recommender_alone():
    recommender = create("popularity")
    evaluate(recommender, random_pairs(9, 9, 30), random_pairs(9, 9, 9, seed=1), Catalog(9), 9, k=3)
    assert recommender.label is None


def test_a_log_of_pairs_has_these_positives_again():
    pairs = random_pairs(20, 30, 100)
    log = log_of(pairs, 20, 30)
    recommender = create("popularity")
    assert len(log) == len(pairs)
    assert recommender.label is None


def test_planted_communities_are_learnable_and_noise_is_not():
    random = np.random.default_rng(4)
    users = random.integers(0, 600, 12_000)
    items = random.integers(0, 30, 12_000) * 10 + users % 10  # ten communities, items of one's own only
    planted = learnability(distinct_pairs(users, items, np.zeros(12_000), 300), 600, 300, seed=0)
    assert planted["ratio"] > 4
    assert planted["density"] == pytest.approx(0.06, rel=0.3)
    noise = learnability(random_pairs(600, 300, 12_000), 600, 300, seed=0)
    assert noise["ratio"] < 1.5
    assert noise["n_test_users"] > 500


def test_too_little_data_gives_no_ratio_instead_of_an_error():
    nothing = learnability(random_pairs(5, 5, 0), 5, 5, seed=0)
    assert nothing["n_test_users"] == 0
    assert nothing["density"] == 0
    assert math.isnan(nothing["ratio"])


def test_amazon_baby_gives_the_figures_known_for_its_split(data_root):
    pandas = pytest.importorskip("pandas")
    table = pandas.read_parquet(data_root / "ecommerce" / "amazon_baby" / "interactions.parquet")
    n_users, n_items = int(table.user_id.max()) + 1, int(table.item_id.max()) + 1

    def part(split: int):
        rows = table[table.split == split]
        return distinct_pairs(rows.user_id.to_numpy(), rows.item_id.to_numpy(), np.zeros(len(rows)), n_items)

    known = {  # recomputed independently on this split, by full ranking with training items masked
        ("itemknn", (("neighbors", 1000), ("shrink", 100.0))): (0.0818, 0.0399),
        ("popularity", ()): (0.0495, 0.0212),
    }
    for (name, parameters), (recall_at_20, ndcg_at_20) in known.items():
        found = evaluate(create(name, dict(parameters)), part(0), part(2), Catalog(n_items), n_users).means
        assert found["recall@20"] == pytest.approx(recall_at_20, abs=2e-4)
        assert found["ndcg@20"] == pytest.approx(ndcg_at_20, abs=2e-4)
