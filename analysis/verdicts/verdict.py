"""A verdict: what paired differences of a measure, one per world, allow to be said in a few fixed words.

The rule, in this order:

1. Every difference is zero to the last bit: *makes exactly no difference*, with any number of worlds. Where the worlds
   are known to differ in something else (`alike=False`), this one measure moves too seldom to tell: zeros are then no
   evidence of a difference that is zero, nor of one within the bound.
2. Fewer than 10 worlds: *too few seeds*.
3. The difference surely lies within its bounds (`analysis.statistics.equivalent`, two one-sided tests at 5 %): *makes
   no meaningful difference*, even where it is surely other than zero.
4. The t interval at 95 % excludes zero, and p of the sign flips, corrected by Holm for the family, is below 0.05:
   *helps* or *hurts*; of a measure that is not better either way, *raises* or *lowers*.
5. *cannot tell*, with the number of seeds that it would take; of zeros in worlds that differ, none is known.

Its errors, where differences lean to neither side: without an effect, *helps* or *hurts* in at most 5 % of whole
families; with an effect at the bound, *no meaningful difference* in at most 5 % of comparisons (these tests need no
correction for a family: each says something else). Two arms of which only the luck differs have differences that lean
to neither side. Where they lean (skewness 1), either error is about 6.5 % at 10 seeds, and 6 % at 20.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from analysis.statistics import (
    LEVEL,
    NOTHING,
    Floats,
    Interval,
    equivalent,
    finite,
    holm,
    mean,
    sign_flip_p,
    t_interval,
)
from analysis.verdicts.directions import Better
from analysis.verdicts.planning import LEAST, seeds_for_spread
from simulator.errors import InputError


class Word(StrEnum):
    """The words of a verdict, and no others."""

    HELPS = "helps"
    HURTS = "hurts"
    RAISES = "raises"
    LOWERS = "lowers"
    NO_MEANINGFUL = "makes no meaningful difference"
    NONE = "makes exactly no difference"
    CANNOT_TELL = "cannot tell"
    TOO_FEW = "too few seeds"
    ASSUMED = "assumption-determined"


DIFFERENT = (Word.HELPS, Word.HURTS, Word.RAISES, Word.LOWERS)
DECIDED = (*DIFFERENT, Word.NO_MEANINGFUL, Word.NONE)


@dataclass(frozen=True)
class Verdict:
    """Hold what was found, and what may be said of it.

    Attributes:
        word: what may be said.
        n: worlds with a difference.
        missing: worlds without one, where either arm has no such value.
        difference: mean of the differences; NaN without any.
        interval: Student's t interval of it.
        p: of the sign flips.
        p_adjusted: the same, corrected for the family.
        bound: the equivalence bound, its mean where worlds have their own; None where none was declared.
        sd: standard deviation of the differences; where worlds have their own bounds, of what is left of either side.
        tests: in the family.
        level: of the interval and of all tests.
        unit: what a world is called: seeds, or draws.
        coarse: whether all differences are zero though the worlds differ: there is no interval then.
    """

    word: Word
    n: int
    missing: int
    difference: float
    interval: Interval
    p: float
    p_adjusted: float
    bound: float | None
    sd: float = math.nan
    tests: int = 1
    level: float = LEVEL
    unit: str = "seeds"
    coarse: bool = False

    @property
    def seeds(self) -> int | None:
        """Return how many worlds it would take; None where it is decided, or no number is known to do."""
        if self.word is not Word.CANNOT_TELL or self.bound is None or self.coarse:
            return None
        needed = seeds_for_spread(self.sd, self.bound, tests=self.tests, level=self.level)
        return None if needed is None else max(needed, self.n + 1)  # these did not do

    @property
    def says(self) -> str:
        """Return the verdict in words, with what it lacks.

        >>> verdict([0.0, 0.0], bound=1.0).says
        'makes exactly no difference (in each of 2 seeds)'
        >>> verdict([0.1, 0.2, 0.3], bound=1.0).says
        'too few seeds (3 of at least 10)'
        """
        without = f", {self.missing} more without a value" if self.missing else ""
        if self.word is Word.NONE:
            return f"{self.word} (in each of {self.n} {self.unit}{without})"
        if self.word is Word.TOO_FEW:
            return f"too few {self.unit} ({self.n} of at least {LEAST}{without})"
        if self.word is not Word.CANNOT_TELL:
            return f"{self.word} ({self.n} {self.unit}{without})"
        if self.coarse:
            equal = f"equal in each of {self.n} {self.unit}{without}"
            return f"{self.word} ({equal}, whose worlds differ: it moves too seldom)"
        if self.bound is None:
            return f"{self.word} ({self.n} {self.unit}{without}; no equivalence bound is declared)"
        if self.seeds is None:
            return f"{self.word} ({self.n} {self.unit}{without}; no number of {self.unit} is known to do)"
        return f"{self.word} ({self.n} {self.unit}{without}; it would take about {self.seeds})"


@dataclass(frozen=True)
class Question:
    """Hold what one verdict of a family is about.

    Attributes:
        differences: one per world, treated minus control, shape (n,); NaN where either has no value.
        bound: the equivalence bound: one, or one per world, shape (n,); None where none is declared.
        better: whether more is better or less; None where neither is.
        alike: whether the worlds of either side may be alike in all that was measured; False where they surely are not.
    """

    differences: npt.ArrayLike
    bound: npt.ArrayLike | None = None
    better: Better | None = None
    alike: bool = True


def verdict(
    differences: npt.ArrayLike,
    bound: npt.ArrayLike | None,
    level: float = LEVEL,
    p_adjusted: float | None = None,
    *,
    better: Better | None = None,
    alike: bool = True,
    tests: int = 1,
    seed: int = 0,
    unit: str = "seeds",
) -> Verdict:
    """Return what differences in the same worlds allow to be said; the rule is at the top of this module.

    Args:
        differences: one per world, treated minus control, shape (n,). A world with NaN is none, and is counted.
        bound: how far from zero a difference may lie and mean nothing, above zero, in the unit of the differences: one,
            or one per world, shape (n,), as for a share of its control. None: nothing is ever without meaning.
        level: of the interval, one minus the error of either one-sided test and of the sign flips.
        p_adjusted: p of the sign flips, corrected for the family; as it is unless given.
        better: whether more is better or less; without it, the words are *raises* and *lowers*.
        alike: as in `Question`.
        tests: in the family, for the number of seeds that it would take.
        seed: of the sign flips, beyond 20 worlds.
        unit: what a world is called.

    Raises:
        InputError: a difference is infinite, a bound is not above zero, or shapes differ.

    >>> some = [0.9, 1.1, 1.0, 1.2, 0.8, 1.0, 1.1, 0.9, 1.3, 0.7]
    >>> verdict(some, bound=0.5, better="higher").word
    <Word.HELPS: 'helps'>
    >>> verdict(some, bound=2.0, better="higher").word
    <Word.NO_MEANINGFUL: 'makes no meaningful difference'>
    """
    every = np.asarray(differences, dtype=np.float64)
    there = ~np.isnan(every)
    x = finite(every[there], level)
    half = None if bound is None else _bounds(bound, there)
    p = sign_flip_p(x, seed=seed)
    corrected = p if p_adjusted is None else p_adjusted
    found = Verdict(
        word=Word.CANNOT_TELL,
        n=x.size,
        missing=int(every.size - x.size),
        difference=mean(x),
        interval=t_interval(x, level) if x.size else NOTHING,
        p=p,
        p_adjusted=corrected,
        bound=None if half is None or not half.size else float(half.mean()),
        sd=_spread(x, half),
        tests=tests,
        level=level,
        unit=unit,
    )
    equal = bool(x.size) and not x.any()
    if equal and alike:
        return replace(found, word=Word.NONE)
    if equal:
        found = replace(found, interval=NOTHING, coarse=True)
    if x.size < LEAST:
        return replace(found, word=Word.TOO_FEW)
    if found.coarse:
        return found
    if half is not None and equivalent(x, half, level):
        return replace(found, word=Word.NO_MEANINGFUL)
    low, high = found.interval
    if corrected < 1 - level and (low > 0 or high < 0):
        return replace(found, word=different(found.difference, better))
    return found


def family(questions: Mapping[str, Question], level: float = LEVEL, seed: int = 0) -> dict[str, Verdict]:
    """Return the verdicts of all that is asked at once, by name: their sign flips are corrected for each other (Holm).

    What nobody can say differs (too few seeds, exactly no difference) counts too: it was asked.
    """
    tests = len(questions)
    p = [sign_flip_p(_there(each.differences), seed=seed) for each in questions.values()]
    return {
        name: verdict(
            each.differences,
            each.bound,
            level,
            adjusted,
            better=each.better,
            alike=each.alike,
            tests=tests,
            seed=seed,
        )
        for (name, each), adjusted in zip(questions.items(), holm(p), strict=True)
    }


def different(difference: float, better: Better | None) -> Word:
    """Return the word of a difference that is surely one."""
    if better is None:
        return Word.RAISES if difference > 0 else Word.LOWERS
    return Word.HELPS if (difference > 0) == (better == "higher") else Word.HURTS


def _there(differences: npt.ArrayLike) -> Floats:
    x = np.asarray(differences, dtype=np.float64)
    return x[~np.isnan(x)]


def _bounds(bound: npt.ArrayLike, there: npt.NDArray[np.bool_]) -> Floats | None:
    """Return the bound of every world that has a difference; None where each world's own is a share of nothing."""
    given = np.asarray(bound, dtype=np.float64)
    if given.ndim and given.shape != there.shape:
        raise InputError("verdict", f"{given.size} bounds of {there.size} worlds", "expected one, or one per world")
    half = np.broadcast_to(given, there.shape)[there]
    if given.ndim and half.size and not half.any():
        return None
    wrong = half[~(np.isfinite(half) & (half >= 0))].tolist() or ([0.0] if half.size and not half.any() else [])
    if wrong:
        raise InputError("verdict", f"bound = {wrong[0]:g}", "expected a number above zero, in the unit of the measure")
    return half


def _spread(x: Floats, half: Floats | None) -> float:
    """Return the standard deviation to plan with; bounds that go with their worlds add to it: the wider side counts."""
    if x.size < 2:
        return math.nan
    sides = (x,) if half is None else (x - half, x + half)
    return max(float(each.std(ddof=1)) for each in sides)
