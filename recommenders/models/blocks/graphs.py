"""Graphs of users and items: who had what, in the normal forms that models ask for."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from recommenders.models.blocks.sparse import Sparse


def bipartite(users: np.ndarray, items: np.ndarray, n_users: int, n_items: int, loops: bool = False) -> Any:
    """Return the graph of users and items, scipy CSR (N, N), users first, 1 per edge.

    `users` and `items` int64 (e,) are the ends of the edges; `loops` links each node to itself.
    """
    from scipy.sparse import coo_matrix, identity

    n = n_users + n_items
    rows, columns = np.concatenate((users, items + n_users)), np.concatenate((items + n_users, users))
    graph = coo_matrix((np.ones(rows.size), (rows, columns)), (n, n)).tocsr()
    return (graph + identity(n)).tocsr() if loops else graph


def scaled(graph: Any, left: float, right: float) -> Any:
    """Return D^-left A D'^-right of a scipy matrix, D and D' its sums by row and by column; where a sum is 0, zeros.

    (0.5, 0.5) is LightGCN's form, (1, 0) a mean over neighbours.
    """
    from scipy.sparse import diags

    rows, columns = np.asarray(graph.sum(axis=1)).ravel(), np.asarray(graph.sum(axis=0)).ravel()
    return (diags(_power(rows, left)) @ graph @ diags(_power(columns, right))).tocsr()


def by_row_sums(graph: Any) -> Any:
    """Return w_ij / sqrt(s_i s_j) of a square scipy matrix, s its sums by row; rows without weight are 0."""
    from scipy.sparse import diags

    scale = diags(_power(np.asarray(graph.sum(axis=1)).ravel(), 0.5))
    return (scale @ graph @ scale).tocsr()


def _power(sums: np.ndarray, power: float) -> np.ndarray:
    return np.where(sums > 0, np.maximum(sums, 1e-12) ** -power, 0.0)


def user_item_graph(
    users: np.ndarray, items: np.ndarray, n_users: int, n_items: int, device: torch.device | None = None
) -> Sparse:
    """Return D^-1/2 A D^-1/2 of the graph of users and items (He et al., SIGIR 2020); rows of lone nodes are 0."""
    return Sparse(scaled(bipartite(users, items, n_users, n_items), 0.5, 0.5), symmetric=True, device=device)


def interactions(users: np.ndarray, items: np.ndarray, n_users: int, n_items: int) -> Any:
    """Return users by items, scipy CSR float64 (n_users, n_items), 1 per pair."""
    from scipy.sparse import coo_matrix

    return coo_matrix((np.ones(users.size), (users, items)), (n_users, n_items)).tocsr()


def without_replacement(weights: np.ndarray, kept: int, uniform: np.ndarray) -> np.ndarray:
    """Draw `kept` places without replacement, by weight, from uniform numbers of the same length; int64, rising.

    An exponential race: the smallest of Exp(1) / weight are such a draw (Efraimidis and Spirakis, IPL 2006).
    """
    if kept <= 0:
        return np.empty(0, np.int64)
    race = -np.log1p(-uniform) / weights
    return np.sort(np.argpartition(race, kept - 1)[:kept])


def rare_edges(users: np.ndarray, items: np.ndarray) -> np.ndarray:
    """Return weights of edges float64 (e,), 1 / sqrt(d_u d_i): edges of popular nodes are kept less often (FREEDOM)."""
    return np.asarray(1 / np.sqrt(np.bincount(users)[users] * np.bincount(items)[items]))
