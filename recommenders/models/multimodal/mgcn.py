"""MGCN: content purified by behaviour, smoothed over items that are alike, fused as behaviour lets it through."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import nn

from recommenders.contract import Range, setting
from recommenders.models.blocks.fusion import BehaviourFusion
from recommenders.models.blocks.graphs import interactions, scaled
from recommenders.models.blocks.losses import contrast, dots, pairwise, squares
from recommenders.models.blocks.neighbours import neighbour_graph
from recommenders.models.blocks.propagation import propagate
from recommenders.models.blocks.sparse import Sparse
from recommenders.models.blocks.tables import linear, projections
from recommenders.models.multimodal.smoothed import Pair, SmoothedNetwork
from recommenders.models.training.inputs import Inputs
from recommenders.models.training.model import MultimodalModel
from recommenders.models.training.negatives import Triples
from recommenders.models.training.settings import OF_WEIGHT, FeatureSettings


@dataclass(frozen=True)
class MGCNSettings(FeatureSettings):
    """Settings of :class:`MGCN`."""

    layers: int = setting(2, "steps over the graph of users and items", low=0, search=Range(1, 3))
    item_layers: int = setting(1, "steps over a modality's graph of items", low=0)
    neighbors: int = setting(10, "items most alike in a modality, itself among them", low=1)
    regularization: float = setting(1e-4, "of the batch's final vectors", low=0, search=Range(1e-6, 1e-2, log=True))
    contrast_weight: float = setting(1e-2, "of the contrast of content with behaviour", low=0, search=OF_WEIGHT)
    temperature: float = setting(0.2, "of that contrast", low=1e-3)


class MGCNNetwork(SmoothedNetwork):
    """LightGCN, and a view per modality: gated items, smoothed over those alike, and what users had of them."""

    settings: MGCNSettings

    def __init__(self, given: Inputs, settings: MGCNSettings) -> None:
        """Draw tables and maps, and link items."""
        super().__init__(given, settings)
        d = settings.factors
        self.maps = projections(given.features, d)
        self.gates = nn.ModuleDict({name: linear(d, d) for name in given.features})
        self.fusion = BehaviourFusion(list(given.features), d)
        self.alike = {
            name: Sparse(neighbour_graph(np.asarray(x.cpu()), settings.neighbors, "cosine"), device=given.device)
            for name, x in given.features.items()
        }
        had = interactions(given.users, given.items, given.n_users, given.n_items)
        self.had = Sparse(scaled(had, 0.5, 0.5), device=given.device)

    def views(self) -> Pair:
        """Return behaviour's vectors and content's, (N, d) each, users first."""
        behaviour = torch.cat(self.smoothed())
        if not self.features:
            return behaviour, torch.zeros_like(behaviour)
        views = {}
        for name, x in self.features.items():
            items = self.items * torch.sigmoid(self.gates[name](self.maps[name](x)))
            items = propagate(self.alike[name], items, self.settings.item_layers, "last")
            views[name] = torch.cat((self.had @ items, items))
        return behaviour, self.fusion(views, behaviour)

    def vectors(self) -> Pair:
        """Return the sums of both views."""
        behaviour, content = self.views()
        return self.halves(behaviour + content)

    def loss(self, batch: Triples) -> torch.Tensor:
        """Return BPR's loss, squares of final vectors, and the contrast of each node's content with its behaviour."""
        behaviour, content = self.views()
        out, n, c = behaviour + content, self.given.n_users, self.settings
        u, i, j = batch
        mine, good, bad = out[u], out[n + i], out[n + j]
        total = pairwise(dots(mine, good), dots(mine, bad)) + c.regularization * squares(mine, good, bad)
        if self.features:
            of_items = contrast(content[n + i], behaviour[n + i], c.temperature)
            of_users = contrast(content[u], behaviour[u], c.temperature)
            total = total + c.contrast_weight * (of_items + of_users)
        return total


class MGCN(MultimodalModel):
    """MGCN (Yu et al., MM 2023), with frozen features; without any it is LightGCN."""

    name: ClassVar[str] = "mgcn"
    Config = MGCNSettings
    network = MGCNNetwork
    new_items = "content"
