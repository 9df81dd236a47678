"""LightGCN: vectors smoothed over the graph of users and items."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch

from recommenders.contract import Range, setting
from recommenders.models.blocks.graphs import user_item_graph
from recommenders.models.blocks.losses import dots, pairwise, squares
from recommenders.models.blocks.propagation import propagate
from recommenders.models.blocks.tables import table
from recommenders.models.training.inputs import Inputs
from recommenders.models.training.model import TorchModel
from recommenders.models.training.negatives import Triples
from recommenders.models.training.network import Network
from recommenders.models.training.settings import TrainingSettings


@dataclass(frozen=True)
class LightGCNSettings(TrainingSettings):
    """Settings of :class:`LightGCN`."""

    layers: int = setting(2, "steps over the graph", low=0, search=Range(1, 4))
    regularization: float = setting(1e-4, "of the batch's own vectors", low=0, search=Range(1e-6, 1e-2, log=True))


class LightGCNNetwork(Network):
    """Tables of users and items, and the mean of 0 to `layers` steps of them over the graph."""

    settings: LightGCNSettings

    def __init__(self, given: Inputs, settings: LightGCNSettings) -> None:
        """Draw the tables."""
        super().__init__(given, settings)
        self.users = table(given.n_users, settings.factors)
        self.items = table(given.n_items, settings.factors)
        self.graph = user_item_graph(given.users, given.items, given.n_users, given.n_items, given.device)

    def vectors(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the smoothed vectors."""
        out = propagate(self.graph, torch.cat((self.users, self.items)), self.settings.layers)
        return out[: self.given.n_users], out[self.given.n_users :]

    def loss(self, batch: Triples) -> torch.Tensor:
        """Return BPR's loss of smoothed vectors, with the squares of the batch's own rows."""
        u, i, j = batch
        users, items = self.vectors()
        own = squares(self.users[u], self.items[i], self.items[j])
        return pairwise(dots(users[u], items[i]), dots(users[u], items[j])) + self.settings.regularization * own


class LightGCN(TorchModel):
    """LightGCN (He et al., SIGIR 2020): means of 0 to ``layers`` steps over the graph, trained pairwise."""

    name: ClassVar[str] = "lightgcn"
    Config = LightGCNSettings
    network = LightGCNNetwork
