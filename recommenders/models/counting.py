"""Base of recommenders that say how many places of their slates popularity filled, for want of a score."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from recommenders.contract import NO_ITEM, Label, Places, Recommender


class Counting(Recommender):
    """Base: subclasses :meth:`count` each batch of slates, keep :meth:`counts` in their state and take them back."""

    def __init__(self, *, seed: int = 0, label: Label | None = None, **parameters: Any) -> None:
        super().__init__(seed=seed, label=label, **parameters)
        self._places = np.zeros(len(Places._fields), np.int64)

    def count(self, slates: np.ndarray, unscored: np.ndarray, known: np.ndarray) -> None:
        """Count a batch.

        Args:
            slates: int32 (n, k), -1 where a place holds nothing.
            unscored: bool (n, k), the places whose item the model gave no score.
            known: bool (n,), whether the user had positives at fit.
        """
        there = slates != NO_ITEM
        bare = there & unscored
        self._places += np.array([there.sum(), bare.sum(), bare[~known].sum()])

    def places(self) -> Places | None:
        """Return the counts over all fits."""
        return Places(*self._places.tolist())

    def counts(self) -> dict[str, np.ndarray]:
        """Return the counts for a checkpoint."""
        return {"places": self._places.copy()}

    def take_counts(self, state: Mapping[str, np.ndarray]) -> None:
        """Take back what `counts` gave; runs of earlier versions did not count."""
        self._places = np.array(state.get("places", (0, 0, 0)), np.int64)
