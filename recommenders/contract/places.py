"""Popularity in place of a model: how many places of slates it filled, so that nobody takes it for the model."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

BEARABLE = 0.01  # share of places above which one is warned


class Places(NamedTuple):
    """Count places of slates, so that nobody takes the popular items of a model that gave no scores for the model's.

    Attributes:
        filled: all that hold an item.
        by_popularity: those whose item the model gave no score.
        unknown_users: of these, those of users without positives at fit.
    """

    filled: int = 0
    by_popularity: int = 0
    unknown_users: int = 0

    @property
    def share(self) -> float:
        """Return the share that popularity filled; NaN where nothing was filled."""
        return self.by_popularity / self.filled if self.filled else float("nan")

    def plus(self, other: Places, sign: int = 1) -> Places:
        """Return the counts of both together, or with ``sign`` -1 what came since the other."""
        return Places(*(own + sign * more for own, more in zip(self, other, strict=True)))


def fallback(places: Places | None) -> dict[str, Any] | None:
    """Return counts as manifests and results have them; None where a recommender does not count.

    >>> fallback(Places(200, 3, 1))
    {'share': 0.015, 'places': 200, 'by_popularity': 3, 'of_unknown_users': 1}
    """
    if places is None:
        return None
    share = None if math.isnan(places.share) else places.share
    return {
        "share": share,
        "places": places.filled,
        "by_popularity": places.by_popularity,
        "of_unknown_users": places.unknown_users,
    }


def fallback_warning(who: str, found: Mapping[str, Any] | None) -> str | None:
    """Return a line of warning where popularity filled more of ``who``'s places than is bearable, else None.

    >>> fallback_warning("bpr", fallback(Places(200, 3, 1)))
    'bpr gave no score for 1.5% of the places in its slates, which popularity filled (1.0% for users known at fit)'
    """
    if found is None or not (found["share"] or 0.0) > BEARABLE:
        return None
    known = (found["by_popularity"] - found["of_unknown_users"]) / found["places"]
    return (
        f"{who} gave no score for {found['share']:.1%} of the places in its slates, which popularity filled "
        f"({known:.1%} for users known at fit)"
    )


def called(name: str, parameters: Mapping[str, Any]) -> str:
    """Return a recommender's name, with the model of another library that it stands for.

    >>> called("cornac", {"model": "MF(k=4)"}), called("bpr", {})
    ('cornac MF(k=4)', 'bpr')
    """
    return f"{name} {parameters['model']}" if "model" in parameters else name
