"""What LATTICE and MICRO share: graphs of items, part given by content, part mined from what maps make of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from recommenders.contract import Range, setting
from recommenders.models.blocks.graphs import bipartite, scaled
from recommenders.models.blocks.mined import Edges, frozen, mined
from recommenders.models.blocks.neighbours import nearest
from recommenders.models.blocks.sparse import Sparse
from recommenders.models.blocks.tables import projections
from recommenders.models.multimodal.smoothed import SmoothedNetwork
from recommenders.models.training.inputs import Inputs
from recommenders.models.training.settings import FeatureSettings


@dataclass(frozen=True)
class MiningSettings(FeatureSettings):
    """Settings of models that mine graphs of items."""

    decay: float = setting(0.96, "factor of the rate over 50 epochs", low=1e-6, high=1)
    layers: int = setting(2, "steps over the graph of users and items", low=0, search=Range(1, 3))
    item_layers: int = setting(1, "steps over a graph of items", low=0)
    neighbors: int = setting(10, "items most alike, itself among them", low=1)
    given_share: float = setting(0.9, "weight of the graph that content gives, against the mined one", low=0, high=1)
    regularization: float = setting(1e-5, "of the batch's final vectors", low=0, search=Range(1e-6, 1e-2, log=True))


class MiningNetwork(SmoothedNetwork):
    """Base: means over neighbours and oneself, a map per modality, and graphs of items mined once per epoch."""

    settings: MiningSettings

    def __init__(self, given: Inputs, settings: MiningSettings) -> None:
        """Draw tables and maps, and find neighbours by content."""
        super().__init__(given, settings)
        self.maps = projections(given.features, settings.factors)
        self.found = {
            name: frozen(*nearest(np.asarray(x.cpu()), settings.neighbors), given.device).normalised()
            for name, x in given.features.items()
        }
        self._of_this_epoch: list[Edges] = []

    def make_graph(self) -> Sparse:
        """Return the mean over neighbours and oneself."""
        g = self.given
        return Sparse(scaled(bipartite(g.users, g.items, g.n_users, g.n_items, loops=True), 1, 0), device=g.device)

    def start_epoch(self, epoch: int) -> None:
        """Forget the mined graphs: the epoch's first batch mines them anew, with gradients."""
        self._of_this_epoch = []

    def mine(self) -> list[Edges]:
        """Mine the graphs of items that the model goes by; asked only where there are features."""
        raise NotImplementedError

    def by_map(self, name: str) -> Edges:
        """Return neighbours by what the map makes of a modality, weighing their cosines."""
        return mined(self.maps[name](self.features[name]), self.settings.neighbors)

    def mixed(self, learned: Edges, given: Edges) -> Edges:
        """Return a mined graph and one that content gives, each with its share."""
        share = self.settings.given_share
        return learned.times(1 - share) + given.times(share)

    def graphs(self) -> list[Edges]:
        """Return the graphs for a batch: mined by the epoch's first, and kept without gradients for the others."""
        graphs = self._of_this_epoch or self.mine()
        self._of_this_epoch = [graph.detached() for graph in graphs]
        return graphs

    def handed_on(self, graph: Edges) -> torch.Tensor:
        """Return what items alike hand on to each item, (n_items, d)."""
        vectors: torch.Tensor = self.items
        for _ in range(self.settings.item_layers):
            vectors = graph @ vectors
        return vectors
