"""The yardstick: the least that any simulator of recommendations has to do per impression.

One 32-dimensional dot product of user and item, one keyed draw, a sequential examine/click decision, one record of 24
bytes, written as any user of Numba would write them: the dot product is a plain loop, not the engine's explicit lanes.
Same users, items and slates as the engine that it is compared with.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from simulator.engine.jit.compile import kernel
from simulator.engine.randomness import mix, uniform

DIMENSIONS = 32
RECORD = np.dtype([("user", "u4"), ("item", "u4"), ("position", "u4"), ("clicked", "u4"), ("time", "f8")])


@kernel
def bare_loop(
    taste: npt.NDArray[np.float32],
    truth: npt.NDArray[np.float32],
    slates: npt.NDArray[np.int32],
    records: npt.NDArray[np.void],
) -> int:
    """Impressions of the slates (users, requests, size) in order; returns the number of clicks. `records` is a ring.

    Each position is examined with a probability that depends on what happened at those before it, so the decisions
    of a slate can only be taken one after the other.
    """
    clicks = 0
    n = 0
    place = 0
    capacity = records.shape[0]
    for user in range(slates.shape[0]):
        for request in range(slates.shape[1]):
            key = mix(mix(np.uint64(7), np.uint64(user)), np.uint64(request))
            examined = 1.0
            for position in range(slates.shape[2]):
                item = slates[user, request, position]
                score = np.float32(0.0)
                for d in range(DIMENSIONS):
                    score += taste[user, d] * truth[item, d]
                draw = uniform(mix(key, np.uint64(position)))
                clicked = draw < examined * (0.5 + 0.1 * score)
                examined = examined * 0.95 if not clicked else examined * 0.6
                row = records[place]
                row.user = user
                row.item = item
                row.position = position
                row.clicked = clicked
                row.time = 0.25 * n
                clicks += clicked
                n += 1
                place += 1
                if place == capacity:
                    place = 0
    return clicks
