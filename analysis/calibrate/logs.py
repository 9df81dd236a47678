"""Figures from a platform's own log: each reading with its sampling error, and the same of users that were held out."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from analysis.calibrate.figures import Figure
from analysis.calibrate.platform_readings import of_platform, readable, unreadable
from analysis.calibrate.worlds import on_platform
from analysis.fidelity.readings import Log
from analysis.kept_worlds import World
from analysis.offline import finished_run
from simulator.config import PARAMETER_PREFIX
from simulator.errors import InputError
from simulator.records.manifest import ITEMS
from simulator.records.parts import PLATFORM, read_parts
from simulator.records.result import RunResult
from simulator.records.run_folder import MANIFEST
from simulator.scenario.schema.scenario import Scenario
from simulator.scenario.schema.targets import role_of

GROUPS = 20
"""Groups of users, of which each is left out once to see how sure a reading is."""
SUREST = 0.005
"""Of a figure's value: a log tells nothing more exactly than that."""
CARRIED = ("users", "items", "horizon", "recommender", "first_fit", "refit")
"""Settings of a run of our own that worlds share with it unless others are given."""


@dataclass(frozen=True)
class FromLog:
    """Hold what a log tells.

    Attributes:
        name: of the log, in words.
        figures: by target, whose distance is their standard error.
        held_out: the same readings of the users that were held out; empty where none were.
        unread: targets that it does not tell, with why.
        settings: that worlds share with it.
        live: runs a world and measures it in the same way.
    """

    name: str
    figures: Mapping[str, Figure]
    held_out: Mapping[str, Figure]
    unread: Mapping[str, str]
    settings: Mapping[str, object]
    live: Callable[[World[None]], dict[str, float]]


def of_run(folder: Path, scenario: Scenario, names: Sequence[str], held_out: float) -> FromLog:
    """Read the figures of a scenario's targets from the platform log of a finished run.

    Args:
        folder: of the run.
        scenario: that is to be calibrated.
        names: of targets that are to steer; all that can be read unless named.
        held_out: share of the users who are held out.

    Raises:
        InputError: it is no finished run of this scenario, has no platform log, or a part cannot be read; a target that
            is named cannot be read; or none that may steer can.
    """
    run = finished_run(folder)
    if run.scenario.path is None or scenario.path is None or run.scenario.path.name != scenario.path.name:
        raise InputError(str(folder), f"is a run of {run.scenario.shown}", f"expected one of {scenario.shown}")
    for name in names:
        why = unreadable(scenario, name)
        if why:
            raise InputError(str(folder), f"does not tell {name}: {why}", "leave it out of targets=")
    unread = {name: unreadable(scenario, name) for name in scenario.targets}
    wanted = [name for name in readable(scenario) if not names or name in names or role_of(name) == "check"]
    log = _log(folder, scenario, run.n_users)

    def reader(part: Log) -> dict[str, float]:
        return {name: of_platform(part, scenario, name) for name in wanted}

    carried = {key: value for key, value in run.config.settings().items() if key in CARRIED}
    carried |= {key: value for key, value in run.config.settings().items() if key.startswith(PARAMETER_PREFIX)}
    sizes: dict[str, object] = {**carried, "users": run.n_users, "items": run.n_items}
    found = figures(log, reader, scenario, held_out, str(folder))
    return FromLog(str(folder), *found, {name: why for name, why in unread.items() if why}, sizes, on_platform)


def _log(folder: Path, scenario: Scenario, users: int) -> Log:
    if not read_parts(folder, PLATFORM):
        raise InputError(str(folder), "holds no platform log", "expected a run with log=full or log=platform")
    try:
        manifest = json.loads((folder / MANIFEST).read_text())
        items = pq.read_table(folder / ITEMS)
        columns = {name: items[name].to_numpy() for name in items.column_names}
        result = RunResult({}, manifest, folder, {}, columns)
        return Log(
            truth=result.platform,
            items=result.items,
            types=list(scenario.item_types),
            horizon=float(manifest["horizon_seconds"]),
            platform=result.platform,
            label=scenario.platform.labels[scenario.platform.label],
            users=users,
        )
    except (pa.ArrowException, OSError, ValueError, KeyError) as error:
        wrong = f"holds a file that cannot be read ({str(error).splitlines()[0]})"
        raise InputError(str(folder), wrong, "expected the files of a run, as they were written") from error


def figures(
    log: Log, reader: Callable[[Log], dict[str, float]], scenario: Scenario, held_out: float, shown: str
) -> tuple[dict[str, Figure], dict[str, Figure]]:
    """Return the readings of a log as figures, and those of the users who are held out.

    The standard error of each is that of a jackknife over groups of users. Whoever is held out does so by number, so
    that it is the same users each time.

    Raises:
        InputError: there is nothing to read of any target with role fit.
    """
    order = np.random.default_rng(0).permutation(_most_users(log))
    part = order / max(len(order), 1)
    kept = _figures(_users(log, part >= held_out), reader, scenario, order)
    left = _figures(_users(log, part < held_out), reader, scenario, order) if held_out > 0 else {}
    if not any(each.steers for each in kept.values()):
        raise InputError(shown, "tells no target with role fit", "expected a log with what those are read from")
    return kept, left


def _figures(
    log: Log, reader: Callable[[Log], dict[str, float]], scenario: Scenario, order: np.ndarray
) -> dict[str, Figure]:
    whole = reader(log)
    group = order % GROUPS
    without = [reader(_users(log, group != k)) for k in range(GROUPS)]
    found: dict[str, Figure] = {}
    for name, value in whole.items():
        parts = np.array([each[name] for each in without])
        if not np.isfinite(value) or value == 0 or not np.isfinite(parts).all():
            continue  # too little of it to be a figure
        error = float(np.sqrt((GROUPS - 1) * parts.var()))
        near = max(error, SUREST * abs(value))
        found[name] = Figure(name, value, near, near, scenario.targets[name].unit)
    return found


def _users(log: Log, chosen: np.ndarray) -> Log:
    """Return the part of a log that is of these users, a flag for each."""
    rows = log.truth[chosen[log.truth["user"].to_numpy(dtype=np.int64)]]
    late = None if log.late is None else log.late[chosen[log.late["user"].to_numpy(dtype=np.int64)]]
    return replace(
        log,
        truth=rows,
        platform=None if log.platform is None else rows,
        late=late,
        users=int(chosen[: log.users].sum()),
    )


def _most_users(log: Log) -> int:
    return max(log.users, int(log.truth["user"].max()) + 1 if len(log.truth) else 0)
