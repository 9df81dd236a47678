"""Files about a run: `items.parquet` when it begins, `users.parquet` and two of JSON when it ends."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from recommenders.contract import places_of
from recommenders.contract.places import fallback
from simulator.engine.jit.compile import source_hash
from simulator.records.parts import told_of_parts
from simulator.records.run_folder import MANIFEST, METRICS, peak_memory, versions, write_atomic, write_json
from simulator.scenario.checks.provenance import provenance_summary
from simulator.scenario.schema.targets import role_of

if TYPE_CHECKING:
    from recommenders.contract import Catalog, Recommender
    from simulator.records.log_writer import LogWriter
    from simulator.scenario.schema.scenario import Scenario


ITEMS, USERS = "items.parquet", "users.parquet"
FEATURES = "features"
SOURCE_IDS = {"item": "source_items.parquet", "user": "source_users.parquet"}
SourceIds = Mapping[str, npt.NDArray[np.str_]]
"""The names of `item` and `user` in the folder that a run is grounded in; empty where there is none."""


def write_items(folder: Path, public: Catalog, source_ids: SourceIds, features: bool = False) -> None:
    """Write what recommenders may know of the items, one row per item in order of number, and the names that items and
    users of a real folder have there: number in the run -> id, a file each. With `features`, these too, a file each.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    content = io.BytesIO()
    pq.write_table(pa.table(dict(public.columns)), content, compression="zstd")
    write_atomic(folder / ITEMS, content.getvalue())
    for what, names in source_ids.items():
        content = io.BytesIO()
        table = pa.table({what: np.arange(len(names), dtype=np.uint32), "id": pa.array(names.tolist(), pa.string())})
        pq.write_table(table, content, compression="zstd")
        write_atomic(folder / SOURCE_IDS[what], content.getvalue())
    for name in public.features if features else ():
        content = io.BytesIO()
        np.save(content, public.features[name])
        (folder / FEATURES).mkdir(exist_ok=True)
        write_atomic(folder / FEATURES / f"{name}.npy", content.getvalue())


def write_users(folder: Path, churned: npt.NDArray[np.bool_]) -> None:
    """Write what became of the users and stands in no log, one row per user in order of number."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    content = io.BytesIO()
    table = pa.table({"user": np.arange(len(churned), dtype=np.uint32), "churned": churned})
    pq.write_table(table, content, compression="zstd")
    write_atomic(folder / USERS, content.getvalue())


class RunFacts(NamedTuple):
    """Hold the facts of a run that has ended, for its manifest."""

    scenario: Scenario
    seed: int
    churned: npt.NDArray[np.bool_]  # (users,), whether a user left for good
    items: int
    horizon: float  # s
    recommender: Recommender
    fitted_at: list[float]  # s
    versions: int  # models that were put in charge
    setting: dict[str, Any]  # what was calibrated and assumed
    events: dict[str, int]
    wall: float  # s
    log: LogWriter
    identity: Mapping[str, Any]
    queues: Mapping[str, Any]  # what their servers did by hour of the day
    measured: Mapping[str, float]  # by target, of those that take no log
    policies: Mapping[str, Any]  # who serves which stage


def write_results(folder: Path | None, facts: RunFacts, metrics: dict[str, float]) -> dict[str, Any]:
    """Write measures, manifest and users (if there is a folder), and return the manifest."""
    scenario, recommender, log = facts.scenario, facts.recommender, facts.log
    manifest: dict[str, Any] = {
        "scenario": {
            "name": scenario.scenario,
            "version": scenario.version,
            "hash": scenario.hash,
            "tick_seconds": scenario.clock.tick.value,
        },
        "seed": facts.seed,
        "users": len(facts.churned),
        "items": facts.items,
        "horizon_seconds": facts.horizon,
        "recommender": {
            "name": recommender.name,
            "reproducibility": recommender.reproducibility,
            "fitted_at_seconds": facts.fitted_at,
            "versions": facts.versions,
            "warm_up": scenario.platform.warm_up,
            "label": scenario.platform.label,
            "fallback": fallback(places_of(recommender)),
            "serves": facts.policies["serves"],
        },
        "policies": facts.policies["policies"],
        "versions": versions() | {"engine": source_hash()},
        "wall_seconds": facts.wall,
        "writer_seconds": log.seconds,
        "peak_memory_bytes": peak_memory(),
        "events": facts.events,
        "queues_by_hour": facts.queues,
        "log": {
            kind: {"rows": totals.rows, "hash": f"{totals.hash:016x}"}
            for kind, totals in log.totals.items()
            if log.whole
        },
        "parts": told_of_parts(log.closed),
        "identity": facts.identity,
        "provenance": provenance_summary(scenario),
        "setting": facts.setting,
        "targets": {
            name: {
                "value": target.value,
                "measured": facts.measured.get(name),
                "unit": target.unit,
                "role": role_of(name),
                "see": target.see,
            }
            for name, target in scenario.targets.items()
        },
    }
    if folder is not None:
        write_users(folder, facts.churned)
        write_json(folder / METRICS, metrics)
        write_json(folder / MANIFEST, manifest)
    return manifest
