"""The native vector as Stable-Baselines3 has vectors: flat observations, query actions, final observations in `infos`.

Needs the extra `rl`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from stable_baselines3.common.vec_env import VecEnv

from simulator.env.errors import WHERE, EnvInputError
from simulator.env.render.screen import of_one_size
from simulator.env.rewards import REWARDS
from simulator.env.single import check_options
from simulator.env.vector import BeholderVectorEnv
from simulator.env.wrappers import FlatVectorObservation, QueryVectorAction

_FIXED: dict[str, Any] = {"autoreset_mode": "SameStep", "observe_candidates": False}
_PER_USER = ("render", "action_masks")


class Sb3Vector(VecEnv):
    """A vector environment for Stable-Baselines3.

    `infos` of a user's last step hold `terminal_observation`, `TimeLimit.truncated`, and what the episode came to in
    every reward of `simulator.env.rewards.REWARDS` by its name: `VecMonitor(env, info_keywords=("clicks",))` logs it.

    Args:
        num_envs: users.
        given: as for `gymnasium.make_vec`, `render_mode` too; `autoreset_mode` is SB3's own, `SameStep`.
    """

    def __init__(self, num_envs: int, **given: Any) -> None:
        for name, value in _FIXED.items():
            if given.pop(name, value) != value:
                raise EnvInputError(WHERE, f"{name} is not {value} for Stable-Baselines3", f"{name}={value!r}")
        self.inner = BeholderVectorEnv(num_envs, **_FIXED, **given)
        self._env: Any = FlatVectorObservation(QueryVectorAction(self.inner))
        self._actions: npt.NDArray[np.float32] | None = None
        self._earned = np.zeros((num_envs, len(REWARDS)))
        super().__init__(num_envs, self._env.single_observation_space, self._env.single_action_space)

    def reset(self) -> npt.NDArray[np.float32]:
        """Begin with new users. Raises InputError where `set_options` left an option: there is none."""
        for options in self._options:
            check_options(options)
        observations: npt.NDArray[np.float32] = self._env.reset(seed=self._seeds)[0]
        self._earned[:] = 0.0
        self._reset_seeds()
        self._reset_options()
        return observations

    def seed(self, seed: int | None = None) -> Sequence[int | None]:
        """Let the next `reset` begin from this seed; None: it goes on to the next users."""
        self._seeds = [None if seed is None else seed + j for j in range(self.num_envs)]
        return self._seeds

    def step_async(self, actions: Any) -> None:
        """Keep the actions."""
        self._actions = actions

    def step_wait(self) -> Any:
        """Take the step."""
        observations, rewards, terminated, truncated, info = self._env.step(self._actions)
        over = terminated | truncated
        infos: list[dict[str, Any]] = [{} for _ in range(self.num_envs)]
        self._earned += info["rewards"]
        if over.any():
            self._earned += info["final_info"]["rewards"]
            for j in np.flatnonzero(over):
                infos[j] = dict(zip(REWARDS, self._earned[j].tolist(), strict=True))
                infos[j]["terminal_observation"] = info["final_obs"][j]
                infos[j]["TimeLimit.truncated"] = bool(truncated[j] and not terminated[j])
            self._earned[over] = 0.0
        return observations, rewards.astype(np.float32), over, infos

    def get_images(self) -> Sequence[npt.NDArray[np.uint8]]:
        """Return the pictures of all users, of one size, which `render` puts side by side."""
        return of_one_size(self.inner.render())

    def close(self) -> None:
        """Stop the threads."""
        self.inner.close()

    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        """Return the one attribute, for every user that is meant."""
        owner = self if attr_name in ("observation_space", "action_space") else self.inner
        return [getattr(owner, attr_name) for _ in self._rows(indices)]

    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:
        """Refuse to set an attribute: all users share their environment."""
        raise NotImplementedError("users of a vector have no attributes of their own")

    def env_method(self, method_name: str, *args: Any, indices: Any = None, **kwargs: Any) -> list[Any]:
        """Call `render` or `action_masks` for every user that is meant. All else is refused, users share it."""
        if method_name not in _PER_USER:
            raise NotImplementedError(f"users of a vector have no methods of their own but {', '.join(_PER_USER)}")
        found = getattr(self.inner, method_name)(*args, **kwargs)
        return [found[j] for j in self._rows(indices)]

    def env_is_wrapped(self, wrapper_class: Any, indices: Any = None) -> list[bool]:
        """Return False for every user: there are no wrappers of single environments."""
        return [False for _ in self._rows(indices)]

    def _rows(self, indices: Any) -> list[int]:
        everybody = range(self.num_envs)
        return [everybody[j] for j in (everybody if indices is None else np.ravel(indices))]
