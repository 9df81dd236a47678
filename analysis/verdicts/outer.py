"""Verdicts over an outer draw: the same comparison in worlds whose `estimate` numbers were drawn anew.

A draw is a set of numbers that may as well be true; its seeds say what the effect is if it is. More seeds make an
effect sharper in each draw, and say nothing of which draw is true: the draw is the unit, and its mean over seeds is one
value.

1. The rule of `analysis.verdicts.verdict`, over the draws' means: fewer than 10 draws are too few.
2. Where the word turns with one number, the verdict is *assumption-determined*, and names it (`turning`).
3. Where more than a tenth of the draws contradict the word (the other sign, or an effect beyond the bounds), the
   verdict is *cannot tell*: it is one about means over draws, and says little of the one draw that we live in.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from analysis.statistics import LEVEL, Floats, Interval, holm, rank_correlation
from analysis.verdicts.directions import Better
from analysis.verdicts.planning import LEAST
from analysis.verdicts.verdict import DECIDED, DIFFERENT, Verdict, Word, different, verdict
from simulator.errors import InputError

CONTRADICTED = 0.1
"""Share of draws that may contradict a verdict over all of them."""
PERMUTATIONS = 9_999
ENDS = (0.1, 0.9)
"""Quantiles of a number at which it is looked at: the lower and the upper end of what may be true."""


@dataclass(frozen=True)
class Assumption:
    """Hold the one number that a verdict turns with.

    Attributes:
        name: of the number.
        correlation: of its ranks with those of the effects.
        interval: of that.
        p: of permuted effects, corrected for all numbers that were drawn (Holm).
        at: its values at either end (`ENDS`).
        words: what is said there.
    """

    name: str
    correlation: float
    interval: Interval
    p: float
    at: tuple[float, float]
    words: tuple[Word, Word]

    @property
    def says(self) -> str:
        """Return what is said at either end, in words."""
        return f"{self.words[0]} where it is {self.at[0]:.3g}, {self.words[1]} where it is {self.at[1]:.3g}"


@dataclass(frozen=True)
class OverDraws:
    """Hold what effects in several draws say together.

    Attributes:
        over_means: the verdict over the draws' means alone.
        word: what may be said.
        between: standard deviation of true effects between draws, without what their seeds' luck adds.
        within: standard deviation of the differences between seeds of one draw; NaN where draws have one seed.
        turned: share of draws whose mean has another sign than the mean of all.
        contradicted: share of draws that contradict the verdict over the means; 0 where it is undecided.
        assumption: the number that the verdict turns with, if one does.
    """

    over_means: Verdict
    word: Word
    between: float
    within: float
    turned: float
    contradicted: float
    assumption: Assumption | None = None

    @property
    def says(self) -> str:
        """Return the verdict in words, with what it lacks."""
        if self.assumption is not None:
            return f"{self.word}: {self.assumption.name} ({self.assumption.says})"
        if self.word is not self.over_means.word:
            mean = f"on average over {self.over_means.n} draws it {self.over_means.word}"
            return f"{self.word} ({mean}, and {self.contradicted:.0%} of them contradict that)"
        return self.over_means.says


def over_draws(
    effects: npt.ArrayLike,
    bound: npt.ArrayLike | None,
    parameters: pd.DataFrame | None = None,
    level: float = LEVEL,
    p_adjusted: float | None = None,
    *,
    better: Better | None = None,
    alike: bool = True,
    tests: int = 1,
    seed: int = 0,
) -> OverDraws:
    """Return what effects in several draws allow to be said; the rule is at the top of this module.

    Args:
        effects: paired differences, shape (draws, seeds), or the draws' means, shape (draws,); NaN where there is none.
        bound: as in `verdict`: one, or one per draw.
        parameters: a row per draw, in the same order, and a column per number that was drawn.
        level, p_adjusted, better, alike, tests, seed: as in `verdict`; p is that of the draws' means (`means_of`).

    Raises:
        InputError: as in `verdict`; or the parameters have not one row per draw, or hold no finite numbers.

    >>> over_draws([[1.0, 1.2], [0.9, 1.1]], bound=0.5).says
    'too few draws (2 of at least 10)'
    """
    means = means_of(effects)
    found = verdict(means, bound, level, p_adjusted, better=better, alike=alike, tests=tests, seed=seed, unit="draws")
    there = means[~np.isnan(means)]
    between, within = spreads(effects)
    turned = float(np.mean(there * found.difference < 0)) if there.size else math.nan
    half = None if bound is None else np.broadcast_to(np.asarray(bound, dtype=np.float64), means.shape)
    contradicted = 0.0
    if found.word in DIFFERENT:
        contradicted = turned
    elif found.word is Word.NO_MEANINGFUL and half is not None:
        contradicted = float(np.mean(np.abs(there) > half[~np.isnan(means)]))
    assumption = None if parameters is None else turning(parameters, means, bound, level, better=better, seed=seed)
    word = found.word
    if assumption is not None:
        word = Word.ASSUMED
    elif contradicted > CONTRADICTED:
        word = Word.CANNOT_TELL
    return OverDraws(found, word, between, within, turned, contradicted, assumption)


def means_of(effects: npt.ArrayLike) -> Floats:
    """Return the mean effect of each draw over its seeds, shape (draws,); NaN where no seed has one."""
    x = np.asarray(effects, dtype=np.float64)
    if x.ndim == 1:
        return x
    if x.ndim != 2:
        raise InputError("over_draws", f"{x.ndim} dimensions", "expected effects by draw and seed")
    there = ~np.isnan(x)
    n = there.sum(axis=1)
    means = np.full(len(x), np.nan)
    means[n > 0] = np.where(there, x, 0.0).sum(axis=1)[n > 0] / n[n > 0]
    return means


def spreads(effects: npt.ArrayLike) -> tuple[float, float]:
    """Return the standard deviations of true effects between draws, and of differences between seeds within one.

    Moments: the variance of the draws' means, less what their seeds' luck adds to it, is that between; none is below 0.
    Without a second seed in any draw, all variance is taken as that between, and there is none to tell within.

    >>> spreads([[1.0, 3.0], [1.0, 3.0]])  # luck alone would spread the means further than they are
    (0.0, 1.4142135623730951)
    """
    x = np.atleast_2d(np.asarray(effects, dtype=np.float64).T).T
    n = (~np.isnan(x)).sum(axis=1)
    x, n = x[n > 0], n[n > 0]
    if len(x) < 2:
        return math.nan, math.nan
    means = means_of(x)
    freedom = int((n - 1).sum())
    if freedom == 0:
        return float(means.std(ddof=1)), math.nan
    within = float(np.nansum((x - means[:, None]) ** 2)) / freedom
    between = max(float(means.var(ddof=1)) - within * float(np.mean(1 / n)), 0.0)
    return math.sqrt(between), math.sqrt(within)


def correlations(parameters: pd.DataFrame, effects: npt.ArrayLike, level: float = LEVEL, seed: int = 0) -> pd.DataFrame:
    """Return how each number that was drawn goes with the effect, the closest first.

    Args:
        parameters: a row per draw, a column per number.
        effects: as in `over_draws`; draws without one are left out.
        level: of the intervals.
        seed: of the permutations.

    Returns:
        A row per number: parameter, correlation (Spearman's), low, high, p (of permuted effects, two-sided), p_holm
        (corrected for all numbers that vary). NaN for one that does not vary.

    Raises:
        InputError: the parameters have not one row per draw, or hold no finite numbers.
    """
    table, means = _drawn(parameters, effects)
    rows = []
    for name in table.columns:
        rho, (low, high) = rank_correlation(table[name].to_numpy(), means, level)
        rows.append({"parameter": str(name), "correlation": rho, "low": low, "high": high})
    found = pd.DataFrame(rows, columns=["parameter", "correlation", "low", "high"])
    found["p"] = _permuted(table, means, found["correlation"].to_numpy(dtype=np.float64), seed)
    found["p_holm"] = holm(found["p"].tolist())
    return found.sort_values(["p", "correlation"], key=lambda x: -x.abs() if x.name == "correlation" else x,
                             kind="stable", ignore_index=True)  # fmt: skip


def turning(
    parameters: pd.DataFrame,
    effects: npt.ArrayLike,
    bound: npt.ArrayLike | None,
    level: float = LEVEL,
    *,
    better: Better | None = None,
    seed: int = 0,
) -> Assumption | None:
    """Return the number with which the verdict turns; None where none does, or there are fewer than 10 draws.

    That is the one that goes closest with the effect, of those that do so beyond chance (p corrected for all of them),
    and at whose two ends a line through the effects by its ranks says two decided words that differ.

    Args:
        parameters, effects, bound, better: as in `over_draws`, which says what is raised.
        level: one minus the error of every test.
        seed: of the permutations.
    """
    table, means = _drawn(parameters, effects)
    if len(means) < LEAST:
        return None
    half = None if bound is None else float(np.mean(np.asarray(bound, dtype=np.float64)))
    for row in correlations(parameters, effects, level, seed).to_dict("records"):
        if not row["p_holm"] < 1 - level:
            return None
        column = table[row["parameter"]].to_numpy()
        low, high = (_at_end(stats.rankdata(column) / (len(column) + 1), means, end, half, level, better)
                     for end in ENDS)  # fmt: skip
        if low is not high and low in DECIDED and high in DECIDED:
            at = tuple(float(x) for x in np.quantile(column, ENDS))
            interval = Interval(row["low"], row["high"])
            return Assumption(
                row["parameter"], row["correlation"], interval, row["p_holm"], (at[0], at[1]), (low, high)
            )
    return None


def _drawn(parameters: pd.DataFrame, effects: npt.ArrayLike) -> tuple[pd.DataFrame, Floats]:
    """Return the numbers and the mean effects of the draws that have one."""
    means = means_of(effects)
    if len(parameters) != len(means):
        wrong = f"{len(parameters)} rows of parameters for {len(means)} draws"
        raise InputError("over_draws", wrong, "expected a row per draw, in the same order")
    there = ~np.isnan(means)
    table = parameters.loc[there.tolist()].astype(np.float64)
    for name in table.columns:
        if not np.isfinite(table[name]).all():
            raise InputError("over_draws", f"{name} holds NaN or infinity", "expected a number in every draw")
    return table, means[there]


def _permuted(table: pd.DataFrame, means: Floats, found: Floats, seed: int) -> Floats:
    """Return how often permuted effects go as closely with each number; the observed order is one of them."""
    varies = np.isfinite(found)
    p = np.full(len(found), np.nan)
    if not varies.any():
        return p
    ranks = np.column_stack([stats.rankdata(each) for each in table.to_numpy().T[varies]])
    ranks = (ranks - ranks.mean(axis=0)) / ranks.std(axis=0)
    order = stats.rankdata(means)
    order = (order - order.mean()) / order.std()
    generator = np.random.Generator(np.random.Philox(key=seed))
    as_close = np.ones(ranks.shape[1])
    for _ in range(0, PERMUTATIONS, 1111):
        shuffled = generator.permuted(np.tile(order, (1111, 1)), axis=1)
        as_close += (np.abs(shuffled @ ranks) / len(order) >= np.abs(found[varies]) - 1e-12).sum(axis=0)
    p[varies] = as_close / (PERMUTATIONS + 1)
    return p


def _at_end(x: Floats, y: Floats, end: float, bound: float | None, level: float, better: Better | None) -> Word:
    """Return the word at x = end, by the intervals of the mean of a line of y over x."""
    n = x.size
    line = stats.linregress(x, y)
    left = y - (line.intercept + line.slope * x)
    error = math.sqrt(
        float(left @ left) / (n - 2) * (1 / n + (end - x.mean()) ** 2 / float(((x - x.mean()) ** 2).sum()))
    )
    there = float(line.intercept + line.slope * end)
    if bound is not None and abs(there) + float(stats.t.ppf(level, n - 2)) * error < bound:
        return Word.NO_MEANINGFUL
    if abs(there) > float(stats.t.ppf(0.5 + level / 2, n - 2)) * error:
        return different(there, better)
    return Word.CANNOT_TELL
