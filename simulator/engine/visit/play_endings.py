"""What the end of a play says beside skipped or completed: a bounce, how far it went, that it came to a paywall."""

from __future__ import annotations

import numpy as np

from simulator.engine.jit.compile import internal
from simulator.engine.tables.tables import Array, Goods, Output, Plan, Tally
from simulator.engine.visit.outcomes import VALUE_UNITS
from simulator.engine.visit.records import record

_EVENT, _VALUE = int(Tally.EVENT), int(Tally.VALUE)


@internal
def mark_ending(v: Array, n: int, stage: int, plan: Plan, goods: Goods, out: Output) -> int:
    """Count and record a bounce (left within so many seconds) and the share that was reached, jumps included.

    What does not move by itself (a text) is not reached by who does not attend to it. Nor is a paywall in it.
    Returns the number of records.
    """
    s = plan.stages[stage]
    if s.bounce_event >= 0 and v.watched < s.bounce_within and v.outcome == 1:
        n = _mark(v, n, stage, np.int64(s.bounce_event), np.float64(v.watched), plan, goods, out)
    if s.reached_event >= 0:
        share = (np.float64(v.watched) + np.float64(v.sought)) / np.float64(goods.facts[np.int64(v.item)].duration)
        if v.unattended == 1 and s.moves == 0:
            share = 0.0
        n = _mark(v, n, stage, np.int64(s.reached_event), min(share, 1.0), plan, goods, out)
    if s.wall >= 0 and v.walled == 1:
        n = _mark(v, n, stage, np.int64(s.wall_event), np.float64(s.free), plan, goods, out)
    return n


@internal
def _mark(v: Array, n: int, stage: int, event: int, value: float, plan: Plan, goods: Goods, out: Output) -> int:
    out.tallies[_EVENT + event] += 1
    out.tallies[_VALUE + event] += np.int64(value * VALUE_UNITS)
    if out.records.shape[0] > 0:
        item = np.int64(v.item)
        n = record(
            out.records, n, v, v.clock, event, item, v.case, np.int64(v.slot), stage, plan.stages[stage].surface, value,
            v.propensity, v.belief, v.belief_sd, v.utility, v.satisfaction,
            np.uint32(plan.screens[stage, v.device, 0]) & ~goods.facts[item].missing, v.attended, plan.observation,
            plan.quantiles,
        )  # fmt: skip
    return n
