"""Facets, item types, parents, modalities and interests: what items are, and what is seen of them."""

from __future__ import annotations

from collections import Counter
from math import prod

from simulator.scenario.checks.rules import Breaches, Engine
from simulator.scenario.limits import DECLARED, INTERESTS, PARTITIONS, SEGMENTS
from simulator.scenario.schema.numbers import Number
from simulator.scenario.schema.scenario import (
    AttributeModality,
    ContentModality,
    DistanceModality,
    PromiseModality,
    ReadoutModality,
    Scenario,
)

_AGREED = 0.5  # of a taste: half of its variance is everybody's


def tastes(scenario: Scenario) -> Breaches:
    """Yield interests that are not among the clusters of their facet."""
    facet = scenario.satiation_facet
    if scenario.facets[facet].clusters == 0:
        yield f"satiation_facet = {facet} has no clusters", "expected a facet with clusters"
        return
    numbers = [("user.interests", scenario.user.interests.value, facet, INTERESTS)]
    declared = scenario.declared_interests
    if declared is not None:
        numbers.append(("declared_interests.clusters", declared.clusters.value, declared.facet, DECLARED))
    for key, value, of, most in numbers:
        clusters = scenario.facets[of].clusters
        if not 1 <= value <= clusters:
            yield f"{key}.value = {value:g}", f"expected 1 to {clusters}, the clusters of {of}"
        elif value > most:
            yield f"{key}.value = {value:g}", f"expected at most {most}"


def tails(scenario: Scenario) -> Breaches:
    """Yield tails of items that not everybody would dislike, or that would not be so bad."""
    for name, facet in scenario.facets.items():
        if facet.bad_tail is None:
            continue
        key = f"facets.{name}.bad_tail"
        if facet.agreement.value < _AGREED:
            right = f"expected an agreement of at least {_AGREED:g}: everybody is to dislike them"
            yield f"{key}, where agreement is {facet.agreement.value:g}", right
        elif facet.saturation.value > 0.0:
            yield f"{key}, where matches level off", "expected a saturation of 0: else they are not so bad"


def groups(scenario: Scenario) -> Breaches:
    """Yield groups that divide users in too many ways."""
    ways = Counter(group.of for group in scenario.user.groups.values())
    if len(ways) > PARTITIONS:
        yield f"user.groups differ in {len(ways)} ways", f"expected at most {PARTITIONS}"
    elif prod(ways.values()) > SEGMENTS:
        yield f"user.groups have {prod(ways.values())} combinations", f"expected at most {SEGMENTS}"


def parents(scenario: Scenario) -> Breaches:
    """Yield parents that share a name or an item with something else, or have no children."""
    taken = {"duration", "creator", "type", "published_at", scenario.satiation_facet}
    taken |= {name for item_type in scenario.item_types.values() for name in item_type.attributes}
    parent_of: dict[str, str] = {}
    for name, parent in scenario.parents.items():
        key = f"parents.{name}"
        if name in taken:
            yield f"{key}: items have a column {name} already", "expected another name"
        for kind in scenario.item_types if parent.types is None else parent.types:
            if kind in parent_of:
                wrong = f"parents.{parent_of[kind]} and {key} both hold items of type {kind}"
                yield wrong, "expected one kind of parent per type; see `types`"
            parent_of[kind] = name
        for attribute in parent.attributes:
            if attribute in taken:
                wrong = f"{key}.attributes.{attribute}: items have a column {attribute} already"
                yield wrong, "expected another name"
        taken |= {*parent.attributes, name}
        if isinstance(parent.children, Number) and parent.children.value < 1.0:
            yield f"{key}.children = {parent.children.value:g}", "expected at least 1 item per parent"


def modalities(scenario: Scenario) -> Breaches:
    """Yield modalities that show nothing, or not in a unit that fits."""
    for name, modality in scenario.modalities.items():
        key = f"modalities.{name}"
        if isinstance(modality, ReadoutModality) and (modality.counts is None) == (modality.averages is None):
            yield f"{key}: a readout", "expected either counts or averages, with an event"
        if isinstance(modality, AttributeModality) and modality.relative:
            per = modality.per.unit if modality.per is not None else "ratio"
            if per not in ("ratio", "share"):
                yield f"{key}.per.unit = {per}, and the number is relative to the usual one", "expected a ratio"
        if isinstance(modality, DistanceModality) and scenario.places is None:
            yield "places is missing", f"{key}, a distance, needs places"


def unsupported(scenario: Scenario, engine: Engine) -> Breaches:
    """Yield modalities of parents, traits without use, interests in other facets, and facets too many."""
    shown = {stage.shows_parents for stage in scenario.stages.values()}
    for name, parent in scenario.parents.items():
        for each in parent.modalities:
            modality = scenario.modalities[each]
            of_parent = isinstance(modality, AttributeModality) and modality.shows in parent.attributes
            of_parent |= name in shown and isinstance(modality, PromiseModality | DistanceModality)
            if not of_parent and not isinstance(modality, ContentModality | ReadoutModality):
                wrong = f"parents.{name}.modalities: {each}, a {modality.kind}: this version cannot run it yet"
                right = f"content, a read-out, an attribute of {name}"
                yield wrong, f"{right}, or a promise or distance where a stage shows {name}"
    used = {getattr(modality, "trait", None) for modality in scenario.modalities.values()}
    groups = {f"user.groups.{name}": group.traits for name, group in scenario.user.groups.items()}
    for key, traits in {"user": scenario.user.traits, **groups}.items():
        for trait in traits:
            if trait not in used:
                unused = f"{key}.traits.{trait}"
                yield f"{unused}: this version cannot run it yet", f"a scenario without {unused}"
    declared, facet = scenario.declared_interests, scenario.satiation_facet
    if declared is not None and declared.facet != facet:
        wrong = f"declared_interests.facet = {declared.facet}: this version cannot run it yet"
        yield wrong, f"the satiation_facet, {facet}"
    for name, row in scenario.facets.items():
        if row.bad_tail is not None and any(shown):
            wrong = f"facets.{name}.bad_tail, where parents are shown: this version cannot run it yet"
            yield wrong, "a scenario whose stages show items"
    if len(scenario.facets) > engine.facets:
        yield f"facets: {len(scenario.facets)} of them", f"at most {engine.facets}"
