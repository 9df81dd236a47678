"""Resources, choosers and fulfilments: what cases wait for, hold, and are decided by."""

from __future__ import annotations

from simulator.scenario.checks.rules import Breaches, Engine, together
from simulator.scenario.durations import DAY
from simulator.scenario.life_cycle import beside_visits
from simulator.scenario.limits import PLACED_SERVERS
from simulator.scenario.schema.fulfilment import (
    Chooser,
    FulfilParameters,
    Queue,
    Resource,
    amounts,
    grows,
    most_of,
)
from simulator.scenario.schema.quantities import per_user
from simulator.scenario.schema.scenario import Scenario


def resources(scenario: Scenario) -> Breaches:
    """Yield services that take no time, and shifts that do not lie within a day."""
    for name, resource in scenario.resources.items():
        yield from _scaled(f"resources.{name}", resource)
        if not isinstance(resource, Queue):
            continue
        if resource.moves and not grows(resource):  # else when the number of users is known
            most = max(most_of(resource.capacity), *(shift.capacity.value for shift in resource.shifts), 0.0)
            if most > PLACED_SERVERS:
                yield f"resources.{name}: {most:.10g} servers with places", f"expected at most {PLACED_SERVERS}"
        share = resource.per_item
        if share is not None and share.more.value * (share.usual.value - 1.0) >= 1.0:
            right = f"expected more below {1.0 / (share.usual.value - 1.0):g}"
            yield f"resources.{name}.per_item: a case of one item would take no time", right
        for index, shift in enumerate(resource.shifts):
            if not shift.starts.value < shift.ends.value <= DAY:
                right = "expected starts before ends within a day; split it at midnight"
                yield f"resources.{name}.shifts.{index}", right


def _scaled(key: str, resource: Resource) -> Breaches:
    """Yield what does not grow with the users where the rest of a resource does; 0 is 0 for any number of them."""
    if not grows(resource):
        return
    for name, amount in amounts(resource).items():
        if not per_user(amount) and most_of(amount) > 0.0:
            unit = f"{amount.unit}/1000 users"
            yield f"{key}.{name}.unit = {amount.unit}, beside numbers per user", f"expected {unit}, or none per user"
    slowdown = getattr(resource, "slowdown", None)
    if slowdown is not None and slowdown.value > 0.0 and slowdown.unit == "ratio":
        yield f"{key}.slowdown.unit = ratio, beside numbers per user", "expected servers/case"


def choosers(scenario: Scenario) -> Breaches:
    """Yield choosers who do not know when to compare or how many pass, or look for room where there is none."""
    for name, chooser in scenario.choosers.items():
        yield from _comparison(scenario, f"choosers.{name}", chooser)


def _comparison(scenario: Scenario, key: str, chooser: Chooser) -> Breaches:
    if (chooser.shortlist is None) != (chooser.every is None):
        there, missing = ("every", "shortlist") if chooser.shortlist is None else ("shortlist", "every")
        yield f"{key}.{missing} is missing", f"{key}.{there} needs it: so many pass in each decision"
    if chooser.shortlist is not None and chooser.shortlist.value < 1.0 and not per_user(chooser.shortlist):
        yield f"{key}.shortlist = {chooser.shortlist.value:g}", "expected at least 1"
    if chooser.capacity_of is None:
        return
    if chooser.shortlist is None:
        yield f"{key}.capacity_of without shortlist", "expected shortlist and every beside it"
    per = scenario.resources[chooser.capacity_of].per
    if per != "item":  # decisions about several items may fall on one moment
        yield f"{key}.capacity_of = {chooser.capacity_of}, which is per {per}", "expected slots or openings per item"


def fulfil(scenario: Scenario) -> Breaches:
    """Yield steps that are repeated, do nothing or never end, and silence that leads nowhere."""
    for name, block in scenario.fulfil.items():
        key, steps = f"fulfil.{name}", [step.step for step in block.steps]
        for step in block.steps:
            where, resource = f"{key}.steps.{step.step}", scenario.resources.get(step.uses or "")
            if steps.count(step.step) > 1:
                yield f"{where} is repeated", "expected every step once"
            if isinstance(resource, Queue) and step.delay is None and resource.service is None:
                right = f"expected delay here, or service in resources.{step.uses}"
                yield f"{where} says not how long it takes", right
            if step.uses is None and step.delay is None and step.chosen_by is None and step.passes is None:
                yield f"{where} does nothing", "expected uses, delay, passes or chosen_by"
        yield from _held(scenario, key, block)
        if block.announced is not None and block.promise is None:
            yield f"{key}.promise is missing", f"{key}.announced needs it"
        expires = block.expires_after is not None or any(step.unanswered is not None for step in block.steps)
        has_outcome = "expired" in scenario.stages[name].next
        yield from together(f"stages.{name}.next.expired", has_outcome, f"{key}.expires_after", expires)


def _held(scenario: Scenario, key: str, block: FulfilParameters) -> Breaches:
    """Yield what a case asks for twice: what it keeps it asked for before, and does not ask for again."""
    asked: list[str] = []
    kept: list[str] = []
    for step in block.steps:
        where = f"{key}.steps.{step.step}"
        for name in step.holds:
            if name not in asked and name != step.uses:
                yield f"{where}.holds = {name}", "expected a resource that an earlier step uses"
        kind = getattr(scenario.resources.get(step.uses or ""), "kind", None)
        again = step.uses in kept and step.uses in step.holds if kind == "queue" else step.uses in asked
        if kind in ("queue", "stock", "openings") and again:
            yield f"{where}.uses = {step.uses}", "expected what the case does not have yet"
        asked += [step.uses] if step.uses else []
        kept = [name for name in kept if name in step.holds] + ([step.uses] if step.uses else [])


def unsupported(scenario: Scenario, engine: Engine) -> Breaches:
    """Yield more resources than a case can hold, and choosers other than creators, where there are cases."""
    if not beside_visits(scenario):
        return
    if len(scenario.resources) > engine.resources:
        yield f"resources: {len(scenario.resources)} of them", f"at most {engine.resources}"
    for name, chooser in scenario.choosers.items():
        if chooser.per != "creator":
            yield f"choosers.{name}.per = {chooser.per}: this version cannot run it", "creator"
