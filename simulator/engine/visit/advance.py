"""The life of a visit, from top to bottom: every due row is advanced to its next contact with the world.

A contact is: a slate is needed, the window ends, or the user has gone for good. Between contacts a visit needs nobody
but its user: that is what makes the order of rows, batches and threads immaterial.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from simulator.engine.jit.compile import inlined, kernel
from simulator.engine.jit.function_pointers import address_of, call_pointer
from simulator.engine.jit.simd import fetch_ahead
from simulator.engine.stack_arrays import SIDE_BY_SIDE, int_buffer
from simulator.engine.tables.empty import NO_VISITS, NOBODY, NOTHING, NOWHERE
from simulator.engine.tables.tables import (
    MAX_SCREEN,
    MOST_PICKS,
    NO_CASE,
    Array,
    Items,
    Layout,
    Output,
    Plan,
    StageKind,
    Status,
    Tables,
    Tally,
    Users,
    Visits,
    numbers_of,
)
from simulator.engine.visit.arrive_depart import arrive, close_request, depart
from simulator.engine.visit.batch_steps import batched_steps
from simulator.engine.visit.browse import SELECT, next_in_feed, screen_of_cards
from simulator.engine.visit.commit import weigh
from simulator.engine.visit.consume import STARTING
from simulator.engine.visit.inspect import look_closer
from simulator.engine.visit.menu import open_menu, screen_of_menu
from simulator.engine.visit.outcomes import follow, outcome_event
from simulator.engine.visit.pauses import PAUSING, pause_play, resume_play
from simulator.engine.visit.picks import IN_TURN, next_pick, screen_of_picks
from simulator.engine.visit.records import EXIT
from simulator.engine.visit.reopen import goes_back

EVENTS_PER_PLAY = 16
"""Rows about one place of a slate at the most, beside what users may do of their own accord."""

_EXHAUSTED = 1
_ABSENT = np.uint32(NO_CASE)
_FAR, _NEAR = 32, 8  # rows whose memory is asked for before they are needed


Part: TypeAlias = npt.NDArray[Any] | None
"""A part of the life cycle: None where a scenario lacks it."""


def parts_of(plan: Plan) -> tuple[int, Part, Part, Part]:
    """Return the last arguments of `advance` for a scenario: shared steps, decisions, menus, plays continued later."""
    return shared_at(plan), *_flags(plan)


def shared_at(plan: Plan) -> int:
    """Return where the machine code of `batched_steps` lies; compiled where it is not in the cache."""
    tables = Tables(numbers_of(plan, NOBODY, NOTHING), plan, NOBODY, NOTHING, NO_VISITS, NOWHERE)
    return address_of(batched_steps, np.zeros(0, dtype=np.int64), 0, 0.0, 0, np.uint32(0), tables)


def _flags(plan: Plan) -> tuple[Part, Part, Part]:
    """Return any array, else None, for each: decisions; menus, picks or going back; plays continued later."""
    here = np.zeros(1, dtype=np.bool_)
    return tuple(
        here if there else None
        for there in (
            (plan.stages["kind"] == StageKind.COMMIT).any(),
            any((plan.stages[key] >= 0).any() for key in ("children_of", "queue_of", "picks", "reopen_event")),
            (plan.stages["pause"] > 0.0).any(),
        )
    )  # type: ignore[return-value]


def first_arguments(plan: Plan) -> tuple[Any, ...]:
    """Return the arguments of `advance` of the types that a scenario calls it with; nobody lives."""
    todo = np.zeros(0, dtype=np.int64)
    return (0, todo, 0, 0.0, 0, plan, NOBODY, NOTHING, NO_VISITS, NOWHERE, 0, *_flags(plan))


def room_needed(slate: int, menu: int = 0, responses: int = 0) -> int:
    """Return the rows that one visit may write between two contacts: a slate of plays, their cards, and its end.

    With `menu`, the cards of the longest one, each card of the slate may open one, and leave with a basket from it.
    With `responses`, what users may do of their own accord about one item, all of it may happen to each.
    """
    menus = (slate + 2) * (menu + MOST_PICKS) if menu else 0
    return (EVENTS_PER_PLAY + responses) * (slate + 2) + 2 * MAX_SCREEN + 5 + menus


@kernel
def advance(
    seed: int,
    todo: npt.NDArray[np.int64],
    first: int,
    end: float,
    room: int,
    plan: Plan,
    users: Users,
    items: Items,
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
        plan, users, items, visits: tables of the scenario and state; `users` and `visits` are changed in place.
        out: what is written.
        shared: where the machine code of `batched_steps` lies.
        commits, menus, pauses: None where the scenario has no decisions, no menus, or no plays continued later: what
            is not needed is not compiled. Else any array.

    Returns:
        The first place in `todo` that was not advanced (k when all were), and the number of records written.
    """
    tables = Tables(numbers_of(plan, users, items), plan, users, items, visits, out)
    learnable = np.uint32(0)  # modalities whose bias can be learned
    for m in range(plan.modalities.shape[0]):
        learnable |= np.uint32(plan.modalities[m].trust >= 0) << np.uint32(m)
    at = int_buffer()  # rows that are advanced side by side
    n = 0
    k = first
    active = 0
    while True:
        active, k = _let_in(at, active, todo, k, n, room, tables)
        if active == 0:
            return k, n
        # every row lives until it has come to where many do the same, and leaves when it has to wait
        going_on = 0
        for j in range(active):
            at[going_on] = at[j]
            together, n = _live_alone(at[j], end, seed, n, tables, commits, menus, pauses)
            going_on += together
        active = going_on
        # ---- consume, respond
        n = call_pointer(shared, at, active, end, n, learnable, tables)


