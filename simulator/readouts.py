"""Read-outs: numbers that the platform counts and shows to everybody, as they stand at a tick."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from simulator.kernels.layout import Goods
from simulator.plan import SUM, Compiled

Counters = npt.NDArray[np.int64]

_USUAL_WEIGHT = 5.0  # ratings at the overall mean that a mean of few is pulled towards, as users discount them


class Readouts:
    """The read-outs of a world: counted again at a tick only where something was counted, or came, or went.

    Args:
        compiled, goods: of the world; `goods.readouts` is changed in place.
    """

    def __init__(self, compiled: Compiled, goods: Goods) -> None:
        self._compiled, self._goods = compiled, goods
        self._columns = [_columns(compiled, name) for name in compiled.names.readouts]
        self._counted: list[Counters | None] = [None] * len(self._columns)
        self._offered = np.zeros(0, dtype=np.int32)

    def publish(self, counters: Counters, offered: npt.NDArray[np.int32]) -> None:
        """As the function of that name; what is the same as at the tick before is left as it is."""
        new = not np.array_equal(self._offered, offered)
        for r, columns in enumerate(self._columns):
            counted, before = counters[:, columns], self._counted[r]
            if new or before is None or not np.array_equal(counted, before):
                _publish_one(self._compiled, r, counters, offered, self._goods)
                self._counted[r] = counted
        self._offered = offered


def publish(
    compiled: Compiled,
    counters: Counters,
    candidates: npt.NDArray[np.int32],
    goods: Goods,
) -> None:
    """Fill `goods.readouts` (items, read-outs) from `counters` (items, 1 + counters), standardised over `candidates`.

    What belongs to a parent is counted over all its children, and over the parent itself where a stage shows it; it is
    compared with other parents, as what is an item's is with other items.
    """
    for r in range(len(compiled.names.readouts)):
        _publish_one(compiled, r, counters, candidates, goods)


def _publish_one(
    compiled: Compiled, r: int, counters: Counters, candidates: npt.NDArray[np.int32], goods: Goods
) -> None:
    name = compiled.names.readouts[r]
    own = over_parents(compiled, name, counters, goods)
    columns = _columns(compiled, name)
    among = _compared(compiled, name, candidates, goods)
    n = own[:, columns[0]]
    if len(columns) == 1:
        goods.readouts[:, r] = standardised(np.log1p(n.astype(np.float64)), among)
        return
    # beside what has a mean at all: of the many without one, each equals the overall mean
    goods.readouts[:, r] = standardised(means(n, own[:, columns[1]]), among[n[among] > 0])
    goods.readouts[n == 0, r] = 0.0


def _columns(compiled: Compiled, name: str) -> list[int]:
    """Columns of the counters that a read-out is made of: how many; or how many, and the sum of their values."""
    modality: Any = compiled.scenario.modalities[name]
    names = compiled.names.counters
    if modality.averages is None:
        return [1 + names.index(modality.counts)]
    return [1 + names.index(modality.averages), 1 + names.index(modality.averages + SUM)]


def _compared(compiled: Compiled, name: str, candidates: npt.NDArray[np.int32], goods: Goods) -> npt.NDArray[np.int32]:
    """Of the candidates, those that a read-out is compared among: all, where no stage shows parents."""
    shown = compiled.shown_parents
    if not shown:
        return candidates
    types = goods.facts["type"][candidates]
    own = [number for kind, number in shown.items() if name in compiled.scenario.parents[kind].modalities]
    among = np.isin(types, own) if own else types < len(compiled.scenario.item_types)
    return candidates[among] if among.any() else candidates


def over_parents(compiled: Compiled, name: str, counters: Counters, goods: Goods) -> Counters:
    """The counters (items, 1 + counters) that a read-out goes by: those of all children where it is their parent's."""
    shared = np.zeros(len(counters), dtype=np.bool_)
    for kin, rule in compiled.scenario.parents.items():
        if name in rule.modalities:
            of = [t for t, kind in enumerate(compiled.scenario.item_types) if rule.types is None or kind in rule.types]
            of += [compiled.shown_parents[kin]] if kin in compiled.shown_parents else []
            shared |= np.isin(goods.facts["type"], of) & (goods.parent >= 0)
    if not shared.any():
        return counters
    parent = goods.parent[shared]
    own = counters.copy()
    for column, counted in enumerate(counters[shared].T):
        own[shared, column] = np.bincount(parent, weights=counted)[parent]  # sums below 2^53 are exact
    return own


def means(n: npt.NDArray[np.int64], total: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Mean value per item, pulled towards the overall mean where it rests on few values; any unit of `total`."""
    overall = float(total.sum()) / max(int(n.sum()), 1)
    return np.asarray((total + _USUAL_WEIGHT * overall) / (n + _USUAL_WEIGHT))


def standardised(values: npt.NDArray[np.float64], candidates: npt.NDArray[np.int32]) -> npt.NDArray[np.float32]:
    """As users read them: standardised over what is published; 0 where all are alike, or nothing is."""
    shown = values[candidates]
    if len(shown) == 0:
        return np.zeros(len(values), dtype=np.float32)
    spread = shown.std()
    return np.asarray((values - shown.mean()) / spread if spread > 1e-12 else np.zeros_like(values), dtype=np.float32)
