"""Many users at a time: the native vector environment, all of whose users take one call of the engine."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
import numpy.typing as npt
from gymnasium.vector.utils import batch_space

from recommenders.contract.settings import whole_number
from simulator.env.batch.encode import TERMINATED, TRUNCATED
from simulator.env.batch.user_batch import UserBatch
from simulator.env.context import EnvContext
from simulator.env.errors import EnvInputError
from simulator.env.settings import EnvSettings, checked_argument
from simulator.env.single import as_actions, as_seed, check_options, check_render_mode, drawn
from simulator.env.spaces import CODES, INFO, PLAIN, Row, action_space, observation_space

Rows = npt.NDArray[np.int64]
Step = tuple[dict[str, Any], npt.NDArray[np.float64], npt.NDArray[np.bool_], npt.NDArray[np.bool_], dict[str, Any]]
AUTORESET = {"NextStep": "NEXT_STEP", "SameStep": "SAME_STEP", "Disabled": "DISABLED"}


def mode_of(given: Any) -> tuple[str, Any]:
    """Return a mode's name, and what `metadata` says of it: Gymnasium's own word where it has one (from 1.1 on).

    Raises:
        InputError: there is no such mode.
    """
    value = str(getattr(given, "value", given))
    name = AUTORESET.get(value, value.upper())
    if name not in AUTORESET.values():
        raise EnvInputError("environment", f"autoreset_mode = {given}", f"one of {', '.join(AUTORESET)}")
    modes = getattr(gymnasium.vector, "AutoresetMode", None)
    return name, modes[name] if modes is not None else name


class BeholderVectorEnv(gymnasium.vector.VectorEnv[dict[str, Any], npt.NDArray[np.int64], Any]):
    """n users in worlds of their own; equal to n single environments with the seeds s, s + 1, ..., s + n - 1.

    Args:
        num_envs: n.
        autoreset_mode: `NextStep`, `SameStep` or `Disabled`, or Gymnasium's `AutoresetMode`.
        copy: False hands out the very buffers, which the next step overwrites. `candidates` is constant, and handed out
            as one read-only array, in either case.
        render_mode: None, or as in the single environment: `render` gives a tuple of n pictures.
        given: see `simulator.env.settings.EnvSettings`.
    """

    metadata: dict[str, Any] = {"render_modes": ["ansi", "rgb_array"], "render_fps": 2}  # noqa: RUF012  # as Gymnasium declares it

    def __init__(
        self,
        num_envs: int = 1,
        autoreset_mode: Any = "NextStep",
        copy: bool = True,
        render_mode: str | None = None,
        **given: Any,
    ) -> None:
        self.num_envs, self._copy = checked_argument("num_envs", num_envs, whole_number(1)), copy
        self.render_mode = check_render_mode(render_mode)
        self._mode, word = mode_of(autoreset_mode)
        self.metadata = {**type(self).metadata, "autoreset_mode": word}
        self.autoreset_mode = word  # where TorchRL looks for it, as Gymnasium's own vectors have it
        self.settings = EnvSettings.of(given)
        if self.settings.shared:
            raise EnvInputError("environment", "shared = True", "simulator.env.shared.SharedVectorEnv")
        if self.settings.background:
            raise EnvInputError("environment", "background beside independent worlds of a vector", "shared=True")
        self.context = EnvContext(self.settings)
        self.single_observation_space = observation_space(self.context)
        self.single_action_space = action_space(self.context)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self.fleet = UserBatch(self.context, num_envs)
        self._all = np.arange(num_envs, dtype=np.int64)
        self._ended = np.zeros(num_envs, dtype=np.bool_)
        self._begun = False
        self._candidates = np.broadcast_to(self.context.features.ravel(), (num_envs, self.context.features.size))
        self._yes = np.ones(num_envs, dtype=np.bool_)

    @property
    def events(self) -> tuple[str, ...]:
        """Return the names of the events that `info["events"]` counts, in order."""
        return self.context.compiled.names.events

    def reset(
        self, *, seed: int | list[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Let new users come: all, or those of `options["reset_mask"]`, bool (n,); `info` then tells of these alone.

        Raises:
            InputError: a seed, an option or the mask is wrong, or the first reset leaves somebody out.
        """
        rows, there = self._all, self._yes
        if "reset_mask" in check_options(options, ("reset_mask",)):
            mask = np.asarray(options["reset_mask"])  # type: ignore[index]
            if mask.shape != (self.num_envs,) or mask.dtype != np.bool_ or not mask.any():
                raise EnvInputError("environment", "reset_mask", f"bool ({self.num_envs},), True at least once")
            if not self._begun and not mask.all():
                wrong = "reset_mask leaves out users who have not come yet"
                raise EnvInputError("environment", wrong, "a first reset of all")
            rows, there = np.flatnonzero(mask), mask
        self._seed(rows, seed)
        self._begun = True
        self.fleet.reset(rows)
        self._ended[rows] = False
        self._stages = self.fleet.observation.stage.copy()
        return self._observed(), self._info(there)

    def _seed(self, rows: Rows, seed: int | list[int | None] | None) -> None:
        if seed is None:
            if not self._begun:
                self.fleet.seed(self._all, self.np_random.integers(0, 2**62, self.num_envs, dtype=np.uint64))
            return
        if not isinstance(seed, list | tuple | np.ndarray):
            first = as_seed(seed)
            super().reset(seed=first)
            self.fleet.seed(rows, first + rows.astype(np.uint64))
            return
        if len(seed) != self.num_envs:
            raise EnvInputError("environment", f"{len(seed)} seeds", f"{self.num_envs} of them")
        given = [j for j in rows if seed[j] is not None]
        chosen = [as_seed(seed[j]) for j in given]
        if len(given) < len(rows) and not self._begun:
            self.fleet.seed(self._all, self.np_random.integers(0, 2**62, self.num_envs, dtype=np.uint64))
        self.fleet.seed(np.array(given, dtype=np.int64), np.array(chosen, dtype=np.uint64))

    def step(self, actions: npt.NDArray[np.int64]) -> Step:
        """Answer the request of every user with a slate, (n, places) item numbers.

        Raises:
            InputError: an action is no slate.
        """
        if not self._begun:
            raise gymnasium.error.ResetNeeded("call reset first: there are no users")
        slates = as_actions(actions, self.context, self.num_envs)
        observation, over = self.fleet.observation, self._ended
        self._stages = observation.stage.copy()
        info: dict[str, Any] = {}
        if over.any():
            if self._mode == "DISABLED":
                raise gymnasium.error.ResetNeeded("reset the users that have gone: options={'reset_mask': ...}")
            going, gone = np.flatnonzero(~over), np.flatnonzero(over)
            self.fleet.turn(going, slates[going], gone)
        else:
            self.fleet.step(self._all, slates)
        reward = observation.reward.copy()
        terminated, truncated = observation.ended == TERMINATED, observation.ended == TRUNCATED
        ended = terminated | truncated
        if self._mode == "SAME_STEP" and ended.any():
            rows = np.flatnonzero(ended)
            info = {"final_obs": self._final(rows), "_final_obs": ended.copy(),
                    "final_info": self._info(ended), "_final_info": ended.copy()}  # fmt: skip
            self.fleet.reset(rows)
            ended = np.zeros_like(ended)
        self._ended = ended
        return self._observed(), reward, terminated, truncated, {**self._info(self._yes), **info}

    def render(self) -> Any:
        """Draw a picture per user, see the single environment."""
        return tuple(drawn(self.fleet, j, int(self._stages[j]), self.render_mode) for j in range(self.num_envs))

    def close_extras(self, **kwargs: Any) -> None:
        """Stop the threads; whoever goes on goes on without."""
        if hasattr(self, "fleet"):  # older Gymnasium closes what a wrong setting left half made, too
            self.fleet.close()

    def action_masks(self) -> npt.NDArray[np.bool_]:
        """Return the items that can be had, for every place, flat: bool (n, places x items)."""
        return np.tile(self.fleet.observation.available.astype(np.bool_), (1, self.context.slate))

    def _observed(self) -> dict[str, Any]:
        observation = self.fleet.observation
        found: dict[str, Any] = {
            name: getattr(observation, name).copy() if self._copy else getattr(observation, name)
            for name in (*PLAIN, *CODES)
        }
        if self.settings.observe_candidates:
            found["candidates"] = self._candidates
        return found

    def _final(self, rows: Rows) -> npt.NDArray[np.object_]:
        """Return the last observations of episodes, an object array as Gymnasium has it; None elsewhere."""
        found = np.full(self.num_envs, None, dtype=object)
        for j in rows:
            found[j] = Row(self.fleet.observation, self.fleet.memory, self.context, int(j)).observed()
        return found

    def _info(self, there: npt.NDArray[np.bool_]) -> dict[str, Any]:
        """Return what `info` tells of the users `there`; of the others 0 and no slate, and False in the masks."""
        observation = self.fleet.observation
        arrays = (observation.counts, observation.values, observation.earned, observation.time, self.fleet.memory.shown)
        found: dict[str, Any] = dict(zip([*INFO, "slate"], (array.copy() for array in arrays), strict=True))
        masks = {f"_{name}": there.copy() for name in found}
        if there is not self._yes:
            for name, array in found.items():
                array[~there] = -1 if name == "slate" else 0
        return found | masks
