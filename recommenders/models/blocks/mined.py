"""Graphs of items that are mined while a model learns: neighbours by what its maps make of content."""

from __future__ import annotations

import numpy as np
import torch

from recommenders.models.blocks.neighbours import top_alike
from recommenders.models.blocks.sparse import weighted_sum
from recommenders.models.blocks.tables import unit_rows


class Edges:
    """A sparse graph of items by its entries: differentiable in its weights, where these have a gradient.

    Attributes:
        rows, columns: int64 (e,).
        weights: float32 (e,).
        n: items.
    """

    def __init__(self, rows: torch.Tensor, columns: torch.Tensor, weights: torch.Tensor, n: int) -> None:
        """Take the entries; those of equal places count together."""
        self.rows, self.columns, self.weights, self.n = rows, columns, weights, n

    def __matmul__(self, dense: torch.Tensor) -> torch.Tensor:
        """Return the product with (n, d)."""
        return weighted_sum(self.rows, self.columns, self.weights, dense, self.n)

    def __add__(self, other: Edges) -> Edges:
        """Return the sum of two graphs."""
        pairs = ((self.rows, other.rows), (self.columns, other.columns), (self.weights, other.weights))
        rows, columns, weights = (torch.cat(pair) for pair in pairs)
        return Edges(rows, columns, weights, self.n)

    def times(self, weight: torch.Tensor | float) -> Edges:
        """Return the graph with all weights multiplied."""
        return Edges(self.rows, self.columns, weight * self.weights, self.n)

    def normalised(self) -> Edges:
        """Return w_ij / sqrt(s_i s_j), s the sums by row."""
        sums = torch.zeros(self.n, device=self.weights.device).index_add(0, self.rows, self.weights)
        scale = sums.clamp_min(1e-12).rsqrt()
        return Edges(self.rows, self.columns, self.weights * scale[self.rows] * scale[self.columns], self.n)

    def detached(self) -> Edges:
        """Return the same without gradients."""
        return Edges(self.rows, self.columns, self.weights.detach(), self.n)


def mined(x: torch.Tensor, k: int) -> Edges:
    """Return each item's k most alike by cosine, itself among them, weighing that cosine, with its gradient.

    Which they are is found in blocks without gradient; their cosines are then computed anew. Equal to the dense matrix
    with all else zero, at the cost of its k n entries. Cosines below 0 count as 0.
    """
    near = top_alike(x.detach(), min(k, len(x)))[0].to(x.device)
    n, k = near.shape
    rows, columns = torch.arange(n, device=x.device).repeat_interleave(k), near.reshape(-1)
    unit = unit_rows(x)
    return Edges(rows, columns, (unit[rows] * unit[columns]).sum(1).clamp_min(0), n)


def frozen(near: np.ndarray, cosines: np.ndarray, device: torch.device) -> Edges:
    """Return a graph of neighbours found before, (n, k) each, without gradient."""
    n, k = near.shape
    rows = torch.arange(n, device=device).repeat_interleave(k)
    weights = torch.from_numpy(np.maximum(cosines, 0).reshape(-1)).to(device)
    return Edges(rows, torch.from_numpy(near.reshape(-1)).to(device), weights, n)
