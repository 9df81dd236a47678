"""Every stage has the parameters of its kind, and they fit the rest of the scenario."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import get_args

import numpy as np

from simulator.errors import InputError
from simulator.scenario.checks.references import need
from simulator.scenario.messages import nearest
from simulator.scenario.schema.catalog import StageKind
from simulator.scenario.schema.fulfilment import FulfilParameters, Queue
from simulator.scenario.schema.scenario import AttributeModality, HazardConsume, Scenario
from simulator.scenario.schema.stages import Again


def check_blocks(scenario: Scenario) -> None:
    """Blocks and stages match, and each block's own conditions hold."""
    for kind in get_args(StageKind):
        _check_presence(scenario, kind, getattr(scenario, kind))
    _check_browse(scenario)
    _check_commit(scenario)
    _check_fulfil(scenario)
    _check_consume(scenario)
    _check_respond(scenario)


def _judged(scenario: Scenario, stage: str) -> bool:
    """Whether a browse stage leaves anything to examine: autoplay and a surface without a screen do not."""
    surface = scenario.stages[stage].surface
    return surface is None or scenario.surfaces[surface].layout not in ("autoplay", "none")


def _check_presence(scenario: Scenario, kind: str, blocks: Mapping[str, object]) -> None:
    of_kind = [name for name, stage in scenario.stages.items() if stage.kind == kind]
    if kind == "browse":
        of_kind = [name for name in of_kind if _judged(scenario, name)]
    for name in blocks:
        if name not in of_kind:
            wrong = f"{kind}.{name}: no stage of kind {kind} with something to judge is called so"
            if kind != "browse":
                wrong = f"{kind}.{name}: no stage of kind {kind} is called so"
            raise InputError(scenario.shown, wrong, nearest(name, of_kind))
    for name in of_kind:
        if name not in blocks:
            right = f"stage {name} of kind {kind} needs its parameters"
            raise InputError(scenario.shown, f"{kind}.{name} is missing", right)


def _both(scenario: Scenario, first: str, has_first: bool, second: str, has_second: bool) -> None:
    """Two keys that mean something only together."""
    if has_first != has_second:
        there, missing = (first, second) if has_first else (second, first)
        raise InputError(scenario.shown, f"{missing} is missing", f"{there} needs it")


def _check_browse(scenario: Scenario) -> None:
    for name, block in scenario.browse.items():
        if block.suffices is not None:
            need(scenario, f"browse.{name}.suffices.modality", [block.suffices.modality], scenario.modalities)


def _check_commit(scenario: Scenario) -> None:
    attributes = {key for item_type in scenario.item_types.values() for key in item_type.attributes}
    attributes |= {key for parent in scenario.parents.values() for key in parent.attributes}
    for name, block in scenario.commit.items():
        stage = scenario.stages[name]
        defers, its_key = block.defer is not None, f"commit.{name}.defer"
        _both(scenario, f"stages.{name}.next.defer", "defer" in stage.next, its_key, defers)
        _both(scenario, its_key, defers, f"stages.{name}.wait.defer", "defer" in stage.wait)
        if block.bracket is not None:
            where = f"commit.{name}.bracket"
            need(scenario, f"{where}.types", block.bracket.types, scenario.item_types)
            fulfil = [each for each, row in scenario.stages.items() if row.kind == "fulfil"]
            need(scenario, f"{where}.starts", [block.bracket.starts], fulfil)
            _both(scenario, f"stages.{name}.starts.confirm", "confirm" in stage.starts, where, True)
        for key, cost in block.costs.items():
            where = f"commit.{name}.costs.{key}"
            if (cost.attribute is None) == (cost.amount is None):
                raise InputError(scenario.shown, where, "expected either attribute or amount")
            need(scenario, f"{where}.attribute", [cost.attribute] if cost.attribute else [], attributes)


def _check_fulfil(scenario: Scenario) -> None:
    for name, block in scenario.fulfil.items():
        key = f"fulfil.{name}"
        need(scenario, f"{key}.promise", [block.promise] if block.promise else [], scenario.promises)
        names = [step.step for step in block.steps]
        for step in block.steps:
            where = f"{key}.steps.{step.step}"
            if names.count(step.step) > 1:
                raise InputError(scenario.shown, f"{where} is repeated", "expected every step once")
            need(scenario, f"{where}.uses", [step.uses] if step.uses else [], scenario.resources)
            need(scenario, f"{where}.holds", step.holds, scenario.resources)
            need(scenario, f"{where}.chosen_by", [step.chosen_by] if step.chosen_by else [], scenario.choosers)
            need(scenario, f"{where}.slowed_by", step.slowed_by, scenario.circumstances)
            resource = scenario.resources.get(step.uses or "")
            if isinstance(resource, Queue) and step.delay is None and resource.service is None:
                right = f"expected delay here, or service in resources.{step.uses}"
                raise InputError(scenario.shown, f"{where} says not how long it takes", right)
            if step.uses is None and step.delay is None and step.chosen_by is None and step.passes is None:
                raise InputError(scenario.shown, f"{where} does nothing", "expected uses, delay, passes or chosen_by")
        _check_held(scenario, key, block)
        expires = block.expires_after is not None or any(step.unanswered is not None for step in block.steps)
        has_outcome = "expired" in scenario.stages[name].next
        _both(scenario, f"stages.{name}.next.expired", has_outcome, f"{key}.expires_after", expires)


