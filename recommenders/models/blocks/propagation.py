"""Steps over a graph, without weights of their own."""

from __future__ import annotations

from typing import Literal

import torch

from recommenders.models.blocks.sparse import Sparse


def propagate(
    graph: Sparse, start: torch.Tensor, layers: int, out: Literal["mean", "last", "sum"] = "mean"
) -> torch.Tensor:
    """Return the mean, the last or the sum of 0 ... `layers` steps over a graph (He et al., SIGIR 2020)."""
    total = current = start
    for _ in range(layers):
        current = graph @ current
        total = total + current
    return {"mean": total / (layers + 1), "last": current, "sum": total}[out]
