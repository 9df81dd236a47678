"""FREEDOM: items smoothed over a frozen graph of like content, users and items over a pruned graph."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch

from recommenders.contract import Range, setting
from recommenders.models.blocks.graphs import rare_edges, user_item_graph, without_replacement
from recommenders.models.blocks.losses import dots, pairwise
from recommenders.models.blocks.neighbours import neighbour_graph
from recommenders.models.blocks.propagation import propagate
from recommenders.models.blocks.shares import first_and_rest
from recommenders.models.blocks.sparse import Sparse
from recommenders.models.blocks.tables import projections
from recommenders.models.multimodal.smoothed import Pair, SmoothedNetwork
from recommenders.models.training.inputs import Inputs
from recommenders.models.training.model import MultimodalModel
from recommenders.models.training.negatives import Triples
from recommenders.models.training.settings import OF_WEIGHT, FeatureSettings


@dataclass(frozen=True)
class FreedomSettings(FeatureSettings):
    """Settings of :class:`Freedom`."""

    neighbors: int = setting(10, "items most alike in content, itself among them", low=1)
    first: str = setting("image", "modality whose graph weighs `first_share`; where it is not read, all weigh alike")
    first_share: float = setting(0.1, "weight of the first modality's graph; the others share the rest", low=0, high=1)
    layers: int = setting(2, "steps over the graph of users and items", low=0, search=Range(1, 3))
    item_layers: int = setting(1, "steps over the graph of items", low=0)
    pruned: float = setting(0.8, "share of users' and items' edges left out per epoch", low=0, high=0.99)
    content_weight: float = setting(1e-3, "of the content's own loss", low=0, search=OF_WEIGHT)


class FreedomNetwork(SmoothedNetwork):
    """Tables, a map per modality, the graph of users and items, and the frozen one of items."""

    settings: FreedomSettings

    def __init__(self, given: Inputs, settings: FreedomSettings) -> None:
        """Draw tables and maps, and link items."""
        super().__init__(given, settings)
        self.maps = projections(given.features, settings.factors)
        self.alike = alike_in_content(given, settings.neighbors, settings.first, settings.first_share)
        self.pruned = self.graph
        self._weights = rare_edges(given.users, given.items)

    def start_epoch(self, epoch: int) -> None:
        """Leave out edges, those of popular nodes first."""
        n = self.given.users.size
        if self.settings.pruned > 0:
            uniform = torch.rand(n, dtype=torch.float64).numpy()
            edges = without_replacement(self._weights, n - int(self.settings.pruned * n), uniform)
            given = self.given
            users, items = given.users[edges], given.items[edges]
            self.pruned = user_item_graph(users, items, given.n_users, given.n_items, given.device)

    def over(self, graph: Sparse) -> Pair:
        """Return the vectors that a graph of users and items gives."""
        start = torch.cat((self.users, self.items))
        users, items = self.halves(propagate(graph, start, self.settings.layers))
        if self.alike is None:
            return users, items
        return users, items + propagate(self.alike, self.items, self.settings.item_layers, "last")

    def vectors(self) -> Pair:
        """Return the vectors over the whole graph."""
        return self.over(self.graph)

    def loss(self, batch: Triples) -> torch.Tensor:
        """Return BPR's loss, and that of each modality's content alone."""
        u, i, j = batch
        users, items = self.over(self.pruned)
        mine = users[u]
        total = pairwise(dots(mine, items[i]), dots(mine, items[j]))
        for name, x in self.features.items():
            good, bad = self.maps[name](x[i]), self.maps[name](x[j])
            total = total + self.settings.content_weight * pairwise(dots(mine, good), dots(mine, bad))
        return total


def alike_in_content(given: Inputs, k: int, first: str, share: float) -> Sparse | None:
    """Return the modalities' graphs of like items, mixed; None without features."""
    if not given.features:
        return None
    shares = first_and_rest(list(given.features), first, share)
    graphs = [w * neighbour_graph(np.asarray(given.features[m].cpu()), k) for m, w in shares.items()]
    return Sparse(sum(graphs[1:], graphs[0]), device=given.device)


class Freedom(MultimodalModel):
    """FREEDOM (Zhou and Shen, MM 2023), with frozen features; without any it is LightGCN on a pruned graph."""

    name: ClassVar[str] = "freedom"
    Config = FreedomSettings
    network = FreedomNetwork
    new_items = "content"
