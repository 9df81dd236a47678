"""The paired runner: recommenders x seeds, one process per world; worlds that are there already are not run again."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import pandas as pd

from analysis.arms import Arm, read_arm, seeded
from analysis.tables import COLUMNS, Experiment
from simulator import __version__
from simulator.cli import sweep as sweeping
from simulator.cli.listing import check_recommender_name
from simulator.config import (
    CHANGE_PREFIX,
    CHANGEABLE_ON_RESUME,
    PARAMETER_PREFIX,
    SHORT,
    RunConfig,
    complete,
    resolve,
)
from simulator.errors import InputError
from simulator.records.beginning import clear_beginning
from simulator.records.run_folder import CONFIG, MANIFEST, METRICS, disk_errors, safe_name, write_json
from simulator.scenario.load import load_scenario

IDENTITY = "experiment.json"
COMMAND = (sys.executable, "-m", "analysis.world")
_RESERVED = ("scenario", "recommender", "seed", "output", "resume")
# What may differ between a world that is there and the one that is wanted: it changes no result.
_FREE = {"output", "resume", *CHANGEABLE_ON_RESUME}


def experiment(
    scenario: str,
    recommenders: Iterable[str | Arm],
    seeds: Iterable[int],
    settings: Mapping[str, object] | None = None,
    workers: int | None = None,
    output: str | Path = "runs/experiment",
    *,
    report: Callable[[int, int, sweeping.Record], None] | None = None,
    stop: Callable[[], bool] | None = None,
    command: Sequence[str] | None = None,
) -> Experiment:
    """Run every recommender with every seed, and collect the measures.

    Args:
        scenario: name of a scenario, or path of a scenario file.
        recommenders: names (parameters in brackets, as in `contentknn(modality=cover)`) or `Arm`s.
        seeds: the worlds' seeds; all recommenders meet in the same worlds.
        settings: other settings of the runs, the same for all (`users`, `horizon`, `catalog`, ...).
        workers: worlds at a time; as many as the cores hold unless given.
        output: folder of the experiment. Where it is one already, its finished worlds are reused after checking that
            their configuration is the same, and its unfinished ones are continued.
        report: is called after each world that was run, as in `simulator.cli.sweep.sweep`.
        stop: when it says so, running worlds are asked to checkpoint, and no other is started.
        command: what runs one world; `key=value` arguments are appended.

    Raises:
        InputError: a setting is wrong, or the folder holds something else than this experiment.
        SweepError: some worlds failed or were stopped; those that ended are kept for the next try.
    """
    folder = Path(output)
    grid = plan(scenario, recommenders, seeds, settings or {}, folder)
    _claim(folder, scenario)
    waiting = [config for _, config in grid if not _is_finished(config)]
    if waiting:
        at_a_time = sweeping.default_workers(waiting) if workers is None else workers
        sweeping.sweep(waiting, at_a_time, report, stop, COMMAND if command is None else command)
    rows = [
        (Path(scenario).stem, arm.name, config.seed, measure, value)
        for arm, config in grid
        for measure, value in _measures(_output(config)).items()
    ]
    return Experiment(pd.DataFrame(rows, columns=list(COLUMNS)), folder)


def plan(
    scenario: str,
    recommenders: Iterable[str | Arm],
    seeds: Iterable[int],
    settings: Mapping[str, object],
    folder: Path,
) -> list[tuple[Arm, RunConfig]]:
    """List every world with its complete configuration, in order of recommenders, then seeds. Nothing is made.

    Raises:
        InputError: a setting is wrong, or two recommenders have one name or one folder.
    """
    for name in settings:
        if name in _RESERVED or name.startswith(PARAMETER_PREFIX):
            right = "parameters of a recommender go in brackets: itemknn(neighbors=50)"
            raise InputError("experiment", f"{name} is no setting that all worlds share", right)
    arms = [each if isinstance(each, Arm) else read_arm(each) for each in recommenders]
    numbers = list(seeds)
    for what, found in (("recommender", [arm.name for arm in arms]), ("seed", numbers)):
        if not found or len(set(found)) < len(found):
            raise InputError("experiment", f"{what}s {', '.join(map(str, found)) or '(none)'}", "expected each once")
    places = [arm.place or safe_name(arm.name) for arm in arms]
    if len(set(places)) < len(places):
        raise InputError("experiment", f"two recommenders would share a folder: {', '.join(places)}", "rename an Arm")
    shared = {"features": True, **settings}  # worlds are judged offline, with models of content too
    grid: list[tuple[Arm, RunConfig]] = []
    for arm, place in zip(arms, places, strict=True):
        check_recommender_name(arm.recommender)
        treated = {
            **{key: each for key, each in shared.items() if SHORT.get(key, key) not in arm.settings},
            **arm.settings,
        }
        changes = {key.removeprefix(CHANGE_PREFIX): v for key, v in treated.items() if key.startswith(CHANGE_PREFIX)}
        defaults = load_scenario(scenario, changes).defaults.model_dump()
        parameters = {PARAMETER_PREFIX + name: value for name, value in arm.parameters.items()}
        for seed in numbers:
            own: dict[str, object] = {"scenario": scenario, "recommender": arm.recommender, "seed": seed, **parameters}
            own["output"] = folder / f"{place}-s{seed}"
            wanted = {**seeded(treated, seed), **own}
            grid.append((arm, complete(resolve(wanted.items(), where="experiment"), defaults)))
    return grid


def _claim(folder: Path, scenario: str) -> None:
    """Make the experiment's folder, or see that it is one of the same scenario and the same engine."""
    from simulator.engine.jit.compile import source_hash

    identity = {"scenario": load_scenario(scenario).hash, "beholder": __version__, "engine": source_hash()}
    path = folder / IDENTITY
    if path.is_file():
        try:
            before = json.loads(path.read_text())
        except json.JSONDecodeError as error:
            raise InputError(str(path), f"is broken: {error}", "give another output") from None
        changed = [name for name, value in identity.items() if before.get(name) != value]
        if changed:
            wrong = f"the {' and the '.join(changed)} changed since these worlds were run"
            raise InputError(str(folder), wrong, "give another output; worlds of both must not be compared")
        return
    with disk_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise InputError(str(folder), f"holds something, but no {IDENTITY}", "give a new output")
    write_json(path, identity)


