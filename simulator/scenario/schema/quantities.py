"""What a place in the schema expects: numbers and distributions of one dimension.

A ``Duration`` is a Number whose unit is a time; writing one in ``utility`` is an error. Ranges come with the units
(shares within [0, 1], times and counts not negative); these types add only what a place needs beyond that.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, Discriminator, GetCoreSchemaHandler, GetJsonSchemaHandler, Tag
from pydantic_core import CoreSchema
from pydantic_core.core_schema import no_info_after_validator_function

from simulator.scenario.limits import MOST_OF, SHORTEST, UNITS
from simulator.scenario.schema.distributions import Distribution
from simulator.scenario.schema.numbers import Claim, Number, problem
from simulator.scenario.schema.units import PER_USER

C = TypeVar("C", bound=Claim)


def measured_in(*units: str) -> AfterValidator:
    """Require one of these units (canonical: a time is ``s``)."""

    def check(claim: C) -> C:
        if claim.canonical_unit not in units:
            words = " or ".join("a unit of time (ms, s, min, h, d)" if unit == "s" else unit for unit in units)
            raise problem("unit", claim.unit, f"expected {words}")
        return claim

    return AfterValidator(check)


def _positive(number: Number) -> Number:
    if number.value <= 0:
        raise problem("value", number.value, "expected a positive number")
    return number


def _not_negative(number: Number) -> Number:
    if number.value < 0:
        raise problem("value", number.value, "expected a number that is not negative")
    return number


def per_user(claim: Claim) -> bool:
    """Return whether a number is given for every user, so that all users have the more of it the more they are."""
    return claim.canonical_unit.endswith(PER_USER)


def _for_all(claim: C) -> C:
    if per_user(claim):
        raise problem("unit", claim.unit, "expected no number per user: only what a resource has grows with them")
    return claim


def _quantity_tag(value: Any) -> str:
    given = "dist" in value if isinstance(value, dict) else isinstance(value, Distribution)
    return "<distribution>" if given else "<number>"


Quantity = Annotated[
    Annotated[Number, Tag("<number>")] | Annotated[Distribution, Tag("<distribution>")], Discriminator(_quantity_tag)
]


@dataclass(frozen=True)
class Within:
    """Bounds of a number, or of all values of a distribution, in SI; editors show them as a description."""

    low: float
    high: float

    def check(self, claim: C) -> C:
        """Return the claim. Raises a problem where any of its values lies outside."""
        values = claim.reach() if isinstance(claim, Distribution) else (getattr(claim, "value", math.nan),)
        unit = " s" if claim.canonical_unit == "s" else ""
        for value in values:
            if not self.low <= value <= self.high:
                wrong, key = f"{value:.10g}{unit}", "value"
                if isinstance(claim, Distribution):
                    wrong, key = f"a {claim.dist} that reaches {wrong}", ""
                raise problem(key, wrong, f"expected {self.words}{unit}")
        return claim

    @property
    def words(self) -> str:
        """Return the bounds as a message says them."""
        return f"at least {self.low:.10g} and at most {self.high:.10g}"

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return no_info_after_validator_function(self.check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {**handler(schema), "description": self.words}


Positive = AfterValidator(_positive)
NotNegative = AfterValidator(_not_negative)

Duration = Annotated[Number, measured_in("s")]
PositiveDuration = Annotated[Number, measured_in("s"), Positive, Within(SHORTEST, MOST_OF["s"])]
DurationDistribution = Annotated[Distribution, measured_in("s")]
DurationQuantity = Annotated[Quantity, measured_in("s")]

Units = Within(0.0, UNITS)
CountNumber = Annotated[Number, Units, AfterValidator(_for_all)]
CountQuantity = Annotated[Quantity, Units, AfterValidator(_for_all)]
CountDistribution = Annotated[Distribution, Units, AfterValidator(_for_all)]

SharedNumber = Annotated[Number, Units]
SharedQuantity = Annotated[Quantity, Units]
SharedDistribution = Annotated[Distribution, Units]
"""Of what users share: a number of its own, or one per user (`per_user`) that grows with the population."""

Probability = Annotated[Number, measured_in("probability", "share")]
Share = Annotated[Number, measured_in("share", "probability")]
ShareDistribution = Annotated[Distribution, measured_in("share", "probability")]

Distance = Annotated[Number, measured_in("km"), Positive]

Utility = Annotated[Number, measured_in("utility")]
Spread = Annotated[Number, measured_in("utility"), NotNegative]
Temperature = Annotated[Number, measured_in("utility"), Positive]
SearchCost = Annotated[Number, measured_in("utility"), Positive]
UtilityDistribution = Annotated[Distribution, measured_in("utility")]
UtilityLost = Annotated[Quantity, measured_in("utility"), Within(-MOST_OF["utility"], 0.0)]
UtilityVariance = Annotated[Number, measured_in("utility^2")]
Precision = Annotated[Number, measured_in("1/utility^2")]
PerUtility = Annotated[Number, measured_in("1/utility")]
RiskAversion = Annotated[Number, measured_in("utility/utility", "ratio"), NotNegative]

Correlation = Annotated[Number, measured_in("correlation"), NotNegative]
Slowdown = Annotated[Number, measured_in("ratio", "servers/case")]
Ratio = Annotated[Number, measured_in("ratio")]
Factor = Annotated[Number, measured_in("ratio"), Positive]
RatioDistribution = Annotated[Distribution, measured_in("ratio")]
RelativeDistribution = Annotated[Distribution, measured_in("relative")]
Exponent = Annotated[Number, measured_in("exponent"), NotNegative]
LogOdds = Annotated[Number, measured_in("log-odds")]
Hazard = Annotated[Number, measured_in("1/s")]
Hour = Annotated[Number, measured_in("s")]

GoodwillDistribution = Annotated[Distribution, measured_in("goodwill")]
PerGoodwill = Annotated[Number, measured_in("1/goodwill")]
GoodwillPerUtility = Annotated[Number, measured_in("goodwill/utility"), NotNegative]
GoodwillPerSecond = Annotated[Number, measured_in("goodwill/s"), NotNegative]
