"""LightGCN: vectors smoothed over the graph of users and items."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from recommenders.contract import Range, setting
from recommenders.models.multimodal.training import (
    TripleSettings,
    begin,
    pairwise,
    propagate,
    table,
    train,
    user_item_graph,
)
from recommenders.models.ranker import Learning
from recommenders.models.sgd import UserItem


@dataclass(frozen=True)
class LightGCNSettings(TripleSettings):
    """Settings of :class:`LightGCN`."""

    layers: int = setting(2, "steps over the graph", low=0, search=Range(1, 4))
    regularization: float = setting(1e-4, "of the batch's own vectors", low=0, search=Range(1e-6, 1e-2, log=True))


class LightGCN(UserItem):
    """LightGCN (He et al., SIGIR 2020): means of 0 to ``layers`` steps over the graph, trained pairwise."""

    name: ClassVar[str] = "lightgcn"
    Config = LightGCNSettings
    reads = "positives"
    config: LightGCNSettings

    def learn(self, data: Learning) -> dict[str, np.ndarray]:
        """Train smoothed user and item vectors, float32."""
        import torch

        c, draw, n = self.config, begin(data), data.n_users
        own = table(n + data.n_items, c.factors, draw)
        users, items = data.positives.user.astype(np.int64), data.positives.item.astype(np.int64)
        graph = user_item_graph(users, items, n, data.n_items)

        def loss(u: torch.Tensor, i: torch.Tensor, j: torch.Tensor) -> torch.Tensor:
            out = propagate(graph, own, c.layers)
            mine, good, bad = out[u], out[n + i], out[n + j]
            squares = (own[u] ** 2).sum() + (own[n + i] ** 2).sum() + (own[n + j] ** 2).sum()
            return pairwise((mine * good).sum(1), (mine * bad).sum(1)) + c.regularization / 2 * squares / len(u)

        train(data, c, [own], loss, draw)
        with torch.no_grad():
            out = propagate(graph, own, c.layers).numpy()
        return {"users": out[:n].copy(), "items": out[n:].copy()}
