"""Kernel that judges pairs of users and items as they would be judged on the way to a stage."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from simulator.engine.jit.compile import kernel
from simulator.engine.jit.structs import group
from simulator.engine.randomness import KNOWLEDGE, PERCEPTION, REFERENCE, mix, root
from simulator.engine.tables.tables import Items, Plan, Users, numbers_of
from simulator.engine.user.beliefs import attended_to, belief_about
from simulator.engine.user.shown_numbers import attribute_utility


@group
class Pairs(NamedTuple):
    """Hold n pairs of a user and an item to be judged, and the way there."""

    users: npt.NDArray[np.int64]
    items: npt.NDArray[np.int64]
    visible: npt.NDArray[np.uint32]  # modalities that each stage of the way shows, bits
    attention: npt.NDArray[np.float64]  # seconds at each
    unknown: npt.NDArray[np.uint32]  # (1,): modalities that say what nobody knows yet (promises), bits


@kernel
def attractions(
    seed: int, pairs: Pairs, on_card: bool, risk_aversion: float, plan: Plan, users: Users, items: Items,
    out: npt.NDArray[np.float64],
) -> None:  # fmt: skip
    """Set how attractive each item is to its user, (n,), after what they attend to on the way.

    It is the belief less what its spread costs; on a card what draws the eye is added, as `browse.judged` has it.
    Nothing was had before, and nobody is satiated.
    """
    numbers = numbers_of(plan, users, items)
    perceiving, knowing, deciding = root(seed, PERCEPTION), root(seed, KNOWLEDGE), root(seed, REFERENCE)
    for k in range(pairs.users.shape[0]):
        user, item = pairs.users[k], pairs.items[k]
        whose = users.state[user].key
        key = mix(mix(perceiving, whose), np.uint64(item))
        attended = np.uint32(0)
        for s in range(pairs.visible.shape[0]):
            seen = pairs.visible[s] & ~items.state[item].missing
            attended |= attended_to(
                seen, attended, pairs.attention[s], mix(deciding, np.uint64(k)), s, 0, plan.modalities
            )
        mean, variance = belief_about(key, mix(knowing, whose), user, item, attended, 1.0, numbers)
        mean += attribute_utility(key, 0.0, user, item, attended & ~pairs.unknown[0], numbers)
        out[k] = mean - risk_aversion * np.sqrt(variance)
        if on_card:
            for m in range(plan.modalities.shape[0]):
                if (attended >> np.uint32(m)) & np.uint32(1):
                    out[k] += items.bias_appeal[item, plan.modalities.shape[0] + m]
