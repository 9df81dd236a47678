"""The logs: types, nulls and names of the columns; hashes; parts; what is written at which level."""

from __future__ import annotations

import errno
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, strategies as st

import simulator
from simulator.engine.tables.tables import EVENT
from simulator.errors import InputError, OutputError
from simulator.records.log_writer import ONLY_TRUTH, LogTotals, LogWriter, count_in, to_table
from simulator.records.parts import KEPT, PLATFORM, TRUTH, drop_parts_after, file_hash, read_parts
from simulator.scenario.events import EVENTS

NAME = "shortvideo"
NAMES = {"surface": ("wall",), "device": ("phone", "pc"), "stage": ("look",), "event": EVENTS}
DESIGN = {
    "time": pa.float64(),
    "logged_at": pa.float64(),
    "user": pa.uint32(),
    "session": pa.uint32(),
    "request": pa.uint32(),
    "item": pa.uint32(),
    "position": pa.uint16(),
    "case": pa.uint32(),
    "parent_case": pa.uint32(),
    "value": pa.float32(),
    "propensity": pa.float32(),
    "policy_version": pa.uint16(),
    "visible": pa.uint32(),
    "attended": pa.uint32(),
    "belief": pa.float32(),
    "belief_sd": pa.float32(),
    "utility": pa.float32(),
    "satisfaction": pa.float32(),
}


def rows(n: int, seed: int = 0) -> np.ndarray:
    generator = np.random.default_rng(seed)
    made = np.zeros(n, dtype=EVENT)
    made["time"] = generator.uniform(0, 100, n)
    made["logged_at"] = np.where(generator.uniform(size=n) < 0.2, np.nan, made["time"] + 1.0)
    made["user"] = generator.integers(0, 9, n)
    made["belief"], made["utility"] = generator.normal(size=(2, n))
    made["parent_case"] = 0xFFFFFFFF
    return made


def test_the_columns_are_those_of_the_design(tmp_path):
    result = simulator.run(NAME, "random", users=30, items=50, horizon="8h", output=tmp_path / "run")
    for kind, hidden in ((TRUTH, set()), (PLATFORM, set(ONLY_TRUTH))):
        schema = pq.read_schema(read_parts(result.folder, kind)[0])
        assert {f.name: f.type for f in schema if f.name in DESIGN} == {
            k: v for k, v in DESIGN.items() if k not in hidden
        }
        coded = {f.name for f in schema if pa.types.is_dictionary(f.type)}
        assert coded == {"surface", "device", "stage", "event"}
        assert set(schema.names) == (set(DESIGN) | coded) - hidden


def test_what_does_not_apply_is_null():
    made = rows(4)
    made["item"][0] = made["case"][1] = 0xFFFFFFFF
    made["position"][1], made["stage"][2], made["surface"][2], made["value"][3] = 0xFFFF, 255, 255, np.nan
    table = to_table(made, NAMES, truth=True)
    assert [
        table[name].null_count for name in ("item", "case", "position", "stage", "surface", "value", "parent_case")
    ] == [1] * 6 + [4]
    assert table["stage"].to_pylist() == ["look", "look", None, "look"]
    assert table["time"].null_count == 0


def counted(made: np.ndarray) -> dict[str, LogTotals]:
    totals = {TRUTH: LogTotals(), PLATFORM: LogTotals()}
    count_in(totals, made, made["logged_at"] <= 50.0)
    return totals


@given(st.permutations(range(30)), st.lists(st.integers(0, 30), max_size=4))
def test_a_hash_knows_rows_and_not_their_order(order, cuts):
    made = rows(30)
    arrived = made["logged_at"] <= 50.0
    shuffled = np.array(order)
    pieces = {TRUTH: LogTotals(), PLATFORM: LogTotals()}
    for part in np.split(shuffled, sorted(cuts)):
        count_in(pieces, made[part], arrived[part])
    assert pieces == counted(made)
    assert pieces[PLATFORM].rows == arrived.sum()


@given(st.sampled_from(EVENT.names), st.integers(0, 29))
def test_a_hash_sees_every_column_of_every_row(column, place):
    made, changed = rows(30), rows(30)
    changed[column][place] = 5 if made[column][place] != 5 else 6
    assert counted(made)[TRUTH].hash != counted(changed)[TRUTH].hash


def test_swapped_values_between_rows_change_a_hash():
    made = rows(30)
    swapped = made.copy()
    swapped["utility"][[3, 4]] = made["utility"][[4, 3]]
    assert counted(made)[TRUTH].hash != counted(swapped)[TRUTH].hash


def written(tmp_path: Path, level: str, horizon: float = 50.0) -> LogWriter:
    writer = LogWriter(tmp_path, level, NAMES, horizon, None)
    if writer.recording:
        for seed in range(4):
            buffer = writer.buffer(1)
            buffer[:100] = rows(100, seed)
            writer.submit(buffer, 100)
    writer.close_parts(1)
    writer.abandon()
    return writer


