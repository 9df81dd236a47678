"""Statistics over seeds: a seed is a world, two recommenders meet in the same worlds, so differences are paired.

Every function takes one number per seed. Intervals and p-values are deterministic: what is drawn, is drawn from a
counter-based generator keyed by `seed`.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import stats

from simulator.errors import InputError

LEVEL = 0.95
RESAMPLES = 9_999
EXACT = 20  # up to 2^19 sums of signs are enumerated
FLIPS = 99_999
MOST_SEEDS = 1 << 20

Floats = npt.NDArray[np.float64]


class Interval(NamedTuple):
    """Hold an interval from `low` to `high`; NaN where the data say nothing."""

    low: float
    high: float


NOTHING = Interval(math.nan, math.nan)


@dataclass(frozen=True)
class Comparison:
    """Hold what paired values say of a mean difference.

    Attributes:
        n: pairs.
        difference: mean of the differences.
        interval: Student's t interval of the mean difference.
        bootstrap: BCa bootstrap interval of it.
        p: two-sided p-value of the sign-flip test.
    """

    n: int
    difference: float
    interval: Interval
    bootstrap: Interval
    p: float


@dataclass(frozen=True)
class Ratio:
    """Hold what paired values say of how many times one mean is the other.

    Attributes:
        n: pairs.
        ratio: of the two means; NaN where the control's mean may as well be zero or below.
        interval: Fieller's interval of it.
    """

    n: int
    ratio: float
    interval: Interval


def mean(values: npt.ArrayLike) -> float:
    """Return the mean of the values that are there; NaN without any."""
    x = np.asarray(values, dtype=np.float64)
    there = x[np.isfinite(x)]
    return float(there.mean()) if there.size else math.nan


def t_interval(values: npt.ArrayLike, level: float = LEVEL) -> Interval:
    """Return Student's t interval of a mean; NaN for fewer than two values.

    >>> low, high = t_interval([1.0, 2.0, 3.0])
    >>> round(low, 4), round(high, 4)
    (-0.4841, 4.4841)
    """
    x = finite(values, level)
    if x.size < 2:
        return NOTHING
    half = float(stats.t.ppf(0.5 + level / 2, x.size - 1)) * float(x.std(ddof=1)) / math.sqrt(x.size)
    mean = float(x.mean())
    return Interval(mean - half, mean + half)


def seeds_for(values: npt.ArrayLike, half: float, level: float = LEVEL) -> int | None:
    """Return how many values like these make the half-width of `t_interval` at most `half`; None where none is enough.

    >>> seeds_for([1.0, 2.0, 3.0], half=0.5), seeds_for([1.0, 1.0], half=0.5)
    (18, 2)
    """
    x = finite(values, level)
    if x.size < 2 or not half > 0:
        return None
    spread = float(x.std(ddof=1))

    def enough(n: int) -> bool:
        return float(stats.t.ppf(0.5 + level / 2, n - 1)) * spread / math.sqrt(n) <= half

    most = 2
    while not enough(most):
        most *= 2
        if most > MOST_SEEDS:
            return None
    return bisect_left(range(most), True, lo=2, key=enough) if most > 2 else 2


def bca_interval(values: npt.ArrayLike, level: float = LEVEL, resamples: int = RESAMPLES, seed: int = 0) -> Interval:
    """Return the BCa bootstrap interval of a mean (Efron, 1987); NaN for fewer than two values."""
    x = finite(values, level)
    if x.size < 2:
        return NOTHING
    if np.all(x == x[0]):  # every resample is the same: the interval is a point
        return Interval(float(x[0]), float(x[0]))
    generator = np.random.Generator(np.random.Philox(key=seed))
    found = stats.bootstrap(
        (x,), np.mean, confidence_level=level, n_resamples=resamples, method="BCa", random_state=generator
    ).confidence_interval
    return Interval(float(found.low), float(found.high))


def sign_flip_p(differences: npt.ArrayLike, flips: int = FLIPS, seed: int = 0) -> float:
    """Return the two-sided p-value of "differences are as likely up as down": the share of sign patterns as far from 0.

    All patterns are counted for up to 20 differences; beyond, `flips` patterns are drawn, and the observed one counts
    as one of them (Phipson and Smyth, 2010), so that p is never 0. NaN without differences.

    >>> sign_flip_p([1.0, 2.0, 3.0])  # the observed signs and their opposites, out of 8
    0.25
    """
    x = finite(differences)
    if x.size == 0:
        return math.nan
    scale = float(np.abs(x).sum())
    if scale == 0:
        return 1.0
    reached = abs(float(x.sum())) - 1e-12 * x.size * scale  # patterns that tie must not be split by rounding
    if x.size <= EXACT:
        sums = x[:1].copy()  # a pattern and its opposite are equally far away, so the first sign stays
        for each in x[1:]:
            sums = np.concatenate((sums + each, sums - each))
        return float(np.mean(np.abs(sums) >= reached))
    generator = np.random.Generator(np.random.Philox(key=seed))
    as_far = 0
    for first in range(0, flips, 4096):
        signs = generator.integers(0, 2, (min(4096, flips - first), x.size)) * 2.0 - 1.0
        as_far += int(np.count_nonzero(np.abs((signs * x).sum(axis=1)) >= reached))
    return (as_far + 1) / (flips + 1)


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p-values adjusted for their number (Holm, 1979), in their order; NaN stays NaN and is not counted.

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    tested = sorted((p, place) for place, p in enumerate(p_values) if not math.isnan(p))
    adjusted = [math.nan] * len(p_values)
    highest = 0.0
    for rank, (p, place) in enumerate(tested):
        highest = max(highest, min(1.0, p * (len(tested) - rank)))
        adjusted[place] = highest
    return adjusted


def compare(treated: npt.ArrayLike, control: npt.ArrayLike, level: float = LEVEL, seed: int = 0) -> Comparison:
    """Compare two arms that met in the same worlds.

    Args:
        treated: one value per world, shape (n,).
        control: the other arm's value in the same world, shape (n,).
        level: of the intervals.
        seed: of the bootstrap and of the drawn sign flips.

    A world in which either value is NaN is no pair; `n` says how many pairs there are.

    Raises:
        InputError: the shapes differ, or the level is none.
    """
    a, b = np.asarray(treated, dtype=np.float64), np.asarray(control, dtype=np.float64)
    if a.shape != b.shape or a.ndim != 1:
        raise InputError("compare", f"shapes {a.shape} and {b.shape}", "expected one value per world in both")
    pairs = a - b
    pairs = pairs[~np.isnan(pairs)]
    mean = float(pairs.mean()) if pairs.size else math.nan
    return Comparison(
        n=int(pairs.size),
        difference=mean,
        interval=t_interval(pairs, level),
        bootstrap=bca_interval(pairs, level, seed=seed),
        p=sign_flip_p(pairs, seed=seed),
    )


def equivalent(differences: npt.ArrayLike, bound: npt.ArrayLike, level: float = LEVEL) -> bool:
    """Tell whether a mean difference surely lies within its bounds, by two one-sided tests (Schuirmann, 1987).

    Args:
        differences: one per world, shape (n,).
        bound: how far from zero a difference may lie: one for all worlds, or one per world, shape (n,), as for a share
            of each world's control.
        level: one minus the error of either test.

    With one bound, and where differences lean to neither side, this is whether the t interval of level 2 `level` - 1
    lies within it. Each test is Student's, and Hall's (1992) as well, whose t takes the skewness out: a long tail on
    one side makes the mean of a few worlds look nearer to the other than it is. False for fewer than two values.

    >>> equivalent([0.1, -0.1, 0.0], bound=0.5), equivalent([0.1, -0.1, 0.0], bound=0.1)
    (True, False)
    """
    x = finite(differences, level)
    half = np.broadcast_to(finite(np.atleast_1d(np.asarray(bound, dtype=np.float64))), x.shape)
    if x.size < 2 or not (half >= 0).all():
        return False
    critical = float(stats.t.ppf(level, x.size - 1))
    below, above = x - half, x + half
    return all(t(below) < -critical and t(above) > critical for t in (_t, _hall_t))


def _t(x: Floats) -> float:
    """Return Student's t of "the mean is zero"; infinite, with its sign, where all values are the same."""
    spread = float(x.std(ddof=1))
    if spread == 0:
        return math.copysign(math.inf, float(x.mean())) if x.any() else 0.0
    return float(x.mean()) / spread * math.sqrt(x.size)


