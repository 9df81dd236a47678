"""MICRO: LATTICE with a graph of items per modality, fused by attention, each view in contrast with the fused one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch

from recommenders.contract import Range, setting
from recommenders.models.blocks.fusion import Attention
from recommenders.models.blocks.graphs import bipartite, scaled
from recommenders.models.blocks.losses import dots, node_contrast, pairwise, squares
from recommenders.models.blocks.mined import Edges, frozen, mined
from recommenders.models.blocks.neighbours import nearest
from recommenders.models.blocks.sparse import Sparse
from recommenders.models.blocks.tables import projections, unit_rows
from recommenders.models.multimodal.smoothed import Pair, SmoothedNetwork
from recommenders.models.training.inputs import Inputs
from recommenders.models.training.model import MultimodalModel
from recommenders.models.training.negatives import Triples
from recommenders.models.training.settings import OF_WEIGHT, FeatureSettings


@dataclass(frozen=True)
class MicroSettings(FeatureSettings):
    """Settings of :class:`Micro`."""

    decay: float = setting(0.96, "factor of the rate over 50 epochs", low=1e-6, high=1)
    layers: int = setting(2, "steps over the graph of users and items", low=0, search=Range(1, 3))
    item_layers: int = setting(1, "steps over a modality's graph of items", low=0)
    neighbors: int = setting(10, "items most alike, itself among them", low=1)
    given_share: float = setting(0.9, "weight of the graph that content gives, against the mined one", low=0, high=1)
    regularization: float = setting(1e-5, "of the batch's final vectors", low=0, search=Range(1e-6, 1e-2, log=True))
    contrast_weight: float = setting(0.03, "of the contrast of each view with the fused one", low=0, search=OF_WEIGHT)
    temperature: float = setting(0.5, "of that contrast", low=1e-3)
    contrasted: int = setting(2000, "items drawn per batch for the contrast, whose cost grows with their square", low=2)


class MicroNetwork(SmoothedNetwork):
    """Means over neighbours and oneself, and a view of items per modality, over graphs mined once per epoch."""

    settings: MicroSettings

    def __init__(self, given: Inputs, settings: MicroSettings) -> None:
        """Draw tables and maps, and find neighbours by content."""
        super().__init__(given, settings)
        self.maps = projections(given.features, settings.factors)
        self.attention = Attention(settings.factors)
        self.found = {
            name: frozen(*nearest(np.asarray(x.cpu()), settings.neighbors), given.device).normalised()
            for name, x in given.features.items()
        }
        self.current: list[Edges] = []

    def make_graph(self) -> Sparse:
        """Return the mean over neighbours and oneself."""
        g = self.given
        return Sparse(scaled(bipartite(g.users, g.items, g.n_users, g.n_items, loops=True), 1, 0), device=g.device)

    def start_epoch(self, epoch: int) -> None:
        """Forget the mined graphs: the epoch's first batch mines them anew, with gradients."""
        self.current = []

    def alike(self) -> list[Edges]:
        """Mine the graph of items of each modality, mixed with the one that content gives."""
        c = self.settings
        learned = [mined(self.maps[name](x), c.neighbors).normalised() for name, x in self.features.items()]
        given = self.found.values()
        return [a.times(1 - c.given_share) + b.times(c.given_share) for a, b in zip(learned, given, strict=True)]

    def fused(self, graphs: list[Edges]) -> tuple[list[torch.Tensor], torch.Tensor]:
        """Return each modality's view of the items, and the one that attention makes of them, (n_items, d) each."""
        views = []
        for graph in graphs:
            view: torch.Tensor = self.items
            for _ in range(self.settings.item_layers):
                view = graph @ view
            views.append(view)
        stacked = torch.stack(views)
        return views, (self.attention(stacked) * stacked).sum(0)

    def vectors(self) -> Pair:
        """Return final vectors, over graphs mined anew."""
        users, items = self.smoothed()
        return (users, items + unit_rows(self.fused(self.alike())[1])) if self.features else (users, items)

    def loss(self, batch: Triples) -> torch.Tensor:
        """Return BPR's loss, squares of final vectors, and the contrast of views with the fused one, of some items."""
        users, items = self.smoothed()
        c, extra = self.settings, users.new_zeros(())
        if self.features:
            graphs = self.current or self.alike()
            self.current = [graph.detached() for graph in graphs]
            views, fused = self.fused(graphs)
            items = items + unit_rows(fused)
            if len(views) > 1:
                rows = torch.randperm(self.given.n_items)[: c.contrasted].to(self.given.device)
                extra = sum((node_contrast(view[rows], fused[rows], c.temperature) for view in views), extra)
        u, i, j = batch
        mine, good, bad = users[u], items[i], items[j]
        total = pairwise(dots(mine, good), dots(mine, bad)) + c.regularization * squares(mine, good, bad)
        return total + c.contrast_weight * extra


class Micro(MultimodalModel):
    """MICRO (Zhang et al., TKDE 2022), with frozen features; without any, LightGCN over means with oneself."""

    name: ClassVar[str] = "micro"
    Config = MicroSettings
    network = MicroNetwork
    new_items = "content"
