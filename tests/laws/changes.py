"""Changes of what items show, modality by modality."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from simulator.engine.randomness import table_points
from simulator.engine.tables.tables import Goods
from tests.laws.harness import Bench

Change = Callable[[Bench, int, float, slice | list[int]], Goods]
_EVERY = slice(None)


def content_moved(of: Bench, modality: int, by: float, items: slice | list[int] = _EVERY) -> Goods:
    """Items whose content in a modality is moved by `by` standard deviations (a read-out: the number itself)."""
    goods = of.goods._replace(vectors=of.goods.vectors.copy(), readouts=of.goods.readouts.copy())
    plan, names = of.compiled.plan, of.compiled.names
    row = plan.modalities[modality]
    if names.modalities[modality] in names.readouts:
        goods.readouts[items, names.readouts.index(names.modalities[modality])] += np.float32(by)
    for pair in plan.pairs[row["first_pair"] : row["end_pair"]]:
        if pair["column"] < 0:
            continue
        width = of.compiled.facets[pair["facet"]].dimensions
        columns = slice(pair["column"], pair["column"] + width)
        part = goods.vectors[:, columns]
        # a direction of its own for every dimension, so that no user's taste is at a right angle to it by chance
        direction = np.random.default_rng(7).normal(size=width)
        moved = part[items] + np.float32(by) * part.std(axis=0) * (direction / np.abs(direction).max()).astype(
            np.float32
        )
        goods.vectors[items, columns] = moved
    return goods


def bias_moved(of: Bench, modality: int, by: float, items: slice | list[int] = _EVERY) -> Goods:
    """Items whose seller leans on a modality by `by` standard deviations more (of its bias, at least 0.2)."""
    goods = of.goods._replace(colour=of.goods.colour.copy())
    goods.colour[items, modality] += np.float32(by * max(float(goods.colour[:, modality].std()), 0.2))
    return goods


def appeal_moved(of: Bench, modality: int, by: float, items: slice | list[int] = _EVERY) -> Goods:
    """Items that are `by` standard deviations (of the appeal, at least 0.2) more attractive in a modality."""
    goods = of.goods._replace(colour=of.goods.colour.copy())
    column = of.modalities + modality
    goods.colour[items, column] += np.float32(by * max(float(goods.colour[:, column].std()), 0.2))
    return goods


def number_moved(of: Bench, modality: int, by: float, items: slice | list[int] = _EVERY) -> Goods:
    """Items whose shown number (price, time, distance, age) is `by` standard deviations higher; of others, nothing."""
    goods = of.goods._replace(
        attributes=of.goods.attributes.copy(), asides=of.goods.asides.copy(), promised=of.goods.promised.copy(),
        published=of.goods.published.copy(), place=of.goods.place.copy(),
    )  # fmt: skip
    names = of.compiled.names
    for a, name in enumerate(names.asides):  # the rows behind these are limits of filters, not numbers
        aside = of.compiled.plan.asides[a]
        if names.modalities[modality] != name:
            continue
        shown: Any = of.compiled.scenario.modalities[name]
        if aside["ages"]:
            goods.published[items] -= by * goods.published.std()
        elif aside["apart"]:
            goods.place[items] *= np.float32(1.0 + 0.2 * by)  # farther from the corner where all users of a bench are
        elif aside["promise"] >= 0:
            goods.promised[items, aside["promise"]] += np.float32(by * goods.promised[:, aside["promise"]].std())
        else:
            column = names.attributes.index(shown.shows)
            sd = goods.attributes[:, column].std()
            goods.attributes[items, column] += np.float32(by * sd)
            per = (shown.per.value if shown.per else 1.0) * (usual(of, shown.shows) if shown.relative else 1.0)
            worth = np.broadcast_to(shown.weight.value * by * sd / per, len(goods.asides))
            goods.asides[items, a] += worth[items].astype(np.float32)
    return goods


def usual(of: Bench, number: str) -> Any:
    """What is usual of a number for the type of each item, (n,); infinite where the type has no such number."""
    kinds = list(of.compiled.scenario.item_types.values())
    own = [k.attributes[number].quantile(table_points()).mean() if number in k.attributes else np.inf for k in kinds]
    return np.array(own)[of.goods.facts["type"]]


def worth_sign(of: Bench, modality: int) -> int:
    """1: a higher number is better, -1: it is worse, 0: the modality shows no number that is worth something."""
    names = of.compiled.names
    if names.modalities[modality] not in names.asides:
        return 0
    shown: Any = of.compiled.scenario.modalities[names.modalities[modality]]
    return int(np.sign(shown.weight.value))


def made_better(of: Bench, modality: int, by: float, items: slice | list[int] = _EVERY) -> Goods:
    """Items of which a modality says something better by `by` standard deviations: its number, or its seller's bias."""
    sign = worth_sign(of, modality)
    if sign:
        return number_moved(of, modality, sign * by, items)
    return bias_moved(of, modality, by, items)


def all_moved(of: Bench, modality: int, by: float) -> Goods:
    """Items with content, bias and appeal of a modality moved at once."""
    for change in (content_moved, bias_moved, appeal_moved):
        of = of.with_goods(change(of, modality, by))
    return of.goods
