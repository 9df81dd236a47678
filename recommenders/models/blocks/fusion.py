"""How vectors of several modalities become one."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import nn

from recommenders.models.blocks.tables import linear


class Attention(nn.Module):
    """Weights of modalities, per node: softmax over modalities of w' tanh(W h_m + b)."""

    def __init__(self, width: int) -> None:
        """Draw the maps."""
        super().__init__()
        self.inner, self.outer = linear(width, width), linear(width, 1, bias=False)

    def forward(self, views: torch.Tensor) -> torch.Tensor:
        """Return weights (m, n, 1) of views (m, n, d)."""
        return torch.softmax(self.outer(torch.tanh(self.inner(views))), dim=0)


class BehaviourFusion(nn.Module):
    """What modalities share, by attention, and what each has of its own, as far as behaviour lets it through (MGCN).

    C = sum_m a_m E_m; the result is (sum_m sigma(W_m E + b_m) * (E_m - C) + C) / (|M| + 1). With one modality C is E_m,
    nothing is left of its own, and the result is E_m / 2.
    """

    def __init__(self, names: list[str], width: int) -> None:
        """Draw the maps."""
        super().__init__()
        self.attention = Attention(width)
        self.gates = nn.ModuleDict({name: linear(width, width) for name in names})

    def forward(self, views: Mapping[str, torch.Tensor], behaviour: torch.Tensor) -> torch.Tensor:
        """Return one vector per node, (n, d), of the modalities' and of behaviour's, (n, d) each."""
        stacked = torch.stack(list(views.values()))
        shared = (self.attention(stacked) * stacked).sum(0)
        own = [torch.sigmoid(self.gates[name](behaviour)) * (view - shared) for name, view in views.items()]
        total: torch.Tensor = sum(own, shared)
        return total / (len(own) + 1)
