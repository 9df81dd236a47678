"""Other names, other forms of times, another order of rows and another kind of file: the very same results."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from recommenders.__main__ import main

DATA = Path(os.environ.get("BEHOLDER_DATA", "/nowhere"))
RECOMMENDERS = "popularity", "itemknn", "bpr"
# set -> (file, columns of user, item and time, words of the evaluation)
SETS = {
    "amazon_baby": ("ecommerce/amazon_baby/interactions.parquet", ("user_id", "item_id", None), ["split=given"]),
    "movielens_latest_small": (
        "general/movielens_latest_small/ratings.parquet", ("userId", "movieId", "timestamp"),
        ["at_least=4", "split=random"],
    ),
    "deskdrop": (
        "news/deskdrop/interactions.parquet", ("user_id", "item_id", "timestamp"),
        ["events=LIKE,BOOKMARK", "split=temporal"],
    ),
}  # fmt: skip


def hashed(ids: pd.Series) -> pd.Series:
    """Return another number of 64 bits, half of them beyond 2**63, for each id."""
    numbers = pd.factorize(ids)[0].astype(np.uint64)
    with np.errstate(over="ignore"):
        return pd.Series(~(numbers * np.uint64(0x9E3779B97F4A7C15)), ids.index)


def in_unit(time: pd.Series, unit: str) -> pd.Series:
    if not np.issubdtype(time.dtype, np.datetime64):
        time = pd.to_datetime(time, unit="s")
    return time.astype(f"datetime64[{unit}]").astype("int64")


def forms(table, user, item, time):
    """Return the table in other forms: name -> (table, kind of file)."""
    table = table.rename(columns={user: "user_id", item: "item_id", **({} if time is None else {time: "timestamp"})})
    found = {
        "csv": (table, "csv"),
        "shuffled": (table.sample(frac=1, random_state=1), "parquet"),
        "words": (
            table.assign(user_id="u" + table.user_id.astype(str), item_id="i-" + table.item_id.astype(str)),
            "csv",
        ),
        "hashes": (table.assign(user_id=hashed(table.user_id), item_id=hashed(table.item_id)), "parquet"),
        "hashes in csv": (table.assign(user_id=hashed(table.user_id), item_id=hashed(table.item_id)), "csv"),
    }
    for unit in ("s", "ms", "us", "ns") if time is not None else ():
        kind = "csv" if unit in ("ms", "ns") else "parquet"
        found[unit] = (table.assign(timestamp=in_unit(table.timestamp, unit)), kind)
    return found


def results(folder: Path, words: list[str]) -> dict[str, object]:
    """Return what an evaluation writes, without seconds, memory, versions and the folder's name."""
    output = folder / "results"
    said = [f"data={folder / 'data'}", f"recommender={','.join(RECOMMENDERS)}", f"output={output}"]
    assert main(["evaluate", *said, *words]) == 0
    found = {}
    for name in RECOMMENDERS:
        content = json.loads((output / name / "results.json").read_text())
        for key in ("seconds", "peak_memory_bytes", "versions"):
            del content[key]
        del content["data"]["name"]
        for trial in content["search"]:
            trial.pop("fit_seconds", None)
        found[name] = content
    return found


def write(table: pd.DataFrame, kind: str, folder: Path) -> None:
    (folder / "data").mkdir(parents=True)
    if kind == "csv":
        table.to_csv(folder / "data/interactions.csv", index=False)
    else:
        table.to_parquet(folder / "data/interactions.parquet", index=False)


def check(table, columns, words, tmp_path):
    write(table, "parquet", tmp_path / "as it is")
    named = [f"columns.{role}={name}" for role, name in zip(("user", "item", "time"), columns, strict=True) if name]
    wanted = results(tmp_path / "as it is", [*words, *named])
    assert wanted["itemknn"]["test"]["recall@10"] > 0
    for name, (other, kind) in forms(table, *columns).items():
        write(other, kind, tmp_path / name)
        assert results(tmp_path / name, words) == wanted, name


def test_forms_make_no_difference_to_a_small_table(tmp_path):
    luck = np.random.default_rng(0)
    rows = {
        "who": luck.integers(0, 40, 600),
        "what": luck.zipf(1.5, 600) % 60,
        "at": 1_500_000_000 + luck.integers(0, 10**7, 600),
    }
    check(
        pd.DataFrame({**rows, "rating": luck.integers(1, 6, 600)}), ("who", "what", "at"), ["split=temporal"], tmp_path
    )


@pytest.mark.long
@pytest.mark.parametrize("name", SETS)
def test_forms_make_no_difference_to_a_real_set(name, tmp_path):
    file, columns, words = SETS[name]
    if not (DATA / file).exists():
        pytest.skip(f"no {file} in BEHOLDER_DATA")
    check(pd.read_parquet(DATA / file), columns, words, tmp_path)
