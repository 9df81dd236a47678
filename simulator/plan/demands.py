"""What users demand of an item at a stage, as arrays: a fixed utility, or what it is worth to search on.

What searching on is worth depends on what can be seen of other items, and so on who and what is there: for stages with
a `search_cost` it is set when a world's users and items are known (`simulator.population.reservations`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from simulator.plan.groups import shares_by_segment
from simulator.plan.stages import Vocabulary
from simulator.scenario.schema.numbers import Number
from simulator.scenario.schema.scenario import Scenario


@dataclass(frozen=True)
class Demands:
    """Hold what a stage demands of the first item that is taken, and of those that join it in a basket."""

    fixed: tuple[Number | None, Number | None]
    search_cost: tuple[Number | None, Number | None]


def demands_of(scenario: Scenario) -> Iterator[tuple[str, Demands]]:
    """Yield the stages where an item is taken or not, with what they demand."""
    for name, inspect in scenario.inspect.items():
        yield name, Demands((inspect.threshold, inspect.threshold), (inspect.search_cost, inspect.search_cost))
    for name, commit in scenario.commit.items():
        yield name, Demands((commit.threshold, commit.threshold), (commit.search_cost, commit.search_cost))
    for name, browse in scenario.browse.items():
        fixed, cost, picks = browse.outside_option, browse.search_cost, browse.picks
        if picks is None or (picks.outside_option is None and picks.search_cost is None):
            yield name, Demands((fixed, fixed), (cost, cost))
        else:
            yield name, Demands((fixed, picks.outside_option), (cost, picks.search_cost))


def demand_tables(scenario: Scenario, names: Vocabulary) -> dict[str, Any]:
    """Return the tables of `Plan` on what is demanded, by name; 0 where it is to be what searching on is worth."""
    demands = np.zeros((len(names.stages), len(names.devices), 2))
    for name, each in demands_of(scenario):
        for more, fixed in enumerate(each.fixed):
            if fixed is not None:
                demands[names.stages.index(name), :, more] = fixed.value
    demands += device_reluctance(scenario, names)[:, :, None]
    intents = list(scenario.user.intents.values())
    reluctance = np.zeros((max(len(intents), 1), len(names.stages)))
    for row, intent in zip(reluctance, intents, strict=False):
        for name, reluctant in intent.reluctance.items():
            row[names.stages.index(name)] = reluctant.value
    shares = [[(each.first or each.share).value for each in intents], [each.share.value for each in intents]]
    rows = [shares_by_segment(scenario.user, "intents", [*scenario.user.intents], each) for each in shares]
    return {
        "demands": demands,
        "reluctance": reluctance,
        "intents": np.cumsum(np.stack(rows, axis=1), axis=-1) if intents else np.ones((len(rows[0]), 2, 1)),
    }


def device_reluctance(scenario: Scenario, names: Vocabulary) -> npt.NDArray[np.float64]:
    """Return what each device adds to what a stage demands, utility, (stages, devices)."""
    reluctance = np.zeros((len(names.stages), len(names.devices)))
    for d, device in enumerate(scenario.devices.values()):
        for name, reluctant in device.reluctance.items():
            reluctance[names.stages.index(name), d] = reluctant.value
    return reluctance
