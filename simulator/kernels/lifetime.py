"""A user between visits: hours of the day, return, churn; and the log-odds of ending a visit."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from simulator.kernel import kernel
from simulator.kernels.layout import Array

_DAY = 86400.0


@kernel
def after(start: float, waiting: float, hours: npt.NDArray[np.float64], starts_at: float) -> float:
    """The time at which `waiting` seconds of *activity* have passed since `start`, s.

    The day's profile stretches the night and presses the evening together (a time change of the arrival process:
    Cinlar 1975), so arrivals follow the profile with one draw and no rejection. `hours` (25,) is the profile's
    cumulative activity at full hours, from 0 to 86,400.
    """
    clock = start + starts_at
    day = math.floor(clock / _DAY)
    second = clock - day * _DAY
    h = min(np.int64(second / 3600.0), 23)
    activity = hours[h] + (hours[h + 1] - hours[h]) * (second - 3600.0 * h) / 3600.0 + waiting
    whole_days = math.floor(activity / _DAY)
    rest = activity - whole_days * _DAY
    h = 0
    while h < 23 and hours[h + 1] <= rest:
        h += 1
    second = 3600.0 * h + 3600.0 * (rest - hours[h]) / (hours[h + 1] - hours[h])
    time = (day + whole_days) * _DAY + second - starts_at
    return max(math.floor(time * 1024.0) / 1024.0, start + 1.0 / 1024.0)


@kernel
def leave_log_odds(satisfaction: float, streak: int, elapsed_share: float, tolerance: float, habits: Array) -> float:
    """Log-odds of ending the visit now: tired of bad items in a row, of time gone by, of what had to be borne."""
    odds = habits.leave_base + habits.leave_satisfaction * satisfaction
    odds += habits.leave_bad_streak * streak + habits.leave_elapsed * min(elapsed_share, 4.0)
    if tolerance <= 0.0:
        odds += habits.leave_tolerance
    return odds


@kernel
def successor(
    stage: int, outcome: int, luck: float, shares: npt.NDArray[np.float64], alternatives: npt.NDArray[np.int32]
) -> int:
    """The stage that follows an outcome (-1: the visit ends)."""
    if luck < shares[stage, outcome, 0]:
        return alternatives[stage, outcome, 0]
    if luck < shares[stage, outcome, 1]:
        return alternatives[stage, outcome, 1]
    return alternatives[stage, outcome, 2]
