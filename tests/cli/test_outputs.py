"""What cannot be written: one clear line and exit code 2, and nothing that existed is lost."""

from __future__ import annotations

import errno
import gc
import os
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from simulator.__main__ import main
from tests.refusals import contents, refused

NAME = "shortvideo"
SMALL = ["users=20", "items=40", "horizon=8h", "first_fit=6h"]


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """Runs without output= must not write into the repository."""
    monkeypatch.chdir(tmp_path)


def test_output_that_exists_is_kept(tmp_path, capsys):
    run = tmp_path / "run"
    assert main([f"scenario={NAME}", "recommender=random", *SMALL, f"output={run}"]) == 0
    before = contents(run)
    assert len(before) > 4
    capsys.readouterr()
    line = refused(capsys, f"scenario={NAME}", "recommender=random", *SMALL, f"output={run}", head=True)
    assert "exists already" in line
    assert f"resume={run}" in line
    assert contents(run) == before


def test_output_that_is_a_file_is_kept(tmp_path, capsys):
    (tmp_path / "taken").write_text("mine")
    line = refused(capsys, f"scenario={NAME}", *SMALL, f"output={tmp_path / 'taken'}", head=True)
    assert "exists already" in line
    assert (tmp_path / "taken").read_text() == "mine"


def test_without_a_name_an_earlier_run_is_never_touched(tmp_path, capsys):
    for _ in range(2):
        assert main([f"scenario={NAME}", "recommender=random", *SMALL]) == 0
    assert len(list((tmp_path / "runs").iterdir())) == 2


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission(tmp_path, capsys):
    (tmp_path / "locked").mkdir(mode=0o500)
    line = refused(capsys, f"scenario={NAME}", *SMALL, f"output={tmp_path / 'locked' / 'run'}", head=True)
    assert "no permission" in line


def test_output_below_a_file(tmp_path, capsys):
    (tmp_path / "file").write_text("mine")
    line = refused(capsys, f"scenario={NAME}", *SMALL, f"output={tmp_path / 'file' / 'run'}", head=True)
    assert "cannot be written" in line
    assert (tmp_path / "file").read_text() == "mine"


def _full(*arguments: object, **named: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_disk_that_is_full_at_once(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(Path, "mkdir", _full)
    assert "the disk is full" in refused(capsys, f"scenario={NAME}", *SMALL, f"output={tmp_path / 'run'}", head=True)


class FullDisk(pq.ParquetWriter):
    """Writes to a disk that is full from the first (`write_table`) or the last (`close`) byte of a part file on."""

    from_the_first = False

    def __init__(self, where: object, *arguments: object, **named: object) -> None:
        super().__init__(where, *arguments, **named)
        self._of_a_log = "part-" in str(where)

    def write_table(self, *arguments: object, **named: object) -> None:
        if self._of_a_log and self.from_the_first:
            _full()
        super().write_table(*arguments, **named)

    def close(self) -> None:
        if self._of_a_log:
            _full()
        super().close()


@pytest.mark.parametrize("from_the_first", [True, False])
def test_a_disk_that_fills_up_while_the_log_is_written(from_the_first, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(FullDisk, "from_the_first", from_the_first)
    monkeypatch.setattr(pq, "ParquetWriter", FullDisk)
    left_over: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", left_over.append)
    run = tmp_path / "run"
    line = refused(capsys, f"scenario={NAME}", *SMALL, f"output={run}", head=True)
    gc.collect()
    assert "the disk is full" in line
    assert not left_over, "a writer that is thrown away must not complain once more"
    assert not list(run.rglob("part-*.parquet")), "no part looks whole that is not"
    monkeypatch.undo()
    assert main([f"resume={run}"]) == 0, "with space again, the run goes on"
    assert (run / "manifest.json").exists()


def test_a_disk_that_fills_up_in_a_checkpoint_leaves_the_last_one(tmp_path, capsys, monkeypatch):
    from simulator.records import checkpoint

    whole, calls = checkpoint.write_atomic, []

    def fourth(path: Path, content: bytes) -> None:
        calls.append(path)
        if len(calls) == 4:  # the first is number 0, of the beginning
            from simulator.records.run_folder import disk_errors

            with disk_errors(path):
                _full()
        whole(path, content)

    monkeypatch.setattr(checkpoint, "write_atomic", fourth)
    run = tmp_path / "run"
    line = refused(capsys, f"scenario={NAME}", *SMALL, "checkpoint=1h", f"output={run}", head=True)
    assert "the disk is full" in line
    assert "checkpoint-00003" in line
    assert checkpoint.last_checkpoint(run) == 2
    monkeypatch.setattr(checkpoint, "write_atomic", whole)
    assert main([f"resume={run}"]) == 0, "with space again, the run goes on"
    assert (run / "manifest.json").exists()
