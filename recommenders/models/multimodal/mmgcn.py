"""MMGCN: a graph network per modality over who had what, which the own vectors enter anew at every layer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, cast

import torch
from torch import nn
from torch.nn.functional import leaky_relu

from recommenders.contract import setting
from recommenders.models.blocks.graphs import bipartite, scaled
from recommenders.models.blocks.losses import dots, mean_squares, pairwise
from recommenders.models.blocks.sparse import Sparse
from recommenders.models.blocks.tables import linear, table, unit_rows
from recommenders.models.multimodal.smoothed import Pair
from recommenders.models.training.inputs import Inputs
from recommenders.models.training.model import MultimodalModel
from recommenders.models.training.negatives import Triples
from recommenders.models.training.network import Network
from recommenders.models.training.settings import OF_WEIGHT, FeatureSettings

LAYERS = 3


@dataclass(frozen=True)
class MMGCNSettings(FeatureSettings):
    """Settings of :class:`MMGCN`."""

    width: int = setting(256, "of a modality's first layer, where its features are wider", low=1)
    regularization: float = setting(1e-4, "of own vectors and preferences of the batch", low=0, search=OF_WEIGHT)
    train_tables: bool = setting(
        True, "whether vectors of users and items are trained; the published figures are of ones that are not"
    )


class Branch(nn.Module):
    """One modality's network: three layers, each a mean over neighbours beside the node's own state and vector."""

    def __init__(self, n_users: int, inputs: int, settings: MMGCNSettings) -> None:
        """Draw the preferences of users for it, and the maps."""
        super().__init__()
        d, width = settings.factors, min(inputs, settings.width)
        self.preference = table(n_users, width, "normal")
        self.first = linear(inputs, width, init="normal") if inputs > width else None
        widths = [width] + [d] * (LAYERS - 1)
        self.steps = nn.ModuleList(linear(w, w, bias=False, init="normal") for w in widths)
        self.own = nn.ModuleList(linear(w, d, init="normal") for w in widths)
        self.joined = nn.ModuleList(linear(w + d, d, init="normal") for w in widths)

    def forward(self, graph: Sparse, content: torch.Tensor, vectors: torch.Tensor) -> torch.Tensor:
        """Return the states of all nodes after the last layer, (N, d)."""
        items = content if self.first is None else self.first(content)
        x = unit_rows(torch.cat((self.preference, items)))
        for step, own, joined in zip(self.steps, self.own, self.joined, strict=True):
            around = leaky_relu(graph @ step(x))
            x = leaky_relu(joined(torch.cat((around, leaky_relu(own(x)) + vectors), dim=1)))
        return x


class MMGCNNetwork(Network):
    """The mean of the modalities' networks; without any, one of the items' own vectors."""

    settings: MMGCNSettings

    def __init__(self, given: Inputs, settings: MMGCNSettings) -> None:
        """Draw tables and maps."""
        super().__init__(given, settings)
        d = settings.factors
        self.users, self.items = table(given.n_users, d, "normal"), table(given.n_items, d, "normal")
        widths = {name: x.shape[1] for name, x in given.features.items()} or {"own": d}
        self.branches = nn.ModuleDict({name: Branch(given.n_users, w, settings) for name, w in widths.items()})
        if not settings.train_tables:
            frozen = [self.users, self.items, *(branch.preference for branch in self.branches.values())]
            for each in frozen:
                each.requires_grad = False
        graph = bipartite(given.users, given.items, given.n_users, given.n_items)
        self.graph = Sparse(scaled(graph, 1, 0), device=given.device)

    def vectors(self) -> Pair:
        """Return the mean of the branches' states."""
        own = torch.cat((self.users, self.items))
        contents = self.features or {"own": self.items}
        states = [self.branches[name](self.graph, x, own) for name, x in contents.items()]
        out = torch.stack(states).mean(0)
        return out[: self.given.n_users], out[self.given.n_users :]

    def loss(self, batch: Triples) -> torch.Tensor:
        """Return BPR's loss, and squares of the batch's own vectors and preferences."""
        users, items = self.vectors()
        u, i, j = batch
        total = pairwise(dots(users[u], items[i]), dots(users[u], items[j]))
        preferences = [cast(Branch, branch).preference[u] for branch in self.branches.values()]
        own = mean_squares(self.users[u], self.items[i], self.items[j], *preferences)
        return total + self.settings.regularization * own


class MMGCN(MultimodalModel):
    """MMGCN (Wei et al., MM 2019), tables trained; without features, one graph network of the items' own vectors."""

    name: ClassVar[str] = "mmgcn"
    Config = MMGCNSettings
    network = MMGCNNetwork  # content reaches new items, but own vectors enter at every layer and decide
