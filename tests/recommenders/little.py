"""Little logs and little requests for tests of recommenders."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from recommenders.contract import Label, PlatformLog, Requests, compressed

LIKE = Label("like", ("like",))
NAMES = {"surface": ("feed",), "device": ("phone",), "stage": ("watch",), "event": ("impression", "like", "skip")}


def log_of_likes(pairs: Sequence[tuple[int, int]], n_users: int, n_items: int) -> PlatformLog:
    """A log with one like per (user, item) pair, one second apart."""
    time = np.arange(len(pairs), dtype=np.float64)
    users = np.array([user for user, _ in pairs], np.uint32)
    items = np.array([item for _, item in pairs], np.uint32)
    columns = {"time": time, "logged_at": time, "user": users, "item": items, "event": np.ones(len(pairs), np.uint8)}
    return PlatformLog.from_columns(columns, NAMES, n_users, n_items)


def ask(
    n_items: int,
    users: Sequence[int] = (0,),
    keys: Sequence[int] | None = None,
    slate_size: int = 3,
    recent: Sequence[Sequence[int]] = ((),),
    played: Sequence[Sequence[tuple[int, float]]] = ((),),
    candidates: Sequence[int] | None = None,
) -> Requests:
    """Requests with what the test cares about; ``recent`` and ``played`` of one row serve all rows."""
    n = len(users)

    def padded(rows: Sequence[Sequence[float]], filler: float, dtype: type) -> np.ndarray:
        rows = [*rows] * n if len(rows) == 1 else rows
        out = np.full((n, max(len(row) for row in rows)), filler, dtype)
        for r, row in enumerate(rows):
            out[r, : len(row)] = row
        return out

    start, sent = compressed(padded(recent, -1, np.int32))
    return Requests(
        key=np.array(range(n) if keys is None else keys, np.uint64),
        user=np.array(users, np.uint32),
        session=np.zeros(n, np.uint32),
        request=np.zeros(n, np.uint32),
        time=np.zeros(n),
        surface=np.zeros(n, np.uint8),
        device=np.zeros(n, np.uint8),
        stage=np.zeros(n, np.uint8),
        recent_start=start,
        recent_items=sent,
        events_item=padded([[item for item, _ in row] for row in played], -1, np.int32),
        events_value=padded([[value for _, value in row] for row in played], np.nan, np.float32),
        candidates=np.array(range(n_items) if candidates is None else candidates, np.int32),
        slate_size=slate_size,
    )
