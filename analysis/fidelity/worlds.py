"""One world of a fidelity report: run with what its targets need, and measured."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.fidelity.readings import Log, read
from analysis.kept_worlds import World as KeptWorld
from simulator.config import complete, resolve
from simulator.scenario.load import load_scenario
from simulator.scenario.schema.readings import LearnabilityReading, MeanReading, MeasureReading
from simulator.scenario.schema.units import parse_unit

if TYPE_CHECKING:
    from simulator.records.result import RunResult
    from simulator.scenario.schema.targets import Target
    from simulator.world import World


def live(world: KeptWorld[None]) -> dict[str, float]:
    """Run a world and return what was measured of every target, in the target's unit; NaN where there was nothing."""
    from simulator.world import run_world  # loads numba

    config = resolve([("scenario", world.scenario), *world.settings.items()], where="fidelity")
    scenario = load_scenario(config.scenario, config.scenario_changes)
    config = complete(config, scenario.defaults.model_dump())
    readings = [target.measure for target in scenario.targets.values()]
    logged = any(not isinstance(reading, MeasureReading) for reading in readings)
    asks_late = any(isinstance(reading, MeanReading) and reading.late is not None for reading in readings)
    lateness = Lateness()
    result = run_world(
        replace(config, log="full" if logged else "metrics"), watch=lateness.watch if asks_late else None
    )
    log = Log(
        truth=result.truth if logged else pd.DataFrame(),
        items=result.items,
        types=list(scenario.item_types),
        modalities=list(scenario.modalities),
        horizon=float(result.manifest["horizon_seconds"]),
        late=lateness.frame if asks_late else None,
        platform=result.platform if any(isinstance(each, LearnabilityReading) for each in readings) else None,
        label=scenario.platform.labels[scenario.platform.label],
        users=int(result.manifest["users"]),
    )
    return {name: _measured(name, target, result, log) for name, target in scenario.targets.items()}


def _measured(name: str, target: Target, result: RunResult, log: Log) -> float:
    if isinstance(target.measure, MeasureReading):
        value = result.manifest["targets"][name]["measured"]
        return np.nan if value is None else float(value)
    return read(log, target.measure) / parse_unit(target.unit).factor


class Lateness:
    """Which cases came late, noted from a world after every tick: not every log has what was promised.

    A case that ends in the very tick in which it came is missed; nobody rates as soon as that.
    """

    def __init__(self) -> None:
        self._late: dict[tuple[int, int], bool] = {}

    def watch(self, world: World) -> None:
        """Note which open cases have come late, or in time."""
        if world.cases is None:
            return
        cases = world.cases.case_state.cases
        came = cases[(cases["open"] == 1) & np.isfinite(cases["promised"]) & np.isfinite(cases["fulfilled"])]
        late = came["fulfilled"] > came["promised"]
        keys = zip(came["user"].tolist(), came["case"].tolist(), strict=True)
        self._late.update(zip(keys, late.tolist(), strict=True))

    @property
    def frame(self) -> pd.DataFrame:
        """Return user, case and whether it came late, a row per case."""
        rows = [(user, case, late) for (user, case), late in self._late.items()]
        types = {"user": "UInt32", "case": "UInt32", "late": "bool"}
        return pd.DataFrame(rows, columns=list(types)).astype(types)
