"""Lifetimes of items in the catalog: news go stale, postings close, products are delisted.

An item that is withdrawn is no candidate any more from the next tick on. What was sent before stays as it was sent: a
card on somebody's screen can still be opened, and a decision that was put off can still be taken up.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from simulator.engine.randomness import SUPPLY, table_points, uniforms
from simulator.scenario.durations import DAY
from simulator.scenario.schema.distributions import Distribution
from simulator.scenario.schema.scenario import Scenario

_LIFETIME, _PASSED = 1100, 1101  # drawn under SUPPLY, beside what `catalog` and `numbers` draw


def withdrawals(
    scenario: Scenario,
    types: npt.NDArray[np.integer[Any]],
    published_at: npt.NDArray[np.float64],
    fresh: npt.NDArray[np.bool_],
    seed: int,
) -> npt.NDArray[np.float64] | None:
    """Draw the time at which each item is withdrawn, s, (n,); None where the scenario has no lifetimes.

    Items of before the run have what is left of a lifetime in a stream of items that has always flowed: a lifetime met
    with probability in proportion to its length, at a uniform point of it (the residual life of a renewal process).

    Args:
        scenario: with a lifetime of the supply, or of a type, which goes before it.
        types: type of each item, (n,).
        published_at: s, (n,).
        fresh: whether an item appears during the run, bool (n,).
        seed: the world's seed.
    """
    own = [kind.lifetime or scenario.supply.lifetime for kind in scenario.item_types.values()]
    if not any(own):
        return None
    draw, passed = uniforms(seed, SUPPLY, len(types), _LIFETIME), uniforms(seed, SUPPLY, len(types), _PASSED)
    until = np.full(len(types), np.inf)
    for t, lifetime in enumerate(own):
        if lifetime is not None:
            new, old = (types == t) & fresh, (types == t) & ~fresh
            until[new] = published_at[new] + lifetime.quantile(draw[new])
            until[old] = _met(lifetime, draw[old]) * (1.0 - passed[old])
    return until


def ages(
    scenario: Scenario, types: npt.NDArray[np.integer[Any]], fresh: npt.NDArray[np.bool_], seed: int
) -> npt.NDArray[np.float64]:
    """Draw how old items of before the run are when it begins, s, (n,); 0 for those that come later.

    The same lifetimes and points of them as in `withdrawals`: what is left of a lifetime then begins where this ends.

    Args:
        scenario: with a past of the supply.
        types: type of each item, (n,).
        fresh: whether an item appears during the run, bool (n,).
        seed: the world's seed.
    """
    supply = scenario.supply
    assert supply.past is not None
    draw, passed = uniforms(seed, SUPPLY, len(types), _LIFETIME), uniforms(seed, SUPPLY, len(types), _PASSED)
    since = DAY / max(supply.fresh.value, 1e-9) if supply.past.since is None else supply.past.since.value
    age = since * passed
    for t, kind in enumerate(scenario.item_types.values()):
        lifetime, of_type = kind.lifetime or supply.lifetime, types == t
        if lifetime is not None:
            age[of_type] = _met(lifetime, draw[of_type]) * passed[of_type]
    return np.where(fresh, 0.0, age)


def _met(lifetime: Distribution, draw: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Draw lifetimes of what is there at a moment: each length in proportion to itself."""
    lengths = lifetime.quantile(table_points())
    cumulative = np.cumsum(lengths)
    place = np.searchsorted(cumulative, draw * cumulative[-1], side="right")
    return np.asarray(lengths[np.minimum(place, len(lengths) - 1)])
