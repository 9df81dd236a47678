"""Runs one world of a knock-out, in whatever process: a log that is left, a model judged offline, a world served."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import simulator
from analysis.kept_worlds import World, changes_of
from analysis.knockout.design import Judged, Logged, Served
from analysis.knockout.measures import OFFLINE, measured
from analysis.offline import FinishedRun, finished_run, label_of, read_platform_log
from recommenders.evaluation.dataset import Dataset
from recommenders.evaluation.protocol import evaluate, judge
from recommenders.evaluation.splits import SPLITS
from simulator.config import PARAMETER_PREFIX
from simulator.errors import InputError
from simulator.population.blinded import blinded
from simulator.records.beginning import clear_beginning
from simulator.records.run_folder import CONFIG, MANIFEST, write_json
from simulator.scenario.load import load_scenario

NEGATIVES = 99
"""Items that a held-out one is ranked among, in the measures that are `... of 99`."""


def leave_log(world: World[Logged], folder: Path) -> dict[str, float]:
    """Run a world that leaves its platform's log in a folder of its own, or go on with it where it was stopped."""
    there = folder / world.place
    if (there / CONFIG).is_file():
        result = simulator.resume(there)
    else:
        if there.exists():
            clear_beginning(there)
        own = dict(world.settings)
        name = str(own.pop("recommender"))
        result = simulator.run(world.scenario, name, output=there, **own)  # type: ignore[arg-type]
    return {name: value for name, value in result.metrics.items() if isinstance(value, int | float)}


def judge_offline(world: World[Judged], folder: Path) -> dict[str, float]:
    """Judge a recommender on the log that a world left, and keep the settings that did best, where several are tried.

    Measures are NaN where the log holds no positive, or no user who has one of either part.

    Raises:
        RecommenderError: the recommender cannot learn from this log, and says why.
    """
    asked = world.question
    run = finished_run(_log(folder, asked.log))
    data = _data_of(run, asked)
    given = dict.fromkeys(OFFLINE, np.nan) | {f"{name} of {NEGATIVES}": np.nan for name in OFFLINE}
    settings: dict[str, Any] = dict(asked.arm.parameters)
    given["positives"] = float(len(data.positives))
    if len(data.positives):
        parts = SPLITS[asked.split](data, asked.seed)
        found = evaluate(
            data, parts, asked.arm.recommender, settings, cutoffs=(20,), search=asked.tries, seed=asked.seed
        )
        settings = dict(found.parameters)
        few = judge(found.recommender, parts.train, parts.test, data, (20,), NEGATIVES, asked.seed)
        for judgment, among in ((found.test, ""), (few, f" of {NEGATIVES}")):
            if len(judgment.users):
                given |= {f"{name}{among}": float(judgment.means[name]) for name in OFFLINE}
    write_json(_settings_file(folder, world.place), settings)
    return given


def serve(world: World[Served], folder: Path) -> dict[str, float]:
    """Run a world whose recommender was learned from another world's log, and measure it."""
    asked = world.question
    own, log = dict(world.settings), _log(folder, asked.log)
    if asked.tuned:
        own |= {PARAMETER_PREFIX + name: value for name, value in _chosen(folder, asked.tuned).items()}
    name = str(own.pop("recommender"))
    result = simulator.run(world.scenario, name, log="full", log_from=log, **own)  # type: ignore[arg-type]
    scenario = load_scenario(world.scenario, changes_of(world.settings))
    return measured(result, scenario, asked.modality, positives_per_user(finished_run(log)))


def positives_per_user(run: FinishedRun) -> pd.Series:
    """Return how many positives each user left in a run's platform log, by user; users without any are not there."""
    label = label_of(run.scenario)
    log = read_platform_log(run.folder, run.n_users, run.n_items, label.events)
    return pd.Series(log.positives(label, run.catalog(label.or_item)).user).value_counts()


def _data_of(run: FinishedRun, asked: Judged) -> Dataset:
    """Return the positives of a log, with the features that the recommender is handed."""
    label = label_of(run.scenario)
    log = read_platform_log(run.folder, run.n_users, run.n_items, label.events)
    positives = log.positives(label, run.catalog(label.or_item))
    catalog = blinded(run.catalog("type"), asked.blind, list(run.scenario.modalities), asked.seed)
    users, items = np.arange(run.n_users), np.arange(run.n_items)
    return Dataset(run.folder.name, positives, False, True, None, run.n_users, catalog, users, items, label.name)


def _log(folder: Path, place: str) -> Path:
    """Return the folder of a log that was left. Raises InputError where it is gone and its measures are still there."""
    there = folder / place
    if not (there / MANIFEST).is_file():
        raise InputError(str(there), "the log of this world is gone", f"remove {there}.json, and it is run again")
    return there


def _chosen(folder: Path, place: str) -> dict[str, Any]:
    """Return the settings that did best offline. Raises InputError where they are gone or broken."""
    path = _settings_file(folder, place)
    try:
        found: dict[str, Any] = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        right = f"remove {folder / place}.json, and they are tried again"
        raise InputError(str(path), f"holds no settings ({error})", right) from error
    return found


def _settings_file(folder: Path, place: str) -> Path:
    return folder / f"{place}.settings.json"
