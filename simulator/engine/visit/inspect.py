"""Inspect: seconds and effort are paid to see more of one item before it is engaged with or put back."""

from __future__ import annotations

import numpy as np

from simulator.engine.jit.compile import inlined, internal
from simulator.engine.primitives import decision_key, drawn, quantised, sigmoid
from simulator.engine.randomness import mix, uniform
from simulator.engine.tables.codes import SharedEvent
from simulator.engine.tables.tables import Array, Draw, Tables, Tally
from simulator.engine.user.beliefs import utility_of
from simulator.engine.user.choice import taken
from simulator.engine.user.return_and_churn import leave_log_odds
from simulator.engine.user.satiation import faded
from simulator.engine.user.shown_numbers import EVERYTHING, attribute_utility
from simulator.engine.visit.inspect_card import read_closely
from simulator.engine.visit.intents import demanded
from simulator.engine.visit.records import is_recorded, record

ACCEPT, REJECT, LEAVE = 0, 1, 2

_INSPECTING = np.uint64(1)
_LOOKING = 3  # value of `playing` while a look is open


@internal
def look_closer(i: int, n: int, tables: Tables) -> tuple[int, int]:
    """Look closer at the chosen item: more cues, a belief from all of them, hesitation near the threshold, a choice.

    Decisions here have a key of their own (`_INSPECTING`), so that they never share luck with the screen before.
    """
    plan, out, numbers = tables.plan, tables.out, tables.numbers
    exp_log_tables, tallies = plan.exp_log_tables, out.tallies
    v = tables.visits.state[i]
    s, item, slot = plan.stages[v.stage], np.int64(v.item), np.int64(v.slot)
    own_key = mix(v.decisions, _INSPECTING)
    if v.playing == 0:
        # the look begins: what it shows, and how long it takes
        mean = read_closely(i, own_key, tables)
        if v.request == 0:  # the visit began here, and no card has said what the item is worth
            key, user = mix(v.perceptions, np.uint64(item)), np.int64(v.user)
            v.utility = utility_of(key, user, item, numbers) + attribute_utility(
                key, v.clock, user, item, EVERYTHING, numbers
            )
        _begin_look(v, mean, own_key, tables)
        return -1, n
    # the look is over: nothing of it is known to the world before
    v.playing = 0
    seen = np.uint32(plan.screens[s.number, v.device, 0]) & ~tables.items.state[item].missing
    if v.sought > 0.0:
        tallies[Tally.EVENT + SharedEvent.HESITATE] += 1
        if is_recorded(SharedEvent.HESITATE, out):
            n = record(n, v, SharedEvent.HESITATE, np.float64(v.sought), seen, tables)
    drive = np.float64(v.lived)
    for a in range(s.n_notes):
        note = plan.notes[s.first_note + a]
        draw = uniform(decision_key(own_key, v.request, slot, Draw.NOTE + a))
        if draw >= sigmoid(note.log_odds + note.slope * drive, exp_log_tables):
            continue
        tallies[Tally.EVENT + note.event] += 1
        if is_recorded(np.int64(note.event), out):
            n = record(n, v, np.int64(note.event), np.nan, seen, tables)
    if taken(
        drive,
        demanded(v, s.number, plan),
        s.temperature,
        uniform(decision_key(own_key, v.request, slot, Draw.ACCEPT)),
        exp_log_tables,
    ):
        return ACCEPT, n
    tallies[Tally.EVENT + SharedEvent.REJECT] += 1
    if is_recorded(SharedEvent.REJECT, out):
        n = record(n, v, SharedEvent.REJECT, v.clock - v.played_at, seen, tables)
    odds = leave_log_odds(0.0, v.streak, (v.clock - v.start) / v.budget, v.tolerance, plan.user_params[0])
    if uniform(decision_key(own_key, v.request, slot, Draw.LEAVE)) < sigmoid(odds, exp_log_tables):
        return LEAVE, n
    return REJECT, n


@inlined
def _begin_look(v: Array, mean: float, own_key: np.uint64, tables: Tables) -> None:
    """Begin the look at an item of which `mean` is thought: its seconds, and those of hesitation near the threshold."""
    plan, satiation_trust, items = tables.plan, tables.users.satiation_trust, tables.items.state
    s, user_params, quantiles, user, slot = (
        plan.stages[v.stage], plan.user_params[0], plan.quantiles, np.int64(v.user), np.int64(v.slot),
    )  # fmt: skip
    u = tables.users.state[user]
    v.played_at = v.clock
    v.clock += quantised(drawn(quantiles, s.seconds, decision_key(own_key, v.request, slot, Draw.SECONDS)))
    tired = user_params.satiation_weight * faded(
        u, user, v.clock, satiation_trust, user_params.first_topic, user_params, plan.exp_log_tables
    )
    v.lived = mean - tired * satiation_trust[user, user_params.first_topic + items[np.int64(v.item)].topic]
    v.sought = 0.0
    if (
        abs(np.float64(v.lived) - demanded(v, s.number, plan)) < s.hesitation_band
        or v.belief_sd > s.hesitation_uncertainty
    ):
        key = decision_key(own_key, v.request, slot, Draw.HESITATE)
        v.sought = quantised(drawn(quantiles, s.hesitation_seconds, key))
        v.clock += np.float64(v.sought)
    v.playing = _LOOKING
