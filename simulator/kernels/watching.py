"""Watching: when a viewer leaves, how often they look again, how satisfied they are (pure functions)."""

from __future__ import annotations

import math

from simulator.kernel import kernel


@kernel
def leave_time(luck: float, at_sight: float, judged_after: float, judged: float, known_after: float, known: float) -> float:
    """Time at which a viewer would swipe away, from a piecewise constant hazard, s.

    The hazard is `at_sight` until the gut judgment, `judged` until the viewer knows what the video is worth, `known`
    from then on; inversion of the cumulative hazard at -log(1 - luck), so one uniform gives one time.

    Args:
        luck: uniform in [0, 1).
        at_sight, judged, known: hazards, 1/s, positive.
        judged_after, known_after: times, s, in this order.
    """
    left = -math.log1p(-luck)
    first = at_sight * judged_after
    if left < first:
        return left / at_sight
    left -= first
    second = judged * (known_after - judged_after)
    if left < second:
        return judged_after + left / judged
    return known_after + (left - second) / known


@kernel
def loops(luck: float, again: float, at_most: int) -> int:
    """How often a completed video is played again: geometric, P(n or more) = again^n, capped; one uniform."""
    n = 0
    survivor = again
    while n < at_most and luck < survivor:
        n += 1
        survivor *= again
    return n


@kernel
def satisfied(lived: float, expected: float, experience_weight: float, confirmation: float, loss_aversion: float) -> float:
    """Satisfaction from experience and confirmation (Oliver 1980), losses weighing more (Tversky and Kahneman 1992).

    w * lived + c * (lived - expected) where that is a gain, w * lived - c * lambda * (expected - lived) where a loss.
    """
    gap = lived - expected
    if gap < 0.0:
        gap *= loss_aversion
    return experience_weight * lived + confirmation * gap
