"""Density and learnability of platform logs, on small run folders made by hand."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from analysis.offline import finished_run, label_of, learnability, read_platform_log
from recommenders.contract import COLUMNS
from simulator.config import RunConfig
from simulator.errors import InputError
from simulator.records.run_folder import write_config, write_json
from simulator.scenario.load import load_scenario

SCENARIO = "shortvideo"
N_USERS, N_ITEMS = 300, 120
Row = tuple[int, int | None, str, float | None]  # user, item, event, value


def make_part(path: Path, rows: Sequence[Row], first: int = 0, drop: tuple[str, ...] = ()) -> None:
    """One part of a platform log; its dictionaries hold only the names that it needs, in order of appearance."""
    n = len(rows)
    time = np.arange(first, first + n, dtype=np.float64)[::-1]  # files need not be sorted
    columns: dict[str, pa.Array] = {}
    for column in COLUMNS:
        if column.coded:
            texts = [event for _, _, event, _ in rows] if column.name == "event" else [None] * n
            columns[column.name] = pa.array(texts, pa.string()).dictionary_encode()
        elif column.nullable:
            columns[column.name] = pa.array([None] * n, pa.from_numpy_dtype(column.dtype))
        else:
            columns[column.name] = pa.array(np.zeros(n, column.dtype))
    columns["time"] = columns["logged_at"] = pa.array(time)
    columns["user"] = pa.array([row[0] for row in rows], pa.uint32())
    columns["item"] = pa.array([row[1] for row in rows], pa.uint32())
    columns["value"] = pa.array([row[3] for row in rows], pa.float32())
    columns["parent_case"] = pa.array([None] * n, pa.uint32())  # of the log, and no business of recommenders
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table({name: each for name, each in columns.items() if name not in drop}), path)


def make_run(folder: Path, *parts: Sequence[Row], **settings: object) -> Path:
    """A finished run's folder, as far as its log is judged."""
    folder.mkdir()
    base = {"recommender": "random", "users": N_USERS, "items": N_ITEMS, "horizon": 86400.0, "seed": 3}
    write_config(folder, RunConfig(scenario=SCENARIO, **(base | settings)))  # type: ignore[arg-type]
    scenario = {"name": SCENARIO, "hash": load_scenario(SCENARIO).hash}
    write_json(folder / "manifest.json", {"scenario": scenario, "users": N_USERS, "items": N_ITEMS})
    first = 0
    for number, rows in enumerate(parts):
        make_part(folder / "platform" / f"part-{number:05d}.parquet", rows, first)
        first += len(rows)
    return folder


def likes(pairs: np.ndarray) -> list[Row]:
    return [(int(user), int(item), "like", None) for user, item in pairs]


def test_parts_are_joined_by_the_names_of_their_codes(tmp_path):
    one: list[Row] = [(0, 5, "like", None), (1, None, "leave", 2.5)]
    two: list[Row] = [(2, 7, "skip", 1.0), (0, 6, "like", None)]
    log = read_platform_log(make_run(tmp_path / "a", one, two), N_USERS, N_ITEMS)
    events = [log.names["event"][code] for code in log.event]
    assert list(zip(log.user.tolist(), log.item.tolist(), events, strict=True)) == [
        (1, 0xFFFFFFFF, "leave"),
        (0, 5, "like"),
        (0, 6, "like"),
        (2, 7, "skip"),
    ]
    assert log.time.tolist() == [0, 1, 2, 3]
    assert log.value[0] == 2.5
    assert np.isnan(log.value[1])
    assert set(log.surface) == {255}


def test_only_rows_of_the_asked_events_are_read_and_absent_events_are_known(tmp_path):
    log = read_platform_log(
        make_run(tmp_path / "a", [(0, 5, "like", None), (1, 3, "skip", 2.5)]), N_USERS, N_ITEMS, ("skip", "complete")
    )
    assert log.user.tolist() == [1]
    assert log.names["event"] == ("skip", "complete")


def test_density_counts_distinct_pairs_of_the_label(tmp_path):
    rows: list[Row] = [(0, 5, "like", None), (0, 5, "like", None), (1, 5, "like", None), (2, 2, "skip", 99.0)]
    found = learnability([make_run(tmp_path / "a", rows)], label="like").iloc[0]
    assert found["positives"] == 2
    assert found["density"] == 2 / (N_USERS * N_ITEMS)
    assert (found["label"], found["scenario"], found["recommender"], found["seed"]) == ("like", SCENARIO, "random", 3)


