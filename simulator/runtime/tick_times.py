"""Times of fits and checkpoints: on ticks, and no more models than the log can number."""

from __future__ import annotations

from simulator.config import RunConfig
from simulator.errors import InputError
from simulator.scenario.limits import POLICIES
from simulator.scenario.schema.scenario import Scenario


def check_times(config: RunConfig, scenario: Scenario) -> None:
    """Check that everything that happens at ticks falls on ticks. Raises InputError where it does not."""
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


def check_policies(config: RunConfig, scenario: Scenario, horizon: float) -> None:
    """Check that the log can number all models of a run. Raises InputError where there are too many."""
    refit = config.refit or scenario.platform.refit
    if horizon / refit > POLICIES:
        wrong = f"{refit:g} s: {horizon / refit:,.0f} models in {horizon:g} s"
        raise InputError("refit", wrong, f"at most {POLICIES:,}, so at least {horizon / POLICIES:,.0f} s between two")
