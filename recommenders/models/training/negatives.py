"""Batches of positives, each with an item that its user has not had."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch

from recommenders.models.training.inputs import Inputs

TRIES = 10


class Triples(NamedTuple):
    """Hold users, items that they had, and items that they had not: int64 (n,) each."""

    users: torch.Tensor
    positives: torch.Tensor
    negatives: torch.Tensor


class Sampler:
    """Draws the batches of an epoch: every positive once, shuffled, each with one negative by luck of torch's own.

    Negatives are items that someone had. A positive whose user's ten draws were all had sits this epoch out: its user
    has had nearly everything.
    """

    def __init__(self, given: Inputs, batch: int) -> None:
        """Take the pairs; a batch is `batch` positives, or a tenth of them if that is less."""
        self._given, self.batch = given, max(min(batch, given.users.size // 10), 1)
        self._pool = np.unique(given.items)
        self._had = given.users * given.n_items + given.items  # rising

    def epoch(self) -> Iterator[Triples]:
        """Yield the batches of one epoch; none is empty."""
        given = self._given
        order = torch.randperm(given.users.size).numpy()
        negatives, fine = self._negatives(given.users[order])
        order, negatives = order[fine], negatives[fine]
        arrays = (given.users[order], given.items[order], negatives)
        parts = [torch.from_numpy(each).to(given.device) for each in arrays]
        for first in range(0, order.size, self.batch):
            yield Triples(*(each[first : first + self.batch] for each in parts))

    def _negatives(self, users: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        items, open_ = np.zeros(users.size, np.int64), np.ones(users.size, bool)
        for _ in range(TRIES):
            rows = np.flatnonzero(open_)
            if not rows.size:
                break
            items[rows] = self._pool[torch.randint(self._pool.size, (rows.size,)).numpy()]
            pair = users[rows] * self._given.n_items + items[rows]
            place = np.minimum(np.searchsorted(self._had, pair), self._had.size - 1)
            open_[rows] = self._had[place] == pair
        return items, ~open_
