"""A rehearsal: whatever a recommender calls is called once, on next to nothing, so that it is compiled beforehand."""

from __future__ import annotations

from recommenders.check import synthetic_world
from recommenders.contract import Recommender


def rehearse(recommender: Recommender) -> None:
    """Fit a recommender on a small synthetic platform, and ask it for slates.

    >>> from recommenders.contract import Label
    >>> from recommenders.models.popularity import Popularity
    >>> rehearse(Popularity(label=Label("click", ("click",))))
    """
    world = synthetic_world(label=recommender.label)
    recommender.fit(world.log, world.catalog)
    recommender.recommend(world.requests)
