"""Two references that see the truth, and so live outside the plug-in contract.

The utility-oracle shows each user what is worth most to them; the belief-oracle shows what they will *think* is worth
most when they come to judge it at the stage in question, from everything that they can see there.
"""

from __future__ import annotations

import numpy as np

from recommenders.contract import Recommender, Requests, Slates
from simulator.engine.tables.tables import Items, Plan, StageKind, Users
from simulator.plan.compiler import Compiled
from simulator.platform.kernels.oracle import BestSlates, JudgedRequests, best_candidates

ORACLES = ("belief-oracle", "utility-oracle")


class Oracle(Recommender):
    """Answer requests as a plug-in does, but from the truth of a world, which no plug-in is ever given."""

    learns = False
    reproducibility = "exact"

    def __init__(self, name: str, compiled: Compiled, users: Users, items: Items, seed: int) -> None:
        super().__init__(seed=seed)
        self.name = name  # type: ignore[misc]  # one class, two oracles
        self._compiled, self._users, self._items = compiled, users, items
        plan = compiled.plan
        judged = [_judging_stage(plan, s) for s in range(len(plan.stages))]
        self._visible = np.bitwise_or.reduce(plan.screens[:, :, 0], axis=1).astype(np.uint32)[judged]
        consumes = plan.stages["kind"][judged] == StageKind.CONSUME
        self._glance = np.where(consumes, plan.stages["glance"][judged], 1.0)

    def recommend(self, requests: Requests) -> Slates:
        """Return the best items, best first; fewer candidates than places leave -1 at the end."""
        judged = JudgedRequests(
            requests.user, requests.time, self._visible[requests.stage], self._glance[requests.stage],
            requests.candidates, requests.recent_start, requests.recent_items,
        )  # fmt: skip
        items = np.full((len(requests), requests.slate_size), -1, dtype=np.int32)
        world = self._compiled.plan, self._users, self._items
        slates = BestSlates(items, np.empty(requests.slate_size), np.zeros(len(self._items.state), dtype=np.bool_))
        best_candidates(self.seed, self.name == "belief-oracle", judged, *world, slates)
        return Slates(items)


def _judging_stage(plan: Plan, stage: int) -> int:
    """Return the stage where an item of a slate is first judged: on its card, or in the play that starts by itself."""
    seen = int(np.bitwise_or.reduce(plan.screens[stage, :, 0]))
    following = int(plan.alternatives[stage, 0, 0])
    return stage if seen or following < 0 else following
