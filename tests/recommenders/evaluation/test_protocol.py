"""The offline protocol: splits, measures against an independent library, negatives, search, files, the command line."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from recommenders.__main__ import main
from recommenders.contract.errors import RecommenderError
from recommenders.data.interactions import Reading
from recommenders.evaluation import metrics
from recommenders.evaluation.dataset import read_dataset, write_inter
from recommenders.evaluation.metrics import HeldOut
from recommenders.evaluation.protocol import Tries, evaluate, fit as fit_on, judge
from recommenders.evaluation.splits import SPLITS


@pytest.fixture
def folder(tmp_path):
    """Ten communities, whose members stray one time in four, with ratings, times and a split."""
    random = np.random.default_rng(3)
    users = random.integers(0, 120, 2000)
    items = random.integers(0, 30, 2000) * 10 + (users + (random.uniform(size=2000) < 0.25)) % 10
    table = pd.DataFrame({"user_id": users, "item_id": items}).drop_duplicates()
    table["rating"] = random.integers(1, 6, len(table)).astype(float)
    table["timestamp"] = random.permutation(len(table))
    table["split"] = random.choice([0, 0, 0, 0, 1, 2], len(table))
    table.to_parquet(tmp_path / "interactions.parquet")
    return tmp_path


def test_a_folder_is_read_with_ratings_times_and_split(folder):
    data = read_dataset(folder)
    table = pd.read_parquet(folder / "interactions.parquet").sort_values(["user_id", "item_id"])
    assert (data.n_users, data.catalog.n_items) == (120, table["item_id"].nunique())
    pairs = data.positives
    found = pd.DataFrame(
        {"user_id": data.user_ids[pairs.user].astype(int), "item_id": data.item_ids[pairs.item].astype(int),
         "rating": pairs.weight, "timestamp": pairs.time, "split": data.part}
    ).sort_values(["user_id", "item_id"])  # fmt: skip
    np.testing.assert_array_equal(found, table)
    four = read_dataset(folder, Reading(at_least=4))
    assert len(four.positives) == (table["rating"] >= 4).sum()
    assert four.label == "rating >= 4"


def test_an_inter_file_comes_back_as_it_was_written(folder, tmp_path):
    data = read_dataset(folder)
    write_inter(data, tmp_path / "x.inter")
    again = read_dataset(tmp_path / "x.inter")
    for name in ("user", "item", "time", "weight"):
        np.testing.assert_array_equal(getattr(again.positives, name), getattr(data.positives, name))


@pytest.mark.parametrize("name", list(SPLITS))
def test_splits_are_disjoint_complete_and_repeatable(folder, name):
    data = read_dataset(folder)
    split, again = SPLITS[name](data, 5), SPLITS[name](data, 5)
    parts = [split.train, split.validation, split.test]
    assert sum(map(len, parts)) == len(data.positives)
    pairs = np.concatenate([part.user.astype(np.int64) * 1000 + part.item for part in parts])
    assert np.unique(pairs).size == pairs.size
    np.testing.assert_array_equal(split.test.item, again.test.item)


def test_the_last_is_left_out_and_time_flows_forward(folder):
    data = read_dataset(folder)
    last = SPLITS["leave-one-out"](data, 0)
    for user in range(10):
        times = {name: getattr(last, name).time[getattr(last, name).user == user] for name in ("train", "test")}
        assert times["test"].size == 1
        assert times["test"][0] > times["train"].max()
    by_time = SPLITS["temporal"](data, 0)
    assert by_time.train.time.max() < by_time.validation.time.min() <= by_time.validation.time.max()
    assert by_time.validation.time.max() < by_time.test.time.min()


def test_measures_agree_with_an_independent_library():
    sklearn = pytest.importorskip("sklearn.metrics")
    random = np.random.default_rng(0)
    n_items, k = 40, 10
    for _ in range(30):
        order = random.permutation(n_items)
        scores = np.empty(n_items)
        scores[order] = np.arange(n_items, 0, -1)
        relevant = random.permutation(n_items)[: random.integers(1, 9)]
        truth = np.zeros(n_items)
        truth[relevant] = 1
        held = HeldOut.of_pairs(np.zeros(relevant.size, int), relevant, 1)
        ranked = order[None].astype(np.int32)
        ndcg = sklearn.ndcg_score(truth[None], scores[None], k=k)
        assert metrics.ndcg(ranked, held, k)[0] == pytest.approx(ndcg, abs=1e-9)
        whole = sklearn.average_precision_score(truth, scores)
        assert metrics.average_precision(ranked, held, n_items)[0] == pytest.approx(whole, abs=1e-9)
        rank = sklearn.label_ranking_average_precision_score(np.eye(n_items)[[relevant[0]]], scores[None])
        one = HeldOut.of_pairs(np.zeros(1, int), relevant[:1], 1)
        assert metrics.mrr(ranked, one, n_items)[0] == pytest.approx(rank, abs=1e-9)
        hits = sklearn.recall_score(truth, np.isin(np.arange(n_items), order[:k]))
        assert metrics.recall(ranked, held, k)[0] == pytest.approx(hits, abs=1e-9)


def test_only_training_items_are_masked_and_cold_ones_are_reported(folder):
    data = read_dataset(folder)
    split = SPLITS["given"](data, 0)
    recommender, _ = fit_on("itemknn", {}, split, data, 0)
    found = judge(recommender, split.train, split.test, data, (5, 10))
    random, _ = fit_on("random", {}, split, data, 0)
    assert found.means["recall@10"] > 3 * judge(random, split.train, split.test, data, (10,)).means["recall@10"]
    low, high = found.intervals["recall@10"]
    assert low < found.means["recall@10"] < high
    assert sum(group["users"] for name, group in found.groups.items() if "training" in name) == found.users.size


def test_sampled_negatives_are_easier_and_never_what_the_user_has(folder):
    data = read_dataset(folder)
    split = SPLITS["leave-one-out"](data, 0)
    recommender, _ = fit_on("itemknn", {}, split, data, 0)
    whole = judge(recommender, split.train, split.test, data, (10,))
    few = judge(recommender, split.train, split.test, data, (10,), negatives=20)
    assert few.means["recall@10"] >= whole.means["recall@10"]
    sure = judge(recommender, split.train, split.test, data, (10,), negatives=5)
    assert sure.means["hit_rate@10"] == 1.0


def test_a_search_tries_the_given_settings_first_and_chooses_on_validation(folder):
    data = read_dataset(folder)
    split = SPLITS["given"](data, 0)
    found = evaluate(data, split, "itemknn", {"similarity": "cosine"}, search=5, select="recall@10", seed=1)
    assert len(found.trials) == 5
    assert found.trials[0].parameters == {"similarity": "cosine"}
    assert all(trial.parameters["similarity"] == "cosine" for trial in found.trials)
    best = max(found.trials, key=lambda trial: trial.validation["recall@10"])
    assert found.parameters == best.parameters
    assert found.validation.means["recall@10"] == best.validation["recall@10"]
    assert [tried for tried, _ in Tries("itemknn", {}, 5, 1)] == [tried for tried, _ in Tries("itemknn", {}, 5, 1)]


def test_a_search_goes_on_near_the_best_and_within_the_ranges():
    far, near = [], []
    for number, (tried, tell) in enumerate(Tries("itemknn", {"similarity": "cosine"}, 60, 2)):
        if number:
            assert 5 <= tried["neighbors"] <= 1000
            assert 0 <= tried["shrink"] <= 1000
            (far if number <= 30 else near).append(abs(tried["shrink"] - 400))
            tell(-abs(tried["shrink"] - 400))
    assert np.mean(near) < 0.7 * np.mean(far)


def test_the_command_writes_results_and_a_table_of_users(folder, tmp_path, capsys):
    words = [f"data={folder}", "recommender=itemknn", "recommender.neighbors=20", "split=given", "cutoffs=5,10"]
    assert main(["evaluate", *words, "search=3", "select=ndcg@10", f"output={tmp_path / 'out'}"]) == 0
    assert "recall@10" in capsys.readouterr().out
    results = json.loads((tmp_path / "out" / "results.json").read_text())
    assert {"recall@5", "ndcg@10", "mrr@10", "map@10", "hit_rate@10", "gini@10"} <= set(results["test"])
    assert set(results["validation"]) == set(results["test"])
    assert results["recommender"]["parameters"]["neighbors"] == 20
    assert len(results["search"]) == 3
    users = pd.read_parquet(tmp_path / "out" / "users.parquet")
    test = users[users["part"] == "test"]
    assert test["recall@10"].mean() == pytest.approx(results["test"]["recall@10"])
    assert main(["evaluate", *words, f"output={tmp_path / 'out'}"]) == 2


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["recommender=itemkn"], "'itemkn' is not known; did you mean 'itemknn'?"),
        (["recommender=itemknn", "recommender.neighbours=3"], "did you mean 'neighbors'?"),
        (["recommender=itemknn", "split=timely"], "split=timely is not known"),
        (["recommender=itemknn", "splits=random"], "'splits' is no setting; did you mean 'split'?"),
        (["recommender=itemknn", "search=2", "select=auc@3"], "'auc@3' is not measured"),
        (["recommender=itemknn", "cutoffs=ten"], "expected whole numbers"),
        (["recommender=itemknn", "columns.user=who"], "has no 'who'; it has: user_id"),
        (["recommender=contentknn", "recommender.modality=image"], "no features of modality 'image'; it has: none"),
        (["recommender=popularity", "search=3"], "has nothing to search among"),
    ],
)
def test_bad_words_are_one_clear_line(folder, capsys, words, message):
    assert main(["evaluate", f"data={folder}", *words]) == 2
    said = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")]
    assert len(said) == 1
    assert message in said[0]


def test_a_folder_without_tables_is_refused(tmp_path):
    with pytest.raises(RecommenderError, match=r"holds no interactions; expected interactions\.parquet"):
        read_dataset(tmp_path)


@pytest.mark.long
@pytest.mark.parametrize(
    ("name", "published"),
    [("itemknn", (0.0566, 0.0327, 0.0830, 0.0396)), ("userknn", (0.0576, 0.0328, 0.0841, 0.0396))],
)
def test_nearest_neighbours_reach_the_published_figures_on_the_real_split(data_root, name, published):
    data = read_dataset(data_root / "ecommerce" / "amazon_baby")
    found = evaluate(data, SPLITS["given"](data, 0), name, search=20).test.means
    for measure, figure in zip(("recall@10", "ndcg@10", "recall@20", "ndcg@20"), published, strict=True):
        assert found[measure] >= 0.97 * figure, measure


@pytest.mark.parametrize(("rating", "why"), [(None, "has none"), (3.0, "are 3;")])
@pytest.mark.parametrize("second", ["slopeone", "ensemble"])
def test_who_needs_ratings_is_refused_before_anybody_is_fitted(folder, tmp_path, capsys, rating, why, second):
    table = pd.read_parquet(folder / "interactions.parquet").drop(columns="rating")
    (table if rating is None else table.assign(rating=rating)).to_parquet(folder / "interactions.parquet")
    words = [f"data={folder}", f"output={tmp_path / 'out'}", "split=given"]
    if second == "ensemble":
        words += ["recommender=ensemble", "recommender.members=popularity+coclustering"]
    else:
        words += ["recommender=popularity,slopeone"]
    assert main(["evaluate", *words]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert not (tmp_path / "out").exists()
    assert f"recommender {second}: needs a value per pair" in said.err
    assert why in said.err
