"""Distributions of a quantity over users, items or moments, with unit and provenance.

All are read through their quantile function, because one keyed uniform makes one value (DESIGN, law 2). Truncation to
[low, high] is that of the distribution itself: p is mapped to [cdf(low), cdf(high)], nothing piles up at the ends.
"""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import Literal, Self

import numpy as np
import numpy.typing as npt
from pydantic import model_validator

from simulator.scenario.limits import LEAST, REACH, SHAPES
from simulator.scenario.schema.numbers import Claim, Real, problem
from simulator.scenario.schema.units import Unit, parse_unit

Array = npt.NDArray[np.float64]
StageKind = Literal[
    "constant", "uniform", "normal", "lognormal", "exponential", "weibull", "gamma", "beta", "pareto", "bernoulli"
]

PARAMETERS: dict[str, tuple[str, ...]] = {
    "constant": ("value",),
    "uniform": ("low", "high"),
    "normal": ("mean", "sd"),
    "lognormal": ("median", "sigma"),
    "exponential": ("mean",),
    "weibull": ("shape", "scale"),
    "gamma": ("shape", "scale"),
    "beta": ("a", "b"),
    "pareto": ("shape",),
    "bernoulli": ("p",),
}
_NEVER_TRUNCATED = ("constant", "uniform", "bernoulli")
_WITH_UNIT = ("value", "low", "high", "mean", "sd", "median", "scale")  # the rest are pure numbers
_ALL = (*_WITH_UNIT, "sigma", "shape", "a", "b", "p")
_LEAST_MASS = 1e-6  # of the untruncated distribution, between low and high
_TAIL = 0.5 / 4096  # of the values, below the first and above the last of a compiled table of quantiles
_NEARLY_ONE = 1.0 - 2.0**-53


