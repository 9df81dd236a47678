"""Analysis: experiments with worlds as the unit, and measures of runs' logs.

    from analysis import experiment
    found = experiment("NAME", ["random", "itemknn"], seeds=range(20), output="runs/first")
    found.paired("regret", baseline="random")

Everything is loaded when it is first used, so that importing this package costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from analysis.arms import Arm
    from analysis.grid import experiment
    from analysis.offline import learnability
    from analysis.tables import Experiment

__all__ = ["Arm", "Experiment", "experiment", "learnability"]

_HOMES = {
    "Arm": "analysis.arms",
    "Experiment": "analysis.tables",
    "experiment": "analysis.grid",
    "learnability": "analysis.offline",
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
