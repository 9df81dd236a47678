"""Two processes that resume one folder: one lives on, the other is refused, and each row is there once."""

from __future__ import annotations

import random
import shutil
import signal
import time
from pathlib import Path

import pytest

from simulator.errors import RunInterrupted
from simulator.records.lock import LOCK, FolderLock
from simulator.world import run_world
from tests.processes import PATIENCE, assert_same, kill, started
from tests.refusals import contents, refused
from tests.runtime.stopped import configured, resumed, scenario_file, stopped

FINISHED = "finished; nothing to do"


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A folder with a run that was stopped."""
    folder = tmp_path_factory.mktemp("home")
    stopped(configured(scenario_file(folder), folder / "run"))
    return folder


@pytest.fixture(scope="module")
def whole(home):
    return resumed(Path(shutil.copytree(home / "run", home / "whole")), configured(home / "mine.yaml", home / "whole"))


def twice(run: Path, lag: float) -> str:
    """Resume a folder twice, the second time so many seconds later; what became of the second in a word."""
    processes = [started([f"resume={run}"])]
    time.sleep(lag)
    processes.append(started([f"resume={run}"]))
    said = [process.communicate(timeout=PATIENCE) for process in processes]
    codes = [process.returncode for process in processes]
    assert set(codes) <= {0, 2}, said
    assert 0 in codes, said
    if 2 in codes:
        errors = said[codes.index(2)][1]
        assert errors.startswith(f"error: {run}: is in use: "), errors
        assert errors.count("\n") == 1, errors
        return "refused"
    assert sum(FINISHED in out for out, _ in said) == 1, "both went on in one folder"
    return "finished"


def test_two_at_once(home, whole, tmp_path):
    run = Path(shutil.copytree(home / "run", tmp_path / "run"))
    assert twice(run, 0.0) == "refused"
    assert_same(run, whole)
    assert not (run / LOCK).exists()


@pytest.mark.long
def test_two_at_once_a_hundred_times(home, whole, tmp_path):
    lag = random.Random(time.time_ns())
    became = []
    for number in range(100):
        run = Path(shutil.copytree(home / "run", tmp_path / f"run-{number}"))
        became.append(twice(run, lag.random() * 5.0))
        assert_same(run, whole)
    assert set(became) == {"refused", "finished"}


def test_a_run_that_goes_on_is_not_resumed(tmp_path, capsys):
    """From its first moment on, in a folder of its own making as well."""
    run = stopped(configured(scenario_file(tmp_path), tmp_path / "run"), 6)
    before = contents(run)
    with FolderLock() as lock:
        lock.take(run)
        assert f"{run}: is in use" in refused(capsys, f"resume={run}")
    assert contents(run) == before

    def resume_it() -> bool:
        assert f"{tmp_path / 'new'}: is in use" in refused(capsys, f"resume={tmp_path / 'new'}")
        return True

    with pytest.raises(RunInterrupted):
        run_world(configured(tmp_path / "mine.yaml", tmp_path / "new"), stop=resume_it)
    assert not (tmp_path / "new" / LOCK).exists()


def test_killed_while_a_finished_run_is_resumed(whole):
    before = contents(whole.folder)
    moment = random.Random(time.time_ns())
    for _ in range(3):
        process = started([f"resume={whole.folder}"])
        time.sleep(moment.random() * 1.5)
        if process.poll() is None:
            kill(process)
        else:
            process.communicate()
        assert process.returncode in (0, -signal.SIGKILL)
        assert contents(whole.folder) == before
