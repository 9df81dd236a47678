"""DualGNN: a smoothed view per modality, weighed by each user, and users smoothed over those who had the same items."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from torch import nn

from recommenders.contract import Range, setting
from recommenders.models.blocks.graphs import interactions, user_item_graph
from recommenders.models.blocks.losses import dots, mean_squares, pairwise
from recommenders.models.blocks.neighbours import top_users
from recommenders.models.blocks.propagation import propagate
from recommenders.models.blocks.sparse import Sparse
from recommenders.models.blocks.tables import linear, table, unit_rows
from recommenders.models.multimodal.smoothed import Pair
from recommenders.models.training.inputs import Inputs
from recommenders.models.training.model import MultimodalModel
from recommenders.models.training.negatives import Triples
from recommenders.models.training.network import Network
from recommenders.models.training.settings import OF_WEIGHT, FeatureSettings


@dataclass(frozen=True)
class DualGNNSettings(FeatureSettings):
    """Settings of :class:`DualGNN`."""

    layers: int = setting(2, "steps over the graph of users and items", low=0, search=Range(1, 3))
    neighbors: int = setting(40, "users with most items in common that a user is smoothed over", low=1)
    regularization: float = setting(1e-4, "of preferences and weights", low=0, search=OF_WEIGHT)


def companions(given: Inputs, k: int) -> Sparse:
    """Return the graph of users and the k who share most items with them; weights a softmax of how many these are."""
    from scipy.sparse import csr_matrix

    near, counts = top_users(interactions(given.users, given.items, given.n_users, given.n_items), k)
    there = near >= 0
    weights = np.exp(counts - counts.max(axis=1, keepdims=True, initial=0)) * there
    weights /= np.maximum(weights.sum(axis=1, keepdims=True), 1e-12)
    start = np.concatenate(([0], np.cumsum(there.sum(axis=1))))
    shape = (given.n_users, given.n_users)
    graph: Any = csr_matrix((weights[there], near[there], start), shape)
    return Sparse(graph, device=given.device)


class DualGNNNetwork(Network):
    """Preferences of users per modality, a map of two layers from its features, and weights of users."""

    settings: DualGNNSettings

    def __init__(self, given: Inputs, settings: DualGNNSettings) -> None:
        """Draw tables and maps; without features, items have vectors of their own."""
        super().__init__(given, settings)
        d, names = settings.factors, list(given.features) or ["own"]
        self.preferences = nn.ParameterDict({name: table(given.n_users, d, "normal") for name in names})
        self.maps = nn.ModuleDict(
            {
                name: nn.Sequential(linear(x.shape[1], 4 * d), nn.LeakyReLU(), linear(4 * d, d))
                for name, x in given.features.items()
            }
        )
        self.items = None if given.features else table(given.n_items, d, "normal")
        noise = torch.rand(given.n_users, len(names), 1)
        self.weights = nn.Parameter(torch.softmax(noise, dim=1)) if len(names) > 1 else None
        self.graph = user_item_graph(given.users, given.items, given.n_users, given.n_items, given.device)
        self.companions = companions(given, settings.neighbors)

    def vectors(self) -> Pair:
        """Return users' weighed views with those of their companions, and the sum of items' views."""
        n = self.given.n_users
        contents = {name: self.maps[name](x) for name, x in self.features.items()}
        if self.items is not None:
            contents = {"own": self.items}
        starts = [unit_rows(torch.cat((self.preferences[name], x))) for name, x in contents.items()]
        views = torch.stack([propagate(self.graph, x, self.settings.layers, "sum") for x in starts], dim=1)
        of_users = views[:n]
        users = (of_users if self.weights is None else self.weights * of_users).sum(1)
        return users + self.companions @ users, views[n:].sum(1)

    def loss(self, batch: Triples) -> torch.Tensor:
        """Return BPR's loss by the logarithm to base 2, and squares of the batch's preferences and of all weights."""
        users, items = self.vectors()
        u, i, j = batch
        total = pairwise(dots(users[u], items[i]), dots(users[u], items[j])) / math.log(2)
        own = [preference[u] for preference in self.preferences.values()]
        weights = [] if self.weights is None else [self.weights]
        return total + self.settings.regularization * mean_squares(*own, *weights)


class DualGNN(MultimodalModel):
    """DualGNN (Wang et al., TMM 2021); without features, items' own vectors smoothed alike."""

    name: ClassVar[str] = "dualgnn"
    Config = DualGNNSettings
    network = DualGNNNetwork
    new_items = "content"
