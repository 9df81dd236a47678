"""The contexts of visits, as arrays: a row for visits without any, then one for each context."""

from __future__ import annotations

from typing import Any

import numpy as np

from simulator.engine.tables import tables as layout
from simulator.plan.stages import Vocabulary
from simulator.scenario.schema.contexts import CONTEXT_EVENT
from simulator.scenario.schema.scenario import Scenario


def context_tables(scenario: Scenario, names: Vocabulary) -> dict[str, Any]:
    """Return the tables of `Plan` that come from `contexts`, by name."""
    n = len(scenario.contexts)
    rows = np.zeros(1 + n, dtype=layout.CONTEXT)
    for key in ("haste", "mindful", "budget"):
        rows[key] = 1.0
    rows["elsewhere"], rows["event"] = -1.0, -1
    hours = np.zeros((24, n))
    shares = np.array([device.share.value for device in scenario.devices.values()])
    devices = np.tile(shares, (1 + n, 1))
    mutes = np.zeros((1 + n, len(names.modalities)))
    for c, context in enumerate(scenario.contexts.values()):
        row = rows[c + 1]
        for key, ratio in (("haste", context.leaving), ("mindful", context.attention), ("budget", context.budget)):
            if ratio is not None:
                row[key] = ratio.value
        if context.unattended is not None:
            row["elsewhere"] = context.unattended.value
        row["stated"] = context.stated.value if context.stated is not None else 0.0
        row["event"] = names.codes[CONTEXT_EVENT]
        hours[:, c] = context.hours.profile
        if context.devices:
            devices[c + 1] = [context.devices[name].value if name in context.devices else 0.0 for name in names.devices]
        for modality, probability in context.mutes.items():
            mutes[c + 1, names.modalities.index(modality)] = probability.value
    return {
        "contexts": rows,
        "context_hours": np.cumsum(hours, axis=1),
        "context_devices": np.cumsum(devices, axis=1),
        "context_mutes": mutes,
    }
