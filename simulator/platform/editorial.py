"""Editors: people who fill the first places of a surface's slates, the same for everybody, now and then anew.

What they pick is no model's doing: the recommender is asked for the places that are left, and for other items. In the
logs such a card has a propensity of 1, and the policy version of the slate that it is part of.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from recommenders.contract import Slates, sealed
from simulator.engine.randomness import EDITORS, normals
from simulator.engine.tables.tables import Items, Users
from simulator.part import Part, Published
from simulator.plan.compiler import Compiled
from simulator.population.parent_rows import levels_of
from simulator.scenario.schema.catalog import Editorial

ItemNumbers = npt.NDArray[np.int32]
_REFERENCE = 256  # users whose liking is what editors call good
_ITEMS = 4096  # at a time


@dataclass
class _Desk:
    """Hold the editors of one surface."""

    rule: Editorial
    liking: npt.NDArray[np.float64]  # (items,): what they see of an item's worth; breaks ties where that is no matter
    counter: int  # column of the counters that says what is popular
    level: int  # kind of parents that the surface shows, -1: items
    period: int = -1
    picks: ItemNumbers | None = None


class Editors(Part):
    """Hold what editors have picked for each surface, as of the last tick.

    Args:
        compiled: a scenario with editorial slots.
        users: its users as they were drawn.
        items: its items.
        seed: the world's seed.
    """

    def __init__(self, compiled: Compiled, users: Users, items: Items, seed: int) -> None:
        self._compiled, self._items = compiled, items
        self._levels = levels_of(compiled, items)
        worth = usual_worth(compiled, users.taste[:_REFERENCE], items)
        self._desks: dict[int, _Desk] = {}
        self._parted: dict[
            tuple[int, int], tuple[ItemNumbers, ItemNumbers, ItemNumbers]
        ] = {}  # by surface and array of candidates
        for s, name in enumerate(compiled.names.surfaces):
            rule = compiled.scenario.surfaces[name].editorial
            if rule is None:
                continue
            share = 1.0 if rule.precision is None else rule.precision.value
            error = normals(seed, EDITORS, len(worth), 1, block=s)[:, 0].astype(np.float64)
            # of the variance of what they see, `precision` is that of what users like on average
            seen = np.sqrt(share) * (worth - worth.mean()) + np.sqrt(1.0 - share) * worth.std() * error
            level = int(compiled.plan.stages["shows_parents"][compiled.plan.stages["surface"] == s].max(initial=-1))
            self._desks[s] = _Desk(rule, seen if rule.picks == "best" else error, _popular(compiled), level)

    def publish(self, published: Published) -> None:
        """Pick anew where it is time to; what is no candidate any more is taken off."""
        self._parted.clear()
        time, everything, counters = published.time, published.candidates, published.counters
        for desk in self._desks.values():
            candidates = everything[self._levels[everything] == desk.level]
            period = int(time // desk.rule.every.value)
            if period != desk.period or desk.picks is None:
                order = np.lexsort(
                    (candidates, -desk.liking[candidates], -self._score(desk, time, candidates, counters))
                )
                desk.period, desk.picks = period, candidates[order[: desk.rule.slots]]
            desk.picks = desk.picks[np.isin(desk.picks, candidates)]

    def picks(self, surface: int, candidates: ItemNumbers) -> tuple[ItemNumbers, ItemNumbers]:
        """Return the editors' picks for a surface that are among these candidates, best first; and the others.

        Within a tick the same array of candidates must hold the same items.
        """
        desk = self._desks.get(surface)
        if desk is None or desk.picks is None:
            return np.empty(0, dtype=np.int32), candidates
        known = self._parted.get((surface, id(candidates)))
        if known is None:
            picks = desk.picks[np.isin(desk.picks, candidates)]
            known = candidates, picks, sealed(candidates[~np.isin(candidates, picks)])
            self._parted[surface, id(candidates)] = known
        return known[1], known[2]

    def state(self) -> dict[str, npt.NDArray[Any]]:
        """Return everything that changes, for a checkpoint."""
        arrays: dict[str, npt.NDArray[Any]] = {}
        for s, desk in self._desks.items():
            arrays[f"{s}/period"] = np.array([desk.period])
            arrays[f"{s}/picks"] = np.empty(0, dtype=np.int32) if desk.picks is None else desk.picks
        return arrays

    def restore(self, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        """Take back what `state` gave."""
        for s, desk in self._desks.items():
            desk.period, desk.picks = int(arrays[f"{s}/period"][0]), arrays[f"{s}/picks"].astype(np.int32)

    def _score(
        self, desk: _Desk, time: float, candidates: ItemNumbers, counters: npt.NDArray[np.int64]
    ) -> npt.NDArray[np.float64]:
        """Return the number by which editors rank the candidates first."""
        published = self._items.published[candidates]
        if desk.rule.picks == "newest":
            return np.asarray(published)
        if desk.rule.picks == "popular":
            return np.asarray(counters[candidates, desk.counter], dtype=np.float64)
        plan = self._compiled.plan
        aged = np.exp2(
            -np.maximum(time - published, 0.0) / plan.types["half_life"][self._items.state["type"][candidates]]
        )
        lost = float(plan.attribute_effects["weight"][plan.attribute_effects["ages"] == 1].sum())
        return np.asarray(desk.liking[candidates] + lost * (1.0 - aged))


def edited(slates: Slates, picks: ItemNumbers) -> Slates:
    """Return slates whose first places are the editors' picks: each is there for certain."""
    n = len(slates.items)
    items = np.concatenate([np.tile(picks, (n, 1)), slates.items], axis=1)
    own = np.full(slates.items.shape, np.nan, np.float32) if slates.propensity is None else slates.propensity
    return Slates(items, np.concatenate([np.ones((n, len(picks)), dtype=np.float32), own], axis=1))


def _popular(compiled: Compiled) -> int:
    """Return the column of the counters that a read-out shows, and so is popular; 0 (exposures) without one."""
    counts = [getattr(compiled.scenario.modalities[name], "counts", None) for name in compiled.names.published_counters]
    return next((compiled.names.counters.index(event) + 1 for event in counts if event is not None), 0)


def usual_worth(compiled: Compiled, taste: npt.NDArray[np.float32], items: Items) -> npt.NDArray[np.float64]:
    """Return items' mean utility to users with these tastes (n, D), (items,): all but the idiosyncratic part."""
    plan = compiled.plan
    types = items.state["type"].astype(np.int64)
    worth: npt.NDArray[np.float64] = plan.types["prior"][types].astype(np.float64)
    for f, row in enumerate(plan.facets):
        block = slice(int(row["offset"]), int(row["offset"] + row["width"]))
        for first in range(0, len(types), _ITEMS):
            part = slice(first, first + _ITEMS)
            match = taste[:, block].astype(np.float64) @ items.vectors[part, block].T.astype(np.float64)
            match = row["scale"] * match / (1.0 + row["saturation"] * np.abs(match))
            worth[part] += plan.weights[types[part], f] * match.mean(axis=0)
    return worth
