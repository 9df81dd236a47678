"""The lock on a run's folder: one holder, none left by a process that was killed, no file left by one that was not."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from simulator.errors import InputError, OutputError
from simulator.records.lock import LOCK, FolderLock

HOLD = """
import sys, time; from pathlib import Path; from simulator.records.lock import FolderLock
lock = FolderLock(); lock.take(Path(sys.argv[1])); print("held", flush=True); time.sleep(600)
"""


def test_of_two_in_one_folder_the_second_is_refused(tmp_path):
    with FolderLock() as first, FolderLock() as second:
        first.take(tmp_path)
        with pytest.raises(InputError, match=r"is in use: process \d+ on .* runs in it; wait until"):
            second.take(tmp_path)
        first.release()
        second.take(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_process_that_was_killed_holds_nothing(tmp_path):
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    with FolderLock() as lock:
        with pytest.raises(InputError, match=f"process {process.pid} on "):
            lock.take(tmp_path)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert (tmp_path / LOCK).exists()
        lock.take(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_its_holder_has_taken_away_is_no_lock(tmp_path, monkeypatch):
    """Opened before the holder let go, locked after: another one may hold the file that is there by now."""
    from simulator.records import lock as module

    first, second, third = FolderLock(), FolderLock(), FolderLock()
    first.take(tmp_path)
    whole = module._locked

    def late(file, path):
        monkeypatch.setattr(module, "_locked", whole)
        first.release()
        third.take(tmp_path)
        return whole(file, path)

    monkeypatch.setattr(module, "_locked", late)
    with pytest.raises(InputError, match="is in use"):
        second.take(tmp_path)
    third.release()


def test_a_folder_that_is_gone(tmp_path):
    with pytest.raises(OutputError, match="cannot be written"):
        FolderLock().take(tmp_path / "gone")
