"""What the command line does with checked settings: one run or a sweep, its progress, and the table at the end."""

from __future__ import annotations

import csv
import dataclasses
import io
import math
import shlex
import shutil
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from recommenders import registry
from recommenders.command_line import EXIT_STOPPED, WHERE, Arguments
from recommenders.contract.places import called, fallback_warning
from simulator.cli import sweep as sweeping
from simulator.cli.arguments import read_value, single_settings, sweep_settings
from simulator.cli.progress import ProgressLine
from simulator.cli.signals import stop_on_signals, to_stderr
from simulator.cli.tables import Cell, format_table, number_text
from simulator.config import RunConfig, complete, resolve
from simulator.errors import InputError, RunInterrupted
from simulator.records.run_folder import (
    claim_folder,
    default_output,
    free_name,
    resumed_config,
    safe_name,
    write_atomic,
)
from simulator.runtime.progress import Progress
from simulator.scenario.durations import duration_text

EXIT_FAILED = 1
Report = Callable[[Progress], None]
TABLE = "measures.csv"


def single(arguments: Arguments) -> int:
    """Carry out one run: claim its folder, run it, print its measures; a run that has ended is left alone."""
    config = _single_config(arguments)
    from simulator.runtime.finished import finished_run
    from simulator.world import run_world  # after the settings are checked: this loads numba

    if finished_run(config) is not None:
        sys.stdout.write(f"{config.resume}: finished; nothing to do\n")
        return 0
    try:
        with ProgressLine() as progress, stop_on_signals(to_stderr) as stop:
            result = run_world(config, report=_headed(_headline(config), progress, config), stop=stop)
    except RunInterrupted as interrupted:
        to_stderr(f"stopped: {interrupted}")
        to_stderr(f"resume with: python -m simulator resume={shlex.quote(str(config.output))}")
        return EXIT_STOPPED
    who = called(result.manifest["recommender"]["name"], config.recommender_parameters)
    warning = fallback_warning(who, result.manifest["recommender"]["fallback"])
    if warning is not None:
        to_stderr(f"warning: {warning}")
    facts = result.manifest["setting"]
    if "log_from" in facts:
        to_stderr(_begun_with(facts["log_from"]))
    if "blinded_features" in facts:
        told = ", ".join(f"{name} ({mode})" for name, mode in facts["blinded_features"].items())
        to_stderr(f"blinded for recommenders: the features of {told}")
    rows: list[list[Cell]] = [[name, value] for name, value in result.metrics.items()]
    sys.stdout.write(format_table(["measure", "value"], rows) + f"\n\nwritten to {result.folder}\n")
    return 0


def check_recommender_parameters(config: RunConfig) -> None:
    """See that the recommender takes its parameters, before any folder is made; oracles take none."""
    from simulator.platform.oracle import ORACLES

    if config.recommender is not None and config.recommender not in ORACLES:
        registry.check_parameters(config.recommender, config.recommender_parameters)


def show(arguments: Arguments) -> str:
    """Print the resolved configuration, or with -m those of all runs."""
    if "multirun" not in arguments.flags:
        return _single_config(arguments).to_yaml()
    configs, _, _ = _sweep_configs(arguments)
    return "---\n".join(config.to_yaml() for config in configs)


def _single_config(arguments: Arguments) -> RunConfig:
    settings = single_settings(arguments.pairs)
    config = resolve(settings)
    if config.resume is not None:
        return resumed_config(config, dict(settings))
    config = _complete(config)
    return config if config.output is not None else dataclasses.replace(config, output=default_output(config))


def _complete(config: RunConfig) -> RunConfig:
    """Fill in the defaults of the scenario, and check the recommender's name before anything is made."""
    from simulator.cli.listing import check_recommender_name, scenario_defaults

    config = complete(config, scenario_defaults(config.scenario, config.scenario_changes))
    check_recommender_name(config.recommender)
    return config


def _headed(headline: str, report: Report, config: RunConfig) -> Report:
    """Say first what is run: at once, or where a folder is taken up when it is seen to be whole."""
    waiting = [headline + "\n"]

    def headed(progress: Progress) -> None:
        while waiting:
            sys.stderr.write(waiting.pop())
        report(progress)

    if config.resume is None:
        sys.stderr.write(waiting.pop())
    return headed


def _headline(config: RunConfig) -> str:
    parts = [config.scenario, config.recommender or ""]
    if config.users is not None:
        parts.append(f"{config.users:,} users")
    parts.append(f"catalog {config.catalog}" if config.items is None else f"{config.items:,} items")
    if config.horizon is not None:
        parts.append(duration_text(config.horizon))
    parts.append(f"seed {config.seed}")
    begun = "resumed in" if config.resume is not None else "to"
    return " · ".join(parts) + f" · {begun} {config.output}"


