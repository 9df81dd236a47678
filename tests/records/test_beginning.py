"""A run's folder in its first moment: a kill there leaves nothing that is taken for a run, or that is in the way."""

from __future__ import annotations

import numpy as np
import pytest

from recommenders.contract import Catalog
from simulator.config import RunConfig
from simulator.errors import InputError
from simulator.records import beginning
from simulator.records.beginning import begin_folder, clear_beginning
from simulator.records.lock import FolderLock
from tests.refusals import contents, refused

CONFIG = RunConfig(scenario="hotel")
PUBLIC = Catalog(3, {"duration": np.ones(3, np.float32)})


class _Killed(BaseException):
    pass


@pytest.mark.parametrize("step", ["write_items", "write_checkpoint", "write_config"])
def test_killed_in_its_first_moment(step, tmp_path, monkeypatch, capsys):
    def die(*_: object) -> None:
        raise _Killed

    run = tmp_path / "run"
    with FolderLock() as lock, monkeypatch.context() as killed:
        killed.setattr(beginning, step, die)
        with pytest.raises(_Killed):
            begin_folder(run, lock, CONFIG, {}, PUBLIC, {})
        with pytest.raises(InputError, match="is in use"):
            clear_beginning(run)
    (run / ".lock").touch()  # what a process that is killed leaves
    (run / ".config.yaml.1-1.partial").touch()
    assert "is no run to resume" in refused(capsys, f"resume={run}")
    assert clear_beginning(run)
    assert not run.exists()


def test_whatever_else_lies_there_is_kept(tmp_path):
    run = tmp_path / "run"
    with FolderLock() as lock:
        begin_folder(run, lock, CONFIG, {}, PUBLIC, {})
    before = contents(run)
    assert not clear_beginning(run)
    assert contents(run) == before
