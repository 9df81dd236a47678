"""The Python face: run a scenario and get its measures and logs, in a script or a notebook."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from simulator.config import FEATURES_PREFIX, PARAMETER_PREFIX, complete, resolve

if TYPE_CHECKING:
    from simulator.records.result import RunResult
    from simulator.runtime.progress import Progress

TABLES = {"recommender_parameters": PARAMETER_PREFIX, "blinded_features": FEATURES_PREFIX}
"""Keyword arguments that hold several settings, and how the names of these begin on the command line."""


def run(
    scenario: str | os.PathLike[str],
    recommender: object | None = None,
    *,
    report: Callable[[Progress], None] | None = None,
    **settings: object,
) -> RunResult:
    """Run one world.

    Args:
        scenario: name of a scenario, or path of a scenario file.
        recommender: a recommender object, or a name; None takes the scenario's default.
        report: called now and then with a `Progress` (simulator.runtime); a `ProgressLine` shows it on a terminal.
        settings: any setting of the command line (`users=500, horizon="12h", seed=1, output="runs/a"`). Without
            `output` nothing is written. `recommender_parameters={"neighbors": 50}` gives a named recommender its
            parameters, `blinded_features={"cover": "shuffle"}` says what recommenders get for features.

    Returns:
        The run's measures, manifest, and the truth and platform logs as pandas frames.

    Raises:
        InputError: a setting is unknown or wrong.
    """
    from simulator.scenario.load import load_scenario

    named = recommender if isinstance(recommender, str) or recommender is None else import_name(recommender)
    pairs: list[tuple[str, object]] = [("scenario", os.fspath(scenario)), ("recommender", named)]
    pairs += settings_of(settings)
    config = resolve(pairs, where="simulator.run")
    config = complete(config, load_scenario(config.scenario, config.scenario_changes).defaults.model_dump())
    from simulator.world import run_world  # after the settings are checked: this loads numba

    return run_world(config, None if isinstance(recommender, str) else recommender, report=report)


def resume(
    folder: str | os.PathLike[str],
    recommender: object | None = None,
    *,
    report: Callable[[Progress], None] | None = None,
    **settings: object,
) -> RunResult:
    """Continue an unfinished run from its last checkpoint; it ends with the log that an unbroken run would have.

    The recommender that its `config.yaml` names is imported, from the current folder first. A run that has ended is
    left as it is, and its result is read from the folder.

    Args:
        folder: the run's folder.
        recommender: an object with the parameters of the one that the run began with, where it began with an object.
        report: as in `run`.
        settings: only what cannot change a result: `threads`, `window`, `batch`.

    Raises:
        InputError: there is no run in that folder, it is in use, damaged or not what it was begun as, or a setting
            cannot change.
    """
    from simulator.records.run_folder import resumed_config

    config = resumed_config(resolve([("resume", folder), *settings.items()], where="simulator.resume"), settings)
    from simulator.world import run_world  # after the settings are checked: this loads numba

    return run_world(config, recommender, report=report)


def settings_of(settings: dict[str, object]) -> list[tuple[str, object]]:
    """Return the keyword arguments as pairs for `resolve`, those that are tables under dotted names."""
    tables = {name: settings.pop(name, {}) for name in TABLES}
    pairs = list(settings.items())
    for name, table in tables.items():
        if isinstance(table, dict):
            pairs += [(f"{TABLES[name]}{key}", value) for key, value in table.items()]
        else:
            pairs.append((name, table))
    return pairs


def import_name(recommender: object) -> str:
    """Return the name of an object's class in the form that the command line takes: `module:Class`."""
    kind = type(recommender)
    return f"{kind.__module__}:{kind.__qualname__}"
