"""Recommenders that stand for an intervention and not for a way to recommend well."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from recommenders.contract import Requests, Slates
from recommenders.random import Random

PINNED = 0
"""The item that `Pinned` shows first to everybody."""


class Pinned(Random):
    """Random slates with one item in the first place of all of them, wherever it is a candidate."""

    name: ClassVar[str] = "pinned"

    def recommend(self, requests: Requests) -> Slates:
        """The item first; whatever stood there takes its place, if it had one. Propensities are not given."""
        items = super().recommend(requests).items.copy()
        if PINNED in requests.candidates and items.shape[1]:
            first = items[:, 0].copy()
            rows, places = np.nonzero(items == PINNED)
            items[rows, places] = first[rows]
            items[:, 0] = PINNED
        return Slates(items)
