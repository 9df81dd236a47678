"""The other side of a match: what a chooser makes of those who came, each alone or the ones beside the others.

A chooser who compares has a review batch for every item and step: cases whose step is over wait in it until the next
decision. Then cases below the threshold are turned down, the best of the others go on, and the rest are compared again.
"""

from __future__ import annotations

import math

import numpy as np

from simulator.engine.cases.event_queue import push
from simulator.engine.cases.records import happened
from simulator.engine.cases.resources import join_line, leave_line, left_of
from simulator.engine.cases.steps import CANCELLED, DONE, EXPIRED, REFUSED, UNDECIDED, case_luck, case_number
from simulator.engine.jit.compile import internal
from simulator.engine.primitives import drawn, waited
from simulator.engine.randomness import mix, table_index, uniform
from simulator.engine.tables.case_tables import NO_ROW, CaseDraw, CaseState, CaseTables, Happens, WorldPlan
from simulator.engine.tables.tables import NORMAL, Array

IN_A_REVIEW_BATCH = 2
"""Value of `waiting` while a case waits in a review batch."""


@internal
def matched(tables: CaseTables, c: Array, chooser: int) -> float:
    """Return how well a chooser's taste matches the applicant's qualification, in units of the spread of matches."""
    taste, qualification = tables.geography.chooser_taste, tables.geography.qualification
    h = tables.shared.choosers[chooser]
    row = h.first_row + np.int64(tables.items.state[c.item].creator)
    match = 0.0
    for d in range(h.offset, h.offset + h.width):
        match += np.float64(taste[row, d]) * np.float64(qualification[c.user, d])
    return match * h.scale


@internal
def judgment(tables: CaseTables, c: Array, step: int, chooser: int, match: float) -> float:
    """Return what a chooser thinks of a case, in units of the spread of matches: above the threshold it passes.

    They read the `match` of their own taste with the applicant's qualification, with a misreading of variance
    (1 - knowledge) / knowledge; whatever else moves them is logistic, of scale `temperature`, so that alone a case
    passes with probability sigma((read - threshold) / temperature). It belongs to the case: looking
    again changes nothing.
    """
    quantiles, exp_log_tables = tables.plan.quantiles, tables.plan.exp_log_tables
    h = tables.shared.choosers[chooser]
    key = case_luck(c, step, CaseDraw.CHOSEN)
    knowledge = max(drawn(quantiles, h.knowledge, mix(key, np.uint64(1))), 0.01)
    misreading = np.float64(quantiles[NORMAL, table_index(mix(key, np.uint64(2)))])
    read = match + misreading * math.sqrt((1.0 - knowledge) / knowledge)
    # -log(u / (1 - u)) for the uniform u of the key: the complement of u is that of its bits
    whim = waited(~key, exp_log_tables) - waited(key, exp_log_tables)
    return read + h.temperature * whim


@internal
def end_step(tables: CaseTables, slot: int, step: int, time: float) -> int:
    """End a step: DONE if the case goes on, CANCELLED, REFUSED or EXPIRED; UNDECIDED in a review batch."""
    shared, c = tables.shared, tables.state.cases[slot]
    s = shared.steps[shared.stages[c.stage].first_step + step]
    if s.withdraws > 0.0 and uniform(case_luck(c, step, CaseDraw.WITHDRAWS)) < s.withdraws:
        return CANCELLED
    passed = s.passes >= 1.0 or uniform(case_luck(c, step, CaseDraw.PASSES)) < s.passes
    if passed and s.chooser >= 0:
        match = matched(tables, c, s.chooser)
        judged = judgment(tables, c, step, s.chooser, match)
        if shared.choosers[s.chooser].match_event >= 0:
            happened(tables, slot, time, np.int64(shared.choosers[s.chooser].match_event), match)
        if shared.choosers[s.chooser].judgment_event >= 0:
            happened(tables, slot, time, np.int64(shared.choosers[s.chooser].judgment_event), judged)
        if shared.choosers[s.chooser].shortlist > 0:
            _lay_down(tables, slot, step, judged, time)
            return UNDECIDED
        passed = judged > shared.choosers[s.chooser].threshold
    return DONE if passed else turned_down(shared, c, step)


@internal
def turned_down(shared: WorldPlan, c: Array, step: int) -> int:
    """Answer a case that does not pass: it is REFUSED, or never hears of it: EXPIRED."""
    s = shared.steps[shared.stages[c.stage].first_step + step]
    return EXPIRED if uniform(case_luck(c, step, CaseDraw.UNANSWERED)) < s.unanswered else REFUSED


@internal
def _lay_down(tables: CaseTables, slot: int, step: int, judged: float, time: float) -> None:
    """Put a case into the review batch of its item and step; the next decision is on the heap from then on."""
    shared, state = tables.shared, tables.state
    c = state.cases[slot]
    number = np.int64(shared.stages[c.stage].first_step + step)
    unit = np.int64(shared.steps[number].review_batch) + np.int64(c.item)
    c.judged = judged
    u = state.units[unit]
    u.arrivals += 1
    join_line(state, unit, slot, time)
    c.waiting = IN_A_REVIEW_BATCH
    if u.ordered == 0:
        u.ordered = 1
        every = shared.choosers[shared.steps[number].chooser].every
        _decide_at(state, (time // every + 1.0) * every, unit, number)


@internal
def _decide_at(state: CaseState, time: float, unit: int, number: int) -> None:
    push(state, time, unit, Happens.CHOOSE, number, unit, 0)


@internal
def decide(tables: CaseTables, unit: int, number: int, time: float) -> None:
    """Compare the cases in a review batch; each that is decided on hears of it at once (`Happens.CHOSEN`).

    The best above the threshold pass: as many as the `shortlist` has places, and no more than are left of what
    `capacity_of` names. Of equals the one comes first that comes first in the order of cases.
    """
    shared, state = tables.shared, tables.state
    s, cases = shared.steps[number], state.cases
    h, u = shared.choosers[s.chooser], state.units[unit]
    slot = np.int64(u.first)
    while slot >= 0:
        behind = np.int64(cases[slot].behind)
        if not cases[slot].judged > h.threshold:
            _tell(state, unit, slot, 0, time)
        slot = behind
    places = np.int64(h.shortlist)
    if h.capacity_of >= 0 and u.first >= 0:
        c = cases[u.first]
        places = min(places, left_of(tables, h.capacity_of, np.int64(c.user), np.int64(c.item), time))
    while places > 0 and u.first >= 0:
        places -= 1
        best = NO_ROW
        slot = np.int64(u.first)
        while slot >= 0:
            if best < 0 or _better(cases[slot], cases[best]):
                best = slot
            slot = np.int64(cases[slot].behind)
        _tell(state, unit, best, 1, time)
    u.ordered = 0
    if u.waiting > 0:
        u.ordered = 1
        _decide_at(state, time + h.every, unit, number)


@internal
def _better(a: Array, b: Array) -> bool:
    if a.judged != b.judged:
        return a.judged > b.judged
    return case_number(a) < case_number(b)


@internal
def _tell(state: CaseState, unit: int, slot: int, passes: int, time: float) -> None:
    """Take a case out of the review batch, with an answer."""
    c, u = state.cases[slot], state.units[unit]
    leave_line(state, unit, slot, time)
    u.served += 1
    u.waited += time - c.arrived
    push(state, time, case_number(c), Happens.CHOSEN, passes, slot, np.int64(c.generation))
