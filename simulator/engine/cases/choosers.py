"""The other side of a match: what a chooser makes of those who came, each alone or the ones beside the others.

A chooser who compares has a desk for every item and step: those whose step is over lie there until the next decision.
Then who does not reach the bar is turned down, the best of the others go on, and who is left is compared again.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from simulator.engine.cases.event_queue import push
from simulator.engine.cases.resources import join_line, leave_line, left_of
from simulator.engine.cases.steps import CANCELLED, DONE, EXPIRED, REFUSED, UNDECIDED, case_luck, case_number
from simulator.engine.jit.compile import internal
from simulator.engine.primitives import drawn, waited
from simulator.engine.randomness import mix, table_index, uniform
from simulator.engine.tables.case_tables import NO_ROW, Count, Ground, Happens, Luck, World, WorldPlan
from simulator.engine.tables.tables import NORMAL, Array

ON_A_DESK = 2
"""Value of `waiting` while a case lies on a desk."""

_HEAP = int(Count.HEAP)
_CHOOSE, _CHOSEN = int(Happens.CHOOSE), int(Happens.CHOSEN)
_L_CHOSEN, _L_WITHDRAWS = int(Luck.CHOSEN), int(Luck.WITHDRAWS)
_L_PASSES, _L_UNANSWERED = int(Luck.PASSES), int(Luck.UNANSWERED)


@internal
def judgment(
    shared: WorldPlan,
    ground: Ground,
    items: Array,
    quantiles: npt.NDArray[np.float32],
    powers: npt.NDArray[np.float64],
    c: Array,
    step: int,
    chooser: int,
) -> float:
    """What a chooser thinks of a case, in units of the spread of matches: it passes if this is above their bar.

    They read the match of their own taste with the applicant's qualification, with a misreading of variance
    (1 - knowledge) / knowledge; whatever else moves them is logistic, of scale `temperature`, so that alone a case
    passes with probability sigma((read - bar) / temperature). It belongs to the case: looking again changes nothing.
    """
    h = shared.choosers[chooser]
    row = h.first_row + np.int64(items[c.item].creator)
    match = 0.0
    for d in range(h.offset, h.offset + h.width):
        match += np.float64(ground.chooser_taste[row, d]) * np.float64(ground.qualification[c.user, d])
    key = case_luck(c, step, _L_CHOSEN)
    knowledge = max(drawn(quantiles, h.knowledge, mix(key, np.uint64(1))), 0.01)
    misreading = np.float64(quantiles[NORMAL, table_index(mix(key, np.uint64(2)))])
    read = match * h.scale + misreading * math.sqrt((1.0 - knowledge) / knowledge)
    # -log(u / (1 - u)) for the uniform u of the key: the complement of u is that of its bits
    whim = waited(~key, powers) - waited(key, powers)
    return read + h.temperature * whim


@internal
def end_step(
    shared: WorldPlan,
    ground: Ground,
    world: World,
    items: Array,
    quantiles: npt.NDArray[np.float32],
    powers: npt.NDArray[np.float64],
    slot: int,
    step: int,
    time: float,
) -> int:
    """How a step ends: DONE if the case goes on, CANCELLED, REFUSED or EXPIRED; UNDECIDED while it waits on a desk."""
    c = world.cases[slot]
    s = shared.steps[shared.stages[c.stage].first_step + step]
    if s.withdraws > 0.0 and uniform(case_luck(c, step, _L_WITHDRAWS)) < s.withdraws:
        return CANCELLED
    passed = s.passes >= 1.0 or uniform(case_luck(c, step, _L_PASSES)) < s.passes
    if passed and s.chooser >= 0:
        judged = judgment(shared, ground, items, quantiles, powers, c, step, s.chooser)
        if shared.choosers[s.chooser].picks > 0:
            _lay_down(shared, world, slot, step, judged, time)
            return UNDECIDED
        passed = judged > shared.choosers[s.chooser].bar
    return DONE if passed else turned_down(shared, c, step)


@internal
def turned_down(shared: WorldPlan, c: Array, step: int) -> int:
    """Who does not pass is REFUSED, or never hears of it: EXPIRED."""
    s = shared.steps[shared.stages[c.stage].first_step + step]
    return EXPIRED if uniform(case_luck(c, step, _L_UNANSWERED)) < s.unanswered else REFUSED


@internal
def _lay_down(shared: WorldPlan, world: World, slot: int, step: int, judged: float, time: float) -> None:
    """A case waits on the desk of its item and step for the next decision, which is on the heap then."""
    c = world.cases[slot]
    number = np.int64(shared.stages[c.stage].first_step + step)
    unit = np.int64(shared.steps[number].desk) + np.int64(c.item)
    c.judged = judged
    world.units[unit].arrivals += 1
    join_line(world, unit, slot, time)
    c.waiting = ON_A_DESK
    if world.units[unit].ordered == 0:
        world.units[unit].ordered = 1
        every = shared.choosers[shared.steps[number].chooser].every
        _decide_at(world, (time // every + 1.0) * every, unit, number)


@internal
def _decide_at(world: World, time: float, unit: int, number: int) -> None:
    world.counts[_HEAP] = push(world.heap, world.counts[_HEAP], time, unit, _CHOOSE, number, unit, 0)


@internal
def decide(shared: WorldPlan, ground: Ground, world: World, items: Array, unit: int, number: int, time: float) -> None:
    """A chooser compares the cases on a desk, and each that is decided on hears of it at once (`Happens.CHOSEN`).

    The best `picks` above the bar pass, and no more than are left of the `room` that the chooser looks at. Of equals
    the one comes first that comes first in the order of cases.
    """
    s = shared.steps[number]
    h, u = shared.choosers[s.chooser], world.units[unit]
    slot = np.int64(u.first)
    while slot >= 0:
        behind = np.int64(world.cases[slot].behind)
        if not world.cases[slot].judged > h.bar:
            _tell(world, unit, slot, 0, time)
        slot = behind
    picks = np.int64(h.picks)
    if h.room >= 0 and u.first >= 0:
        c = world.cases[u.first]
        left = left_of(shared, ground, world.units, items, h.room, np.int64(c.user), np.int64(c.item), time)
        picks = min(picks, left)
    while picks > 0 and u.first >= 0:
        picks -= 1
        best = NO_ROW
        slot = np.int64(u.first)
        while slot >= 0:
            if best < 0 or _better(world.cases[slot], world.cases[best]):
                best = slot
            slot = np.int64(world.cases[slot].behind)
        _tell(world, unit, best, 1, time)
    u.ordered = 0
    if u.waiting > 0:
        u.ordered = 1
        _decide_at(world, time + h.every, unit, number)


@internal
def _better(a: Array, b: Array) -> bool:
    if a.judged != b.judged:
        return a.judged > b.judged
    return case_number(a) < case_number(b)


@internal
def _tell(world: World, unit: int, slot: int, passes: int, time: float) -> None:
    """A case leaves the desk with an answer."""
    c, u = world.cases[slot], world.units[unit]
    leave_line(world, unit, slot, time)
    u.served += 1
    u.waited += time - c.arrived
    world.counts[_HEAP] = push(
        world.heap, world.counts[_HEAP], time, case_number(c), _CHOSEN, passes, slot, np.int64(c.generation)
    )
