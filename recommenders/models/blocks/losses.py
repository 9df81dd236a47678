"""Losses: of pairs, of contrast, of alignment, of length. Each returns a scalar, to be made small."""

from __future__ import annotations

import torch
from torch.nn import functional

from recommenders.models.blocks.tables import unit_rows


def pairwise(positive: torch.Tensor, negative: torch.Tensor) -> torch.Tensor:
    """Return the mean of -log sigma(positive - negative), BPR's loss (Rendle et al., UAI 2009)."""
    return functional.softplus(negative - positive).mean()


def dots(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Return the product of each row of a with that of b."""
    return (a * b).sum(-1)


def contrast(
    a: torch.Tensor, b: torch.Tensor, temperature: float, among: torch.Tensor | None = None, unit: bool = True
) -> torch.Tensor:
    """Return InfoNCE of rows with their partners, (n, d) each: mean of -log softmax over the rows of b, in the batch.

    With `among` (m, d) the softmax is over its rows instead; they must hold the partners. van den Oord et al. (2018).
    Rows are divided by their lengths unless `unit` is false.
    """
    if unit:
        a, b = unit_rows(a), unit_rows(b)
        among = None if among is None else unit_rows(among)
    others = b if among is None else among
    return (torch.logsumexp(a @ others.T / temperature, dim=1) - dots(a, b) / temperature).mean()


def node_contrast(a: torch.Tensor, b: torch.Tensor, temperature: float, rows: int = 2048) -> torch.Tensor:
    """Return the mean over nodes of GRACE's contrast of two views, (n, d) each: both views of all others are negatives.

    -log e^{c(a_n, b_n)/t} / (sum_j e^{c(a_n, a_j)/t} + sum_j e^{c(a_n, b_j)/t} - e^{c(a_n, a_n)/t}), c the cosine
    (Zhu et al., 2020), in blocks of `rows`.
    """
    a, b = unit_rows(a), unit_rows(b)
    total = a.new_zeros(())
    for first in range(0, len(a), rows):
        block = a[first : first + rows]
        own = block @ a.T / temperature
        places = torch.arange(len(block), device=a.device)
        own = own.index_put((places, places + first), own.new_full((), -torch.inf))
        cross = block @ b.T / temperature
        total = total + (torch.logsumexp(torch.cat((own, cross), 1), 1) - cross[places, places + first]).sum()
    return total / max(len(a), 1)


def alignment(online: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Return 1 - the mean cosine of rows, without gradient into `target` (Grill et al., NeurIPS 2020)."""
    return 1 - functional.cosine_similarity(online, target.detach(), dim=-1).mean()


def squares(*rows: torch.Tensor) -> torch.Tensor:
    """Return half the sum of squares over the number of rows of the last matrix."""
    return sum(((each**2).sum() for each in rows), rows[0].new_zeros(())) / 2 / max(len(rows[-1]), 1)


def lengths(*matrices: torch.Tensor) -> torch.Tensor:
    """Return the sum of whole matrices' lengths, not squared, over the number of rows of the last."""
    return sum((each.norm() for each in matrices), matrices[0].new_zeros(())) / max(len(matrices[-1]), 1)


def mean_squares(*rows: torch.Tensor) -> torch.Tensor:
    """Return the sum over matrices of the mean square of their numbers."""
    return sum(((each**2).mean() for each in rows), rows[0].new_zeros(()))


def moments_apart(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Return how far mean and variance of two matrices' numbers lie apart: |var - var| + |mean - mean|."""
    return (a.var() - b.var()).abs() + (a.mean() - b.mean()).abs()


def jittered(x: torch.Tensor, size: float = 0.1) -> torch.Tensor:
    """Add noise of length `size` to each row, uniform and of the signs of the row's own numbers (SimGCL)."""
    return x + size * torch.sign(x) * unit_rows(torch.rand_like(x))
