"""The life of a visit, from top to bottom: every due row is advanced to its next contact with the world.

A contact is: a slate is needed, the window ends, or the user has gone for good. Between contacts a visit needs nobody
but its user: that is what makes the order of rows, batches and threads immaterial.
"""

from __future__ import annotations

import numpy as np

from simulator.kernel import kernel
from simulator.kernels.browse import next_in_feed, screen_of_cards
from simulator.kernels.consume import end_play, start_play
from simulator.kernels.inspect import look_closer
from simulator.kernels.lanes import fetch_ahead
from simulator.kernels.layout import (
    MAX_SCREEN,
    Array,
    Goods,
    Kind,
    Layout,
    Output,
    People,
    Plan,
    Status,
    Tally,
    Visits,
    What,
)
from simulator.kernels.lifetime import after, successor
from simulator.kernels.primitives import decision_key, drawn, exponential, fixed
from simulator.kernels.records import NAN, record
from simulator.kernels.respond import respond
from simulator.randomness import DECISION, KNOWLEDGE, OBSERVATION, PERCEPTION, mix, root, uniform

EXIT = 255
NO_STAGE = 254
EVENTS_PER_PLAY = 14

_AWAY, _ACTIVE, _NEEDS_SLATE, _GONE = int(Status.AWAY), int(Status.ACTIVE), int(Status.NEEDS_SLATE), int(Status.GONE)
_BROWSE, _INSPECT, _CONSUME, _RESPOND = int(Kind.BROWSE), int(Kind.INSPECT), int(Kind.CONSUME), int(Kind.RESPOND)
_AUTOPLAY = int(Layout.AUTOPLAY)
_EXHAUSTED = 1
_LEAVE = 15  # code of the event "leave"
_ABSENT = np.uint32(0xFFFFFFFF)
_W_DEVICE, _W_ENTRY, _W_BUDGET, _W_TOLERANCE = int(What.DEVICE), int(What.ENTRY), int(What.BUDGET), int(What.TOLERANCE)
_W_RETURN, _W_CHURN, _W_SUCCESSOR = int(What.RETURN), int(What.CHURN), int(What.SUCCESSOR)
_VISITS, _REQUESTS, _REGRET, _REGRETTED = int(Tally.VISITS), int(Tally.REQUESTS), int(Tally.REGRET), int(Tally.REGRETTED)
_CHURNED, _VISIT_SECONDS, _EVENT = int(Tally.CHURNED), int(Tally.VISIT_SECONDS), int(Tally.EVENT)
_USER_DAYS = int(Tally.PRESENCE_IN_DAYS)
_DAY = 86400.0


def room_needed(slate: int) -> int:
    """Rows that one visit may write between two contacts: a slate of plays, their cards, and the end of the visit."""
    return EVENTS_PER_PLAY * (slate + 2) + 2 * MAX_SCREEN + 4


@kernel
def close_request(v: Array, tallies: np.ndarray) -> None:  # type: ignore[type-arg]
    """Count the regret of a request: the best of what was shown against each item that was shown."""
    if v.shown > 0:
        tallies[_REGRET] += fixed(np.float64(v.best) * v.shown - v.total)
        tallies[_REGRETTED] += v.shown
    v.shown = 0
    v.best = 0.0
    v.total = 0.0


