"""A calibration from its settings to what it found: plan, search, and a scenario file with the numbers in place."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from analysis.calibrate import logs, parameters, told
from analysis.calibrate.figures import Figure, known_figures, steering
from analysis.calibrate.outcome import Outcome, outcome_of
from analysis.calibrate.parameters import Free
from analysis.calibrate.search import cost, search
from analysis.calibrate.trials import Spent, Trial, Trials
from analysis.calibrate.widths import noise_of
from analysis.calibrate.worlds import on_truth
from analysis.calibrate.written import Change, File
from analysis.kept_worlds import World, changes_of, processes
from simulator.cli.listing import check_recommender_name
from simulator.cli.run import check_recommender_parameters
from simulator.config import CHANGE_PREFIX, resolve
from simulator.errors import InputError
from simulator.records.run_folder import disk_errors, write_atomic
from simulator.scenario.checks.check import check_scenario
from simulator.scenario.load import load_scenario
from simulator.scenario.schema.scenario import Scenario


@dataclass(frozen=True)
class Plan:
    """Hold what a calibration is: nothing has been run or written.

    Attributes:
        scenario: as it is read.
        given: its name or path, as worlds are told.
        file: that it was read from.
        free: numbers that may move.
        held: numbers that were asked for and cannot, with why.
        figures: that worlds are held against.
        seeds: of the worlds of each trial.
        settings: of every world.
        live: runs and measures one.
        log: what a log told, where one was given.
    """

    scenario: Scenario
    given: str
    file: File
    free: Sequence[Free]
    held: Mapping[str, str]
    figures: Mapping[str, Figure]
    seeds: Sequence[int]
    settings: Mapping[str, object]
    live: Callable[[World[None]], dict[str, float]] = on_truth
    log: logs.FromLog | None = None


@dataclass(frozen=True)
class Budget:
    """Hold what a calibration may cost, and who may stop it."""

    trials: int
    minutes: float
    workers: int
    stop: Callable[[], bool] = lambda: False
    report: Callable[[Trial, int], None] = field(default=lambda trial, count: None)


def plan(
    scenario: str,
    seeds: Sequence[int],
    settings: Mapping[str, object],
    targets: Sequence[str] = (),
    patterns: Sequence[str] = (),
    log: Path | None = None,
    held_out: float = 0.0,
) -> Plan:
    """Return what a calibration would do.

    Args:
        scenario: name or path.
        seeds: of the worlds of each trial.
        settings: of every world.
        targets: that steer; all with role fit unless named.
        patterns: of numbers that may move, as `parameters.choose` takes them.
        log: folder of a log whose figures take the place of the targets' values.
        held_out: share of its users who are left out, and told of apart.

    Raises:
        InputError: a setting is wrong; the scenario does not hang together, or has no target that can be measured; a
            number or target cannot be had; the log cannot be read.
        RecommenderError: the recommender does not take its parameters.
    """
    from simulator.plan.compiler import compile_scenario
    from simulator.records.measures import check_measures, unmeasured

    found = load_scenario(scenario, changes_of(settings))
    check_scenario(found)
    compiled = compile_scenario(found)
    check_measures(compiled)
    figures = known_figures(found, targets)
    figured = None if log is None else told.read(log, found, targets, held_out)
    if figured is not None:
        settings = {**figured.settings, **settings}
        figures = dict(figured.figures)
    config = resolve([("scenario", scenario), *settings.items()], where="calibrate")
    if config.recommender is not None:
        check_recommender_name(config.recommender)
        check_recommender_parameters(config)
    for name in unmeasured(compiled):
        right = "say how with measure: the name of a measure, or a reading (docs/write-a-scenario.md)"
        raise InputError(found.shown, f"targets.{name} cannot be measured: no measure has this name", right)
    assert found.path is not None, "it was read from a file"
    file = File(found.path.read_text(encoding="utf-8-sig"), found.shown)
    # As the file has them: a number that is changed for this run would look like an estimate.
    unchanged = load_scenario(scenario)
    free, held = parameters.choose(unchanged, file, patterns, [each.name for each in steering(figures)])
    twice = [each.name for each in free for path in changes_of(settings) if f"{each.name}.".startswith(f"{path}.")]
    if twice:
        raise InputError(found.shown, f"{CHANGE_PREFIX}{twice[0]} is given, and may move", "leave one of the two out")
    live = on_truth if figured is None else figured.live
    return Plan(found, scenario, file, free, held, figures, seeds, settings, live, figured)


def run(plan: Plan, folder: Path, budget: Budget) -> tuple[Outcome, Mapping[str, Change]]:
    """Search, and return what was found and how the numbers of the file change.

    Raises:
        InputError: a world showed nothing to measure of what steers; the folder holds worlds of something else.
        RunInterrupted: stopped; what was run is kept, and the same call goes on from there.
        WorldLost: a process ended in the middle of a world.
    """
    with disk_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
    with processes(budget.workers) as pool:
        trials = Trials(
            plan.given, "worlds" if plan.live is on_truth else "platform", plan.settings,
            plan.seeds, plan.free, plan.figures, plan.live, folder, pool, budget.workers,
            budget.trials, time.monotonic() + 60.0 * budget.minutes, budget.stop, budget.report,
        )  # fmt: skip
        try:
            start = trials.run([np.zeros(len(plan.free))])[0]
        except Spent as error:
            wrong = "the time was over before the scenario had been run as it is"
            raise InputError(
                "calibrate", wrong, "give more minutes=, or smaller worlds; what is done is kept"
            ) from error
        _check_measured(plan, start)
        slopes, way = search(trials.run, start)
    held_out = {} if plan.log is None else plan.log.held_out
    matrix = None if slopes is None else slopes.matrix
    noise = noise_of([start]) if slopes is None else slopes.noise
    best = min((each for each in way if each.runs), key=lambda each: cost(each, noise))
    found = outcome_of(plan.free, plan.figures, trials.done, best, matrix, noise, held_out)
    return found, file_changes(plan.free, best, found)


def _check_measured(plan: Plan, start: Trial) -> None:
    empty = [each.name for each in steering(plan.figures) if np.isnan(start.simulated(each.name))]
    if empty:
        right = "more users= or a longer horizon=, or targets= without them; what is done is kept"
        raise InputError(plan.scenario.shown, f"nothing to measure of {', '.join(empty)}", right)


def file_changes(free: Sequence[Free], best: Trial, found: Outcome) -> dict[str, Change]:
    """Return the changes of a file, by path, of all numbers that moved: rests of a whole follow what moved in it."""
    see = {each.name: each.see for each in found.moved if each.see}
    changed: dict[str, Change] = {}
    for each in free:
        for number in each.moves:
            if number.name in best.values and each.name in see:
                target = see.get(number.name, see[each.name])
                changed.setdefault(number.paths[0], Change(best.values[number.name], target))
    return changed


def write_scenario(plan: Plan, changed: Mapping[str, Change], out: Path) -> None:
    """Write the scenario's file with the numbers in place, and its sources beside it where they are not.

    Raises:
        OutputError: the file cannot be written.
    """
    text = plan.file.changed(changed)
    origin = plan.scenario.path
    assert origin is not None
    sources = origin.with_name(f"{origin.stem}.sources.yaml")
    beside = out.with_name(f"{out.stem}.sources.yaml")
    with TemporaryDirectory() as room:  # what is written can be read, and hangs together
        tried = Path(room) / out.name
        tried.write_text(text, encoding="utf-8")
        if sources.is_file():
            tried.with_name(beside.name).write_bytes(sources.read_bytes())
        check_scenario(load_scenario(tried))
    with disk_errors(out):
        out.parent.mkdir(parents=True, exist_ok=True)
    if sources.is_file() and sources.resolve() != beside.resolve():
        write_atomic(beside, sources.read_bytes())
    write_atomic(out, text)


def check_out(plan: Plan, out: Path) -> None:
    """See that a file may be written. Raises InputError where one is there, unless it is the scenario's own."""
    if out.exists() and (plan.scenario.path is None or out.resolve() != plan.scenario.path):
        raise InputError(str(out), "this file exists already, and nothing is overwritten", "give another out=")
    if out.suffix not in (".yaml", ".yml"):
        raise InputError(str(out), "is no name of a scenario file", "expected out=FOLDER/NAME.yaml")
