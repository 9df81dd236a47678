"""A whole step in one call, with all tables pinned beforehand.

Handing the engine's tables to a kernel one by one costs more than a user's step: each array is taken apart and wrapped
anew. Where they lie does not change, so it is written down once, see `simulator.engine.jit.pinned`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from simulator.engine.jit.compile import inlined, internal, kernel
from simulator.engine.jit.structs import group
from simulator.engine.tables.tables import Items, Output, Plan, Users, Visits
from simulator.engine.visit.advance import advance
from simulator.env.batch.encode import answer, begin_episode, begin_step, fold, look, renew
from simulator.env.batch.user_pool import put_users
from simulator.env.buffers import Memory, Observation, StepTables


@group
class Turn(NamedTuple):
    """The rows that a call is about, and what is asked of them: a set for each thread."""

    rows: npt.NDArray[np.int64]  # (n,): those that waited, then those whose users are new
    order: npt.NDArray[np.int64]  # the same rows, by phase
    phases: npt.NDArray[np.int64]  # theirs, rising
    actions: npt.NDArray[np.int64]  # (n, places): of those that waited
    places: npt.NDArray[np.int64]  # (n,): of new users in the pool


@group
class Announced(NamedTuple):
    """What is announced in each phase, as of `simulator.env.batch.announcements.Published`."""

    by_item: npt.NDArray[np.float32]  # (phases, items, promises)
    by_zone: npt.NDArray[np.float32]  # (phases, zones, promises)
    zones: npt.NDArray[np.int32]  # (n,): of all users


class StepGroups(NamedTuple):
    """All that a step reads and writes, pinned together."""

    plan: Plan
    users: Users
    items: Items
    visits: Visits
    out: Output
    observation: Observation
    memory: Memory
    terms: StepTables
    turn: Turn
    announced: Announced
    pool: Users


@kernel
def whole_step(t: StepGroups, n: int, m: int) -> bool:
    """Take users to their next requests: the first n of `Turn.rows`, and m new ones.

    Args:
        t: pinned.
        n: rows that waited, and get `Turn.actions`.
        m: rows after them that users at `Turn.places` of the pool take to begin an episode.

    Returns:
        False where an action is no item; then nothing has happened.
    """
    if not begin(t, n, m):
        return False
    order, phases = t.turn.order, t.turn.phases
    first = 0
    while first < n + m:
        phase, after = phases[first], first
        while after < n + m and phases[after] == phase:
            announce(t, order[after], phase)
            after += 1
        part, done = order[first:after], 0
        while done < part.shape[0]:
            done = visit(t, part, done, t.terms.facts[0].end, phase)
            t.out.n_messages[0] = 0  # nobody follows an order beyond the visit
        first = after
    offer(t, n, m)
    look(t.turn.rows[: n + m], t.terms, t.plan.stages, t.visits.state, t.observation, t.memory)
    return True


@internal
def begin(t: StepGroups, n: int, m: int) -> bool:
    """Hand out the slates of n rows, and let m new users come. Returns False where an action is no item."""
    actions, items = t.turn.actions, t.items.state.shape[0]
    for i in range(n):
        for p in range(t.terms.facts[0].places):
            if actions[i, p] < 0 or actions[i, p] >= items:
                return False
    going, new = t.turn.rows[:n], t.turn.rows[n : n + m]
    answer(going, actions, t.terms, t.plan.stages, t.visits, t.observation, t.memory)
    begin_step(going, t.observation)
    put_users(new, t.turn.places, t.pool, t.users)
    begin_episode(new, t.users.state, t.visits.state, t.observation, t.memory)
    return True


@internal
def announce(t: StepGroups, j: int, phase: int) -> None:
    """Tell user j what is announced in a phase."""
    promised, by_zone, zone = t.users.promised, t.announced.by_zone, t.announced.zones[j]
    for q in range(promised.shape[1]):
        promised[j, q] = by_zone[phase, zone, q]


@inlined
def as_announced(t: StepGroups, phase: int) -> Items:
    """Return the items, with what is announced of them in a phase."""
    items = t.items
    return Items(
        items.state, items.vectors, items.bias_appeal, items.published_counters, items.attributes,
        items.attribute_effects, items.place, t.announced.by_item[phase], items.published, items.parent,
        items.menu, items.menus, items.offered,
    )  # fmt: skip


@internal
def visit(t: StepGroups, rows: npt.NDArray[np.int64], first: int, end: float, phase: int) -> int:
    """Advance the visits rows[first:] to their next requests or to `end`, and add up what they leave.

    Returns:
        The first place that was not advanced: records have room for some rows at a time.
    """
    items, facts, parts = as_announced(t, phase), t.terms.facts[0], t.plan.entries
    first, written = advance(
        facts.seed, rows, first, end, facts.room, t.plan, t.users, items, t.visits, t.out, facts.batched_steps,
        parts, parts, parts,
    )  # fmt: skip
    fold(t.out.records, written, t.terms, items.state, t.observation, t.memory)
    return first


@internal
def offer(t: StepGroups, n: int, m: int) -> None:
    """Work out what can be shown to n rows and m new ones."""
    renew(t.turn.rows[: n + m], t.terms, t.visits.state, t.observation, t.memory)
    begin_step(t.turn.rows[n : n + m], t.observation)  # what came before the first request is nobody's doing