def test_planted_communities_are_learnable_and_noise_is_not(tmp_path):
    random = np.random.default_rng(0)
    users = random.integers(0, N_USERS, 4000)
    planted = np.column_stack((users, random.integers(0, N_ITEMS // 6, 4000) * 6 + users % 6))
    noise = np.column_stack((users, random.integers(0, N_ITEMS, 4000)))
    half = len(planted) // 2
    runs = [
        make_run(tmp_path / "planted", likes(planted[:half]), likes(planted[half:])),
        make_run(tmp_path / "noise", likes(noise)),
    ]
    found = learnability(runs, label="like", seed=1).set_index(pd.Index(["planted", "noise"]))
    assert found.loc["planted", "ratio"] > 2.5
    assert found.loc["noise", "ratio"] < 1.3
    assert (found["ratio"] == found["recall_itemknn"] / found["recall_popularity"]).all()
    assert (found["n_test_users"] > 150).all()


def test_a_bar_that_depends_on_the_item_uses_the_items_of_that_world(tmp_path):
    folder = make_run(tmp_path / "a")
    n_items = finished_run(folder).n_items
    seconds = np.linspace(5.0, 60.0, n_items, dtype=np.float32)
    pq.write_table(pa.table({"duration": seconds}), folder / "items.parquet")
    duration = finished_run(folder).catalog("duration").columns["duration"]
    short, long = int(duration.argmin()), int(duration.argmax())
    assert duration[short] < 18 < duration[long]
    watched = float(duration[short])  # all of the short one, too little of the long one
    rows: list[Row] = [(0, short, "skip", watched), (1, long, "skip", watched), (2, long, "complete", 18.0)]
    rows += [(3, long, "skip", None), (4, short, "like", watched)]
    make_part(folder / "platform" / "part-00000.parquet", rows)
    found = learnability([folder]).iloc[0]
    assert found["label"] == "long_view"
    assert found["positives"] == 2


def test_labels_are_those_of_the_scenario():
    label = label_of(load_scenario(SCENARIO))
    assert (label.name, label.events) == ("long_view", ("skip", "complete"))
    assert (label.at_least, label.or_item) == (18, "duration")
    with pytest.raises(InputError, match="unknown label 'lke'; did you mean like"):
        label_of(load_scenario(SCENARIO), "lke")


def test_what_is_no_finished_run_is_refused(tmp_path):
    with pytest.raises(InputError, match="is no run"):
        learnability([tmp_path])
    run = make_run(tmp_path / "a")
    with pytest.raises(
        InputError, match="holds no platform log; expected a run with log=full or log=platform, long enough"
    ):
        learnability([run], label="like")
    scenario = {"name": SCENARIO, "hash": "0"}
    write_json(run / "manifest.json", {"scenario": scenario, "users": N_USERS, "items": N_ITEMS})
    with pytest.raises(InputError, match="was run with another content of"):
        learnability([run])
    write_json(run / "manifest.json", {"users": N_USERS})
    with pytest.raises(InputError, match="is broken"):
        learnability([run])
    (run / "manifest.json").unlink()
    with pytest.raises(InputError, match="is not finished"):
        learnability([run])


def test_broken_logs_are_refused(tmp_path):
    run = make_run(tmp_path / "a", [(0, 5, "like", None)])
    part = run / "platform" / "part-00000.parquet"
    make_part(part, [(0, N_ITEMS, "like", None)])
    with pytest.raises(InputError, match=f"names item {N_ITEMS}; the run has {N_ITEMS}"):
        learnability([run], label="like")
    make_part(part, [(N_USERS, 0, "like", None)])
    with pytest.raises(InputError, match=f"names user {N_USERS}"):
        learnability([run], label="like")
    make_part(part, [(0, 0, "like", None)], drop=("value", "case"))
    with pytest.raises(InputError, match="has no column case, value"):
        learnability([run], label="like")
    part.write_bytes(part.read_bytes()[:-20])
    with pytest.raises(InputError, match="cannot be read as Parquet"):
        learnability([run], label="like")
