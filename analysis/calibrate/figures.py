"""What a calibration is held against: figures with how near is near, and how far from them a world is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from simulator.errors import InputError, check_known
from simulator.scenario.schema.scenario import Scenario
from simulator.scenario.schema.targets import Target, role_of

Floats = npt.NDArray[np.float64]

NEAR = 0.05
"""How far from a known figure is one distance, in parts of it."""


@dataclass(frozen=True)
class Figure:
    """Hold a figure that worlds are held against.

    Attributes:
        name: of the target.
        value: in its unit.
        above, below: what counts as one distance on either side, in the same unit.
        unit: of it.
    """

    name: str
    value: float
    above: float
    below: float
    unit: str

    def distance(self, simulated: float) -> float:
        """Return how far a measure is from the figure, in distances; below it negative."""
        off = simulated - self.value
        return off / (self.above if off > 0 else self.below)

    @property
    def steers(self) -> bool:
        """Tell whether it has role `fit`: what has role `check` moves nothing."""
        return role_of(self.name) == "fit"


def known_figures(scenario: Scenario, names: Sequence[str] = ()) -> dict[str, Figure]:
    """Return the targets of a scenario as figures: those named of role `fit`, all with it unless named, and all checks.

    A distance is 5 % of the value, or what lies between it and the end of its band where that is farther.

    Raises:
        InputError: a name is of no target or of one that may set no number; a value is 0; none of them may.
    """
    check_known(scenario.shown, "target", names, scenario.targets)
    for name in names:
        if role_of(name) == "check":
            raise InputError(
                scenario.shown, f"targets={name}: it has role check and may set no number", "name those with role fit"
            )
    wanted = {
        name: figure(name, target)
        for name, target in scenario.targets.items()
        if role_of(name) == "check" or name in names or not names
    }
    for name, each in wanted.items():
        if each.steers and each.value == 0:
            raise InputError(scenario.shown, f"targets.{name} is 0", "expected a value to which a distance is relative")
    if not any(each.steers for each in wanted.values()):
        raise InputError(scenario.shown, "has no target with role fit", "expected one: nothing else may set a number")
    return wanted


def figure(name: str, target: Target) -> Figure:
    """Return a target as a figure."""
    near = NEAR * abs(target.value)
    above = near if target.high is None else max(near, target.high - target.value)
    below = near if target.low is None else max(near, target.value - target.low)
    return Figure(name, target.value, above, below, target.unit)


def steering(figures: Mapping[str, Figure]) -> list[Figure]:
    """Return those that steer, in their order."""
    return [each for each in figures.values() if each.steers]


def distances(figures: Sequence[Figure], simulated: Mapping[str, float]) -> Floats:
    """Return how far measures are from figures, shape (figures,)."""
    return np.array([each.distance(simulated[each.name]) for each in figures])
