"""Inspect: seconds and effort are paid to see more of one item before it is engaged with or put back."""

from __future__ import annotations

import numpy as np

from simulator.engine.jit.compile import internal
from simulator.engine.primitives import decision_key, drawn, quantised, sigmoid
from simulator.engine.randomness import mix, uniform
from simulator.engine.tables.tables import Goods, Output, People, Plan, Tally, Visits, What
from simulator.engine.user.beliefs import utility_of
from simulator.engine.user.choice import taken
from simulator.engine.user.return_and_churn import leave_log_odds
from simulator.engine.user.satiation import faded
from simulator.engine.user.shown_numbers import EVERYTHING, Numbers, aside_worth
from simulator.engine.visit.inspect_card import read_closely
from simulator.engine.visit.records import NAN, record

ACCEPT, REJECT, LEAVE = 0, 1, 2

_HESITATE, _REJECT_EVENT = 11, 12  # codes of the events
_ABSENT = np.uint32(0xFFFFFFFF)
_W_SECONDS, _W_HESITATE, _W_ACCEPT, _W_LEAVE = int(What.SECONDS), int(What.HESITATE), int(What.ACCEPT), int(What.LEAVE)
_W_NOTE = int(What.NOTE)
_EVENT = int(Tally.EVENT)
_INSPECTING = np.uint64(1)
_LOOKING = 3  # value of `playing` while a look is open


@internal
def look_closer(
    i: int, stage: int, n: int, numbers: Numbers, plan: Plan, people: People, goods: Goods, visits: Visits, out: Output
) -> tuple[int, int]:
    """Look closer at the chosen item: more cues, the belief again from all of them, hesitation near the bar, a choice.

    Decisions here have a key of their own (`_INSPECTING`), so that they never share luck with the screen before.
    """
    screens, habits, observation = plan.screens, plan.habits[0], plan.observation
    quantiles, powers, mood = plan.quantiles, plan.powers, people.mood
    items, records, tallies = goods.facts, out.records, out.tallies
    s = plan.stages[stage]
    v = visits.state[i]
    u = people.state[np.int64(v.user)]
    user = np.int64(v.user)
    item = np.int64(v.item)
    slot = np.int64(v.slot)
    own_key = mix(v.decisions, _INSPECTING)
    seen = np.uint32(screens[s.number, v.device, 0]) & ~items[item].missing
    bar = s.bar
    if v.playing == 0:
        # the look begins: what it shows, and how long it takes
        mean = read_closely(i, stage, own_key, numbers, plan, people, goods, visits, out)
        if v.request == 0:  # the visit began here, and no card has said what the item is worth
            key, kind = mix(v.perceptions, np.uint64(item)), np.int64(items[item].type)
            v.utility = utility_of(
                key, user, item, kind, people.taste, goods.vectors, plan.facets, plan.weights, plan.types, habits,
                quantiles, out.scratch,
            ) + aside_worth(key, v.clock, user, item, EVERYTHING, numbers)  # fmt: skip
        v.played_at = v.clock
        v.clock += quantised(drawn(quantiles, s.seconds, decision_key(own_key, v.request, slot, _W_SECONDS)))
        tired = habits.satiation_weight * faded(u, user, v.clock, mood, habits.first_topic, habits, powers)
        v.lived = mean - tired * mood[user, habits.first_topic + items[item].topic]
        v.sought = 0.0
        if abs(np.float64(v.lived) - bar) < s.hesitation_band or v.belief_sd > s.hesitation_uncertainty:
            v.sought = quantised(
                drawn(quantiles, s.hesitation_seconds, decision_key(own_key, v.request, slot, _W_HESITATE))
            )
            v.clock += np.float64(v.sought)
        v.playing = _LOOKING
        return -1, n
    # the look is over: nothing of it is known to the world before
    v.playing = 0
    if v.sought > 0.0:
        tallies[_EVENT + _HESITATE] += 1
        if records.shape[0] > 0:
            n = record(
                records, n, v, v.clock, _HESITATE, item, _ABSENT, slot, s.number, s.surface, np.float64(v.sought),
                v.propensity, v.belief, v.belief_sd, v.utility, NAN, seen, v.attended, observation, quantiles,
            )  # fmt: skip
    drive = np.float64(v.lived)
    for a in range(s.n_notes):
        note = plan.notes[s.first_note + a]
        if uniform(decision_key(own_key, v.request, slot, _W_NOTE + a)) >= sigmoid(
            note.log_odds + note.slope * drive, powers
        ):
            continue
        tallies[_EVENT + note.event] += 1
        if records.shape[0] > 0:
            n = record(
                records, n, v, v.clock, np.int64(note.event), item, _ABSENT, slot, s.number, s.surface, NAN,
                v.propensity, v.belief, v.belief_sd, v.utility, NAN, seen, v.attended, observation, quantiles,
            )  # fmt: skip
    if taken(drive, bar, s.temperature, uniform(decision_key(own_key, v.request, slot, _W_ACCEPT)), powers):
        return ACCEPT, n
    tallies[_EVENT + _REJECT_EVENT] += 1
    if records.shape[0] > 0:
        n = record(
            records, n, v, v.clock, _REJECT_EVENT, item, _ABSENT, slot, s.number, s.surface, v.clock - v.played_at,
            v.propensity, v.belief, v.belief_sd, v.utility, NAN, seen, v.attended, observation, quantiles,
        )  # fmt: skip
    odds = leave_log_odds(0.0, v.streak, (v.clock - v.start) / v.budget, v.tolerance, habits)
    if uniform(decision_key(own_key, v.request, slot, _W_LEAVE)) < sigmoid(odds, powers):
        return LEAVE, n
    return REJECT, n
