"""What the schema can say and this version cannot run: refused by name, before anything starts."""

from __future__ import annotations

from simulator.engine.tables.codes import OUTCOMES
from simulator.errors import InputError
from simulator.plan.fulfilment import CASE_OUTCOMES
from simulator.plan.limits import LIMITS, lies_between
from simulator.plan.stages import RUN_LAYOUTS, beside_visits
from simulator.plan.supported_menus import refuse_levels
from simulator.scenario.events import MOST_EVENTS, vocabulary
from simulator.scenario.schema.scenario import (
    AttributeModality,
    ContentModality,
    DistanceModality,
    HazardConsume,
    PromiseModality,
    ReadoutModality,
    Scenario,
)


def refuse_what_cannot_run(scenario: Scenario) -> None:
    """Sections and kinds of the schema that this version has no kernels for. Raises InputError."""
    where = scenario.shown
    refuse_levels(scenario)
    _refuse_parents(scenario)
    used = {getattr(modality, "trait", None) for modality in scenario.modalities.values()}
    silent = {f"user.traits.{trait}": own for trait, own in scenario.user.traits.items() if trait not in used}
    for name, group in scenario.user.groups.items():
        silent |= {
            f"user.groups.{name}.traits.{trait}": own for trait, own in group.traits.items() if trait not in used
        }
    for key, given in silent.items():
        if given is not None:
            raise InputError(where, f"{key}: this version cannot run it yet", f"a scenario without {key}")
    _refuse_criteria(scenario)
    _refuse_returning(scenario)
    declared = scenario.declared_interests
    if declared is not None and declared.facet != scenario.satiation_facet:
        raise InputError(
            where,
            f"declared_interests.facet = {declared.facet}: this version cannot run it yet",
            f"the satiation_facet, {scenario.satiation_facet}",
        )
    beside = beside_visits(scenario)
    follow = declared.follow if declared is not None else None
    if any(follow in block.acts for name, block in scenario.respond.items() if name in beside):
        raise InputError(
            where, f"declared_interests.follow = {follow}: this version cannot run it yet in a case",
            "an act of a stage that users respond in while they visit",
        )  # fmt: skip
    for name in scenario.stages:
        if name in beside:
            _refuse_what_no_case_does(scenario, name)
        else:
            _refuse_what_no_visit_does(scenario, name)
    if len(vocabulary(scenario.observation)) > MOST_EVENTS:
        raise InputError(where, f"observation: {len(scenario.observation)} events", f"at most {MOST_EVENTS} in all")


def _refuse_parents(scenario: Scenario) -> None:
    shown = {stage.level for stage in scenario.stages.values()}
    for name, parent in scenario.parents.items():
        for each in parent.modalities:
            modality = scenario.modalities[each]
            of_parent = isinstance(modality, AttributeModality) and modality.shows in parent.attributes
            of_parent |= name in shown and isinstance(modality, PromiseModality | DistanceModality)
            if not of_parent and not isinstance(modality, ContentModality | ReadoutModality):
                raise InputError(
                    scenario.shown,
                    f"parents.{name}.modalities: {each}, a {modality.kind}: this version cannot run it yet",
                    f"content, a read-out, an attribute of {name}, or a promise or distance where a stage shows {name}",
                )


def _refuse_criteria(scenario: Scenario) -> None:
    where, attributes = scenario.shown, {name for kind in scenario.item_types.values() for name in kind.attributes}
    attributes |= {name for parent in scenario.parents.values() for name in parent.attributes}
    for name, criterion in scenario.criteria.items():
        key = f"criteria.{name}"
        if criterion.kind == "only":
            raise InputError(
                where, f"{key}.kind = {criterion.kind}: this version cannot run it yet",
                "query, category, at_most, at_least or near",
            )  # fmt: skip
        known = {"item_type", scenario.satiation_facet} if criterion.kind == "category" else {scenario.satiation_facet}
        if criterion.kind in LIMITS:
            known = attributes
        if criterion.on not in known and not lies_between(scenario, criterion):
            raise InputError(
                where,
                f"{key}.on = {criterion.on}: this version cannot run it yet",
                f"one of {', '.join(sorted(known))}",
            )
        if criterion.weight is None and criterion.stated.value < 1.0:
            raise InputError(
                where, f"{key}.weight is missing", "what it is worth, or stated: 1: untold, it would change nothing"
            )
        if criterion.on == "item_type" and criterion.weight is not None:
            raise InputError(
                where, f"{key}.weight: this version cannot run it yet on item_type", "a criterion that is stated"
            )


