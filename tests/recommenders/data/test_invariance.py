"""Other names, another order of rows, other forms of times and splits: the same facts give the same results."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings, strategies as st

from recommenders.data.interactions import Reading
from recommenders.evaluation.dataset import read_dataset
from recommenders.evaluation.offline import holdout_split
from recommenders.evaluation.protocol import fit, judge
from recommenders.evaluation.splits import SPLITS

FORMS = {
    "s": lambda t: t,
    "ms": lambda t: t * 1000,
    "us": lambda t: t * 10**6,
    "ns": lambda t: t * 10**9,
    "zone": lambda t: pd.to_datetime(t, unit="s", utc=True).dt.strftime("%Y-%m-%dT%H:%M:%S+00:00"),
    "plain": lambda t: pd.to_datetime(t, unit="s").dt.strftime("%Y-%m-%d %H:%M:%S"),
}
LABELS = {"numbers": "012", "words": ("train", "valid", "test"), "others": ("Training", "dev", " TEST")}


def measured(table: pd.DataFrame, split: str, as_csv: bool = True, timed: bool = True) -> dict[str, float]:
    """Test means of item-kNN and popularity on a table, as the command reads and judges it."""
    with TemporaryDirectory() as folder:
        if as_csv:
            table.to_csv(Path(folder) / "ratings.csv", index=False)
        else:
            table.to_parquet(Path(folder) / "ratings.parquet", index=False)
        data = read_dataset(folder, Reading(columns={} if timed else {"time": "none"}))
    assert sum(data.left_out.values()) + len(data.positives) == data.n_rows == len(table)
    parts = SPLITS[split](data, 3)
    found = {"users": data.n_users, "items": data.catalog.n_items}
    for name in ("popularity", "itemknn"):
        recommender, _ = fit(name, {}, parts, data, 0)
        means = judge(recommender, parts.train, parts.test, data, (2,), seed=1).means
        found |= {f"{name} {key}": value for key, value in means.items()}
    return found


def renamed(column: pd.Series, names: list[str]) -> pd.Series:
    return column.map(dict(zip(sorted(column.unique()), names, strict=False)))


@st.composite
def tables(draw):
    n = draw(st.integers(6, 40))
    integers = lambda low, high: draw(st.lists(st.integers(low, high), min_size=n, max_size=n))  # noqa: E731
    return pd.DataFrame(
        {
            "user_id": integers(0, 6),
            "item_id": integers(0, 5),
            "rating": integers(1, 3),
            "timestamp": [1_500_000_000 + 3600 * k for k in integers(0, 30)],
            "split": integers(0, 2),
        }
    )


@settings(max_examples=40, deadline=None)
@given(tables(), st.data())
@pytest.mark.parametrize("split", ["given", "random", "leave-one-out"])
def test_names_order_and_forms_change_no_measure(split, table, data):
    timed = split != "random"
    expected = measured(table, split, timed=timed)
    other = table.sample(frac=1, random_state=data.draw(st.integers(0, 99)))
    names = st.lists(
        st.one_of(st.integers(0, 2**64 - 1).map(str), st.text("ab01 é\"'", min_size=1).filter(str.strip)),
        min_size=7, max_size=7, unique=True,
    )  # fmt: skip
    other = other.assign(
        user_id=renamed(other["user_id"], data.draw(names)),
        item_id=renamed(other["item_id"], data.draw(names)),
        timestamp=FORMS[data.draw(st.sampled_from(sorted(FORMS)))](other["timestamp"]),
        split=other["split"].map(dict(enumerate(LABELS[data.draw(st.sampled_from(sorted(LABELS)))]))),
    )
    assert json.dumps(measured(other, split, data.draw(st.booleans()), timed)) == json.dumps(expected)


def test_pairs_that_change_places_do_not_change_the_luck():
    """Two communities alike in everything: names cannot decide which is which without changing the split."""
    table = pd.DataFrame(
        {"user_id": np.repeat(range(12), 3), "item_id": np.tile([0, 1, 2, 2, 3, 4, 5, 6, 7, 7, 8, 9], 3)}
    )
    expected = measured(table, "random", timed=False)
    for seed in range(5):
        names = np.random.default_rng(seed).permutation(12).astype(str)
        other = table.assign(user_id=names[table["user_id"]], item_id=names[::-1][table["item_id"]])
        assert json.dumps(measured(other, "random", timed=False)) == json.dumps(expected)


def test_a_split_decides_only_where_nothing_else_does():
    """So that a table and its export without the split have the same numbers."""
    random = np.random.default_rng(0)
    table = pd.DataFrame({"user_id": random.integers(0, 40, 300), "item_id": random.integers(0, 30, 300)})
    with TemporaryDirectory() as folder:
        table.to_csv(Path(folder) / "ratings.csv", index=False)
        plain = read_dataset(folder)
        table.assign(split=random.integers(0, 3, 300)).to_csv(Path(folder) / "ratings.csv", index=False)
        parted = read_dataset(folder)
    np.testing.assert_array_equal(plain.user_ids, parted.user_ids)
    np.testing.assert_array_equal(
        holdout_split(plain.positives, 1).test.item, holdout_split(parted.positives, 1).test.item
    )
