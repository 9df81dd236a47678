"""Planning: how often a verdict is reached with so many seeds, and how many seeds it would take.

The rule of thumb, for one comparison at 5 % and differences that are about normal: with 20 seeds, an effect of twice
the bound is called right in at least 80 % where the standard deviation of the differences is at most 3 bounds, and no
effect at all is called so where it is at most 1.4 bounds. Both follow from the noncentral t and from the two one-sided
tests; the tests of this module hold them against drawn worlds.
"""

from __future__ import annotations

import math
from bisect import bisect_left

import numpy as np
import numpy.typing as npt
from scipy import stats

from analysis.statistics import LEVEL, MOST_SEEDS, finite

LEAST = 10
"""Seeds below which there is no verdict: two-sided, 10 signs alike have p = 0.002, which a family of 25 still bears."""
POWER = 0.8
_QUANTILES = (np.arange(400) + 0.5) / 400


def least_seeds(tests: int = 1, level: float = LEVEL) -> int:
    """Return the fewest seeds with which any of so many comparisons can be decided: the sign flips are so many.

    >>> least_seeds(), least_seeds(25), least_seeds(200)
    (10, 10, 13)
    """
    n = LEAST
    while tests * 2.0 ** (1 - n) >= 1 - level:
        n += 1
    return n


def power_to_differ(n: int, effect: float, sd: float, tests: int = 1, level: float = LEVEL) -> float:
    """Return how often a true effect, in units of its differences, is called other than zero and with its sign.

    Args:
        n: seeds.
        effect: the true mean difference.
        sd: standard deviation of the differences.
        tests: in the family, of which the first is counted: Holm's correction is then Bonferroni's.
        level: of one comparison.
    """
    if sd == 0:
        return float(effect != 0)
    critical = float(stats.t.ppf(1 - (1 - level) / tests / 2, n - 1))
    return float(stats.nct.sf(critical, n - 1, abs(effect) / sd * math.sqrt(n)))


def power_to_agree(n: int, bound: float, sd: float, effect: float = 0.0, level: float = LEVEL) -> float:
    """Return how often a true effect is called no meaningful difference: both one-sided tests refuse.

    Args:
        n: seeds.
        bound: how far from zero a difference may lie.
        sd: standard deviation of the differences.
        effect: the true mean difference.
        level: one minus the error of either test.
    """
    if sd == 0:
        return float(abs(effect) < bound)
    spread = np.sqrt(stats.chi2.ppf(_QUANTILES, n - 1) / (n - 1))  # of the standard deviation that is found, over sd
    room = bound / sd * math.sqrt(n) - float(stats.t.ppf(level, n - 1)) * spread
    centre = effect / sd * math.sqrt(n)
    inside = stats.norm.cdf(room - centre) - stats.norm.cdf(-room - centre)
    return float(np.where(room > 0, inside, 0.0).mean())


def seeds_needed(
    differences: npt.ArrayLike, bound: float, power: float = POWER, tests: int = 1, level: float = LEVEL
) -> int | None:
    """Return how many worlds like these decide either way; None where none do, or fewer than two say how they spread.

    So many that no effect at all is called no meaningful difference, and one of twice the bound is called what it is,
    each with at least this power, as far as the standard deviation of these differences is the true one. An effect
    close to the bound may take any number.

    Args:
        differences: one per world, shape (n,).
        bound: how far from zero a difference may lie, in their unit, above zero.
        power: of either.
        tests: in the family.
        level: of one comparison.

    >>> seeds_needed([1.0, -1.0, 0.5, -0.5], bound=1.0)
    10
    """
    x = finite(differences, level)
    return None if x.size < 2 else seeds_for_spread(float(x.std(ddof=1)), bound, power, tests, level)


def seeds_for_spread(sd: float, bound: float, power: float = POWER, tests: int = 1, level: float = LEVEL) -> int | None:
    """Return the same as `seeds_needed` from the standard deviation of the differences."""
    if not (bound > 0 and math.isfinite(sd)):
        return None

    def enough(n: int) -> bool:
        return (
            power_to_agree(n, bound, sd, level=level) >= power
            and power_to_differ(n, 2 * bound, sd, tests, level) >= power
        )

    first = most = least_seeds(tests, level)
    while not enough(most):
        most *= 2
        if most > MOST_SEEDS:
            return None
    return bisect_left(range(most + 1), True, lo=max(first, most // 2), key=enough)
