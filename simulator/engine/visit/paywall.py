"""Paywalls: items of which some users get the beginning alone."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from simulator.engine.jit.compile import internal
from simulator.engine.tables.tables import Array, Tables


@internal
def cut_off(
    until: npt.NDArray[np.float64],
    m: int,
    user: npt.NDArray[np.int64],
    item: npt.NDArray[np.int64],
    s: Array,
    tables: Tables,
) -> None:
    """Shorten what m users can have of their items to the free share, in place, where both are such.

    Args:
        until: seconds that each play can last, whole items so far.
        user, item: whose plays they are, and of what.
        s: row of the stage, with a wall.
        tables: whose users and items; the trait of the user and the number of the item have to be above 0.
    """
    items, users = tables.items, tables.users
    for k in range(m):
        if items.attributes[item[k], s.wall_attribute] > 0.0 and users.traits[user[k], s.wall] > 0.0:
            until[k] *= s.free
