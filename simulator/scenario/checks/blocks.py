"""Every stage has the parameters of its kind, and they fit the rest of the scenario."""

from __future__ import annotations

import itertools
from typing import get_args

import numpy as np

from simulator.scenario.checks.rules import Breaches, Engine, need, together
from simulator.scenario.life_cycle import beside_visits, visit_acts, without_experience
from simulator.scenario.messages import nearest
from simulator.scenario.schema.catalog import StageKind
from simulator.scenario.schema.scenario import AttributeModality, HazardConsume, Scenario
from simulator.scenario.schema.stages import Again


def presence(scenario: Scenario) -> Breaches:
    """Yield parameters without a stage, and stages without parameters."""
    for kind in get_args(StageKind):
        blocks, of_kind = getattr(scenario, kind), [n for n, stage in scenario.stages.items() if stage.kind == kind]
        judging = ""
        if kind == "browse":
            of_kind, judging = [name for name in of_kind if _judged(scenario, name)], " with something to judge"
        for name in blocks:
            if name not in of_kind:
                yield f"{kind}.{name}: no stage of kind {kind}{judging} is called so", nearest(name, of_kind)
        for name in of_kind:
            if name not in blocks:
                yield f"{kind}.{name} is missing", f"stage {name} of kind {kind} needs its parameters"


def _judged(scenario: Scenario, stage: str) -> bool:
    """Return whether a browse stage leaves anything to examine: autoplay and a surface without a screen do not."""
    surface = scenario.stages[stage].surface
    return surface is None or scenario.surfaces[surface].layout not in ("autoplay", "none")


def demands(scenario: Scenario) -> Breaches:
    """Yield stages that demand nothing of an item, or two things."""
    for kind, fixed in (("browse", "outside_option"), ("inspect", "threshold"), ("commit", "threshold")):
        for name, block in getattr(scenario, kind).items():
            if (getattr(block, fixed) is None) == (block.search_cost is None):
                given = "is missing" if block.search_cost is None else "beside search_cost"
                yield f"{kind}.{name}.{fixed} {given}", f"expected either {fixed} or search_cost"
            picks = getattr(block, "picks", None)
            if picks is not None and picks.outside_option is not None and picks.search_cost is not None:
                yield f"{kind}.{name}.picks.outside_option beside search_cost", "expected one of them, or none"


def browse(scenario: Scenario) -> Breaches:
    """Yield looks at a first screen where no visit has its first screen, or where several cards are taken."""
    for name, block in scenario.browse.items():
        stage = scenario.stages[name]
        if block.look_and_leave is not None and (stage.children_of is not None or stage.queue_of is not None):
            right = "expected none: a menu or a queue is no visit's first screen"
            yield f"browse.{name}.look_and_leave", right
        if block.look_and_leave is not None and block.picks is not None:
            yield f"browse.{name}.look_and_leave beside picks", "expected one of the two"


def commit(scenario: Scenario) -> Breaches:
    """Yield decisions that are put off to nowhere, brackets without a case, and costs of nothing."""
    for name, block in scenario.commit.items():
        stage, key, defers = scenario.stages[name], f"commit.{name}", block.defer is not None
        yield from together(f"stages.{name}.next.defer", "defer" in stage.next, f"{key}.defer", defers)
        yield from together(f"{key}.defer", defers, f"stages.{name}.wait.defer", "defer" in stage.wait)
        if block.bracket is not None:
            yield from together(f"stages.{name}.starts.confirm", "confirm" in stage.starts, f"{key}.bracket", True)
        for each, cost in block.costs.items():
            if (cost.attribute is None) == (cost.amount is None):
                yield f"{key}.costs.{each}", "expected either attribute or amount"


def consume(scenario: Scenario) -> Breaches:
    """Yield pauses that lead nowhere, walls that everybody stands before, and items that cannot be played."""
    for name, block in scenario.consume.items():
        if not isinstance(block, HazardConsume):
            continue
        stage, key, pauses = scenario.stages[name], f"consume.{name}", block.pause is not None
        yield from together(f"stages.{name}.next.pause", "pause" in stage.next, f"{key}.pause", pauses)
        if pauses and "pause" not in stage.wait:
            yield f"stages.{name}.wait.pause is missing", f"{key}.pause needs it"
        if block.pause_left is not None and not pauses:
            yield f"{key}.pause is missing", f"{key}.pause_left needs it"
        yield from _endings(key, block)
        if block.paywall is not None:
            shows = block.paywall.modality
            wall = scenario.modalities[shows]
            if not isinstance(wall, AttributeModality) or wall.trait is None:
                right = "expected an attribute with a trait: 0 for users who may have all of it"
                yield f"{key}.paywall.modality = {shows}", right
        for item_type, row in scenario.item_types.items():
            if row.duration is None:
                right = f"stage {name} plays items, so they need a duration"
                yield f"item_types.{item_type}.duration is missing", right


def _endings(key: str, block: HazardConsume) -> Breaches:
    """Yield ends of plays that contradict each other."""
    again = block.at_end == "again"
    if again and block.reached is not None and not block.reached.by_itself:
        yield f"{key}.at_end = again", "expected next, or nothing: what does not move by itself does not begin again"
    for loop in ("loop", "loop_sensitivity"):
        if (getattr(block, loop) is None) != again:
            wrong, right = ("is missing", "needed without") if getattr(block, loop) is None else ("", "not needed with")
            yield f"{key}.{loop} {wrong}".rstrip(), f"{right} {key}.at_end = again: there the hazards of leaving decide"
    shares = [step.after.value for step in block.leave_by_share]
    if any(low >= high for low, high in itertools.pairwise(shares)):
        yield f"{key}.leave_by_share: after = {shares}", "expected rising numbers"
    if shares and shares[-1] >= 1.0 and not again:
        yield f"{key}.leave_by_share: after = {shares[-1]:g}", f"expected less than 1 without {key}.at_end = again"


