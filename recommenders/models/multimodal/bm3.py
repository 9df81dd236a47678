"""BM3: vectors that predict each other under dropout, without negatives; content acts through the loss alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch.nn.functional import dropout

from recommenders.contract import Range, setting
from recommenders.models.blocks.losses import alignment, lengths
from recommenders.models.blocks.tables import linear, projections
from recommenders.models.multimodal.smoothed import Pair, SmoothedNetwork
from recommenders.models.training.inputs import Inputs
from recommenders.models.training.model import MultimodalModel
from recommenders.models.training.negatives import Triples
from recommenders.models.training.settings import FeatureSettings


@dataclass(frozen=True)
class BM3Settings(FeatureSettings):
    """Settings of :class:`BM3`."""

    layers: int = setting(1, "steps over the graph of users and items", low=0, search=Range(1, 2))
    dropout: float = setting(
        0.5, "share of a target's numbers that are hidden", low=0, high=0.95, search=Range(0.2, 0.6)
    )
    content_weight: float = setting(2.0, "of the modalities' losses", low=0, search=Range(0.1, 4, log=True))
    regularization: float = setting(0.1, "of all vectors' lengths", low=0, search=Range(1e-3, 1, log=True))


class BM3Network(SmoothedNetwork):
    """LightGCN with the items' own vectors added, a map per modality, and a predictor that all share."""

    settings: BM3Settings

    def __init__(self, given: Inputs, settings: BM3Settings) -> None:
        """Draw tables and maps."""
        super().__init__(given, settings)
        self.maps = projections(given.features, settings.factors, init="normal")
        self.predict = linear(settings.factors, settings.factors, init="normal")

    def smoothed(self) -> Pair:
        """Return vectors before the predictor: items with their own added."""
        users, items = super().smoothed()
        return users, items + self.items

    def vectors(self) -> Pair:
        """Return predicted vectors."""
        users, items = self.smoothed()
        return self.predict(users), self.predict(items)

    def hidden(self, rows: torch.Tensor) -> torch.Tensor:
        """Return rows with a share of their numbers hidden, in training."""
        return dropout(rows, self.settings.dropout, self.training)

    def loss(self, batch: Triples) -> torch.Tensor:
        """Return the alignment of users with items, items with users, and content with both; negatives are not used."""
        users, items = self.smoothed()
        mine, good = users[batch.users], items[batch.positives]
        seen = self.hidden(good)
        total = alignment(self.predict(mine), seen) + alignment(self.predict(good), self.hidden(mine))
        for name, x in self.features.items():
            content = self.maps[name](x[batch.positives])
            online = self.predict(content)
            pair = alignment(online, seen) + alignment(online, self.hidden(content))
            total = total + self.settings.content_weight * pair
        return total + self.settings.regularization * lengths(users, items)


class BM3(MultimodalModel):
    """BM3 (Zhou et al., WWW 2023), with frozen features; without any, LightGCN's vectors that predict each other."""

    name: ClassVar[str] = "bm3"
    Config = BM3Settings
    network = BM3Network
