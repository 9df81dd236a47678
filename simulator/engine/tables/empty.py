"""Tables of nobody and of nothing: of the types that those of every world have, for compiling before there are any."""

from __future__ import annotations

import numpy as np

from simulator.engine.tables.tables import (
    CARD,
    EVENT,
    ITEM,
    OFFER,
    USER,
    VISIT,
    VISIT_MEMORY,
    Items,
    Output,
    Users,
    Visits,
)

_F4 = np.zeros((0, 0), dtype=np.float32)

NOBODY = Users(
    state=np.zeros(0, dtype=USER), taste=_F4, satiation_trust=_F4, followed=np.zeros((0, 0), dtype=np.uint32)
)
NOTHING = Items(state=np.zeros(0, dtype=ITEM), vectors=_F4, bias_appeal=_F4, published_counters=_F4)
NO_VISITS = Visits(
    state=np.zeros(0, dtype=VISIT),
    slate=np.zeros((0, 0), dtype=OFFER),
    memory=np.zeros((0, VISIT_MEMORY), dtype=np.int32),
    memory_value=np.zeros((0, VISIT_MEMORY), dtype=np.float32),
    menu=np.zeros((0, 0), dtype=CARD),
)
NOWHERE = Output(
    records=np.zeros(0, dtype=EVENT),
    tallies=np.zeros(0, dtype=np.int64),
    counters=np.zeros((0, 0), dtype=np.int64),
    scratch=np.zeros((0, 0)),
)
"""Where nothing is written."""
