"""GUME: MGCN over a graph that also links items alike in every modality, with tables of what users like of each."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import Any, ClassVar, NamedTuple

import numpy as np
import torch
from torch import nn

from recommenders.contract import Range, setting
from recommenders.models.blocks.fusion import BehaviourFusion
from recommenders.models.blocks.graphs import bipartite, by_row_sums
from recommenders.models.blocks.losses import contrast, dots, jittered, moments_apart, pairwise, squares
from recommenders.models.blocks.neighbours import nearest, neighbour_graph
from recommenders.models.blocks.propagation import propagate
from recommenders.models.blocks.sparse import Sparse
from recommenders.models.blocks.tables import linear, table
from recommenders.models.multimodal.smoothed import Pair, SmoothedNetwork
from recommenders.models.training.inputs import Inputs
from recommenders.models.training.model import MultimodalModel
from recommenders.models.training.negatives import Triples
from recommenders.models.training.settings import OF_WEIGHT, FeatureSettings


@dataclass(frozen=True)
class GUMESettings(FeatureSettings):
    """Settings of :class:`GUME`."""

    decay: float = setting(0.96, "factor of the rate over 50 epochs", low=1e-6, high=1)
    layers: int = setting(3, "steps over the graph of users and items", low=0, search=Range(1, 3))
    item_layers: int = setting(2, "steps over a modality's graph of items", low=0, search=Range(1, 2))
    neighbors: int = setting(10, "items most alike in a modality, itself among them", low=1)
    regularization: float = setting(1e-5, "of the batch's final vectors", low=0, search=Range(1e-6, 1e-2, log=True))
    moments_weight: float = setting(
        0.1, "of how far modalities' means and variances lie apart", low=0, search=OF_WEIGHT
    )
    behaviour_weight: float = setting(0.01, "of the contrast of content with behaviour", low=0, search=OF_WEIGHT)
    behaviour_temperature: float = setting(0.4, "of that contrast", low=1e-3)
    users_weight: float = setting(0.01, "of the contrasts of what users like", low=0, search=OF_WEIGHT)
    users_temperature: float = setting(0.1, "of those contrasts", low=1e-3)
    tables_weight: float = setting(0.1, "of the squares of items in the users' tables' view", low=0)


class Views(NamedTuple):
    """Hold vectors of all nodes, (N, d) each: behaviour, each modality's, what users' tables make of it, fused."""

    behaviour: torch.Tensor
    contents: dict[str, torch.Tensor]
    liked: torch.Tensor
    fused: torch.Tensor


def alike_in_all(given: Inputs, k: int) -> Any:
    """Return pairs of items of which the one is among the other's k nearest in every modality, scipy CSR (n, n)."""
    from scipy.sparse import csr_matrix

    graph: Any = None
    for x in given.features.values():
        near = nearest(np.asarray(x.cpu()), k)[0]
        n, kept = near.shape
        own = csr_matrix((np.ones(n * kept), near.reshape(-1), np.arange(n + 1) * kept), (n, n))
        graph = own if graph is None else graph.multiply(own).tocsr()
    graph.setdiag(0)
    graph.eliminate_zeros()
    return graph


class GUMENetwork(SmoothedNetwork):
    """Gated items per modality, smoothed over those alike, and tables of users per modality."""

    settings: GUMESettings

    def __init__(self, given: Inputs, settings: GUMESettings) -> None:
        """Draw tables and maps, and link items."""
        super().__init__(given, settings)
        d = settings.factors
        self.tastes = nn.ParameterDict({name: table(given.n_users, d) for name in given.features})
        self.gates = nn.ModuleDict(
            {
                name: nn.Sequential(linear(x.shape[1], d), linear(d, d), nn.Sigmoid())
                for name, x in given.features.items()
            }
        )
        self.fusion = BehaviourFusion(list(given.features), d)
        self.alike = {
            name: Sparse(neighbour_graph(np.asarray(x.cpu()), settings.neighbors, "cosine"), device=given.device)
            for name, x in given.features.items()
        }

    def make_graph(self) -> Sparse:
        """Return the graph of users and items, and of items alike in every modality, in one normal form."""
        from scipy.sparse import block_diag, coo_matrix

        given = self.given
        graph = bipartite(given.users, given.items, given.n_users, given.n_items)
        if given.features:
            alike = alike_in_all(given, self.settings.neighbors)
            graph = (graph + block_diag((coo_matrix((given.n_users, given.n_users)), alike))).tocsr()
        whole = by_row_sums(graph)
        self.had = Sparse(whole[: given.n_users, given.n_users :], device=given.device)
        return Sparse(whole, device=given.device)

    def views(self) -> Views:
        """Return all views."""
        behaviour = torch.cat(self.smoothed())
        contents, liked = {}, []
        for name, x in self.features.items():
            items = propagate(self.alike[name], self.items * self.gates[name](x), self.settings.item_layers, "last")
            contents[name] = torch.cat((self.had @ items, items))
            liked.append(propagate(self.graph, torch.cat((self.tastes[name], items)), self.settings.layers))
        return Views(behaviour, contents, torch.stack(liked).mean(0), self.fusion(contents, behaviour))

    def vectors(self) -> Pair:
        """Return the sums of behaviour and content."""
        if not self.features:
            return self.smoothed()
        views = self.views()
        return self.halves(views.behaviour + views.fused)

    def loss(self, batch: Triples) -> torch.Tensor:
        """Return BPR's loss, squares, and what holds the views together."""
        views = self.views() if self.features else None
        users, items = self.smoothed() if views is None else self.halves(views.behaviour + views.fused)
        u, i, j = batch
        mine, good, bad = users[u], items[i], items[j]
        total = pairwise(dots(mine, good), dots(mine, bad)) + self.settings.regularization * squares(mine, good, bad)
        return total if views is None else total + self.held_together(views, u, self.given.n_users + i)

    def held_together(self, views: Views, users: torch.Tensor, items: torch.Tensor) -> torch.Tensor:
        """Return the losses between views, at rows of all nodes."""
        c = self.settings
        apart = [moments_apart(a, b) for a, b in combinations(views.contents.values(), 2)]
        total = c.moments_weight * sum(apart, views.fused.new_zeros(()))
        for rows in (users, items):
            pair = contrast(views.fused[rows], views.behaviour[rows], c.behaviour_temperature)
            total = total + c.behaviour_weight * pair
        fused, liked = views.fused[users], views.liked[users]
        for a, b in ((liked, fused), (jittered(fused), jittered(fused)), (jittered(liked), jittered(liked))):
            total = total + c.users_weight * contrast(a, b, c.users_temperature)
        return total + c.tables_weight * squares(views.liked[items])


class GUME(MultimodalModel):
    """GUME (Lin et al., CIKM 2024), with frozen features; without any it is LightGCN."""

    name: ClassVar[str] = "gume"
    Config = GUMESettings
    network = GUMENetwork
    new_items = "content"
