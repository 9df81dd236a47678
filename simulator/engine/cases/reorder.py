"""Bought again: what satisfied is remembered, and when it is used up its user comes back for it."""

from __future__ import annotations

import numpy as np

from simulator.engine.cases.steps import case_luck
from simulator.engine.jit.compile import internal
from simulator.engine.primitives import drawn, sigmoid
from simulator.engine.randomness import uniform
from simulator.engine.tables.case_tables import CaseDraw, CaseTables
from simulator.engine.tables.tables import NO_CASE, Array
from simulator.engine.user.return_and_churn import after
from simulator.engine.visit.due import reschedule


@internal
def means_to_return(tables: CaseTables, c: Array, value: float, time: float) -> None:
    """Let the user, after the verdict `value` on an item that is used up, mean to come back for it once it is.

    A user has room for one such thing (as for what is put off in a visit): who has one already remembers no other.
    Units last one after the other; a basket is one thing (a meal), however much is in it.
    """
    s, plan, users = tables.shared.stages[c.stage], tables.plan, tables.users
    user = np.int64(c.user)
    u, deferred = users.state[user], users.deferred[user, 0]
    kind = np.uint64(tables.items.state[np.int64(c.item)].type)
    if (s.again_types >> kind) & np.uint64(1) == 0 or deferred.item != np.uint32(NO_CASE) or u.gone == 1:
        return
    if uniform(case_luck(c, 0, CaseDraw.AGAIN)) >= sigmoid(
        s.again_log_odds + s.again_slope * value, plan.exp_log_tables
    ):
        return
    deferred.item, deferred.stage = c.item, s.again_stage
    deferred.seconds = 0.0
    units = np.float64(c.amount) if c.picks == 0 else 1.0
    lasts = units * drawn(plan.quantiles, s.again_lasts, case_luck(c, 0, CaseDraw.LASTS))
    deferred.until = after(time, lasts, plan.hours, plan.starts_at[0])  # at an hour at which people come
    if u.row < 0:  # nobody is there: the next visit is this one, if no other comes first
        reschedule(users.state, user, np.float64(deferred.until), tables.earliest)
