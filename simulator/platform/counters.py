"""Read-outs: numbers that the platform counts and shows to everybody, as they stand at a tick."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from simulator.engine.tables.tables import Items
from simulator.part import Part, Published
from simulator.plan.compiler import SUM, Compiled
from simulator.platform.kernels.counters import items_with_news, recount, tell

Counters = npt.NDArray[np.int64]

_USUAL_WEIGHT = 5.0  # ratings at the overall mean that a mean of few is pulled towards, as users discount them


class PublishedCounters(Part):
    """Publish the read-outs of a world; at a tick, count again only what was counted, or came, or went.

    What belongs to a parent is counted over all its children, and over the parent itself where a stage shows it; it is
    compared with other parents, as what is an item's is with other items.

    Args:
        compiled, items: of the world; `items.published_counters` is changed in place.
    """

    def __init__(self, compiled: Compiled, items: Items) -> None:
        self._items = items
        self._all = [_Readout(compiled, name, items) for name in compiled.names.published_counters]
        self._offered: npt.NDArray[np.int32] | None = None
        self._counters: Counters | None = None  # as they were at the tick before

    def publish(self, published: Published) -> None:
        """Fill `items.published_counters` from the counters, standardised over what is offered.

        What is the same as at the tick before is left as it is.
        """
        counters, offered = published.counters, published.offered
        new = self._offered is None or not np.array_equal(self._offered, offered)
        if self._counters is None:
            self._counters = np.zeros_like(counters)
        items = np.empty(len(counters), dtype=np.int64)
        items = items[: items_with_news(counters, self._counters, items)]
        for r, each in enumerate(self._all):
            if new:
                each.compare_with(offered.astype(np.int64))
            if each.count(counters, self._counters, items) or new:
                each.tell(self._items.published_counters, r)
        self._offered = offered
        self._counters[items] = counters[items]


class _Readout:
    """Hold the columns and rows that one read-out is counted from, and the rows that it is standardised over.

    All children of a parent may show one count: everything is worked out once for each count.
    """

    def __init__(self, compiled: Compiled, name: str, items: Items) -> None:
        self._columns = np.array(_columns(compiled, name))  # how many; or how many, and the sum of their values
        types, shown = items.state["type"], compiled.shown_parents
        shared = np.zeros(len(types), dtype=np.bool_)
        for kin, rule in compiled.scenario.parents.items():
            if name in rule.modalities:
                kinds = enumerate(compiled.scenario.item_types)
                of = [t for t, kind in kinds if rule.types is None or kind in rule.types]
                of += [shown[kin]] if kin in shown else []
                shared |= np.isin(types, of) & (items.parent >= 0)
        whose = np.where(shared, items.parent, items.parent.max(initial=-1) + 1 + np.arange(len(types)))
        _, self._shows, self._rows = np.unique(whose, return_inverse=True, return_counts=True)
        own = [number for kind, number in shown.items() if name in compiled.scenario.parents[kind].modalities]
        self._among = np.isin(types, own) if own else types < len(compiled.scenario.item_types)
        self._compared = np.zeros(0, dtype=np.int64)  # counts of the rows that are compared with each other
        self._counts = np.zeros((len(self._columns), len(self._rows)), dtype=np.int64)
        self._values = np.zeros(len(self._rows))  # of counts that are 0

    def compare_with(self, offered: npt.NDArray[np.int64]) -> None:
        """Standardise, from now on, over those of the read-out's rows that are `offered`."""
        those = self._among[offered]
        self._compared = self._shows[offered if those.all() or not those.any() else offered[those]]

    def count(self, counters: Counters, before: Counters, items: npt.NDArray[np.int64]) -> bool:
        """Count what is new of the `items` where the counters are not those `before`; returns whether anything is."""
        new = np.empty(len(items), dtype=np.int64)
        new = new[: recount(counters, before, items, self._columns, self._shows, self._counts, new)]
        if len(self._columns) > 1 and len(new):
            self._values = means(self._counts[0], self._counts[1], self._rows)
        elif len(new):
            self._values[new] = np.log1p(self._counts[0, new].astype(np.float64))
        return len(new) > 0

    def tell(self, published_counters: npt.NDArray[np.float32], column: int) -> None:
        """Fill its column of `published_counters` (items, read-outs) with what users read."""
        compared, n = self._compared, self._counts[0]
        if len(self._columns) > 1:  # beside what has a mean at all: of the many without one, each equals the overall
            compared = compared[n[compared] > 0]
        mean, spread = _mean_and_spread(self._values[compared])
        if spread == np.inf:
            published_counters[:, column] = 0.0
            return
        values = self._values if len(self._columns) == 1 else np.where(n > 0, self._values, mean)
        tell(values, mean, spread, self._shows, published_counters, column)


def _columns(compiled: Compiled, name: str) -> list[int]:
    """Return the columns of the counters that a read-out is made of: a count; or a count and a sum of values."""
    modality: Any = compiled.scenario.modalities[name]
    names = compiled.names.counters
    if modality.averages is None:
        return [1 + names.index(modality.counts)]
    return [1 + names.index(modality.averages), 1 + names.index(modality.averages + SUM)]


def means(
    n: npt.NDArray[np.int64], total: npt.NDArray[np.int64], rows: npt.NDArray[np.int64] | int = 1
) -> npt.NDArray[np.float64]:
    """Return the mean value per item, pulled towards the overall mean where few values support it; any unit of `total`.

    The overall mean is that of all items, of which so many `rows` each have the same values.
    """
    overall = float((rows * total).sum()) / max(int((rows * n).sum()), 1)
    return np.asarray((total + _USUAL_WEIGHT * overall) / (n + _USUAL_WEIGHT))


def _mean_and_spread(shown: npt.NDArray[np.float64]) -> tuple[float, float]:
    """Return mean and standard deviation of what is published; 0 and infinite where all are equal, or nothing is."""
    if len(shown) == 0:
        return 0.0, np.inf
    mean = shown.mean(keepdims=True)
    spread = shown.std(mean=mean)
    return (float(mean[0]), float(spread)) if spread > 1e-12 else (0.0, np.inf)