def _refuse_returning(scenario: Scenario) -> None:
    """What is remembered and bought again is what cases are of: an item, or the parent that a basket is from."""
    where, beside = scenario.shown, beside_visits(scenario)
    ordered = {scenario.stages[name].within for name, block in scenario.browse.items() if block.picks is not None}
    for name, kind in scenario.item_types.items():
        if kind.remembered is not None and ordered:
            raise InputError(
                where, f"item_types.{name}.remembered: this version cannot run it yet where there are baskets",
                "parents.X.remembered",
            )  # fmt: skip
    for name, parent in scenario.parents.items():
        if parent.remembered is not None and name not in ordered:
            raise InputError(
                where, f"parents.{name}.remembered: nothing is ordered from {name}",
                "a parent with baskets (a stage within it, with picks)",
            )  # fmt: skip
    for name, block in scenario.respond.items():
        if block.again is None:
            continue
        key = f"respond.{name}.again"
        for each in block.again.types:
            if each in scenario.parents and each not in ordered:
                raise InputError(where, f"{key}.types = {each}: nothing is ordered from {each}", "item types")
            if each not in scenario.parents and ordered:
                raise InputError(
                    where, f"{key}.types = {each}: this version cannot run it yet where there are baskets",
                    "the parent that they are from",
                )  # fmt: skip
        if name not in beside:
            raise InputError(where, f"{key}: this version runs it in a case only", "a stage that a case comes to")
        if block.again.stage in beside:
            wrong = f"{key}.stage = {block.again.stage}, which is a stage of cases"
            raise InputError(where, wrong, "a stage of visits")


def _refuse_what_no_visit_does(scenario: Scenario, name: str) -> None:
    where, stage = scenario.shown, scenario.stages[name]
    if stage.kind not in OUTCOMES:
        raise InputError(
            where,
            f"stages.{name}.kind = {stage.kind}: this version runs it in a case only",
            "a stage that the `starts` of a commit leads to",
        )
    for outcome in stage.next:
        if outcome not in OUTCOMES[stage.kind]:
            raise InputError(
                where,
                f"stages.{name}.next.{outcome}: this version cannot run it yet",
                f"{', '.join(OUTCOMES[stage.kind])}",
            )
    for key, allowed in (("wait", {"defer", "pause"}), ("starts", {"confirm"})):
        for outcome in getattr(stage, key):
            if outcome not in allowed:
                raise InputError(
                    where,
                    f"stages.{name}.{key}.{outcome}: this version cannot run it yet",
                    f"only {', '.join(allowed)}",
                )
    if stage.surface is None:
        raise InputError(where, f"stages.{name}.surface is missing", "a surface: the stages of a visit are on a screen")
    shape = scenario.surfaces[stage.surface].layout
    if stage.kind == "browse" and shape not in RUN_LAYOUTS:
        raise InputError(
            where,
            f"surfaces.{stage.surface}.layout = {shape}: this version cannot run it yet",
            f"one of {', '.join(RUN_LAYOUTS)}",
        )
    block = scenario.consume.get(name)
    if isinstance(block, HazardConsume) and block.paywall is not None:
        shown = scenario.modalities[block.paywall.modality]
        attributes = {each for kind in scenario.item_types.values() for each in kind.attributes}
        if isinstance(shown, AttributeModality) and shown.shows not in attributes:
            raise InputError(
                where, f"consume.{name}.paywall.modality shows {shown.shows}: this version cannot run it yet",
                "an attribute of item types",
            )  # fmt: skip
        if block.pause is not None:
            raise InputError(
                where, f"consume.{name}.paywall beside pause: this version cannot run it yet", "one of the two"
            )
    if stage.kind == "consume" and scenario.consume[name].model != "hazard":
        raise InputError(
            where,
            f"consume.{name}.model = {scenario.consume[name].model}: this version runs it in a case only",
            "hazard",
        )


def _refuse_what_no_case_does(scenario: Scenario, name: str) -> None:
    where, stage = scenario.shown, scenario.stages[name]
    if stage.kind not in CASE_OUTCOMES:
        raise InputError(
            where,
            f"stages.{name}.kind = {stage.kind}: a case goes on without its user",
            f"one of {', '.join(CASE_OUTCOMES)}",
        )
    if stage.wait or stage.starts:
        key = "wait" if stage.wait else "starts"
        raise InputError(where, f"stages.{name}.{key}: this version runs it in visits only", f"a stage without {key}")
    if "aside" in stage.next:
        raise InputError(where, f"stages.{name}.next.aside: a case goes on without its user", "a stage without aside")
    if stage.kind == "consume" and scenario.consume[name].model != "experience":
        raise InputError(where, f"consume.{name}.model = {scenario.consume[name].model}", "experience, in a case")
