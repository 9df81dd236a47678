"""The life of a visit, from top to bottom: every due row is advanced to its next contact with the world.

A contact is: a slate is needed, the window ends, or the user has gone for good. Between contacts a visit needs nobody
but its user: that is what makes the order of rows, batches and threads immaterial.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from simulator.kernel import kernel
from simulator.kernels.asides import numbers_of
from simulator.kernels.attendance import EXIT, arrive, close_request, depart
from simulator.kernels.browse import next_in_feed, screen_of_cards
from simulator.kernels.commit import weigh
from simulator.kernels.consume import end_play, start_play
from simulator.kernels.endings import mark_ending
from simulator.kernels.inspect import look_closer
from simulator.kernels.lanes import fetch_ahead
from simulator.kernels.layout import (
    MAX_SCREEN,
    MOST_PICKS,
    NO_CASE,
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
from simulator.kernels.lifetime import successor
from simulator.kernels.menu import open_menu, screen_of_menu
from simulator.kernels.outcomes import outcome_event
from simulator.kernels.pauses import PAUSE, pause_play, resume_play
from simulator.kernels.primitives import decision_key
from simulator.kernels.respond import respond
from simulator.randomness import uniform

EVENTS_PER_PLAY = 16

_AWAY, _NEEDS_SLATE = int(Status.AWAY), int(Status.NEEDS_SLATE)
_BROWSE, _INSPECT, _CONSUME, _RESPOND = int(Kind.BROWSE), int(Kind.INSPECT), int(Kind.CONSUME), int(Kind.RESPOND)
_COMMIT = int(Kind.COMMIT)
_AUTOPLAY = int(Layout.AUTOPLAY)
_EXHAUSTED = 1
_ABSENT = np.uint32(NO_CASE)
_OPEN = 1  # code of the event
_W_SUCCESSOR = int(What.SUCCESSOR)
_REQUESTS, _WATCHED = int(Tally.REQUESTS), int(Tally.WATCHED)


def room_needed(slate: int, menu: int = 0) -> int:
    """Rows that one visit may write between two contacts: a slate of plays, their cards, and the end of the visit.

    With `menu`, the cards of the longest one, each card of the slate may open one, and leave with a basket from it.
    """
    menus = (slate + 2) * (menu + MOST_PICKS) if menu else 0
    return EVENTS_PER_PLAY * (slate + 2) + 2 * MAX_SCREEN + 5 + menus


@kernel
def advance(
    seed: int,
    todo: npt.NDArray[np.int64],
    first: int,
    end: float,
    room: int,
    plan: Plan,
    people: People,
    goods: Goods,
    visits: Visits,
    out: Output,
) -> tuple[int, int]:
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
    stages, shares, alternatives, screens = plan.stages, plan.shares, plan.alternatives, plan.screens
    pairs, modalities, facets, types, weights = plan.pairs, plan.modalities, plan.facets, plan.types, plan.weights
    acts, observation, labels = plan.acts, plan.observation, plan.labels
    quantiles, powers, habits = plan.quantiles, plan.powers, plan.habits[0]
    users, taste, mood, followed = people.state, people.taste, people.mood, people.followed
    items, vectors, colour, readouts = goods.facts, goods.vectors, goods.colour, goods.readouts
    had, minds, parent = people.had, people.known, goods.parent
    rows, slate, memory, memory_value = visits.state, visits.slate, visits.memory, visits.memory_value
    records, tallies, counters, scratch = out.records, out.tallies, out.counters, out.scratch

    numbers = numbers_of(plan, people, goods)
    no_act = 1.0  # probability that a usual play is left without an act by the acts' bounds alone
    for a in range(acts.shape[0]):
        no_act *= 1.0 - acts[a].bound
    learnable = np.uint32(0)  # modalities whose bias can be learned
    for m in range(modalities.shape[0]):
        learnable |= np.uint32(modalities[m].learns_trust) << np.uint32(m)
    told = out.messages.shape[0] > 0
    events, asides = plan.events, plan.asides.shape[0] > 0
    counts_opens = np.int64(plan.counted[_OPEN, 0])
    n = 0
    for k in range(first, todo.shape[0]):
        if records.shape[0] > 0 and records.shape[0] - n < room:
            return k, n
        if told and out.messages.shape[0] - out.n_messages[0] < room:
            return k, n
        i = todo[k]
        v = rows[i]
        # ask for the memory of the next rows while this one is at work
        if k + 4 < todo.shape[0]:
            fetch_ahead(rows, todo[k + 4])
        if k + 2 < todo.shape[0]:
            later = todo[k + 2]
            fetch_ahead(slate, later)
            fetch_ahead(users, rows[later].user)
            fetch_ahead(taste, rows[later].user)
            fetch_ahead(mood, rows[later].user)
        if k + 1 < todo.shape[0]:
            later = todo[k + 1]
            if rows[later].position < rows[later].slate_n:
                fetch_ahead(vectors, slate[later, rows[later].position].item)
                fetch_ahead(colour, slate[later, rows[later].position].item)
                fetch_ahead(items, slate[later, rows[later].position].item)
        user = np.int64(v.user)
        u = users[user]
        while v.clock < end:
            # ---- arrival
            if v.status == _AWAY:
                n = arrive(v, u, seed, n, plan, out)
            # ---- departure
            if v.stage == EXIT:
                n = depart(v, u, n, plan, out)
                continue
            stage = np.int64(v.stage)
            s = stages[stage]
            outcome = -1
            # ---- browse
            if s.kind == _BROWSE and s.within >= 0:
                if v.inside == 0:
                    open_menu(i, s.picks >= 0, goods, visits)
                outcome, n = screen_of_menu(i, stage, n, numbers, plan, people, goods, visits, out)
            elif s.kind == _BROWSE:
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
                elif s.layout == _AUTOPLAY or screens[stage, v.device, 1] == 0:
                    outcome = next_in_feed(i, v, slate, items, vectors, colour)
                else:
                    outcome, n = screen_of_cards(i, stage, n, numbers, plan, people, goods, visits, out)
            # ---- inspect
            elif s.kind == _INSPECT:
                outcome, n = look_closer(i, stage, n, numbers, plan, people, goods, visits, out)
            # ---- commit
            elif s.kind == _COMMIT:
                outcome, n = weigh(i, stage, n, numbers, plan, people, goods, visits, out)
            # ---- consume: a play is started, and ends when the clock has come to its end
            elif s.kind == _CONSUME:
                if v.playing == 0:
                    v.clock += s.start_delay
                    v.playing = 2
                    if v.clock >= end:
                        break
                if v.playing == 2:
                    if v.resumed > 0.0:
                        n = resume_play(i, stage, n, numbers, plan, people, goods, visits, out)
                    else:
                        n = start_play(
                            v, u, s, n, screens, pairs, modalities, facets, weights, types, habits, observation,
                            quantiles, powers, taste, mood, minds, items, vectors, colour, readouts, records, tallies,
                            counters, scratch, numbers, asides, counts_opens,
                        )  # fmt: skip
                    if v.clock >= end:
                        break
                if v.outcome == PAUSE:
                    outcome, n = pause_play(i, stage, n, plan, people, goods, visits, out)
                else:
                    outcome, n = end_play(
                        i, v, u, s, n, screens, modalities, habits, observation, labels, quantiles, powers, mood, had,
                        types, items, parent, memory, memory_value, records, tallies, events,
                    )  # fmt: skip
                    if s.bounce_event >= 0 or s.reached_event >= 0:
                        n = mark_ending(v, n, stage, plan, goods, out)
                    if v.resumed > 0.0:
                        tallies[_WATCHED] -= np.int64(v.resumed * 1024.0)  # counted when it was paused
                        v.resumed = 0.0
            # ---- respond
            elif s.kind == _RESPOND:
                outcome, n = respond(
                    v, u, s, n, screens, pairs, modalities, facets, habits, acts, no_act, learnable, observation,
                    quantiles, powers, taste, mood, followed, items, vectors, colour, records, tallies, counters,
                )  # fmt: skip
            if outcome >= 0:
                if events[stage, outcome] >= 0 and s.kind != _COMMIT and s.kind != _CONSUME:
                    n = outcome_event(v, n, stage, outcome, np.nan, _ABSENT, plan, out)
                luck = 0.0
                if shares[stage, outcome, 0] < 1.0:
                    luck = uniform(decision_key(v.decisions, v.request, v.slot, _W_SUCCESSOR))
                following = successor(stage, outcome, luck, shares, alternatives)
                v.stage = EXIT if following < 0 else following
    return todo.shape[0], n
