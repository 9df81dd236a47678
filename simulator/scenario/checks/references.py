"""Every name that a section of a scenario uses must exist in another."""

from __future__ import annotations

from collections.abc import Iterable

from simulator.errors import InputError
from simulator.scenario.life_cycle import CREATOR, NEWEST
from simulator.scenario.messages import nearest
from simulator.scenario.schema.fulfilment import Chooser, Openings, Queue, Slots
from simulator.scenario.schema.numbers import Number
from simulator.scenario.schema.scenario import (
    AttributeModality,
    ContentModality,
    DistanceModality,
    PromiseModality,
    ReadoutModality,
    Scenario,
    Stage,
)


def need(scenario: Scenario, key: str, names: Iterable[str], known: Iterable[str]) -> None:
    """All of ``names``, written at ``key``, must be among ``known``."""
    there = list(known)
    for name in names:
        if name not in there:
            raise InputError(scenario.shown, f"{key} names {name}, which does not exist", nearest(name, there))


def check_names(scenario: Scenario) -> None:
    """Facets, modalities, devices, surfaces, attributes, parents, resources and promises that are named must exist."""
    _check_taste(scenario)
    _check_modalities(scenario)
    _check_surfaces(scenario)
    _check_stages(scenario)
    _check_user_input(scenario)
    _check_world(scenario)


def attributes_of(scenario: Scenario) -> set[str]:
    """Numbers that items or their parents have."""
    tables = [each.attributes for each in scenario.item_types.values()]
    tables += [each.attributes for each in scenario.parents.values()]
    return {"published_at", *(name for table in tables for name in table)}


def _check_taste(scenario: Scenario) -> None:
    need(scenario, "satiation_facet", [scenario.satiation_facet], scenario.facets)
    clusters = scenario.facets[scenario.satiation_facet].clusters
    if clusters == 0:
        wrong = f"satiation_facet = {scenario.satiation_facet} has no clusters"
        raise InputError(scenario.shown, wrong, "expected a facet with clusters")
    if not 1 <= scenario.user.interests.value <= clusters:
        wrong = f"user.interests.value = {scenario.user.interests.value:g}"
        raise InputError(scenario.shown, wrong, f"expected 1 to {clusters}, the clusters of {scenario.satiation_facet}")
    for name, item_type in scenario.item_types.items():
        need(scenario, f"item_types.{name}.weights", item_type.weights, scenario.facets)
        need(scenario, f"item_types.{name}.reads", item_type.reads, scenario.modalities)
        remembered = item_type.remembered
        if remembered is not None:
            need(scenario, f"item_types.{name}.remembered.told_by", remembered.told_by or [], scenario.modalities)
    _check_parents(scenario)


def _check_parents(scenario: Scenario) -> None:
    taken = {"duration", "creator", "type", "published_at", scenario.satiation_facet}
    own = {name for item_type in scenario.item_types.values() for name in item_type.attributes}
    parent_of: dict[str, str] = {}
    for name, parent in scenario.parents.items():
        key = f"parents.{name}"
        if name in taken | own:
            raise InputError(scenario.shown, f"{key}: items have a column {name} already", "expected another name")
        need(scenario, f"{key}.types", parent.types or [], scenario.item_types)
        for kind in scenario.item_types if parent.types is None else parent.types:
            if kind in parent_of:
                wrong = f"parents.{parent_of[kind]} and {key} both hold items of type {kind}"
                raise InputError(scenario.shown, wrong, "expected one kind of parent per type; see `types`")
            parent_of[kind] = name
        need(scenario, f"{key}.shares", parent.shares, scenario.facets)
        need(scenario, f"{key}.modalities", parent.modalities, scenario.modalities)
        need(scenario, f"{key}.reads", parent.reads, scenario.modalities)
        for attribute in parent.attributes:
            if attribute in taken | own:
                wrong = f"{key}.attributes.{attribute}: items have a column {attribute} already"
                raise InputError(scenario.shown, wrong, "expected another name")
        own |= {*parent.attributes, name}
        if isinstance(parent.children, Number) and parent.children.value < 1.0:
            wrong = f"{key}.children = {parent.children.value:g}"
            raise InputError(scenario.shown, wrong, "expected at least 1 item per parent")
        if parent.remembered is not None:
            need(scenario, f"{key}.remembered.told_by", parent.remembered.told_by or [], scenario.modalities)
        if parent.repetition is not None:
            need(scenario, f"{key}.repetition.told_by", parent.repetition.told_by or [], scenario.modalities)


