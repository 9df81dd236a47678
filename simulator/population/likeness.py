"""What two worlds that are to have the same people and items must have in common, in a few numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from simulator.engine.tables.tables import Items, Users
from simulator.plan.compiler import Compiled

_MOST = 4096  # rows that are looked at
_CLOSE = 1e-3  # of sums of some size: machines differ in the last bits
_FACTS = ("type", "creator", "topic")


def likeness(compiled: Compiled, users: Users, items: Items) -> dict[str, Any]:
    """Return what the manifest says of who and what is in a world at time 0, for `differing` to compare.

    Of `tastes` and `items` these are one weighted sum a column, over 4,096 rows at most: they name nobody, and worlds
    whose users or items differ do not share them.
    """
    facts = np.stack([items.state[name].astype(np.float64) for name in _FACTS], axis=1)
    truth = items.vectors[:, : compiled.latent_width]
    return {
        "modalities": list(compiled.names.modalities),
        "tastes": _sums(users.taste),
        "items": [*_sums(truth), *_sums(facts)],
    }


def _sums(rows: npt.NDArray[Any]) -> list[float]:
    """Return a weighted sum of every column of rows (n, d), or of some rows where there are many."""
    some = rows[:: max(len(rows) // _MOST, 1)].astype(np.float64)
    weights = np.cos(np.arange(1, len(some) + 1)) / np.sqrt(max(len(some), 1))
    return [round(float(each), 6) for each in weights @ some]


def differing(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """Name what two worlds do not share. Raises KeyError, TypeError or ValueError where one says something else."""
    names = ["modalities"] if list(one["modalities"]) != list(other["modalities"]) else []
    for name in ("tastes", "items"):
        ours, theirs = (np.asarray(each[name], dtype=np.float64) for each in (one, other))
        if ours.shape != theirs.shape or not np.allclose(ours, theirs, rtol=_CLOSE, atol=_CLOSE):
            names.append(name)
    return names
