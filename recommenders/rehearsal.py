"""A rehearsal: whatever a recommender calls is called once, on next to nothing, so that it is compiled beforehand.

    python -m recommenders.rehearsal NAME MODEL

rehearses a model of another library in a process of its own, for `recommenders.models.adapters.trial`.
"""

from __future__ import annotations

import resource
import sys

from recommenders.check import synthetic_world
from recommenders.contract import Recommender, RecommenderError
from recommenders.contract.rehearsing import a_rehearsal

MEMORY = 8 * 2**30  # bytes that a rehearsal may take: one that wants more has gone astray


def rehearse(recommender: Recommender) -> None:
    """Fit a recommender on a small synthetic platform, and ask it for slates.

    >>> from recommenders.contract import Label
    >>> from recommenders.models.popularity import Popularity
    >>> rehearse(Popularity(label=Label("click", ("click",))))
    """
    world = synthetic_world(label=recommender.label)
    with a_rehearsal():
        recommender.fit(world.log, world.catalog)
    recommender.recommend(world.requests)


def main(name: str, model: str) -> None:
    """Rehearse a library's model with values of pairs, and print why it is refused, if the cause lies in the model.

    One that works with values is rehearsed without: if the library then raises, it needs them, which is printed too.
    """
    from recommenders.contract import Label
    from recommenders.models.adapters.trial import NEEDS_VALUES, REFUSED, lies_in_the_model
    from recommenders.registry import create

    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    ratings = "log"
    try:
        for ratings in ("log", "none"):
            rehearse(create(name, {"model": model, "ratings": ratings}, label=Label("click", ("click",))))
    except RecommenderError as error:
        if ratings == "none":
            sys.stdout.write("" if error.__cause__ is None else f"\n{NEEDS_VALUES}\n")
        elif lies_in_the_model(error):
            sys.stdout.write(f"\n{REFUSED}{error.wrong}{'; ' if error.right else ''}{error.right}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
