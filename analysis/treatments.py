"""Recommenders that stand for an intervention and not for a way to recommend well."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from recommenders.contract import Requests, Slates
from recommenders.random import Random


class Pinned(Random):
    """Random slates with one item in the first place of all of them, wherever it is a candidate.

    Args:
        item: the one; restaurants and other parents have the numbers after those of the items.
    """

    name: ClassVar[str] = "pinned"

    def __init__(self, item: int = 0, seed: int = 0) -> None:
        super().__init__(seed=seed)
        self.item = item

    def recommend(self, requests: Requests) -> Slates:
        """The item first; whatever stood there takes its place, if it had one. Propensities are not given."""
        items = super().recommend(requests).items.copy()
        if self.item in requests.candidates and items.shape[1]:
            first = items[:, 0].copy()
            rows, places = np.nonzero(items == self.item)
            items[rows, places] = first[rows]
            items[:, 0] = self.item
        return Slates(items)
