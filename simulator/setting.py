"""The setting of a world: catalog and users, drawn from the scenario or grounded in a real folder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from simulator.catalog import Catalog, draw_catalog
from simulator.config import RunConfig
from simulator.errors import InputError
from simulator.kernels.layout import People
from simulator.plan import Compiled
from simulator.population import draw_people
from simulator.scenario.schema import Scenario


@dataclass(frozen=True)
class Setting:
    """Where a world begins, and how long it lasts."""

    compiled: Compiled
    catalog: Catalog
    people: People
    warm: dict[str, npt.NDArray[np.generic]] | None  # columns of a real log, before the run
    horizon: float  # s, where the configuration leaves it open
    facts: dict[str, Any]  # for the manifest: what was calibrated, what was assumed


def set_up(config: RunConfig, compiled: Compiled, say: Callable[[str], None]) -> Setting:
    """Make the setting that a configuration asks for."""
    if config.catalog is not None:
        from simulator.grounded import ground_setting  # reads files and estimates: only where it is wanted

        return ground_setting(config, compiled, say)
    defaults = compiled.scenario.defaults
    horizon = config.horizon or defaults.horizon
    catalog = draw_catalog(compiled, config.items or defaults.items, horizon, config.seed)
    people = draw_people(compiled, catalog.goods, config.users or defaults.users, config.seed)
    return Setting(compiled, catalog, people, None, horizon, {"catalog": "drawn from the scenario"})


def check_times(config: RunConfig, scenario: Scenario) -> None:
    """Everything that happens at ticks must fall on ticks."""
    tick = scenario.clock.tick.value
    own = scenario.platform
    times = {
        "first_fit" if config.first_fit else f"{scenario.shown}: platform.first_fit": config.first_fit or own.first_fit,
        "refit" if config.refit else f"{scenario.shown}: platform.refit": config.refit or own.refit,
        "checkpoint": config.checkpoint,
    }
    for where, seconds in times.items():
        if seconds < tick or (seconds / tick) != int(seconds / tick):
            raise InputError(
                where,
                f"{seconds:g} s is no multiple of the tick",
                f"a multiple of {tick:g} s (clock.tick of the scenario)",
            )
    if (tick * 1024.0) != int(tick * 1024.0):
        raise InputError(scenario.shown, f"clock.tick = {tick:g} s", "a multiple of 1/1024 s")
