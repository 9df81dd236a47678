"""What is read of a folder, what is left out and said, and what is refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from recommenders.__main__ import main
from recommenders.contract.errors import RecommenderError
from recommenders.data.interactions import Reading, read_interactions
from recommenders.evaluation.dataset import read_dataset
from recommenders.evaluation.splits import split_of


@pytest.fixture
def folder(tmp_path):
    random = np.random.default_rng(0)
    table = pd.DataFrame({"user_id": random.integers(100, 160, 900), "item_id": random.integers(0, 40, 900) * 7})
    table["rating"] = random.integers(1, 6, 900)
    table["timestamp"] = 1_600_000_000 + random.permutation(900) * 5000
    table["split"] = random.choice(["train", "train", "valid", "test"], 900)
    table["event"] = random.choice(["view", "buy"], 900)
    table.to_csv(tmp_path / "ratings.csv", index=False)
    return tmp_path


def changed(folder, **columns):
    table = pd.read_csv(folder / "ratings.csv", dtype=str, keep_default_na=False)
    for name, change in columns.items():
        table[name] = change(table[name])
    table.to_csv(folder / "ratings.csv", index=False)


def without(rows):
    return lambda column: column.where(~np.isin(np.arange(len(column)), rows), "")


def _halves(first, second):
    return lambda column: np.where(np.arange(len(column)) < len(column) // 2, first, second)


@pytest.mark.parametrize("name", ["user_id", "item_id", "timestamp"])
def test_rows_without_what_they_need_are_refused_or_counted(folder, name):
    changed(folder, **{name: without([5, 9])})
    with pytest.raises(
        RecommenderError, match=rf"ratings.csv: column '{name}' has 2 missing values, the first in row 5"
    ):
        read_dataset(folder)
    data = read_dataset(folder, Reading(drop_missing=True))
    assert sum(data.left_out.values()) + len(data.positives) == data.n_rows == 900
    assert 2 in data.left_out.values()


def test_a_missing_rating_takes_no_other_away(folder):
    changed(folder, rating=without([0, 1, 2]))
    found = read_interactions(folder, Reading())
    assert np.isnan(found.value).sum() == 3
    assert any("3 of 900 rows have none" in note for note in found.notes)
    low = read_interactions(folder, Reading(at_least=4))
    assert low.left_out["no value (column 'rating')"] == 3
    assert len(low) + sum(low.left_out.values()) == 900


def test_a_missing_split_is_refused_only_where_it_is_asked_for(folder):
    changed(folder, split=without([3]))
    read_dataset(folder)
    with pytest.raises(RecommenderError, match="column 'split' has 1 missing values, the first in row 3"):
        read_dataset(folder, Reading(needs=("split",)))


def test_what_looks_useful_and_is_not_used_is_named(folder):
    table = pd.read_csv(folder / "ratings.csv").rename(columns={"timestamp": "rated_time", "event": "behavior_kind"})
    table["review_date"] = "2020-01-01"
    table.to_csv(folder / "ratings.csv", index=False)
    notes = " / ".join(read_dataset(folder).notes)
    assert "not used, though they look like times, values or events" in notes
    for name in ("rated_time", "behavior_kind", "review_date"):
        assert name in notes


def test_an_event_column_counts_all_and_says_so_or_some(folder):
    notes = " / ".join(read_dataset(folder).notes)
    assert "column 'event' (buy, view) is not used" in notes
    found = read_interactions(folder, Reading(events=("buy",)))
    assert len(found) + found.left_out["not buy"] == 900
    with pytest.raises(RecommenderError, match="has no event 'by'; did you mean 'buy'"):
        read_interactions(folder, Reading(events=("by",)))


def test_folds_are_chosen(folder):
    changed(folder, split=lambda column: (np.arange(len(column)) % 5).astype(str))
    words = [f"data={folder}", "recommender=popularity", "split=given"]
    assert main(["evaluate", *words]) == 2
    assert main(["evaluate", *words, "test_labels=4", "validation_labels=3"]) == 0
    data = read_dataset(folder, test_labels=("4",), validation_labels=("3",))
    assert np.bincount(data.part, minlength=3).tolist()[1:] == pytest.approx([170, 170], abs=40)
    with pytest.raises(RecommenderError, match="column 'split' has no label '7'; it has: 0, 1, 2, 3, 4"):
        read_dataset(folder, test_labels=("7",))


@pytest.mark.parametrize(
    ("split", "change", "says"),
    [
        ("temporal", {"timestamp": lambda c: "2020-01-01"}, "empty test part .*all are of one time"),
        ("given", {"split": lambda c: "train"}, "empty test part"),
        ("given", {"split": lambda c: "test"}, "empty training part"),
        ("leave-one-out", {"user_id": lambda c: np.arange(len(c)).astype(str)}, "no user has three pairs"),
        ("given", {"split": _halves("train", "test"), "user_id": _halves("1", "2")}, "no user with training and test"),
    ],
)  # fmt: skip
def test_a_split_that_leaves_nothing_is_no_result(folder, capsys, split, change, says):
    changed(folder, **change)
    with pytest.raises(RecommenderError, match=says):
        split_of(read_dataset(folder), split, 0)
    assert (
        main(["evaluate", f"data={folder}", "recommender=popularity", f"split={split}", f"output={folder / 'out'}"])
        == 2
    )
    assert not (folder / "out").exists()


def test_roles_are_told_or_taken_away(folder):
    assert read_interactions(folder, Reading(columns={"time": "none"})).times is None
    told = read_interactions(folder, Reading(columns={"user": "item_id", "item": "user_id", "rating": "timestamp"}))
    assert told.columns["value"] == "timestamp"
    both = read_interactions(folder, Reading(columns={"user": "user_id+event"}))
    assert str(both.user.names[0]).partition("+")[2] in ("buy", "view")
    for columns, says in (
        ({"user": "who"}, "has no 'who'"),
        ({"usr": "user_id"}, "'usr' is no role of a column; did you mean 'user'"),
        ({"rating": "event"}, "column 'event' holds .*; expected numbers"),
    ):
        with pytest.raises(RecommenderError, match=says):
            read_interactions(folder, Reading(columns=columns))


def test_parts_of_several_types_are_one_table(tmp_path):
    pd.DataFrame({"user_id": [1, 2], "item_id": [2**60 + 1, 5]}).to_parquet(tmp_path / "interactions.parquet")
    sizes = {
        "int": pd.DataFrame({"user": [1, 2], "item": [2**60 + 1, 5]}),
        "uint": pd.DataFrame({"user": np.array([1, 2], np.uint64), "item": np.array([2**60 + 2, 5], np.uint64)}),
        "text": pd.DataFrame({"user": ["2", "x"], "item": ["5", "007"]}),
    }
    for name, table in sizes.items():
        table.to_parquet(tmp_path / f"part-{name}.parquet")
    (tmp_path / "own.yaml").write_text("tables: part-*.parquet\n")
    data = read_dataset(tmp_path, Reading(layout=str(tmp_path / "own.yaml")))
    assert sorted(data.user_ids.tolist()) == ["1", "2", "x"]
    assert sorted(data.item_ids.tolist()) == ["007", str(2**60 + 1), str(2**60 + 2), "5"]


def test_files_of_a_split_are_its_parts(tmp_path):
    for name, rows in {"train": "1\ta\n1\tb\n2\ta\n", "valid": "2\tb\n", "test": "2\tc\n"}.items():
        (tmp_path / f"x.{name}.inter").write_text("user_id:token\titem_id:token\n" + rows)
    data = read_dataset(tmp_path)
    assert np.bincount(data.part).tolist() == [3, 1, 1]
    (tmp_path / "x.inter").write_text("user_id:token\titem_id:token\n1\ta\n")
    assert len(read_dataset(tmp_path).positives) == 5


def test_features_follow_the_ids(tmp_path):
    pd.DataFrame({"user_id": ["u", "v"], "item_id": ["b", "a"]}).to_csv(tmp_path / "interactions.csv", index=False)
    np.savez(tmp_path / "image_feat.npz", feat=np.array([[1.0], [2.0], [3.0]]))
    pd.DataFrame({"item_id": ["a", "c", "b"]}).to_csv(tmp_path / "items.csv", index=False)
    data = read_dataset(tmp_path)
    rows = dict(zip(data.item_ids.tolist(), data.catalog.features["image"][:, 0].tolist(), strict=True))
    assert rows == {"a": 1.0, "b": 3.0}
    (tmp_path / "items.csv").unlink()
    with pytest.raises(RecommenderError, match="has no row for 2 items, the first is item"):
        read_dataset(tmp_path).catalog.features["image"]


def test_inspect_prints_what_would_be_read(folder, capsys):
    assert main(["inspect", f"data={folder}"]) == 0
    said = capsys.readouterr().out
    for words in (
        "ratings.csv",
        "900, 900 of them used",
        "users:",
        "seconds since 1970, 2020-09-13",
        "split=given",
        "note: ",
    ):
        assert words in said
    assert main(["inspect", f"data={folder}", "split=given"]) == 2
    assert main(["inspect", f"data={folder / 'none'}"]) == 2
    assert "is not there" in capsys.readouterr().err


def test_export_keeps_names_that_look_like_something_else(tmp_path):
    (tmp_path / "ratings.csv").write_text('user_id,item_id,rating\n007,"""x, y""",4\nNA,null,\n')
    assert main(["export", f"data={tmp_path}", f"output={tmp_path / 'x.inter'}"]) == 0
    rows = sorted((tmp_path / "x.inter").read_text().splitlines()[1:])
    assert rows == ['007\t"x, y"\t4.0', "NA\tnull\t"]
    (tmp_path / "ratings.csv").write_text('user_id,item_id\n1,"a\tb"\n')
    assert main(["export", f"data={tmp_path}", f"output={tmp_path / 'y.inter'}"]) == 2
    assert not (tmp_path / "y.inter").exists()