def test_what_arrives_after_the_end_or_never_is_not_in_the_platform_log(tmp_path):
    writer = written(tmp_path, "full")
    truth, platform = (
        pa.concat_tables([pq.read_table(p) for p in read_parts(tmp_path, kind)]) for kind in (TRUTH, PLATFORM)
    )
    made = np.concatenate([rows(100, seed) for seed in range(4)])
    assert truth.num_rows == writer.totals[TRUTH].rows == 400
    assert platform.num_rows == writer.totals[PLATFORM].rows == (made["logged_at"] <= 50.0).sum() < 300
    assert not set(ONLY_TRUTH) & set(platform.column_names)


def test_the_hash_of_the_platform_log_does_not_see_the_truth(tmp_path):
    totals = []
    for shift in (0.0, 1.0):
        writer = LogWriter(None, "platform", NAMES, 50.0, None)
        buffer = writer.buffer(1)
        buffer[:100] = rows(100)
        buffer["utility"][:100] += shift
        writer.submit(buffer, 100)
        writer.drain()
        writer.abandon()
        totals.append((writer.totals[PLATFORM].hash, writer.totals[TRUTH].hash))
    assert totals[0][0] == totals[1][0]
    assert totals[0][1] != totals[1][1]


@pytest.mark.parametrize(
    ("level", "folders"), [("full", {TRUTH, PLATFORM}), ("platform", {PLATFORM}), ("metrics", set())]
)
def test_levels(level, folders, tmp_path):
    written(tmp_path, level)
    assert {path.name for path in tmp_path.iterdir()} == folders


@pytest.mark.parametrize(
    ("level", "recommender", "more", "folders"),
    [
        ("full", "itemknn", {}, {TRUTH, PLATFORM}),
        ("platform", "itemknn", {}, {PLATFORM}),
        ("metrics", "itemknn", {}, {KEPT}),
        ("metrics", "random", {"serves": "all"}, set()),
        ("metrics", "random", {}, {KEPT}),  # of policies that learn
    ],
)
def test_folders_of_a_run(level, recommender, more, folders, tmp_path):
    world = {"users": 30, "items": 50, "horizon": "8h", **more}
    result = simulator.run(NAME, recommender, output=tmp_path / "run", log=level, **world)
    found = {path.name for path in result.folder.iterdir() if path.is_dir()}
    assert found - {"checkpoints"} == folders
    if TRUTH not in folders:
        with pytest.raises(InputError, match="truth log: was not written"):
            _ = result.truth
    else:
        assert len(result.truth) == result.manifest["log"][TRUTH]["rows"]


def test_frames_of_a_run_without_a_folder_are_those_of_one_with(tmp_path):
    world = {"users": 40, "items": 60, "horizon": "8h"}
    inside, outside = (
        simulator.run(NAME, "random", **world),
        simulator.run(NAME, "random", **world, output=tmp_path / "r"),
    )
    for kind in ("truth", "platform"):
        a, b = getattr(inside, kind), getattr(outside, kind)
        assert len(a) == len(b) > 500
        assert a.dtypes.to_dict() == b.dtypes.to_dict()


def test_dropping_parts_after_a_checkpoint(tmp_path):
    for kind in (TRUTH, PLATFORM, KEPT):
        (tmp_path / kind).mkdir()
        for index in (1, 2, 10):
            (tmp_path / kind / f"part-{index:05d}.parquet").touch()
    drop_parts_after(tmp_path, 2)
    assert [path.name for path in read_parts(tmp_path, TRUTH)] == ["part-00001.parquet", "part-00002.parquet"]
    assert len(read_parts(tmp_path, KEPT)) == 2


def test_what_is_said_of_a_closed_part_is_what_lies_there(tmp_path):
    writer = written(tmp_path, "full")
    assert list(writer.closed) == [TRUTH, PLATFORM]
    for kind, (facts,) in writer.closed.items():
        path = tmp_path / kind / facts.name
        assert facts.rows == pq.read_metadata(path).num_rows == writer.totals[kind].rows
        assert (facts.bytes, facts.sha256) == (path.stat().st_size, file_hash(path))


def test_a_full_disk_in_the_writer_is_raised_in_the_run(tmp_path, monkeypatch):
    def full(*arguments: object, **named: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(pq.ParquetWriter, "write_table", full)
    writer = LogWriter(tmp_path, "full", NAMES, 50.0, None)
    buffer = writer.buffer(1)
    buffer[:10] = rows(10)
    writer.submit(buffer, 10)
    with pytest.raises(OutputError, match="the disk is full"):
        writer.drain()
    writer.abandon()
    assert not list(tmp_path.rglob("*.parquet"))


def test_a_visit_that_may_write_more_than_a_buffer_has_room_for_gets_a_larger_one(tmp_path):
    writer = LogWriter(tmp_path, "full", NAMES, 50.0, None)
    usual = len(writer.buffer(1))
    large = writer.buffer(usual + 1)
    assert len(large) == usual + 1
    large[:10] = rows(10)
    writer.submit(large, 10)
    writer.drain()
    assert writer.totals[TRUTH].rows == 10
    writer.abandon()
