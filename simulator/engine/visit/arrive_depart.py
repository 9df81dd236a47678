"""The two ends of a visit: a user arrives, and later leaves for a while or for good."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from simulator.engine.jit.compile import internal
from simulator.engine.primitives import decision_key, drawn, exponential, fixed, quantised
from simulator.engine.randomness import DECISION, KNOWLEDGE, OBSERVATION, PERCEPTION, mix, root, uniform
from simulator.engine.tables.codes import SharedEvent
from simulator.engine.tables.tables import DAY, NO_CASE, TICKS_PER_SECOND, Array, Draw, Plan, Status, Tables, Tally
from simulator.engine.user.return_and_churn import after
from simulator.engine.visit.contexts import begin_context, begin_device, tell_context
from simulator.engine.visit.intents import begin_intent
from simulator.engine.visit.records import is_recorded, record_visit

_OUTREACH_KEY = 1 << 24  # below a user, beside items
_AFTER = np.uint64(3)
_LONGEST = 36500.0 * DAY  # s, a century: the longest run
NO_STAGE = 254


@internal
def arrive(v: Array, u: Array, seed: int, n: int, tables: Tables) -> int:
    """Begin a visit: its keys, context, device and first stage, its budget of time and of tolerance.

    Returns the number of records.
    """
    plan, tallies, deferred = tables.plan, tables.out.tallies, tables.users.deferred
    entries, quantiles, user_params = plan.entries, plan.quantiles, plan.user_params[0]
    user = u.key
    v.visit = u.visits
    u.visits += np.uint32(1)
    v.decisions = mix(mix(root(seed, DECISION), user), np.uint64(v.visit))
    v.observations = mix(mix(root(seed, OBSERVATION), user), np.uint64(v.visit))
    v.perceptions = mix(root(seed, PERCEPTION), user)
    v.knowing = mix(root(seed, KNOWLEDGE), user)
    begin_context(v, plan)
    begin_intent(v, u, plan)
    begin_device(v, u, plan)
    draw = uniform(decision_key(v.decisions, 0, 0, Draw.ENTRY))
    v.stage = 0
    while v.stage < entries.shape[0] - 1 and draw >= entries[v.stage]:
        v.stage += 1
    v.item = np.uint32(NO_CASE)
    v.resumed = 0.0
    if u.called >= 0:
        v.stage = u.called
        u.called = -1
    elif deferred.shape[1] > 0 and v.clock >= deferred[v.user, 0].until:
        # what was put off is taken up where it was left
        left = deferred[v.user, 0]
        v.stage = left.stage
        v.item = left.item
        v.slot = 0
        v.picked = 1
        v.attended = np.uint32(0)
        v.propensity = np.float32(np.nan)
        v.resumed = left.seconds
        left.seconds = 0.0
        left.item = np.uint32(NO_CASE)
        left.until = np.inf
    v.seed = v.item
    v.start = v.clock
    v.budget = u.patience * drawn(quantiles, user_params.budget, decision_key(v.decisions, 0, 0, Draw.BUDGET))
    v.budget *= plan.contexts[u.segment, v.context, v.device].budget
    v.tolerance = drawn(quantiles, user_params.tolerance, decision_key(v.decisions, 0, 0, Draw.TOLERANCE))
    v.request = 0
    v.slate_n = 0
    v.position = 0
    v.slate_stage = NO_STAGE
    v.memory_n = 0
    v.policy = 0
    v.streak = 0
    v.playing = 0
    v.inside = 0
    v.reopened = 0
    v.menus = 0
    v.taken = 0
    v.shown = 0
    v.status = Status.ACTIVE
    tallies[Tally.VISITS] += 1
    day = np.int64(v.clock / DAY)
    if day < 32 and (u.days >> np.uint32(day)) & np.uint32(1) == 0:
        u.days |= np.uint32(1) << np.uint32(day)
        tallies[Tally.PRESENCE_IN_DAYS] += 1
    return tell_context(v, n, tables) if v.context > 0 else n


@internal
def depart(v: Array, u: Array, n: int, tables: Tables) -> int:
    """End a visit: the user comes back after a while, or never. Returns the number of records."""
    plan, users, tallies = tables.plan, tables.users, tables.out.tallies
    user_params, quantiles, exp_log_tables = plan.user_params[0], plan.quantiles, plan.exp_log_tables
    close_request(v, tallies)
    tallies[Tally.EVENT + SharedEvent.LEAVE] += 1
    tallies[Tally.VISIT_SECONDS] += np.int64((v.clock - v.start) * TICKS_PER_SECOND)
    if is_recorded(SharedEvent.LEAVE, tables.out):
        n = record_visit(n, v, SharedEvent.LEAVE, v.clock - v.start, tables)
    u.goodwill = u.own_goodwill + user_params.goodwill_decay * (u.goodwill - u.own_goodwill)
    churn = user_params.churn * exponential(-user_params.churn_goodwill * u.goodwill, exp_log_tables)
    churn *= plan.contexts[u.segment, v.context, v.device].churn
    if u.gone == 1 or uniform(decision_key(v.decisions, 0, 0, Draw.CHURN)) < churn:
        u.gone = 1
        u.due = np.inf
        v.clock = np.inf
        v.status = Status.GONE
        tallies[Tally.CHURNED] += 1
    else:
        now = v.clock
        waiting = drawn(quantiles, user_params.return_after, decision_key(v.decisions, 0, 0, Draw.RETURN))
        pace = np.float64(users.pace[v.user, 0]) if users.pace.shape[1] > 0 else 1.0
        waiting *= exponential(-user_params.return_goodwill * u.goodwill, exp_log_tables) / pace
        waiting = min(waiting, _LONGEST)  # longer than any run; messages are looked up one by one until then
        v.clock = after(now, waiting, plan.hours, plan.starts_at[0])
        if users.deferred.shape[1] > 0:
            # what was put off brings its user back, if nothing else does before
            v.clock = min(v.clock, max(np.float64(users.deferred[v.user, 0].until), now + 1.0 / TICKS_PER_SECOND))
        if plan.outreach.shape[0] > 0:
            v.clock = _called(v, u, now, v.clock, plan)
        u.due = v.clock
        v.status = Status.AWAY
    return n


@internal
def _called(v: Array, u: Array, now: float, due: float, plan: Plan) -> float:
    """Return when the next visit begins, s: at `due`, or earlier where a message from outside is opened before.

    Messages are keyed by (user, kind of message, period), whatever the user does between them.
    """
    for o in range(plan.outreach.shape[0]):
        row = plan.outreach[o]
        key = mix(v.perceptions, np.uint64(_OUTREACH_KEY + o))
        if uniform(key) >= row.reaches:
            continue
        offset = row.at if row.at >= 0.0 else uniform(mix(key, np.uint64(1))) * row.every
        period = np.int64(max((now - offset) / row.every, -1.0)) + 1
        while offset + period * row.every < due:
            own = mix(mix(key, np.uint64(2)), np.uint64(period))
            if uniform(own) < row.opened:
                opens = (
                    offset + period * row.every + quantised(drawn(plan.quantiles, row.opened_after, mix(own, _AFTER)))
                )
                opens = np.floor(opens * TICKS_PER_SECOND) / TICKS_PER_SECOND
                if now < opens < due:
                    due = opens
                    u.called = row.stage
                    break
            period += 1
    return due


@internal
def close_request(v: Array, tallies: npt.NDArray[np.int64]) -> None:
    """Count the regret of a request: the best of what was shown against each item that was shown."""
    if v.shown > 0:
        tallies[Tally.REGRET] += fixed(np.float64(v.best) * v.shown - v.total)
        tallies[Tally.REGRETTED] += v.shown
    v.shown = 0
    v.best = 0.0
    v.total = 0.0
