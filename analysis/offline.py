"""Offline learnability of a run's platform log: how dense its positives are, and how far item-kNN gets.

Both are properties of the log as the platform recorded it, by the scenario's own label, judged in the same way as the
real sets (`recommenders.evaluation.offline`).
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from recommenders.contract import COLUMNS as LOG_COLUMNS, Catalog, Columns, Label, LazyFeatures, PlatformLog
from recommenders.data.features import feature_files, read_features
from recommenders.evaluation import offline
from recommenders.evaluation.splits import SPLITS
from simulator.config import RunConfig
from simulator.errors import InputError, check_known
from simulator.records.manifest import ITEMS
from simulator.records.run_folder import CONFIG, MANIFEST
from simulator.scenario.load import load_scenario
from simulator.scenario.schema.scenario import Scenario

LOG = "platform"
SPLITS_OF_LOGS = [name for name in SPLITS if name != "given"]
"""Ways to split the log of a run, which never has a split of its own."""
FOUND = ("positives", "density", "recall_popularity", "recall_itemknn", "ratio", "shrink", "n_test_users")


def learnability(folders: Iterable[str | Path], label: str | None = None, seed: int = 0) -> pd.DataFrame:
    """Return density and learnability of the platform logs of finished runs.

    Args:
        folders: run folders, each with its platform log.
        label: one of the scenario's labels; its own choice (`platform.label`) unless given.
        seed: of the split and of ties.

    Returns:
        One row per run: run, scenario, recommender, seed, label, positives (distinct user-item pairs), density (their
        share of users x items), recall_popularity and recall_itemknn (Recall@20 on a held-out tenth, training items
        masked), ratio of the two, shrink (that item-kNN chose), n_test_users.

    Raises:
        InputError: a folder is no finished run, has no platform log, or the log is broken; or the run's scenario is
            no longer what it was.
    """
    rows = [_learnability(Path(folder), label, seed) for folder in folders]
    return pd.DataFrame(rows, columns=["run", "scenario", "recommender", "seed", "label", *FOUND])


def _learnability(folder: Path, label_name: str | None, seed: int) -> dict[str, object]:
    run = finished_run(folder)
    label = label_of(run.scenario, label_name)
    log = read_platform_log(folder, run.n_users, run.n_items, label.events)
    positives = log.positives(label, run.catalog(label.or_item))
    found = offline.learnability(positives, run.n_users, run.n_items, seed)
    named = {"run": str(folder), "scenario": run.scenario.scenario, "recommender": run.config.recommender}
    return {**named, "seed": run.config.seed, "label": label.name, "positives": len(positives), **found}


@dataclass(frozen=True)
class FinishedRun:
    """A finished run, as its folder describes it."""

    folder: Path
    config: RunConfig
    scenario: Scenario
    n_users: int
    n_items: int

    def catalog(self, column: str | None) -> Catalog:
        """Return the run's items with one of their public columns, or none, and the features that were written.

        Raises:
            InputError: the items have no such column.
        """
        files = feature_files(self.folder)
        features = LazyFeatures({name: lambda file=file: read_features(file) for name, file in files.items()})  # type: ignore[misc]
        if column is None:
            return Catalog(self.n_items, {}, features)
        path = self.folder / ITEMS
        known = pq.read_schema(path).names
        check_known(str(path), "column of items", [column], sorted(known))
        return Catalog(self.n_items, {column: pq.read_table(path, columns=[column])[column].to_numpy()}, features)


def finished_run(folder: Path) -> FinishedRun:
    """Read what `config.yaml` and `manifest.json` of a run say.

    Raises:
        InputError: it is no run, or not finished; or its scenario has changed since.
    """
    if not (folder / CONFIG).is_file():
        raise InputError(str(folder), f"is no run: it has no {CONFIG}", "expected the folder of a run")
    path = folder / MANIFEST
    if not path.is_file():
        raise InputError(str(folder), "is not finished", f"python -m simulator resume={folder}")
    config = RunConfig.from_yaml(folder / CONFIG)
    scenario = load_scenario(config.scenario, config.scenario_changes)
    try:
        manifest = json.loads(path.read_text())
        then, users, items = manifest["scenario"]["hash"], int(manifest["users"]), int(manifest["items"])
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(str(path), f"is broken ({error})", "expected scenario.hash, users and items") from error
    if then != scenario.hash:
        wrong = f"was run with another content of {scenario.shown}"
        raise InputError(str(folder), wrong, "expected the scenario as it was then, or a new run")
    return FinishedRun(folder, config, scenario, users, items)


def label_of(scenario: Scenario, name: str | None = None) -> Label:
    """Return what counts as a positive in a scenario, as recommenders understand it.

    Raises:
        InputError: the scenario has no such label.
    """
    chosen = scenario.platform.label if name is None else name
    check_known(scenario.shown, "label", [chosen], scenario.platform.labels)
    found = scenario.platform.labels[chosen]
    at_least = None if found.at_least is None else found.at_least.value
    return Label(chosen, tuple(found.events), at_least, found.or_item)


def read_platform_log(folder: Path, n_users: int, n_items: int, events: Collection[str] | None = None) -> PlatformLog:
    """Read the platform log of a run folder.

    Args:
        folder: the run's folder.
        n_users: users of the run.
        n_items: items of the run.
        events: read only rows of these events; all rows unless given. They are known to the log, also those that
            never happened.

    Raises:
        InputError: there is no log, a file is broken or lacks a column, or a row names a user or item out of range.
    """
    paths = sorted((folder / LOG).glob("*.parquet"))
    if not paths:
        right = "expected a run with log=full or log=platform, long enough for anything to be logged"
        raise InputError(str(folder / LOG), "holds no platform log", right)
    tables = [_part(path, events) for path in paths]
    names: dict[str, tuple[str, ...]] = {}
    columns: dict[str, npt.NDArray[np.generic]] = {}
    for column in LOG_COLUMNS:
        pieces = [table[column.name] for table in tables]
        if column.coded:
            also = events if column.name == Columns.event.name and events is not None else ()
            texts = pa.chunked_array([chunk for piece in pieces for chunk in piece.chunks], pa.string())
            known = [text for text in pc.unique(texts).to_pylist() if text is not None]
            names[column.name] = tuple(dict.fromkeys([*sorted(known), *sorted(also)]))
            codes = pc.index_in(texts, pa.array(names[column.name], pa.string()))
            filled = pc.fill_null(codes, int(column.absent)).to_numpy()
            columns[column.name] = filled.astype(column.dtype)
        else:
            columns[column.name] = np.concatenate([_numbers(piece, column.absent, column.dtype) for piece in pieces])
    _check_range(folder, columns, n_users, n_items)
    # np.lexsort: the last key is the first to sort by.
    order = np.lexsort([columns[name] for name in ("position", "event", "time", "user", "logged_at")])
    return PlatformLog.from_columns({name: each[order] for name, each in columns.items()}, names, n_users, n_items)


def _part(path: Path, events: Collection[str] | None) -> pa.Table:
    try:
        there = pq.read_schema(path).names
        missing = [column.name for column in LOG_COLUMNS if column.name not in there]
        if missing:
            raise InputError(str(path), f"has no column {', '.join(missing)}", "expected a platform log")
        table = pq.read_table(path, columns=[column.name for column in LOG_COLUMNS])
        for column in LOG_COLUMNS:
            if column.coded:  # dictionaries may differ from part to part; their names do not
                place = table.schema.get_field_index(column.name)
                table = table.set_column(place, column.name, table[column.name].cast(pa.string()))
        if events is None:
            return table
        return table.filter(pc.is_in(table["event"], pa.array(sorted(events), pa.string())))
    except (pa.ArrowException, OSError) as error:
        wrong = f"cannot be read as Parquet ({str(error).splitlines()[0]})"
        raise InputError(str(path), wrong, "expected a part of a platform log") from error


def _numbers(values: pa.ChunkedArray, absent: float | int, dtype: np.dtype) -> npt.NDArray[np.generic]:
    filled = pc.fill_null(values, pa.scalar(absent, values.type)).to_numpy()
    return np.asarray(filled).astype(dtype, casting="same_kind")


def _check_range(folder: Path, columns: Mapping[str, npt.NDArray[np.generic]], n_users: int, n_items: int) -> None:
    for name, number in (("user", n_users), ("item", n_items)):
        values = columns[name]
        present = values[values != Columns.item.absent] if name == "item" else values
        highest = int(present.max()) if present.size else -1
        if highest >= number:
            raise InputError(str(folder / LOG), f"names {name} {highest}", f"the run has {number}, from 0")
