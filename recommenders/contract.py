"""The contract between a platform and its recommenders, version 0: all that a plug-in may see, and what it must do.

A plug-in is a class like this one::

    class Newest(Recommender):
        name = "newest"

        def fit(self, log, catalog):
            self.published_at = catalog.columns["published_at"]

        def recommend(self, requests):
            order = np.argsort(-self.published_at[requests.candidates], kind="stable")
            best = requests.candidates[order][: requests.slate_size]
            return Slates(np.tile(best, (len(requests), 1)))

``check_recommender`` (in :mod:`recommenders.check`) says whether it keeps the contract. (This one does not: it shows
users what they have just seen.)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

import numpy as np

from recommenders.catalog import Catalog, LazyFeatures
from recommenders.columns import CODED, COLUMNS, Column, Columns
from recommenders.errors import RecommenderError
from recommenders.log import Label, PlatformLog, Positives
from recommenders.requests import NO_ITEM, Requests, Slates, validate_slates

__all__ = [
    "CODED", "COLUMNS", "CONTRACT_VERSION", "NO_ITEM", "Catalog", "Column", "Columns", "Label", "LazyFeatures",
    "PlatformLog", "Positives", "Recommender", "RecommenderError", "Reproducibility", "Requests", "Slates",
    "validate_slates",
]  # fmt: skip

CONTRACT_VERSION = 0

Reproducibility = Literal["exact", "same machine", "none"]


class Recommender:
    """Base of every recommender. Constructors only store typed keyword parameters; ``fit`` does the work.

    Class attributes:
        name: what it is called.
        learns: whether it needs ``fit`` on a log before it can recommend.
        reproducibility: 'exact' if slates are equal on every machine and for every batch, 'same machine' if equal for
            every batch on one machine, 'none' otherwise.
    """

    name: ClassVar[str] = ""
    learns: ClassVar[bool] = True
    reproducibility: ClassVar[Reproducibility] = "none"

    def __init__(self, *, seed: int = 0, label: Label | None = None) -> None:
        self.seed = seed
        self.label = label

    def fit(self, log: PlatformLog, catalog: Catalog) -> None:
        """Learn from all records that have arrived. Fitting again forgets what was learned before."""

    def recommend(self, requests: Requests) -> Slates:
        """Slates for a batch of requests; each a function of its own request only. Changes no array of it."""
        raise NotImplementedError(f"{type(self).__name__} does not implement recommend")

    def update(self, events: PlatformLog) -> None:
        """Take in records that arrived since ``fit`` or the last ``update``; by default they teach nothing."""

    def state(self) -> dict[str, np.ndarray]:
        """Everything learned, as plain arrays (for checkpoints); parameters are not part of it."""
        return {}

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Take back what ``state`` of an equally parametrised recommender gave, in place of fitting."""

    def positives(self, log: PlatformLog, catalog: Catalog) -> Positives:
        """The positives of the log by this recommender's label.

        Raises:
            RecommenderError: if it was made without a label.
        """
        if self.label is None:
            raise RecommenderError(
                f"recommender {self.name}", "has no label", "say what counts as a positive: label=Label(name, events)"
            )
        return log.positives(self.label, catalog)
