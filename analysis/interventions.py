"""Recommenders that stand for an intervention and not for a way to recommend well."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from recommenders.contract import NO_ITEM, Catalog, PlatformLog, Requests, Slates
from recommenders.contract.settings import Settings, setting
from recommenders.models.hashing import mix, root, uniform
from recommenders.models.random import Random


@dataclass(frozen=True, kw_only=True)
class PinnedSettings(Settings):
    """Parameters of `Pinned`."""

    share: float = setting(1.0, "share of requests that get it first", low=0, high=1)


class Pinned(Random):
    """Put one item first in a share of random slates, wherever it is a candidate: the one that had
    been opened most until the first fit. It may be an item, or a parent that a stage shows in place of items.
    """

    name: ClassVar[str] = "pinned"
    Config: ClassVar[type[Settings]] = PinnedSettings
    config: PinnedSettings
    learns: ClassVar[bool] = True

    def fit(self, log: PlatformLog, catalog: Catalog) -> None:
        """Choose the item to pin, at the first fit only."""
        if getattr(self, "pinned", NO_ITEM) == NO_ITEM:
            opened = np.bincount(log.item[log.event == log.names["event"].index("open")], minlength=1)
            self.pinned = int(opened.argmax()) if opened.any() else NO_ITEM

    def recommend(self, requests: Requests) -> Slates:
        """Put the item first; whatever stood there takes its place, if it had one. Propensities are not given."""
        items = np.array(super().recommend(requests).items)
        if self.pinned in requests.candidates and items.shape[1]:
            draw = uniform(mix(np.full(1, root(self.seed, "pins")), requests.key))
            items = np.where((draw < self.config.share)[:, None], self._first(items), items)
        return Slates(items)

    def _first(self, items: np.ndarray) -> np.ndarray:
        """Return ``items``, (n, k), with the pinned one in the first place of every row."""
        items = items.copy()
        rows, places = np.nonzero(items == self.pinned)
        items[rows, places] = items[rows, 0]
        items[:, 0] = self.pinned
        return items

    def state(self) -> dict[str, np.ndarray]:
        """Return which item is pinned."""
        return {"pinned": np.array([self.pinned], np.int64)}

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Take back what `state` gave."""
        self.pinned = int(state["pinned"][0])
