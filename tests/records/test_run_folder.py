"""A run's folder: claimed once, whole files or none, and one clear line when the disk refuses."""

from __future__ import annotations

import errno
import json
import math
import multiprocessing
import os
from pathlib import Path

import numpy as np
import pytest

from simulator import __version__
from simulator.config import RunConfig
from simulator.errors import InputError, OutputError
from simulator.records import run_folder


def test_a_folder_is_claimed_once(tmp_path):
    folder = run_folder.claim_folder(tmp_path / "new" / "run")
    assert folder.is_dir()
    with pytest.raises(InputError) as caught:
        run_folder.claim_folder(folder)
    assert str(caught.value) == (
        f"{folder}: this output exists already, and nothing is overwritten; "
        f"give another output=, or continue an unfinished run with resume={folder}"
    )


def _claim(path: Path) -> bool:
    try:
        run_folder.claim_folder(path)
    except InputError:
        return False
    return True


def test_of_many_claims_at_once_one_wins(tmp_path):
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        won = pool.map(_claim, [tmp_path / "run"] * 16, chunksize=1)
    assert sum(won) == 1


def test_a_file_in_the_way_is_not_overwritten(tmp_path):
    (tmp_path / "run").write_text("mine")
    with pytest.raises(InputError, match="exists already"):
        run_folder.claim_folder(tmp_path / "run")
    assert (tmp_path / "run").read_text() == "mine"


def test_a_parent_that_is_a_file(tmp_path):
    (tmp_path / "parent").write_text("mine")
    with pytest.raises(OutputError, match="cannot be written"):
        run_folder.claim_folder(tmp_path / "parent" / "run")


@pytest.mark.parametrize(
    ("number", "message"),
    [
        (errno.EACCES, "no permission to write here"),
        (errno.EROFS, "no permission to write here"),
        (errno.ENOSPC, "the disk is full; free some space"),
        (errno.EDQUOT, "the disk is full"),
        (errno.EIO, "cannot be written (Input/output error)"),
    ],
)
def test_a_folder_that_cannot_be_made(number, message, tmp_path, monkeypatch):
    def refuse(self: Path, *args: object, **kwargs: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(OutputError) as caught:
        run_folder.claim_folder(tmp_path / "run")
    assert message in str(caught.value)
    assert isinstance(caught.value, InputError)  # so that the command line exits with 2


def test_the_next_free_name(tmp_path):
    path = tmp_path / "run"
    assert run_folder.free_name(path) == path
    path.mkdir()
    (tmp_path / "run-2").write_text("")
    assert run_folder.free_name(path) == tmp_path / "run-3"


def test_files_are_replaced_whole(tmp_path):
    path = tmp_path / "metrics.json"
    run_folder.write_atomic(path, "old")
    run_folder.write_atomic(path, b"new")
    assert path.read_bytes() == b"new"
    assert [each.name for each in tmp_path.iterdir()] == ["metrics.json"]


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_full_disk_leaves_the_old_file_and_nothing_else(step, tmp_path, monkeypatch):
    path = tmp_path / "metrics.json"
    run_folder.write_atomic(path, "old")

    def full(*args: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(*((os, "fsync") if step == "fsync" else (Path, "replace")), full)
    with pytest.raises(OutputError, match="the disk is full"):
        run_folder.write_atomic(path, "new")
    assert path.read_text() == "old"
    assert [each.name for each in tmp_path.iterdir()] == ["metrics.json"]


@pytest.mark.skipif(
    not Path("/dev/full").exists(), reason="this system has no /dev/full, the device that is always full"
)
def test_errors_of_a_truly_full_device():
    with pytest.raises(OutputError, match="/dev/full: the disk is full"), run_folder.disk_errors(Path("/dev/full")):
        Path("/dev/full").write_bytes(b"x" * 10)


def test_what_a_killed_run_left_half_written_is_removed(tmp_path):
    (tmp_path / "truth").mkdir()
    leftovers = [tmp_path / ".a.json.1-0.partial", tmp_path / "truth" / ".part-0.parquet.9-3.partial"]
    for path in [*leftovers, tmp_path / "kept.json"]:
        path.write_text("")
    run_folder.remove_partials(tmp_path)
    assert sorted(each.name for each in tmp_path.rglob("*")) == ["kept.json", "truth"]


def test_json_is_sorted_and_knows_no_nan(tmp_path):
    data = {
        "b": math.nan,
        "a": [np.float32(0.5), np.int64(3), math.inf],
        "c": np.array([1.0, np.nan]),
        "d": Path("x"),
        "e": None,
        "f": True,
    }
    run_folder.write_json(tmp_path / "m.json", data)
    text = (tmp_path / "m.json").read_text()
    assert json.loads(text) == {"a": [0.5, 3, None], "b": None, "c": [1.0, None], "d": "x", "e": None, "f": True}
    assert list(json.loads(text)) == sorted(data)
    with pytest.raises(TypeError, match="cannot be written as JSON"):
        run_folder.write_json(tmp_path / "n.json", {"x": object()})
    assert not (tmp_path / "n.json").exists()


def test_the_configuration_is_enough_to_repeat_the_run(tmp_path):
    config = RunConfig(scenario="hotel", recommender="random", users=3, items=4, horizon=60.0, output=tmp_path)
    run_folder.write_config(tmp_path, config)
    assert RunConfig.from_yaml(tmp_path / "config.yaml") == config


def test_versions_and_memory():
    found = run_folder.versions()
    assert found["beholder"] == __version__
    assert {"python", "system", "numpy", "numba"} <= set(found)
    before = run_folder.peak_memory()
    block = np.ones(50_000_000 // 8)
    assert run_folder.peak_memory() >= before
    assert run_folder.peak_memory() > block.nbytes
