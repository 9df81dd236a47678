"""Trials: a scenario with its numbers moved, run with the same seeds as all others, and held against the figures.

What was run is never run again: the worlds of a trial are kept, so that a search which is begun anew with the same
settings takes the same way, at no cost, to where it was stopped.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from analysis import kept_worlds
from analysis.calibrate.figures import Figure, Floats, distances, steering
from analysis.calibrate.parameters import Free, changes, values_at
from analysis.kept_worlds import World, values
from simulator.config import CHANGE_PREFIX
from simulator.errors import BeholderError, InputError, RunInterrupted
from simulator.records.run_folder import write_json
from simulator.scenario.checks.check import check_scenario
from simulator.scenario.load import load_scenario

SECONDS = "seconds of CPU"
"""Key of what a world cost, among its measures: no target can have this name."""


class Spent(BeholderError):
    """No trial or no time is left; what was found until then counts."""


@dataclass(frozen=True)
class Trial:
    """Hold a scenario with its numbers moved, and what became of it.

    Attributes:
        steps: by which each number moved, shape (numbers,).
        values: of the numbers that it changes, by name.
        by_seed: what was measured, by target, in its unit, each of shape (seeds,); empty where it cannot be run.
        refused: why it cannot be run; empty where it can.
        distances: of what steers, shape (figures,); infinite where it cannot be run, or showed nothing to measure.
        each: the same of each world alone, shape (figures, seeds).
        seconds: of CPU.
    """

    steps: Floats
    values: Mapping[str, float]
    by_seed: Mapping[str, Floats]
    refused: str
    distances: Floats
    each: Floats
    seconds: float = 0.0

    @property
    def runs(self) -> bool:
        """Tell whether it could be run, and showed all that steers."""
        return bool(np.isfinite(self.distances).all())

    @property
    def size(self) -> float:
        """Return the root of the mean square of its distances: 1 where each figure is just near enough."""
        return float(np.sqrt(np.mean(self.distances**2)))

    def simulated(self, name: str) -> float:
        """Return the mean of a target over the seeds."""
        return float(np.mean(self.by_seed[name]))


@dataclass
class Trials:
    """Run trials, in processes of their own, and keep a log of them.

    Attributes:
        scenario: name or path.
        place: folder of their worlds below `folder`: those that are measured in one way.
        settings: of every world.
        seeds: of the worlds of a trial, the same for all.
        free: the numbers that move.
        figures: that worlds are held against.
        live: runs a world and measures it, as `analysis.kept_worlds.run` takes it.
        folder: where worlds and the log of trials are kept.
        workers: worlds at a time.
        limit: of trials.
        until: of `time.monotonic`, when no other trial is begun.
        stop: tells whether the user asked to stop.
        report: called with each trial, and how many there are.
    """

    scenario: str
    place: str
    settings: Mapping[str, object]
    seeds: Sequence[int]
    free: Sequence[Free]
    figures: Mapping[str, Figure]
    live: Callable[[World[None]], dict[str, float]]
    folder: Path
    pool: ProcessPoolExecutor
    workers: int
    limit: int
    until: float
    stop: Callable[[], bool] = lambda: False
    report: Callable[[Trial, int], None] = lambda trial, count: None
    done: list[Trial] = field(default_factory=list)
    _known: dict[str, Trial] = field(default_factory=dict)

    def run(self, points: Sequence[Floats]) -> list[Trial]:
        """Return the trials at these points, whose worlds run beside each other.

        Args:
            points: steps of each number, each of shape (numbers,).

        Raises:
            Spent: before anything is begun, where not all of them are within the limit or the time is over.
            RunInterrupted: stopped; worlds that ended are kept.
        """
        moved = [values_at(self.free, point.tolist()) for point in points]
        keys = [_key(each) for each in moved]
        new = [n for n, key in enumerate(keys) if key not in self._known]
        refused = {n: self._refused(moved[n]) for n in new}
        if len(self.done) + sum(not refused[n] for n in new) > self.limit:
            raise Spent(f"{len(self.done)} of {self.limit} trials are done, and {len(new)} more are needed at once")
        worlds = {n: self._worlds(keys[n], moved[n]) for n in new if not refused[n]}
        measured = self._run([world for each in worlds.values() for world in each])
        for n in new:
            places = [world.place for world in worlds.get(n, ())]
            trial = self._trial(points[n], moved[n], places, measured, refused[n])
            self._known[keys[n]] = trial
            if not refused[n]:
                self.done.append(trial)
                self.report(trial, len(self.done))
        if new:
            self._write()
        return [self._known[key] for key in keys]

    def _run(self, worlds: Sequence[World[None]]) -> dict[str, kept_worlds.Measures]:
        late = False

        def stop() -> bool:
            nonlocal late
            late = time.monotonic() > self.until
            return late or self.stop()

        try:
            return kept_worlds.run(worlds, self.live, self.folder, self.workers, None, stop, self.pool)
        except RunInterrupted as error:
            if late and not self.stop():
                raise Spent("the time is over") from error
            raise

    def _worlds(self, key: str, moved: Mapping[str, float]) -> list[World[None]]:
        changed = {CHANGE_PREFIX + path: value for path, value in changes(self.free, dict(moved))}
        settings = {**self.settings, **changed}
        return [
            World(None, f"{self.place}/{key}/s{seed}", self.scenario, {**settings, "seed": seed}) for seed in self.seeds
        ]

    def _refused(self, moved: Mapping[str, float]) -> str:
        """Return why a scenario with these numbers hangs together no more; empty where it does."""
        own = kept_worlds.changes_of(self.settings) | dict(changes(self.free, dict(moved)))
        try:
            check_scenario(load_scenario(self.scenario, own))
        except InputError as error:
            return str(error)
        return ""

    def _trial(
        self,
        steps: Floats,
        moved: Mapping[str, float],
        places: Sequence[str],
        measured: Mapping[str, kept_worlds.Measures],
        refused: str,
    ) -> Trial:
        steers = steering(self.figures)
        if refused:
            return Trial(steps, moved, {}, refused, np.full(len(steers), np.inf), np.empty((len(steers), 0)))
        by_seed = {name: values(measured, places, name) for name in self.figures}
        means = {each.name: float(np.mean(by_seed[each.name])) for each in steers}
        off = np.nan_to_num(distances(steers, means), nan=np.inf)
        apart = [distances(steers, {name: found[k] for name, found in by_seed.items()}) for k in range(len(places))]
        seconds = float(values(measured, places, SECONDS).sum())
        return Trial(steps, moved, by_seed, "", off, np.stack(apart, axis=1), seconds)

    def _write(self) -> None:
        rows = [
            {"steps": each.steps, "values": each.values, "distance": each.size, "cpu_seconds": each.seconds,
             "simulated": {name: np.mean(found) for name, found in each.by_seed.items()}}
            for each in self.done
        ]  # fmt: skip
        write_json(self.folder / "trials.json", {"numbers": [each.name for each in self.free], "trials": rows})


def _key(moved: Mapping[str, float]) -> str:
    """Return a word for the numbers of a trial: the name of the folder of its worlds."""
    return hashlib.sha256(json.dumps(dict(moved), sort_keys=True).encode()).hexdigest()[:12]