def _check_modalities(scenario: Scenario) -> None:
    for name, modality in scenario.modalities.items():
        key = f"modalities.{name}"
        need(scenario, f"{key}.types", modality.types or [], scenario.item_types)
        if isinstance(modality, ContentModality | ReadoutModality):
            need(scenario, f"{key}.tells", modality.tells, scenario.facets)
        if isinstance(modality, ReadoutModality) and (modality.counts is None) == (modality.averages is None):
            raise InputError(scenario.shown, f"{key}: a readout", "expected either counts or averages, with an event")
        if isinstance(modality, AttributeModality):
            need(scenario, f"{key}.shows", [modality.shows], attributes_of(scenario))
            per = modality.per.unit if modality.per is not None else "ratio"
            if modality.relative and per not in ("ratio", "share"):
                wrong = f"{key}.per.unit = {per}, and the number is relative to the usual one"
                raise InputError(scenario.shown, wrong, "expected a ratio")
        if isinstance(modality, PromiseModality):
            need(scenario, f"{key}.promise", [modality.promise], scenario.promises)
        if isinstance(modality, DistanceModality) and scenario.places is None:
            raise InputError(scenario.shown, "places is missing", f"{key}, a distance, needs places")


def _check_surfaces(scenario: Scenario) -> None:
    for name, surface in scenario.surfaces.items():
        key = f"surfaces.{name}"
        need(scenario, f"{key}.visible", surface.visible, scenario.devices)
        for device in scenario.devices:
            if device not in surface.visible:
                right = "expected the number of cards on its screen (0: nothing is seen)"
                raise InputError(scenario.shown, f"{key}.visible.{device} is missing", right)
        for kind, shown in surface.shows.items():
            need(scenario, f"{key}.shows.{kind}", shown, scenario.modalities)
            if len(set(shown)) < len(shown):
                raise InputError(scenario.shown, f"{key}.shows.{kind} repeats a modality", "expected each once")
        need(scenario, f"{key}.hidden", surface.hidden, scenario.devices)
        for device, hidden in surface.hidden.items():
            shown_somewhere = {modality for shown in surface.shows.values() for modality in shown}
            need(scenario, f"{key}.hidden.{device}", hidden, shown_somewhere)
        if surface.layout in ("autoplay", "none") and surface.shows.get("browse"):
            wrong = f"{key}.shows.browse on a surface with layout {surface.layout}"
            raise InputError(scenario.shown, wrong, "expected []: nothing is seen of an item before it starts")
        if surface.editorial is not None and surface.editorial.slots > surface.slate:
            wrong = f"{key}.editorial.slots = {surface.editorial.slots}"
            raise InputError(scenario.shown, wrong, f"expected at most the slate's {surface.slate}")


def _check_stages(scenario: Scenario) -> None:
    for name, stage in scenario.stages.items():
        key = f"stages.{name}"
        if stage.about is not None and stage.kind != "browse":
            raise InputError(
                scenario.shown, f"{key}.about: a {stage.kind} stage asks for no slate", "expected a browse stage"
            )
        need(scenario, f"{key}.level", [stage.level] if stage.level else [], scenario.parents)
        need(scenario, f"{key}.within", [stage.within] if stage.within else [], [*scenario.parents, CREATOR])
        browse = [each for each, row in scenario.stages.items() if row.kind == "browse"]
        need(scenario, f"{key}.rest_of", [stage.rest_of] if stage.rest_of else [], browse)
        _check_menu(scenario, key, stage)
        if stage.surface is None:
            if stage.kind in ("browse", "inspect"):
                raise InputError(scenario.shown, f"{key}.surface is missing", f"a {stage.kind} stage needs a surface")
            continue
        need(scenario, f"{key}.surface", [stage.surface], scenario.surfaces)
        if stage.kind not in scenario.surfaces[stage.surface].shows:
            wrong = f"surfaces.{stage.surface}.shows.{stage.kind} is missing"
            raise InputError(scenario.shown, wrong, f"stage {name} needs the list of modalities ([]: none)")


def _check_menu(scenario: Scenario, key: str, stage: Stage) -> None:
    """What a stage that shows parents, the children of one, or the rest of a slate needs."""
    if stage.level is not None:
        if scenario.parents[stage.level].knowledge is None:
            right = f"{key} shows {stage.level}: expected how well users judge one"
            raise InputError(scenario.shown, f"parents.{stage.level}.knowledge is missing", right)
        if stage.level in scenario.item_types:
            wrong = f"parents.{stage.level}: an item type is called so, and {key} shows it"
            raise InputError(scenario.shown, wrong, "expected another name")
    if stage.within is not None and stage.rest_of is not None:
        raise InputError(scenario.shown, f"{key}.within beside rest_of", "one of the two")
    its_cards = "rest_of" if stage.rest_of is not None else "within"
    if (stage.card_event is None) != (stage.within is None and stage.rest_of is None):
        there, missing = ("card_event", "within") if stage.card_event else (its_cards, "card_event")
        raise InputError(scenario.shown, f"{key}.{missing} is missing", f"{key}.{there} needs it")
    if stage.ordered_by is not None:
        if stage.within is None:
            raise InputError(scenario.shown, f"{key}.within is missing", f"{key}.ordered_by needs it")
        known = [name for name, row in scenario.observation.items() if row.observer != "none"]
        need(scenario, f"{key}.ordered_by", [stage.ordered_by], [*known, NEWEST])
    if stage.card_event == "impression":
        wrong = f"{key}.card_event = impression"
        raise InputError(scenario.shown, wrong, "expected a name of its own: impressions are of slates")