def _check_held(scenario: Scenario, key: str, block: FulfilParameters) -> None:
    """A case asks once for what it holds: what it keeps it asked for before, and does not ask for again."""
    asked: list[str] = []
    kept: list[str] = []
    for step in block.steps:
        where = f"{key}.steps.{step.step}"
        for name in step.holds:
            if name not in asked and name != step.uses:
                raise InputError(
                    scenario.shown, f"{where}.holds = {name}", "expected a resource that an earlier step uses"
                )
        kind = getattr(scenario.resources.get(step.uses or ""), "kind", None)
        again = step.uses in kept and step.uses in step.holds if kind == "queue" else step.uses in asked
        if kind in ("queue", "stock", "openings") and again:
            raise InputError(scenario.shown, f"{where}.uses = {step.uses}", "expected what the case does not have yet")
        asked += [step.uses] if step.uses else []
        kept = [name for name in kept if name in step.holds] + ([step.uses] if step.uses else [])


def _check_consume(scenario: Scenario) -> None:
    for name, block in scenario.consume.items():
        if not isinstance(block, HazardConsume):
            continue
        has_pause = "pause" in scenario.stages[name].next
        pauses, its_key = block.pause is not None, f"consume.{name}.pause"
        _both(scenario, f"stages.{name}.next.pause", has_pause, its_key, pauses)
        if pauses and "pause" not in scenario.stages[name].wait:
            raise InputError(scenario.shown, f"stages.{name}.wait.pause is missing", f"{its_key} needs it")
        if block.pause_left is not None and not pauses:
            raise InputError(scenario.shown, f"{its_key} is missing", f"consume.{name}.pause_left needs it")
        if block.paywall is not None:
            where, shows = f"consume.{name}.paywall.modality", block.paywall.modality
            need(scenario, where, [shows], scenario.modalities)
            wall = scenario.modalities[shows]
            if not isinstance(wall, AttributeModality) or wall.trait is None:
                right = "expected an attribute with a trait: 0 for users who may have all of it"
                raise InputError(scenario.shown, f"{where} = {shows}", right)
        for item_type, row in scenario.item_types.items():
            if row.duration is None:
                right = f"stage {name} plays items, so they need a duration"
                raise InputError(scenario.shown, f"item_types.{item_type}.duration is missing", right)


def _check_again(scenario: Scenario, key: str, again: Again) -> None:
    need(scenario, f"{key}.types", again.types, [*scenario.item_types, *scenario.parents])
    need(scenario, f"{key}.stage", [again.stage], scenario.stages)
    stage = scenario.stages[again.stage]
    for name in again.types:
        if name in scenario.parents:
            fits, right = stage.within == name, f"expected a stage within {name}: its menu"
        else:
            fits = stage.kind in ("inspect", "commit")
            right = "expected an inspect or a commit: the item is at hand"
        if not fits:
            wrong = f"{key}.stage = {again.stage}, of kind {stage.kind}, where {name} is bought again"
            raise InputError(scenario.shown, wrong, right)
    least, busiest = float(again.lasts.quantile(np.zeros(1))[0]), 1.0
    for profile in (scenario.user.hours, scenario.user.weekdays):  # time goes by faster where more people come
        if profile is not None:
            busiest *= max(profile.profile) * len(profile.profile) / sum(profile.profile)
    needed = scenario.clock.tick.value * busiest
    if least < needed:  # what becomes of a case reaches its user from the next tick on
        right = f"expected at least the tick at the busiest hour ({needed:g} s)"
        raise InputError(scenario.shown, f"{key}.lasts may be {least:g} s", right)


def _check_respond(scenario: Scenario) -> None:
    for name, block in scenario.respond.items():
        key = f"respond.{name}"
        bonus = block.followed_bonus is not None
        _both(scenario, f"{key}.acts.follow", "follow" in block.acts, f"{key}.followed_bonus", bonus)
        has_return = "return" in scenario.stages[name].next
        _both(scenario, f"stages.{name}.next.return", has_return, f"{key}.returns", block.returns is not None)
        has_aside, leads = "aside" in scenario.stages[name].next, any(act.aside for act in block.acts.values())
        _both(scenario, f"stages.{name}.next.aside", has_aside, f"{key}.acts: one with aside", leads)
        if block.again is not None:
            _check_again(scenario, f"{key}.again", block.again)
        if block.lateness is not None:
            need(scenario, f"{key}.lateness.promise", [block.lateness.promise], scenario.promises)
        if block.rating is not None:
            cuts = [threshold.value for threshold in block.rating.thresholds]
            rising = all(low < high for low, high in itertools.pairwise(cuts))
            if len(cuts) != block.rating.scale - 1 or not rising:
                right = f"expected {block.rating.scale - 1} rising numbers"
                raise InputError(scenario.shown, f"{key}.rating.thresholds = {cuts}", right)
