"""The native vector as Stable-Baselines3 has vectors: flat observations, query actions, final observations in `infos`.

Needs the extra `rl`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from stable_baselines3.common.vec_env import VecEnv

from simulator.env.vector import BeholderVectorEnv
from simulator.env.wrappers import QueryVectorAction, flat, flat_space


class Sb3Vector(VecEnv):
    """A vector environment for Stable-Baselines3.

    Args:
        num_envs: users.
        given: as for `gymnasium.make_vec`; `autoreset_mode` is SB3's own, `SameStep`.
    """

    def __init__(self, num_envs: int, **given: Any) -> None:
        env = BeholderVectorEnv(num_envs, autoreset_mode="SameStep", observe_candidates=False, **given)
        self.inner = env
        self._env: Any = QueryVectorAction(env)
        self._space: Any = env.single_observation_space
        self._actions: npt.NDArray[np.float32] | None = None
        self._next_seed: int | None = None
        inner: Any = env.single_observation_space
        super().__init__(num_envs, flat_space(inner), self._env.single_action_space)

    def reset(self) -> npt.NDArray[np.float32]:
        """New users."""
        observations, _ = self.inner.reset(seed=self._next_seed)
        self._next_seed = None
        return flat(observations, self._space)

    def seed(self, seed: int | None = None) -> Sequence[int | None]:
        """The next `reset` begins from this seed."""
        self._next_seed = seed
        return [None if seed is None else seed + j for j in range(self.num_envs)]

    def step_async(self, actions: Any) -> None:
        """Keep the actions."""
        self._actions = actions

    def step_wait(self) -> Any:
        """Take the step."""
        observations, rewards, terminated, truncated, info = self._env.step(self._actions)
        over = terminated | truncated
        infos: list[dict[str, Any]] = [{} for _ in range(self.num_envs)]
        for j in np.flatnonzero(over):
            infos[j]["terminal_observation"] = flat(info["final_obs"][j], self._space)
            infos[j]["TimeLimit.truncated"] = bool(truncated[j] and not terminated[j])
        return flat(observations, self._space), rewards.astype(np.float32), over, infos

    def close(self) -> None:
        """Nothing to give back."""
        self.inner.close()

    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        """The one attribute, for every user."""
        return [getattr(self.inner, attr_name)] * self.num_envs

    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:
        """All users share their environment: refused."""
        raise NotImplementedError("users of a vector have no attributes of their own")

    def env_method(self, method_name: str, *args: Any, indices: Any = None, **kwargs: Any) -> list[Any]:
        """All users share their environment: refused."""
        raise NotImplementedError("users of a vector have no methods of their own")

    def env_is_wrapped(self, wrapper_class: Any, indices: Any = None) -> list[bool]:
        """No wrappers of single environments."""
        return [False] * self.num_envs
