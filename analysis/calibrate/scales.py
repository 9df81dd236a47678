"""Scales on which numbers are moved: one step means as much on each, wherever the number stands."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from simulator.scenario.schema.units import parse_unit

FARTHEST = 3.0
"""Steps by which a number may move at most, either way."""

_DIGITS = 5
_LEAST_SCALE = 0.25


@dataclass(frozen=True)
class Scale:
    """Turn a number into steps from where it began, and back.

    `logit`: odds grow by e with a step, of shares and probabilities; `log`: the number grows by e, of what is positive;
    `linear`: a step is the size of the number, at least 0.25 of its unit, of what has either sign.
    """

    kind: Literal["logit", "log", "linear"]
    start: float

    def at(self, steps: float) -> float:
        """Return the number so many steps from where it began, to five digits."""
        if steps == 0.0:
            return self.start
        if self.kind == "log":
            return rounded(self.start * math.exp(steps))
        if self.kind == "logit":
            odds = math.log(self.start / (1.0 - self.start)) + steps
            return rounded(1.0 / (1.0 + math.exp(-odds)))
        return rounded(self.start + steps * max(abs(self.start), _LEAST_SCALE))

    @property
    def range(self) -> tuple[float, float]:
        """Return the least and the most that the number may become."""
        return self.at(-FARTHEST), self.at(FARTHEST)


def scale_of(value: float, unit: str) -> Scale | None:
    """Return the scale of a number in this unit, as written; None where no step leads away from it.

    >>> scale_of(0.5, "share").kind, scale_of(20.0, "min").kind, scale_of(-0.5, "utility").kind, scale_of(0.0, "share")
    ('logit', 'log', 'linear', None)
    """
    allowed = parse_unit(unit)
    if allowed.low < 0.0:
        return Scale("linear", value)
    if allowed.high == 1.0:
        return Scale("logit", value) if 0.0 < value < 1.0 else None
    return Scale("log", value) if value > 0.0 else None


def rounded(value: float) -> float:
    """Return a number to five digits: as the file will have it, so it is simulated.

    >>> rounded(0.123456789)
    0.12346
    """
    return float(f"{value:.{_DIGITS}g}")
