"""Limits that a visit may set: a price ceiling, a salary floor, a promised time or a distance at most.

What misses a limit is worth less to its user, wherever the number is read. People think in round numbers: a limit is
one of `LEVELS` typical values. A limit on a number of the item has a column for each of them among the numbers that are
shown (`Plan.attribute_effects`), whose trait is 1 for a user while a visit with that limit lasts. What lies between an
item and a user (a promise, a distance) differs for each of them: a limit on it has one column, whose trait is the limit
itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from simulator.engine.tables import tables as layout
from simulator.plan.stages import Vocabulary
from simulator.scenario.criteria import is_weighed, lies_between, shown_by
from simulator.scenario.schema.catalog import Criterion
from simulator.scenario.schema.scenario import Scenario

Float32 = npt.NDArray[np.float32]
LEVELS = 8


def levels_of(criterion: Criterion) -> Float32:
    """Return the values that a limit may have, rising, (LEVELS,): the middles of equal shares of its distribution.

    A criterion of kind `only` has one, 1: it is there, or it is not.
    """
    if criterion.kind == "only":
        return np.ones(1, dtype=np.float32)
    assert criterion.limit is not None
    return criterion.limit.quantile((np.arange(LEVELS) + 0.5) / LEVELS).astype(np.float32)


def promise_of(scenario: Scenario, criterion: Criterion) -> int:
    """Return the number of the promise that a limit is on; -1: of the distance."""
    return -1 if criterion.kind == "near" else list(scenario.promises).index(criterion.on)


def kept_within(criterion: Criterion, values: Float32) -> npt.NDArray[np.bool_]:
    """Return which items keep to each level of a limit, (n, levels), by their values (n,)."""
    if criterion.kind == "only":
        return values[:, None] > 0.0
    levels = levels_of(criterion)
    return values[:, None] <= levels if criterion.kind == "at_most" else values[:, None] >= levels


def weighed_limits(scenario: Scenario) -> list[tuple[Criterion, slice]]:
    """Return the limits that are worth something to users, with their columns, counted from the first of all limits."""
    found, first = [], 0
    for each in scenario.criteria.values():
        if is_weighed(each):
            wide = 1 if lies_between(scenario, each) else len(levels_of(each))
            found.append((each, slice(first, first + wide)))
            first += wide
    return found


def limit_rows(scenario: Scenario, names: Vocabulary) -> npt.NDArray[np.void]:
    """Return the rows of `Plan.attribute_effects` for the limits, dtype ATTRIBUTE_EFFECT (columns,)."""
    limits = weighed_limits(scenario)
    rows = np.zeros(limits[-1][1].stop if limits else 0, dtype=layout.ATTRIBUTE_EFFECT)
    rows["promise"] = -1
    for limit, columns in limits:
        modality = shown_by(scenario, limit)
        assert limit.weight is not None
        assert modality is not None
        rows["revealed_by"][columns] = 1 << names.modalities.index(modality)
        if lies_between(scenario, limit):
            row = rows[columns.start]
            row["limit"], row["weight"] = 1, -abs(limit.weight.value)
            row["promise"], row["apart"] = promise_of(scenario, limit), limit.kind == "near"
            row["types"] = met_by(scenario, names.types, modality)
    return rows


def met_by(scenario: Scenario, types: Sequence[str], modality: str) -> int:
    """Return the types of items that have what a modality shows, bits: where it belongs to parents that are shown, they
    do and their children do not; else items do and parents do not. `types` are all names of types.
    """
    found = set(range(len(types)))
    for k, kind in enumerate(types[len(scenario.item_types) :]):
        parent = scenario.parents[kind]
        if modality in parent.modalities:
            of = scenario.item_types if parent.types is None else parent.types
            found -= {list(types).index(each) for each in of}
        else:
            found -= {len(scenario.item_types) + k}
    return sum(1 << t for t in found)


def limit_worths(scenario: Scenario, attributes: tuple[str, ...], values: Float32) -> Float32:
    """Return what each item loses by missing each level of each limit, (n, columns), by its own numbers."""
    lost: list[Any] = [np.zeros((len(values), 0), dtype=np.float32)]
    for limit, columns in weighed_limits(scenario):
        assert limit.weight is not None
        if lies_between(scenario, limit):
            lost.append(np.zeros((len(values), columns.stop - columns.start), dtype=np.float32))
            continue
        kept = kept_within(limit, values[:, attributes.index(limit.on)])
        lost.append(np.where(kept, 0.0, -abs(limit.weight.value)).astype(np.float32))
    return np.concatenate(lost, axis=1)
