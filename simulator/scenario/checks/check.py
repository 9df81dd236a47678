"""Whether a scenario hangs together, and whether this version can run it: all topics of rules, in their order."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVarTuple

from simulator.errors import InputError
from simulator.scenario.checks import (
    blocks,
    cases,
    criteria,
    life_cycle,
    menus,
    numbers,
    observation,
    provenance,
    references,
    sizes,
    stages,
    targets,
    tastes,
)
from simulator.scenario.checks.rules import Breaches, Engine
from simulator.scenario.schema.scenario import Scenario

Given = TypeVarTuple("Given")

WRONG: tuple[Callable[[Scenario], Breaches], ...] = (
    numbers.shares, references.names, references.names_of_one, tastes.tastes, tastes.tails, tastes.groups,
    tastes.parents, tastes.modalities,
    stages.surfaces, stages.screens, menus.menus, cases.resources, cases.choosers, criteria.criteria, criteria.sorting,
    blocks.presence, blocks.demands, blocks.browse, blocks.commit, cases.fulfil, blocks.consume, blocks.respond,
    life_cycle.outcomes, life_cycle.ways, observation.observed, observation.labels, observation.past,
    observation.served, numbers.times, numbers.contexts, sizes.sizes, provenance.sources, targets.readings,
)  # fmt: skip
"""Topics of what makes no sense in any version, in the order in which one counts on another."""

NOT_YET: tuple[Callable[[Scenario, Engine], Breaches], ...] = (
    menus.unsupported, tastes.unsupported, criteria.unsupported, blocks.unsupported, life_cycle.unsupported_in_visits,
    life_cycle.unsupported_in_cases, cases.unsupported, observation.unsupported, numbers.unsupported,
)  # fmt: skip
"""Topics of what makes sense, and cannot be run in this version."""


def breaches(topics: Iterable[Callable[[*Given], Breaches]], *given: *Given) -> Breaches:
    """Yield all breaches of the first topic that has any: the rules of later ones count on it."""
    for topic in topics:
        broken = False
        for breach in topic(*given):
            yield breach
            broken = True
        if broken:
            return


def check_scenario(scenario: Scenario) -> None:
    """Check that a scenario hangs together.

    Raises InputError (file, key, value, what would be right) at the first breach of the rules in `WRONG`: a share that
    does not add up, a name that does not exist, a stage without parameters, successor, way in or way out, an event
    without a row in `observation`, a label of unknown events, a number without its source.
    """
    for wrong, instead in breaches(WRONG, scenario):
        raise InputError(scenario.shown, wrong, instead)


def check_supported(scenario: Scenario, engine: Engine) -> None:
    """Check that this version can run a scenario that hangs together.

    Raises:
        InputError: the first breach of the rules in `NOT_YET`.
    """
    for wrong, instead in breaches(NOT_YET, scenario, engine):
        raise InputError(scenario.shown, wrong, instead)
