"""The search: least squares of distances, by SciPy's trust region, with slopes that few worlds have to pay for."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from analysis.calibrate.figures import Floats
from analysis.calibrate.scales import FARTHEST
from analysis.calibrate.trials import Spent, Trial
from analysis.calibrate.widths import noise_of

STEP = 0.25
"""Steps by which a number moves to see its slope: large, for worlds with the same seeds differ by luck all the same."""
ENOUGH = 0.3
"""Standard deviations from each figure within which a search ends."""
FALLING_SHORT = 0.5
"""Part of what slopes had promised below which they are measured anew, at most `ANEW` times."""
ANEW = 1

Run = Callable[[Sequence[Floats]], list[Trial]]


class Found(Exception):
    """All figures are met, nearly: what a search is for."""


class Slopes:
    """Return how distances change with numbers, shape (figures, numbers).

    Measured at the beginning, number by number. After a step they are corrected by what it did (Broyden's rank-one
    update), which costs nothing; where a step brought less than half of what was promised they are measured anew.
    """

    def __init__(self, run: Run, start: Trial) -> None:
        self._run, self._at = run, start
        self._left = ANEW
        self._tried = [start]
        self.matrix = self.measured(start)
        self.noise = noise_of(self._tried)

    def measured(self, at: Trial) -> Floats:
        """Return the slopes at a trial, from a trial beside it per number; 0 where neither side can be run."""
        n = len(at.steps)
        ahead = [
            at.steps + STEP * (np.arange(n) == k) * (-1.0 if at.steps[k] + STEP > FARTHEST else 1.0) for k in range(n)
        ]
        trials = self._run(ahead)
        again = [k for k, each in enumerate(trials) if not each.runs]
        for k, each in zip(again, self._run([2 * at.steps - ahead[k] for k in again]), strict=True):
            trials[k] = each
        self._tried += trials
        columns = [
            (each.distances - at.distances) / (each.steps[k] - at.steps[k]) if each.runs else 0.0 * at.distances
            for k, each in enumerate(trials)
        ]
        lucky = [np.var(each.each - at.each, axis=1, ddof=1) for each in trials if each.runs and len(each.each.T) > 1]
        luck = np.mean(lucky, axis=0) / at.each.shape[1] / STEP**2 if lucky else 0.0 * at.distances
        return shrunk(np.stack(columns, axis=1), luck)

    def after(self, new: Trial) -> Floats:
        """Return the slopes at a trial that a search has stepped to."""
        step = new.steps - self._at.steps
        if not step.any():
            return self.matrix
        promised = self._at.distances + self.matrix @ step
        hoped, came = np.sum(self._at.distances**2 - promised**2), np.sum(self._at.distances**2 - new.distances**2)
        if came < FALLING_SHORT * hoped and self._left > 0:
            self._left -= 1
            self.matrix = self.measured(new)
        else:
            self.matrix = self.matrix + np.outer(new.distances - promised, step) / (step @ step)
        self._at = new
        return self.matrix


def shrunk(slopes: Floats, luck: Floats) -> Floats:
    """Return slopes less what luck could have made of them: those within it are 0 (positive-part James-Stein).

    Args:
        slopes: of distances, shape (figures, numbers).
        luck: variance of each figure's slopes by luck alone, shape (figures,).
    """
    size = slopes**2
    return slopes * np.maximum(0.0, 1.0 - luck[:, None] / np.where(size > 0, size, 1.0))


def cost(trial: Trial, noise: Floats) -> float:
    """Return what a search makes small: squares of distances, each by what luck does to it, and of steps."""
    return float(np.sum((trial.distances / noise) ** 2) + np.sum(trial.steps**2))


def search(run: Run, start: Trial) -> tuple[Slopes | None, list[Trial]]:
    """Move numbers until distances are small; return slopes, None where none were to be had, and the trials on the way.

    Trials that were run for a slope alone are not on the way: of many, luck alone brings one nearer.

    Each number is drawn back to where it began as strongly, at one step from there, as a distance of 1 draws: what no
    figure tells of stays where it is. A figure of which worlds differ by luck counts the less.

    Raises:
        RunInterrupted: from `run`. That the trials are spent ends a search like success does.
    """
    from scipy.optimize import least_squares

    n = len(start.steps)

    def at(steps: Floats) -> Trial:
        trial = run([steps])[0]
        way.append(trial)
        assert slopes is not None
        if trial.runs and np.abs(trial.distances / slopes.noise).max() <= ENOUGH:
            raise Found
        return trial

    def residuals(steps: Floats) -> Floats:
        trial = at(steps)
        assert slopes is not None
        if not trial.runs:  # farther than anything that could be run: the step was too long
            return np.full(len(trial.distances) + n, 10.0 * (1.0 + np.abs(start.distances).max()))
        return np.concatenate([trial.distances / slopes.noise, steps])

    def slopes_at(steps: Floats) -> Floats:
        assert slopes is not None
        return np.concatenate([slopes.after(run([steps])[0]) / slopes.noise[:, None], np.eye(n)])

    slopes: Slopes | None = None
    way = [start]
    try:
        slopes = Slopes(run, start)
        at(start.steps)
        least_squares(
            residuals, start.steps, slopes_at, bounds=(-FARTHEST, FARTHEST), x_scale=1.0, ftol=1e-3, xtol=1e-3
        )
    except (Found, Spent):
        pass
    return slopes, way
