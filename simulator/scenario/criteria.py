"""What selection criteria are on: which of them are limits, and where users see what they limit."""

from __future__ import annotations

from simulator.scenario.schema.catalog import Criterion
from simulator.scenario.schema.scenario import DistanceModality, PromiseModality, Scenario

LIMITS = ("at_most", "at_least", "near", "only")
"""Kinds of criteria that are limits; `only` is one without a number of its own: it wants what has any at all."""


def lies_between(scenario: Scenario, criterion: Criterion) -> bool:
    """Return whether a limit is on what lies between item and user: a promise, or the distance."""
    return criterion.kind == "near" or (criterion.kind in LIMITS and criterion.on in scenario.promises)


def is_weighed(criterion: Criterion) -> bool:
    """Return whether a criterion is a limit that is worth something to users."""
    return criterion.kind in LIMITS and criterion.weight is not None and criterion.weight.value != 0.0


def shown_by(scenario: Scenario, limit: Criterion) -> str | None:
    """Return the first modality that shows what a limit is on; None if users cannot see it."""
    for name, modality in scenario.modalities.items():
        if limit.kind == "near":
            shows = isinstance(modality, DistanceModality)
        elif limit.on in scenario.promises:
            shows = isinstance(modality, PromiseModality) and modality.promise == limit.on
        else:
            shows = getattr(modality, "shows", None) == limit.on
        if shows:
            return name
    return None
