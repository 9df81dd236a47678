"""Tables of public data sets, as their layouts say where they lie; and what is exported of them."""

from __future__ import annotations

import pandas as pd
import pytest

from recommenders.__main__ import main
from recommenders.contract.errors import RecommenderError
from recommenders.data.interactions import Reading
from recommenders.evaluation.dataset import read_dataset as read


@pytest.fixture
def mind(tmp_path):
    rows = [
        "1\tU2\t11/15/2019 8:55:22 AM\tN9\tN1-1 N2-0 N3-1",
        "2\tU1\t11/15/2019 9:00:00 AM\t\tN2-1 N1-0",
        "3\tU1\t11/16/2019 9:00:00 AM\t\tN3-0",
    ]
    (tmp_path / "behaviors.tsv").write_text("\n".join(rows) + "\n")
    return tmp_path


@pytest.fixture
def olist(tmp_path):
    pd.DataFrame({"order_id": ["a", "a", "b"], "product_id": ["p", "q", "p"]}).to_csv(
        tmp_path / "olist_order_items_dataset.csv", index=False
    )
    orders = {"order_id": ["a", "b"], "customer_id": [1, 2], "order_purchase_timestamp": ["2018-01-02 00:00:01"] * 2}
    pd.DataFrame(orders).to_csv(tmp_path / "olist_orders_dataset.csv", index=False)
    pd.DataFrame({"order_id": ["a", "a", "b"], "review_score": [5, 1, 2]}).to_csv(
        tmp_path / "olist_order_reviews_dataset.csv", index=False
    )
    return tmp_path


def read_dataset(folder, **words):
    return read(folder, Reading(**words))


def named(data):
    pairs = data.positives
    return sorted(zip(data.user_ids[pairs.user].tolist(), data.item_ids[pairs.item].tolist(), strict=True))


def times(data):
    pairs = data.positives
    return {(data.user_ids[u], data.item_ids[i]): t for u, i, t in zip(pairs.user, pairs.item, pairs.time, strict=True)}


def test_clicks_of_impression_lists_become_rows(mind):
    data = read_dataset(mind, layout="mind")
    assert named(data) == [("U1", "N2"), ("U2", "N1"), ("U2", "N3")]
    assert times(data)["U1", "N2"] - times(data)["U2", "N1"] == 278  # 9:00:00 less 8:55:22


def test_tables_are_joined_and_people_are_who_they_are_over_orders(olist):
    data = read_dataset(olist, layout="olist")
    assert len(data.positives) == 3
    assert data.n_users == 2
    people = {"customer_id": [1, 2], "customer_unique_id": ["x", "x"]}
    pd.DataFrame(people).to_csv(olist / "olist_customers_dataset.csv", index=False)
    data = read_dataset(olist, layout="olist")
    assert named(data) == [("x", "p"), ("x", "q")]
    # Of several reviews of an order always the same, and of rows of one pair and time the highest value.
    assert sorted(data.positives.weight.tolist()) == [1, 2]
    assert any("several rows for 1 of order_id" in note for note in data.notes)
    assert named(read_dataset(olist, layout="olist", at_least=2)) == [("x", "p")]


def test_flags_say_what_happened(tmp_path):
    table = {"user_id": [0, 0, 1], "video_id": [0, 1, 1], "time_ms": [1, 2, 3]}
    flags = {"is_like": [1, 0, 0], "long_view": [0, 0, 1]}
    pd.DataFrame({**table, **flags}).to_csv(tmp_path / "log_standard_4_08.csv", index=False)
    assert len(read_dataset(tmp_path, layout="kuairand", events=("is_like",)).positives) == 1
    both = read_dataset(tmp_path, layout="kuairand", events=("is_like", "long_view"))
    assert (len(both.positives), both.label) == (2, "is_like or long_view")
    with pytest.raises(RecommenderError, match=r"say which count: events=.*is_like,long_view"):
        read_dataset(tmp_path, layout="kuairand")
    with pytest.raises(RecommenderError, match="'time_ms' is no column of 0 and 1"):
        read_dataset(tmp_path, layout="kuairand", events=("time_ms",))


def test_a_layout_of_ones_own_is_a_file(tmp_path):
    pd.DataFrame({"visit": [7, 8], "place": ["a", "b"], "at": ["2020-01-01", "2020-01-02"]}).to_csv(
        tmp_path / "visits1.csv", index=False
    )
    pd.DataFrame({"visit": [7, 8], "who": ["z", "y"]}).to_csv(tmp_path / "people.csv", index=False)
    own = tmp_path / "own.yaml"
    own.write_text(
        "tables: visits*.csv\njoin: [{tables: people.csv, by: visit}]\ncolumns: {user: who, item: place, time: at}"
    )
    assert named(read_dataset(tmp_path, layout=str(own))) == [("y", "b"), ("z", "a")]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("table: x.csv", "did you mean 'tables'"),
        ("join: []", "tables is missing"),
        ("- x", "describes no layout"),
        ("tables: x.csv\njoin: [{tables: y.csv}]", "expected {tables: "),
        ("tables: [x.csv", "cannot be read"),
    ],
)
def test_a_wrong_layout_is_said(tmp_path, text, says):
    (tmp_path / "own.yaml").write_text(text)
    with pytest.raises(RecommenderError, match=says):
        read_dataset(tmp_path, layout=str(tmp_path / "own.yaml"))


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["layout=mnd"], "did you mean 'mind'"),
        (["layout=mind", "split=random"], "split is no setting of export"),
        (["layout=olist"], "what is there would be read by layout=mind"),
    ],
)
def test_export_says_what_is_wrong(mind, capsys, words, says):
    assert main(["export", f"data={mind}", f"output={mind / 'x.inter'}", *words]) == 2
    assert says in capsys.readouterr().err
    assert not list(mind.glob("*.inter*"))


def test_an_export_keeps_names_and_overwrites_nothing(mind, capsys):
    words = ["export", f"data={mind}", "layout=mind", f"output={mind / 'x.inter'}"]
    assert main(words) == 0
    assert named(read_dataset(mind / "x.inter")) == named(read_dataset(mind, layout="mind"))
    assert main(words) == 2
    assert "is there already" in capsys.readouterr().err


def test_corrupt_and_senseless_tables_are_said(tmp_path):
    (tmp_path / "interactions.parquet").write_text("no table")
    with pytest.raises(RecommenderError, match="cannot be read"):
        read_dataset(tmp_path)
    pd.DataFrame({"user": [1], "item": [1], "time": ["soon"]}).to_parquet(tmp_path / "interactions.parquet")
    with pytest.raises(RecommenderError, match="expected numbers or dates"):
        read_dataset(tmp_path)
