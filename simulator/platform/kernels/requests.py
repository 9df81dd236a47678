"""Kernels that turn rows that need a slate into a batch of requests, and hand slates back to rows."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from simulator.engine.jit.compile import kernel
from simulator.engine.jit.simd import fetch_ahead
from simulator.engine.jit.structs import group
from simulator.engine.randomness import REQUEST, mix, root
from simulator.engine.tables.tables import NO_CASE, VISIT_MEMORY, About, Array, Status
from simulator.engine.visit.contexts import stated_context

_NOTHING = np.uint32(NO_CASE)
_AHEAD = 4  # rows whose memory is asked for before they are needed


@group
class RequestColumns(NamedTuple):
    """Hold the columns of a batch of n requests, except items sent lately; named as in the contract."""

    key: npt.NDArray[np.uint64]
    user: npt.NDArray[np.uint32]
    session: npt.NDArray[np.uint32]
    request: npt.NDArray[np.uint32]
    time: npt.NDArray[np.float64]
    surface: npt.NDArray[np.uint8]
    device: npt.NDArray[np.uint8]
    stage: npt.NDArray[np.uint8]
    anchor_item: npt.NDArray[np.int32]
    context: npt.NDArray[np.int8]
    events_item: npt.NDArray[np.int32]  # (n, H)
    events_value: npt.NDArray[np.float32]  # (n, H)


@kernel
def most_events(chosen: npt.NDArray[np.int64], rows: Array) -> int:
    """Return the most items that a visit of the rows `chosen` remembers."""
    most = 0
    for k in range(chosen.shape[0]):
        if k + _AHEAD < chosen.shape[0]:
            fetch_ahead(rows, chosen[k + _AHEAD])
        most = max(most, np.int64(rows[chosen[k]].memory_n))
    return min(most, VISIT_MEMORY)


@kernel
def gather(
    seed: int,
    chosen: npt.NDArray[np.int64],
    rows: Array,
    stages: Array,
    contexts: Array,
    memory: npt.NDArray[np.int32],
    memory_value: npt.NDArray[np.float32],
    columns: RequestColumns,
) -> None:
    """Fill `columns` for the rows `chosen`; of events the latest H, unused places keep -1 and NaN."""
    out_key, out_user, out_session, out_request = columns.key, columns.user, columns.session, columns.request
    out_time, out_surface, out_device, out_stage = columns.time, columns.surface, columns.device, columns.stage
    out_anchor, out_context = columns.anchor_item, columns.context
    events_item, events_value = columns.events_item, columns.events_value
    start = root(seed, REQUEST)
    width = events_item.shape[1]
    for k in range(chosen.shape[0]):
        i = chosen[k]
        if k + _AHEAD < chosen.shape[0]:
            fetch_ahead(memory, chosen[k + _AHEAD])
            fetch_ahead(memory_value, chosen[k + _AHEAD])
        v = rows[i]
        out_key[k] = mix(mix(mix(start, np.uint64(v.user)), np.uint64(v.visit)), np.uint64(v.request))
        out_user[k], out_session[k], out_request[k] = v.user, v.visit, v.request
        out_time[k] = v.clock
        out_surface[k] = stages[v.slate_stage].surface
        out_device[k], out_stage[k] = v.device, v.slate_stage
        about = stages[v.slate_stage].about
        out_anchor[k] = -1
        if about == About.LAST and v.item != _NOTHING:
            out_anchor[k] = np.int32(v.item)
        elif about == About.SEED and v.seed != _NOTHING:
            out_anchor[k] = np.int32(v.seed)
        out_context[k] = stated_context(v, contexts)
        n = np.int64(v.memory_n)
        kept = min(n, width)
        # two runs where the ring has come round, else one
        oldest = (n - kept) % VISIT_MEMORY
        whole = min(kept, VISIT_MEMORY - oldest)
        for j in range(whole):
            events_item[k, j] = memory[i, oldest + j]
            events_value[k, j] = memory_value[i, oldest + j]
        for j in range(whole, kept):
            events_item[k, j] = memory[i, j - whole]
            events_value[k, j] = memory_value[i, j - whole]
        for j in range(kept, width):
            events_item[k, j] = -1
            events_value[k, j] = np.float32(np.nan)


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
        if k + _AHEAD < chosen.shape[0]:
            fetch_ahead(slate, chosen[k + _AHEAD])
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
        v.status = Status.ACTIVE


@kernel
def pending(todo: npt.NDArray[np.int64], rows: Array, out: npt.NDArray[np.int64]) -> int:
    """Write the rows of `todo` that wait for a slate to `out`, in the order of `todo`; return how many there are."""
    n = 0
    for k in range(todo.shape[0]):
        if rows[todo[k]].status == Status.NEEDS_SLATE:
            out[n] = todo[k]
            n += 1
    return n
