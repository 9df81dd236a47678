"""What rules are written in, and the rules that recur.

A topic is a function that gets the whole scenario and yields its breaches. A rule of it is an `if` and a `yield`: what
is wrong, beginning with the key that the user must change, and what to write instead.

    for name, surface in scenario.surfaces.items():
        if surface.editorial is not None and surface.editorial.slots > surface.slate:
            yield f"surfaces.{name}.editorial.slots = {surface.editorial.slots}", f"at most {surface.slate}"

Two things need not be asked again: the schema has seen to what one section can say for itself, and topics that `check`
lists earlier hold. Names of other sections are refused by a line of the table in `references`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from simulator.scenario.messages import nearest

Breaches = Iterator[tuple[str, str]]
"""(what is wrong, what to write instead), a pair for every breach of a topic's rules."""

TOLERANCE = 1e-6  # of shares that add up to 1: far above rounding, far below a typing error


@dataclass(frozen=True)
class Engine:
    """What the compiled engine of this version can run and hold: what rules of the severity "not yet" compare with.

    Attributes:
        visit_outcomes: outcomes of the kinds of stages that visits run.
        case_outcomes: outcomes of the kinds of stages that cases walk through.
        layouts: of surfaces with a browse stage.
        highest_quantile: probability of the last entry in the tables that distributions are compiled to.
        ticks_per_second: times are multiples of the inverse of it.
        facets, resources, types, alternatives, picks: how many there may be, at the most.
    """

    visit_outcomes: dict[str, tuple[str, ...]]
    case_outcomes: dict[str, tuple[str, ...]]
    layouts: tuple[str, ...]
    highest_quantile: float
    ticks_per_second: float
    facets: int
    resources: int
    types: int
    alternatives: int
    picks: int


def need(key: str, names: Iterable[str], known: Iterable[str]) -> Breaches:
    """Yield those of the names written at a key that are not among the known ones."""
    there = list(known)
    for name in names:
        if name not in there:
            yield f"{key} names {name}, which does not exist", nearest(name, there)


def together(first: str, has_first: bool, second: str, has_second: bool) -> Breaches:
    """Yield a breach where one of two keys is there that mean something only together."""
    if has_first != has_second:
        there, missing = (first, second) if has_first else (second, first)
        yield f"{missing} is missing", f"{there} needs it"


def add_up(what: str, shares: Iterable[float], at_most: bool = False) -> Breaches:
    """Yield a breach where shares do not add up to 1 (or to at most 1)."""
    total = sum(shares)
    if total > 1.0 + TOLERANCE or (total < 1.0 - TOLERANCE and not at_most):
        yield f"{what} add up to {total:.6g}", "expected at most 1" if at_most else "expected 1"
