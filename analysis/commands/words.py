"""What the commands share: how their settings are read, and how tables and progress are said."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from recommenders.command_line import EXIT_STOPPED, WHERE, read_pairs
from recommenders.contract.settings import Reader, Settings, checked, number, wrong_setting
from simulator.cli import sweep as sweeping
from simulator.cli.arguments import expand_values, read_value
from simulator.cli.signals import stop_on_signals, to_stderr
from simulator.cli.tables import Cell, format_table
from simulator.config import CHANGE_PREFIX, PARAMETER_PREFIX
from simulator.errors import InputError, RunInterrupted, check_known

if TYPE_CHECKING:
    import pandas as pd

S = TypeVar("S", bound=Settings)
EXIT_FAILED = 1
SIZES = ("users", "items", "horizon")
"""Settings of a run that say how large the worlds of a report are."""


def names(key: str) -> Reader:
    """Return what reads a list of names by comma."""
    return lambda text: tuple(expand_values(key, text))


def seeds(text: str) -> tuple[int, ...]:
    """Return seeds by comma or range. Raises InputError: one is no whole number."""
    values = expand_values("seed", text)
    wrong = [value for value in values if not value.isdecimal()]
    if wrong:
        raise InputError(WHERE, f"seed={wrong[0]}", "expected whole numbers of at least 0, or range(20)")
    return tuple(map(int, values))


def share_reader(right: str, whole: bool) -> Reader:
    """Return what reads a share above 0, and below 1 unless it may be the `whole`; `right` says what is expected."""

    def read(value: Any) -> float:
        if not 0 < number(value) <= 1 or (value == 1 and not whole):
            raise ValueError(right)
        return float(value)

    return read


def read_settings(kind: type[S], given: Mapping[str, str], others: Iterable[str] = ()) -> S:
    """Return the settings that were typed, where there are `others` too. Raises InputError: one is unknown or wrong."""
    known = kind.described()
    check_known(WHERE, "setting", given, [*known, *others])
    values = {key: read_value(key, text, known) for key, text in given.items()}
    return kind(**checked(known, values, wrong_setting(InputError, WHERE)))


def one_of(key: str, text: str, vary: str = "recommender and seed") -> str:
    """Return a value of which there may be only one. Raises InputError: several are given."""
    if len(expand_values(key, text)) > 1:
        raise InputError(WHERE, f"{key}={text} gives several values", f"only {vary} vary")
    return text


@dataclass(frozen=True)
class OneScenario(Settings):
    """What reports on one scenario take, beside the settings that all its worlds share."""

    scenario: str = ""
    recommender: str = ""


One = TypeVar("One", bound=OneScenario)


def one_scenario(kind: type[One], words: Sequence[str], vary: str) -> tuple[One, str, dict[str, object]]:
    """Return the settings of a report on one scenario, the scenario, and the settings that all its worlds share.

    Raises InputError: one is unknown, wrong, or given several times where only `vary` may be.
    """
    given = read_pairs(words, InputError)
    shared = {key: text for key, text in given.items() if key in SIZES or key.startswith(CHANGE_PREFIX)}
    chosen = read_settings(kind, {key: text for key, text in given.items() if key not in shared}, SIZES)
    if not chosen.scenario:
        raise InputError(WHERE, "no scenario is given", "expected scenario=NAME or a path; --help shows all settings")
    settings = {key: read_value(key, one_of(key, text, vary)) for key, text in shared.items()}
    scenario = one_of("scenario", chosen.scenario, vary)
    if chosen.recommender:
        from analysis.arms import read_arm

        arm = read_arm(one_of("recommender", chosen.recommender, vary))
        settings["recommender"] = arm.recommender
        settings |= {PARAMETER_PREFIX + name: value for name, value in arm.parameters.items()}
    return chosen, scenario, settings


def say_counted(done: int, total: int) -> None:
    """Say how many worlds are done."""
    to_stderr(f"{done}/{total} worlds")


class Unfinished(Exception):
    """A report did not end, and has said why; its cause is the error, `code` the command's exit code."""

    def __init__(self, code: int) -> None:
        self.code = code
        super().__init__(code)


@contextmanager
def going_on(output: Path) -> Iterator[Callable[[], bool]]:
    """Yield what tells whether a report is to stop; where it does not end, say why, and how it goes on.

    Raises:
        Unfinished: it was stopped, or some of its worlds failed; what is done is kept in `output`.
    """
    from analysis.kept_worlds import WorldsFailed

    try:
        with stop_on_signals(to_stderr, second=signal.default_int_handler) as stop:
            yield stop
    except (RunInterrupted, WorldsFailed, sweeping.SweepError) as error:
        stopped = isinstance(error, RunInterrupted)
        to_stderr(f"{'stopped' if stopped else 'error'}: {error}")
        stopped = stopped or (isinstance(error, sweeping.SweepError) and error.stopped)
        once = "" if stopped else "once that is mended, "
        to_stderr(f"what is done is kept: {once}the same command with output={output} continues")
        raise Unfinished(EXIT_STOPPED if stopped else EXIT_FAILED) from error


def say_world(done: int, total: int, record: sweeping.Record) -> None:
    """Say what became of one world."""
    outcome = f"{record.wall:.1f} s" if record.error is None else f"failed: {record.error}"
    sys.stderr.write(f"{done}/{total}  {record.folder.name}  {outcome}\n")
    sys.stderr.flush()


def table_of(frame: pd.DataFrame, header: Sequence[str], columns: Sequence[str]) -> str:
    """Return columns of a frame as a table to be printed."""
    rows: list[list[Cell]] = [[cell_of(value) for value in row] for row in frame[list(columns)].to_numpy(dtype=object)]
    return format_table(header, rows)


def cell_of(value: object) -> Cell:
    """Return a value as a cell of a table; None for what is no number."""
    if isinstance(value, str):
        return value
    number = float(value) if isinstance(value, int | float) else float("nan")
    return number if number == number else None


def say(text: str) -> None:
    """Print to stdout."""
    sys.stdout.write(text)
