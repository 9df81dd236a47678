"""Tables of an experiment: a tidy table of measures, and the paired tables made from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd

from analysis.statistics import LEVEL, Comparison, compare, holm, t_interval
from simulator.errors import InputError, check_known

COLUMNS = ("scenario", "recommender", "seed", "measure", "value")
HOLDS, REVERSED, OPEN = "holds", "reversed", "undecided"


@dataclass(frozen=True)
class Experiment:
    """Worlds of one scenario, by recommender and seed.

    Attributes:
        frame: one row per world and measure: scenario, recommender (name of the arm), seed, measure, value (NaN where
            a world has no such value).
        folder: where the worlds are; None for a frame from elsewhere.
    """

    frame: pd.DataFrame
    folder: Path | None = None

    def __post_init__(self) -> None:
        missing = [name for name in COLUMNS if name not in self.frame.columns]
        if missing:
            raise InputError("experiment", f"the frame has no {', '.join(missing)}", f"expected {', '.join(COLUMNS)}")
        scenarios = self.frame["scenario"].unique()
        if len(scenarios) > 1:
            raise InputError("experiment", f"holds {', '.join(map(str, scenarios))}", "expected one scenario")
        if self.frame.duplicated(["recommender", "seed", "measure"]).any():
            raise InputError("experiment", "holds a world's measure twice", "expected one value per world and measure")

    @property
    def recommenders(self) -> list[str]:
        """Return the arms, in their order."""
        return [str(name) for name in self.frame["recommender"].unique()]

    @property
    def measures(self) -> list[str]:
        """Return the measures, in their order."""
        return [str(name) for name in self.frame["measure"].unique()]

    def worlds(self, measure: str) -> pd.DataFrame:
        """Return one measure with a row per seed and a column per recommender.

        Raises:
            InputError: there is no such measure.
        """
        check_known("measures", "measure", [measure], self.measures)
        rows = self.frame[self.frame["measure"] == measure]
        return rows.pivot(index="seed", columns="recommender", values="value")[
            [name for name in self.recommenders if name in set(rows["recommender"])]
        ]

    def paired(self, measure: str | Sequence[str], baseline: str, level: float = LEVEL, seed: int = 0) -> pd.DataFrame:
        """Return each recommender's mean over seeds, and its paired difference to the baseline.

        Args:
            measure: one measure, or several: then `p_holm` corrects for all comparisons of the table.
            baseline: the recommender that the others are compared with.
            level: of the intervals.
            seed: of the bootstrap and of the sign flips.

        Returns:
            One row per measure and recommender: measure, recommender, n (seeds with a value), mean, low, high (t
            interval), pairs (seeds with both values), difference, difference_low, difference_high (t interval),
            bootstrap_low, bootstrap_high (BCa), p (sign flips), p_holm. NaN for the baseline against itself.

        Raises:
            InputError: a measure or the baseline is unknown.
        """
        rows: list[dict[str, object]] = []
        for name in [measure] if isinstance(measure, str) else measure:
            table = self.worlds(name)
            self._check(baseline, table)
            for arm in table.columns:
                values = table[arm].dropna().to_numpy(dtype=np.float64)
                low, high = t_interval(values, level)
                row = {"measure": name, "recommender": arm, "n": values.size}
                row |= {"mean": values.mean() if values.size else np.nan, "low": low, "high": high}
                if arm != baseline:
                    row |= _difference(compare(table[arm], table[baseline], level, seed))
                rows.append(row)
        found = pd.DataFrame(rows, columns=[*_MEANS, *_DIFFERENCE])
        found["pairs"] = found["pairs"].astype("Int64")
        found["p_holm"] = holm(found["p"].tolist())
        return found

    def ordered(self, measure: str, chain: Sequence[str], level: float = LEVEL, seed: int = 0) -> pd.DataFrame:
        """Tell whether a declared order holds, for each pair of neighbours in it.

        Args:
            measure: the measure.
            chain: recommenders from the highest expected value to the lowest.
            level: of the interval that has to exclude zero.
            seed: of the bootstrap and of the sign flips.

        Returns:
            One row per neighbouring pair: measure, higher, lower, then the columns of the difference as in `paired`
            (higher minus lower; `p_holm` corrects for the pairs of the chain), and verdict: `holds` (the t interval
            lies above zero), `reversed` (below) or `undecided` (it holds zero, or there is none).

        Raises:
            InputError: the measure or a recommender is unknown, one stands twice, or there are fewer than two.
        """
        if len(chain) < 2 or len(set(chain)) < len(chain):
            raise InputError(
                "order", f"{', '.join(chain) or 'nothing'}", "expected two or more recommenders, each once"
            )
        table = self.worlds(measure)
        for name in chain:
            self._check(name, table)
        rows: list[dict[str, object]] = []
        for higher, lower in pairwise(chain):
            difference = compare(table[higher], table[lower], level, seed)
            verdict = HOLDS if difference.interval.low > 0 else REVERSED if difference.interval.high < 0 else OPEN
            names = {"measure": measure, "higher": higher, "lower": lower}
            rows.append({**names, **_difference(difference), "verdict": verdict})
        found = pd.DataFrame(rows, columns=["measure", "higher", "lower", *_DIFFERENCE, "verdict"])
        found["p_holm"] = holm(found["p"].tolist())
        return found

    @staticmethod
    def _check(name: str, table: pd.DataFrame) -> None:
        known = [str(column) for column in table.columns]
        check_known("experiment", "recommender", [name], known)


_MEANS = ("measure", "recommender", "n", "mean", "low", "high")
_DIFFERENCE = (
    "pairs", "difference", "difference_low", "difference_high", "bootstrap_low", "bootstrap_high", "p", "p_holm",
)  # fmt: skip


def _difference(found: Comparison) -> dict[str, object]:
    return {
        "pairs": found.n,
        "difference": found.difference,
        "difference_low": found.interval.low,
        "difference_high": found.interval.high,
        "bootstrap_low": found.bootstrap.low,
        "bootstrap_high": found.bootstrap.high,
        "p": found.p,
    }
