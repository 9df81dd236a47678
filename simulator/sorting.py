"""Lists in an order that a visit asks for: the cheapest first, the newest, the soonest promised, the nearest.

Such an order takes the place of the ranking over all that was found, not only over a slate of it: the platform itself
answers with what comes first among the candidates, page by page, and no recommender is asked. Whether a visit asks for
an order, and for which, is drawn by key. Equals stand in an order of luck; what lacks the number stands last.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recommenders.contract import Slates
from simulator.kernels.asides import Numbers, numbers_of
from simulator.kernels.criteria import amounts_between, luck_of_sorting
from simulator.kernels.layout import Array, Goods, People
from simulator.plan import Compiled
from simulator.randomness import TIE, uniforms
from simulator.scenario.schema import AttributeModality
from simulator.scenario.world import PLACE, Sorting

Rows = npt.NDArray[np.int64]
Items = npt.NDArray[np.int32]

_LISTED = 1024  # lists that are remembered

NONE = -1
"""Number of no order: the recommender's own."""


@dataclass
class _Order:
    """One order: by what, and all items in it as it last stood."""

    rule: Sorting
    stages: npt.NDArray[np.bool_]  # (stages,): where it can be asked for
    promise: int | None  # the promise that it is by, -1 the distance; None: a number of the item's own
    readout: int | None  # the published number that it is by
    values: npt.NDArray[np.float64]  # (items,), NaN where there is none; of what lies between nothing is kept
    order: Items | None = None


class SortedLists:
    """The orders of a world's lists: everything about them is a function of (seed, user, visit) and what is published.

    Args:
        compiled: a scenario with `sorting`.
        people, goods: its users and items; what is published of them changes in place.
        seed: the world's seed.
    """

    def __init__(self, compiled: Compiled, people: People, goods: Goods, seed: int) -> None:
        self._people, self._goods, self._seed = people, goods, seed
        self._numbers: Numbers = numbers_of(compiled.plan, people, goods)
        self._shuffled = np.argsort(uniforms(seed, TIE, len(goods.facts), 0), kind="stable").astype(np.int32)
        self._orders = [_order(compiled, goods, rule) for rule in compiled.scenario.sorting.values()]
        self._bounds = np.cumsum([order.rule.share.value for order in self._orders])
        self._stages = np.array([order.stages for order in self._orders])
        self._listed: dict[tuple[int, int, int], tuple[Items, Items]] = {}  # of what, in which order

    def forget(self) -> None:
        """A new tick begins: lists stand in their orders anew."""
        self._listed.clear()

    def asked(self, chosen: Rows, rows: Array) -> npt.NDArray[np.int8]:
        """The order that each of the rows `chosen` asks for where it is, int8 (n,), NONE none."""
        visits = rows[chosen]
        wished = self._wished(visits)
        here = (wished >= 0) & self._stages[wished, visits["slate_stage"]]
        return np.where(here, wished, NONE).astype(np.int8)

    def known(self, chosen: Rows, rows: Array) -> npt.NDArray[np.int8]:
        """The order that the visits of the rows `chosen` have asked for so far, int8 (n,), NONE none."""
        out = np.full(len(chosen), NONE, dtype=np.int8)
        told = rows["listed_at"][chosen] > 0
        if told.any():
            out[told] = self._wished(rows[chosen[told]])
        return out

    def slates(self, number: int, chosen: Rows, rows: Array, candidates: Items, size: int) -> Slates:
        """What comes first among the candidates in an order, or next, where a list was gone through to its end.

        A visit that comes back to its list from somewhere else finds the page that it left. After the last page comes
        the first. Each card is there for certain.

        Args:
            number: of the order.
            chosen: rows that ask for it, (n,).
            rows: all visits; it is noted there how far each has come.
            candidates: what there is, (m,).
            size: of the slates.
        """
        filled = min(size, len(candidates))
        visits = rows[chosen]
        again = (visits["listed_at"] > 0) & (visits["listed_in"] == visits["slate_stage"])
        turned = visits["request"] == visits["listed_at"] + 1
        first = np.where(again, visits["listed"] + np.where(turned, filled, 0), 0).astype(np.int64)
        rows["listed"][chosen], rows["listed_at"][chosen] = first, visits["request"]
        rows["listed_in"][chosen] = visits["slate_stage"]
        items = np.full((len(chosen), size), -1, dtype=np.int32)
        places = (first[:, None] + np.arange(filled)) % max(len(candidates), 1)
        order = self._orders[number]
        if order.promise is None:
            items[:, :filled] = self._list(number, -1, candidates)[places]
        else:
            for k, user in enumerate(visits["user"].tolist()):
                items[k, :filled] = self._list(number, user, candidates)[places[k]]
        odds = np.full(items.shape, np.nan, dtype=np.float32)
        odds[:, :filled] = 1.0
        return Slates(items, odds)

    def _wished(self, visits: Array) -> npt.NDArray[np.int64]:
        """The order that each visit asks for wherever it can, (n,)."""
        luck = np.empty(len(visits))
        luck_of_sorting(self._seed, visits, luck)
        wished = np.searchsorted(self._bounds, luck, side="right")
        return np.where(wished < len(self._orders), wished, NONE)

    def _in_order(self, order: _Order) -> Items:
        """All items in an order, as it stands at this tick."""
        if order.readout is not None:
            values = self._goods.readouts[:, order.readout].astype(np.float64)
            if order.order is None or not np.array_equal(values, order.values):
                order.values, order.order = values, None
        if order.order is None:
            order.order = self._shuffled[_sorted(order.rule, order.values[self._shuffled])]
        return order.order

    def _list(self, number: int, user: int, candidates: Items) -> Items:
        """The candidates in an order, by what lies between them and a user (-1: by what does not).

        It stands until the next tick, so that who turns pages goes through one list.
        """
        key = (number, user, id(candidates))
        known = self._listed.get(key)
        if known is not None and known[0] is candidates:
            return known[1]
        order = self._orders[number]
        everything = self._in_order(order) if order.promise is None else self._shuffled
        there = np.zeros(len(everything), dtype=np.bool_)
        there[candidates] = True
        found = everything[there[everything]]
        if order.promise is not None:
            amounts = np.empty(len(found))
            person = self._people.state["key"][user]
            amounts_between(self._seed, user, person, found, order.promise, self._numbers, amounts)
            found = found[_sorted(order.rule, amounts)]
        if len(self._listed) == _LISTED:
            self._listed.clear()
        self._listed[key] = candidates, found
        return found


