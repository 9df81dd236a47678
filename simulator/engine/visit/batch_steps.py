"""Where many rows do the same: plays that start or end, and responses, a stage at a time, side by side.

It is a part of the visits' kernel (`simulator.engine.visit.advance`), compiled apart
(`simulator.engine.jit.function_pointers`).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from simulator.engine.jit.compile import inlined, part
from simulator.engine.stack_arrays import int_buffer
from simulator.engine.tables.tables import Array, StageKind, Tables
from simulator.engine.visit.consume import STARTING, start_plays
from simulator.engine.visit.pauses import PLAYING
from simulator.engine.visit.play_endings import end_plays
from simulator.engine.visit.respond import responses


@part
def batched_steps(
    at: npt.NDArray[np.int64], active: int, end: float, n: int, learnable: np.uint32, tables: Tables
) -> int:
    """Let the rows at[:active] that are due before `end` start a play, end one, or respond.

    `learnable` are the modalities whose bias can be learned, bits; the rest is as in `visit.advance`.

    Returns:
        The number of records.
    """
    rows, stages = tables.visits.state, tables.plan.stages
    some = int_buffer()
    for stage in range(stages.shape[0]):
        kind = stages[stage].kind
        # ---- consume: plays start, and those that are over end
        if kind == StageKind.CONSUME:
            m = select_rows(at, active, rows, end, stage, STARTING, some)
            if m > 0:
                n = start_plays(some, m, stage, n, tables)
            m = select_rows(at, active, rows, end, stage, PLAYING, some)
            if m > 0:
                n = end_plays(some, m, stage, n, tables)
        # ---- respond
        elif kind == StageKind.RESPOND:
            m = select_rows(at, active, rows, end, stage, 0, some)
            if m > 0:
                n = responses(some, m, stage, n, learnable, tables)
    return n


@inlined
def select_rows(
    at: npt.NDArray[np.int64],
    active: int,
    rows: Array,
    end: float,
    stage: int,
    playing: int,
    some: npt.NDArray[np.int64],
) -> int:
    """Put into `some` the rows of at[:active] with something to do at a stage before `end`; returns how many."""
    m = 0
    for j in range(active):
        v = rows[at[j]]
        some[m] = at[j]
        m += np.int64(v.stage == stage) & np.int64(v.playing == playing) & np.int64(v.clock < end)
    return m
