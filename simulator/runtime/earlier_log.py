"""The log of another run before time 0: what the platform of a world knows from a world that was lived before.

Both worlds have the same users, items and tastes; what is visible, who recommends and what the platform does may
differ. The other run's horizon is this one's time 0.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from recommenders.contract import COLUMNS, PlatformLog
from recommenders.contract.columns import Columns
from simulator.config import RunConfig
from simulator.errors import InputError
from simulator.population.likeness import differing
from simulator.population.setting import Setting
from simulator.records.parts import PLATFORM, TRUTH, check_parts, parts_told, read_parts
from simulator.records.platform_log import read_columns
from simulator.records.run_folder import CONFIG, MANIFEST
from simulator.runtime.identity import files_of

Rows = dict[str, npt.NDArray[Any]]
STRETCH = 1 << 16
"""Visits and cases of a run that begins with a log are numbered from the next multiple of this on: they are later ones
of the same users. So their luck is not that of the visits that were learned from, and is the same whatever the log."""

_SAME = "expected a run with this one's scenario, seed, users, items and catalog: they are to be the same people"


def with_log_from(setting: Setting, config: RunConfig, learners: Sequence[str]) -> Setting:
    """Return a setting whose platform begins with the log of the run that `config.log_from` names.

    Rows on items that are published only during this run are left out, so that these are new to the platform. Rows
    that had not arrived by the other run's horizon are not in its log. `learners` are the names of those who are fitted
    on it, for the manifest: where nobody learns it changes nothing but who answers from time 0 on.

    Raises:
        InputError: it is no run that has ended, has no platform log, or one that is damaged; its users or items are
            others; or its log holds names that the scenario does not know.
    """
    folder = config.log_from
    assert folder is not None
    manifest = _manifest(folder)
    try:
        _check_same(setting, config, folder, manifest)
        horizon, parts = float(manifest["horizon_seconds"]), parts_told(manifest["parts"])
        recommender, recorded = manifest["recommender"]["name"], manifest["identity"]["settings"].get("log", "full")
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        wrong = "does not say what the run was and wrote: it is damaged, or of an older version"
        raise InputError(str(folder / MANIFEST), wrong, "run it again") from error
    if recorded == "metrics":
        raise InputError(str(folder), "has no platform log: it ran with log=metrics", "run it with log=platform")
    if not parts.get(PLATFORM):
        raise InputError(str(folder), "has an empty platform log", "expected a longer run, or one with more users")
    check_parts(folder, parts, None, (PLATFORM,))
    rows, to_come = _rows(setting, folder, horizon)
    first = {
        name: _next(folder, rows[name], absent) for name, absent in (("session", None), ("case", Columns.case.absent))
    }
    said = {
        "run": str(folder),
        "recommender": recommender,
        "horizon_seconds": horizon,
        "rows": len(rows["time"]),
        "rows_not_arrived": _not_arrived(folder, horizon),
        "rows_on_items_to_come": to_come,
        "learners": list(dict.fromkeys(learners)),
    }
    state = setting.users.state.copy()
    state["visits"], state["cases"] = first["session"], first["case"]
    return replace(
        setting,
        users=setting.users._replace(state=state),
        warm=_joined(setting, rows, horizon),
        facts=setting.facts | {"log_from": said},
    )


def _manifest(folder: Path) -> Mapping[str, Any]:
    """Read the manifest of a run that has ended."""
    if not (folder / CONFIG).is_file():
        raise InputError(str(folder), f"is no run: it has no {CONFIG}", "expected log_from=FOLDER of a run that ended")
    path = folder / MANIFEST
    if not path.is_file():
        raise InputError(str(folder), "has not ended", f"end it with python -m simulator resume={folder}")
    try:
        loaded = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(str(path), f"cannot be read ({error})", "run it again") from error
    if not isinstance(loaded, dict):
        raise InputError(str(path), "is no table", "run it again")
    return loaded


def _check_same(setting: Setting, config: RunConfig, folder: Path, manifest: Mapping[str, Any]) -> None:
    """See that the other run had the users, items and tastes of this one."""
    own: dict[str, object] = {
        "scenario": setting.compiled.scenario.scenario,
        "seed": config.seed,
        "users": len(setting.users.state),
        "items": setting.catalog.n_items,
    }
    for name, value in own.items():
        then = manifest["scenario"]["name"] if name == "scenario" else manifest[name]
        if then != value:
            raise InputError(str(folder), f"has {name} = {then}, and this run {value}", _SAME)
    if manifest["identity"]["catalog"] != ({} if config.catalog is None else files_of(config.catalog)):
        raise InputError(str(folder), f"has another catalog than {config.catalog or 'one that is drawn'}", _SAME)
    others = differing(setting.facts["likeness"], manifest["setting"]["likeness"])
    if others:
        wrong = f"has other {' and '.join(others)} than this run, by what is changed of the scenario"
        raise InputError(str(folder), wrong, _SAME)


def _rows(setting: Setting, folder: Path, horizon: float) -> tuple[Rows, int]:
    """Return the other run's rows on what is there at time 0, and the number of rows on items to come."""
    parts = [read_columns(path, setting.compiled.names.by_column) for path in read_parts(folder, PLATFORM)]
    rows: Rows = {c.name: np.concatenate([part[c.name] for part in parts]) for c in COLUMNS}
    _check_range(folder, rows, len(setting.users.state), setting.catalog.n_items)
    to_come = np.append(setting.catalog.published_at > 0.0, False)  # the last place stands for no item
    left_out = to_come[np.minimum(rows["item"], setting.catalog.n_items)]
    rows = {name: column[~left_out] for name, column in rows.items()}
    for name in ("time", "logged_at"):
        rows[name] = rows[name] - horizon
    rows["policy_version"][:] = Columns.policy_version.absent  # which are numbers of the other run's models
    return rows, int(left_out.sum())


