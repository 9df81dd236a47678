"""The best of all candidates by the truth, or by what a user would believe: for the oracles."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from simulator.engine.jit.compile import internal, kernel
from simulator.engine.jit.structs import group
from simulator.engine.randomness import KNOWLEDGE, PERCEPTION, mix, root
from simulator.engine.tables.tables import Items, Plan, Users, numbers_of
from simulator.engine.user.beliefs import belief_about, utility_of
from simulator.engine.user.item_memory import recalled
from simulator.engine.user.shown_numbers import EVERYTHING, attribute_utility


@group
class JudgedRequests(NamedTuple):
    """Hold n requests that choose from one list of candidates, and what is seen where an item is first judged."""

    users: npt.NDArray[np.uint32]
    times: npt.NDArray[np.float64]
    visible: npt.NDArray[np.uint32]  # modalities that can be seen
    glance: npt.NDArray[np.float64]  # share of the attention that they get
    candidates: npt.NDArray[np.int32]
    recent_start: npt.NDArray[np.int64]  # (n + 1,): recent_items[recent_start[k] : recent_start[k + 1]] were shown to k
    recent_items: npt.NDArray[np.int32]


@group
class BestSlates(NamedTuple):
    """Hold the slates to be filled, and room to work in."""

    items: npt.NDArray[np.int32]  # (n, size)
    scores: npt.NDArray[np.float64]  # (size,)
    shown: npt.NDArray[np.bool_]  # (items,), all False


@kernel
def best_candidates(
    seed: int,
    by_belief: bool,
    requests: JudgedRequests,
    plan: Plan,
    all_users: Users,
    all_items: Items,
    slates: BestSlates,
) -> None:
    """Fill `slates` with the best candidates of each request, best first, those lately shown left out."""
    users, times, visible, glance = requests.users, requests.times, requests.visible, requests.glance
    candidates, recent_start, recent_items = requests.candidates, requests.recent_start, requests.recent_items
    out, scores, shown = slates.items, slates.scores, slates.shown
    items = all_items.state
    perceiving, knowing = root(seed, PERCEPTION), root(seed, KNOWLEDGE)
    numbers = numbers_of(plan, all_users, all_items)
    attribute_effects = plan.attribute_effects.shape[0] > 0
    for k in range(users.shape[0]):
        user = np.int64(users[k])
        person_key = all_users.state[user].key
        person = mix(perceiving, person_key)
        for r in range(recent_start[k], recent_start[k + 1]):
            shown[recent_items[r]] = True
        filled = 0
        for c in range(candidates.shape[0]):
            item = np.int64(candidates[c])
            if shown[item]:
                continue
            key = mix(person, np.uint64(item))
            if by_belief:
                seen = visible[k] & ~items[item].missing
                score, variance = belief_about(key, mix(knowing, person_key), user, item, seen, glance[k], numbers)
                score, _ = recalled(score, variance, user, item, seen, times[k], numbers)
                if attribute_effects:
                    score += attribute_utility(key, times[k], user, item, visible[k], numbers)
            else:
                score = utility_of(key, user, item, numbers)
                if attribute_effects:
                    score += attribute_utility(key, times[k], user, item, EVERYTHING, numbers)
            filled = _insert(score, item, k, filled, scores, out)
        _fill_up(candidates, shown, k, filled, out)
        for r in range(recent_start[k], recent_start[k + 1]):
            shown[recent_items[r]] = False


@internal
def _insert(
    score: float, item: int, k: int, filled: int, scores: npt.NDArray[np.float64], out: npt.NDArray[np.int32]
) -> int:
    """Put an item where its score belongs among the best so far of request k; return how many there are then."""
    size = out.shape[1]
    if filled == size and score <= scores[size - 1]:
        return filled
    place = filled if filled < size else size - 1
    while place > 0 and scores[place - 1] < score:
        scores[place] = scores[place - 1]
        out[k, place] = out[k, place - 1]
        place -= 1
    scores[place] = score
    out[k, place] = item
    return min(filled + 1, size)


@internal
def _fill_up(
    candidates: npt.NDArray[np.int32], shown: npt.NDArray[np.bool_], k: int, filled: int, out: npt.NDArray[np.int32]
) -> None:
    """Fill the places of request k that are left with what was lately shown: it has to do again."""
    for c in range(candidates.shape[0]):
        if filled == out.shape[1]:
            break
        if shown[candidates[c]]:
            out[k, filled] = candidates[c]
            filled += 1
