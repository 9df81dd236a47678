"""Graphs of items that are alike in content: each item's nearest by cosine, itself among them."""

from __future__ import annotations

from collections import OrderedDict
from hashlib import blake2b
from typing import Any, Literal

import numpy as np
import torch

from recommenders.models.blocks.graphs import by_row_sums
from recommenders.models.blocks.tables import unit_rows

ROWS = 1024
"""Items whose likeness to all is computed together."""
KEPT = 16
"""Graphs kept between fits of a process."""

Weights = Literal["ones", "cosine"]
_kept: OrderedDict[bytes, tuple[np.ndarray, np.ndarray]] = OrderedDict()


def nearest(features: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Return each item's k nearest by cosine, itself first, then by falling cosine: int64 and float32 (n, k).

    `features` is float32 (n, d). Found again, not computed, for equal features and k: refits of a world ask anew. Rows
    of zeros are alike to nothing: they keep themselves and whoever comes first.
    """
    features = np.ascontiguousarray(features, np.float32)
    k = min(k, len(features))
    key = blake2b(features.tobytes(), salt=str(k).encode()[:16], person=str(features.shape).encode()[:16]).digest()
    if key in _kept:
        _kept.move_to_end(key)
        return _kept[key]
    near, cosines = top_alike(torch.from_numpy(features), k)
    found = near.numpy(), cosines.numpy()
    _kept[key] = found
    while len(_kept) > KEPT:
        _kept.popitem(last=False)
    return found


@torch.no_grad()
def top_alike(features: torch.Tensor, k: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return what :func:`nearest` does, of a tensor and as tensors, computed anew in blocks of rows."""
    rows = unit_rows(features)
    near = torch.empty(len(rows), k, dtype=torch.int64, device=rows.device)
    cosines = torch.empty(len(rows), k, device=rows.device)
    for first in range(0, len(rows), ROWS):
        alike = rows[first : first + ROWS] @ rows.T
        places = torch.arange(len(alike), device=rows.device)
        own = alike[places, places + first].clone()
        alike[places, places + first] = torch.inf
        best = torch.topk(alike, k, dim=1)
        near[first : first + ROWS], cosines[first : first + ROWS] = best.indices, best.values
        cosines[first : first + ROWS, 0] = own
    return near, cosines


def neighbour_graph(features: np.ndarray, k: int, weights: Weights = "ones") -> Any:
    """Return the graph of items and their k nearest, each w_ij / sqrt(s_i s_j), s the sums by row: scipy CSR (n, n).

    With weights of one that is 1/k; cosines below 0 count as 0 (a row might sum to less than nothing else). LATTICE
    (Zhang et al., MM 2021), FREEDOM (Zhou and Shen, MM 2023).
    """
    from scipy.sparse import csr_matrix

    near, cosines = nearest(features, k)
    n, k = near.shape
    values = np.ones(n * k) if weights == "ones" else np.maximum(cosines.reshape(-1), 0).astype(np.float64)
    return by_row_sums(csr_matrix((values, near.reshape(-1), np.arange(n + 1) * k), (n, n)))


def top_users(shared: Any, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the k users with whom each shares most items, and how many: int64 and float32 (n, k); -1 and 0 for none.

    `shared` is the users' scipy matrix of interactions; its product with its transpose is made in blocks of rows. The
    most shared come first, equal ones by number.
    """
    n = shared.shape[0]
    near, counts = np.full((n, k), -1, np.int64), np.zeros((n, k), np.float32)
    turned = shared.T.tocsr()
    for first in range(0, n, ROWS):
        block = (shared[first : first + ROWS] @ turned).tocsr()
        for row in range(block.shape[0]):
            at = slice(block.indptr[row], block.indptr[row + 1])
            others, values = block.indices[at], block.data[at]
            fine = others != first + row
            others, values = others[fine], values[fine]
            best = np.lexsort((others, -values))[:k]
            near[first + row, : best.size], counts[first + row, : best.size] = others[best], values[best]
    return near, counts
