"""What a model of the trainer is: tables and maps that give a loss for a batch, and vectors to rank by."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from recommenders.models.training.inputs import Inputs
from recommenders.models.training.negatives import Triples


class Network(nn.Module):
    """Base: subclasses make their tables in ``__init__``, and give :meth:`loss` and :meth:`vectors`.

    Luck is torch's own: the trainer seeds it, keeps it in checkpoints, and puts it back as it was before the fit.
    """

    def __init__(self, given: Inputs, settings: Any) -> None:
        """Keep what is given."""
        super().__init__()
        self.given, self.settings = given, settings

    @property
    def features(self) -> dict[str, torch.Tensor]:
        """Return features float32 (n_items, d) by modality."""
        return self.given.features

    def start_epoch(self, epoch: int) -> None:
        """Do what is done once per epoch, before its first batch."""

    def loss(self, batch: Triples) -> torch.Tensor:
        """Return the loss of a batch, a scalar."""
        raise NotImplementedError

    def vectors(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the vectors whose products are the scores: users' float32 (n_users, d) and items' (n_items, d).

        Asked in evaluation mode and without gradients. A model whose score is a sum of weighted products puts them
        side by side (:func:`recommenders.models.blocks.scoring.side_by_side`).
        """
        raise NotImplementedError
