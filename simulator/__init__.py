"""Beholder: a scenario-aware simulator of users and items for recommender systems.

    from simulator import run
    result = run(scenario="NAME", recommender="itemknn", users=500, horizon="12h")
    result.metrics, result.platform

Everything is loaded when it is first used, so that importing this package costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from simulator.version import __version__

if TYPE_CHECKING:
    from simulator.api import resume, run
    from simulator.config import RunConfig
    from simulator.scenario.checks.check import check_scenario
    from simulator.scenario.load import available_scenarios, load_scenario

__all__ = ["RunConfig", "__version__", "available_scenarios", "check_scenario", "load_scenario", "resume", "run"]

_HOMES = {
    "RunConfig": "simulator.config",
    "available_scenarios": "simulator.scenario.load",
    "check_scenario": "simulator.scenario.checks.check",
    "load_scenario": "simulator.scenario.load",
    "resume": "simulator.api",
    "run": "simulator.api",
}


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
