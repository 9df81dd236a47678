"""Going back: in place of a look at a new slate, a user opens something again that they had before and remember."""

from __future__ import annotations

import numpy as np

from simulator.engine.jit.compile import internal
from simulator.engine.primitives import decision_key, exponential
from simulator.engine.randomness import mix, uniform
from simulator.engine.tables.tables import Draw, Tables, Tally
from simulator.engine.user.beliefs import belief_about, utility_of
from simulator.engine.user.item_memory import CREATORS, with_memory
from simulator.engine.user.shown_numbers import EVERYTHING, attribute_utility
from simulator.engine.visit.arrive_depart import close_request
from simulator.engine.visit.records import is_recorded, record

_NOBODY_SAYS = np.float32(np.nan)


@internal
def goes_back(i: int, n: int, tables: Tables) -> tuple[bool, int]:
    """Let the visit `i`, which would ask for a slate, turn to something remembered. Returns if it does, and records.

    What was better is opened again more often: a remembered worth w has odds exp(w / temperature). It takes the place
    of a request, but nobody recommended it and nothing is shown. Between two slates it happens once at the most.
    """
    plan, memory, out = tables.plan, tables.users.item_memory, tables.out
    v = tables.visits.state[i]
    s, user = plan.stages[v.stage], np.int64(v.user)
    if v.reopened == 1 or uniform(decision_key(v.decisions, v.request, 0, Draw.REOPEN)) >= s.reopen:
        return False, n
    best = -np.inf
    for k in range(memory.shape[1]):
        if _can_be_opened(user, k, tables):
            best = max(best, np.float64(memory[user, k].worth))
    if best == -np.inf:
        return False, n
    total = 0.0
    for k in range(memory.shape[1]):
        if _can_be_opened(user, k, tables):
            total += exponential((np.float64(memory[user, k].worth) - best) / s.reopen_temperature, plan.exp_log_tables)
    left = total * uniform(decision_key(v.decisions, v.request, 0, Draw.REOPENED))
    chosen = -1
    for k in range(memory.shape[1]):
        if _can_be_opened(user, k, tables) and (chosen < 0 or left >= 0.0):
            chosen = k
            left -= exponential((np.float64(memory[user, k].worth) - best) / s.reopen_temperature, plan.exp_log_tables)
    close_request(v, out.tallies)
    v.slate_stage = v.stage
    v.slate_n = 0
    v.position = 0
    v.inside = 0
    v.reopened = 1
    v.request += np.uint32(1)
    _hold(i, np.int64(memory[user, chosen].item), tables)
    event = np.int64(s.reopen_event)
    out.tallies[Tally.EVENT + event] += 1
    if plan.counted[event, 0] >= 0:
        out.counters[np.int64(v.item), plan.counted[event, 0]] += 1
    if is_recorded(event, out):
        n = record(n, v, event, np.nan, np.uint32(0), tables)
    return True, n


@internal
def _can_be_opened(user: int, k: int, tables: Tables) -> bool:
    """Return whether place `k` of a user's memory holds an item: what is known of creators opens nothing."""
    kept = tables.users.item_memory[user, k]
    return kept.at > 0.0 and np.int64(kept.item) < CREATORS


@internal
def _hold(i: int, item: int, tables: Tables) -> None:
    """Let the visit `i` go on with an item that it knows: what is thought of it is the prior and the memory."""
    plan, items, numbers = tables.plan, tables.items, tables.numbers
    v = tables.visits.state[i]
    user, key = np.int64(v.user), mix(v.perceptions, np.uint64(item))
    mean, variance = belief_about(key, v.knowing, user, item, np.uint32(0), 1.0, numbers)
    kind = plan.types[items.state[item].type]
    mean, variance = with_memory(mean, variance, user, item, v.clock, kind, numbers)
    v.utility = utility_of(key, user, item, numbers) + attribute_utility(key, v.clock, user, item, EVERYTHING, numbers)
    v.item = np.uint32(item)
    v.seed = v.item
    v.slot = 0
    v.policy = 0
    v.propensity = _NOBODY_SAYS
    v.attended = np.uint32(0)
    v.belief = mean
    v.belief_sd = np.sqrt(variance)
    v.picked = 1
