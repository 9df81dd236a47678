"""From rows of events, as kernels write them, to the columns of the records that a platform keeps."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from simulator.engine.jit.compile import kernel
from simulator.engine.jit.structs import group
from simulator.engine.tables.tables import NO_CASE, Array

_NO_ITEM = np.uint32(NO_CASE)


@group
class KeptColumns(NamedTuple):
    """Hold the columns of records that are kept, each (n,)."""

    time: npt.NDArray[np.float64]
    logged_at: npt.NDArray[np.float64]
    user: npt.NDArray[np.uint32]
    session: npt.NDArray[np.uint32]
    request: npt.NDArray[np.uint32]
    item: npt.NDArray[np.uint32]
    position: npt.NDArray[np.uint16]
    case: npt.NDArray[np.uint32]
    surface: npt.NDArray[np.uint8]
    device: npt.NDArray[np.uint8]
    stage: npt.NDArray[np.uint8]
    event: npt.NDArray[np.uint8]
    value: npt.NDArray[np.float32]
    propensity: npt.NDArray[np.float32]
    policy_version: npt.NDArray[np.uint16]
    visible: npt.NDArray[np.uint32]


@kernel
def keep_rows(
    rows: Array,
    recorded: npt.NDArray[np.bool_],
    events: npt.NDArray[np.uint8],
    least: npt.NDArray[np.float64],
    into: KeptColumns,
) -> int:
    """Write what is kept of rows of events into columns; returns how many rows that are.

    Args:
        rows: dtype EVENT (n,).
        recorded: whether the platform has a record of each, (n,).
        events: flags of the events that are kept, (256,).
        least: the value that a row needs, by its item, (items,); with length 0 rows need none, and no item either.
        into: room for n rows.
    """
    n = 0
    for i in range(rows.shape[0]):
        row = rows[i]
        if not recorded[i] or events[row.event] == 0:
            continue
        if least.shape[0] > 0 and (row.item == _NO_ITEM or not np.float64(row.value) >= least[np.int64(row.item)]):
            continue
        into.time[n] = row.time
        into.logged_at[n] = row.logged_at
        into.user[n] = row.user
        into.session[n] = row.session
        into.request[n] = row.request
        into.item[n] = row.item
        into.position[n] = row.position
        into.case[n] = row.case
        into.surface[n] = row.surface
        into.device[n] = row.device
        into.stage[n] = row.stage
        into.event[n] = row.event
        into.value[n] = row.value
        into.propensity[n] = row.propensity
        into.policy_version[n] = row.policy_version
        into.visible[n] = row.visible
        n += 1
    return n
