"""Many worlds, one process each: the command line's `-m`, and the base of every paired comparison.

Each world is a plain `python -m simulator ...` that writes its own folder; its measures are read from there. A world
that dies takes no other one with it, and what the sweep holds in memory is one small record per world.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

from simulator.config import RunConfig
from simulator.errors import BeholderError, InputError
from simulator.records.run_folder import METRICS, run_name, safe_name

POLL_SECONDS = 0.05
# Without these every world would start as many threads as there are cores.
_THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
# These are in every run's name already.
_NAMED = ("scenario", "recommender", "seed")
COMMAND = (sys.executable, "-m", "simulator")


@dataclass(frozen=True)
class Record:
    """What became of one world.

    Attributes:
        config: its configuration; `config.output` is its folder.
        metrics: its measures by name; empty where it failed, nan where a measure has no value.
        wall: seconds of wall time, start of the process included.
        error: what went wrong, None if nothing did.
    """

    config: RunConfig
    metrics: Mapping[str, float]
    wall: float
    error: str | None = None

    @property
    def folder(self) -> Path:
        """Return the world's folder."""
        return _output(self.config)


class SweepError(BeholderError):
    """Some worlds of a sweep failed or were stopped; `records` holds all of them, in order."""

    def __init__(self, records: Sequence[Record], stopped: bool) -> None:
        self.records = tuple(records)
        self.stopped = stopped
        failed = [record for record in records if record.error is not None]
        lines = [f"{len(failed)} of {len(records)} runs {'did not end' if stopped else 'failed'}"]
        lines += [f"  {describe(record.config)}: {record.error}" for record in failed[:10]]
        if len(failed) > 10:
            lines.append(f"  and {len(failed) - 10} more")
        super().__init__("\n".join(lines))


def describe(config: RunConfig) -> str:
    """Return the settings that tell a run from others: all but those that are the same by default."""
    usual = RunConfig()
    return " ".join(
        text
        for text in config.to_arguments()
        if (not text.startswith("output=") and text not in usual.to_arguments()) or text.startswith("seed=")
    )


def place(configs: Sequence[RunConfig], parent: Path) -> list[RunConfig]:
    """Give each configuration a folder of its own below `parent`, named after what differs between them."""
    settings = [{**config.settings(), "output": None} for config in configs]
    names = list(dict.fromkeys(name for each in settings for name in each))
    varying = [name for name in names if len({str(each.get(name)) for each in settings}) > 1]
    placed: list[RunConfig] = []
    taken: set[str] = set()
    for config, each in zip(configs, settings, strict=True):
        extra = [f"{name.rpartition('.')[2]}{each[name]}" for name in varying if name not in _NAMED and name in each]
        base = name = safe_name("-".join([run_name(config), *extra]))
        number = 2
        while name in taken:  # two values that differ only in signs that a folder's name cannot hold
            name, number = f"{base}-{number}", number + 1
        taken.add(name)
        placed.append(replace(config, output=parent / name))
    return placed