def respond(scenario: Scenario) -> Breaches:
    """Yield responses that lead nowhere, ratings without a scale, and items that are bought again nowhere."""
    for name, block in scenario.respond.items():
        key, following = f"respond.{name}", scenario.stages[name].next
        for first, has_first, second, has_second in (
            (f"{key}.acts.follow", "follow" in block.acts, f"{key}.followed_bonus", block.followed_bonus is not None),
            (f"stages.{name}.next.return", "return" in following, f"{key}.returns", block.returns is not None),
            (
                f"stages.{name}.next.detour", "detour" in following,
                f"{key}.acts: one with detour", any(act.detour for act in block.acts.values()),
            ),
        ):  # fmt: skip
            yield from together(first, has_first, second, has_second)
        if block.again is not None:
            yield from _again(scenario, f"{key}.again", block.again)
        yield from _never_came(scenario, name)
        if block.rating is not None:
            cuts = [threshold.value for threshold in block.rating.thresholds]
            rising = all(low < high for low, high in itertools.pairwise(cuts))
            if len(cuts) != block.rating.scale - 1 or not rising:
                yield f"{key}.rating.thresholds = {cuts}", f"expected {block.rating.scale - 1} rising numbers"


def _never_came(scenario: Scenario, name: str) -> Breaches:
    """Yield cases that would be judged without an experience or a word on what that is worth, and words on nothing."""
    block, key = scenario.respond[name], f"respond.{name}.never_came"
    without = name in without_experience(scenario)
    if without and block.never_came is None:
        yield f"{key} is missing", f"expected what it is worth: a case may come to {name} without an experience"
    if block.never_came is None:
        return
    if not without:
        yield key, f"expected a way of cases to {name} without an experience: a fulfilment's refused or cancelled"
    yield from need(f"{key}.acts", block.never_came.acts, block.acts)
    if block.never_came.rates and block.rating is None:
        yield f"{key}.rates", f"expected respond.{name}.rating beside it"


def _again(scenario: Scenario, key: str, again: Again) -> Breaches:
    stage = scenario.stages[again.stage]
    for name in again.types:
        if name in scenario.parents:
            fits, right = stage.children_of == name, f"expected a stage within {name}: its menu"
        else:
            fits = stage.kind in ("inspect", "commit")
            right = "expected an inspect or a commit: the item is at hand"
        if not fits:
            yield f"{key}.stage = {again.stage}, of kind {stage.kind}, where {name} is bought again", right
    least, busiest = float(again.lasts.quantile(np.zeros(1))[0]), 1.0
    for profile in (scenario.user.hours, scenario.user.weekdays):  # time goes by faster where more people come
        if profile is not None:
            busiest *= max(profile.profile) * len(profile.profile) / sum(profile.profile)
    needed = scenario.clock.tick.value * busiest
    if least < needed:  # what becomes of a case reaches its user from the next tick on
        yield f"{key}.lasts may be {least:g} s", f"expected at least the tick at the busiest hour ({needed:g} s)"


def unsupported(scenario: Scenario, engine: Engine) -> Breaches:
    """Yield what this version cannot remember or buy again: that is what cases are of, an item or what holds a basket.

    Acts of visits are the same in all stages, and only these can add to declared interests.
    """
    beside = beside_visits(scenario)
    ordered = {scenario.stages[name].children_of for name, block in scenario.browse.items() if block.picks is not None}
    ordered.discard(None)  # a basket from a slate is a case for each item
    for name, kind in scenario.item_types.items():
        if kind.remembered is not None and ordered:
            wrong = f"item_types.{name}.remembered: this version cannot run it yet where there are baskets"
            yield wrong, "parents.X.remembered"
    for name, parent in scenario.parents.items():
        if parent.remembered is not None and name not in ordered:
            right = "a parent with baskets (a stage within it, with picks)"
            yield f"parents.{name}.remembered: nothing is ordered from {name}", right
    follow = scenario.declared_interests.follow if scenario.declared_interests is not None else None
    acts = visit_acts(scenario)
    for name, block in scenario.respond.items():
        key = f"respond.{name}.again"
        for each in block.again.types if block.again is not None else ():
            if each in scenario.parents and each not in ordered:
                yield f"{key}.types = {each}: nothing is ordered from {each}", "item types"
            if each not in scenario.parents and ordered:
                wrong = f"{key}.types = {each}: this version cannot run it yet where there are baskets"
                yield wrong, "the parent that they are from"
        if block.again is not None and name not in beside:
            yield f"{key}: this version runs it in a case only", "a stage that a case comes to"
        if block.again is not None and block.again.stage in beside:
            yield f"{key}.stage = {block.again.stage}, which is a stage of cases", "a stage of visits"
        if name in beside and follow in block.acts:
            wrong = f"declared_interests.follow = {follow}: this version cannot run it yet in a case"
            yield wrong, "an act of a stage that users respond in while they visit"
        if name not in beside and list(block.acts.items()) != list(acts.items()):
            yield f"respond.{name}.acts differ from those of another respond stage", "the same acts in all"
