"""LGMRec: local graphs of behaviour and of content, and few hyperedges that link everybody."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import ClassVar

import torch
from torch import nn
from torch.nn.functional import dropout, gumbel_softmax

from recommenders.contract import Range, setting
from recommenders.models.blocks.graphs import interactions, scaled
from recommenders.models.blocks.losses import contrast, dots, lengths, pairwise
from recommenders.models.blocks.propagation import propagate
from recommenders.models.blocks.sparse import Sparse
from recommenders.models.blocks.tables import linear, unit_rows
from recommenders.models.multimodal.smoothed import Pair, SmoothedNetwork
from recommenders.models.training.inputs import Inputs
from recommenders.models.training.model import MultimodalModel
from recommenders.models.training.negatives import Triples
from recommenders.models.training.settings import FeatureSettings

TEMPERATURE = 0.2
"""Of the choice of hyperedges and of the contrast, as published."""


@dataclass(frozen=True)
class LGMRecSettings(FeatureSettings):
    """Settings of :class:`LGMRec`."""

    layers: int = setting(2, "steps over the graph of users and items", low=0, search=Range(1, 3))
    content_layers: int = setting(2, "steps of content over it", low=0)
    hyperedges: int = setting(4, "of each modality", low=1, search=Range(4, 64, log=True))
    hyper_layers: int = setting(1, "steps over the hyperedges", low=1)
    kept: float = setting(0.5, "share of links to hyperedges that training keeps", low=0.05, high=1)
    global_weight: float = setting(0.3, "of what hyperedges add", low=0, search=Range(0.1, 1, log=True))
    contrast_weight: float = setting(
        1e-4, "of the contrast of modalities, a sum", low=0, search=Range(1e-6, 1e-3, log=True)
    )
    regularization: float = setting(1e-6, "of the batch's vectors' lengths", low=0, search=Range(1e-7, 1e-3, log=True))


class LGMRecNetwork(SmoothedNetwork):
    """LightGCN, content spread over the same graph, and hyperedges per modality."""

    settings: LGMRecSettings

    def __init__(self, given: Inputs, settings: LGMRecSettings) -> None:
        """Draw tables and maps."""
        super().__init__(given, settings)
        widths = {name: x.shape[1] for name, x in given.features.items()}
        self.maps = nn.ModuleDict({name: linear(w, settings.factors, bias=False) for name, w in widths.items()})
        self.edges = nn.ModuleDict({name: linear(w, settings.hyperedges, bias=False) for name, w in widths.items()})
        had = interactions(given.users, given.items, given.n_users, given.n_items)
        self.had, self.mean = Sparse(had, device=given.device), Sparse(scaled(had, 1, 0), device=given.device)

    def local(self, smoothed: Pair) -> Pair:
        """Return behaviour's vectors, each modality's added as rows of length 1."""
        out = torch.cat(smoothed)
        for name, x in self.features.items():
            items = self.maps[name](x)
            start = torch.cat((self.mean @ items, items))
            out = out + unit_rows(propagate(self.graph, start, self.settings.content_layers, "last"))
        return self.halves(out)

    def members(self, logits: torch.Tensor) -> torch.Tensor:
        """Return how far nodes belong to hyperedges: drawn in training, expected otherwise."""
        if not self.training:
            return torch.softmax(logits / TEMPERATURE, dim=1)
        return dropout(gumbel_softmax(logits, TEMPERATURE), 1 - self.settings.kept)

    def everybody(self, modality: str, items: torch.Tensor) -> Pair:
        """Return what hyperedges of a modality hand on to users and items, of items' smoothed vectors."""
        logits = self.edges[modality](self.features[modality])
        of_items, of_users = self.members(logits), self.members(self.had @ logits)
        for _ in range(self.settings.hyper_layers):
            gathered = of_items.T @ items
            users, items = of_users @ gathered, of_items @ gathered
        return users, items

    def parts(self) -> tuple[Pair, list[Pair]]:
        """Return final vectors, and what the hyperedges of each modality add."""
        smoothed = self.smoothed()
        users, items = self.local(smoothed)
        added = [self.everybody(name, smoothed[1]) for name in self.features]
        if added:
            weight = self.settings.global_weight
            users = users + weight * unit_rows(torch.stack([each[0] for each in added]).sum(0))
            items = items + weight * unit_rows(torch.stack([each[1] for each in added]).sum(0))
        return (users, items), added

    def vectors(self) -> Pair:
        """Return final vectors."""
        return self.parts()[0]

    def loss(self, batch: Triples) -> torch.Tensor:
        """Return BPR's loss, lengths, and the contrast of every two modalities among all users and all items."""
        (users, items), added = self.parts()
        u, i, j = batch
        mine, good, bad = users[u], items[i], items[j]
        total = pairwise(dots(mine, good), dots(mine, bad)) + self.settings.regularization * lengths(mine, good, bad)
        for (users_a, items_a), (users_b, items_b) in combinations(added, 2):
            both = contrast(users_a[u], users_b[u], TEMPERATURE, among=users_b)
            both = both + contrast(items_a[i], items_b[i], TEMPERATURE, among=items_b)
            total = total + self.settings.contrast_weight * len(u) * both
        return total


class LGMRec(MultimodalModel):
    """LGMRec (Guo et al., AAAI 2024); without features it is LightGCN. Scores are without Gumbel noise."""

    name: ClassVar[str] = "lgmrec"
    Config = LGMRecSettings
    network = LGMRecNetwork
    new_items = "content"
