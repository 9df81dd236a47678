"""Profiles of a batch's users, as a sparse matrix; sparse rows for kernels."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from recommenders.contract import NO_ITEM, Requests
from recommenders.models.history import History

# Below this a weight counts as none: sums of products then never vanish in float32, which kernels rely on to tell items
# that have a score from those that have none.
LEAST_WEIGHT = np.float32(1e-6)


class PositiveRows(NamedTuple):
    """Hold all users' positives for kernels: user u has ``items[start[u]:start[u + 1]]``, as in a :class:`History`."""

    start: np.ndarray
    items: np.ndarray


class SparseRows(NamedTuple):
    """Hold a sparse matrix for kernels by compressed rows: int64 (n + 1,), and int32 and float64 per entry."""

    start: np.ndarray
    columns: np.ndarray
    values: np.ndarray


def sparse_rows(matrix: Any) -> SparseRows:
    """Return the compressed rows of a scipy CSR matrix."""
    indices = matrix.indptr.astype(np.int64), matrix.indices.astype(np.int32)
    return SparseRows(*indices, matrix.data.astype(np.float64))


def profiles(history: History, requests: Requests) -> tuple[np.ndarray, Any]:
    """Return the profiles of the requests' users.

    Returns:
        Bool (n,), whether a user had positives at fit; and scipy CSR float32 (n, n_items), those with weight 1, and the
        visit's items so far, each weighted by how much of it was consumed.
    """
    start = history.start
    inside = requests.user < history.n_users
    rows = np.where(inside, requests.user, 0).astype(np.int64)
    first = np.where(inside, start[rows], 0)
    size = np.where(inside, start[rows + 1] - start[rows], 0) if history.n_users else np.zeros_like(rows)
    weight = requests.events_value
    counts = (requests.events_item >= 0) & (weight >= LEAST_WEIGHT)
    ends = np.concatenate(([0], np.cumsum(size + counts.sum(axis=1))))
    items = np.empty(ends[-1], np.int32)
    values = np.ones(ends[-1], np.float32)
    for r in range(len(requests)):
        middle = ends[r] + size[r]
        items[ends[r] : middle] = history.items[first[r] : first[r] + size[r]]
        items[middle : ends[r + 1]] = requests.events_item[r][counts[r]]
        values[middle : ends[r + 1]] = weight[r][counts[r]]
    return size > 0, csr(ends, items, values, history.n_items)


def next_to(requests: Requests, n_items: int) -> Any:
    """Return the items that slates stand next to, scipy CSR float32 (n, n_items) of ones."""
    there = requests.anchor_item != NO_ITEM
    start = np.concatenate(([0], np.cumsum(there)))
    return csr(start, requests.anchor_item[there], np.ones(int(start[-1])), n_items)


def csr(start: np.ndarray, columns: np.ndarray, values: np.ndarray, n_columns: int) -> Any:
    """Return a scipy CSR matrix, float32, of compressed rows."""
    from scipy.sparse import csr_matrix

    shape = (start.size - 1, n_columns)
    return csr_matrix((values.astype(np.float32), columns.astype(np.int32), start.astype(np.int64)), shape)
