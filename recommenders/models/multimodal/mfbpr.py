"""MF-BPR on the trainer: the smallest model, and the one that the others come down to without content and graph."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch

from recommenders.contract import Range, setting
from recommenders.models.blocks.losses import dots, pairwise, squares
from recommenders.models.blocks.tables import table
from recommenders.models.training.inputs import Inputs
from recommenders.models.training.model import TorchModel
from recommenders.models.training.negatives import Triples
from recommenders.models.training.network import Network
from recommenders.models.training.settings import TrainingSettings


@dataclass(frozen=True)
class MFBPRSettings(TrainingSettings):
    """Settings of :class:`MFBPR`."""

    regularization: float = setting(1e-2, "of the batch's vectors", low=0, search=Range(1e-5, 1, log=True))


class MFBPRNetwork(Network):
    """A table of users and one of items."""

    settings: MFBPRSettings

    def __init__(self, given: Inputs, settings: MFBPRSettings) -> None:
        """Draw the tables."""
        super().__init__(given, settings)
        self.users = table(given.n_users, settings.factors)
        self.items = table(given.n_items, settings.factors)

    def vectors(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the tables."""
        return self.users, self.items

    def loss(self, batch: Triples) -> torch.Tensor:
        """Return BPR's loss, with the squares of the batch's rows."""
        mine, good, bad = self.users[batch.users], self.items[batch.positives], self.items[batch.negatives]
        return pairwise(dots(mine, good), dots(mine, bad)) + self.settings.regularization * squares(mine, good, bad)


class MFBPR(TorchModel):
    """Matrix factorisation by BPR (Rendle et al., UAI 2009) with Adam and early stopping; `bpr` is the compiled one."""

    name: ClassVar[str] = "mfbpr"
    Config = MFBPRSettings
    network = MFBPRNetwork
