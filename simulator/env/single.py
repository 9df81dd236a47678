"""One user at a time: the Gymnasium environment."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
import numpy.typing as npt

from recommenders.contract.names import unknown_name
from simulator.env.batch.encode import TERMINATED, TRUNCATED
from simulator.env.batch.user_batch import UserBatch
from simulator.env.context import EnvContext
from simulator.env.errors import WHERE, EnvInputError
from simulator.env.render.screen import as_picture, as_text, screen_of
from simulator.env.settings import EnvSettings
from simulator.env.spaces import action_space, observation_space

_ONE = np.zeros(1, dtype=np.int64)


class BeholderEnv(gymnasium.Env[dict[str, Any], npt.NDArray[np.int64]]):
    """A user of a scenario, who asks for slates.

    A step answers one request. `terminated`: the user left (in a lifetime: for good). `truncated`: the limit of
    requests, or the horizon of a lifetime, is reached.

    Args:
        render_mode: None, `ansi` or `rgb_array`.
        given: see `simulator.env.settings.EnvSettings`.
    """

    metadata: dict[str, Any] = {"render_modes": ["ansi", "rgb_array"], "render_fps": 2}  # noqa: RUF012  # as Gymnasium declares it

    def __init__(self, render_mode: str | None = None, **given: Any) -> None:
        self.render_mode = check_render_mode(render_mode)
        self.settings = EnvSettings.of(given)
        if self.settings.shared:
            raise EnvInputError(WHERE, "shared = True", "make_vec: one environment has nobody to share with")
        if self.settings.background:
            raise EnvInputError(
                "environment",
                "background in a single environment",
                "make_vec(..., num_envs=1, shared=True, background=N)",
            )
        self.context = EnvContext(self.settings)
        self.observation_space = observation_space(self.context)
        self.action_space = action_space(self.context)
        self.fleet = UserBatch(self.context, 1)
        self._begun = False
        self._ended = False
        self._stage = 0

    @property
    def events(self) -> tuple[str, ...]:
        """Return the names of the events that `info["events"]` counts, in order."""
        return self.context.compiled.names.events

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Let a new user come. Without a seed, the next user of the seed given last."""
        check_options(options)
        super().reset(seed=None if seed is None else as_seed(seed))
        if seed is not None:
            self.fleet.seed(_ONE, np.array([seed], dtype=np.uint64))
        elif not self._begun:
            self.fleet.seed(_ONE, self.np_random.integers(0, 2**62, 1, dtype=np.uint64))
        self._begun, self._ended = True, False
        self.fleet.reset(_ONE)
        self._stage = int(self.fleet.observation.stage[0])
        row = self.fleet.first
        return row.observed(), row.info()

    def step(self, action: npt.NDArray[np.int64]) -> tuple[dict[str, Any], float, bool, bool, dict[str, Any]]:
        """Answer the request with a slate: item numbers, best first; see `simulator.env.batch.encode.answer`."""
        if not self._begun or self._ended:
            raise gymnasium.error.ResetNeeded("call reset first: there is no user")
        actions = as_actions(action, self.context, 1)
        fleet = self.fleet
        observation = fleet.observation
        self._stage = int(observation.stage[0])
        fleet.step(_ONE, actions)
        ended = int(observation.ended[0])
        self._ended = ended != 0
        row = fleet.first
        return row.observed(), float(observation.reward[0]), ended == TERMINATED, ended == TRUNCATED, row.info()

    def render(self) -> Any:
        """Draw the screen on which the last slate was shown, or an empty one: text, or uint8 (height, width, 3)."""
        return drawn(self.fleet, 0, self._stage, self.render_mode)

    def action_masks(self) -> npt.NDArray[np.bool_]:
        """Return which items can be had, for every place, flat: bool (places x items,), as sb3-contrib reads it."""
        return np.tile(self.fleet.observation.available[0].astype(np.bool_), self.context.slate)


def check_render_mode(given: str | None) -> str | None:
    """Return a way of drawing. Raises InputError for an unknown one."""
    modes = BeholderEnv.metadata["render_modes"]
    if given is not None and given not in modes:
        raise EnvInputError(WHERE, f"render_mode = {given!r}", f"None or one of {', '.join(modes)}")
    return given


def drawn(fleet: UserBatch, j: int, stage: int, mode: str | None) -> Any:
    """Draw the screen of user j at `stage`, with the slate that was shown last."""
    if mode is None:
        return None
    context = fleet.context
    screen = screen_of(
        context.compiled, context.items, stage, int(fleet.observation.device_type[j]), fleet.memory.shown[j].tolist()
    )
    return as_text(screen) if mode == "ansi" else as_picture(screen)


def as_actions(given: Any, context: EnvContext, n: int) -> npt.NDArray[np.int64]:
    """Return actions of n environments, int64 (n, places). Raises InputError where they are no slates of numbers."""
    wanted = (n, context.slate)
    if type(given) is np.ndarray and given.dtype == np.int64 and given.shape == wanted:
        return given
    try:
        actions = np.asarray(given)
    except ValueError:  # rows of different lengths
        raise EnvInputError(
            WHERE, "an action of slates of different lengths", f"{context.slate} item numbers"
        ) from None
    if (actions.shape != wanted and (n > 1 or actions.shape != wanted[1:])) or actions.dtype.kind not in "iu":
        form = f"{n} times {context.slate} item numbers" if n > 1 else f"{context.slate} item numbers"
        raise EnvInputError(WHERE, f"an action of {actions.dtype} and shape {actions.shape}", form)
    return np.ascontiguousarray(actions.reshape(wanted), dtype=np.int64)


def as_seed(given: Any) -> int:
    """Return a seed of `reset`. Raises InputError where it is none."""
    if isinstance(given, bool) or not isinstance(given, int | np.integer) or not 0 <= given < 2**64:
        raise EnvInputError(WHERE, f"seed = {given!r}", "a whole number from 0 to 2**64 - 1")
    return int(given)


def check_options(given: dict[str, Any] | None, known: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return the options of `reset`. Raises InputError for an unknown one."""
    for name in given or {}:
        if name not in known:
            wrong = unknown_name("option", str(name), known) if known else (f"option {name!r} of reset", "no options")
            raise EnvInputError(WHERE, *wrong)
    return given or {}