@kernel
def advance(seed: int, todo: np.ndarray, first: int, end: float, room: int, plan: Plan, people: People, goods: Goods, visits: Visits, out: Output) -> tuple[int, int]:
    """Advance the rows todo[first:] as far as they come before `end`.

    Args:
        seed: the world's seed.
        todo: rows of `visits` to advance, int64 (k,).
        first: place in `todo` to begin at.
        end: end of the window, s; steps due at or after it stay.
        room: rows that one visit may write (`room_needed`); the call returns early when less is left in `out.records`.
        plan, people, goods, visits: tables of the scenario and state; `people` and `visits` are changed in place.
        out: what is written.

    Returns:
        The first place in `todo` that was not advanced (k when all were), and the number of records written.
    """
    # Arrays reached through a tuple inside the loop would cost reference counts: every one gets a local name.
    stages, shares, alternatives, skim, screens = plan.stages, plan.shares, plan.alternatives, plan.skim, plan.screens
    entries, devices = plan.entries, plan.devices
    pairs, modalities, facets, types, weights = plan.pairs, plan.modalities, plan.facets, plan.types, plan.weights
    acts, observation, labels = plan.acts, plan.observation, plan.labels
    hours, quantiles, powers, starts_at = plan.hours, plan.quantiles, plan.powers, plan.starts_at[0]
    habits = plan.habits[0]
    users, taste, mood, recent, followed = people.state, people.taste, people.mood, people.recent, people.followed
    items, vectors, colour, readouts = goods.facts, goods.vectors, goods.colour, goods.readouts
    rows, slate, memory, memory_value = visits.state, visits.slate, visits.memory, visits.memory_value
    records, tallies, counters, scratch = out.records, out.tallies, out.counters, out.scratch

    deciding = root(seed, DECISION)
    observing = root(seed, OBSERVATION)
    perceiving = root(seed, PERCEPTION)
    knowing = root(seed, KNOWLEDGE)
    n = 0
    for k in range(first, todo.shape[0]):
        if records.shape[0] > 0 and records.shape[0] - n < room:
            return k, n
        i = todo[k]
        v = rows[i]
        if k + 1 < todo.shape[0]:
            fetch_ahead(taste, rows[todo[k + 1]].user)
            fetch_ahead(mood, rows[todo[k + 1]].user)
        user = np.int64(v.user)
        u = users[user]
        while v.clock < end:
            # ---- arrival
            if v.status == _AWAY:
                v.visit = u.visits
                u.visits += np.uint32(1)
                v.decisions = mix(mix(deciding, np.uint64(user)), np.uint64(v.visit))
                v.observations = mix(mix(observing, np.uint64(user)), np.uint64(v.visit))
                v.perceptions = mix(perceiving, np.uint64(user))
                v.knowing = mix(knowing, np.uint64(user))
                luck = uniform(decision_key(v.decisions, 0, 0, _W_DEVICE))
                v.device = 0
                while v.device < devices.shape[0] - 1 and luck >= devices[v.device]:
                    v.device += 1
                luck = uniform(decision_key(v.decisions, 0, 0, _W_ENTRY))
                v.stage = 0
                while v.stage < entries.shape[0] - 1 and luck >= entries[v.stage]:
                    v.stage += 1
                v.start = v.clock
                v.budget = u.patience * drawn(quantiles, habits.budget, decision_key(v.decisions, 0, 0, _W_BUDGET))
                v.tolerance = drawn(quantiles, habits.tolerance, decision_key(v.decisions, 0, 0, _W_TOLERANCE))
                v.request = 0
                v.slate_n = 0
                v.position = 0
                v.slate_stage = NO_STAGE
                v.memory_n = 0
                v.streak = 0
                v.playing = 0
                v.shown = 0
                v.status = _ACTIVE
                tallies[_VISITS] += 1
                day = np.int64(v.clock / _DAY)
                if day < 32 and (u.days >> np.uint32(day)) & np.uint32(1) == 0:
                    u.days |= np.uint32(1) << np.uint32(day)
                    tallies[_USER_DAYS] += 1
            # ---- departure
            if v.stage == EXIT:
                close_request(v, tallies)
                tallies[_EVENT + _LEAVE] += 1
                tallies[_VISIT_SECONDS] += np.int64((v.clock - v.start) * 1024.0)
                if records.shape[0] > 0:
                    n = record(
                        records, n, v, v.clock, _LEAVE, 0xFFFFFFFF, _ABSENT, 0xFFFF, EXIT, EXIT, v.clock - v.start, NAN, NAN, NAN, NAN, NAN,
                        np.uint32(0), np.uint32(0), observation, quantiles,
                    )  # fmt: skip
                u.goodwill = u.own_goodwill + habits.goodwill_decay * (u.goodwill - u.own_goodwill)
                churn = habits.churn * exponential(-habits.churn_goodwill * u.goodwill, powers)
                if uniform(decision_key(v.decisions, 0, 0, _W_CHURN)) < churn:
                    u.gone = 1
                    u.due = np.inf
                    v.clock = np.inf
                    v.status = _GONE
                    tallies[_CHURNED] += 1
                else:
                    waiting = drawn(quantiles, habits.return_after, decision_key(v.decisions, 0, 0, _W_RETURN))
                    waiting *= exponential(-habits.return_goodwill * u.goodwill, powers)
                    v.clock = after(v.clock, waiting, hours, starts_at)
                    u.due = v.clock
                    v.status = _AWAY
                continue
            stage = np.int64(v.stage)
            s = stages[stage]
            outcome = -1
            # ---- browse
            if s.kind == _BROWSE:
                if v.slate_stage != stage or v.position >= v.slate_n:
                    if v.slate_stage == stage and v.slate_n > 0:
                        v.slate_n = 0
                        outcome = _EXHAUSTED
                    else:
                        close_request(v, tallies)
                        v.slate_stage = stage
                        v.slate_n = 0
                        v.position = 0
                        v.request += np.uint32(1)
                        v.status = _NEEDS_SLATE
                        tallies[_REQUESTS] += 1
                        break
                elif s.layout == _AUTOPLAY:
                    outcome = next_in_feed(i, v, slate, vectors, colour)
                else:
                    outcome, n = screen_of_cards(
                        i, v, u, s, n, skim, screens, pairs, modalities, facets, weights, types, habits, observation, quantiles, powers,
                        taste, mood, recent, items, vectors, colour, readouts, slate, records, tallies, counters, scratch,
                    )  # fmt: skip
            # ---- inspect
            elif s.kind == _INSPECT:
                outcome, n = look_closer(
                    v, u, s, n, screens, pairs, modalities, facets, weights, types, habits, observation, quantiles, powers,
                    taste, mood, items, vectors, colour, readouts, records, tallies, scratch,
                )  # fmt: skip
            # ---- consume: a play is started, and ends when the clock has come to its end
            elif s.kind == _CONSUME:
                if v.playing == 0:
                    v.clock += s.start_delay
                    v.playing = 2
                    if v.clock >= end:
                        break
                if v.playing == 2:
                    n = start_play(
                        v, u, s, n, screens, pairs, modalities, facets, weights, types, habits, observation, quantiles, powers,
                        taste, mood, recent, items, vectors, colour, readouts, records, tallies, counters, scratch,
                    )  # fmt: skip
                else:
                    outcome, n = end_play(
                        i, v, u, s, n, screens, modalities, habits, observation, labels, quantiles, powers, mood, items, memory, memory_value,
                        records, tallies,
                    )  # fmt: skip
            # ---- respond
            elif s.kind == _RESPOND:
                outcome, n = respond(
                    v, u, s, n, screens, pairs, modalities, facets, habits, acts, observation, quantiles, powers,
                    taste, mood, followed, items, vectors, colour, records, tallies, counters,
                )  # fmt: skip
            if outcome >= 0:
                luck = 0.0
                if shares[stage, outcome, 0] < 1.0:
                    luck = uniform(decision_key(v.decisions, v.request, v.slot, _W_SUCCESSOR))
                following = successor(stage, outcome, luck, shares, alternatives)
                v.stage = EXIT if following < 0 else following
    return todo.shape[0], n
