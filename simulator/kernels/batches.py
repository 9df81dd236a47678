"""From rows that need a slate to a batch of requests, and back from slates to rows."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from simulator.kernel import kernel
from simulator.kernels.layout import VISIT_MEMORY, Array, Status
from simulator.randomness import REQUEST, mix, root

_ACTIVE = int(Status.ACTIVE)


@kernel
def gather(
    seed: int,
    chosen: npt.NDArray[np.int64],
    rows: Array,
    memory: npt.NDArray[np.int32],
    memory_value: npt.NDArray[np.float32],
    key: npt.NDArray[np.uint64],
    out_recent: npt.NDArray[np.int32],
    events_item: npt.NDArray[np.int32],
    events_value: npt.NDArray[np.float32],
) -> None:
    """Fill a batch for the rows `chosen`: keys, the items of the visit so far, its events.

    The last VISIT_MEMORY columns of `out_recent` (k, R + VISIT_MEMORY) get the visit's items; the event arrays are
    (k, VISIT_MEMORY); unused places keep -1 and NaN.
    """
    start = root(seed, REQUEST)
    width = out_recent.shape[1] - VISIT_MEMORY
    for k in range(chosen.shape[0]):
        i = chosen[k]
        v = rows[i]
        key[k] = mix(mix(mix(start, np.uint64(v.user)), np.uint64(v.visit)), np.uint64(v.request))
        n = np.int64(v.memory_n)
        kept = min(n, VISIT_MEMORY)
        for j in range(kept):
            ring = (n - kept + j) % VISIT_MEMORY
            events_item[k, j] = memory[i, ring]
            events_value[k, j] = memory_value[i, ring]
            out_recent[k, width + j] = memory[i, ring]
        for j in range(kept, VISIT_MEMORY):
            events_item[k, j] = -1
            events_value[k, j] = np.float32(np.nan)
            out_recent[k, width + j] = -1


@kernel
def scatter(
    chosen: npt.NDArray[np.int64],
    rows: Array,
    slate: Array,
    items: npt.NDArray[np.int32],
    odds: npt.NDArray[np.float32],
    policy: int,
) -> None:
    """Hand the slates `items` (k, size) to the rows `chosen`; `odds` is (k, size), or (0, 0) where there are none."""
    size = items.shape[1]
    for k in range(chosen.shape[0]):
        i = chosen[k]
        v = rows[i]
        filled = 0
        for j in range(size):
            if items[k, j] < 0:
                break
            slate[i, j].item = items[k, j]
            slate[i, j].propensity = odds[k, j] if odds.shape[0] > 0 else np.float32(np.nan)
            filled += 1
        v.slate_n = filled
        v.position = 0
        v.policy = policy
        v.status = _ACTIVE


@kernel
def pending(todo: npt.NDArray[np.int64], rows: Array, status: int, out: npt.NDArray[np.int64]) -> int:
    """Rows of `todo` in a status, in the order of `todo`; returns how many were written to `out`."""
    n = 0
    for k in range(todo.shape[0]):
        if rows[todo[k]].status == status:
            out[n] = todo[k]
            n += 1
    return n
