"""What a run says about itself: `items.parquet` when it begins, `metrics.json` and `manifest.json` when it ends."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simulator.kernel import source_hash
from simulator.run_folder import MANIFEST, METRICS, peak_memory, versions, write_atomic, write_json
from simulator.scenario.provenance import provenance_summary
from simulator.scenario.targets import role_of

if TYPE_CHECKING:
    from recommenders.contract import Catalog
    from simulator.config import RunConfig
    from simulator.world import World


ITEMS = "items.parquet"


def write_items(folder: Path, public: Catalog) -> None:
    """Write what recommenders may know of the items, one row per item in order of number."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    content = io.BytesIO()
    pq.write_table(pa.table(dict(public.columns)), content, compression="zstd")
    write_atomic(folder / ITEMS, content.getvalue())


def write_results(
    folder: Path | None, config: RunConfig, world: World, metrics: dict[str, float], events: dict[str, int], wall: float
) -> dict[str, Any]:
    """Write both files (if there is a folder) and return the manifest."""
    scenario = world.compiled.scenario
    recommender = world.platform.recommender
    manifest: dict[str, Any] = {
        "scenario": {
            "name": scenario.scenario,
            "version": scenario.version,
            "hash": scenario.hash,
            "tick_seconds": scenario.clock.tick.value,
        },
        "seed": config.seed,
        "users": len(world.people.state),
        "items": world.setting.catalog.n_items,
        "horizon_seconds": world.horizon,
        "recommender": {
            "name": recommender.name,
            "reproducibility": recommender.reproducibility,
            "fitted_at_seconds": world.platform.fitted_at,
            "versions": world.platform.version,
            "warm_up": scenario.platform.warm_up,
            "label": scenario.platform.label,
        },
        "versions": versions() | {"engine": source_hash()},
        "wall_seconds": wall,
        "writer_seconds": world.log.seconds,
        "peak_memory_bytes": peak_memory(),
        "events": events,
        "log": {
            kind: {"rows": totals.rows, "hash": f"{totals.hash:016x}"}
            for kind, totals in world.log.totals.items()
            if world.log.recording
        },
        "provenance": provenance_summary(scenario),
        "setting": world.setting.facts,
        "targets": {
            name: {
                "value": target.value,
                "measured": metrics.get(name),
                "unit": target.unit,
                "role": role_of(name),
                "see": target.see,
            }
            for name, target in scenario.targets.items()
        },
    }
    if folder is not None:
        write_json(folder / METRICS, metrics)
        write_json(folder / MANIFEST, manifest)
    return manifest
