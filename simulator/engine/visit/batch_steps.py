"""Where many rows do the same: plays that start or end, and responses, a stage at a time, side by side.

It is a part of the visits' kernel (`simulator.engine.visit.advance`), compiled apart
(`simulator.engine.jit.function_pointers`).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from simulator.engine.jit.compile import inlined, part
from simulator.engine.stack_arrays import wholes
from simulator.engine.tables.tables import Array, Goods, Kind, Output, People, Plan, Visits
from simulator.engine.user.shown_numbers import Numbers
from simulator.engine.visit.consume import STARTING, end_plays, start_plays
from simulator.engine.visit.pauses import PLAYING
from simulator.engine.visit.respond import responses

_CONSUME, _RESPOND = int(Kind.CONSUME), int(Kind.RESPOND)


@part
def shared_steps(
    at: npt.NDArray[np.int64],
    active: int,
    end: float,
    n: int,
    learnable: np.uint32,
    numbers: Numbers,
    plan: Plan,
    people: People,
    goods: Goods,
    visits: Visits,
    out: Output,
) -> int:
    """Let the rows at[:active] that are due before `end` start a play, end one, or respond.

    `learnable` are the modalities whose bias can be learned, bits; the rest is as in `visit.advance`.

    Returns:
        The number of records.
    """
    rows = visits.state
    some = wholes()
    for stage in range(plan.stages.shape[0]):
        kind = plan.stages[stage].kind
        # ---- consume: plays start, and those that are over end
        if kind == _CONSUME:
            m = those(at, active, rows, end, stage, STARTING, some)
            if m > 0:
                n = start_plays(some, m, stage, n, numbers, plan, people, goods, visits, out)
            m = those(at, active, rows, end, stage, PLAYING, some)
            if m > 0:
                n = end_plays(some, m, stage, n, plan, people, goods, visits, out)
        # ---- respond
        elif kind == _RESPOND:
            m = those(at, active, rows, end, stage, 0, some)
            if m > 0:
                n = responses(some, m, stage, n, learnable, plan, people, goods, visits, out)
    return n


@inlined
def those(
    at: npt.NDArray[np.int64],
    active: int,
    rows: Array,
    end: float,
    stage: int,
    playing: int,
    some: npt.NDArray[np.int64],
) -> int:
    """Rows of at[:active] that are at a stage, with something to do there before `end`, into `some`; how many."""
    m = 0
    for j in range(active):
        v = rows[at[j]]
        some[m] = at[j]
        m += np.int64(v.stage == stage) & np.int64(v.playing == playing) & np.int64(v.clock < end)
    return m