class Distribution(Claim):
    """A quantity that differs. Parameters with a unit are in SI; those that the kind does not have are None.

    constant(value), uniform(low, high), normal(mean, sd), lognormal(median, sigma), exponential(mean),
    weibull(shape, scale), gamma(shape, scale), beta(a, b) in [0, 1], pareto(shape) from 1, bernoulli(p): 1 with
    probability p, else 0; all but constant, uniform and bernoulli may be truncated by low and high.
    """

    dist: StageKind
    value: Real | None = None
    low: Real | None = None
    high: Real | None = None
    mean: Real | None = None
    sd: Real | None = None
    median: Real | None = None
    sigma: Real | None = None
    shape: Real | None = None
    scale: Real | None = None
    a: Real | None = None
    b: Real | None = None
    p: Real | None = None

    @model_validator(mode="after")
    def _check_and_convert(self) -> Self:
        unit = self._checked_unit()
        self._check_parameters(unit)
        self._check_support(unit)
        for name in _WITH_UNIT:
            written = getattr(self, name)
            if written is not None:
                object.__setattr__(self, name, written * unit.factor)  # checked as written, kept in SI
        self._check_mass()
        self._check_size(unit)
        return self

    def _check_parameters(self, unit: Unit) -> None:
        needed = PARAMETERS[self.dist]
        allowed = needed if self.dist in _NEVER_TRUNCATED else (*needed, "low", "high")
        for name in _ALL:
            written = getattr(self, name)
            if written is None and name in needed:
                raise problem(name, None, f"{self.dist} needs {' and '.join(needed)}")
            if written is not None and name not in allowed:
                raise problem(name, written, f"{self.dist} takes only {', '.join(allowed)}")
        for name in ("sd", "median", "scale", "sigma", "shape", "a", "b"):
            written = getattr(self, name)
            if written is not None and written <= 0:
                noun = f" of {unit.noun}" if name in _WITH_UNIT else ""
                raise problem(name, written, f"expected a positive number{noun}")
        if self.p is not None and not LEAST <= self.p < 1:
            raise problem("p", self.p, "expected a probability between 0 and 1; a constant says what is certain")
        for name in ("sigma", "shape", "a", "b"):
            written = getattr(self, name)
            if written is not None and not SHAPES[0] <= written <= SHAPES[1]:
                raise problem(name, written, f"expected at least {SHAPES[0]:g} and at most {SHAPES[1]:g}")
        if self.dist == "exponential" and self._of("mean") <= 0:
            raise problem("mean", self.mean, f"expected a positive number of {unit.noun}")
        for name in _WITH_UNIT:
            written = getattr(self, name)
            if written is not None and not unit.allows(written):
                raise problem(name, written, unit.expected_of(written))
        if self.low is not None and self.high is not None and not self.low < self.high:
            raise problem("low", self.low, f"expected less than high = {self.high:g}")

    def _check_support(self, unit: Unit) -> None:
        """Refuse a distribution that can come out impossible in its unit, so a share needs low and high."""
        lowest, highest = self._natural_support()
        lowest = lowest if self.low is None else max(lowest, self.low)
        highest = highest if self.high is None else min(highest, self.high)
        if not lowest < highest and self.dist != "constant":
            raise problem("low", self.low, f"low and high leave nothing of a {self.dist}")
        if lowest < unit.low:
            raise problem("low", self.low, f"{self.dist} goes below {unit.low:g}: {unit.expected}; set low")
        if highest > unit.high:
            raise problem("high", self.high, f"{self.dist} goes above {unit.high:g}: {unit.expected}; set high")

    def _natural_support(self) -> tuple[float, float]:
        if self.dist == "constant":
            return self._of("value"), self._of("value")
        if self.dist in ("normal", "uniform"):
            return -math.inf, math.inf
        return (0.0, 1.0) if self.dist in ("beta", "bernoulli") else (1.0 if self.dist == "pareto" else 0.0, math.inf)

    def _check_mass(self) -> None:
        if self.dist in _NEVER_TRUNCATED or (self.low is None and self.high is None):
            return
        below, above = self._ends()
        if above - below < _LEAST_MASS:
            raise problem("low", self.low, f"low and high leave {above - below:.1g} of the {self.dist}")

    def _check_size(self, unit: Unit) -> None:
        """See that the values of a compiled table are within the limits of the unit."""
        most = REACH * unit.most
        for value in self.reach():
            if not abs(value) <= most:
                shown = f"a {self.dist} that reaches {value / unit.factor:.3g} {unit.text}"
                raise problem("", shown, f"expected at most {most / unit.factor:.6g}; set high, or make it narrower")

    def reach(self) -> tuple[float, float]:
        """Return the first and the last value of a compiled table of quantiles, SI; of a gamma bounds of them."""
        if self.dist == "constant":
            return self._of("value"), self._of("value")
        if self.dist == "uniform":
            return self._of("low"), self._of("high")
        below, above = self._ends() if self.dist != "bernoulli" else (0.0, 1.0)
        first, last = (min(below + (above - below) * p, _NEARLY_ONE) for p in (_TAIL, 1.0 - _TAIL))
        lowest = self._natural_support()[0] if self.dist != "normal" else self._lies_below(first)
        return max(lowest, -math.inf if self.low is None else self.low), min(
            self._lies_below(last), math.inf if self.high is None else self.high
        )

    def _lies_below(self, p: float) -> float:
        """Return the value of the untruncated distribution below which a share `p` lies, or more; without SciPy."""
        rest = -math.log1p(-p)
        try:
            if self.dist == "normal":
                return self._of("mean") + self._of("sd") * NormalDist().inv_cdf(p)
            if self.dist == "lognormal":
                return self._of("median") * math.exp(self._of("sigma") * NormalDist().inv_cdf(p))
            if self.dist == "exponential":
                return self._of("mean") * rest
            if self.dist == "weibull":
                return float(self._of("scale") * rest ** (1.0 / self._of("shape")))
            if self.dist == "pareto":
                return math.exp(rest / self._of("shape"))
            if self.dist == "gamma":  # Laurent & Massart 2000, lemma 1
                return self._of("scale") * (self._of("shape") + math.sqrt(2.0 * self._of("shape") * rest) + rest)
        except OverflowError:
            return math.inf
        return 1.0

    def _of(self, name: str) -> float:
        """Return a parameter that the kind has."""
        value: float | None = getattr(self, name)
        if value is None:
            raise ValueError(f"a {self.dist} distribution has no {name}")
        return value

    def _ends(self) -> tuple[float, float]:
        """Return the cdf at low and at high."""
        below = 0.0 if self.low is None else self.cdf(self.low)
        above = 1.0 if self.high is None else self.cdf(self.high)
        return below, above

    def cdf(self, x: float) -> float:
        """Return the probability of at most ``x`` (SI) without truncation; not for what is never truncated."""
        if self.dist == "normal":
            return 0.5 * math.erfc((self._of("mean") - x) / (self._of("sd") * math.sqrt(2)))
        if x <= 0:
            return 0.0
        if self.dist == "lognormal":
            return 0.5 * math.erfc(math.log(self._of("median") / x) / (self._of("sigma") * math.sqrt(2)))
        if self.dist == "exponential":
            return -math.expm1(-x / self._of("mean"))
        if self.dist == "weibull":
            try:
                return -math.expm1(-((x / self._of("scale")) ** self._of("shape")))
            except OverflowError:
                return 1.0
        if self.dist == "pareto":
            return 0.0 if x <= 1 else -math.expm1(-self._of("shape") * math.log(x))
        from scipy import special  # slow to import, and only these two need it

        if self.dist == "gamma":
            return float(special.gammainc(self._of("shape"), x / self._of("scale")))
        if self.dist == "beta":
            return float(special.betainc(self._of("a"), self._of("b"), min(x, 1.0)))
        raise ValueError(f"a {self.dist} distribution is not truncated")

    def quantile(self, p: Array) -> Array:
        """Return values (SI, same shape) below which a share ``p`` lies; p in [0, 1], else ValueError.

        What the 4,096 quantiles of a table leave out, one value in 8,192 at either end, is held within `limits.REACH`.
        """
        p = np.asarray(p, dtype=np.float64)
        if p.size and not (np.min(p) >= 0 and np.max(p) <= 1):  # written so that NaN fails as well
            raise ValueError("expected probabilities between 0 and 1")
        if self.dist == "constant":
            return np.full(p.shape, self._of("value"))
        if self.dist == "uniform":
            return np.asarray(self._of("low") + (self._of("high") - self._of("low")) * p)
        if self.dist == "bernoulli":
            return np.asarray(p >= 1.0 - self._of("p"), dtype=np.float64)
        most = REACH * parse_unit(self.unit).most
        truncated = self.low is not None or self.high is not None
        if truncated:
            below, above = self._ends()
            p = below + (above - below) * p
        with np.errstate(divide="ignore", over="ignore"):  # p = 1 of an unbounded distribution is infinity, rightly
            x = np.clip(self._inverse(p), -most, most)
        return np.clip(x, self.low, self.high) if truncated else x  # rounding may step over an end by an ulp

    def _inverse(self, p: Array) -> Array:
        if self.dist == "exponential":
            return np.asarray(-self._of("mean") * np.log1p(-p))
        if self.dist == "weibull":
            return np.asarray(self._of("scale") * (-np.log1p(-p)) ** (1 / self._of("shape")))
        if self.dist == "pareto":
            return np.asarray(np.exp(-np.log1p(-p) / self._of("shape")))
        from scipy import special

        if self.dist == "normal":
            return np.asarray(self._of("mean") + self._of("sd") * special.ndtri(p))
        if self.dist == "lognormal":
            return np.asarray(self._of("median") * np.exp(self._of("sigma") * special.ndtri(p)))
        if self.dist == "gamma":
            return np.asarray(self._of("scale") * special.gammaincinv(self._of("shape"), p))
        return np.asarray(special.betaincinv(self._of("a"), self._of("b"), p))