def default_workers(configs: Sequence[RunConfig]) -> int:
    """Return as many worlds at a time as the cores hold with the threads that each asks for."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, cores // max(config.threads for config in configs))


def sweep(
    configs: Sequence[RunConfig],
    workers: int,
    report: Callable[[int, int, Record], None] | None = None,
    stop: Callable[[], bool] | None = None,
    command: Sequence[str] | None = None,
) -> list[Record]:
    """Run every configuration in a process of its own and read the measures that it wrote.

    Args:
        configs: complete configurations, each with an `output` of its own that does not exist yet.
        workers: worlds at a time.
        report: is called after each world with the number done, the number of all, and its record.
        stop: when it says so, running worlds are asked to checkpoint, and no other is started.
        command: what runs one world, `COMMAND` unless given; `key=value` arguments are appended.

    Returns:
        One record per configuration, in their order.

    Raises:
        InputError: no configuration, an `output` missing or used twice, or no worker.
        SweepError: after all have ended, if a world failed or was stopped; it carries all records.
    """
    _check(configs, workers)
    waiting = deque(range(len(configs)))
    running: dict[int, _World] = {}
    records: dict[int, Record] = {}
    asked = False
    try:
        while waiting or running:
            if stop is not None and not asked and stop():
                asked = True
                records |= {index: Record(configs[index], {}, 0.0, "not started") for index in waiting}
                waiting.clear()
                for world in running.values():
                    world.process.terminate()  # SIGTERM: the world writes a checkpoint and ends
            while waiting and len(running) < workers:
                index = waiting.popleft()
                running[index] = _World(configs[index], COMMAND if command is None else command)
            for index in [index for index, world in running.items() if world.process.poll() is not None]:
                records[index] = running.pop(index).record()
                if report is not None:
                    report(len(records), len(configs), records[index])
            time.sleep(POLL_SECONDS if running else 0)
    finally:
        for world in running.values():  # only when something was raised above: leave no process behind
            world.process.kill()
            world.process.wait()
    ordered = [records[index] for index in range(len(configs))]
    if any(record.error is not None for record in ordered):
        raise SweepError(ordered, asked)
    return ordered


def _check(configs: Sequence[RunConfig], workers: int) -> None:
    if not configs:
        raise InputError("sweep", "there is nothing to run", "expected at least one configuration")
    if workers < 1:
        raise InputError("sweep", f"workers = {workers}", "expected at least 1")
    outputs = [_output(config) for config in configs]
    for output in outputs:
        if outputs.count(output) > 1:
            raise InputError("sweep", f"two runs have the output {output}", "give each a folder of its own")


def _output(config: RunConfig) -> Path:
    if config.output is None:
        raise InputError("sweep", f"{describe(config)} has no output", "give each configuration an output")
    return config.output


class _World:
    """One running process, with what it says kept in a file (a full pipe would stop it)."""

    def __init__(self, config: RunConfig, command: Sequence[str]) -> None:
        self._config = config
        self._begun = time.monotonic()
        self._said: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  (closed in `record`)
        environment = dict(os.environ)
        # The same modules as here, also where the caller has changed its search path.
        environment["PYTHONPATH"] = os.pathsep.join(entry or str(Path.cwd()) for entry in sys.path)
        for variable in _THREAD_VARIABLES:
            environment.setdefault(variable, str(config.threads))
        self.process = subprocess.Popen(
            [*command, *config.to_arguments()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=self._said,
            env=environment,
            start_new_session=True,  # Ctrl-C comes to us alone, and we pass it on once
        )

    def record(self) -> Record:
        """Read what a world that has ended left behind."""
        wall = time.monotonic() - self._begun
        with self._said as file:
            file.seek(0)
            said = file.read().decode(errors="replace")
        metrics, error = _read_metrics(_output(self._config))
        code = self.process.returncode
        if code != 0:
            last = [line.strip() for line in said.splitlines() if line.strip()][-1:]
            error = (last[0].removeprefix("error: ") if last else "it said nothing") + f" ({_ending(code)})"
        return Record(self._config, metrics if error is None else {}, wall, error)


def _ending(code: int) -> str:
    return f"exit code {code}" if code > 0 else f"ended by signal {-code}"


def _read_metrics(folder: Path) -> tuple[dict[str, float], str | None]:
    path = folder / METRICS
    try:
        loaded = json.loads(path.read_text())
    except FileNotFoundError:
        return {}, f"{path} was not written"
    except json.JSONDecodeError as error:
        return {}, f"{path} is broken: {error}"
    if not isinstance(loaded, dict):
        return {}, f"{path} is no table of measures"
    metrics: dict[str, float] = {}
    for name, value in loaded.items():
        if isinstance(value, bool) or not isinstance(value, int | float | None):
            return {}, f"{path}: {name} = {value} is no number"
        metrics[name] = float("nan") if value is None else float(value)
    return metrics, None
