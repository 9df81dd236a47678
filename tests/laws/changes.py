"""Changes of what items show, modality by modality."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from simulator.engine.randomness import table_points
from simulator.engine.tables.tables import Items
from tests.laws.harness import Bench

Change = Callable[[Bench, int, float, slice | list[int]], Items]
_EVERY = slice(None)


def content_moved(of: Bench, modality: int, by: float, items: slice | list[int] = _EVERY) -> Items:
    """Items whose content in a modality is moved by `by` standard deviations (a read-out: the number itself)."""
    all_items = of.items._replace(
        vectors=of.items.vectors.copy(), published_counters=of.items.published_counters.copy()
    )
    plan, names = of.compiled.plan, of.compiled.names
    row = plan.modalities[modality]
    if names.modalities[modality] in names.published_counters:
        column = names.published_counters.index(names.modalities[modality])
        all_items.published_counters[items, column] += np.float32(by)
    for cue in plan.cues[row["first_cue"] : row["end_cue"]]:
        if cue["column"] < 0:
            continue
        width = of.compiled.facets[cue["facet"]].dimensions
        columns = slice(cue["column"], cue["column"] + width)
        part = all_items.vectors[:, columns]
        # a direction of its own for every dimension, so that no user's taste is at a right angle to it by chance
        direction = np.random.default_rng(7).normal(size=width)
        moved = part[items] + np.float32(by) * part.std(axis=0) * (direction / np.abs(direction).max()).astype(
            np.float32
        )
        all_items.vectors[items, columns] = moved
    return all_items


def bias_moved(of: Bench, modality: int, by: float, items: slice | list[int] = _EVERY) -> Items:
    """Items whose seller leans on a modality by `by` standard deviations more (of its bias, at least 0.2)."""
    all_items = of.items._replace(bias_appeal=of.items.bias_appeal.copy())
    all_items.bias_appeal[items, modality] += np.float32(by * max(float(all_items.bias_appeal[:, modality].std()), 0.2))
    return all_items


def appeal_moved(of: Bench, modality: int, by: float, items: slice | list[int] = _EVERY) -> Items:
    """Items that are `by` standard deviations (of the appeal, at least 0.2) more attractive in a modality."""
    all_items = of.items._replace(bias_appeal=of.items.bias_appeal.copy())
    column = of.modalities + modality
    all_items.bias_appeal[items, column] += np.float32(by * max(float(all_items.bias_appeal[:, column].std()), 0.2))
    return all_items


def number_moved(of: Bench, modality: int, by: float, items: slice | list[int] = _EVERY) -> Items:
    """Items whose shown number (price, time, distance, age) is `by` standard deviations higher; of others, nothing."""
    all_items = of.items._replace(
        attributes=of.items.attributes.copy(), attribute_effects=of.items.attribute_effects.copy(),
        promised=of.items.promised.copy(), published=of.items.published.copy(), place=of.items.place.copy(),
    )  # fmt: skip
    names = of.compiled.names
    for a, name in enumerate(names.attribute_effects):  # the rows behind these are limits of filters, not numbers
        aside = of.compiled.plan.attribute_effects[a]
        if names.modalities[modality] != name:
            continue
        shown: Any = of.compiled.scenario.modalities[name]
        if aside["ages"]:
            all_items.published[items] -= by * all_items.published.std()
        elif aside["apart"]:
            all_items.place[items] *= np.float32(
                1.0 + 0.2 * by
            )  # farther from the corner where all users of a bench are
        elif aside["promise"] >= 0:
            all_items.promised[items, aside["promise"]] += np.float32(
                by * all_items.promised[:, aside["promise"]].std()
            )
        else:
            column = names.attributes.index(shown.shows)
            sd = all_items.attributes[:, column].std()
            all_items.attributes[items, column] += np.float32(by * sd)
            per = (shown.per.value if shown.per else 1.0) * (usual(of, shown.shows) if shown.relative else 1.0)
            worth = np.broadcast_to(shown.weight.value * by * sd / per, len(all_items.attribute_effects))
            all_items.attribute_effects[items, a] += worth[items].astype(np.float32)
    return all_items


def usual(of: Bench, number: str) -> Any:
    """What is usual of a number for the type of each item, (n,); infinite where the type has no such number."""
    kinds = list(of.compiled.scenario.item_types.values())
    own = [k.attributes[number].quantile(table_points()).mean() if number in k.attributes else np.inf for k in kinds]
    return np.array(own)[of.items.state["type"]]


def worth_sign(of: Bench, modality: int) -> int:
    """1: a higher number is better, -1: it is worse, 0: the modality shows no number that is worth something."""
    names = of.compiled.names
    if names.modalities[modality] not in names.attribute_effects:
        return 0
    shown: Any = of.compiled.scenario.modalities[names.modalities[modality]]
    return int(np.sign(shown.weight.value))


def made_better(of: Bench, modality: int, by: float, items: slice | list[int] = _EVERY) -> Items:
    """Items of which a modality says something better by `by` standard deviations: its number, or its seller's bias."""
    sign = worth_sign(of, modality)
    if sign:
        return number_moved(of, modality, sign * by, items)
    return bias_moved(of, modality, by, items)


def all_moved(of: Bench, modality: int, by: float) -> Items:
    """Items with content, bias and appeal of a modality moved at once."""
    for change in (content_moved, bias_moved, appeal_moved):
        of = of.with_items(change(of, modality, by))
    return of.items
