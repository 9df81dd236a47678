"""What a scenario declares before anything is compared in it: how small a difference of a measure means nothing.

A bound is a choice, and claims nothing about the world: it is none of the world's numbers, which are counted,
calibrated and drawn. It has its reason, or its source, all the same. It is part of the content, so that worlds which
were run before it was changed are told from those that come after.
"""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from simulator.scenario import limits
from simulator.scenario.schema.numbers import Model, Name, Real, problem
from simulator.scenario.schema.units import parse_unit


class Bound(Model):
    """The smallest difference of interest: a mean difference that surely lies closer to zero makes none that matters.

    `value` stays in the unit as written, that of the measure; with `of: control`, it is a share of the mean of the
    worlds that are compared with.
    """

    value: Real
    unit: str
    of: Literal["control"] | None = None
    provenance: Literal["sourced", "estimate"] = Field(alias="from")
    see: str | None = None
    why: str | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        try:
            unit = parse_unit(self.unit)
        except ValueError as error:
            raise problem("unit", self.unit, str(error)) from error
        if self.of is not None and unit.canonical != "share":
            raise problem("unit", self.unit, "expected share: the bound is one of the control")
        if not unit.allows(self.value):
            raise problem("value", self.value, unit.expected_of(self.value))
        if self.value <= 0:
            raise problem("value", self.value, "expected a positive number: no difference is smaller than none")
        if self.provenance == "sourced" and self.see is None:
            raise problem("see", None, "a number that is sourced needs a key of the sources file")
        if self.provenance == "estimate" and not self.why:
            raise problem("why", self.why, "expected the reason of the choice: what smaller differences do not change")
        return self


class Verdicts(Model):
    """What is declared beforehand about verdicts: `bounds` by measure; one of `recall@20` is that of `recall`."""

    bounds: dict[Name, Bound] = Field(default_factory=dict, max_length=limits.ENTRIES)
