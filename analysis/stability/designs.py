"""Random joint designs: every `estimate` of a scenario 20 % up or down at once, by a draw of its own in each design.

One at a time would take two worlds per number, some 250 numbers a scenario, and each world eight recommenders; a
Plackett-Burman design of as many numbers takes 256 runs and tells main effects apart, which is not asked here. Random
signs say what is asked, how far a ranking holds when all that was guessed is off by a fifth, and with interactions.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np

from recommenders.models.hashing import chain
from simulator.errors import InputError
from simulator.scenario.checks.provenance import claims_in
from simulator.scenario.load import load_scenario
from simulator.scenario.schema.distributions import Distribution
from simulator.scenario.schema.units import parse_unit

if TYPE_CHECKING:
    from simulator.scenario.schema.numbers import Claim
    from simulator.scenario.schema.scenario import Scenario

BY = 0.2
"""How far each number is moved, in parts of it."""
MOVED = {
    "lognormal": ("median",), "normal": ("mean",), "weibull": ("scale",), "gamma": ("scale",), "exponential": ("mean",),
    "uniform": ("low", "high"), "beta": ("a",), "pareto": ("shape",), "constant": ("value",), "bernoulli": ("p",),
}  # fmt: skip
"""What of a distribution is moved: what says how large its values are."""
_TICK = "clock.tick"
_SHARES = (
    r"(facets\.[^.]+|idiosyncratic)\.share", r"item_types\.[^.]+\.share", r"devices\.[^.]+\.share",
    r"stages\.[^.]+\.entry", r"user\.groups\.[^.]+\.share", r"user\.intents\.[^.]+\.share",
)  # fmt: skip
_WITHIN = (r"(stages\.[^.]+\.next\.[^.]+)\.[^.]+", r"(contexts\.[^.]+\.devices)\.[^.]+")
_UNIT_BOUND = ("probability", "share", "correlation")


def estimates(scenario: Scenario) -> dict[str, Claim]:
    """Return the numbers of provenance `estimate` that can be moved, by path.

    A profile is relative to itself, and the tick has to divide the times of fits: neither is moved.
    """
    return {
        path: claim for path, claim in claims_in(scenario)
        if claim.provenance == "estimate" and path != _TICK and any(value for _, value in _values(claim))
    }  # fmt: skip


def _values(claim: Claim) -> Iterator[tuple[str, float]]:
    """Yield what of a number is moved, with the key below its path, in the unit of the file."""
    if isinstance(claim, Distribution):
        keys = MOVED.get(claim.dist, ())
        if claim.dist == "normal" and not claim.mean:
            keys = ("sd",)
    else:
        keys = ("value",)
    factor = parse_unit(claim.unit).factor
    for key in keys:
        value = getattr(claim, key, None)
        if isinstance(value, int | float):
            yield key, value / factor if factor != 1 else value


def _group(path: str) -> str | None:
    """Return what the numbers that add up with this one have in common; None for one that stands alone."""
    for pattern in _SHARES:
        if re.fullmatch(pattern, path):
            return pattern
    return next((found[1] for pattern in _WITHIN if (found := re.fullmatch(pattern, path))), None)


def _name(path: str, claim: Claim) -> str:
    """Return what a number is drawn by: one of a list by its list, one that stages have in common by what it is.

    A file says such a number once and refers to it, and what reads it would still be the same number after a change.
    """
    if (whole := re.sub(r"\.\d+$", "", path)) != path:
        return whole
    common = re.sub(r"^(browse|inspect|commit|consume|respond)\.[^.]+\.", r"\1.*.", path)
    return path if common == path else f"{common} = {[value for _, value in _values(claim)]}"


def moved(scenario: Scenario, sign: Callable[[str], float]) -> dict[str, float]:
    """Return the changes of a scenario that move each estimate by `BY`, up or down as `sign` of its path says.

    Numbers of one list go together, so that cuts stay in order. Shares that add up with others are brought back to the
    sum that they had among themselves, and what is at most 1 stays so.
    """
    found: dict[str, float] = {}
    groups: dict[str, list[str]] = {}
    for path, claim in estimates(scenario).items():
        factor = 1.0 + BY * sign(_name(path, claim))
        group = _group(path)
        for key, value in _values(claim):
            there = value * factor
            if claim.unit in _UNIT_BOUND and 0 <= value <= 1:
                there = min(there, 1.0)
            if isinstance(value, int):
                there = max(round(there), 1) if value > 0 else round(there)
            found[f"{path}.{key}"] = there
            if group is not None:
                groups.setdefault(group, []).append(f"{path}.{key}")
    was = {f"{path}.{key}": value for path, claim in estimates(scenario).items() for key, value in _values(claim)}
    for members in groups.values():
        again = sum(was[each] for each in members) / sum(found[each] for each in members)
        for each in members:
            found[each] *= again
    return found


def design(name: str, number: int, own: Mapping[str, object] | None = None) -> tuple[dict[str, float], list[str]]:
    """Return the changes of a design, and the numbers that it leaves alone because the scenario would not bear them.

    Args:
        name: of a scenario, or its path.
        number: of the design.
        own: changes of the scenario that all worlds share; what they set is not moved.

    Raises:
        InputError: the scenario does not hang together as it is.
    """
    from simulator import check_scenario

    own = dict(own or {})
    scenario = load_scenario(name, own)
    check_scenario(scenario)
    changes = {
        key: value for key, value in moved(scenario, lambda path: _sign(number, path)).items()
        if not any(key.startswith(each) or each.startswith(key) for each in own)
    }  # fmt: skip
    return _bearable(name, own, changes)


def _sign(number: int, path: str) -> float:
    letters = np.frombuffer(path.encode(), np.uint8).astype(np.uint64)
    draw = chain(number, np.array([letters.size], np.uint64))
    for letter in letters:
        draw = chain(int(draw[0] >> np.uint64(1)), np.array([letter], np.uint64))
    return 1.0 if int(draw[0]) >> 63 else -1.0


def _bearable(name: str, own: Mapping[str, object], changes: dict[str, float]) -> tuple[dict[str, float], list[str]]:
    """Leave out of the changes, half by half, what the scenario refuses."""
    if _holds(name, {**own, **changes}):
        return changes, []
    kept: dict[str, float] = {}
    left: list[str] = []

    def add(units: list[list[str]]) -> None:
        there = {key: changes[key] for unit in units for key in unit}
        if _holds(name, {**own, **kept, **there}):
            kept.update(there)
        elif len(units) == 1:
            left.extend(units[0])
        else:
            add(units[: len(units) // 2])
            add(units[len(units) // 2 :])

    together: dict[str, list[str]] = {}
    for key in changes:
        path = key.rpartition(".")[0]
        together.setdefault(_group(path) or path, []).append(key)
    add(list(together.values()))
    return kept, left


def _holds(name: str, changes: Mapping[str, object]) -> bool:
    from simulator import check_scenario
    from simulator.plan.compiler import compile_scenario

    try:
        scenario = load_scenario(name, dict(changes))
        check_scenario(scenario)
        compile_scenario(scenario)
    except InputError:
        return False
    return True
