"""Which numbers of a scenario may move: chosen by path or by where they come from, and what moves with them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

from analysis.calibrate.scales import Scale, rounded, scale_of
from analysis.calibrate.written import File
from simulator.errors import InputError, check_known
from simulator.scenario.checks.numbers import wholes
from simulator.scenario.checks.provenance import claims_in
from simulator.scenario.schema.distributions import PARAMETERS, Distribution
from simulator.scenario.schema.numbers import Claim, Number
from simulator.scenario.schema.scenario import Scenario
from simulator.scenario.schema.units import COUNTS

CALIBRATED, ESTIMATES = "calibrated", "estimates"
"""Words for all numbers that are calibrated to a target that steers, and for all estimates."""

_PURE = ("sigma", "shape", "a", "b")
"""Parameters of distributions that have no unit, and are positive."""


@dataclass(frozen=True)
class Written:
    """Hold a number as a file has it.

    Attributes:
        name: its path, as `parameters=` names it; of a distribution that of one of its parameters.
        paths: where it counts, each down to the key whose value it is: several for what an alias repeats.
        value: as written.
        unit: of the value.
        claim: what it belongs to.
    """

    name: str
    paths: tuple[str, ...]
    value: float
    unit: str
    claim: Claim


@dataclass(frozen=True)
class Share:
    """Hold a share of a whole: it moves by its ratio to the rest, which keeps its proportions among itself."""

    whole: tuple[Written, ...]
    """All that may move together: those that are free, then the rest; what they leave of 1 stays as it is."""
    free: int


@dataclass(frozen=True)
class Free:
    """Hold a number that may move.

    Attributes:
        number: as it is written.
        scale: on which it moves.
        share: of a whole, where it is one.
        others: of the same list: all are shifted alike, and stay in their order.
    """

    number: Written
    scale: Scale
    share: Share | None = None
    others: tuple[Written, ...] = ()

    @property
    def name(self) -> str:
        """Return its path; of several of a list that of the first, the number of its place as a star."""
        return f"{self.number.name.rpartition('.')[0]}.*" if self.others else self.number.name

    @property
    def moves(self) -> tuple[Written, ...]:
        """Return all numbers that move with it."""
        return (self.number, *self.others) if self.share is None else self.share.whole


def written(scenario: Scenario, file: File) -> dict[str, Written]:
    """Return every number of a scenario that can be moved alone, by name: profiles of hours and days are not."""
    found: dict[str, Written] = {}
    for path, claim in claims_in(scenario):
        keys = PARAMETERS[claim.dist] if isinstance(claim, Distribution) else ("value",) * isinstance(claim, Number)
        for key in keys:
            name = f"{path}.{key}" if isinstance(claim, Distribution) else path
            if not file.has(f"{path}.{key}"):
                continue  # what the schema fills in, or an older key says
            same = file.same(f"{path}.{key}")
            if f"{path}.{key}" == same[0]:
                unit = "ratio" if key in _PURE else "probability" if key == "p" else claim.unit
                found[name] = Written(name, tuple(same), file.written(same[0]), unit, claim)
    return found


def choose(
    scenario: Scenario, file: File, patterns: Sequence[str], targets: Sequence[str]
) -> tuple[list[Free], dict[str, str]]:
    """Return the numbers that may move, and of those that were asked for and cannot, why.

    Args:
        scenario: whose numbers.
        file: that it was read from.
        patterns: paths, in which `*` stands for anything, `CALIBRATED` or `ESTIMATES`; none: what is calibrated.
        targets: names of those that steer.

    Raises:
        InputError: a pattern fits no number; a number is named that has a source, or that cannot move; none may.
    """
    numbers = written(scenario, file)
    chosen: dict[str, Written] = {}
    held: dict[str, str] = {}
    for pattern in patterns or (CALIBRATED,):
        for number in _fitting(scenario, numbers, pattern, targets):
            why = _held(number)
            if why is None:
                chosen[number.name] = number
            elif number.name == pattern:
                raise InputError(scenario.shown, f"parameters={number.name}: {why}", "name another number")
            elif number.claim.provenance != "sourced":
                held[number.name] = why
    shares, tied = _shares_of(scenario, numbers, chosen)
    held |= tied
    free = [
        Free(number, _scale_of_share(number, shares[name]) if name in shares else _scale(number), shares.get(name))
        for name, number in chosen.items()
        if name not in tied
    ]
    free = _as_lists(free)
    if not free:
        wrong = (
            f"none of the {len(held)} numbers that were asked for can move"
            if held
            else (f"no number is calibrated to one of {', '.join(targets)}")
        )
        raise InputError(scenario.shown, wrong, f"name some with parameters=PATH,PATH, or parameters={ESTIMATES}")
    return free, held


def _fitting(scenario: Scenario, numbers: dict[str, Written], pattern: str, targets: Sequence[str]) -> list[Written]:
    if pattern == CALIBRATED:
        return [
            each for each in numbers.values() if each.claim.provenance == "calibrated" and each.claim.see in targets
        ]
    if pattern == ESTIMATES:
        return [each for each in numbers.values() if each.claim.provenance == "estimate"]
    if "*" in pattern:
        found = [each for name, each in numbers.items() if fnmatchcase(name, pattern)]
        if not found:
            raise InputError(scenario.shown, f"parameters={pattern} fits no number", "expected paths of its numbers")
        return found
    there = {path.removesuffix(".value"): each for each in numbers.values() for path in each.paths}
    there |= {path: each for each in numbers.values() for path in each.paths} | numbers
    check_known(scenario.shown, "number", [pattern], there)
    return [there[pattern]]


def _as_lists(free: Sequence[Free]) -> list[Free]:
    """Return free numbers with those of one list, that may have either sign, as one: thresholds in their order."""
    lists: dict[str, list[Free]] = {}
    for each in free:
        start, _, place = each.name.rpartition(".")
        alone = not place.isdigit() or each.scale.kind != "linear"
        lists.setdefault(each.name if alone else start, []).append(each)
    return [replace(first, others=tuple(each.number for each in rest)) for first, *rest in lists.values()]


def _held(number: Written) -> str | None:
    """Return why a number does not move; None where it does."""
    if number.claim.provenance == "sourced":
        return "it has a source, which no calibration overrules"
    if number.unit in COUNTS and number.value == int(number.value):
        return "it is a whole number"
    if scale_of(number.value, number.unit) is None:
        return f"no step leads away from {number.value:g}"
    return None


def _scale(number: Written) -> Scale:
    scale = scale_of(number.value, number.unit)
    assert scale is not None, "only such numbers are chosen"
    return scale


def _scale_of_share(number: Written, share: Share) -> Scale:
    rest = sum(each.value for each in share.whole[share.free :])
    return Scale("log", number.value / rest)


def _shares_of(
    scenario: Scenario, numbers: dict[str, Written], chosen: dict[str, Written]
) -> tuple[dict[str, Share], dict[str, str]]:
    """Return, of chosen numbers that are shares of a whole, with what they move, or why they do not."""
    shares: dict[str, Share] = {}
    tied: dict[str, str] = {}
    seen: list[set[str]] = []
    for _, parts in wholes(scenario):
        if set(parts) in seen or not set(parts) & chosen.keys():
            continue
        seen.append(set(parts))
        members = [numbers[path] for path in parts if path in numbers]
        free = [each for each in members if each.name in chosen]
        if len(members) < len(parts) or shares.keys() & parts.keys():
            tied |= {each.name: "it is a share of two wholes at once" for each in free}
            continue
        rest = [each for each in members if each not in free and each.claim.provenance != "sourced" and each.value > 0]
        if not rest:  # the largest follows the others
            rest = [max(free, key=lambda each: each.value)]
            free = [each for each in free if each not in rest]
            tied[rest[0].name] = "it is what the others leave of the whole" if free else "it is all that is left of 1"
        shares |= {each.name: Share((*free, *rest), len(free)) for each in free}
    return shares, tied


def values_at(free: Sequence[Free], steps: Sequence[float]) -> dict[str, float]:
    """Return the numbers, by their names, that are changed when each has moved by so many steps."""
    moved = {each.name: round(float(step), 6) for each, step in zip(free, steps, strict=True)}
    found: dict[str, float] = {}
    for share in dict.fromkeys(each.share for each in free if each.share is not None):
        own = {each.name: each.scale.start * math.exp(moved[each.name]) for each in free if each.share == share}
        if any(moved[name] != 0.0 for name in own):
            found |= _whole_at(share, own)
    for each in free:
        if each.share is None and moved[each.name] != 0.0:
            found[each.number.name] = each.scale.at(moved[each.name])
            shift = found[each.number.name] - each.number.value
            found |= {other.name: rounded(other.value + shift) for other in each.others}
    return found


def _whole_at(share: Share, ratios: dict[str, float]) -> dict[str, float]:
    """Return all shares of a whole when those that are free stand in these ratios to the rest."""
    rest = share.whole[share.free :]
    total = sum(each.value for each in share.whole)
    left = total / (1.0 + sum(ratios.values()))
    before = sum(each.value for each in rest)
    found = {name: rounded(left * ratio) for name, ratio in ratios.items()}
    found |= {each.name: rounded(left * each.value / before) for each in rest[1:]}
    found[rest[0].name] = round(total - sum(found.values()), 10)
    return found


def changes(free: Sequence[Free], values: dict[str, float]) -> Iterator[tuple[str, float]]:
    """Yield the changes of a scenario that give numbers these values, at every path where each counts."""
    numbers = {each.name: each for one in free for each in one.moves}
    for name, value in values.items():
        for path in numbers[name].paths:
            yield path, value