def _next(folder: Path, numbers: npt.NDArray[Any], absent: int | float | None) -> int:
    """Return the number of each user's first visit, or case, of this run."""
    there = numbers if absent is None else numbers[numbers != absent]
    first = (int(there.max()) // STRETCH + 1) * STRETCH if there.size else STRETCH
    if first >= np.iinfo(np.uint32).max - STRETCH:
        raise InputError(
            str(folder), "is the last of too many runs, each begun with the log of another", "an earlier one"
        )
    return first


def _check_range(folder: Path, rows: Rows, n_users: int, n_items: int) -> None:
    for name, number in (("user", n_users), ("item", n_items)):
        values = rows[name]
        beyond = values[(values >= number) & (values != Columns.item.absent)]
        if beyond.size:
            raise InputError(str(folder / PLATFORM), f"names {name} {beyond[0]}", f"the run has {number}, from 0")


def _joined(setting: Setting, rows: Rows, horizon: float) -> Rows:
    """Return the rows together with a real log's, where there is one: that is from before the other run."""
    if setting.warm is None:
        return rows
    real = PlatformLog.from_columns(
        setting.warm, setting.compiled.names.by_column, len(setting.users.state), setting.catalog.n_items
    )
    earlier: Rows = {c.name: getattr(real, c.name) for c in COLUMNS}
    earlier |= {name: earlier[name] - horizon for name in ("time", "logged_at")}
    return {name: np.concatenate([earlier[name], column]) for name, column in rows.items()}


def _not_arrived(folder: Path, horizon: float) -> int | None:
    """Count the records that were on their way at the other run's horizon; None where it has no truth log to tell."""
    paths, late = read_parts(folder, TRUTH), 0
    for path in paths:
        try:
            arrives = pq.read_table(path, columns=["logged_at"])["logged_at"].to_numpy()
        except (OSError, pa.ArrowException) as error:
            wrong = f"cannot be read as Parquet ({str(error).splitlines()[0]})"
            raise InputError(str(path), wrong, "put back what the run wrote") from error
        late += int((arrives > horizon).sum())
    return late if paths else None
