"""The best of all candidates by the truth, or by what a user would believe: for the oracles."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from simulator.engine.jit.compile import kernel
from simulator.engine.primitives import drawn
from simulator.engine.randomness import KNOWLEDGE, PERCEPTION, mix, root
from simulator.engine.tables.tables import Goods, People, Plan
from simulator.engine.user.beliefs import belief_about, utility_of
from simulator.engine.user.item_memory import known_again, recalled
from simulator.engine.user.shown_numbers import EVERYTHING, aside_worth, numbers_of


@kernel
def best_candidates(
    seed: int,
    by_belief: bool,
    users: npt.NDArray[np.uint32],
    stages: npt.NDArray[np.uint8],
    visible: npt.NDArray[np.uint32],
    glance: npt.NDArray[np.float64],
    times: npt.NDArray[np.float64],
    candidates: npt.NDArray[np.int32],
    recent_start: npt.NDArray[np.int64],
    recent_items: npt.NDArray[np.int32],
    plan: Plan,
    people: People,
    goods: Goods,
    scratch: npt.NDArray[np.float64],
    shown: npt.NDArray[np.bool_],
    scores: npt.NDArray[np.float64],
    out: npt.NDArray[np.int32],
) -> None:
    """Fill `out` (k, size) with the best candidates of each request, best first, those lately shown left out."""
    pairs, modalities, facets, types, weights = plan.pairs, plan.modalities, plan.facets, plan.types, plan.weights
    quantiles, habits = plan.quantiles, plan.habits[0]
    taste, mood = people.taste, people.mood
    items, vectors, colour, readouts = goods.facts, goods.vectors, goods.colour, goods.readouts
    perceiving, knowing = root(seed, PERCEPTION), root(seed, KNOWLEDGE)
    size = out.shape[1]
    numbers = numbers_of(plan, people, goods)
    asides = plan.asides.shape[0] > 0
    for k in range(users.shape[0]):
        user = np.int64(users[k])
        person_key = people.state[user].key
        person = mix(perceiving, person_key)
        for r in range(recent_start[k], recent_start[k + 1]):
            shown[recent_items[r]] = True
        filled = 0
        for c in range(candidates.shape[0]):
            item = np.int64(candidates[c])
            if shown[item]:
                continue
            kind = np.int64(items[item].type)
            key = mix(person, np.uint64(item))
            if by_belief:
                knowledge = drawn(quantiles, types[kind].knowledge, mix(mix(knowing, person_key), np.uint64(kind)))
                seen = visible[stages[k]] & ~items[item].missing
                score, variance = belief_about(
                    key, user, item, kind, seen, glance[stages[k]], knowledge,
                    taste, vectors, colour, mood, readouts,
                    pairs, modalities, facets, weights, types, habits, quantiles, scratch,
                )  # fmt: skip
                if people.known.shape[1] > 0 and seen & types[kind].known_by != 0 and types[kind].known > 0.0:
                    subject = known_again(item, np.int64(items[item].creator), types[kind])
                    score, _ = recalled(
                        score, variance, people.known, user, subject, times[k], types[kind], plan.powers
                    )
                if asides:
                    score += aside_worth(key, times[k], user, item, visible[stages[k]], numbers)
            else:
                score = utility_of(
                    key, user, item, kind, taste, vectors, facets, weights, types, habits, quantiles, scratch
                )
                if asides:
                    score += aside_worth(key, times[k], user, item, EVERYTHING, numbers)
            if filled == size and score <= scores[size - 1]:
                continue
            place = filled if filled < size else size - 1
            filled = min(filled + 1, size)
            while place > 0 and scores[place - 1] < score:
                scores[place] = scores[place - 1]
                out[k, place] = out[k, place - 1]
                place -= 1
            scores[place] = score
            out[k, place] = item
        # where the candidates run out, what was lately shown has to do again
        for c in range(candidates.shape[0]):
            if filled == size:
                break
            if shown[candidates[c]]:
                out[k, filled] = candidates[c]
                filled += 1
        for r in range(recent_start[k], recent_start[k + 1]):
            shown[recent_items[r]] = False
