"""From rows of visits that wait for a slate to the requests that a recommender is asked."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from recommenders.contract import Lists, Requests, Seen, sealed
from simulator.engine.tables.tables import VISIT_MEMORY, Plan, Visits
from simulator.platform.kernels.requests import RequestColumns, gather, most_events
from simulator.platform.recently_shown import RecentlyShown

# What most requests say nothing of, made once for all of them.
_ROWS = 1 << 12
_NOTHING_STATED = sealed(np.empty((_ROWS, 0), dtype=np.int32))
_NO_CRITERIA = sealed(np.empty((_ROWS, 0), dtype=np.float32))
_NO_ORDER = sealed(np.full(_ROWS, -1, dtype=np.int8))


def build_requests(
    seed: int,
    chosen: npt.NDArray[np.int64],
    plan: Plan,
    visits: Visits,
    recently_shown: RecentlyShown,
    candidates: npt.NDArray[np.int32],
    size: int,
    stated: npt.NDArray[np.int32] | None = None,
    criteria: npt.NDArray[np.float32] | None = None,
    sorting: npt.NDArray[np.int8] | None = None,
    seen: Seen = "last",
    several: Lists | None = None,
) -> Requests:
    """Build the requests of the rows `chosen` for slates of `size` of the `candidates`, or of `several` lists of them.

    `stated` is int32 (users, S), what each user has declared, or None where nobody is asked; `criteria` float32 (n, C),
    what the visits of these rows ask for, or None where visits have no criteria; `sorting` int8 (n,), the orders that
    they have asked for so far, or None where there are none; `seen` what requests say of items had.

    All of its arrays are sealed: a plug-in can keep them, and cannot change them.
    """
    n = len(chosen)
    events = most_events(chosen, visits.state)
    batch = RequestColumns(
        key=np.empty(n, dtype=np.uint64),
        user=np.empty(n, dtype=np.uint32),
        session=np.empty(n, dtype=np.uint32),
        request=np.empty(n, dtype=np.uint32),
        time=np.empty(n, dtype=np.float64),
        surface=np.empty(n, dtype=np.uint8),
        device=np.empty(n, dtype=np.uint8),
        stage=np.empty(n, dtype=np.uint8),
        anchor_item=np.empty(n, dtype=np.int32),
        context=np.empty(n, dtype=np.int8),
        events_item=np.empty((n, events), dtype=np.int32),
        events_value=np.empty((n, events), dtype=np.float32),
    )
    gather(seed, chosen, visits.state, plan.stages, plan.contexts, visits.memory, visits.memory_value, batch)
    start = np.zeros(n + 1, dtype=np.int64)
    np.cumsum(recently_shown.sizes(batch.user), out=start[1:])
    items = np.empty(start[-1], dtype=np.int32)
    recently_shown.fill(batch.user, start, items)
    if (
        recently_shown.kept < VISIT_MEMORY
    ):  # however little is remembered, this visit's own items stay out of its slates
        own = batch.events_item
        if (batch.anchor_item >= 0).any():  # and what a slate stands next to
            own = np.concatenate([own, batch.anchor_item[:, None]], axis=1)
        if own.shape[1] > 0:
            start, items = _with_own(start, items, own)
    return Requests.unchecked(
        **batch._asdict(),
        recent_start=start,
        recent_items=items,
        candidates=candidates,
        slate_size=size,
        seen=seen,
        stated=_same(_NOTHING_STATED, n) if stated is None else stated[batch.user],
        criteria=_same(_NO_CRITERIA, n) if criteria is None else criteria,
        sorting=_same(_NO_ORDER, n) if sorting is None else sorting,
        several=several,
    )


def _same(rows: npt.NDArray[Any], n: int) -> npt.NDArray[Any]:
    """Return n rows of an array whose rows are all the same."""
    return rows[:n] if n <= _ROWS else np.repeat(rows[:1], n, axis=0)


def _with_own(
    start: npt.NDArray[np.int64], items: npt.NDArray[np.int32], own: npt.NDArray[np.int32]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int32]]:
    """Return the compressed rows with the items of `own` (n, H), -1 none, after those of each row."""
    there = own >= 0
    longer = start.copy()
    longer[1:] += np.cumsum(there.sum(axis=1))
    both = np.empty(longer[-1], dtype=np.int32)
    places = np.arange(len(items)) + np.repeat(longer[:-1] - start[:-1], np.diff(start))
    both[places] = items
    rest = np.ones(len(both), dtype=np.bool_)
    rest[places] = False
    both[rest] = own[there]
    return longer, both
