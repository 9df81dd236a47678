"""What items are worth to a user in truth: for references that may know it, and for nobody else."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from simulator.engine.jit.compile import kernel
from simulator.engine.randomness import PERCEPTION, mix, root
from simulator.engine.tables.tables import MAX_SCREEN, SCRATCH_WIDTH, Array, Goods, People, Plan
from simulator.engine.user.beliefs import utility_of


@kernel
def _fill(
    seed: int,
    user: int,
    users: Array,
    taste: npt.NDArray[np.float32],
    items: Array,
    vectors: npt.NDArray[np.float32],
    facets: Array,
    weights: npt.NDArray[np.float64],
    types: Array,
    habits: Array,
    quantiles: npt.NDArray[np.float32],
    scratch: npt.NDArray[np.float64],
    out: npt.NDArray[np.float32],
) -> None:
    person = mix(root(seed, PERCEPTION), users[user].key)
    for item in range(out.shape[0]):
        out[item] = utility_of(
            mix(person, np.uint64(item)), user, item, np.int64(items[item].type), taste, vectors, facets, weights,
            types, habits[0], quantiles, scratch,
        )  # fmt: skip


def utilities(seed: int, user: int, plan: Plan, people: People, goods: Goods) -> npt.NDArray[np.float32]:
    """What every item is worth to a user, (items,), by the engine's own function; without numbers shown as they are."""
    out = np.empty(len(goods.facts), dtype=np.float32)
    scratch = np.zeros((MAX_SCREEN, SCRATCH_WIDTH))
    _fill(
        seed, user, people.state, people.taste, goods.facts, goods.vectors, plan.facets, plan.weights, plan.types,
        plan.habits, plan.quantiles, scratch, out,
    )  # fmt: skip
    return out
