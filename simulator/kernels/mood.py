"""What stays with a user from one item to the next: satiation per topic, and how it fades."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from simulator.kernel import kernel
from simulator.kernels.layout import Array
from simulator.kernels.primitives import exponential

_STALE = 1.0 / 64.0


@kernel
def faded(
    u: Array, user: int, time: float, mood: npt.NDArray[np.float32], first: int, habits: Array, powers: npt.NDArray[np.float64]
) -> float:
    """Factor that brings a user's stored satiation to `time`: it fades by exp(-dt / recovery).

    One factor serves all topics, so that time passing costs one exponential and not one per topic; the stored row
    (columns `first` and up of `mood`) is brought up to date only when the factor has become small.
    """
    factor = exponential(-(time - u.satiated_at) / habits.satiation_recovery, powers)
    if factor < _STALE:
        for t in range(first, mood.shape[1]):
            mood[user, t] *= np.float32(factor)
        u.satiated_at = time
        factor = 1.0
    return factor
