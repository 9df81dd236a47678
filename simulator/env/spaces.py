"""The spaces of observations and actions, and how a row of the buffers becomes an observation."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces

from recommenders.agents.user_features import CONTEXT
from simulator.env.buffers import Memory, Observation
from simulator.env.context import EnvContext

PLAIN = ("context", "history_item", "history_event", "history_value", "interest", "available")
CODES = ("surface", "device_type", "stage")  # not `device`: a Composite of TorchRL has one of its own
INFO = ("events", "values", "rewards", "time")
"""What `info` holds, always, as arrays.

    events: int32 (events,), records of each event that came in since the last step, by code (`env.unwrapped.events`).
    values: float32 (events,), their values added up (seconds, stars, money).
    rewards: float32 (rewards,), every reward of `simulator.env.rewards.REWARDS` in this step, weighted or not; the last
        is truth.
    time: float64, s of simulated time since the world's start.
    slate: int32 (places,), the slate that was shown, -1 in places that were not used.
"""


def observation_space(context: EnvContext) -> spaces.Dict:
    """Return the observation space of one environment."""
    names, history = context.compiled.names, context.settings.history
    n, width = context.features.shape
    found: dict[str, spaces.Space[Any]] = {
        "context": spaces.Box(-1.0, 20.0, (CONTEXT,), np.float32),
        "surface": spaces.Discrete(len(names.surfaces)),
        "device_type": spaces.Discrete(len(names.devices)),
        "stage": spaces.Discrete(len(names.stages)),
        "history_item": spaces.Box(-1, n - 1, (history,), np.int32),
        "history_event": spaces.Box(-1, len(names.events) - 1, (history,), np.int32),
        "history_value": spaces.Box(0.0, 20.0, (history,), np.float32),
        "interest": spaces.Box(-10.0, 10.0, (2 * width,), np.float32),
        "available": spaces.MultiBinary(n),
    }
    if context.settings.observe_candidates:
        found["candidates"] = spaces.Box(-10.0, 10.0, (n * width,), np.float32)
    return spaces.Dict(found)


def action_space(context: EnvContext) -> spaces.MultiDiscrete:
    """Return the action space: an item per place of a slate."""
    return spaces.MultiDiscrete(np.full(context.slate, context.catalog.n_items, dtype=np.int64))


class Row:
    """The buffers of user j, looked up once: what is observed of one user, as new arrays."""

    def __init__(self, observation: Observation, memory: Memory, context: EnvContext, j: int) -> None:
        self._j, self._codes = j, [(name, getattr(observation, name)) for name in CODES]
        self._plain = [(name, getattr(observation, name)[j]) for name in PLAIN]
        self._events, self._values, self._rewards = observation.counts[j], observation.values[j], observation.earned[j]
        self._time, self._slate = observation.time, memory.shown[j]
        self._candidates = context.features.ravel() if context.settings.observe_candidates else None

    def observed(self) -> dict[str, Any]:
        """Return the observation."""
        found: dict[str, Any] = {name: part.copy() for name, part in self._plain}
        for name, part in self._codes:
            found[name] = part[self._j]
        if self._candidates is not None:
            found["candidates"] = self._candidates.copy()  # constant, and yet the user's own: Gymnasium asks for it
        return found

    def info(self) -> dict[str, Any]:
        """Return what `info` holds, see `INFO`."""
        return {
            "events": self._events.copy(), "values": self._values.copy(), "rewards": self._rewards.copy(),
            "time": self._time[self._j], "slate": self._slate.copy(),
        }  # fmt: skip
