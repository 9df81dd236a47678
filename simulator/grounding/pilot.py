"""Short runs of a world for calibration: what a random policy would put into the platform's log."""

from __future__ import annotations

import numpy as np

from recommenders.contract import Positives
from simulator.engine.tables.tables import Users
from simulator.plan.compiler import Compiled
from simulator.platform.policies import create_recommender, declared_label
from simulator.population.catalog import TrueCatalog
from simulator.population.reservations import with_reservations
from simulator.records.log_writer import LogWriter
from simulator.records.needed_rows import NeededRows
from simulator.records.platform_log import PlatformMemory
from simulator.runtime.rounds import Rounds


def pilot_positives(compiled: Compiled, catalog: TrueCatalog, users: Users, horizon: float, seed: int) -> Positives:
    """Return the positives, by the scenario's label, that the platform would record by `horizon` under a random policy.

    Changes `users` (it is lived through): pass users made for this. Counters stay unpublished.
    """
    codes = compiled.names.by_column
    label = declared_label(compiled.scenario)
    memory = PlatformMemory(codes, len(users.state), catalog.n_items, NeededRows((label,), codes, catalog.public))
    log = LogWriter(None, "metrics", codes, horizon, memory)
    compiled = with_reservations(compiled, users, catalog.items, seed)
    rounds = Rounds(compiled, users, catalog.items, seed, 1, 4096, log)
    try:
        policy = create_recommender("random", {}, compiled.scenario, seed)
        tick = compiled.scenario.clock.tick.value
        for start in np.arange(0.0, horizon, tick):
            rounds.tick(
                [min(float(start) + tick, horizon)], catalog.available(float(start)), policy.recommend, lambda: 0
            )
            rounds.messages()  # nobody fulfils anything in a pilot
        rounds.flush()
        log.drain()
        return memory.arrived(horizon).positives(label, catalog.public)
    finally:
        log.abandon()
        rounds.close()
