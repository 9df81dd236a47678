"""Read-outs: numbers that the platform counts and shows to everybody, as they stand at a tick."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from simulator.plan import SUM, Compiled

_USUAL_WEIGHT = 5.0  # ratings at the overall mean that a mean of few is pulled towards, as users discount them


def publish(
    compiled: Compiled,
    counters: npt.NDArray[np.int64],
    candidates: npt.NDArray[np.int32],
    readouts: npt.NDArray[np.float32],
) -> None:
    """Fill `readouts` (items, read-outs) from `counters` (items, 1 + counters), standardised over `candidates`."""
    names = compiled.names
    for r, name in enumerate(names.readouts):
        modality: Any = compiled.scenario.modalities[name]
        if modality.averages is None:
            counted = counters[:, 1 + names.counters.index(modality.counts)]
            values = np.log1p(counted.astype(np.float64))
        else:
            n = counters[:, 1 + names.counters.index(modality.averages)]
            total = counters[:, 1 + names.counters.index(modality.averages + SUM)]
            values = means(n, total)
        readouts[:, r] = standardised(values, candidates)


def means(n: npt.NDArray[np.int64], total: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Mean value per item, pulled towards the overall mean where it rests on few values; any unit of `total`."""
    overall = float(total.sum()) / max(int(n.sum()), 1)
    return np.asarray((total + _USUAL_WEIGHT * overall) / (n + _USUAL_WEIGHT))


def standardised(values: npt.NDArray[np.float64], candidates: npt.NDArray[np.int32]) -> npt.NDArray[np.float32]:
    """As users read them: standardised over what is published; 0 where all are alike."""
    shown = values[candidates]
    spread = shown.std()
    return np.asarray((values - shown.mean()) / spread if spread > 1e-12 else np.zeros_like(values), dtype=np.float32)
