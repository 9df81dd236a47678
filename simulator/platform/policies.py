"""Who makes the slates of which stage: the recommender under test, or a policy of the platform's own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from recommenders import registry
from recommenders.contract import Label, Recommender, places_of
from recommenders.contract.places import fallback
from recommenders.members import create_member
from simulator.scenario.life_cycle import asking_stages, own_policies
from simulator.scenario.schema.platform import Policy
from simulator.scenario.schema.scenario import Scenario

_EXPLORING = "exploringplaces"


def declared_label(scenario: Scenario) -> Label:
    """Return the label of the scenario: what it counts as a positive."""
    name = scenario.platform.label
    label = scenario.platform.labels[name]
    return Label(name, tuple(label.events), label.at_least.value if label.at_least else None, label.or_item)


def create_recommender(name: str, parameters: Mapping[str, Any], scenario: Scenario, seed: int) -> Recommender:
    """Create a registered recommender, or one by import path, with the scenario's label."""
    return registry.create(name, dict(parameters), seed=seed, label=declared_label(scenario))


@dataclass(frozen=True)
class Policies:
    """The platform's own policies of a run.

    Attributes:
        serves: names of the browse stages whose slates the recommender makes.
        by_name: the policy of every other stage that asks for slates; stages with the same one share it.
        rules: what the scenario says of them, by stage.
        by_stage: the same by the stage's number.
    """

    serves: tuple[str, ...]
    by_name: Mapping[str, Recommender]
    rules: Mapping[str, Policy]
    by_stage: Mapping[int, Recommender]

    @property
    def each(self) -> tuple[Recommender, ...]:
        """Return every policy once, in the order of stages."""
        return tuple({id(who): who for who in self.by_name.values()}.values())

    def servers(self, n_stages: int) -> npt.NDArray[np.int64] | None:
        """Return who makes the slates of each stage, (n_stages,): 0 the recommender; None where it makes all."""
        if not self.by_stage:
            return None
        numbers = np.zeros(n_stages, dtype=np.int64)
        for stage, who in self.by_stage.items():
            numbers[stage] = 1 + next(k for k, each in enumerate(self.each) if each is who)
        return numbers

    def told(self) -> dict[str, Any]:
        """Return who serves what, for the manifest: with it a row's stage and version in a log name its policy."""
        policies = {
            stage: {
                "recommender": self.rules[stage].recommender,
                "explore": share_explored(self.rules[stage]),
                "from_version": int(who.learns),
                "fallback": fallback(places_of(who)),
            }
            for stage, who in self.by_name.items()
        }
        return {"serves": list(self.serves), "policies": policies}


def share_explored(rule: Policy) -> float:
    """Return the share of places that a policy fills at random."""
    return 0.0 if rule.explore is None else rule.explore.value


def create_policies(scenario: Scenario, seed: int) -> Policies:
    """Create the policies of the stages that the recommender does not serve, with the scenario's label.

    Raises:
        RecommenderError: one is not known, or refuses its parameters.
    """
    label, made = declared_label(scenario), dict[tuple[str, float], Recommender]()
    rules = {stage: rule for stage, rule in own_policies(scenario).items() if rule is not None}
    found: dict[str, Recommender] = {}
    for stage, rule in rules.items():
        share = share_explored(rule)
        key = (rule.recommender, share)
        if key not in made:
            where = f"{scenario.shown}: platform.policies.{stage}.recommender"
            made[key] = create_member(rule.recommender, seed, label, where)
            if share > 0.0:
                explored = {"member": rule.recommender, "epsilon": share}
                made[key] = registry.create(_EXPLORING, explored, seed=seed, label=label)
        found[stage] = made[key]
    numbers = {name: number for number, name in enumerate(scenario.stages)}
    serves = tuple(name for name in asking_stages(scenario) if name not in found)
    return Policies(serves, found, rules, {numbers[name]: who for name, who in found.items()})
