"""GRCN: what users like of each modality is routed from their items, and says which of the edges count."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import torch
from torch import nn
from torch.nn.functional import leaky_relu

from recommenders.contract import setting
from recommenders.models.blocks.attention import edge_softmax
from recommenders.models.blocks.losses import dots, mean_squares, pairwise
from recommenders.models.blocks.sparse import weighted_sum
from recommenders.models.blocks.tables import projections, table, unit_rows
from recommenders.models.multimodal.smoothed import Pair
from recommenders.models.training.inputs import Inputs
from recommenders.models.training.model import MultimodalModel
from recommenders.models.training.negatives import Triples
from recommenders.models.training.network import Network
from recommenders.models.training.settings import OF_WEIGHT, FeatureSettings


@dataclass(frozen=True)
class GRCNSettings(FeatureSettings):
    """Settings of :class:`GRCN`."""

    routings: int = setting(3, "times that users' prototypes take in their items", low=0)
    pruning: Literal["soft", "hard"] = setting("soft", "whether edges of negative weight stay (soft) or go (hard)")
    regularization: float = setting(1e-3, "of the batch's own vectors and prototypes", low=0, search=OF_WEIGHT)


class GRCNNetwork(Network):
    """Own vectors of all nodes, prototypes of users per modality, and each node's confidence in each modality."""

    settings: GRCNSettings

    def __init__(self, given: Inputs, settings: GRCNSettings) -> None:
        """Draw tables and maps, and list the edges in both directions."""
        super().__init__(given, settings)
        d, names = settings.factors, list(given.features)
        self.users, self.items = table(given.n_users, d, "normal"), table(given.n_items, d, "normal")
        self.prototypes = nn.ParameterDict({name: table(given.n_users, d, "normal") for name in names})
        self.maps = projections(given.features, d)
        self.confidence = table(given.n_users + given.n_items, max(len(names), 1), "normal") if names else None
        users, items = given.users, given.items + given.n_users
        self.senders = torch.from_numpy(np.concatenate((items, users))).to(given.device)
        self.receivers = torch.from_numpy(np.concatenate((users, items))).to(given.device)
        degrees = np.bincount(np.concatenate((users, items)), minlength=given.n_users + given.n_items)
        both = 1 / np.sqrt(degrees[users] * degrees[items])
        self.even = torch.from_numpy(np.concatenate((both, both)).astype(np.float32)).to(given.device)

    def gathered(self, weights: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        """Return what each node receives, (N, d)."""
        return weighted_sum(self.receivers, self.senders, weights, x, len(x))

    def routed(self, name: str) -> tuple[torch.Tensor, torch.Tensor]:
        """Return a modality's states of all nodes, (N, d), and its weight of each edge, (2 e,)."""
        n, e = self.given.n_users, self.given.users.size
        content = unit_rows(leaky_relu(self.maps[name](self.features[name])))
        users, items = self.receivers[:e], self.senders[:e] - n
        prototypes = unit_rows(self.prototypes[name])
        for _ in range(self.settings.routings):
            weights = edge_softmax(dots(prototypes[users], content[items]), users, n)
            prototypes = unit_rows(prototypes + weighted_sum(users, items, weights, content, n))
        x = torch.cat((prototypes, content))
        weights = edge_softmax(dots(x[self.senders], x[self.receivers]), self.receivers, len(x))
        return x + self.gathered(weights, x), weights

    def vectors(self) -> Pair:
        """Return own vectors over the refined graph, and the modalities' states, side by side."""
        states, weights = [], self.even
        if self.confidence is not None:
            routed = [self.routed(name) for name in self.features]
            states = [state for state, _ in routed]
            each = torch.stack([w for _, w in routed], dim=1) * self.confidence[self.senders]
            weights = each.max(dim=1).values
            weights = torch.relu(weights) if self.settings.pruning == "hard" else weights
        start = unit_rows(torch.cat((self.users, self.items)))
        once = self.gathered(weights, start)
        out = torch.cat((start + once + self.gathered(weights, once), *states), dim=1)
        return out[: self.given.n_users], out[self.given.n_users :]

    def loss(self, batch: Triples) -> torch.Tensor:
        """Return BPR's loss, and squares of the batch's own vectors and prototypes."""
        users, items = self.vectors()
        u, i, j = batch
        total = pairwise(dots(users[u], items[i]), dots(users[u], items[j]))
        own = [prototype[u] for prototype in self.prototypes.values()]
        return total + self.settings.regularization * mean_squares(self.users[u], self.items[i], self.items[j], *own)


class GRCN(MultimodalModel):
    """GRCN (Wei et al., MM 2020), users taking in their items; without features, two steps over an even graph."""

    name: ClassVar[str] = "grcn"
    Config = GRCNSettings
    network = GRCNNetwork
    new_items = "content"
