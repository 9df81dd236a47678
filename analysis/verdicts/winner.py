"""The winner of a comparison: a name is said only where the arm is surely better than every other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.statistics import LEVEL, Floats, t_interval
from analysis.verdicts.directions import Better
from simulator.errors import InputError

FEW = 5
"""Seeds below which whatever is said of them is marked."""


@dataclass(frozen=True)
class Winner:
    """Hold what may be said of the best arm.

    Attributes:
        name: the arm that is surely better than each other; None where nobody knows.
        among: arms of which none is surely worse than the arm with the best mean.
        without: arms with no value in some world that others have, which are not compared.
        n: worlds that all compared arms have values in.
    """

    name: str | None
    among: tuple[str, ...]
    without: tuple[str, ...]
    n: int

    @property
    def says(self) -> str:
        """Return the winner in words, or among whom it is undecided."""
        mark = f" ({self.n} seeds: few)" if 0 < self.n < FEW else ""
        left = f"; without {', '.join(self.without)}" if self.without else ""
        if self.name is not None:
            return f"{self.name}{mark}{left}"
        if len(self.among) > 1:
            return f"undecided among {', '.join(self.among)}{mark}{left}"
        return f"nothing to compare{left}"


def winner(worlds: pd.DataFrame, better: Better = "higher", level: float = LEVEL) -> Winner:
    """Return the arm that is surely better than each other, or among whom that is undecided.

    Args:
        worlds: one measure, a row per seed and a column per arm, as `Experiment.worlds` gives it.
        better: whether more is better or less.
        level: of all intervals together: each pair gets its share of the error (Bonferroni, over all pairs of arms, as
            the arm that leads is known from the same worlds only).

    An arm without a finite value in some world that another has is not compared: what it lacks may be what it is worst
    at. Arms with the same values in every world are never told from each other.

    Raises:
        InputError: an arm stands there twice.

    >>> winner(pd.DataFrame({"a": [1.0, 1.1, 1.2], "b": [2.0, 2.1, 2.2]})).says
    'b (3 seeds: few)'
    >>> winner(pd.DataFrame({"a": [1.0, 1.1, 1.2], "b": [1.0, 1.1, 1.2]})).says
    'undecided among a, b (3 seeds: few)'
    """
    if worlds.columns.duplicated().any():
        raise InputError(
            "winner", f"{worlds.columns[worlds.columns.duplicated()][0]} stands twice", "expected one each"
        )
    values = worlds.astype(np.float64)
    lived = values[np.isfinite(values.to_numpy()).any(axis=1)]
    whole = np.asarray(np.isfinite(lived.to_numpy()).all(axis=0) & (len(lived) > 0), dtype=np.bool_)
    names = [str(name) for name in worlds.columns[whole]]
    without = tuple(str(name) for name in worlds.columns[~whole])
    if len(names) < 2:
        return Winner(None, tuple(names), without, len(lived))
    sign = 1.0 if better == "higher" else -1.0
    table = lived.loc[:, whole.tolist()].to_numpy() * sign
    leader = int(np.argmax(table.mean(axis=0)))
    pairs = len(names) * (len(names) - 1) // 2
    corrected = 1 - (1 - level) / pairs
    beaten = [k != leader and _surely_above(table[:, leader], table[:, k], corrected) for k in range(len(names))]
    among = tuple(name for name, lost in zip(names, beaten, strict=True) if not lost)
    return Winner(among[0] if len(among) == 1 else None, among, without, len(lived))


def _surely_above(leader: Floats, other: Floats, level: float) -> bool:
    """Tell whether the interval of the mean difference lies above zero by more than rounding makes it."""
    low = t_interval(leader - other, level).low  # NaN of a single world
    return low > 1e-12 * float(max(np.abs(leader).max(), np.abs(other).max()))