def _check_user_input(scenario: Scenario) -> None:
    for name, outreach in scenario.outreach.items():
        browse = [stage for stage, row in scenario.stages.items() if row.kind == "browse"]
        need(scenario, f"outreach.{name}.stage", [outreach.stage], browse)
    for name, context in scenario.contexts.items():
        need(scenario, f"contexts.{name}.devices", context.devices, scenario.devices)
        need(scenario, f"contexts.{name}.mutes", context.mutes, scenario.modalities)
    if scenario.declared_interests is not None:
        clustered = [facet for facet, row in scenario.facets.items() if row.clusters > 0]
        need(scenario, "declared_interests.facet", [scenario.declared_interests.facet], clustered)
        acts = dict.fromkeys(act for block in scenario.respond.values() for act in block.acts)
        follow = scenario.declared_interests.follow
        need(scenario, "declared_interests.follow", [follow] if follow else [], acts)
        clusters = scenario.facets[scenario.declared_interests.facet].clusters
        if not 1 <= scenario.declared_interests.clusters.value <= clusters:
            wrong = f"declared_interests.clusters.value = {scenario.declared_interests.clusters.value:g}"
            raise InputError(
                scenario.shown, wrong, f"expected 1 to {clusters}, the clusters of {scenario.declared_interests.facet}"
            )


def _check_world(scenario: Scenario) -> None:
    owners = ["world", "item", "creator", "user", *(["zone"] if scenario.places else []), *scenario.parents]
    for name, resource in scenario.resources.items():
        need(scenario, f"resources.{name}.per", [resource.per], owners)
        share = resource.per_item if isinstance(resource, Queue) else None
        if share is not None and share.more.value * (share.usual.value - 1.0) >= 1.0:
            wrong = f"resources.{name}.per_item: a case of one item would take no time"
            raise InputError(scenario.shown, wrong, f"expected more below {1.0 / (share.usual.value - 1.0):g}")
        for index, shift in enumerate(resource.shifts if isinstance(resource, Queue) else []):
            if not shift.starts.value < shift.ends.value <= 86400:
                wrong = f"resources.{name}.shifts.{index}"
                right = "expected starts before ends within a day; split it at midnight"
                raise InputError(scenario.shown, wrong, right)
    for name, chooser in scenario.choosers.items():
        need(scenario, f"choosers.{name}.per", [chooser.per], owners)
        need(scenario, f"choosers.{name}.facet", [chooser.facet], scenario.facets)
        _check_comparison(scenario, f"choosers.{name}", chooser)
    for name, promise in scenario.promises.items():
        need(scenario, f"promises.{name}.stage", [promise.stage], scenario.fulfil)
        steps = [step.step for step in scenario.fulfil[promise.stage].steps]
        need(scenario, f"promises.{name}.steps", promise.steps, steps)


def _check_comparison(scenario: Scenario, key: str, chooser: Chooser) -> None:
    """Who compares needs to be told when and how many pass; and room can only be looked for where there is some."""
    if (chooser.picks is None) != (chooser.every is None):
        there, missing = ("every", "picks") if chooser.picks is None else ("picks", "every")
        right = f"{key}.{there} needs it: so many pass in each decision"
        raise InputError(scenario.shown, f"{key}.{missing} is missing", right)
    if chooser.picks is not None and chooser.picks.value < 1.0:
        raise InputError(scenario.shown, f"{key}.picks = {chooser.picks.value:g}", "expected at least 1")
    if chooser.room is None:
        return
    if chooser.picks is None:
        raise InputError(scenario.shown, f"{key}.room without picks", "expected picks and every beside it")
    limited = {name: each for name, each in scenario.resources.items() if isinstance(each, Slots | Openings)}
    need(scenario, f"{key}.room", [chooser.room], limited)
    if limited[chooser.room].per != "item":  # decisions about several items may fall on one moment
        wrong = f"{key}.room = {chooser.room}, which is per {limited[chooser.room].per}"
        raise InputError(scenario.shown, wrong, "expected slots or openings per item")
