"""Profiles of a day or a week as cumulative activity: what arrivals of users and of items are timed by."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from simulator.errors import InputError
from simulator.scenario.durations import HOUR


def cumulative_activity(hours: Sequence[float], days: Sequence[float] = (1.0,)) -> npt.NDArray[np.float64]:
    """Return the activity since the beginning of a day, or of a week, at its full hours, s.

    Args:
        hours: relative activity in each hour of a day.
        days: relative activity of each day; one alone: all days are alike.

    Returns:
        float64 (hours * days + 1,), from 0 to the length of the profile: on average a second holds a second of it.

    >>> cumulative_activity([1, 3], [1, 1])
    array([    0.,  1800.,  7200.,  9000., 14400.])
    """
    rates = np.outer(np.asarray(days, dtype=np.float64), np.asarray(hours, dtype=np.float64)).ravel()
    cumulative = np.concatenate([[0.0], np.cumsum(rates)])
    return np.asarray(cumulative * (HOUR * len(rates) / cumulative[-1]))


def spread_over(
    draw: npt.NDArray[np.float64], activity: npt.NDArray[np.float64], horizon: float, starts_at: float
) -> npt.NDArray[np.float64]:
    """Return the times in [0, horizon) that follow a profile, s: quantiles, at `luck`, of the activity until then.

    Args:
        luck: uniform numbers in [0, 1).
        activity: from `cumulative_activity`.
        horizon: end of the last time, s.
        starts_at: time on the profile's clock at time 0, s.

    Raises:
        InputError: the profile has no activity before the horizon.
    """
    period = HOUR * (len(activity) - 1)
    turns = int(np.ceil((starts_at + horizon) / period))
    clock = HOUR * np.arange(turns * (len(activity) - 1) + 1, dtype=np.float64) - starts_at
    total = np.concatenate([activity[:-1] + period * turn for turn in range(turns)] + [[turns * period]])
    first, last = np.interp([0.0, horizon], clock, total)
    if last <= first:
        raise InputError("horizon", f"{horizon:g} s, in which no hour has any activity", "a longer one")
    return np.asarray(np.clip(np.interp(first + draw * (last - first), total, clock), 0.0, horizon))
