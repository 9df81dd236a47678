"""Sizes that follow from several numbers at once: what a shown number is worth, how often something comes again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from simulator.scenario import limits
from simulator.scenario.checks.rules import Breaches
from simulator.scenario.durations import duration_text
from simulator.scenario.schema.catalog import AttributeModality, DistanceModality, PromiseModality
from simulator.scenario.schema.distributions import Distribution
from simulator.scenario.schema.numbers import Number
from simulator.scenario.schema.scenario import Scenario

Amount = Number | Distribution
_POINTS = 4096  # of a table of quantiles: a mean is at least so small a share of the highest value


def sizes(scenario: Scenario) -> Breaches:
    """Yield what comes again faster than it can be told, too many columns, and numbers that are worth too much."""
    tick = scenario.clock.tick.value
    declared = scenario.declared_interests
    if declared is not None and declared.survey is not None and declared.survey.every.value < tick:
        wrong = f"declared_interests.survey.every = {declared.survey.every.value:g} s"
        yield wrong, f"expected at least clock.tick, {duration_text(tick)}"
    columns = {name for table in _columns(scenario) for name in table}
    if len(columns) > limits.ATTRIBUTES:
        yield f"item_types and parents have {len(columns)} attributes", f"expected at most {limits.ATTRIBUTES}"
    for name, circumstance in scenario.circumstances.items():
        if circumstance.lasts.reach()[1] < 1.0:
            yield f"circumstances.{name}.lasts: always less than a second", "expected a second or more"
    for name, modality in scenario.modalities.items():
        if isinstance(modality, AttributeModality | PromiseModality | DistanceModality) and modality.weight is not None:
            worth = abs(modality.weight.value) * _farthest(scenario, modality) * _trait(scenario, modality.trait)
            if worth > limits.WORTH:
                yield (
                    f"modalities.{name}: what it shows may be worth {worth:.3g} utility",
                    f"expected at most {limits.WORTH:g}: a smaller weight or trait, or a larger per",
                )


def _farthest(scenario: Scenario, modality: AttributeModality | PromiseModality | DistanceModality) -> float:
    """Return the most `per`s by which what a modality shows may lie beside the usual; of what emerges, of one unit."""
    per = 1.0 if modality.per is None else _largest([modality.per], least=True)
    if not isinstance(modality, AttributeModality):
        return 1.0 / max(per, limits.LEAST)
    shown = list(_amounts(scenario, modality.shows))
    if not shown:  # the age of an item, which is worth one weight at the most
        return 1.0
    spread = float(_POINTS) if modality.relative else max(map(_high, shown)) - min(map(_low, shown))
    return spread / max(per, limits.LEAST)


def _columns(scenario: Scenario) -> list[dict[str, Amount]]:
    """Return the attributes of each item type and of each kind of parent."""
    items = [each.attributes for each in scenario.item_types.values()]
    return items + [each.attributes for each in scenario.parents.values()]


def _amounts(scenario: Scenario, attribute: str) -> Iterator[Amount]:
    for table in _columns(scenario):
        if attribute in table:
            yield table[attribute]


def _trait(scenario: Scenario, trait: str | None) -> float:
    """Return the largest that a trait may be, 1 where none is named."""
    tables = [scenario.user.traits, *(group.traits for group in scenario.user.groups.values())]
    found = [table[trait] for table in tables if trait is not None and trait in table]
    return _largest(found) if found else 1.0


def _largest(amounts: Iterable[Amount], least: bool = False) -> float:
    sizes = [abs(value) for each in amounts for value in (_low(each), _high(each))]
    return min(sizes) if least else max(sizes)


def _low(amount: Amount) -> float:
    return amount.reach()[0] if isinstance(amount, Distribution) else amount.value


def _high(amount: Amount) -> float:
    return amount.reach()[1] if isinstance(amount, Distribution) else amount.value
