"""Why a modality can or cannot help, as the scenario says: where it is shown, what it tells, what else tells that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from simulator.scenario.life_cycle import asking_stages
from simulator.scenario.schema.catalog import ContentModality, ReadoutModality
from simulator.scenario.schema.scenario import Scenario


@dataclass(frozen=True)
class Shown:
    """Say where a modality can be seen: a surface, a kind of stage, and the devices that show it there."""

    surface: str
    stage: str
    devices: Sequence[str]


@dataclass(frozen=True)
class Told:
    """Say what a modality tells of a facet of worth.

    Attributes:
        facet: its name.
        share: of the variance of utility that is the facet's.
        signal: correlation of what is shown with what is so.
        known: correlation of the features with what is shown, as far as an encoder keeps it; None without features.
        others: modalities shown beside it before a choice, that tell of the same facet.
    """

    facet: str
    share: float
    signal: float
    known: float | None
    others: Sequence[str]


def shown_at(scenario: Scenario, modality: str) -> list[Shown]:
    """Return where a modality can be seen, in the order of the scenario."""
    found = []
    for name, surface in scenario.surfaces.items():
        for stage, names in surface.shows.items():
            devices = [
                device for device, cards in surface.visible.items()
                if cards > 0 and modality not in surface.hidden.get(device, ())
            ]  # fmt: skip
            if modality in names and devices:
                found.append(Shown(name, stage, devices))
    return found


def before_a_choice(scenario: Scenario, modality: str) -> list[str]:
    """Return the surfaces on whose cards a modality stands before anything is opened or played."""
    cards = {scenario.stages[name].surface for name in asking_stages(scenario)}
    return [each.surface for each in shown_at(scenario, modality) if each.stage == "browse" and each.surface in cards]


def tells(scenario: Scenario, modality: str) -> list[Told]:
    """Return what a modality tells of each facet; nothing where it is a number that has a weight of its own."""
    given = scenario.modalities[modality]
    if not isinstance(given, ContentModality | ReadoutModality):
        return []
    feature = given.feature if isinstance(given, ContentModality) else None
    known = None if feature is None else feature.retention.value
    beside = {
        each for name in before_a_choice(scenario, modality) for each in scenario.surfaces[name].shows.get("browse", [])
    }
    found = []
    for facet, telling in given.tells.items():
        others = [
            name for name, other in scenario.modalities.items()
            if name != modality and name in beside and facet in getattr(other, "tells", {})
        ]  # fmt: skip
        signal = getattr(telling, "signal", None)
        share = scenario.facets[facet].share.value if facet in scenario.facets else float("nan")
        found.append(Told(facet, share, float("nan") if signal is None else signal.value, known, others))
    return found


def carried(told: Sequence[Told]) -> float:
    """Return the share of the variance of utility that features carry: of each facet's, signal and encoding squared.

    NaN where nothing is told, or where it is exact, which is no matter of signals.
    """
    parts = [each.share * (each.signal * (each.known or 0.0)) ** 2 for each in told]
    return sum(parts) if parts else float("nan")


def in_words(scenario: Scenario, modality: str) -> list[str]:
    """Return all of it as lines."""
    lines = []
    places = shown_at(scenario, modality)
    cards = before_a_choice(scenario, modality)
    if cards:
        lines.append(f"{modality} stands on cards of {', '.join(cards)}: it is seen before a choice")
    else:
        lines.append(f"{modality} stands on no card: nobody sees it before a choice")
    later = sorted({f"{each.surface} ({each.stage})" for each in places if each.surface not in cards})
    if later:
        lines.append(f"it is also seen on {', '.join(later)}")
    everything = tells(scenario, modality)
    for told in everything:
        signal = "as far as it is exact" if told.signal != told.signal else f"with a correlation of {told.signal:g}"
        kept = "no encoder reads it" if told.known is None else f"an encoder keeps {told.known:g} of it"
        others = f"{', '.join(told.others)} beside it tell of it too" if told.others else "nothing beside it does"
        lines.append(
            f"it tells of {told.facet} ({told.share:.0%} of the variance of utility) {signal}; {kept}; {others}"
        )
    if any(each.known is not None for each in everything):
        share = carried(everything)
        lines.append(
            f"all in all its features carry {share:.0%} of the variance of utility"
            if share > 0
            else "its features carry nothing of what items are worth: who reads them learns whose they are at most"
        )
    return lines
