"""LATTICE: a graph of items that is part given by content, part mined from what maps make of it, beside LightGCN."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import nn

from recommenders.models.blocks.losses import dots, pairwise, squares
from recommenders.models.blocks.mined import Edges
from recommenders.models.blocks.tables import unit_rows
from recommenders.models.multimodal.mining import MiningNetwork, MiningSettings
from recommenders.models.multimodal.smoothed import Pair
from recommenders.models.training.inputs import Inputs
from recommenders.models.training.model import MultimodalModel
from recommenders.models.training.negatives import Triples


@dataclass(frozen=True)
class LatticeSettings(MiningSettings):
    """Settings of :class:`Lattice`."""


class LatticeNetwork(MiningNetwork):
    """Items' own vectors smoothed over one graph of items, in which modalities have weights that are learned."""

    settings: LatticeSettings

    def __init__(self, given: Inputs, settings: LatticeSettings) -> None:
        """Draw tables and maps; modalities weigh alike at first."""
        super().__init__(given, settings)
        self.logits = nn.Parameter(torch.full((len(given.features),), 0.5))

    def mine(self) -> list[Edges]:
        """Mine the graph of items: sum_m alpha_m of neighbours by maps, normalised, and of those by content."""
        alpha = torch.softmax(self.logits, dim=0)
        by_maps = [self.by_map(name).times(a) for name, a in zip(self.features, alpha, strict=True)]
        by_content = [self.found[name].times(a) for name, a in zip(self.features, alpha, strict=True)]
        learned, given = sum(by_maps[1:], by_maps[0]).normalised(), sum(by_content[1:], by_content[0])
        return [self.mixed(learned, given)]

    def over(self, graphs: list[Edges]) -> Pair:
        """Return smoothed vectors, items' with what those alike hand on, as rows of length 1."""
        users, items = self.smoothed()
        for graph in graphs:
            items = items + unit_rows(self.handed_on(graph))
        return users, items

    def vectors(self) -> Pair:
        """Return final vectors, over a graph mined anew."""
        return self.over(self.mine() if self.features else [])

    def loss(self, batch: Triples) -> torch.Tensor:
        """Return BPR's loss, with squares of final vectors."""
        users, items = self.over(self.graphs() if self.features else [])
        u, i, j = batch
        mine, good, bad = users[u], items[i], items[j]
        return pairwise(dots(mine, good), dots(mine, bad)) + self.settings.regularization * squares(mine, good, bad)


class Lattice(MultimodalModel):
    """LATTICE (Zhang et al., MM 2021), with frozen features; without any, LightGCN over means with oneself."""

    name: ClassVar[str] = "lattice"
    Config = LatticeSettings
    network = LatticeNetwork
    new_items = "content"
