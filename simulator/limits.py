"""Limits that a visit may set on a number that is shown: a price ceiling, a salary floor.

What misses a limit is worth less to its user, wherever the number is read. People think in round numbers: a limit is
one of `LEVELS` typical values, each with a column among the numbers that are shown (`Plan.asides`), whose trait is 1
for a user while a visit with that limit lasts.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from simulator.errors import InputError
from simulator.kernels import layout
from simulator.scenario.schema import Scenario
from simulator.scenario.world import Criterion

Float32 = npt.NDArray[np.float32]
LEVELS = 8


def levels_of(criterion: Criterion) -> Float32:
    """The values that a limit may have, rising, (LEVELS,): the middles of equal shares of its distribution."""
    assert criterion.limit is not None
    return criterion.limit.quantile((np.arange(LEVELS) + 0.5) / LEVELS).astype(np.float32)


def kept_within(criterion: Criterion, values: Float32) -> npt.NDArray[np.bool_]:
    """Which items keep to each level of a limit, (n, LEVELS), by their values (n,)."""
    levels = levels_of(criterion)
    return values[:, None] <= levels if criterion.kind == "at_most" else values[:, None] >= levels


def weighed_limits(scenario: Scenario) -> list[Criterion]:
    """Limits that are worth something to users, in the order of their columns."""
    return [
        each
        for each in scenario.criteria.values()
        if each.kind in ("at_most", "at_least") and each.weight is not None and each.weight.value != 0.0
    ]


def limit_rows(scenario: Scenario, modalities: tuple[str, ...]) -> npt.NDArray[np.void]:
    """Rows of `Plan.asides` for the limits, dtype ASIDE (limits * LEVELS,).

    Raises:
        InputError: a limit on a number that no modality shows.
    """
    limits = weighed_limits(scenario)
    rows = np.zeros(len(limits) * LEVELS, dtype=layout.ASIDE)
    rows["promise"] = -1
    for k, limit in enumerate(limits):
        showing = [name for name in modalities if getattr(scenario.modalities[name], "shows", None) == limit.on]
        if not showing:
            key = next(name for name, each in scenario.criteria.items() if each is limit)
            raise InputError(
                scenario.shown,
                f"criteria.{key}.on = {limit.on}, which no modality shows",
                "a number that users can see",
            )
        rows["told"][k * LEVELS : (k + 1) * LEVELS] = 1 << modalities.index(showing[0])
    return rows


def limit_worths(scenario: Scenario, attributes: tuple[str, ...], values: Float32) -> Float32:
    """What each item loses by missing each level of each limit, (n, limits * LEVELS), by their numbers."""
    lost: list[Any] = [np.zeros((len(values), 0), dtype=np.float32)]
    for limit in weighed_limits(scenario):
        assert limit.weight is not None
        kept = kept_within(limit, values[:, attributes.index(limit.on)])
        lost.append(np.where(kept, 0.0, -abs(limit.weight.value)).astype(np.float32))
    return np.concatenate(lost, axis=1)
