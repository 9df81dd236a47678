"""Recommenders for tests of the engine: spies, slow ones, and ones that end the process that they run in."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import ClassVar

import numpy as np

from recommenders.contract import Catalog, Label, PlatformLog, Recommender, Reproducibility, Requests, Slates
from recommenders.models.neighbors import ItemKNN
from recommenders.models.random import Random


class Spy(Recommender):
    """Recommends at random and keeps everything that it was ever given."""

    name: ClassVar[str] = "spy"
    learns: ClassVar[bool] = True
    reproducibility: ClassVar[Reproducibility] = "exact"

    def __init__(self, *, seed: int = 0, label: Label | None = None) -> None:
        super().__init__(seed=seed, label=label)
        self.fitted: list[PlatformLog] = []
        self.updates: list[PlatformLog] = []
        self.catalogs: list[Catalog] = []
        self.asked: list[Requests] = []
        self.answered: list[Slates] = []
        self._random = Random(seed=seed)

    def fit(self, log: PlatformLog, catalog: Catalog) -> None:
        """Keep the log."""
        self.fitted.append(log)
        self.catalogs.append(catalog)

    def update(self, events: PlatformLog) -> None:
        """Keep the events."""
        self.updates.append(events)

    def recommend(self, requests: Requests) -> Slates:
        """Keep the requests; answer at random."""
        self.asked.append(requests)
        self.answered.append(self._random.recommend(requests))
        return self.answered[-1]


class Unhurried(ItemKNN):
    """Item-kNN, by its own name and so with its own slates, that takes its time: a test can act while it runs."""

    takes_lists: ClassVar[bool] = True  # one pause for several lists, not one for each

    def __init__(self, *, pause: float = 0.004, seed: int = 0, label: Label | None = None) -> None:
        super().__init__(seed=seed, label=label)
        self._pause = pause

    def recommend(self, requests: Requests) -> Slates:
        """Slates after a pause."""
        time.sleep(self._pause)
        return super().recommend(requests)


class Mortal(ItemKNN):
    """Item-kNN whose process is killed in its second fit, once: the file `marker` says that it has happened."""

    def __init__(self, *, marker: str = "", seed: int = 0, label: Label | None = None) -> None:
        super().__init__(seed=seed, label=label)
        self._marker = Path(marker)
        self._fits = 0

    def fit(self, log: PlatformLog, catalog: Catalog) -> None:
        """Fit; or, the second time in the first process, die."""
        self._fits += 1
        if self._fits == 2 and not self._marker.exists():
            self._marker.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        super().fit(log, catalog)


class Foreign(Recommender):
    """Breaks the contract once it is in charge: items that are not in the catalog."""

    name: ClassVar[str] = "foreign"
    learns: ClassVar[bool] = False

    def recommend(self, requests: Requests) -> Slates:
        """Slates of an item that does not exist."""
        return Slates(np.full((len(requests), requests.slate_size), 2**30, dtype=np.int32))
