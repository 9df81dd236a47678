"""FREEDOM: items smoothed over a frozen graph of like content, users and items over a pruned graph."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from recommenders.contract import Catalog, Range, setting
from recommenders.models.multimodal.training import (
    TripleSettings,
    begin,
    pairwise,
    propagate,
    sparse_tensor,
    table,
    train,
    user_item_graph,
)
from recommenders.models.multimodal.vbpr import features_of, modalities_of
from recommenders.models.ranker import Learning
from recommenders.models.sgd import UserItem

if TYPE_CHECKING:
    import torch

ROWS = 1024


@dataclass(frozen=True)
class FreedomSettings(TripleSettings):
    """Settings of :class:`Freedom`."""

    modality: str = setting("all", "which features of the catalog, by +; 'all' that there are, or 'none'")
    neighbors: int = setting(10, "items most alike in content, itself among them", low=1)
    first_share: float = setting(
        0.1, "weight of the first of two modalities' graphs; more than two share alike", low=0, high=1
    )
    layers: int = setting(2, "steps over the graph of users and items", low=0, search=Range(1, 3))
    pruned: float = setting(0.8, "share of that graph's edges left out per epoch", low=0, high=0.99)
    content_weight: float = setting(1e-3, "of the content's own loss", low=0, search=Range(1e-5, 1e-1, log=True))


def content_graph(features: np.ndarray, k: int) -> Any:
    """Link each item with its k most alike by cosine, itself among them, each weighing 1/k: scipy CSR."""
    from scipy.sparse import csr_matrix

    n = len(features)
    k = min(k, n)
    rows = features / np.maximum(np.linalg.norm(features, axis=1, keepdims=True), 1e-12)
    near = np.empty((n, k), np.int64)
    for first in range(0, n, ROWS):
        alike = rows[first : first + ROWS] @ rows.T
        near[first : first + ROWS] = np.argpartition(-alike, k - 1, axis=1)[:, :k]
    return csr_matrix((np.full(n * k, 1 / max(k, 1)), near.reshape(-1), np.arange(n + 1) * k), (n, n))


class Freedom(UserItem):
    """FREEDOM (Zhou and Shen, MM 2023), with frozen features; without any it is LightGCN on a pruned graph."""

    name: ClassVar[str] = "freedom"
    Config = FreedomSettings
    reads = "positives"
    config: FreedomSettings

    def check(self, catalog: Catalog) -> None:
        """Check that features of the wanted modalities are there."""
        modalities_of(catalog, self.config.modality, f"recommender {self.name}")

    def learn(self, data: Learning) -> dict[str, np.ndarray]:
        """Train smoothed user and item vectors, float32."""
        import torch

        c, draw, n = self.config, begin(data), data.n_users
        features = features_of(data.catalog, c.modality, f"recommender {self.name}")
        likeness = self._likeness({name: each.numpy() for name, each in features.items()})
        own = table(n + data.n_items, c.factors, draw)
        maps = {
            m: [table(x.shape[1], c.factors, draw), torch.zeros(c.factors).requires_grad_()]
            for m, x in features.items()
        }
        users, items = data.positives.user.astype(np.int64), data.positives.item.astype(np.int64)
        whole = user_item_graph(users, items, n, data.n_items)
        rarity = 1 / np.sqrt(np.bincount(users, minlength=1)[users] * np.bincount(items, minlength=1)[items])
        graph = [whole]

        def prune() -> None:
            kept = len(users) - int(c.pruned * len(users))
            # An exponential race: the smallest of Exp(1) / weight are a draw without replacement by weight.
            race = -np.log1p(-torch.rand(len(users), generator=draw, dtype=torch.float64).numpy()) / rarity
            rows = np.argpartition(race, kept - 1)[:kept] if kept else np.empty(0, np.int64)
            graph[0] = user_item_graph(users[rows], items[rows], n, data.n_items)

        def vectors(over: torch.Tensor) -> torch.Tensor:
            out = propagate(over, own, c.layers)
            if likeness is None:
                return out
            return torch.cat((out[:n], out[n:] + likeness @ own[n:]))

        def loss(u: torch.Tensor, i: torch.Tensor, j: torch.Tensor) -> torch.Tensor:
            out = vectors(graph[0])
            mine = out[u]
            total = pairwise((mine * out[n + i]).sum(1), (mine * out[n + j]).sum(1))
            for name, (weights, bias) in maps.items():
                good, bad = features[name][i] @ weights + bias, features[name][j] @ weights + bias
                total = total + c.content_weight * pairwise((mine * good).sum(1), (mine * bad).sum(1))
            return total

        trained = [own, *(each for pair in maps.values() for each in pair)]
        train(data, c, trained, loss, draw, prune if c.pruned > 0 and len(users) else lambda: None)
        with torch.no_grad():
            out = vectors(whole).numpy()
        return {"users": out[:n].copy(), "items": out[n:].copy()}

    def _likeness(self, features: dict[str, np.ndarray]) -> torch.Tensor | None:
        """Mix the modalities' graphs."""
        if not features:
            return None
        first = self.config.first_share
        shares = [first, 1 - first] if len(features) == 2 else [1 / len(features)] * len(features)
        graphs = [content_graph(each, self.config.neighbors) for each in features.values()]
        return sparse_tensor(sum(share * graph for share, graph in zip(shares, graphs, strict=True)).tocsr())
