"""What figures say of numbers: how wide each could be and the figures still be met, and what is hardly told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis.calibrate.figures import Floats
from analysis.calibrate.trials import Trial

WEAK = 0.5
"""Steps, one standard deviation: what is known no better than half of what was supposed before is weakly identified."""
WIDTH = 2.0
"""Standard deviations that a width reaches either way."""


@dataclass(frozen=True)
class Widths:
    """Hold how well numbers are told.

    Attributes:
        sd: of each number, in steps, shape (numbers,): 1 before anything was seen.
        directions: combinations of numbers from the best told to the least, shape (numbers, numbers), a row each.
        told: how many standard deviations of one step each of them moves the figures, shape (numbers,).
    """

    sd: Floats
    directions: Floats
    told: Floats

    @property
    def weak(self) -> list[bool]:
        """Tell which numbers are weakly identified."""
        return [bool(each > WEAK) for each in self.sd]


def widths(slopes: Floats, noise: Floats) -> Widths:
    """Return how well numbers are told by figures, by Laplace's approximation.

    Args:
        slopes: of distances, shape (figures, numbers).
        noise: standard deviation of each distance, shape (figures,).
    """
    scaled = slopes / noise[:, None]
    n = slopes.shape[1]
    covariance = np.linalg.inv(scaled.T @ scaled + np.eye(n))
    _, told, directions = np.linalg.svd(scaled, full_matrices=True)
    return Widths(np.sqrt(np.diag(covariance)), directions, np.pad(told, (0, n - len(told))))


def noise_of(trials: Sequence[Trial]) -> Floats:
    """Return the standard deviation of distances, shape (figures,), as these trials tell of it.

    That of the figures themselves is 1; the luck of the worlds comes on top.
    """
    n = trials[0].each.shape[1]
    luck = [each.each.var(axis=1, ddof=1) / n for each in trials if each.runs and n > 1]
    return np.sqrt(1.0 + (np.mean(luck, axis=0) if luck else np.zeros(len(trials[0].each))))
