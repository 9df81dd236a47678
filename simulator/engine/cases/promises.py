"""What waits there are: the part of every promise that everybody can know at a tick."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from simulator.engine.cases.resources import expected_wait, unit_of
from simulator.engine.jit.compile import internal, kernel
from simulator.engine.tables.case_tables import CaseTables, Per, WorldPlan
from simulator.engine.tables.tables import DAY


@kernel
def publish_waits(tables: CaseTables, rows: npt.NDArray[np.int64], time: float, waits: npt.NDArray[np.float32]) -> None:
    """Fill what each promise announces before the way and the padding, s.

    Into `items.promised` go the times of the steps and the waits for what belongs to items, and into `users.promised`
    the waits for what belongs to users and their zones, where they are not as the last call left them.

    Args:
        tables: the units are as they stand at `time`.
        rows: items of which anything is promised, (k,).
        time: s; the hour of the day decides how many serve.
        waits: the waits of these units in each part, as they were then, s, (parts, units); nan: not known. Users are
            many and these are few, and most of the time there is none anywhere, so only what is new is told to users.
    """
    shared, of_items = tables.shared, tables.items.promised
    clock = (time + tables.plan.starts_at[0]) % DAY
    for p in range(shared.promises.shape[0]):
        for r in range(rows.shape[0]):
            of_items[rows[r], p] = 0.0
        news = False
        for k in range(shared.promises[p].first_part, shared.promises[p].first_part + shared.promises[p].n_parts):
            mean, resource = shared.parts[k].mean, np.int64(shared.parts[k].resource)
            kept = shared.parts[k].kept
            queues = resource >= 0 and shared.resources[resource].kind == 0
            by_user = _by_user(shared, k)
            for r in range(rows.shape[0]):
                item = rows[r]
                of_items[item, p] += np.float32(mean)
                if queues and not by_user:
                    unit = unit_of(tables, resource, 0, item)
                    if unit >= 0:
                        of_items[item, p] += np.float32(expected_wait(tables, resource, unit, kept, clock))
            if by_user:
                first = np.int64(shared.resources[resource].first_unit)
                for unit in range(first, first + shared.resources[resource].n_units):
                    wait = np.float32(expected_wait(tables, resource, unit, kept, clock))
                    news |= wait != waits[k, unit]
                    waits[k, unit] = wait
        if news:
            _tell_users(tables, p, waits)


@internal
def _by_user(shared: WorldPlan, k: int) -> bool:
    """Return whether in a part there is a wait for what belongs to users or their zones."""
    resource = np.int64(shared.parts[k].resource)
    if resource < 0 or shared.resources[resource].kind != 0:
        return False
    return shared.resources[resource].per == Per.USER or shared.resources[resource].per == Per.ZONE


@internal
def _tell_users(tables: CaseTables, p: int, waits: npt.NDArray[np.float32]) -> None:
    """Fill a promise's column of the users': the waits, of all parts, for what is each user's (as in `unit_of`)."""
    shared, zone, of_users = tables.shared, tables.geography.zone, tables.users.promised
    for user in range(of_users.shape[0]):
        of_users[user, p] = 0.0
    for k in range(shared.promises[p].first_part, shared.promises[p].first_part + shared.promises[p].n_parts):
        if not _by_user(shared, k):
            continue
        r, own = shared.resources[np.int64(shared.parts[k].resource)], waits[k]
        first = np.int64(r.first_unit)
        if r.per == Per.ZONE:
            for user in range(of_users.shape[0]):
                of_users[user, p] += own[first + np.int64(zone[user])]
        else:
            for user in range(of_users.shape[0]):
                of_users[user, p] += own[first + user]
