"""What the platform had counted of the items when the run began: as much as their ages would have gathered."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from simulator.engine.randomness import SUPPLY, normals, uniforms
from simulator.engine.tables.tables import Items, Users
from simulator.engine.visit.outcomes import VALUE_UNITS
from simulator.plan.compiler import SUM, Compiled
from simulator.platform.editorial import usual_worth

Float64 = npt.NDArray[np.float64]

_REFERENCE = 256  # users whose liking is an item's worth on average
_STEEP, _MOST = 50.0, 1e9  # what an exponent and a count are held to, however absurd a scenario's numbers
_POPULARITY, _ROUNDING, _MEAN = 1200, 1210, 1250  # drawn under SUPPLY; the latter + number of the event


def past_counts(compiled: Compiled, users: Users, items: Items, seed: int) -> npt.NDArray[np.int64] | None:
    """Return the counters of before the run, (rows of items, 1 + counters); None where the scenario has no past.

    The equations are those of `simulator.scenario.schema.users.Past`. Parents, which stand behind the items, have
    nothing of their own: what they show is counted over their children.

    Args:
        compiled: the scenario.
        users: as they were drawn.
        items: with the times of their publication.
        seed: the world's seed.
    """
    past = compiled.scenario.supply.past
    if past is None:
        return None
    names = compiled.names.counters
    counters = np.zeros((len(items.state), 1 + len(names)), dtype=np.int64)
    there = np.flatnonzero((items.published < 0.0) & (items.state["type"] < len(compiled.scenario.item_types)))
    if len(there) == 0:
        return counters
    n = len(items.state)
    worth = usual_worth(compiled, users.taste[:_REFERENCE], items)[there]
    z = (worth - worth.mean()) / max(float(worth.std()), 1e-12)
    luck = past.popularity.quantile(uniforms(seed, SUPPLY, n, _POPULARITY))[there]
    weight = luck * np.exp(np.clip(past.worth.value * z, -_STEEP, _STEEP))
    half_life = None if past.half_life is None else past.half_life.value
    shares = gathered(-items.published[there], weight, half_life)
    for e, (name, event) in enumerate(past.events.items()):
        expected = np.minimum(event.rate.value * len(users.state) * shares, _MOST)
        count = np.floor(expected + uniforms(seed, SUPPLY, n, _ROUNDING + e)[there]).astype(np.int64)
        counters[there, 1 + names.index(name)] = count
        if event.mean is not None and name + SUM in names:
            error = normals(seed, SUPPLY, n, 1, block=_MEAN + e)[there, 0].astype(np.float64)
            slope = 0.0 if event.per_worth is None else event.per_worth.value
            mean = event.mean.value + slope * (z + error / np.sqrt(np.maximum(count, 1)))
            low, high = _bounds(compiled, name)
            counters[there, 1 + names.index(name + SUM)] = np.rint(VALUE_UNITS * count * np.clip(mean, low, high))
    return counters


def gathered(age: Float64, weight: Float64, half_life: float | None) -> Float64:
    """Return the time in which everybody together would have made what each item has gathered, s, (n,).

    At the beginning all items together gather at the rate of 1; each in proportion to its weight, and half as much
    after each half-life.

    >>> gathered(np.array([0.0, 10.0, 20.0]), np.ones(3), None)
    array([0.        , 3.33333333, 6.66666667])
    >>> gathered(np.array([1e9, 1e9]), np.array([1.0, 3.0]), None)
    array([2.5e+08, 7.5e+08])
    """
    if half_life is None:
        return np.asarray(weight * age / max(float(weight.sum()), 1e-300))
    left = np.exp2(-age / half_life)
    together = max(float((weight * left).sum()), 1e-9 * float(weight.sum()), 1e-300)
    return np.asarray(weight * (1.0 - left) * half_life / np.log(2.0) / together)


def _bounds(compiled: Compiled, event: str) -> tuple[float, float]:
    """Return the lowest and highest value of an event: 1 and the stars where it is a rating, else 0 and anything."""
    for block in compiled.scenario.respond.values():
        if block.rating is not None and block.rating.event == event:
            return 1.0, float(block.rating.scale)
    return 0.0, np.inf