def _begun_with(told: Mapping[str, Any]) -> str:
    """Say with what log a platform began, as the manifest tells it, and who learned from it."""
    learners = ", ".join(told["learners"]) or "nobody: none of this run's recommenders learns from a log"
    left_out = f" ({told['rows_on_items_to_come']:,} on items to come left out)"
    return f"began with {told['rows']:,} rows of {told['run']}{left_out}, read by {learners}"


def sweep(arguments: Arguments) -> int:
    """Run every combination of the lists, one process each; print one table at the end."""
    configs, parent, workers = _sweep_configs(arguments)
    for config in configs:
        check_recommender_parameters(config)
    claim_folder(parent)
    sys.stderr.write(f"{len(configs)} runs, {workers} at a time · to {parent}\n")
    failure: sweeping.SweepError | None = None
    with stop_on_signals(to_stderr, second=signal.default_int_handler) as stop:
        try:
            records: Sequence[sweeping.Record] = sweeping.sweep(configs, workers, _report, stop)
        except sweeping.SweepError as error:
            records, failure = error.records, error
    header, rows = _rows(records)
    write_atomic(parent / TABLE, _csv(header, rows))
    done = [row for row, record in zip(rows, records, strict=True) if record.error is None]
    if done:
        sys.stdout.write(_fitted(header, done, shutil.get_terminal_size((120, 24)).columns))
    sys.stdout.write(f"\nall measures in {parent / TABLE}\n")
    if failure is None:
        return 0
    to_stderr(f"error: {failure}")
    if failure.stopped:
        for record in records:
            if record.error is not None and record.folder.is_dir():
                to_stderr(f"resume with: python -m simulator resume={shlex.quote(str(record.folder))}")
        return EXIT_STOPPED
    return EXIT_FAILED


def _sweep_configs(arguments: Arguments) -> tuple[list[RunConfig], Path, int]:
    """Return the configurations of a sweep, the folder that holds theirs, and how many run at a time."""
    pairs = dict(arguments.pairs)
    if "resume" in pairs:
        raise InputError(WHERE, "resume= continues one run", "leave out -m")
    named = {key: read_value(key, pairs.pop(key)) for key in ("output", "workers") if key in pairs}
    configs = [_complete(resolve(settings)) for settings in sweep_settings(tuple(pairs.items()))]
    workers = named.get("workers", sweeping.default_workers(configs))
    if not isinstance(workers, int) or isinstance(workers, bool) or workers < 1:
        raise InputError(WHERE, f"workers = {workers}", "expected a whole number of at least 1")
    if "output" in named:
        parent = Path(str(named["output"]))
    else:
        scenarios = "-".join(dict.fromkeys(Path(config.scenario).stem for config in configs))
        parent = free_name(Path("runs") / safe_name(f"sweep-{scenarios}"))
    return sweeping.place(configs, parent), parent, workers


def _report(done: int, total: int, record: sweeping.Record) -> None:
    outcome = f"{record.wall:.1f} s" if record.error is None else f"failed: {record.error}"
    sys.stderr.write(f"{done}/{total}  {sweeping.describe(record.config)}  {outcome}\n")
    sys.stderr.flush()


def _rows(records: Sequence[sweeping.Record]) -> tuple[list[str], list[list[Cell]]]:
    """Return one row per run: the settings that differ, then all measures."""
    settings = [
        {name: value for name, value in record.config.settings().items() if name != "output"} for record in records
    ]
    names = list(dict.fromkeys(name for each in settings for name in each))
    varying = [name for name in names if len({str(each.get(name)) for each in settings}) > 1] or ["scenario"]
    measures = list(dict.fromkeys(name for record in records for name in record.metrics))
    rows = [
        [*(_setting_cell(each, name) for name in varying), *(_measure(record.metrics, name) for name in measures)]
        for each, record in zip(settings, records, strict=True)
    ]
    return [*varying, *measures], rows


def _setting_cell(settings: Mapping[str, object], name: str) -> str:
    value = settings.get(name)
    return number_text(value) if isinstance(value, int | float) and name != "seed" else str(value)


def _measure(metrics: Mapping[str, float], name: str) -> float | None:
    value = metrics.get(name)
    return value if value is not None and math.isfinite(value) else None


def _csv(header: Sequence[str], rows: Sequence[Sequence[Cell]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(["" if cell is None else cell for cell in row] for row in rows)
    return text.getvalue()


def _fitted(header: Sequence[str], rows: Sequence[Sequence[Cell]], width: int) -> str:
    """Return as many columns, from the left, as a line of the terminal holds (at least two)."""
    for columns in range(len(header), 1, -1):
        text = format_table(header[:columns], [row[:columns] for row in rows])
        if max(map(len, text.splitlines())) <= width:
            left_out = len(header) - columns
            return text + (f"\n({left_out} more measures are in the file)" if left_out else "") + "\n"
    return format_table(header[:2], [row[:2] for row in rows]) + "\n"
