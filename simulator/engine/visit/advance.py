"""The life of a visit, from top to bottom: every due row is advanced to its next contact with the world.

A contact is: a slate is needed, the window ends, or the user has gone for good. Between contacts a visit needs nobody
but its user: that is what makes the order of rows, batches and threads immaterial.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from simulator.engine.jit.compile import inlined, kernel
from simulator.engine.jit.function_pointers import address_of, call_at
from simulator.engine.jit.simd import fetch_ahead
from simulator.engine.stack_arrays import SIDE_BY_SIDE, wholes
from simulator.engine.tables.codes import SharedEvent
from simulator.engine.tables.empty import NO_VISITS, NOBODY, NOTHING, NOWHERE
from simulator.engine.tables.tables import (
    MAX_SCREEN,
    MOST_PICKS,
    NO_CASE,
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
)
from simulator.engine.user.shown_numbers import numbers_of
from simulator.engine.visit.arrive_depart import EXIT, arrive, close_request, depart
from simulator.engine.visit.batch_steps import shared_steps
from simulator.engine.visit.browse import next_in_feed, screen_of_cards
from simulator.engine.visit.commit import weigh
from simulator.engine.visit.consume import STARTING
from simulator.engine.visit.inspect import look_closer
from simulator.engine.visit.menu import open_menu, screen_of_menu
from simulator.engine.visit.outcomes import follow, outcome_event
from simulator.engine.visit.pauses import PAUSING, pause_play, resume_play

EVENTS_PER_PLAY = 16

_AWAY, _NEEDS_SLATE = int(Status.AWAY), int(Status.NEEDS_SLATE)
_BROWSE, _INSPECT, _COMMIT, _CONSUME = int(Kind.BROWSE), int(Kind.INSPECT), int(Kind.COMMIT), int(Kind.CONSUME)
_AUTOPLAY = int(Layout.AUTOPLAY)
_EXHAUSTED = 1
_ABSENT = np.uint32(NO_CASE)
_OPEN = int(SharedEvent.OPEN)
_REQUESTS = int(Tally.REQUESTS)
_FAR, _NEAR = 32, 8  # rows whose memory is asked for before they are needed


Part: TypeAlias = npt.NDArray[Any] | None
"""A part of the life cycle: None where a scenario lacks it."""


def parts_of(plan: Plan) -> tuple[int, Part, Part, Part]:
    """The last arguments of `advance` for a scenario: shared steps, decisions, menus, plays continued later."""
    return shared_at(plan), *_flags(plan)


def shared_at(plan: Plan) -> int:
    """Where the machine code of `shared_steps` lies; compiled where it is not in the cache."""
    numbers = numbers_of(plan, NOBODY, NOTHING)
    at, learnable = np.zeros(0, dtype=np.int64), np.uint32(0)
    return address_of(shared_steps, at, 0, 0.0, 0, learnable, numbers, plan, NOBODY, NOTHING, NO_VISITS, NOWHERE)


def _flags(plan: Plan) -> tuple[Part, Part, Part]:
    """Any array for decisions, menus and plays continued later where the scenario has them, else None."""
    here = np.zeros(1, dtype=np.bool_)
    return tuple(
        here if there else None
        for there in (
            (plan.stages["kind"] == _COMMIT).any(),
            ((plan.stages["within"] >= 0) | (plan.stages["rest_of"] >= 0)).any(),
            (plan.stages["pause"] > 0.0).any(),
        )
    )  # type: ignore[return-value]


def first_arguments(plan: Plan) -> tuple[Any, ...]:
    """Arguments of `advance` of the types that a scenario calls it with; nobody lives."""
    todo = np.zeros(0, dtype=np.int64)
    return (0, todo, 0, 0.0, 0, plan, NOBODY, NOTHING, NO_VISITS, NOWHERE, 0, *_flags(plan))


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
    shared: int,
    commits: Part,
    menus: Part,
    pauses: Part,
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
        shared: where the machine code of `shared_steps` lies.
        commits, menus, pauses: None where the scenario has no decisions, no menus, or no plays continued later: what
            is not needed is not compiled. Else any array.

    Returns:
        The first place in `todo` that was not advanced (k when all were), and the number of records written.
    """
    # Arrays reached through a tuple inside the loop would cost reference counts: every one gets a local name.
    stages, shares, alternatives, screens = plan.stages, plan.shares, plan.alternatives, plan.screens
    users, taste, mood, followed = people.state, people.taste, people.mood, people.followed
    items, vectors, colour = goods.facts, goods.vectors, goods.colour
    rows, slate = visits.state, visits.slate
    records, tallies, counters = out.records, out.tallies, out.counters

    numbers = numbers_of(plan, people, goods)
    learnable = np.uint32(0)  # modalities whose bias can be learned
    for m in range(plan.modalities.shape[0]):
        learnable |= np.uint32(plan.modalities[m].trust >= 0) << np.uint32(m)
    told = out.messages.shape[0] > 0
    events = plan.events
    at = wholes()  # rows that are advanced side by side
    n = 0
    k = first
    active = 0
    while True:
        # as many rows at a time as there is room for what they may write
        free = SIDE_BY_SIDE - active
        if records.shape[0] > 0:
            free = min(free, (records.shape[0] - n) // room - active)
        if told:
            free = min(free, (out.messages.shape[0] - out.n_messages[0]) // room - active)
        while free > 0 and k < todo.shape[0]:
            if k + _FAR < todo.shape[0]:
                fetch_ahead(rows, todo[k + _FAR])
                fetch_ahead(slate, todo[k + _FAR])
            if k + _NEAR < todo.shape[0]:
                ask_ahead(todo[k + _NEAR], rows, slate, users, taste, mood, followed, items, vectors, colour, counters)
            at[active] = todo[k]
            active += 1
            free -= 1
            k += 1
        if active == 0:
            return k, n
        # every row lives until it has come to where many do the same, and leaves when it has to wait
        going_on = 0
        for j in range(active):
            i = at[j]
            v = rows[i]
            u = users[np.int64(v.user)]
            while v.clock < end:
                # ---- arrival
                if v.status == _AWAY:
                    n = arrive(v, u, seed, n, plan, people, out)
                # ---- departure
                if v.stage == EXIT:
                    n = depart(v, u, n, plan, people, out)
                    continue
                stage = np.int64(v.stage)
                s = stages[stage]
                outcome = -1
                # ---- browse
                if s.kind == _BROWSE and max(s.within, s.rest_of) >= 0:
                    if menus is not None:
                        if v.inside == 0:
                            open_menu(i, s, goods, visits)
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
                        if v.position < v.slate_n:
                            fetch_ahead(counters, slate[i, v.position].item)
                    else:
                        outcome, n = screen_of_cards(i, stage, n, numbers, plan, people, goods, visits, out)
                # ---- inspect
                elif s.kind == _INSPECT:
                    outcome, n = look_closer(i, stage, n, numbers, plan, people, goods, visits, out)
                # ---- commit
                elif s.kind == _COMMIT:
                    if commits is not None:
                        outcome, n = weigh(i, stage, n, numbers, plan, people, goods, visits, out)
                # ---- consume: a play is started, and ends when the clock has come to its end
                elif s.kind == _CONSUME and v.playing == 0:
                    v.clock += s.start_delay
                    v.playing = STARTING
                # ---- consume: a play is continued where an earlier visit left it, or is left to a later one
                elif s.kind == _CONSUME and v.playing == STARTING and v.resumed > 0.0:
                    if pauses is not None:
                        n = resume_play(i, stage, n, numbers, plan, people, goods, visits, out)
                elif s.kind == _CONSUME and v.playing == PAUSING:
                    if pauses is not None:
                        outcome, n = pause_play(i, stage, n, plan, people, goods, visits, out)
                # ---- consume, respond: see below
                else:
                    at[going_on] = i
                    going_on += 1
                    break
                if outcome >= 0:
                    if events[stage, outcome] >= 0 and s.kind != _COMMIT and s.kind != _CONSUME:
                        n = outcome_event(v, n, stage, outcome, np.nan, _ABSENT, plan, out)
                    follow(v, stage, outcome, shares, alternatives)
        active = going_on
        # ---- consume, respond
        n = call_at(shared, at, active, end, n, learnable, numbers, plan, people, goods, visits, out)


@inlined
def ask_ahead(
    i: int,
    rows: Array,
    slate: Array,
    users: Array,
    taste: npt.NDArray[np.float32],
    mood: npt.NDArray[np.float32],
    followed: npt.NDArray[np.uint32],
    items: Array,
    vectors: npt.NDArray[np.float32],
    colour: npt.NDArray[np.float32],
    counters: npt.NDArray[np.int64],
) -> None:
    """Ask the memory for what the next steps of a row need, while others are at work."""
    v = rows[i]
    fetch_ahead(users, v.user)
    fetch_ahead(taste, v.user)
    fetch_ahead(mood, v.user)
    fetch_ahead(followed, v.user)
    if v.position < v.slate_n:
        item = slate[i, v.position].item
        fetch_ahead(items, item)
        fetch_ahead(vectors, item)
        fetch_ahead(colour, item)
        fetch_ahead(counters, item)
