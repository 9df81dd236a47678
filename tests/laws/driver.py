"""Runs the command line in a process that is killed at a chosen place.

`python -m tests.laws.driver PLACE N key=value ...`.

Places, each at its N-th time: `checkpoint`, half of a checkpoint is written; `before`, its logs are closed and it is
not yet there; `after`, it is there and the one before is not yet removed; `part`, a part file is about to get its name.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

from simulator.__main__ import main
from simulator.runtime import checkpointing


def _die() -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("still alive")


class _Countdown:
    def __init__(self, n: int) -> None:
        self.left = n

    def __call__(self) -> bool:
        self.left -= 1
        return self.left == 0


class _Half:
    """A file of which half is written when the process dies."""

    def __init__(self, file: Any) -> None:
        self.file = file

    def __enter__(self) -> _Half:
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()

    def write(self, content: bytes) -> NoReturn:
        """Write half of it, and die."""
        self.file.write(content[: len(content) // 2])
        self.file.flush()
        _die()


def _prepare(place: str, now: Callable[[], bool]) -> None:
    if place == "checkpoint":
        opened = Path.open

        def opens(path: Path, mode: str = "r", *rest: Any, **more: Any) -> Any:
            file = opened(path, mode, *rest, **more)
            return _Half(file) if mode == "wb" and "checkpoint-" in path.name and now() else file

        Path.open = opens  # type: ignore[method-assign, assignment]
    elif place == "before":
        write = checkpointing.write_checkpoint

        def never(*arguments: Any) -> None:
            if now():
                _die()
            write(*arguments)

        checkpointing.write_checkpoint = never
    elif place == "after":
        unlink = Path.unlink

        def keep(path: Path, missing_ok: bool = False) -> None:
            if path.name.startswith("checkpoint-") and now():
                _die()
            unlink(path, missing_ok=missing_ok)

        Path.unlink = keep  # type: ignore[method-assign]
    elif place == "part":
        replace = Path.replace

        def stay(path: Path, target: Path) -> Path:
            if Path(target).name.startswith("part-") and now():
                _die()
            return replace(path, target)

        Path.replace = stay  # type: ignore[method-assign, assignment]
    else:
        raise SystemExit(f"no place {place}")


if __name__ == "__main__":
    _prepare(sys.argv[1], _Countdown(int(sys.argv[2])))
    sys.exit(main(sys.argv[3:]))
