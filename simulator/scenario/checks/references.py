"""Every name that a section of a scenario uses must exist in another."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from simulator.scenario.checks.rules import Breaches, need
from simulator.scenario.life_cycle import CREATOR, NEWEST, asking_stages
from simulator.scenario.schema.catalog import PLACE, Criterion
from simulator.scenario.schema.fulfilment import Openings, Slots
from simulator.scenario.schema.platform import EVERYTHING
from simulator.scenario.schema.scenario import ReadoutModality, Scenario

REFERENCES = (
    # where names are written (`*`: in every entry of a table), and the section or the names below that they are from
    ("satiation_facet", "facets"),
    ("item_types.*.weights", "facets"),
    ("item_types.*.precisions", "modalities"),
    ("item_types.*.remembered.revealed_by", "modalities"),
    ("facets.*.bad_tail.types", "item_types"),
    ("parents.*.types", "item_types"),
    ("parents.*.shares", "facets"),
    ("parents.*.modalities", "modalities"),
    ("parents.*.precisions", "modalities"),
    ("parents.*.remembered.revealed_by", "modalities"),
    ("parents.*.repetition.revealed_by", "modalities"),
    ("modalities.*.types", "item_types"),
    ("modalities.*.tells", "facets"),
    ("modalities.*.shows", "public numbers"),
    ("modalities.*.promise", "promises"),
    ("modalities.*.trait", "traits"),
    ("surfaces.*.visible", "devices"),
    ("surfaces.*.shows.*", "modalities"),
    ("surfaces.*.hidden", "devices"),
    ("stages.*.shows_parents", "parents"),
    ("stages.*.children_of", "parents and creators"),
    ("stages.*.queue_of", "browse stages"),
    ("stages.*.ordered_by", "orders of menus"),
    ("stages.*.surface", "surfaces"),
    ("outreach.*.stage", "browse stages"),
    ("user.intents.*.reluctance", "judging stages"),
    ("user.groups.*.devices", "devices"),
    ("user.groups.*.intents", "intents"),
    ("devices.*.reluctance", "judging stages"),
    ("contexts.*.devices", "devices"),
    ("contexts.*.mutes", "modalities"),
    ("declared_interests.facet", "facets with clusters"),
    ("declared_interests.follow", "acts"),
    ("resources.*.per", "owners"),
    ("choosers.*.per", "owners"),
    ("choosers.*.facet", "facets"),
    ("choosers.*.capacity_of", "resources with room"),
    ("promises.*.stage", "fulfil"),
    ("criteria.*.stated_in", "browse stages"),
    ("sorting.*.on", "what lists are sorted on"),
    ("sorting.*.stages", "stages"),
    ("browse.*.suffices.modality", "modalities"),
    ("commit.*.bracket.types", "item_types"),
    ("commit.*.bracket.starts", "fulfil stages"),
    ("commit.*.costs.*.attribute", "attributes"),
    ("commit.*.pays", "attributes"),
    ("fulfil.*.promise", "promises"),
    ("fulfil.*.steps.*.uses", "resources"),
    ("fulfil.*.steps.*.holds", "resources"),
    ("fulfil.*.steps.*.chosen_by", "choosers"),
    ("fulfil.*.steps.*.slowed_by", "circumstances"),
    ("consume.*.paywall.modality", "modalities"),
    ("respond.*.again.types", "item types and parents"),
    ("respond.*.again.stage", "stages"),
    ("respond.*.lateness.promise", "promises"),
    ("supply.past.events", "counted events"),
    ("platform.policies", "stages that ask for slates"),
    ("platform.serves", "stages that can be served"),
)


def names(scenario: Scenario) -> Breaches:
    """Yield names that do not exist in the section that `REFERENCES` says they are from."""
    known = _known(scenario)
    for path, source in REFERENCES:
        there = known[source] if source in known else [*getattr(scenario, source)]
        for key, written in _written(scenario, path.split("."), ""):
            yield from need(key, written, there)


def names_of_one(scenario: Scenario) -> Breaches:
    """Yield names that do not exist in the one surface, fulfilment or kind of criterion that they are about."""
    for name, surface in scenario.surfaces.items():
        shown = {modality: None for each in surface.shows.values() for modality in each}
        for device, hidden in surface.hidden.items():
            yield from need(f"surfaces.{name}.hidden.{device}", hidden, shown)
    for name, promise in scenario.promises.items():
        steps = [step.step for step in scenario.fulfil[promise.stage].steps]
        yield from need(f"promises.{name}.steps", promise.steps, steps)
    for name, criterion in scenario.criteria.items():
        yield from need(f"criteria.{name}.on", [criterion.on], _criteria_on(scenario, criterion))


def _written(value: Any, path: list[str], key: str) -> Iterator[tuple[str, list[str]]]:
    """Yield the names at a path below a value, and the key at which they are written; steps are called by name."""
    if value is None:
        return
    if not path:
        yield key.lstrip("."), [value] if isinstance(value, str) else list(value)
    elif path[0] != "*":
        yield from _written(getattr(value, path[0], None), path[1:], f"{key}.{path[0]}")
    else:
        for name, each in value.items() if isinstance(value, dict) else ((step.step, step) for step in value):
            yield from _written(each, path[1:], f"{key}.{name}")


def _known(scenario: Scenario) -> dict[str, list[str]]:
    """Return the names that are not simply those of a section."""
    kinds = {name: stage.kind for name, stage in scenario.stages.items()}
    attributes = attributes_of(scenario)
    readouts = [name for name, modality in scenario.modalities.items() if isinstance(modality, ReadoutModality)]
    places = scenario.places is not None
    traits = [trait for group in scenario.user.groups.values() for trait in group.traits]
    return {
        "attributes": attributes,
        "public numbers": sorted([*attributes, "published_at"]),
        "what lists are sorted on": [
            *sorted([*attributes, "published_at"]), *scenario.promises, *readouts, *([PLACE] if places else []),
        ],
        "parents and creators": [*scenario.parents, CREATOR],
        "item types and parents": [*scenario.item_types, *scenario.parents],
        "browse stages": [name for name, kind in kinds.items() if kind == "browse"],
        "counted events": counted(scenario),
        "stages that ask for slates": asking_stages(scenario),
        "stages that can be served": [*asking_stages(scenario), *_everything(scenario)],
        "judging stages": [name for name, kind in kinds.items() if kind in ("browse", "inspect", "commit")],
        "fulfil stages": [name for name, kind in kinds.items() if kind == "fulfil"],
        "orders of menus": [*recorded(scenario), NEWEST],
        "facets with clusters": _clustered(scenario),
        "acts": list(dict.fromkeys(act for block in scenario.respond.values() for act in block.acts)),
        "intents": list(scenario.user.intents),
        "traits": list(dict.fromkeys([*scenario.user.traits, *traits])),
        "owners": ["world", "item", "creator", "user", *(["zone"] if places else []), *scenario.parents],
        "resources with room": [name for name, row in scenario.resources.items() if isinstance(row, Slots | Openings)],
    }  # fmt: skip


def _everything(scenario: Scenario) -> list[str]:
    """Return the word for all stages, where it stands alone."""
    return [EVERYTHING] if scenario.platform.serves == [EVERYTHING] else []


def _clustered(scenario: Scenario) -> list[str]:
    return [facet for facet, row in scenario.facets.items() if row.clusters > 0]


def _criteria_on(scenario: Scenario, criterion: Criterion) -> list[str]:
    if criterion.kind == "query":
        return list(scenario.facets)
    if criterion.kind == "category":
        return ["item_type", *_clustered(scenario)]
    if criterion.kind == "near":
        return [PLACE]
    if criterion.kind == "only":
        return attributes_of(scenario)
    return sorted({*attributes_of(scenario), "published_at", *scenario.promises})


def item_numbers(scenario: Scenario) -> list[str]:
    """Return the public numbers of items: attributes, when they came out, and their duration where they have one."""
    timed = any(item_type.duration is not None for item_type in scenario.item_types.values())
    return sorted({*attributes_of(scenario), "published_at", *(["duration"] if timed else [])})


def attributes_of(scenario: Scenario) -> list[str]:
    """Return the names of attributes that items or their parents have."""
    tables = [each.attributes for each in scenario.item_types.values()]
    tables += [each.attributes for each in scenario.parents.values()]
    return list(dict.fromkeys(name for table in tables for name in table))


def averaged(scenario: Scenario) -> list[str]:
    """Return the events whose values read-outs average."""
    shown = [each for each in scenario.modalities.values() if isinstance(each, ReadoutModality)]
    return [each.averages for each in shown if each.averages is not None]


def counted(scenario: Scenario) -> list[str]:
    """Return the events that the platform counts for each item: for read-outs, and for orders of menus."""
    shown = [each.counts for each in scenario.modalities.values() if isinstance(each, ReadoutModality)]
    orders = [stage.ordered_by for stage in scenario.stages.values() if stage.ordered_by != NEWEST]
    return list(dict.fromkeys(name for name in [*shown, *averaged(scenario), *orders] if name is not None))


def recorded(scenario: Scenario) -> list[str]:
    """Return the events that somebody records."""
    return [name for name, row in scenario.observation.items() if row.observer != "none"]
