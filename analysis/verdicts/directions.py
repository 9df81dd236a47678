"""Which way a measure is better, and for whom: declared here once, so that no page decides it for itself.

A measure that stands here for nobody (opens, plays, exposure) may rise for good or for bad: of it a verdict says
*raises* or *lowers*, never *helps* or *hurts*.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

Better = Literal["higher", "lower"]


class Direction(NamedTuple):
    """Hold which way a measure is better, and for whom."""

    better: Better
    whose: Literal["users", "the platform", "the model"]


_USERS = {
    "satisfaction": "higher", "utility": "higher", "utility_of_decisions": "higher", "rating": "higher",
    "belief_utility_correlation": "higher", "regret": "lower", "late_share": "lower", "tolerated_rate": "lower",
    "negative_feedback_rate": "lower",
}  # fmt: skip
_PLATFORM = {
    "decisions_per_visit": "higher", "visits": "higher", "visits_per_user_day": "higher", "day_1_retention": "higher",
    "minutes_per_user_day": "higher", "churned_share": "lower",
}  # fmt: skip
_MODEL = {"recall": "higher", "ndcg": "higher", "hit_rate": "higher", "mrr": "higher", "map": "higher"}
DECLARED = (*_USERS, *_PLATFORM, *_MODEL, "opens_per_visit")
"""Measures that may have a bound, whatever else a scenario measures."""


def direction_of(measure: str) -> Direction | None:
    """Return which way a measure is better, None where that is nobody's to say; `recall@20` goes by `recall`.

    >>> direction_of("regret").better, direction_of("recall@20").whose, direction_of("open_per_impression")
    ('lower', 'the model', None)
    """
    name, _, cutoff = measure.partition("@")
    if cutoff.isdigit() and name in _MODEL:
        return Direction("higher", "the model")
    for table, whose in ((_USERS, "users"), (_PLATFORM, "the platform"), (_MODEL, "the model")):
        if measure in table:
            return Direction(table[measure], whose)  # type: ignore[arg-type]
    return None


def better(measure: str) -> Better | None:
    """Return which way a measure is better, None where that is nobody's to say.

    >>> better("satisfaction"), better("plays")
    ('higher', None)
    """
    found = direction_of(measure)
    return None if found is None else found.better
