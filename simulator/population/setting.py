"""The setting of a world: its catalog and its users at time 0, drawn from the scenario or grounded in a real folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from simulator.engine.tables.tables import Users
from simulator.plan.compiler import Compiled
from simulator.population.catalog import TrueCatalog


@dataclass(frozen=True)
class Setting:
    """Hold a world's beginning, its catalog and users at time 0, and how long it lasts."""

    compiled: Compiled
    catalog: TrueCatalog
    users: Users
    warm: dict[str, npt.NDArray[np.generic]] | None  # columns of a real log, before the run
    horizon: float  # s, where the configuration leaves it open
    facts: dict[str, Any]  # for the manifest: what was calibrated, what was assumed
    source_ids: Mapping[str, npt.NDArray[np.str_]] = field(default_factory=dict)  # user, item -> names in a real folder
