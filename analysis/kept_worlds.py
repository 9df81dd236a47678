"""Worlds of which the measures alone are kept, a small file each: run in processes, and never twice."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cached_property
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np

from recommenders.contract.errors import OnPurpose
from simulator.config import CHANGE_PREFIX
from simulator.errors import BeholderError, InputError, RunInterrupted
from simulator.records.run_folder import disk_errors, write_json
from simulator.scenario.load import load_scenario

Q = TypeVar("Q")
Measures = dict[str, float | None]
_OTHER = {"engine": "another version of the engine", "scenario": "another scenario", "settings": "other settings"}


_TOLD = 10


class WorldsFailed(BeholderError):
    """Some worlds failed; those that ended are kept."""


class WorldLost(WorldsFailed):
    """A process ended in the middle of a world, as for want of memory; worlds that ended before are kept."""


@dataclass(frozen=True)
class World(Generic[Q]):
    """Hold what a world is, and where its measures are kept.

    Attributes:
        question: what it is run for.
        place: of its file below the folder of all, without an ending.
        scenario: name or path.
        settings: of the run, as `simulator.run` takes them.
    """

    question: Q
    place: str
    scenario: str
    settings: Mapping[str, object]

    @cached_property
    def identity(self) -> dict[str, object]:
        """Return what makes its measures those of no other world: engine, content of the scenario, and settings."""
        from simulator.engine.jit.compile import source_hash

        changes = {
            key.removeprefix(CHANGE_PREFIX): v for key, v in self.settings.items() if key.startswith(CHANGE_PREFIX)
        }
        return {
            "engine": source_hash(),
            "scenario": load_scenario(self.scenario, changes).hash,
            "settings": json.loads(json.dumps(dict(self.settings))),
        }

    def kept(self, folder: Path) -> Measures | None:
        """Return the measures that were kept before, if any. Raises InputError where they are of another world."""
        path = self._path(folder)
        if not path.is_file():
            return None
        try:
            found = json.loads(path.read_text())
            different = [name for name, value in self.identity.items() if found.get(name) != value]
            measures: Measures = found["measures"]
        except (ValueError, AttributeError, KeyError) as error:
            raise InputError(str(path), f"holds no world's measures ({error})", "remove it") from error
        if different:
            wrong = f"was run with {_OTHER[different[0]]}"
            raise InputError(str(path), wrong, "give another output; both must not be compared")
        return measures

    def keep(self, folder: Path, measures: Mapping[str, float]) -> Measures:
        """Write the measures, NaN as null, and return them as they will be read."""
        found = {name: None if np.isnan(value) else float(value) for name, value in measures.items()}
        write_json(self._path(folder), {**self.identity, "measures": found})
        return found

    def _path(self, folder: Path) -> Path:
        return folder / f"{self.place}.json"


def run(
    worlds: Sequence[World[Q]],
    live: Callable[[World[Q]], dict[str, float]],
    folder: Path,
    workers: int,
    report: Callable[[int, int], None] | None = None,
    stop: Callable[[], bool] | None = None,
    pool: ProcessPoolExecutor | None = None,
) -> dict[str, Measures]:
    """Run all worlds that are not there yet, in processes of their own, and return the measures of all by place.

    Where one fails the others go on; what failed is said at the end.

    Args:
        worlds: the worlds.
        live: runs a world and returns its measures; a function of a module, which other processes can import.
        folder: where each world leaves its measures.
        workers: worlds at a time.
        report: called with the worlds that are done and all of them, after each.
        stop: asked after each; when it says so, no other world is begun, and those under way end and are kept.
        pool: whose processes run them, for who comes again; it stays open. A pool of their own unless given.

    Raises:
        InputError: the folder holds worlds of another engine, scenario or settings.
        RunInterrupted: stopped; worlds that ended are kept.
        WorldsFailed: after all have ended, if some failed; its cause is the first one's error.
        WorldLost: a process ended in the middle of a world.
    """
    found: dict[str, Measures] = {}
    failed: dict[str, Exception] = {}
    with disk_errors(folder):
        for world in worlds:
            kept = world.kept(folder)
            if kept is not None:
                found[world.place] = kept
    waiting = [world for world in worlds if world.place not in found]
    with disk_errors(folder):
        for world in waiting:
            (folder / world.place).parent.mkdir(parents=True, exist_ok=True)
    running: dict[Future[dict[str, float]], World[Q]] = {}
    with nullcontext(pool) if pool is not None else processes(workers) as pool:
        while waiting or running:
            stopped = stop is not None and stop()
            while waiting and len(running) < workers and not stopped:
                world = waiting.pop(0)
                running[pool.submit(live, world)] = world
            if not running:
                raise RunInterrupted(
                    f"{len(found)} of {len(worlds)} worlds are done" + (f", {len(failed)} failed" if failed else "")
                )
            for future in wait(running, timeout=1.0, return_when=FIRST_COMPLETED).done:
                world = running.pop(future)
                error = future.exception()
                if isinstance(error, KeyboardInterrupt) and stop is not None and stop():
                    continue  # Ctrl-C reaches the processes too
                if isinstance(error, BrokenProcessPool):
                    wrong = f"a process ended in the middle of a world; {len(found)} of {len(worlds)} worlds are done"
                    raise WorldLost(f"{wrong}; where memory is short, give fewer workers") from error
                if isinstance(error, Exception):
                    failed[world.place] = error
                    continue
                found[world.place] = world.keep(folder, future.result())
                if report is not None:
                    report(len(found), len(worlds))
    if failed:
        raise _failure(failed, len(worlds)) from next(iter(failed.values()))
    return found


def _failure(failed: Mapping[str, Exception], n: int) -> WorldsFailed:
    """Return what names the worlds that failed, with their errors; what nobody raised on purpose has its kind."""
    lines = [f"{len(failed)} of {n} worlds failed"]
    for place, error in list(failed.items())[:_TOLD]:
        lines.append(f"  {place}: {error if isinstance(error, OnPurpose) else repr(error)}")
    if len(failed) > _TOLD:
        lines.append(f"  and {len(failed) - _TOLD} more")
    return WorldsFailed("\n".join(lines))


def processes(workers: int) -> ProcessPoolExecutor:
    """Return a pool of processes that run worlds, each begun anew: none inherits what this one has loaded."""
    return ProcessPoolExecutor(workers, mp_context=get_context("spawn"))


def changes_of(settings: Mapping[str, object]) -> dict[str, object]:
    """Return those of a run's settings that change its scenario, by their keys in the file."""
    return {key.removeprefix(CHANGE_PREFIX): v for key, v in settings.items() if key.startswith(CHANGE_PREFIX)}


def values(found: Mapping[str, Mapping[str, Any]], places: Sequence[str], measure: str) -> np.ndarray:
    """Return a measure of the worlds at these places, shape (places,); NaN where there is none."""
    return np.array([found[place].get(measure) for place in places], dtype=np.float64)
