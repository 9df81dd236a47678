"""Lists of candidates, as the kernels of a platform take them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from simulator.engine.jit.structs import group


@group
class CandidateLists(NamedTuple):
    """Hold lists of candidates, one after the other, and say which list each of n visits chooses from."""

    items: npt.NDArray[np.int32]
    bounds: npt.NDArray[np.int64]  # (lists, 2): where each begins and ends
    of: npt.NDArray[np.int64]  # (n,)
