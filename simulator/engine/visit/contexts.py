"""The context of a visit: where its user is and what else they do, and what that changes while the visit lasts."""

from __future__ import annotations

import numpy as np

from simulator.engine.jit.compile import internal
from simulator.engine.primitives import decision_key
from simulator.engine.randomness import uniform
from simulator.engine.tables.tables import HOUR, Array, Draw, Plan, Tables, Tally
from simulator.engine.visit.records import is_recorded, record_visit


@internal
def begin_context(v: Array, plan: Plan) -> None:
    """Draw the context of a visit that begins at `v.clock`, by its hour of the day or of the week.

    Each visit has one context or none. What it mutes is decided once: sound is off for the whole way to work.
    """
    v.context = 0
    v.muted = np.uint32(0)
    hours = plan.context_hours
    if hours.shape[1] > 0:
        clock = v.clock + plan.starts_at[0]
        period = HOUR * hours.shape[0]
        hour = np.int64((clock - np.floor(clock / period) * period) / HOUR)
        draw = uniform(decision_key(v.decisions, 0, 0, Draw.CONTEXT))
        for c in range(hours.shape[1] - 1, -1, -1):
            if draw < hours[hour, c]:
                v.context = c + 1
        for m in range(plan.context_mutes.shape[1]):
            if uniform(decision_key(v.decisions, 0, m, Draw.MUTE)) < plan.context_mutes[v.context, m]:
                v.muted |= np.uint32(1) << np.uint32(m)


@internal
def begin_device(v: Array, u: Array, plan: Plan) -> None:
    """Draw the device of a visit, and set what is the same for all of the visit: by user, context and device."""
    shares = plan.context_devices[u.segment, v.context]
    draw = uniform(decision_key(v.decisions, 0, 0, Draw.DEVICE))
    v.device = 0
    while v.device < shares.shape[0] - 1 and draw >= shares[v.device]:
        v.device += 1
    own = plan.contexts[u.segment, v.context, v.device]
    v.haste = own.haste
    v.mindful = own.mindful
    v.elsewhere = own.elsewhere


@internal
def stated_context(v: Array, contexts: Array) -> int:
    """Return the number of a visit's context where its user tells the platform, else -1."""
    if v.context == 0 or uniform(decision_key(v.decisions, 0, 0, Draw.CONTEXT + 1)) >= contexts[0, v.context, 0].stated:
        return -1
    return np.int64(v.context) - 1


@internal
def tell_context(v: Array, n: int, tables: Tables) -> int:
    """Count and record the context of a visit; the platform has a record of what is stated only. Returns how many."""
    contexts, out = tables.plan.contexts, tables.out
    event = np.int64(contexts[0, v.context, 0].event)
    out.tallies[Tally.EVENT + event] += 1
    if is_recorded(event, out):
        n = record_visit(n, v, event, np.float64(v.context) - 1.0, tables)
        if stated_context(v, contexts) < 0:
            out.records[n - 1].logged_at = np.nan
    return n
