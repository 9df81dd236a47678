"""Respond: what the user does about an experience, what they learn from it, and whether they stay."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from simulator.kernel import inlined
from simulator.kernels.layout import (
    FOLLOWED,
    Array,
    Tally,
    What,
)
from simulator.kernels.lifetime import leave_log_odds
from simulator.kernels.primitives import decision_key, drawn, quantised, sigmoid
from simulator.kernels.records import record
from simulator.kernels.trust import learn_trust
from simulator.randomness import mix, uniform

CONTINUE, LEAVE = 0, 1

_FOLLOW = 8  # code of the event
_W_ACT, _W_ACT_GATE, _W_ACT_SECONDS = int(What.ACT), int(What.ACT_GATE), int(What.ACT_SECONDS)
_W_LEAVE = int(What.LEAVE)
_SILENT, _POSITIVE, _EVENT = int(Tally.SILENT), int(Tally.POSITIVE), int(Tally.EVENT)
_OFTEN = 2.0  # satisfaction above which an act's bound is not used


@inlined
def respond(
    v: Array,
    u: Array,
    s: Array,
    n: int,
    screens: npt.NDArray[np.int64],
    pairs: Array,
    modalities: Array,
    facets: Array,
    habits: Array,
    acts: Array,
    no_act: float,
    learnable: np.uint32,
    observation: Array,
    quantiles: npt.NDArray[np.float32],
    powers: npt.NDArray[np.float64],
    taste: npt.NDArray[np.float32],
    mood: npt.NDArray[np.float32],
    followed: npt.NDArray[np.uint32],
    items: Array,
    vectors: npt.NDArray[np.float32],
    colour: npt.NDArray[np.float32],
    records: Array,
    tallies: npt.NDArray[np.int64],
    counters: npt.NDArray[np.int64],
) -> tuple[int, int]:
    """What follows a play: acts or silence, goodwill, tolerance, trust; then the next one, or the end of the visit."""
    user = np.int64(v.user)
    item = np.int64(v.item)
    slot = np.int64(v.slot)
    request = v.request
    satisfaction = 0.0
    if v.unattended == 0 and v.judged == 1:
        lived = np.float64(v.lived)
        expected = np.float64(v.expected)
        satisfaction = np.float64(v.satisfaction)

        # ---- acts, or silence
        bonus = 0.0
        if u.followed_n > 0:
            for k in range(min(np.int64(u.followed_n), FOLLOWED)):
                if followed[user, k] == items[item].creator:
                    bonus = s.followed_bonus
        done = 0
        positive = 0
        spent = 0.0
        # Few plays lead to an act. One uniform finds the first act that its bound leaves open: the a-th with
        # probability bound_a times the product of 1 - bound over those before it; each act after that has its own.
        # So every act is still an independent coin, and most plays throw one.
        usual = abs(satisfaction) <= _OFTEN and bonus == 0.0
        gate = uniform(decision_key(v.decisions, request, slot, _W_ACT_GATE))
        first = 0
        if usual and gate >= 1.0 - no_act:
            first = acts.shape[0]
        before = 1.0
        for a in range(first, acts.shape[0]):
            luck = uniform(decision_key(v.decisions, request, slot, _W_ACT + a))
            if usual and before > 0.0:
                # 1 - before is the probability that an act before this one was left open
                after = before * (1.0 - acts[a].bound)
                if gate >= 1.0 - after:
                    before = after
                    continue
                luck *= acts[a].bound
                before = 0.0
            odds = acts[a].log_odds + acts[a].slope * satisfaction
            if acts[a].positive == 1:
                odds += bonus
            if luck >= sigmoid(odds, powers):
                continue
            event = acts[a].event
            if event == _FOLLOW:
                followed[user, u.followed_n % FOLLOWED] = items[item].creator
                u.followed_n += np.uint32(1)
            done += 1
            positive |= acts[a].positive
            seconds = quantised(
                drawn(quantiles, s.seconds, decision_key(v.decisions, request, slot, _W_ACT_SECONDS + a))
            )
            tallies[_EVENT + event] += 1
            if acts[a].counter >= 0:
                counters[item, acts[a].counter] += 1
            if records.shape[0] > 0:
                n = record(
                    records, n, v, v.clock, event, item, v.case, slot, s.number, s.surface, seconds, v.propensity,
                    v.belief, v.belief_sd, v.utility, satisfaction, np.uint32(screens[s.number, v.device, 0]),
                    v.attended, observation, quantiles,
                )  # fmt: skip
            spent += seconds
        # acts are dated at the decision; the seconds that they take pass afterwards
        v.clock += spent
        tallies[_SILENT] += done == 0
        tallies[_POSITIVE] += positive

        # ---- goodwill, tolerance, and a run of bad luck
        gap = lived - expected
        # without a branch: whether a play was better or worse than expected is nothing that a processor can predict
        gained = habits.goodwill_gain * max(gap, 0.0) + habits.goodwill_loss * min(gap, 0.0)
        u.goodwill += gained - habits.goodwill_tolerated * v.tolerated
        v.tolerance -= v.tolerated
        v.streak = (v.streak + np.uint32(1)) * np.uint32(satisfaction < 0.0)

        # ---- trust: what a modality promised against what was met, facet by facet
        learning = v.attended & learnable & (np.uint32(0) - np.uint32(v.known))
        if learning != 0:
            learn_trust(
                mix(v.perceptions, np.uint64(item)), learning, user, item, habits.trust_rate, pairs, modalities, facets,
                quantiles, taste, mood, vectors, colour,
            )  # fmt: skip

    odds = leave_log_odds(satisfaction, v.streak, (v.clock - v.start) / v.budget, v.tolerance, habits)
    if uniform(decision_key(v.decisions, request, slot, _W_LEAVE)) < sigmoid(odds, powers):
        return LEAVE, n
    return CONTINUE, n
