"""What items are worth to a user in truth: for references that may know it, and for nobody else."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from simulator.engine.jit.compile import kernel
from simulator.engine.randomness import PERCEPTION, mix, root
from simulator.engine.tables.tables import Goods, Numbers, People, Plan, numbers_of
from simulator.engine.user.beliefs import utility_of


@kernel
def _fill(seed: int, user: int, numbers: Numbers, out: npt.NDArray[np.float32]) -> None:
    person = mix(root(seed, PERCEPTION), numbers.users[user].key)
    for item in range(out.shape[0]):
        out[item] = utility_of(mix(person, np.uint64(item)), user, item, numbers)


def utilities(seed: int, user: int, plan: Plan, people: People, goods: Goods) -> npt.NDArray[np.float32]:
    """What every item is worth to a user, (items,), by the engine's own function; without numbers shown as they are."""
    out = np.empty(len(goods.facts), dtype=np.float32)
    _fill(seed, user, numbers_of(plan, people, goods), out)
    return out
