"""What a selection criterion or an order needs: something that it is on, a limit in its unit, stages that offer it."""

from __future__ import annotations

from collections.abc import Iterable

from simulator.errors import InputError
from simulator.scenario.checks.references import attributes_of, need
from simulator.scenario.schema.catalog import PLACE, Criterion
from simulator.scenario.schema.scenario import ReadoutModality, Scenario

_TOLERANCE = 1e-6


def check_criteria(scenario: Scenario) -> None:
    """What criteria are on must exist, limits be in its unit, and stages that are told be there. Raises InputError."""
    for name, criterion in scenario.criteria.items():
        key = f"criteria.{name}"
        need(scenario, f"{key}.on", [criterion.on], _known(scenario, criterion))
        _check_limit(scenario, key, criterion)
        _check_search(scenario, key, criterion)
        if criterion.stated_in is not None:
            browse = [stage for stage, row in scenario.stages.items() if row.kind == "browse"]
            need(scenario, f"{key}.stated_in", criterion.stated_in, browse)


def _known(scenario: Scenario, criterion: Criterion) -> Iterable[str]:
    if criterion.kind == "query":
        return scenario.facets
    if criterion.kind == "category":
        return ["item_type", *(facet for facet, row in scenario.facets.items() if row.clusters > 0)]
    if criterion.kind == "near":
        return [PLACE]
    return {*attributes_of(scenario), *scenario.promises}


def _check_limit(scenario: Scenario, key: str, criterion: Criterion) -> None:
    limit, promised = criterion.limit, criterion.on in scenario.promises
    if criterion.kind not in ("at_most", "at_least", "near"):
        return
    if limit is None:
        raise InputError(scenario.shown, f"{key}.limit is missing", f"{criterion.kind} needs a limit")
    if criterion.kind == "near" and scenario.places is None:
        raise InputError(scenario.shown, "places is missing", f"{key}, of kind near, needs places")
    if criterion.kind == "at_least" and promised:
        raise InputError(scenario.shown, f"{key}.kind = at_least on the promise {criterion.on}", "expected at_most")
    if criterion.kind == "near" and limit.canonical_unit != "km":
        raise InputError(scenario.shown, f"{key}.limit.unit = {limit.unit}", "expected km, as of places")
    if promised and limit.canonical_unit != "s":
        wrong = f"{key}.limit.unit = {limit.unit}, and {criterion.on} is a promise"
        raise InputError(scenario.shown, wrong, "expected a unit of time (ms, s, min, h, d)")


def _check_search(scenario: Scenario, key: str, criterion: Criterion) -> None:
    for name in ("precision", "recall"):
        share = getattr(criterion, name)
        if share is None:
            continue
        if criterion.kind not in ("query", "category"):
            wrong = f"{key}.{name}: a limit finds what keeps to it"
            raise InputError(scenario.shown, wrong, "a criterion of kind query or category")
        if share.value <= 0.0:
            raise InputError(scenario.shown, f"{key}.{name} = {share.value:g}", "expected a share above 0")


def check_sorting(scenario: Scenario) -> None:
    """What lists are sorted on must exist, and the stages that offer it ask for slates. Raises InputError."""
    readouts = [name for name, modality in scenario.modalities.items() if isinstance(modality, ReadoutModality)]
    known = [*sorted(attributes_of(scenario)), *scenario.promises, *readouts]
    known += [PLACE] if scenario.places is not None else []
    lists = [
        name
        for name, row in scenario.stages.items()
        if row.kind == "browse" and row.within is None and row.rest_of is None
    ]
    for name, sorting in scenario.sorting.items():
        need(scenario, f"sorting.{name}.on", [sorting.on], known)
        need(scenario, f"sorting.{name}.stages", sorting.stages, scenario.stages)
        for stage in sorting.stages:
            if stage not in lists:
                wrong = f"sorting.{name}.stages names {stage}, which asks for no slate"
                raise InputError(scenario.shown, wrong, f"one of {', '.join(lists)}")
    total = sum(sorting.share.value for sorting in scenario.sorting.values())
    if total > 1.0 + _TOLERANCE:
        raise InputError(scenario.shown, f"sorting: shares add up to {total:.6g}", "expected at most 1")
