"""Whether a recommender reads the features of a modality at all: seen in a rehearsal, before any world is run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from analysis.arms import Arm
from recommenders.check import synthetic_world
from recommenders.contract import LazyFeatures, Recommender, RecommenderError, calling
from simulator.errors import InputError
from simulator.plan.compiler import compile_scenario
from simulator.platform.policies import create_recommender
from simulator.population.catalog import draw_catalog
from simulator.scenario.durations import DAY
from simulator.scenario.schema.scenario import Scenario

_ITEMS = 120


def check_reads(arm: Arm, scenario: Scenario, modality: str) -> None:
    """See that a recommender reads a modality's features: else its worlds cannot differ by whether it uses them.

    It is fitted on a made-up log of a small catalog of the scenario, and asked for slates. One that fails in this is
    let pass, for a world may have what it lacks here.

    Raises:
        InputError: it reads none of them.
        RecommenderError: it needs features that the scenario does not have.
    """
    read: set[str] = set()
    try:
        _rehearse(create_recommender(arm.recommender, arm.parameters, scenario, 0), scenario, read)
    except _NotRehearsed:
        return
    if modality not in read:
        wrong = f"{arm.name} reads no features of {modality}, so it would serve the same without them"
        raise InputError("knockout", wrong, f"expected one that reads them, as contentknn(modality={modality}) does")


class _NotRehearsed(Exception):
    """A recommender could not be fitted on what was made up for it."""


def _rehearse(recommender: Recommender, scenario: Scenario, read: set[str]) -> None:
    """Let a recommender check, learn and answer, and gather the modalities whose features it reads."""
    drawn = draw_catalog(compile_scenario(scenario), _ITEMS, DAY, 0).public

    def seen(name: str) -> Callable[[], np.ndarray]:
        def make() -> np.ndarray:
            read.add(name)
            return drawn.features[name]

        return make

    makers: Mapping[str, Callable[[], np.ndarray]] = {name: seen(name) for name in drawn.features}
    catalog = replace(drawn, features=LazyFeatures(makers)).sealed()
    with calling(recommender, "check"):
        recommender.check(catalog)
    world = synthetic_world(n_items=_ITEMS, label=recommender.label)
    try:
        with calling(recommender, "fit"):
            recommender.fit(world.log, catalog)
        with calling(recommender, "recommend"):
            recommender.recommend(world.requests)
    except RecommenderError as error:
        raise _NotRehearsed from error