def _is_finished(config: RunConfig) -> bool:
    """Tell whether a world has its measures already; what is there must be this world, finished or not."""
    folder = _output(config)
    if not folder.exists():
        return False
    if not (folder / CONFIG).is_file():  # killed in its first moment
        if not clear_beginning(folder):
            raise InputError(str(folder), f"holds something, but no {CONFIG}", "expected a run; give another output")
        return False
    wanted, there = _essence(config), _essence(RunConfig.from_yaml(folder / CONFIG))
    if config.items is None:  # a real catalog says it itself
        there.pop("items", None)
    different = sorted(name for name in {*wanted, *there} if wanted.get(name) != there.get(name))
    if different:
        name = different[0]
        wrong = f"was run with {name} = {there.get(name)}, and {wanted.get(name)} is asked for"
        raise InputError(str(folder), wrong, "give another output, or the settings that the experiment began with")
    return (folder / MANIFEST).is_file()  # the last file that a run writes


def _essence(config: RunConfig) -> dict[str, object]:
    return {name: value for name, value in config.settings().items() if name not in _FREE}


def _measures(folder: Path) -> dict[str, float]:
    path = folder / METRICS
    try:
        loaded = json.loads(path.read_text())
        return {name: float("nan") if value is None else float(value) for name, value in loaded.items()}
    except (json.JSONDecodeError, AttributeError, TypeError, ValueError) as error:
        raise InputError(str(path), f"is no table of measures ({error})", "remove this world's folder") from error


def _output(config: RunConfig) -> Path:
    if config.output is None:
        raise InputError("experiment", "a world has no output", "expected a folder for each")
    return config.output
