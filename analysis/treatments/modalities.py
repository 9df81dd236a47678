"""Hide a modality, or let it be read less exactly: the changes of a scenario, and what these cannot change."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from simulator.errors import InputError, check_known
from simulator.scenario.schema.catalog import (
    PLACE,
    AttributeModality,
    DistanceModality,
    PromiseModality,
    ReadoutModality,
)
from simulator.scenario.schema.scenario import HazardConsume, Scenario

HIDDEN, NOISIER = "hidden", "noisier"
NOISE = 1.5
"""By how much the standard deviation of a misreading grows in a world with a noisier modality."""


@dataclass(frozen=True)
class Treatment:
    """One thing that is done to a world.

    Attributes:
        modality: that it is done to.
        name: HIDDEN or NOISIER.
        changes: of the scenario; none where it cannot be done.
        note: why it cannot be done, or what it does not do, in words.
    """

    modality: str
    name: str
    changes: Mapping[str, object] = field(default_factory=dict)
    note: str = ""


def shown(scenario: Scenario) -> list[str]:
    """Return the modalities that some surface shows, in the order of the scenario."""
    there = {name for surface in scenario.surfaces.values() for each in surface.shows.values() for name in each}
    return [name for name in scenario.modalities if name in there]


def treatments(scenario: Scenario, modalities: Sequence[str] = ()) -> list[Treatment]:
    """Return both treatments of each modality (all that are shown, unless named), those that cannot be done too.

    Raises:
        InputError: a modality is unknown, named twice, or shown nowhere.
    """
    known = shown(scenario)
    check_shown(scenario, modalities)
    found = []
    for name in modalities or known:
        found.append(Treatment(name, HIDDEN, hidden(scenario, name), "; ".join(left(scenario, name))))
        changes = noisier(scenario, name)
        note = "" if changes else "not run: it is read as it stands, and has no precision to lose"
        found.append(Treatment(name, NOISIER, changes, note))
    return found


def check_shown(scenario: Scenario, modalities: Sequence[str]) -> None:
    """Raise InputError for the first of the modalities that is unknown, named twice, or on no surface."""
    check_known(scenario.shown, "modality", modalities, list(scenario.modalities))
    known = shown(scenario)
    for name in modalities:
        if name not in known:
            raise InputError(scenario.shown, f"no surface shows {name}", f"expected one of {', '.join(known)}")
        if list(modalities).count(name) > 1:
            raise InputError(scenario.shown, f"{name} is named twice", "expected each modality once")


def surfaces_with(scenario: Scenario, modality: str) -> list[str]:
    """Return the surfaces that show a modality at some stage, in the order of the scenario."""
    return [
        name for name, surface in scenario.surfaces.items() if any(modality in each for each in surface.shows.values())
    ]


def hidden(scenario: Scenario, modality: str, surfaces: Collection[str] | None = None) -> dict[str, object]:
    """Return the changes of a scenario that take a modality from all stages and devices of its surfaces.

    Args:
        scenario: the scenario.
        modality: that is hidden.
        surfaces: from which it is taken; from all unless given.
    """
    changes: dict[str, object] = {}
    for name, surface in scenario.surfaces.items():
        if surfaces is not None and name not in surfaces:
            continue
        for key, lists in (("shows", surface.shows), ("hidden", surface.hidden)):
            for where, names in lists.items():
                if modality in names:
                    changes[f"surfaces.{name}.{key}.{where}"] = [each for each in names if each != modality]
    return changes


def noisier(scenario: Scenario, modality: str, factor: float = NOISE) -> dict[str, object]:
    """Return the changes of a scenario by which the misreadings of a modality spread `factor` times as far.

    A precision is one over a variance. There are no changes where a modality has none: it is read as it stands.
    """
    tells = getattr(scenario.modalities[modality], "tells", {})
    return {
        f"modalities.{modality}.tells.{facet}.precision": telling.precision.value / factor**2
        for facet, telling in tells.items()
        if telling.precision.value > 0
    }


def left(scenario: Scenario, modality: str) -> Iterator[str]:
    """Yield what goes on by a modality that nobody sees any longer, and what ends with it, in words."""
    number = _number(scenario, modality)
    if number is not None:
        for name, sorting in scenario.sorting.items():
            if sorting.on == number:
                yield f"sorting.{name} still goes by it"
        for name, criterion in scenario.criteria.items():
            if (PLACE if criterion.kind == "near" else criterion.on) == number:
                yield f"criteria.{name} still finds by it"
    for name, consume in scenario.consume.items():
        if isinstance(consume, HazardConsume) and consume.paywall is not None and consume.paywall.modality == modality:
            yield f"consume.{name}.paywall stands, unseen"
    for name, browse in scenario.browse.items():
        if browse.suffices is not None and browse.suffices.modality == modality:
            yield f"browse.{name}.suffices needs it: no card informs"
    remembering = [
        *((name, kind.remembered) for name, kind in scenario.item_types.items()),
        *((name, parent.remembered) for name, parent in scenario.parents.items()),
    ]
    names = [name for name, each in remembering if each is not None and each.revealed_by == [modality]]
    if names:
        yield f"what is remembered needs it to be known again ({', '.join(names)})"


def _number(scenario: Scenario, modality: str) -> str | None:
    """Return the name of the public number that a modality shows, None for content."""
    given = scenario.modalities[modality]
    if isinstance(given, AttributeModality):
        return given.shows
    if isinstance(given, PromiseModality):
        return given.promise
    if isinstance(given, DistanceModality):
        return PLACE
    return modality if isinstance(given, ReadoutModality) else None
