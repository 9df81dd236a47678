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

    What belongs to a parent is counted over all its children, and over the parent itself where a stage shows it; it is
    compared with other parents, as what is an item's is with other items.

    Args:
        compiled, goods: of the world; `goods.readouts` is changed in place.
    """

    def __init__(self, compiled: Compiled, goods: Goods) -> None:
        self._goods = goods
        self._all = [_Readout(compiled, name, goods) for name in compiled.names.readouts]
        self._counted: list[Counters | None] = [None] * len(self._all)
        self._offered = np.zeros(0, dtype=np.int32)

    def publish(self, counters: Counters, offered: npt.NDArray[np.int32]) -> None:
        """Fill `goods.readouts` from `counters` (items, 1 + counters), standardised over what is `offered`.

        What is the same as at the tick before is left as it is.
        """
        new = not np.array_equal(self._offered, offered)
        for r, each in enumerate(self._all):
            counted, before = counters[:, each.columns], self._counted[r]
            if new or before is None or not np.array_equal(counted, before):
                self._goods.readouts[:, r] = each.shown(counted, offered)
                self._counted[r] = counted
        self._offered = offered


class _Readout:
    """What one read-out is counted from, over which rows, and among which it is compared.

    Attributes:
        columns: of the counters: how many; or how many, and the sum of their values.
    """

    def __init__(self, compiled: Compiled, name: str, goods: Goods) -> None:
        self.columns = _columns(compiled, name)
        types, shown = goods.facts["type"], compiled.shown_parents
        shared = np.zeros(len(types), dtype=np.bool_)
        for kin, rule in compiled.scenario.parents.items():
            if name in rule.modalities:
                kinds = enumerate(compiled.scenario.item_types)
                of = [t for t, kind in kinds if rule.types is None or kind in rule.types]
                of += [shown[kin]] if kin in shown else []
                shared |= np.isin(types, of) & (goods.parent >= 0)
        self._shared = np.flatnonzero(shared)
        self._parent = goods.parent[self._shared]
        own = [number for kind, number in shown.items() if name in compiled.scenario.parents[kind].modalities]
        self._among = np.isin(types, own) if own else types < len(compiled.scenario.item_types)

    def shown(self, counted: Counters, offered: npt.NDArray[np.int32]) -> npt.NDArray[np.float32]:
        """What users read, (items,), of the own columns of the counters, (items, 1 or 2)."""
        if len(self._shared):
            counted = counted.copy()
            for column in counted.T:
                ours = column[self._shared]
                column[self._shared] = np.bincount(self._parent, weights=ours)[self._parent]  # below 2^53: exact
        those = self._among[offered]
        among = offered if those.all() or not those.any() else offered[those]
        n = counted[:, 0]
        if len(self.columns) == 1:
            return standardised(np.log1p(n.astype(np.float64)), among)
        # beside what has a mean at all: of the many without one, each equals the overall mean
        read = standardised(means(n, counted[:, 1]), among[n[among] > 0])
        read[n == 0] = 0.0
        return read


def publish(
    compiled: Compiled,
    counters: Counters,
    candidates: npt.NDArray[np.int32],
    goods: Goods,
) -> None:
    """Fill `goods.readouts` (items, read-outs) from `counters` (items, 1 + counters), over `candidates`."""
    Readouts(compiled, goods).publish(counters, candidates)


def _columns(compiled: Compiled, name: str) -> list[int]:
    """Columns of the counters that a read-out is made of: how many; or how many, and the sum of their values."""
    modality: Any = compiled.scenario.modalities[name]
    names = compiled.names.counters
    if modality.averages is None:
        return [1 + names.index(modality.counts)]
    return [1 + names.index(modality.averages), 1 + names.index(modality.averages + SUM)]


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
