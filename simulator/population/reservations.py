"""What it is worth to search on, at the stages with a search cost: what is demanded there adapts to what can be seen.

Who may look at one more item for a cost c, as often as they like, takes what is worth at least z to them, where
c = E[(B - z)+] over what the next item would look like, B: the reservation value of optimal search (Weitzman 1979;
McCall 1970 for items that are alike beforehand). The less can be told apart on a screen, the less B varies, and the
lower is z. B is taken over pairs of this world's users and items, judged as they would be on the way to the stage.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from simulator.engine.randomness import REFERENCE, numbered, uniforms
from simulator.engine.tables.tables import Items, StageKind, Users
from simulator.plan.compiler import Compiled
from simulator.plan.demands import demands_of, device_reluctance
from simulator.population.kernels.judging import Pairs, attractions

Places = tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]

_PAIRS = 4096
_USER, _ITEM = 0, 1


def reservation(values: npt.NDArray[np.float64], cost: float) -> float:
    """Return the z for which the mean of max(values - z, 0) is `cost`.

    >>> float(reservation(np.array([0.0, 1.0]), 0.25))
    0.5
    """
    falling = np.sort(values)[::-1]
    sums = np.cumsum(falling)
    counts = np.arange(1, len(falling) + 1)
    levels = (sums - cost * len(falling)) / counts  # z, if just the k largest are above it
    return float(levels.max())  # with fewer or more of them the same cost leaves a lower z


def with_reservations(compiled: Compiled, users: Users, items: Items, seed: int) -> Compiled:
    """Return a compiled scenario whose demands are what searching on is worth to these users among these items."""
    costs = {name: each.search_cost for name, each in demands_of(compiled.scenario) if any(each.search_cost)}
    if not costs:
        return compiled
    demands, reluctance = compiled.plan.demands.copy(), device_reluctance(compiled.scenario, compiled.names)
    for name, own in costs.items():
        s, at = compiled.names.stages.index(name), _pairs(compiled, name, users, items, seed)
        for d in range(len(compiled.names.devices)):
            found = _attractions(compiled, name, d, at, users, items, seed)
            for more, cost in enumerate(own):
                if cost is not None:
                    demands[s, d, more] = reservation(found, cost.value) + reluctance[s, d]
    return replace(compiled, plan=compiled.plan._replace(demands=demands))


def _attractions(
    compiled: Compiled, stage: str, device: int, at: Places, users: Users, items: Items, seed: int
) -> npt.NDArray[np.float64]:
    """Return how attractive items are to users at a stage, on a device, (n,)."""
    names, plan, way = compiled.names, compiled.plan, way_to(compiled, stage)
    scenario, row = compiled.scenario, plan.stages[way[-1]]
    promises = sum(1 << m for m, name in enumerate(names.modalities) if scenario.modalities[name].kind == "promise")
    visible = plan.screens[way, device, 0].astype(np.uint32)
    pairs = Pairs(*at, visible, plan.stages["attention"][way].copy(), np.array([promises], dtype=np.uint32))
    found = np.empty(len(at[0]))
    on_card = bool(row["kind"] == StageKind.BROWSE)
    attractions(seed, pairs, on_card, float(row["risk_aversion"]), plan, users, items, found)
    return found


def way_to(compiled: Compiled, stage: str) -> list[int]:
    """Return the numbers of the stages by which an item comes to a stage, that one last: the shortest such way."""
    scenario, names = compiled.scenario, compiled.names
    before: dict[str, str | None] = {name: None for name, each in scenario.stages.items() if each.kind == "browse"}
    if stage in before:
        return [names.stages.index(stage)]
    waiting = list(before)
    while waiting:
        name = waiting.pop(0)
        for outcome in ("select", "accept"):
            successor = scenario.stages[name].next.get(outcome)
            for following in [successor] if isinstance(successor, str) else list(successor or ()):
                if following in scenario.stages and following not in before:
                    before[following] = name
                    waiting.append(following)
    found, at = [stage], before.get(stage)
    while at is not None:
        found, at = [at, *found], before[at]
    return [names.stages.index(name) for name in found]


def _pairs(compiled: Compiled, stage: str, users: Users, items: Items, seed: int) -> Places:
    """Return users and items, (n,) each, drawn by key: the items are of a kind that the stage shows."""
    shown, first = compiled.scenario.stages[stage].shows_parents, len(compiled.scenario.item_types)
    of_kind = np.flatnonzero(items.state["type"] < first)
    if shown is not None:
        of_kind = np.flatnonzero(items.state["type"] == compiled.shown_parents[shown])
    rows = numbered(_PAIRS)
    who = (uniforms(seed, REFERENCE, rows, _USER) * len(users.state)).astype(np.int64)
    what = (uniforms(seed, REFERENCE, rows, _ITEM) * len(of_kind)).astype(np.int64)
    return who, of_kind[what].astype(np.int64)
