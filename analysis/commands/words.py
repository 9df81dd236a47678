"""What the commands share: how their settings are read, and how tables and progress are said."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from recommenders.command_line import EXIT_STOPPED, WHERE
from recommenders.contract.settings import Reader, Settings, checked, number, wrong_setting
from simulator.cli import sweep as sweeping
from simulator.cli.arguments import expand_values, read_value
from simulator.cli.signals import to_stderr
from simulator.cli.tables import Cell, format_table
from simulator.errors import InputError, RunInterrupted, check_known

if TYPE_CHECKING:
    import pandas as pd

S = TypeVar("S", bound=Settings)


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


def say_counted(done: int, total: int) -> None:
    """Say how many worlds are done."""
    to_stderr(f"{done}/{total} worlds")


def say_stopped(error: RunInterrupted, output: Path) -> int:
    """Say that a report was stopped and how it goes on; return the exit code."""
    to_stderr(f"stopped: {error}")
    to_stderr(f"what is done is kept: the same command with output={output} continues")
    return EXIT_STOPPED


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