def _hall_t(x: Floats) -> float:
    """Return Hall's t, a monotone function of Student's that corrects for the skewness of the values."""
    z = _t(x) / math.sqrt(x.size)
    if not math.isfinite(z):
        return z
    skewness = float(np.mean((x - x.mean()) ** 3)) / float(x.std()) ** 3 if x.std() > 0 else 0.0
    return math.sqrt(x.size) * (z + skewness * z**2 / 3 + skewness**2 * z**3 / 27 + skewness / (6 * x.size))


def rank_correlation(x: npt.ArrayLike, y: npt.ArrayLike, level: float = LEVEL) -> tuple[float, Interval]:
    """Return Spearman's rank correlation of two columns, shape (n,), with its interval (Bonett and Wright, 2000).

    NaN where either has no order, or there are fewer than four pairs: then there is no interval either.

    >>> rho, (low, high) = rank_correlation([1, 2, 3, 4, 5], [1, 2, 3, 5, 4])
    >>> round(rho, 3), round(low, 3), round(high, 3)
    (0.9, -0.169, 0.996)
    """
    a, b = finite(x, level), finite(y, level)
    if a.shape != b.shape:
        raise InputError("rank_correlation", f"shapes {a.shape} and {b.shape}", "expected as many of both")
    if a.size < 4 or np.ptp(a) == 0 or np.ptp(b) == 0:
        return math.nan, NOTHING
    rho = float(np.corrcoef(stats.rankdata(a), stats.rankdata(b))[0, 1])
    if abs(rho) >= 1 - 1e-12:
        return math.copysign(1.0, rho), Interval(math.copysign(1.0, rho), math.copysign(1.0, rho))
    half = float(stats.norm.ppf(0.5 + level / 2)) * math.sqrt((1 + rho**2 / 2) / (a.size - 3))
    return rho, Interval(math.tanh(math.atanh(rho) - half), math.tanh(math.atanh(rho) + half))


