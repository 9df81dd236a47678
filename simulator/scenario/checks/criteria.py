"""What a selection criterion or an order needs: a limit in its unit, stages that offer it, modalities that show it."""

from __future__ import annotations

from simulator.scenario.checks.references import attributes_of
from simulator.scenario.checks.rules import Breaches, Engine, add_up
from simulator.scenario.criteria import LIMITS, is_weighed, lies_between, shown_by
from simulator.scenario.schema.scenario import Scenario


def criteria(scenario: Scenario) -> Breaches:
    """Yield limits that are missing or not in the unit of what they limit, and searches that find nothing."""
    for name, criterion in scenario.criteria.items():
        key, limit, promised = f"criteria.{name}", criterion.limit, criterion.on in scenario.promises
        if criterion.kind == "only" and limit is not None:
            yield f"{key}.limit: only what has any of {criterion.on} passes", "none, or at_least"
        elif criterion.kind in LIMITS and criterion.kind != "only" and limit is None:
            yield f"{key}.limit is missing", f"{criterion.kind} needs a limit"
        if criterion.kind == "near" and scenario.places is None:
            yield "places is missing", f"{key}, of kind near, needs places"
        if criterion.kind == "at_least" and promised:
            yield f"{key}.kind = at_least on the promise {criterion.on}", "expected at_most"
        if criterion.kind == "near" and limit is not None and limit.canonical_unit != "km":
            yield f"{key}.limit.unit = {limit.unit}", "expected km, as of places"
        if criterion.kind in LIMITS and promised and limit is not None and limit.canonical_unit != "s":
            wrong = f"{key}.limit.unit = {limit.unit}, and {criterion.on} is a promise"
            yield wrong, "expected a unit of time (ms, s, min, h, d)"
        for part, share in (("precision", criterion.precision), ("recall", criterion.recall)):
            if share is not None and criterion.kind not in ("query", "category"):
                yield f"{key}.{part}: a limit finds what keeps to it", "a criterion of kind query or category"
            elif share is not None and share.value <= 0.0:
                yield f"{key}.{part} = {share.value:g}", "expected a share above 0"


def sorting(scenario: Scenario) -> Breaches:
    """Yield orders that a stage without slates offers, and more of them than visits."""
    lists = [
        name
        for name, row in scenario.stages.items()
        if row.kind == "browse" and row.children_of is None and row.queue_of is None
    ]
    for name, order in scenario.sorting.items():
        for stage in order.stages:
            if stage not in lists:
                yield f"sorting.{name}.stages names {stage}, which asks for no slate", f"one of {', '.join(lists)}"
    yield from add_up("sorting: shares", [order.share.value for order in scenario.sorting.values()], at_most=True)


def unsupported(scenario: Scenario, engine: Engine) -> Breaches:
    """Yield criteria on what this version cannot filter by, or users not see."""
    attributes = set(attributes_of(scenario))
    level = any(stage.shows_parents is not None for stage in scenario.stages.values())
    for name, criterion in scenario.criteria.items():
        key, weighed = f"criteria.{name}", criterion.weight is not None
        if level and criterion.on == "item_type":
            wrong = f"{key}.on = item_type: this version cannot run it yet beside stages that show parents"
            yield wrong, "a facet, an attribute or a promise"
        known = {"item_type", scenario.satiation_facet} if criterion.kind == "category" else {scenario.satiation_facet}
        known = attributes if criterion.kind in LIMITS else known
        if criterion.on not in known and not lies_between(scenario, criterion):
            wrong = f"{key}.on = {criterion.on}: this version cannot run it yet"
            yield wrong, f"one of {', '.join(sorted(known))}"
        if not weighed and criterion.stated.value < 1.0:
            yield f"{key}.weight is missing", "what it is worth, or stated: 1: untold, it would change nothing"
        if weighed and criterion.on == "item_type":
            yield f"{key}.weight: this version cannot run it yet on item_type", "a criterion that is stated"
        if is_weighed(criterion) and shown_by(scenario, criterion) is None:
            wrong = f"{key}.on = {criterion.on}, which no modality shows"
            yield wrong, "a number that users can see, or a criterion without weight"
