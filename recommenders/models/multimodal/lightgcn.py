"""LightGCN: vectors smoothed over the graph of users and items."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch

from recommenders.contract import Range, setting
from recommenders.models.blocks.losses import dots, pairwise, squares
from recommenders.models.multimodal.smoothed import Pair, SmoothedNetwork
from recommenders.models.training.model import TorchModel
from recommenders.models.training.negatives import Triples
from recommenders.models.training.settings import TrainingSettings


@dataclass(frozen=True)
class LightGCNSettings(TrainingSettings):
    """Settings of :class:`LightGCN`."""

    layers: int = setting(2, "steps over the graph", low=0, search=Range(1, 4))
    regularization: float = setting(1e-4, "of the batch's own vectors", low=0, search=Range(1e-6, 1e-2, log=True))


class LightGCNNetwork(SmoothedNetwork):
    """Smoothed vectors, and nothing else."""

    settings: LightGCNSettings

    def vectors(self) -> Pair:
        """Return the smoothed vectors."""
        return self.smoothed()

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