def _sorted(rule: Sorting, values: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Places of the values, first comes first; equals as they stand, NaN last."""
    return np.argsort(values if rule.first == "lowest" else -values, kind="stable")


def _order(compiled: Compiled, goods: Goods, rule: Sorting) -> _Order:
    scenario, names = compiled.scenario, compiled.names
    stages = np.array([name in rule.stages for name in names.stages])
    promise, readout, values = None, None, np.empty(0)
    if rule.on == PLACE:
        promise = -1
    elif rule.on in scenario.promises:
        promise = list(scenario.promises).index(rule.on)
    elif rule.on == "published_at":
        values = goods.published
    elif rule.on in names.attributes:
        own = goods.attributes[:, names.attributes.index(rule.on)].astype(np.float64)
        values = np.where(_has(compiled, goods, rule.on), own, np.nan)
    else:
        readout = names.readouts.index(rule.on)
    return _Order(rule, stages, promise, readout, values)


def _has(compiled: Compiled, goods: Goods, attribute: str) -> npt.NDArray[np.bool_]:
    """Which items have a number and show it, (items,): a posting may say nothing of the salary."""
    scenario, names = compiled.scenario, compiled.names
    types = {name for name, kind in scenario.item_types.items() if attribute in kind.attributes}
    for name, parent in scenario.parents.items():
        of = set(scenario.item_types if parent.types is None else parent.types)
        if attribute in parent.attributes:
            types |= {name, *of}
        elif types & of:
            types.add(name)  # the mean of its children's
    has = np.array([name in types for name in names.types])[goods.facts["type"]]
    for m, name in enumerate(names.modalities):
        modality = scenario.modalities[name]
        if isinstance(modality, AttributeModality) and modality.shows == attribute:
            has &= goods.facts["missing"] & np.uint32(1 << m) == 0
    return np.asarray(has)
