"""Attention over the edges of a graph: how much each neighbour counts."""

from __future__ import annotations

import torch


def edge_softmax(logits: torch.Tensor, receivers: torch.Tensor, n: int) -> torch.Tensor:
    """Return weights (e,) that sum to 1 over the edges of each receiver; `receivers` int64 (e,), of `n` nodes."""
    most = torch.full((n,), -torch.inf, device=logits.device)
    most = most.scatter_reduce(0, receivers, logits.detach(), "amax", include_self=True)
    grown = torch.exp(logits - most[receivers])
    sums = torch.zeros(n, device=logits.device).index_add(0, receivers, grown)
    return grown / sums[receivers]
