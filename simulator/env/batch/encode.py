"""The kernels around a step: from actions to slates, from records to sums, from rows to observations.

What users do is not here: between `answer` and `look` the engine's own `advance` runs.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from recommenders.agents.user_features import remember, tell_context, tell_interest
from simulator.engine.jit.compile import internal, kernel
from simulator.engine.tables.tables import NO_CASE, Array, Status, Visits
from simulator.env.buffers import PAID, Memory, Observation, StepTables
from simulator.env.rewards import CONFIRMS, ITEM_EVENT, MARGIN, PAYS, RETENTION, TAKES_BACK, TRUTH

GOES_ON, TERMINATED, TRUNCATED = 0, 1, 2

_ABSENT = np.uint32(NO_CASE)

Rows = npt.NDArray[np.int64]


@kernel
def _there(item: int, tick: float, opens: npt.NDArray[np.float64], closes: npt.NDArray[np.float64]) -> bool:
    return opens[item] <= tick and closes[item] > tick


@internal
def _take(available: npt.NDArray[np.int8], j: int, item: int) -> int:
    """Take an item for user j; return it, or -1 where none is left.

    An item that cannot be had (not available, or already in the slate) is replaced by the next one by number that can,
    round the catalog.
    """
    n_items = available.shape[1]
    for _ in range(n_items):
        if available[j, item] != 0:
            available[j, item] = 0
            return item
        item = item + 1 if item + 1 < n_items else 0
    return -1


@kernel
def answer(
    rows: Rows,
    actions: npt.NDArray[np.int64],
    terms: StepTables,
    stages: Array,
    visits: Visits,
    observation: Observation,
    memory: Memory,
) -> None:
    """Hand the slates that `actions` (k, places) name to the users `rows`.

    Only as many places are used as the surface has.
    """
    available, ring, n_sent, shown = observation.available, memory.sent, memory.n_sent, memory.shown
    opens, closes, state, slate = terms.opens, terms.closes, visits.state, visits.slate
    tick, cap, recent = terms.facts[0].tick, terms.facts[0].places, terms.facts[0].recent
    for k in range(rows.shape[0]):
        j = rows[k]
        v = state[j]
        now = math.floor(v.clock / tick) * tick
        size = min(np.int64(stages[v.slate_stage].slate), cap)
        filled = 0
        for p in range(shown.shape[1]):
            shown[j, p] = -1
        for p in range(size):
            item = _take(available, j, np.int64(actions[k, p]))
            if item < 0:
                break
            slate[j, p].item = item
            slate[j, p].propensity = np.float32(np.nan)
            shown[j, p] = item
            filled += 1
        place = n_sent[j] % max(recent, 1)
        for p in range(filled):
            item = np.int64(shown[j, p])
            if recent == 0:
                available[j, item] = 1
                continue
            old = np.int64(ring[j, place])
            if old >= 0 and _there(old, now, opens, closes):
                available[j, old] = 1
            ring[j, place] = item
            place = place + 1 if place + 1 < recent else 0
            n_sent[j] += 1
        v.slate_n = filled
        v.position = 0
        v.policy = 1
        v.status = Status.ACTIVE
        memory.steps[j] += 1


@kernel
def choose(
    users: Rows,
    sizes: npt.NDArray[np.int64],
    actions: npt.NDArray[np.int64],
    available: npt.NDArray[np.int8],
    out: npt.NDArray[np.int32],
) -> None:
    """Write the slates (k, places) that `actions` (n, places) of `users` (k,) name, by the rule of `answer`."""
    for k in range(users.shape[0]):
        j = users[k]
        for p in range(out.shape[1]):
            out[k, p] = -1
        for p in range(sizes[k]):
            item = _take(available, j, np.int64(actions[j, p]))
            if item < 0:
                break
            out[k, p] = item
        for p in range(sizes[k]):
            if out[k, p] >= 0:
                available[j, out[k, p]] = 1


@kernel
def begin_step(rows: Rows, observation: Observation) -> None:
    """Set the sums of the users `rows` to 0."""
    for k in range(rows.shape[0]):
        j = rows[k]
        for e in range(observation.counts.shape[1]):
            observation.counts[j, e] = 0
            observation.values[j, e] = np.float32(0.0)
        for c in range(observation.earned.shape[1]):
            observation.earned[j, c] = np.float32(0.0)


@kernel
def begin_episode(rows: Rows, users: Array, visits: Array, observation: Observation, memory: Memory) -> None:
    """Let the users `rows` be about to arrive, with nothing known of them."""
    for k in range(rows.shape[0]):
        j = rows[k]
        v = visits[j]
        v.user = np.uint32(j)
        v.clock = users[j].due
        v.status = Status.AWAY
        v.slate_n = 0
        v.position = 0
        v.shown = 0
        v.best = 0.0
        v.total = 0.0
        v.playing = 0
        v.inside = 0
        v.memory_n = 0
        v.policy = 0
        v.attended = np.uint32(0)
        users[j].row = np.int32(j)
        for h in range(observation.history_item.shape[1]):
            observation.history_item[j, h] = -1
            observation.history_event[j, h] = -1
            observation.history_value[j, h] = np.float32(0.0)
        for side in range(2):
            memory.weight[j, side] = np.float32(0.0)
            for d in range(memory.liked.shape[2]):
                memory.liked[j, side, d] = np.float32(0.0)
        for r in range(memory.sent.shape[1]):
            memory.sent[j, r] = -1
        for p in range(PAID):
            memory.paid[j, p] = np.float32(0.0)
        for p in range(memory.shown.shape[1]):
            memory.shown[j, p] = -1
        memory.n_sent[j] = 0
        memory.changes[j] = -1.0
        memory.visit[j] = 0
        memory.steps[j] = 0
        observation.ended[j] = GOES_ON
        observation.time[j] = v.clock


@kernel
def fold(records: Array, n: int, terms: StepTables, items: Array, observation: Observation, memory: Memory) -> None:
    """Add the first n records up: counts, rewards, history, and what they say about what their users like."""
    margin, worth, marks = np.float32(terms.facts[0].margin), terms.worth, terms.marks
    signal, features = terms.signal, terms.features
    counts, values, earned, time = observation.counts, observation.values, observation.earned, observation.time
    paid, liked, weight = memory.paid, memory.liked, memory.weight
    history_item, history_event = observation.history_item, observation.history_event
    history_value = observation.history_value
    rewards = earned.shape[1]
    for r in range(n):
        row = records[r]
        j, s, e = np.int64(row.user), np.int64(row.stage), np.int64(row.event)
        known = row.logged_at == row.logged_at
        value = row.value if row.value == row.value else np.float32(0.0)
        time[j] = max(time[j], row.time)
        if known:
            counts[j, e] += 1
            values[j, e] += value
        mark = marks[s, e]
        satisfaction = row.satisfaction if row.satisfaction == row.satisfaction else np.float32(0.0)
        if mark == 0:
            continue
        if mark & PAYS:
            for c in range(rewards):
                if known or c == TRUTH:
                    earned[j, c] += worth[s, e, c, 0] + worth[s, e, c, 1] * value + worth[s, e, c, 2] * satisfaction
        if mark & CONFIRMS and row.case != _ABSENT:
            paid[j, np.int64(row.case) % PAID] = value
        if mark & TAKES_BACK and row.case != _ABSENT:
            place = np.int64(row.case) % PAID
            earned[j, MARGIN] -= margin * paid[j, place]
            paid[j, place] = np.float32(0.0)
        if mark & ITEM_EVENT == 0 or not known or row.item == _ABSENT:
            continue
        item = np.int64(row.item)
        remember(
            j, item, e, value, signal[s, e], items[item].duration, features, history_item, history_event,
            history_value, liked, weight,
        )  # fmt: skip


@kernel
def renew(rows: Rows, terms: StepTables, visits: Array, observation: Observation, memory: Memory) -> None:
    """Work out what can be shown to the users `rows` now."""
    opens, closes, edges, available = terms.opens, terms.closes, terms.edges, observation.available
    tick, recent = terms.facts[0].tick, terms.facts[0].recent
    for k in range(rows.shape[0]):
        j = rows[k]
        now = math.floor(visits[j].clock / tick) * tick
        if visits[j].status != Status.NEEDS_SLATE or now < memory.changes[j]:
            continue
        for item in range(available.shape[1]):  # without a branch: some at a time
            available[j, item] = np.int8((opens[item] <= now) & (closes[item] > now))
        for r in range(min(recent, memory.n_sent[j])):
            available[j, memory.sent[j, r]] = 0
        low, high = 0, edges.shape[0] - 1  # the first edge after now
        while low < high:
            middle = (low + high) // 2
            if edges[middle] > now:
                high = middle
            else:
                low = middle + 1
        memory.changes[j] = edges[low]


@kernel
def look(rows: Rows, terms: StepTables, stages: Array, visits: Array, observation: Observation, memory: Memory) -> None:
    """Write observations of the users `rows`, their rewards, and whether their episodes are over."""
    context, interest, weights = observation.context, observation.interest, terms.weights
    limit, cap = terms.facts[0].limit, terms.facts[0].places
    horizon, starts_at = terms.facts[0].horizon, terms.facts[0].starts_at
    for k in range(rows.shape[0]):
        j = rows[k]
        v = visits[j]
        waits = v.status == Status.NEEDS_SLATE
        if waits:
            observation.ended[j] = TRUNCATED if memory.steps[j] >= limit else GOES_ON
            observation.time[j] = v.clock
            came = np.int64(v.visit) - memory.visit[j]
            observation.earned[j, RETENTION] += np.float32(came)
            memory.visit[j] = np.int64(v.visit)
            stage = np.int64(v.slate_stage)
            observation.stage[j] = stage
            observation.surface[j] = stages[stage].surface
            observation.device_type[j] = v.device
        elif v.status == Status.GONE:
            observation.ended[j] = TERMINATED
        else:
            observation.ended[j] = TRUNCATED
            observation.time[j] = horizon
        share = min(np.int64(stages[observation.stage[j]].slate), cap) / np.float64(cap)
        tell_context(j, observation.time[j], starts_at, memory.visit[j], np.int64(v.request), share, context)
        tell_interest(j, memory.liked, memory.weight, interest)
        reward = 0.0
        for c in range(weights.shape[0]):
            if weights[c] != 0.0:
                reward += np.float64(weights[c]) * np.float64(observation.earned[j, c])
        observation.reward[j] = reward
