"""LATTICE: a graph of items that is part given by content, part mined from what maps make of it, beside LightGCN."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import nn

from recommenders.contract import Range, setting
from recommenders.models.blocks.graphs import bipartite, scaled
from recommenders.models.blocks.losses import dots, pairwise, squares
from recommenders.models.blocks.mined import Edges, frozen, mined
from recommenders.models.blocks.neighbours import nearest
from recommenders.models.blocks.sparse import Sparse
from recommenders.models.blocks.tables import projections, unit_rows
from recommenders.models.multimodal.smoothed import Pair, SmoothedNetwork
from recommenders.models.training.inputs import Inputs
from recommenders.models.training.model import MultimodalModel
from recommenders.models.training.negatives import Triples
from recommenders.models.training.settings import FeatureSettings


@dataclass(frozen=True)
class LatticeSettings(FeatureSettings):
    """Settings of :class:`Lattice`."""

    decay: float = setting(0.96, "factor of the rate over 50 epochs", low=1e-6, high=1)
    layers: int = setting(2, "steps over the graph of users and items", low=0, search=Range(1, 3))
    item_layers: int = setting(1, "steps over the graph of items", low=0)
    neighbors: int = setting(10, "items most alike, itself among them", low=1)
    given_share: float = setting(0.9, "weight of the graph that content gives, against the mined one", low=0, high=1)
    regularization: float = setting(1e-5, "of the batch's final vectors", low=0, search=Range(1e-6, 1e-2, log=True))


class LatticeNetwork(SmoothedNetwork):
    """Means over neighbours and oneself, and items' own vectors smoothed over a graph that is mined once per epoch."""

    settings: LatticeSettings

    def __init__(self, given: Inputs, settings: LatticeSettings) -> None:
        """Draw tables and maps, and find neighbours by content."""
        super().__init__(given, settings)
        self.maps = projections(given.features, settings.factors)
        self.logits = nn.Parameter(torch.full((len(given.features),), 0.5))
        self.found = [
            frozen(*nearest(np.asarray(x.cpu()), settings.neighbors), given.device).normalised()
            for x in given.features.values()
        ]
        self.current: Edges | None = None

    def make_graph(self) -> Sparse:
        """Return the mean over neighbours and oneself."""
        g = self.given
        return Sparse(scaled(bipartite(g.users, g.items, g.n_users, g.n_items, loops=True), 1, 0), device=g.device)

    def start_epoch(self, epoch: int) -> None:
        """Forget the mined graph: the epoch's first batch mines it anew, with gradients."""
        self.current = None

    def alike(self) -> Edges:
        """Mine the graph of items: sum_m alpha_m of neighbours by maps, normalised, and of those by content."""
        alpha, c = torch.softmax(self.logits, dim=0), self.settings
        contents = zip(self.features.items(), alpha, strict=True)
        by_maps = [mined(self.maps[name](x), c.neighbors).times(a) for (name, x), a in contents]
        by_content = [graph.times(a) for graph, a in zip(self.found, alpha, strict=True)]
        learned, given = sum(by_maps[1:], by_maps[0]).normalised(), sum(by_content[1:], by_content[0])
        return learned.times(1 - c.given_share) + given.times(c.given_share)

    def with_items(self, alike: Edges | None) -> Pair:
        """Return smoothed vectors, items' with what those alike hand on, as rows of length 1."""
        users, items = self.smoothed()
        if alike is None:
            return users, items
        handed: torch.Tensor = self.items
        for _ in range(self.settings.item_layers):
            handed = alike @ handed
        return users, items + unit_rows(handed)

    def vectors(self) -> Pair:
        """Return final vectors, over a graph mined anew."""
        return self.with_items(self.alike() if self.features else None)

    def loss(self, batch: Triples) -> torch.Tensor:
        """Return BPR's loss, with squares of final vectors."""
        alike = None
        if self.features:
            alike = self.alike() if self.current is None else self.current
            self.current = alike.detached()
        users, items = self.with_items(alike)
        u, i, j = batch
        mine, good, bad = users[u], items[i], items[j]
        return pairwise(dots(mine, good), dots(mine, bad)) + self.settings.regularization * squares(mine, good, bad)


class Lattice(MultimodalModel):
    """LATTICE (Zhang et al., MM 2021), with frozen features; without any, LightGCN over means with oneself."""

    name: ClassVar[str] = "lattice"
    Config = LatticeSettings
    network = LatticeNetwork
    new_items = "content"
