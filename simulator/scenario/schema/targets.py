"""Known figures that a run is compared with, the two roles they have, and what is measured to compare.

The role of a target is fixed by its name alone, so it never depends on how well it is met: `fit` may set parameters
(a number with provenance `calibrated` names one), `check` sets none, now or later.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Literal, Self

from pydantic import model_validator

from simulator.scenario.schema.numbers import Model, Real, problem
from simulator.scenario.schema.readings import MeasureReading, Reading
from simulator.scenario.schema.units import parse_unit

Role = Literal["fit", "check"]


def role_of(name: str) -> Role:
    """Return `fit` if the last byte of the name's SHA-256 is even, else `check`.

    >>> role_of("valid_play_rate"), role_of("long_view_rate")
    ('fit', 'check')
    """
    return "check" if hashlib.sha256(name.encode()).digest()[-1] % 2 else "fit"


class Target(Model):
    """A known figure to be compared with. Values stay in the unit as written: that of the measure.

    `measure` says what of a run is compared: the name of a measure, as in `measures`, or a reading of its logs. Without
    it, the measure of the target's own name.
    """

    value: Real
    low: Real | None = None
    high: Real | None = None
    unit: str
    see: str
    measure: Reading = MeasureReading(reading="measure")

    @model_validator(mode="after")
    def _check(self) -> Self:
        try:
            unit = parse_unit(self.unit)
        except ValueError as error:
            raise problem("unit", self.unit, str(error)) from error
        for key, given in (("value", self.value), ("low", self.low), ("high", self.high)):
            if given is not None and not unit.allows(given):
                raise problem(key, given, unit.expected_of(given))
        if self.low is not None and self.value < self.low:
            raise problem("low", self.low, f"expected at most value = {self.value:g}")
        if self.high is not None and self.value > self.high:
            raise problem("high", self.high, f"expected at least value = {self.value:g}")
        return self


def targets_with_role(targets: Mapping[str, Target], role: Role) -> dict[str, Target]:
    """Return those of a scenario's targets that have a role."""
    return {name: target for name, target in targets.items() if role_of(name) == role}


def measures_of(targets: Mapping[str, Target]) -> dict[str, str]:
    """Return, of targets that are compared with a measure of the manifest, which needs no log, its name."""
    return {
        name: target.measure.name or name
        for name, target in targets.items()
        if isinstance(target.measure, MeasureReading)
    }
