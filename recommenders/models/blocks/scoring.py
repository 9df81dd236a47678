"""Scores that are sums of products, as one product."""

from __future__ import annotations

from collections.abc import Sequence

import torch


def side_by_side(parts: Sequence[tuple[float, torch.Tensor, torch.Tensor]]) -> tuple[torch.Tensor, torch.Tensor]:
    """Return users' and items' vectors whose product is sum_k w_k <P_k[u], Q_k[i]>, of parts (w_k, P_k, Q_k)."""
    users = torch.cat([weight * p for weight, p, _ in parts], dim=1)
    return users, torch.cat([q for _, _, q in parts], dim=1)
