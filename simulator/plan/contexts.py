"""What changes for a whole visit, as arrays: by the segment of its user, its context and its device.

Contexts have a row for visits without any, then one each.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from simulator.engine.tables import tables as layout
from simulator.plan.groups import factor, segments, shares_by_segment
from simulator.plan.stages import Vocabulary
from simulator.scenario.schema.contexts import CONTEXT_EVENT, Context
from simulator.scenario.schema.scenario import Scenario

_MULTIPLIED = {"haste": "leaving", "mindful": "attention", "budget": "budget"}


def context_tables(scenario: Scenario, names: Vocabulary) -> dict[str, Any]:
    """Return the tables of `Plan` on what visits are like, by name."""
    contexts: list[Context | None] = [None, *scenario.contexts.values()]
    mutes = np.zeros((len(contexts), len(names.modalities)))
    for c, context in enumerate(scenario.contexts.values(), start=1):
        for modality, probability in context.mutes.items():
            mutes[c, names.modalities.index(modality)] = probability.value
    return {
        "contexts": _rows(scenario, names, contexts),
        "context_hours": _hours(scenario),
        "context_devices": np.cumsum(_devices(scenario, names, contexts), axis=-1),
        "context_mutes": mutes,
    }


def _rows(scenario: Scenario, names: Vocabulary, contexts: list[Context | None]) -> npt.NDArray[np.void]:
    """Return CONTEXT (segments, 1 + contexts, devices): factors multiply each other."""
    rows = np.zeros((len(segments(scenario.user)), len(contexts), len(names.devices)), dtype=layout.CONTEXT)
    rows["elsewhere"], rows["event"] = -1.0, -1
    for g, segment in enumerate(segments(scenario.user)):
        rows["churn"][g] = factor(segment, "churn")
        for key, name in _MULTIPLIED.items():
            rows[key][g] = factor(segment, name) * np.outer(
                [_ratio(context, name) for context in contexts],
                [_ratio(device, name) for device in scenario.devices.values()],
            )
    for c, context in enumerate(scenario.contexts.values(), start=1):
        if context.unattended is not None:
            rows["elsewhere"][:, c] = context.unattended.value
        rows["stated"][:, c] = context.stated.value if context.stated is not None else 0.0
        rows["event"][:, c] = names.codes[CONTEXT_EVENT]
    return rows


def _ratio(of: Any, name: str) -> float:
    ratio = getattr(of, name, None)
    return 1.0 if ratio is None else float(ratio.value)


def _hours(scenario: Scenario) -> npt.NDArray[np.float64]:
    """Return the cumulative shares of contexts by hour of the day, or of the week where days differ."""
    contexts = scenario.contexts.values()
    shares = np.array([context.hours.profile for context in contexts]).reshape(len(contexts), 24)
    if any(context.weekdays is not None for context in contexts):
        days = [[1.0] * 7 if context.weekdays is None else context.weekdays.profile for context in contexts]
        shares = (np.array(days)[:, :, None] * shares[:, None, :]).reshape(len(contexts), 7 * 24)
    return np.cumsum(np.ascontiguousarray(shares.T), axis=1)  # environments pin tables that lie in one piece


def _devices(scenario: Scenario, names: Vocabulary, contexts: list[Context | None]) -> npt.NDArray[np.float64]:
    """Return the shares of devices, (segments, 1 + contexts, devices)."""
    usual = [device.share.value for device in scenario.devices.values()]
    rows = []
    for context in contexts:
        own = usual
        if context is not None and context.devices:
            own = [context.devices[name].value if name in context.devices else 0.0 for name in names.devices]
        rows.append(shares_by_segment(scenario.user, "devices", names.devices, own))
    return np.stack(rows, axis=1)
