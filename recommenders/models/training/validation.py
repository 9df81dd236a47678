"""How well vectors rank the items that were held out."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from recommenders.models.training.inputs import Inputs

K = 20
ROWS = 512

Scores = Callable[[torch.Tensor], torch.Tensor]
"""Gives the scores of users, int64 (b,), for all items: float32 (b, n_items)."""


class HeldOut:
    """The held-out pairs, and what training items hide of each user's list."""

    def __init__(self, given: Inputs) -> None:
        """Take the pairs held out; there may be none."""
        self.users = torch.from_numpy(given.held_users).to(given.device)
        self._items = torch.from_numpy(given.held_items).to(given.device)
        self._start = np.searchsorted(given.users, np.arange(given.n_users + 1))
        self._trained, self._who = given.items, given.held_users

    def __len__(self) -> int:
        return len(self.users)

    @torch.no_grad()
    def recall(self, scores: Scores) -> float:
        """Return the share of held-out items among the first 20, of all items that the user was not trained on."""
        found = 0
        for first in range(0, len(self), ROWS):
            block = scores(self.users[first : first + ROWS])
            rows, columns = self._hidden(first, len(block))
            block[rows, columns] = -torch.inf
            wanted = self._items[first : first + ROWS]
            own = block.gather(1, wanted[:, None])
            found += int(((block > own).sum(1) < K).sum())
        return found / max(len(self), 1)

    def _hidden(self, first: int, n: int) -> tuple[torch.Tensor, torch.Tensor]:
        who = self._who[first : first + n]
        sizes = self._start[who + 1] - self._start[who]
        rows = np.repeat(np.arange(n), sizes)
        places = np.arange(rows.size) - np.repeat(np.cumsum(sizes) - sizes, sizes) + np.repeat(self._start[who], sizes)
        device = self.users.device
        return torch.from_numpy(rows).to(device), torch.from_numpy(self._trained[places]).to(device)
