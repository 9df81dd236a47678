"""Read-outs: numbers that the platform counts and shows to everybody, as they stand at a tick."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from simulator.kernels.layout import Goods
from simulator.plan import SUM, Compiled

Counters = npt.NDArray[np.int64]

_USUAL_WEIGHT = 5.0  # ratings at the overall mean that a mean of few is pulled towards, as users discount them


def publish(
    compiled: Compiled,
    counters: Counters,
    candidates: npt.NDArray[np.int32],
    goods: Goods,
) -> None:
    """Fill `goods.readouts` (items, read-outs) from `counters` (items, 1 + counters), standardised over `candidates`.

    What belongs to a parent is counted over all its children.
    """
    names = compiled.names
    for r, name in enumerate(names.readouts):
        modality: Any = compiled.scenario.modalities[name]
        own = over_parents(compiled, name, counters, goods)
        if modality.averages is None:
            counted = own[:, 1 + names.counters.index(modality.counts)]
            values = np.log1p(counted.astype(np.float64))
            goods.readouts[:, r] = standardised(values, candidates)
        else:
            n = own[:, 1 + names.counters.index(modality.averages)]
            total = own[:, 1 + names.counters.index(modality.averages + SUM)]
            # beside what has a mean at all: of the many without one, each equals the overall mean
            goods.readouts[:, r] = standardised(means(n, total), candidates[n[candidates] > 0])
            goods.readouts[n == 0, r] = 0.0


def over_parents(compiled: Compiled, name: str, counters: Counters, goods: Goods) -> Counters:
    """The counters (items, 1 + counters) that a read-out goes by: those of all children where it is their parent's."""
    shared = np.zeros(len(counters), dtype=np.bool_)
    for rule in compiled.scenario.parents.values():
        if name in rule.modalities:
            of = [t for t, kind in enumerate(compiled.names.types) if rule.types is None or kind in rule.types]
            shared |= np.isin(goods.facts["type"], of) & (goods.parent >= 0)
    if not shared.any():
        return counters
    parent = goods.parent[shared]
    sums = np.zeros((int(parent.max()) + 1, counters.shape[1]), dtype=np.int64)
    np.add.at(sums, parent, counters[shared])
    own = counters.copy()
    own[shared] = sums[parent]
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
