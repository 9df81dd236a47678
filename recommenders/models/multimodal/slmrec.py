"""SLMRec: a view of LightGCN per source, fused by a map, with a chain in which each view predicts the next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import nn

from recommenders.contract import Range, setting
from recommenders.models.blocks.losses import contrast
from recommenders.models.blocks.propagation import propagate
from recommenders.models.blocks.tables import linear, projections
from recommenders.models.multimodal.smoothed import Pair, SmoothedNetwork
from recommenders.models.training.inputs import Inputs
from recommenders.models.training.model import MultimodalModel
from recommenders.models.training.negatives import Triples
from recommenders.models.training.settings import FeatureSettings, Normal


@dataclass(frozen=True)
class SLMRecSettings(FeatureSettings):
    """Settings of :class:`SLMRec`."""

    # As published: rows of length 1 before the maps.
    normalise: Normal = setting("unit", "none, unit (rows of length 1) or standard (dimensions centred, one scale)")
    layers: int = setting(3, "steps over the graph of users and items", low=0, search=Range(1, 4))
    temperature: float = setting(
        0.2, "of the choice among the batch's items", low=1e-3, search=Range(0.05, 1, log=True)
    )
    chain_weight: float = setting(0.1, "of the chain of views", low=0, search=Range(0.01, 1, log=True))
    chain_temperature: float = setting(0.2, "of that chain", low=1e-3, search=Range(0.1, 1, log=True))


class SLMRecNetwork(SmoothedNetwork):
    """Views that share the users' table: items' own vectors, and each modality's map."""

    settings: SLMRecSettings

    def __init__(self, given: Inputs, settings: SLMRecSettings) -> None:
        """Draw tables, maps, and the chain: what is left of a view is half as wide at every link."""
        super().__init__(given, settings)
        d, n = settings.factors, 1 + len(given.features)
        self.maps = projections(given.features, d)
        self.of_users, self.of_items = linear(n * d, d), linear(n * d, d)
        widths = [max(d >> k, 1) for k in range(len(given.features))]
        before = [d, *widths[:-1]]
        self.links = nn.ModuleList(
            linear(d, d) if k == 0 else nn.Sequential(linear(before[k], before[k]), linear(before[k], width))
            for k, width in enumerate(widths)
        )
        self.heads = nn.ModuleList(linear(d, width) for width in widths)

    def views(self) -> list[torch.Tensor]:
        """Return the smoothed vectors (N, d) of each view, that of the tables first."""
        starts = [self.items, *(self.maps[name](x) for name, x in self.features.items())]
        return [propagate(self.graph, torch.cat((self.users, start)), self.settings.layers) for start in starts]

    def fused(self, views: list[torch.Tensor]) -> Pair:
        """Return the fused vectors."""
        users, items = self.halves(torch.cat(views, dim=1))
        return self.of_users(users), self.of_items(items)

    def vectors(self) -> Pair:
        """Return the fused vectors."""
        return self.fused(self.views())

    def loss(self, batch: Triples) -> torch.Tensor:
        """Return the choice of the own item among the batch's, and the chain of views; negatives are not used."""
        views, c = self.views(), self.settings
        users, items = self.fused(views)
        total = contrast(users[batch.users], items[batch.positives], c.temperature)
        rows = [view[self.given.n_users + batch.positives] for view in views]
        told = rows[0]
        for link, head, view in zip(self.links, self.heads, rows[1:], strict=True):
            told = link(told)
            total = total + c.chain_weight * contrast(told, head(view), c.chain_temperature, unit=False)
        return total


class SLMRec(MultimodalModel):
    """SLMRec (Tao et al., TMM 2022) with fine and coarse views; without features, LightGCN with an in-batch softmax."""

    name: ClassVar[str] = "slmrec"
    Config = SLMRecSettings
    network = SLMRecNetwork
    new_items = "content"
