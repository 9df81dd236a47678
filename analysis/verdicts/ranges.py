"""Which values a measure can have, so that no interval of its mean says what cannot be."""

from __future__ import annotations

import math
import re

from analysis.statistics import Interval

_SHARES = re.compile(
    r"(recall|ndcg|hit_rate|mrr|map)(@\d+)?|\w+_share|\w+_gini|utilisation_\w+|day_\d+_retention"
    r"|(skip|complete_play|silence|unattended|tolerated|bounce|positive_interaction|negative_feedback)_rate"
)
_SIGNED = re.compile(r"satisfaction|utility\w*|regret")
_CORRELATIONS = re.compile(r"kendall|spearman|\w+_correlation")


def range_of(measure: str) -> Interval:
    """Return the least and the greatest value that a measure can have.

    >>> range_of("creator_exposure_gini"), range_of("kendall").low, range_of("plays"), range_of("satisfaction").low
    (Interval(low=0.0, high=1.0), -1.0, Interval(low=0.0, high=inf), -inf)
    """
    if _CORRELATIONS.fullmatch(measure):
        return Interval(-1.0, 1.0)
    if _SHARES.fullmatch(measure):
        return Interval(0.0, 1.0)
    return Interval(-math.inf, math.inf) if _SIGNED.fullmatch(measure) else Interval(0.0, math.inf)


def within(measure: str, interval: Interval) -> Interval:
    """Return an interval of a measure's mean, cut where its values end: the mean cannot lie beyond.

    What is cut off holds no true value, so that the interval covers as often as before. NaN stays.

    >>> within("churned_share", Interval(-0.2, 0.4))
    Interval(low=0.0, high=0.4)
    """
    least, greatest = range_of(measure)
    if math.isnan(interval.low):
        return interval
    return Interval(min(max(interval.low, least), greatest), max(min(interval.high, greatest), least))