def ratio_of_means(treated: npt.ArrayLike, control: npt.ArrayLike, level: float = LEVEL) -> Ratio:
    """Return the ratio of the means of two arms that met in the same worlds, with Fieller's interval (1954).

    Args:
        treated: one value per world, shape (n,).
        control: the other arm's value in the same world, shape (n,); single worlds may have zero.
        level: of the interval.

    The interval holds each ratio r for which the mean of `treated - r * control` is not surely other than zero, by
    Student's t. There is none for fewer than two pairs, nor where the control's mean is not surely above zero, as any
    ratio might then be true; nor is there a ratio, unless no world's control is below zero. Where all worlds have the
    same ratio, the interval is that point. A world in which either value is NaN is no pair.

    Raises:
        InputError: the shapes differ, or the level is none.

    >>> ratio_of_means([2.0, 3.0, 7.0], [4.0, 6.0, 14.0])
    Ratio(n=3, ratio=0.5, interval=Interval(low=0.5, high=0.5))
    """
    y, x = np.asarray(treated, dtype=np.float64), np.asarray(control, dtype=np.float64)
    if y.shape != x.shape or y.ndim != 1:
        raise InputError("ratio_of_means", f"shapes {y.shape} and {x.shape}", "expected one value per world in both")
    both = ~np.isnan(y - x)
    x, y = finite(x[both], level), finite(y[both], level)
    n = x.size
    above, below = mean(y), mean(x)
    if not below > 0:
        return Ratio(n, math.nan, NOTHING)
    ratio = above / below
    left = y - ratio * x
    if n > 1 and not left.any():
        return Ratio(n, ratio, Interval(ratio, ratio))
    # (above - r below)^2 <= what it may be by chance: a quadratic in r, written around the ratio itself
    chance = float(stats.t.ppf(0.5 + level / 2, n - 1)) ** 2 / n if n > 1 else math.inf
    a = below**2 - chance * float(x.var(ddof=1)) if n > 1 else -math.inf
    if a <= 0:
        return Ratio(n, math.nan if (x < 0).any() else ratio, NOTHING)
    b = chance * float(np.mean((left - left.mean()) * (x - below))) * n / (n - 1)
    c = chance * float(left.var(ddof=1))
    half = math.sqrt(b**2 + a * c)
    return Ratio(n, ratio, Interval(ratio + (-b - half) / a, ratio + (-b + half) / a))


def finite(values: npt.ArrayLike, level: float = LEVEL) -> Floats:
    """Return values as floats, shape (n,). Raises InputError where one is none, or the level is no share."""
    if not 0 < level < 1:
        raise InputError("statistics", f"level = {level}", "expected a share above 0 and below 1, such as 0.95")
    x = np.asarray(values, dtype=np.float64)
    if x.ndim != 1 or not np.isfinite(x).all():
        raise InputError("statistics", "the values hold NaN, infinity or several dimensions", "expected plain numbers")
    return x
