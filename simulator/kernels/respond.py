"""Respond: what the user does about an experience, what they learn from it, and whether they stay."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from simulator.kernel import inlined
from simulator.kernels.beliefs import matched
from simulator.kernels.layout import (
    FOLLOWED,
    NORMAL,
    Array,
    Tally,
    What,
)
from simulator.kernels.lifetime import leave_log_odds
from simulator.kernels.lanes import dot
from simulator.kernels.primitives import decision_key, drawn, quantised, sigmoid
from simulator.kernels.records import record
from simulator.randomness import mix, table_index, uniform

CONTINUE, LEAVE = 0, 1

_FOLLOW = 8  # code of the event
_W_ACT, _W_ACT_SECONDS, _W_LEAVE = int(What.ACT), int(What.ACT_SECONDS), int(What.LEAVE)
_SILENT, _POSITIVE, _EVENT = int(Tally.SILENT), int(Tally.POSITIVE), int(Tally.EVENT)
_RESPONDING = np.uint64(3)
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
    own_key = mix(v.decisions, _RESPONDING)
    satisfaction = 0.0
    if v.unattended == 0 and v.judged == 1:
        lived = np.float64(v.lived)
        expected = np.float64(v.expected)
        satisfaction = np.float64(v.satisfaction)

        # ---- acts, or silence
        bonus = 0.0
        for k in range(min(np.int64(u.followed_n), FOLLOWED)):
            if followed[user, k] == items[item].creator:
                bonus = s.followed_bonus
        done = 0
        positive = 0
        for a in range(acts.shape[0]):
            luck = uniform(decision_key(own_key, v.request, slot, _W_ACT + a))
            if luck >= acts[a].bound and abs(satisfaction) <= _OFTEN and bonus == 0.0:
                continue
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
                drawn(quantiles, s.seconds, decision_key(own_key, v.request, slot, _W_ACT_SECONDS + a))
            )
            tallies[_EVENT + event] += 1
            if acts[a].counter >= 0:
                counters[item, acts[a].counter] += 1
            if records.shape[0] > 0:
                n = record(
                    records, n, v, v.clock, event, item, v.case, slot, s.number, s.surface, seconds, v.propensity,
                    v.belief, v.belief_sd, v.utility, satisfaction, np.uint32(screens[s.number, v.device, 0]), v.attended, observation,
                    quantiles,
                )  # fmt: skip
            v.clock += seconds
        tallies[_SILENT] += done == 0
        tallies[_POSITIVE] += positive

        # ---- goodwill, tolerance, and a run of bad luck
        gap = lived - expected
        u.goodwill += habits.goodwill_gain * gap if gap > 0.0 else habits.goodwill_loss * gap
        u.goodwill -= habits.goodwill_tolerated * v.tolerated
        v.tolerance -= v.tolerated
        v.streak = v.streak + np.uint16(1) if satisfaction < 0.0 else np.uint16(0)

        # ---- trust: what a modality promised against what was met, facet by facet
        if v.known == 1:
            key = mix(v.perceptions, np.uint64(item))
            for m in range(modalities.shape[0]):
                if (v.attended >> np.uint32(m)) & np.uint32(1) == 0 or modalities[m].learns_trust == 0:
                    continue
                misreading = np.float64(quantiles[NORMAL, table_index(mix(key, np.uint64(m)))])
                error = 0.0
                count = 0
                for p in range(modalities[m].first_pair, modalities[m].end_pair):
                    if pairs[p].column < 0:
                        continue
                    f = pairs[p].facet
                    offset = facets[f].offset
                    told = dot(taste, user, offset, vectors, item, pairs[p].column, facets[f].width)
                    met = dot(taste, user, offset, vectors, item, offset, facets[f].width)
                    error += matched(told, facets[f].saturation, facets[f].scale)
                    error -= matched(met, facets[f].saturation, facets[f].scale)
                    error += misreading / pairs[p].root_precision
                    count += 1
                if count > 0:
                    promised = np.float64(colour[item, m]) + error / count
                    mood[user, m] += np.float32(habits.trust_rate * (promised - np.float64(mood[user, m])))

    odds = leave_log_odds(satisfaction, v.streak, (v.clock - v.start) / v.budget, v.tolerance, habits)
    if uniform(decision_key(own_key, v.request, slot, _W_LEAVE)) < sigmoid(odds, powers):
        return LEAVE, n
    return CONTINUE, n
