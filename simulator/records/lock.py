"""The lock on a run's folder: one process at a time runs there, and one that is killed leaves no lock behind."""

from __future__ import annotations

import fcntl
import os
import socket
from contextlib import suppress
from pathlib import Path
from typing import IO

from simulator.errors import InputError
from simulator.records.run_folder import disk_errors

LOCK = ".lock"


class FolderLock:
    """Hold the folder of one run, from `take` to the end of a `with` block.

    The system's own lock on an open file: it ends with the process, whatever ends that. The file says who holds it.
    """

    def __init__(self) -> None:
        self._path: Path | None = None
        self._file: IO[str] | None = None

    def __enter__(self) -> FolderLock:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def take(self, folder: Path) -> None:
        """Lock a folder that exists.

        Raises:
            InputError: somebody holds it.
            OutputError: a lock cannot be had there.
        """
        path = folder / LOCK
        with disk_errors(path):
            file = path.open("a+", encoding="utf-8")
            try:
                while not _locked(file, path):  # whoever held it took the file away, after we had opened it
                    file.close()
                    file = path.open("a+", encoding="utf-8")
            except BaseException:
                file.close()
                raise
            self._path, self._file = path, file
            file.truncate(0)
            file.write(f"process {os.getpid()} on {socket.gethostname()}\n")
            file.flush()

    def release(self) -> None:
        """Give the folder back, if it was taken; no file is left."""
        if self._path is not None and self._file is not None:
            with suppress(OSError):  # a file that stays is no lock
                self._path.unlink()
            self._file.close()
            self._path = self._file = None


def _locked(file: IO[str], path: Path) -> bool:
    """Lock an open file; False where it is not the one at `path` any more. Raises InputError where it is held."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.seek(0)
        who = file.read().strip() or "another process"
        raise InputError(
            str(path.parent), f"is in use: {who} runs in it", "wait until that run has ended, or stop it"
        ) from None
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False
