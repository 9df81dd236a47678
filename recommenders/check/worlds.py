"""Small synthetic platforms: catalogs, logs and batches of requests, handed out as a platform does, sealed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recommenders.contract import NO_ITEM, Catalog, Label, PlatformLog, Requests, compressed, sealed

MODALITIES = ("cover", "caption", "audio", "video", "image")
"""Modalities that the synthetic catalogs offer unless others are asked for."""


@dataclass(frozen=True)
class World:
    """A small synthetic platform: its catalog, its log, and a batch of requests."""

    catalog: Catalog
    log: PlatformLog
    requests: Requests


def synthetic_world(
    n_users: int = 40,
    n_items: int = 120,
    n_events: int = 1500,
    n_requests: int = 37,
    slate_size: int = 10,
    n_candidates: int | None = None,
    seed: int = 0,
    label: Label | None = None,
    modalities: tuple[str, ...] = MODALITIES,
) -> World:
    """Make a platform where ``label`` (if any) makes about half of the events positive; the last user has none."""
    random = np.random.default_rng(seed)
    label = label or Label("click", ("click",))
    columns: dict[str, np.ndarray] = {
        "duration": random.uniform(5, 100, n_items).astype(np.float32),
        "creator": random.integers(0, max(n_items // 3, 1), n_items).astype(np.uint32),
        "type": random.integers(0, 2, n_items).astype(np.uint8),
        "published_at": random.uniform(-1e5, 0, n_items),
    }
    if label.or_item is not None and label.or_item not in columns:
        columns[label.or_item] = np.full(n_items, label.at_least, np.float32)
    features = {name: random.normal(size=(n_items, 6)).astype(np.float32) for name in modalities}
    events = ("impression", *label.events)
    time = np.sort(random.uniform(0, 1e5, n_events))
    value = random.uniform(0.5, 1.5, n_events) * (label.at_least or 1.0)
    told: dict[str, np.ndarray] = {
        "time": time,
        "logged_at": time + 1,
        "user": random.integers(0, max(n_users - 1, 1), n_events).astype(np.uint32),
        # Squared uniforms: some items are popular, many are not.
        "item": (n_items * random.uniform(size=n_events) ** 2).astype(np.uint32),
        "event": random.integers(0, len(events), n_events).astype(np.uint8),
        "value": value.astype(np.float32),
    }
    names = {"surface": ("feed",), "device": ("phone",), "stage": ("watch",), "event": events}
    log = PlatformLog.from_columns({name: sealed(array) for name, array in told.items()}, names, n_users, n_items)
    requests = _requests(random, n_users, n_items, n_requests, slate_size, n_candidates or n_items)
    return World(Catalog(n_items, columns, features).sealed(), log, requests)


def _requests(
    random: np.random.Generator, n_users: int, n_items: int, n: int, slate_size: int, n_candidates: int
) -> Requests:
    recent = random.integers(-1, n_items, (n, 6)).astype(np.int32)
    start, sent = compressed(recent)
    so_far = random.integers(0, 6, n)
    there = np.arange(5) < so_far[:, None]
    users = random.integers(0, n_users, n).astype(np.uint32)
    users[-1] = n_users - 1  # whom the log has never met
    anchor_item = np.where(np.arange(n) % 3 == 0, recent[:, 0], NO_ITEM).astype(np.int32)  # some stand next to an item
    return Requests(
        key=random.integers(0, 2**63, n).astype(np.uint64),
        user=users,
        session=random.integers(0, 9, n).astype(np.uint32),
        request=random.integers(0, 9, n).astype(np.uint32),
        time=random.uniform(1e5, 2e5, n),
        surface=np.zeros(n, np.uint8),
        device=np.zeros(n, np.uint8),
        stage=np.zeros(n, np.uint8),
        recent_start=start,
        recent_items=sent,
        events_item=np.where(there, random.integers(0, n_items, (n, 5)), NO_ITEM).astype(np.int32),
        events_value=np.where(there, random.uniform(0, 1.5, (n, 5)), np.nan).astype(np.float32),
        candidates=np.sort(random.permutation(n_items)[:n_candidates]).astype(np.int32),
        slate_size=slate_size,
        anchor_item=anchor_item,
        # some have declared an interest, in one of the types
        stated=np.where(np.arange(n) % 3 == 0, NO_ITEM, np.arange(n) % 2)[:, None].astype(np.int32),
        context=np.where(np.arange(n) % 4 == 0, 1, -1).astype(np.int8),
    )
