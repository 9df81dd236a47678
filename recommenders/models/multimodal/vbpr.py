"""VBPR: an item's vector is part its own, part a projection of what it shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch

from recommenders.contract import Range, setting
from recommenders.models.blocks.losses import dots, lengths, pairwise
from recommenders.models.blocks.tables import linear, table
from recommenders.models.training.inputs import Inputs
from recommenders.models.training.model import MultimodalModel
from recommenders.models.training.negatives import Triples
from recommenders.models.training.network import Network
from recommenders.models.training.settings import FeatureSettings


@dataclass(frozen=True)
class VBPRSettings(FeatureSettings):
    """Settings of :class:`VBPR`."""

    regularization: float = setting(1e-2, "of the batch's vectors", low=0, search=Range(1e-5, 2, log=True))


class VBPRNetwork(Network):
    """Vectors of users, twice as long as items' own where there are features; a map from features put side by side."""

    settings: VBPRSettings

    def __init__(self, given: Inputs, settings: VBPRSettings) -> None:
        """Draw the tables and the map."""
        super().__init__(given, settings)
        d, width = settings.factors, sum(x.shape[1] for x in given.features.values())
        self.users = table(given.n_users, 2 * d if width else d)
        self.items = table(given.n_items, d)
        self.map = linear(width, d) if width else None

    def items_of(self, rows: torch.Tensor) -> torch.Tensor:
        """Return the vectors of items: own part, then content."""
        if self.map is None:
            return self.items[rows]
        content = torch.cat([x[rows] for x in self.features.values()], dim=1)
        return torch.cat((self.items[rows], self.map(content)), dim=1)

    def vectors(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Return users' vectors and those of all items."""
        return self.users, self.items_of(torch.arange(self.given.n_items, device=self.given.device))

    def loss(self, batch: Triples) -> torch.Tensor:
        """Return BPR's loss, with lengths, not squares, of the batch's vectors."""
        mine = self.users[batch.users]
        good, bad = self.items_of(batch.positives), self.items_of(batch.negatives)
        return pairwise(dots(mine, good), dots(mine, bad)) + self.settings.regularization * lengths(mine, good, bad)


class VBPR(MultimodalModel):
    """VBPR (He and McAuley, AAAI 2016): item vector = own part and projected features; without any it is MF-BPR.

    Features of several modalities are put side by side. Penalty: lengths, not squares, of the batch's vectors.
    """

    name: ClassVar[str] = "vbpr"
    Config = VBPRSettings
    network = VBPRNetwork
    new_items = "content"
