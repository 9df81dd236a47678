"""Sparse matrices of torch, and their products with dense ones."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import torch


class Sparse:
    """A constant sparse matrix that multiplies dense ones, differentiable in these.

    Its transpose is made once, where a gradient asks for it; a symmetric matrix is its own.
    """

    def __init__(self, matrix: Any, symmetric: bool = False, device: torch.device | None = None) -> None:
        """Take a scipy matrix."""
        self._scipy, self.device = matrix.tocsr(), device
        self.forward = csr(self._scipy, device)
        self._turned = self.forward if symmetric else None

    @property
    def turned(self) -> torch.Tensor:
        """Return the transpose."""
        if self._turned is None:
            self._turned = csr(self._scipy.T.tocsr(), self.device)
        return self._turned

    def __matmul__(self, dense: torch.Tensor) -> torch.Tensor:
        """Return the product with a dense matrix."""
        result: torch.Tensor = _Product.apply(self, dense)  # type: ignore[no-untyped-call]
        return result


class _Product(torch.autograd.Function):
    @staticmethod
    def forward(context: Any, matrix: Sparse, dense: torch.Tensor) -> torch.Tensor:
        context.matrix = matrix
        return matrix.forward @ dense

    @staticmethod
    def backward(context: Any, *gradients: torch.Tensor) -> tuple[None, torch.Tensor]:
        return None, context.matrix.turned @ gradients[0]


def csr(matrix: Any, device: torch.device | None = None) -> torch.Tensor:
    """Convert a scipy CSR matrix to a torch one, float32."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Sparse CSR tensor support is in beta")
        made = torch.sparse_csr_tensor(
            torch.from_numpy(matrix.indptr.astype(np.int64)),
            torch.from_numpy(matrix.indices.astype(np.int64)),
            torch.from_numpy(matrix.data.astype(np.float32)),
            matrix.shape,
            check_invariants=False,
        )
        return made if device is None else made.to(device)


def weighted_sum(
    rows: torch.Tensor, columns: torch.Tensor, weights: torch.Tensor, dense: torch.Tensor, n_rows: int
) -> torch.Tensor:
    """Return the product of a sparse matrix, given by its entries, with a dense one: differentiable in both.

    `rows` and `columns` int64 (e,), `weights` float32 (e,), `dense` (n, d); the result is (n_rows, d).
    """
    out = torch.zeros(n_rows, dense.shape[1], dtype=dense.dtype, device=dense.device)
    return out.index_add(0, rows, weights[:, None] * dense[columns])
