"""MICRO: LATTICE with a graph of items per modality, fused by attention, each view in contrast with the fused one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch

from recommenders.contract import setting
from recommenders.models.blocks.fusion import Attention
from recommenders.models.blocks.losses import dots, node_contrast, pairwise, squares
from recommenders.models.blocks.mined import Edges
from recommenders.models.blocks.tables import unit_rows
from recommenders.models.multimodal.mining import MiningNetwork, MiningSettings
from recommenders.models.multimodal.smoothed import Pair
from recommenders.models.training.inputs import Inputs
from recommenders.models.training.model import MultimodalModel
from recommenders.models.training.negatives import Triples
from recommenders.models.training.settings import OF_WEIGHT


@dataclass(frozen=True)
class MicroSettings(MiningSettings):
    """Settings of :class:`Micro`."""

    contrast_weight: float = setting(0.03, "of the contrast of each view with the fused one", low=0, search=OF_WEIGHT)
    temperature: float = setting(0.5, "of that contrast", low=1e-3)
    contrasted: int = setting(2000, "items drawn per batch for the contrast, whose cost grows with their square", low=2)


class MicroNetwork(MiningNetwork):
    """A view of the items over each modality's graph, fused by attention."""

    settings: MicroSettings

    def __init__(self, given: Inputs, settings: MicroSettings) -> None:
        """Draw tables and maps."""
        super().__init__(given, settings)
        self.attention = Attention(settings.factors)

    def mine(self) -> list[Edges]:
        """Mine the graph of items of each modality, mixed with the one that content gives."""
        return [self.mixed(self.by_map(name).normalised(), self.found[name]) for name in self.features]

    def fused(self, graphs: list[Edges]) -> tuple[list[torch.Tensor], torch.Tensor]:
        """Return each modality's view of the items, and the one that attention makes of them, (n_items, d) each."""
        views = [self.handed_on(graph) for graph in graphs]
        stacked = torch.stack(views)
        return views, (self.attention(stacked) * stacked).sum(0)

    def vectors(self) -> Pair:
        """Return final vectors, over graphs mined anew."""
        users, items = self.smoothed()
        return (users, items + unit_rows(self.fused(self.mine())[1])) if self.features else (users, items)

    def loss(self, batch: Triples) -> torch.Tensor:
        """Return BPR's loss, squares of final vectors, and the contrast of views with the fused one, of some items."""
        users, items = self.smoothed()
        c, extra = self.settings, users.new_zeros(())
        if self.features:
            views, fused = self.fused(self.graphs())
            items = items + unit_rows(fused)
            if len(views) > 1:
                rows = torch.randperm(self.given.n_items)[: c.contrasted].to(self.given.device)
                extra = sum((node_contrast(view[rows], fused[rows], c.temperature) for view in views), extra)
        u, i, j = batch
        mine, good, bad = users[u], items[i], items[j]
        total = pairwise(dots(mine, good), dots(mine, bad)) + c.regularization * squares(mine, good, bad)
        return total + c.contrast_weight * extra


class Micro(MultimodalModel):
    """MICRO (Zhang et al., TKDE 2022), with frozen features; without any, LightGCN over means with oneself."""

    name: ClassVar[str] = "micro"
    Config = MicroSettings
    network = MicroNetwork
    new_items = "content"
