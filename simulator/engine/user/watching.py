"""Watching: when a viewer leaves, how often they look again, how satisfied they are (pure functions)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from simulator.engine.jit.compile import kernel


@kernel
def leave_time(
    left: float, at_sight: float, judged_after: float, judged: float, known_after: float, known: float
) -> float:
    """Return the time at which a viewer would swipe away, from a piecewise constant hazard, s.

    The hazard is `at_sight` until the gut judgment, `judged` until the viewer knows what the video is worth, `known`
    from then on; inversion of the cumulative hazard, so one draw gives one time. All three pieces are computed and one
    is taken, because no processor could predict which.

    Args:
        left: a draw from the standard exponential distribution.
        at_sight, judged, known: hazards, 1/s, positive.
        judged_after, known_after: times, s, in this order.
    """
    beyond_first = left - at_sight * judged_after
    beyond_second = beyond_first - judged * (known_after - judged_after)
    first = left / at_sight
    second = judged_after + beyond_first / judged
    third = known_after + beyond_second / known
    later = second if beyond_second < 0.0 else third
    return first if beyond_first < 0.0 else later


@kernel
def leave_by_share(
    left: float, begins: float, duration: float, steps: npt.NDArray[np.float64], first: int, n: int
) -> float:
    """Return the time in a play at which a viewer would leave by hazards that begin at shares of its duration, s.

    The hazard is 0 before the first step, then that of the last step behind; inversion as in `leave_time`.

    Args:
        left: a draw from the standard exponential distribution.
        begins: time of the play at which the viewer comes in, s.
        duration: of the play, s.
        steps: (rows, 2): parts of the duration, rising, and hazards from there on, 1/s, positive.
        first, n: rows that count, at least one.
    """
    t = max(begins, steps[first, 0] * duration)
    for j in range(first, first + n - 1):
        span = max(begins, steps[j + 1, 0] * duration) - t
        stays = min(left / steps[j, 1], span)
        if stays < span:
            return t + stays
        left -= span * steps[j, 1]
        t += span
    return t + max(left, 0.0) / steps[first + n - 1, 1]


@kernel
def loops(draw: float, again: float, at_most: int) -> int:
    """Return how often a completed video is played again: geometric, P(n or more) = again^n, capped; one uniform."""
    n = 0
    survivor = again
    while n < at_most and draw < survivor:
        n += 1
        survivor *= again
    return n


@kernel
def satisfied(
    lived: float, expected: float, experience_weight: float, confirmation: float, loss_aversion: float
) -> float:
    """Return satisfaction from experience and confirmation (Oliver 1980); losses weigh more (Tversky, Kahneman 1992).

    w * lived + c * (lived - expected) where that is a gain, w * lived - c * lambda * (expected - lived) where a loss.
    """
    gap = lived - expected
    return experience_weight * lived + confirmation * (max(gap, 0.0) + loss_aversion * min(gap, 0.0))
