"""What a calibration found, as records: numbers, figures, widths and costs, ready to be written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from analysis.calibrate.figures import Figure, steering
from analysis.calibrate.parameters import Free, values_at
from analysis.calibrate.scales import FARTHEST
from analysis.calibrate.trials import Trial
from analysis.calibrate.widths import WIDTH, Widths, widths


@dataclass(frozen=True)
class Moved:
    """Hold what became of a number.

    Attributes:
        name: its path.
        unit: as written.
        before, after: its value, as written.
        least, most: as far as it could move.
        low, high: within which it lies, by the figures: two standard deviations either way; None where no slopes were
            measured.
        weak: whether the figures hardly tell it.
        see: the target that it is calibrated to; empty where no target tells anything of it.
    """

    name: str
    unit: str
    before: float
    after: float
    least: float
    most: float
    low: float | None
    high: float | None
    weak: bool
    see: str


@dataclass(frozen=True)
class Judged:
    """Hold a target before and after, beside its value; `held_out` is that of users who were left out of a log."""

    name: str
    role: str
    value: float
    unit: str
    before: float
    after: float
    distance_before: float
    distance_after: float
    held_out: float | None = None


@dataclass(frozen=True)
class Outcome:
    """Hold what a calibration found.

    Attributes:
        moved: a record per number.
        judged: a record per target, first those that steered.
        directions: of what is hardly told, numbers by their part in it, the least told first.
        before, after: distance of all that steered, 1 where each is just near enough.
        trials: how many scenarios were run.
        seconds: of CPU that they cost.
        likelihood: log-likelihood of held-out readings before and after, less that of a world that meets them all.
    """

    moved: Sequence[Moved]
    judged: Sequence[Judged]
    directions: Sequence[Mapping[str, float]]
    before: float
    after: float
    trials: int
    seconds: float
    likelihood: tuple[float, float] | None = None


def outcome_of(
    free: Sequence[Free],
    figures: Mapping[str, Figure],
    trials: Sequence[Trial],
    best: Trial,
    slopes: np.ndarray | None,
    noise: np.ndarray,
    held_out: Mapping[str, Figure],
) -> Outcome:
    """Sum up trials, of which the first moved nothing.

    Args:
        free: the numbers that could move.
        figures: that worlds were held against.
        trials: all, in their order.
        best: that counts.
        slopes: of distances by number, shape (figures that steer, numbers), None where none were measured.
        noise: standard deviation of each distance, shape (figures that steer,).
        held_out: figures of held-out users.
    """
    start, steers = trials[0], steering(figures)
    known = None
    if slopes is not None:
        known = widths(slopes, noise)
    return Outcome(
        [_moved(k, free, best, known, slopes, [each.name for each in steers]) for k in range(len(free))],
        [_judged(each, start, best, held_out) for each in sorted(figures.values(), key=lambda each: not each.steers)],
        [] if known is None else _directions(free, known),
        start.size,
        best.size,
        len(trials),
        sum(each.seconds for each in trials),
        _likelihood(start, best, held_out) if held_out else None,
    )


def _moved(
    k: int, free: Sequence[Free], best: Trial, known: Widths | None, slopes: np.ndarray | None, steers: Sequence[str]
) -> Moved:
    each, number = free[k], free[k].number

    def at(steps: float) -> float:
        moved = best.steps.copy()
        moved[k] = steps
        return values_at(free, moved.tolist()).get(number.name, number.value)

    reach = None if known is None else WIDTH * known.sd[k]
    low, high = (None, None) if reach is None else (at(best.steps[k] - reach), at(best.steps[k] + reach))
    see = number.claim.see if number.claim.provenance == "calibrated" else None
    if see is None and slopes is not None and slopes[:, k].any():
        see = steers[int(np.argmax(np.abs(slopes[:, k])))]
    least, most = sorted((at(-FARTHEST), at(FARTHEST)))
    return Moved(
        each.name, number.claim.unit, number.value, best.values.get(number.name, number.value), least, most, low, high,
        known is not None and known.weak[k], see or "",
    )  # fmt: skip


def _judged(each: Figure, start: Trial, best: Trial, held_out: Mapping[str, Figure]) -> Judged:
    before, after = start.simulated(each.name), best.simulated(each.name)
    off = [(value - each.value) / abs(each.value) if each.value else np.nan for value in (before, after)]
    other = held_out.get(each.name)
    return Judged(
        each.name, "fit" if each.steers else "check", each.value, each.unit, before, after, off[0], off[1],
        None if other is None else other.value,
    )  # fmt: skip


def _directions(free: Sequence[Free], known: Widths) -> list[dict[str, float]]:
    """Return the combinations of numbers that figures tell less than what was supposed before, the least told first."""
    found = []
    for told, direction in sorted(zip(known.told, known.directions, strict=True), key=lambda pair: float(pair[0])):
        if told < 1.0:
            parts = sorted(zip(direction, free, strict=True), key=lambda pair: -abs(float(pair[0])))
            found.append({each.name: float(part) for part, each in parts if abs(part) >= 0.3})
    return found


def _likelihood(start: Trial, best: Trial, held_out: Mapping[str, Figure]) -> tuple[float, float]:
    """Return the log-likelihood (Gaussian) of held-out readings that steer, before and after."""
    steers = steering(held_out)
    before, after = (
        -0.5 * float(sum(each.distance(trial.simulated(each.name)) ** 2 for each in steers)) for trial in (start, best)
    )
    return before, after
