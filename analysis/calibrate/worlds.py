"""One world of a calibration: run, and measured as what it is held against was measured."""

from __future__ import annotations

import time
from dataclasses import replace

from analysis.calibrate.platform_readings import of_platform, readable
from analysis.calibrate.trials import SECONDS
from analysis.fidelity.readings import Log
from analysis.fidelity.worlds import live
from analysis.kept_worlds import World
from simulator.config import complete, resolve
from simulator.scenario.load import load_scenario


def on_truth(world: World[None]) -> dict[str, float]:
    """Run a world and measure its targets as a fidelity report does, on all that happened."""
    began = time.process_time()
    return {**live(world), SECONDS: time.process_time() - began}


def on_platform(world: World[None]) -> dict[str, float]:
    """Run a world and measure those of its targets that a platform's log tells, on that log alone."""
    from simulator.world import run_world  # loads numba

    began = time.process_time()
    config = resolve([("scenario", world.scenario), *world.settings.items()], where="calibrate")
    scenario = load_scenario(config.scenario, config.scenario_changes)
    result = run_world(replace(complete(config, scenario.defaults.model_dump()), log="platform"))
    log = Log(
        truth=result.platform,
        items=result.items,
        types=list(scenario.item_types),
        horizon=float(result.manifest["horizon_seconds"]),
        platform=result.platform,
        label=scenario.platform.labels[scenario.platform.label],
        users=int(result.manifest["users"]),
    )
    found = {name: of_platform(log, scenario, name) for name in readable(scenario)}
    return {**found, SECONDS: time.process_time() - began}
