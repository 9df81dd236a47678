"""What `gymnasium.make_vec` calls."""

from __future__ import annotations

from typing import Any

import gymnasium

from simulator.env.shared import SharedVectorEnv
from simulator.env.vector import BeholderVectorEnv


def make_vector(num_envs: int = 1, **given: Any) -> gymnasium.vector.VectorEnv[Any, Any, Any]:
    """Users in worlds of their own, or with `shared=True` users of one world."""
    if given.get("shared"):
        return SharedVectorEnv(num_envs, **given)
    return BeholderVectorEnv(num_envs, **given)
