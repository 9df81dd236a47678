"""How far a run has come, on a terminal and elsewhere; and how it is asked to stop."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from simulator.cli.progress import ProgressLine
from simulator.runtime.progress import Progress

WAITER = """
import sys, time
from simulator.cli.signals import stop_on_signals
with stop_on_signals(lambda line: print(line, flush=True)) as stop:
    print("ready", flush=True)
    while not (stop() and "polite" in sys.argv):
        time.sleep(0.01)
print("checkpoint", flush=True)
"""


def _waiter(*words: str) -> subprocess.Popen[str]:
    process = subprocess.Popen([sys.executable, "-c", WAITER, *words], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_asks(number):
    process = _waiter("polite")
    process.send_signal(number)
    said, _ = process.communicate(timeout=20)
    assert process.returncode == 0
    assert said.splitlines()[0].startswith("stopping: a checkpoint is written")
    assert said.splitlines()[-1] == "checkpoint"


def test_the_second_signal_ends_the_process():
    process = _waiter()
    assert process.stdout is not None
    process.send_signal(signal.SIGINT)
    assert process.stdout.readline().startswith("stopping")
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=20) == -signal.SIGINT
    process.stdout.close()


class Terminal:
    """A stream that says whether it is a terminal and remembers what was written."""

    def __init__(self, terminal: bool) -> None:
        self.text = ""
        self._terminal = terminal
        self.encoding = "utf-8"

    def isatty(self) -> bool:
        return self._terminal

    def write(self, text: str) -> int:
        self.text += text
        return len(text)

    def flush(self) -> None:
        pass


def test_progress_is_quiet_where_there_is_no_terminal():
    stream = Terminal(False)
    with ProgressLine(stream) as line:  # type: ignore[arg-type]
        line(Progress(60.0, 120.0, 10, 1.0))
    assert stream.text == ""


def test_progress_on_a_terminal_shows_time_events_rate_and_note():
    stream = Terminal(True)
    with ProgressLine(stream) as line:  # type: ignore[arg-type]
        line(Progress(0.0, 7200.0, 1000, 1.0))
        line(Progress(7200.0, 7200.0, 5000, 3.0, "fitting"))
    last = stream.text.split("\r")[-1]
    assert "2h of 2h" in last
    assert "5,000 events" in last
    assert "2 k/s" in last  # of this process: 4,000 events in 2 s
    assert "fitting" in last
