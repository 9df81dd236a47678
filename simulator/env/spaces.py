"""The spaces of observations and actions, and how a row of the buffers becomes an observation."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces

from recommenders.remembering import CONTEXT
from simulator.env.buffers import Seen
from simulator.env.scene import Scene

PLAIN = ("context", "history_item", "history_event", "history_value", "interest", "available")
CODES = ("surface", "device", "stage")
INFO = ("events", "values", "rewards", "time")
"""What `info` holds, always, as arrays.

    events: int32 (events,), records of each event that came in since the last step, by code (`env.unwrapped.events`).
    values: float32 (events,), their values added up (seconds, stars, money).
    rewards: float32 (rewards,), every reward of `simulator.env.rewards.REWARDS` in this step, weighted or not; the last
        is truth.
    time: float64, s of simulated time since the world's start.
    slate: int32 (places,), the slate that was shown, -1 in places that were not used.
"""


def observation_space(scene: Scene) -> spaces.Dict:
    """Of one environment."""
    names, history = scene.compiled.names, scene.settings.history
    n, width = scene.features.shape
    found: dict[str, spaces.Space[Any]] = {
        "context": spaces.Box(-1.0, 20.0, (CONTEXT,), np.float32),
        "surface": spaces.Discrete(len(names.surfaces)),
        "device": spaces.Discrete(len(names.devices)),
        "stage": spaces.Discrete(len(names.stages)),
        "history_item": spaces.Box(-1, n - 1, (history,), np.int32),
        "history_event": spaces.Box(-1, len(names.events) - 1, (history,), np.int32),
        "history_value": spaces.Box(0.0, 20.0, (history,), np.float32),
        "interest": spaces.Box(-10.0, 10.0, (2 * width,), np.float32),
        "available": spaces.MultiBinary(n),
    }
    if scene.settings.observe_candidates:
        found["candidates"] = spaces.Box(-10.0, 10.0, (n * width,), np.float32)
    return spaces.Dict(found)


def action_space(scene: Scene) -> spaces.MultiDiscrete:
    """A slate: an item per place."""
    return spaces.MultiDiscrete(np.full(scene.slate, scene.catalog.n_items, dtype=np.int64))


def observed(seen: Seen, scene: Scene, j: int) -> dict[str, Any]:
    """The observation of row j, as new arrays."""
    found: dict[str, Any] = {name: getattr(seen, name)[j].copy() for name in PLAIN}
    for name in CODES:
        found[name] = getattr(seen, name)[j]
    if scene.settings.observe_candidates:
        found["candidates"] = scene.features.ravel().copy()
    return found