@inlined
def _let_in(
    at: npt.NDArray[np.int64], active: int, todo: npt.NDArray[np.int64], k: int, n: int, room: int, tables: Tables
) -> tuple[int, int]:
    """Add rows of todo[k:] to at[:active], as many as there is room for what they may write.

    Returns how many are active now, and the place in `todo` behind the last.
    """
    rows, slate, out = tables.visits.state, tables.visits.slate, tables.out
    free = SIDE_BY_SIDE - active
    if out.records.shape[0] > 0:
        free = min(free, (out.records.shape[0] - n) // room - active)
    if out.messages.shape[0] > 0:
        free = min(free, (out.messages.shape[0] - out.n_messages[0]) // room - active)
    while free > 0 and k < todo.shape[0]:
        if k + _FAR < todo.shape[0]:
            fetch_ahead(rows, todo[k + _FAR])
            fetch_ahead(slate, todo[k + _FAR])
        if k + _NEAR < todo.shape[0]:
            ask_ahead(todo[k + _NEAR], tables)
        at[active] = todo[k]
        active += 1
        free -= 1
        k += 1
    return active, k


@inlined
def _live_alone(
    i: int, end: float, seed: int, n: int, tables: Tables, commits: Part, menus: Part, pauses: Part
) -> tuple[int, int]:
    """Advance the row `i` until it has come to where many do the same, or has to wait.

    Returns 1 if it is where many do the same, and the number of records.
    """
    plan = tables.plan
    stages, events, shares, alternatives = plan.stages, plan.events, plan.shares, plan.alternatives
    v = tables.visits.state[i]
    u = tables.users.state[np.int64(v.user)]
    while v.clock < end:
        # ---- arrival
        if v.status == Status.AWAY:
            n = arrive(v, u, seed, n, tables)
        # ---- departure
        if v.stage == EXIT:
            n = depart(v, u, n, tables)
            continue
        stage = np.int64(v.stage)
        s = stages[stage]
        outcome = -1
        # ---- browse
        if s.kind == StageKind.BROWSE and max(s.children_of, s.queue_of) >= 0:
            if menus is not None:
                if v.inside != 1:
                    open_menu(i, s, tables.items, tables.visits)
                outcome, n = screen_of_menu(i, n, tables)
        elif s.kind == StageKind.BROWSE and v.inside == IN_TURN and v.slate_stage == stage:
            if menus is not None:
                outcome = next_pick(i, tables)
        elif s.kind == StageKind.BROWSE:
            if v.slate_stage != stage or v.position >= v.slate_n:
                if _used_up(v, stage):
                    outcome = _EXHAUSTED
                else:
                    goes = False
                    if menus is not None and s.reopen > 0.0:
                        goes, n = goes_back(i, n, tables)
                    if not goes:
                        _ask_for_slate(v, stage, tables)
                        return 0, n
                    outcome = SELECT
            elif s.layout == Layout.AUTOPLAY or plan.screens[stage, v.device, 1] == 0:
                outcome = next_in_feed(i, v, tables)
            elif s.picks >= 0:
                if menus is not None:
                    outcome, n = screen_of_picks(i, n, tables)
            else:
                outcome, n = screen_of_cards(i, n, tables)
        # ---- inspect
        elif s.kind == StageKind.INSPECT:
            outcome, n = look_closer(i, n, tables)
        # ---- commit
        elif s.kind == StageKind.COMMIT:
            if commits is not None:
                outcome, n = weigh(i, n, tables)
        # ---- consume: a play is started, and ends when the clock has come to its end
        elif s.kind == StageKind.CONSUME and v.playing == 0:
            v.clock += s.start_delay
            v.playing = STARTING
        # ---- consume: a play is continued where an earlier visit left it, or is left to a later one
        elif s.kind == StageKind.CONSUME and v.playing == STARTING and v.resumed > 0.0:
            if pauses is not None:
                n = resume_play(i, n, tables)
        elif s.kind == StageKind.CONSUME and v.playing == PAUSING:
            if pauses is not None:
                outcome, n = pause_play(i, n, tables)
        # ---- consume, respond: many do the same
        else:
            return 1, n
        if outcome >= 0:
            if events[stage, outcome] >= 0 and s.kind != StageKind.COMMIT and s.kind != StageKind.CONSUME:
                n = outcome_event(v, n, outcome, np.nan, _ABSENT, tables)
            follow(v, stage, outcome, shares, alternatives)
    return 0, n


@inlined
def _used_up(v: Array, stage: int) -> bool:
    """Return whether the visit `v` is through with a slate of this stage, which it then gives up."""
    if v.slate_stage != stage or v.slate_n == 0:
        return False
    v.slate_n = 0
    return True


@inlined
def _ask_for_slate(v: Array, stage: int, tables: Tables) -> None:
    """Let the visit `v` wait for a slate of this stage."""
    close_request(v, tables.out.tallies)
    # a slate that follows on one of the same stage goes on with its list, unless it is next to another item
    more = v.slate_stage == stage and tables.plan.stages[stage].about == 0
    v.above = v.above + v.position if more else np.uint32(0)
    v.slate_stage = stage
    v.slate_n = 0
    v.position = 0
    v.reopened = 0
    v.inside = 0  # picks from another slate that had no turn yet are dropped
    v.request += np.uint32(1)
    v.status = Status.NEEDS_SLATE
    tables.out.tallies[Tally.REQUESTS] += 1


@inlined
def ask_ahead(i: int, tables: Tables) -> None:
    """Ask the memory for what the next steps of a row need, while others are at work."""
    users, items, slate = tables.users, tables.items, tables.visits.slate
    v = tables.visits.state[i]
    fetch_ahead(users.state, v.user)
    fetch_ahead(users.taste, v.user)
    fetch_ahead(users.satiation_trust, v.user)
    fetch_ahead(users.followed, v.user)
    if v.position < v.slate_n:
        item = slate[i, v.position].item
        fetch_ahead(items.state, item)
        fetch_ahead(items.vectors, item)
        fetch_ahead(items.bias_appeal, item)
        fetch_ahead(tables.out.counters, item)
