"""Ctrl-C: the first one asks a run to write a checkpoint and stop, the second ends the process at once."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

_Handler = Callable[[int, FrameType | None], object] | signal.Handlers
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def stop_on_signals(say: Callable[[str], None], second: _Handler = signal.SIG_DFL) -> Iterator[Callable[[], bool]]:
    """Yield a function that tells whether Ctrl-C (or SIGTERM) has come.

    After the first signal the system's own handling is back, so that a second one ends the process even in the middle
    of compiled code; a run that is killed at any moment can be resumed. Outside of the main thread signals cannot be
    caught, and the function always says no.

    Args:
        say: gets one line for the user when the first signal comes.
        second: what a second signal does; `signal.default_int_handler` for a process that has others to clean up.
    """
    asked = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield asked.is_set
        return

    def first(number: int, frame: FrameType | None) -> None:
        asked.set()
        for each in _SIGNALS:
            signal.signal(each, second)
        say("stopping: a checkpoint is written at the end of this tick; once more to stop at once")

    before = {each: signal.signal(each, first) for each in _SIGNALS}
    try:
        yield asked.is_set
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def to_stderr(line: str) -> None:
    """Write one line to stderr, clear of a progress line that may stand there."""
    sys.stderr.write(f"\n{line}\n" if sys.stderr.isatty() else f"{line}\n")
    sys.stderr.flush()
