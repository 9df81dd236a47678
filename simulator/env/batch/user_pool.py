"""Users for episodes: drawn many at a time and ahead of their turn, each from its own key."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from simulator.engine.jit.compile import kernel
from simulator.engine.randomness import PERSON, mix, root
from simulator.engine.tables.tables import FOLLOWED, Users
from simulator.env.context import EnvContext
from simulator.runtime.cases import zone_of

Rows = npt.NDArray[np.int64]
_EPISODE_LIFT = np.uint64(1 << 63)  # no key of an episode is the number of a world's user


@kernel
def episode_keys(seeds: npt.NDArray[np.uint64], episodes: npt.NDArray[np.int64], out: npt.NDArray[np.uint64]) -> None:
    """Fill in the keys (n,) of the users of episodes: a function of the seed and of how many episodes went before."""
    for i in range(seeds.shape[0]):
        out[i] = mix(mix(root(0, PERSON), seeds[i]), np.uint64(episodes[i])) | _EPISODE_LIFT


@kernel
def put_users(rows: Rows, places: Rows, source: Users, target: Users) -> None:
    """Copy users from `places` of a pool to `rows` of a fleet."""
    for k in range(rows.shape[0]):
        i, j = places[k], rows[k]
        target.state[j] = source.state[i]
        for d in range(target.taste.shape[1]):
            target.taste[j, d] = source.taste[i, d]
        for d in range(target.satiation_trust.shape[1]):
            target.satiation_trust[j, d] = np.float32(0.0)
        for d in range(target.traits.shape[1]):
            target.traits[j, d] = source.traits[i, d]
        for k in range(target.parent_history.shape[1]):
            target.parent_history[j, k].amount = np.float32(0.0)
        for k in range(target.item_memory.shape[1]):
            target.item_memory[j, k].at = 0.0
        for d in range(FOLLOWED, target.followed.shape[1]):  # topics; how many creators there are is in the state
            target.followed[j, d] = np.uint32(0)
        for d in range(target.place.shape[1]):
            target.place[j, d] = source.place[i, d]
        for d in range(target.deferred.shape[1]):
            target.deferred[j, d] = source.deferred[i, d]
        for d in range(target.pace.shape[1]):
            target.pace[j, d] = source.pace[i, d]


class UserPool:
    """The users of the next episodes of n sub-environments.

    Args:
        scene: draws them.
        n: sub-environments.
        ahead: users drawn ahead for each.

    Attributes:
        users: the users (n x ahead,), and the zones that they live in.
    """

    def __init__(self, context: EnvContext, n: int, ahead: int) -> None:
        self._scene, self._ahead = context, ahead
        self.seeds = np.zeros(n, dtype=np.uint64)
        self.episodes = np.zeros(n, dtype=np.int64)  # the next one of each
        self._drawn = np.zeros(n, dtype=np.int64)  # those before it are in the pool
        self.users = context.users(np.zeros(n * ahead, dtype=np.uint64))
        self.zones = np.zeros(n * ahead, dtype=np.int32)

    def seed(self, rows: Rows, seeds: npt.NDArray[np.uint64]) -> None:
        """Begin again from these seeds."""
        self.seeds[rows] = seeds
        self.episodes[rows] = 0
        self._drawn[rows] = 0

    def next(self, rows: Rows) -> Rows:
        """Return where in `users` the next user of each of `rows` is found."""
        episodes = self.episodes[rows]
        if (episodes >= self._drawn[rows]).any():
            self._draw()
        self.episodes[rows] = episodes + 1
        return rows * self._ahead + episodes % self._ahead

    def _draw(self) -> None:
        missing = self.episodes + self._ahead - self._drawn
        rows = np.repeat(np.arange(len(missing)), missing)
        ends = np.cumsum(missing)
        number = self._drawn[rows] + np.arange(len(rows)) - np.repeat(ends - missing, missing)
        keys = np.empty(len(rows), dtype=np.uint64)
        episode_keys(self.seeds[rows], number, keys)
        drawn = self._scene.users(keys)
        places = rows * self._ahead + number % self._ahead
        put_users(places, np.arange(len(rows)), drawn, self.users)
        self.zones[places] = zone_of(self._scene.compiled.scenario, drawn.place, self._scene.population)
        self._drawn += missing
