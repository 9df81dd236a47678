"""Where a scenario's numbers come from: a walk over all of them, and the rules that tie them to their sources."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from simulator.errors import InputError
from simulator.scenario.messages import nearest
from simulator.scenario.schema.numbers import Claim, Model
from simulator.scenario.schema.scenario import Scenario
from simulator.scenario.schema.targets import role_of


def claims_in(value: object, path: str = "") -> Iterator[tuple[str, Claim]]:
    """Every number of the world below ``value``, with its path in the file."""
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
    """How many numbers are sourced, calibrated and estimates: what the manifest says a run rests on."""
    counts = Counter(claim.provenance for _, claim in claims_in(scenario))
    return {"sourced": counts["sourced"], "calibrated": counts["calibrated"], "estimate": counts["estimate"]}


def check_provenance(scenario: Scenario) -> None:
    """Every ``see`` must exist: a target with role fit for what is calibrated, a source for everything else."""
    for path, claim in claims_in(scenario):
        if claim.see is None:
            continue
        if claim.provenance == "calibrated":
            _check_calibrated(scenario, path, claim.see)
        else:
            _check_source(scenario, path, claim.see)
    for name, target in scenario.targets.items():
        _check_source(scenario, f"targets.{name}", target.see)


def _check_calibrated(scenario: Scenario, path: str, see: str) -> None:
    wrong = f"{path}.see = {see}"
    if see not in scenario.targets:
        right = f"a calibrated number names a target; {nearest(see, [*scenario.targets])}"
        raise InputError(scenario.shown, wrong, right)
    if role_of(see) == "check":
        right = "expected a target with role fit: this one has role check and may set no number"
        raise InputError(scenario.shown, wrong, right)


def _check_source(scenario: Scenario, path: str, see: str) -> None:
    if see not in scenario.sources:
        right = f"expected a key of the sources file beside it; {nearest(see, [*scenario.sources])}"
        raise InputError(scenario.shown, f"{path}.see = {see}", right)
