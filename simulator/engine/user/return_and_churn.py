"""A user between visits: hours of the day and of the week, return, churn; and the log-odds of ending a visit."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from simulator.engine.jit.compile import kernel
from simulator.engine.tables.tables import HOUR, TICKS_PER_SECOND, Array


@kernel
def after(start: float, waiting: float, hours: npt.NDArray[np.float64], starts_at: float) -> float:
    """Return the time at which `waiting` seconds of *activity* have passed since `start`, s.

    The profile stretches the night and presses the evening together (a time change of the arrival process:
    Cinlar 1975), so arrivals follow the profile with one draw and no rejection. `hours` is the profile's cumulative
    activity at full hours, (25,) from 0 to 86,400 for a day that is like every other, (169,) from 0 to 604,800 for a
    week; `starts_at` is the time on that clock at time 0, s.
    """
    last = hours.shape[0] - 2
    period = HOUR * (last + 1)
    clock = start + starts_at
    turn = math.floor(clock / period)
    second = clock - turn * period
    h = min(np.int64(second / HOUR), last)
    activity = hours[h] + (hours[h + 1] - hours[h]) * (second - HOUR * h) / HOUR + waiting
    whole = math.floor(activity / period)
    rest = activity - whole * period
    h = 0
    above = last
    while h < above:  # the last hour that begins with no more than `rest`
        middle = (h + above + 1) // 2
        if hours[middle] <= rest:
            h = middle
        else:
            above = middle - 1
    second = HOUR * h + HOUR * (rest - hours[h]) / (hours[h + 1] - hours[h])
    time = (turn + whole) * period + second - starts_at
    return max(math.floor(time * TICKS_PER_SECOND) / TICKS_PER_SECOND, start + 1.0 / TICKS_PER_SECOND)


@kernel
def leave_log_odds(
    satisfaction: float, streak: int, elapsed_share: float, tolerance: float, user_params: Array
) -> float:
    """Return the log-odds of ending the visit now: bad items in a row, time gone by, and what had to be borne."""
    odds = user_params.leave_base + user_params.leave_satisfaction * satisfaction
    odds += user_params.leave_bad_streak * streak + user_params.leave_elapsed * min(elapsed_share, 4.0)
    if tolerance <= 0.0:
        odds += user_params.leave_tolerance
    return odds


@kernel
def successor(
    stage: int, outcome: int, draw: float, shares: npt.NDArray[np.float64], alternatives: npt.NDArray[np.int32]
) -> int:
    """Return the stage that follows an outcome (-1: the visit ends)."""
    if draw < shares[stage, outcome, 0]:
        return alternatives[stage, outcome, 0]
    if draw < shares[stage, outcome, 1]:
        return alternatives[stage, outcome, 1]
    return alternatives[stage, outcome, 2]
