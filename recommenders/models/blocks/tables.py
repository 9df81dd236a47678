"""What is trained: tables of vectors, and maps from features to vectors."""

from __future__ import annotations

import torch
from torch import nn


def table(rows: int, columns: int, init: str = "uniform") -> nn.Parameter:
    """Make a table float32 (rows, columns) by Xavier's rule (Glorot and Bengio, AISTATS 2010), `uniform` or `normal`.

    Users and items get tables of their own: the rule goes by the number of rows, and one table for both would make
    every vector smaller.
    """
    made = torch.empty(max(rows, 1), columns)
    {"uniform": nn.init.xavier_uniform_, "normal": nn.init.xavier_normal_}[init](made)
    return nn.Parameter(made[:rows].clone())


def linear(inputs: int, outputs: int, bias: bool = True, init: str = "uniform") -> nn.Linear:
    """Make a linear map with weights by Xavier's rule and biases of 0."""
    made = nn.Linear(inputs, outputs, bias=bias)
    {"uniform": nn.init.xavier_uniform_, "normal": nn.init.xavier_normal_}[init](made.weight)
    if bias:
        nn.init.zeros_(made.bias)
    return made


def projections(features: dict[str, torch.Tensor], outputs: int, init: str = "uniform") -> nn.ModuleDict:
    """Make one linear map per modality, from its dimensions to `outputs`."""
    return nn.ModuleDict({name: linear(x.shape[1], outputs, init=init) for name, x in features.items()})


def unit_rows(x: torch.Tensor) -> torch.Tensor:
    """Divide each row by its length; rows of zeros stay."""
    return torch.nn.functional.normalize(x, dim=-1, eps=1e-12)
