"""Where a scenario's numbers come from: a walk over all of them, and the rules that tie them to their sources."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from simulator.scenario.checks.rules import Breaches
from simulator.scenario.messages import nearest
from simulator.scenario.schema.numbers import Claim, Model
from simulator.scenario.schema.scenario import Scenario
from simulator.scenario.schema.targets import role_of


def claims_in(value: object, path: str = "") -> Iterator[tuple[str, Claim]]:
    """Yield every number of the world below ``value``, with its path in the file."""
    if isinstance(value, Claim):
        yield path, value
    elif isinstance(value, Model):
        for name, field in type(value).model_fields.items():
            yield from claims_in(getattr(value, name), f"{path}.{field.alias or name}".lstrip("."))
    elif isinstance(value, dict):
        for key, each in value.items():
            yield from claims_in(each, f"{path}.{key}".lstrip("."))
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from claims_in(each, f"{path}.{index}")


def provenance_summary(scenario: Scenario) -> dict[str, int]:
    """Return how many numbers are sourced, calibrated and estimates: what the manifest says a run rests on."""
    counts = Counter(claim.provenance for _, claim in claims_in(scenario))
    return {"sourced": counts["sourced"], "calibrated": counts["calibrated"], "estimate": counts["estimate"]}


def sources(scenario: Scenario) -> Breaches:
    """Yield every ``see`` that names nothing: calibrated numbers need a target with role fit, all others a source."""
    for path, claim in claims_in(scenario):
        if claim.see is not None and claim.provenance == "calibrated":
            yield from _calibrated(scenario, f"{path}.see = {claim.see}", claim.see)
        elif claim.see is not None:
            yield from _sourced(scenario, f"{path}.see = {claim.see}", claim.see)
    for name, target in scenario.targets.items():
        yield from _sourced(scenario, f"targets.{name}.see = {target.see}", target.see)
    for name, bound in scenario.verdicts.bounds.items() if scenario.verdicts is not None else ():
        if bound.see is not None:
            yield from _sourced(scenario, f"verdicts.bounds.{name}.see = {bound.see}", bound.see)


def _calibrated(scenario: Scenario, wrong: str, see: str) -> Breaches:
    if see not in scenario.targets:
        yield wrong, f"a calibrated number names a target; {nearest(see, [*scenario.targets])}"
    elif role_of(see) == "check":
        yield wrong, "expected a target with role fit: this one has role check and may set no number"


def _sourced(scenario: Scenario, wrong: str, see: str) -> Breaches:
    if see not in scenario.sources:
        yield wrong, f"expected a key of the sources file beside it; {nearest(see, [*scenario.sources])}"
