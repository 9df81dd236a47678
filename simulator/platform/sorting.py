"""Lists in an order that a visit asks for: the cheapest first, the newest, the soonest promised, the nearest.

Such an order takes the place of the ranking over all that was found, not only over a slate of it: the platform itself
answers with what comes first among the candidates, page by page, and no recommender is asked. Whether a visit asks for
an order, and for which, is drawn by key. Equals stand in an order of luck; what lacks the number stands last.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from recommenders.contract import Lists, Slates
from simulator.engine.randomness import TIE, uniforms
from simulator.engine.tables.tables import Array, Items, Users
from simulator.engine.user.shown_numbers import Numbers, numbers_of
from simulator.plan.compiler import Compiled
from simulator.platform.kernels.lists import CandidateLists
from simulator.platform.kernels.sorting import Pages, SortKeys, known_orders, turn_pages
from simulator.scenario.schema.catalog import PLACE, Sorting
from simulator.scenario.schema.scenario import AttributeModality

Rows = npt.NDArray[np.int64]

_OWN = -2  # in place of a promise: a number of the items' own


@dataclass(frozen=True)
class _Order:
    """Hold one order, and the number that it sorts by."""

    rule: Sorting
    stages: npt.NDArray[np.bool_]  # (stages,): where it can be asked for
    promise: int  # -1: the distance; _OWN: a number of the item's own
    readout: int | None  # the published number that it is by
    values: npt.NDArray[np.float64]  # (items,), what comes first lowest, inf where there is none; zeros if `promise`

    @property
    def sign(self) -> float:
        """Return 1.0 where what is lowest comes first, else -1.0."""
        return 1.0 if self.rule.first == "lowest" else -1.0


class SortedLists:
    """Answer visits that ask for an order of a list, from (seed, user, visit) and what is published alone.

    Args:
        compiled: a scenario with `sorting`.
        users, items: its users and items; what is published of them changes in place.
        seed: the world's seed.

    Attributes:
        bounds: shares of the orders, added up, (orders,).
        stages: where each can be asked for, (orders, stages).
    """

    def __init__(self, compiled: Compiled, users: Users, items: Items, seed: int) -> None:
        self._users, self._items, self._seed = users, items, seed
        self._numbers: Numbers = numbers_of(compiled.plan, users, items)
        self._luck = np.empty(len(items.state), dtype=np.int64)
        self._luck[np.argsort(uniforms(seed, TIE, len(items.state), 0), kind="stable")] = np.arange(len(items.state))
        self._orders = [_order(compiled, items, rule) for rule in compiled.scenario.sorting.values()]
        self.bounds = np.cumsum([order.rule.share.value for order in self._orders])
        self.stages = np.array([order.stages for order in self._orders])

    def known(self, chosen: Rows, rows: Array) -> npt.NDArray[np.int8]:
        """Return the order that the visits of the rows `chosen` have asked for so far, int8 (n,), NONE none."""
        out = np.empty(len(chosen), dtype=np.int8)
        known_orders(self._seed, chosen, rows, self.bounds, out)
        return out

    def slates(self, number: int, chosen: Rows, rows: Array, lists: Lists, size: int) -> Slates:
        """Return the next page of each list in an order; after a whole list was gone through, its first page again.

        A visit that comes back to its list from somewhere else finds the page that it left. After the last page comes
        the first. Each card is there for certain. A list stands until the next tick, as what it is made of does.

        Args:
            number: of the order.
            chosen: rows that ask for it, (n,).
            rows: all visits; it is noted there how far each has come.
            lists: what there is for each of them.
            size: of the slates.
        """
        order = self._orders[number]
        values = order.values
        if order.readout is not None:
            values = order.sign * self._items.published_counters[:, order.readout].astype(np.float64)
        items, odds = np.empty((len(chosen), size), dtype=np.int32), np.empty((len(chosen), size), dtype=np.float32)
        pages = Pages(items, odds, np.empty((lists.longest, 2)), np.empty(lists.longest))
        by = SortKeys(order.promise, order.sign, values, self._luck, self._users.state)
        own = CandidateLists(lists.items, lists.bounds, lists.of)
        turn_pages(self._seed, chosen, rows, own, by, self._numbers, pages)
        return Slates(items, odds)


def _order(compiled: Compiled, items: Items, rule: Sorting) -> _Order:
    scenario, names = compiled.scenario, compiled.names
    stages = np.array([name in rule.stages for name in names.stages])
    promise, readout, values = _OWN, None, np.zeros(len(items.state))
    if rule.on == PLACE:
        promise = -1
    elif rule.on in scenario.promises:
        promise = list(scenario.promises).index(rule.on)
    elif rule.on == "published_at":
        values = items.published.astype(np.float64)
    elif rule.on in names.attributes:
        own = items.attributes[:, names.attributes.index(rule.on)].astype(np.float64)
        values = np.where(_has(compiled, items, rule.on), own, np.nan)
    else:
        readout = names.published_counters.index(rule.on)
    order = _Order(rule, stages, promise, readout, values)
    return replace(order, values=np.where(np.isnan(values), np.inf, order.sign * values))


def _has(compiled: Compiled, items: Items, attribute: str) -> npt.NDArray[np.bool_]:
    """Tell which items have a number and show it, (items,): a posting may say nothing of the salary."""
    scenario, names = compiled.scenario, compiled.names
    types = {name for name, kind in scenario.item_types.items() if attribute in kind.attributes}
    for name, parent in scenario.parents.items():
        of = set(scenario.item_types if parent.types is None else parent.types)
        if attribute in parent.attributes:
            types |= {name, *of}
        elif types & of:
            types.add(name)  # the mean of its children's
    has = np.array([name in types for name in names.types])[items.state["type"]]
    for m, name in enumerate(names.modalities):
        modality = scenario.modalities[name]
        if isinstance(modality, AttributeModality) and modality.shows == attribute:
            has &= items.state["missing"] & np.uint32(1 << m) == 0
    return np.asarray(has)
