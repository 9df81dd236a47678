"""Held-out quality on a real log: what neighbours, content, popularity and chance find of the users' later items.

Recall@20, full ranking over the catalog with the user's training items left out. Ties are broken by luck that belongs
to the item, so an item without a score ranks at random among its like.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix, diags

from simulator.grounding.shares import Estimate

CUT = 20
NEIGHBOURS = 100
BLOCK = 512
ITEM = "item neighbours"  # plain cosine
WEIGHTED = "item neighbours, a user weighs 1 / activity"  # so that a few very active users do not drown the rest

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class HeldOut:
    """Recall@20 of simple methods on one split."""

    recall: Mapping[str, Estimate]  # chance, popularity, ITEM, WEIGHTED, content neighbours: MODALITY
    to_popularity: Mapping[str, Estimate]  # ITEM and WEIGHTED over popularity; empty where popularity finds nothing
    users: int
    interactions: int
    split: str  # in words

    def as_dict(self) -> dict[str, object]:
        """Return the figures for JSON."""
        return {
            "measure": f"recall@{CUT}, full ranking, training items left out; [value, low, high], 95 % over users",
            "split": self.split,
            "users": self.users,
            "interactions": self.interactions,
            "recall": {name: estimate.as_list() for name, estimate in self.recall.items()},
            "to_popularity": {name: estimate.as_list() for name, estimate in self.to_popularity.items()},
        }


def evaluate(
    train: csr_matrix,
    test: csr_matrix,
    features: Mapping[str, npt.NDArray[np.float32]],
    draw: npt.NDArray[np.float64],
    split: str,
) -> HeldOut | None:
    """Judge on `test`, with `train` known; both (n_users, n_items) of ones; `luck` (n_items,) breaks ties.

    None where no user has both training and test items.
    """
    users = np.flatnonzero((np.diff(train.indptr) > 0) & (np.diff(test.indptr) > 0))
    if len(users) == 0:
        return None
    known, wanted = train[users], test[users]
    popularity = np.asarray(train.sum(axis=0), dtype=np.float32).ravel()
    one: csr_matrix = csr_matrix(np.ones((len(users), 1), dtype=np.float32))
    activity = np.maximum(np.diff(train.indptr), 1)
    equal = (diags(1 / np.sqrt(activity)) @ train).tocsr()
    hits = {
        "popularity": _recall(one, csr_matrix(popularity[None, :]), known, wanted, draw),
        ITEM: _recall(known, _item_neighbours(train, cosine=True), known, wanted, draw),
        WEIGHTED: _recall(known, _item_neighbours(equal, cosine=False), known, wanted, draw),
    }
    for name, matrix in features.items():
        hits[f"content neighbours: {name}"] = _recall(known, _content_neighbours(matrix), known, wanted, draw)
    free = train.shape[1] - np.diff(known.indptr)
    chance = float(np.minimum(1.0, CUT / np.maximum(free, 1)).mean())
    ratios = {name: _ratio(hits[name], hits["popularity"]) for name in (ITEM, WEIGHTED)}
    return HeldOut(
        recall={"chance": Estimate(chance, chance, chance)} | {name: _mean(found) for name, found in hits.items()},
        to_popularity={name: ratio for name, ratio in ratios.items() if ratio is not None},
        users=len(users),
        interactions=int(wanted.nnz),
        split=split,
    )


def _mean(values: npt.NDArray[np.float64]) -> Estimate:
    error = float(values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else float("inf")
    return Estimate.around(float(values.mean()), error)


def _ratio(above: npt.NDArray[np.float64], below: npt.NDArray[np.float64]) -> Estimate | None:
    """Return the ratio of two means over the same users, with the interval of the delta method."""
    if below.mean() <= 0 or len(below) < 2:
        return None
    ratio = above.mean() / below.mean()
    error = (above - ratio * below).std(ddof=1) / np.sqrt(len(below)) / below.mean()
    return Estimate.around(float(ratio), float(error))


def _recall(
    history: csr_matrix, similar: csr_matrix, known: csr_matrix, wanted: csr_matrix, draw: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Return the share of each user's wanted items among the 20 best by history x similar; (n,)."""
    out = np.empty(known.shape[0])
    rank = np.argsort(np.argsort(draw, kind="stable"), kind="stable")
    jitter = (rank * (1e-6 / len(draw))).astype(np.float64)
    cut = min(CUT, len(draw))
    for first in range(0, len(out), BLOCK):
        rows = slice(first, min(first + BLOCK, len(out)))
        scores = (history[rows] @ similar).toarray().astype(np.float64)
        scores = scores * (1.0 / max(float(scores.max()), 1e-30)) + jitter
        seen = known[rows].tocoo()
        scores[seen.row, seen.col] = -np.inf
        best = np.argpartition(-scores, cut - 1, axis=1)[:, :cut]
        target = wanted[rows].toarray() > 0
        out[rows] = np.take_along_axis(target, best, axis=1).sum(axis=1) / target.sum(axis=1)
    return out


def _item_neighbours(weighted: csr_matrix, cosine: bool) -> csr_matrix:
    """Return each item's nearest 100 by common users: by cosine, or by weight alone (which favours popular items)."""
    square = np.asarray(weighted.multiply(weighted).sum(axis=0), dtype=np.float64).ravel()
    scale = np.where(square > 0, square, 1.0) ** (-0.5 if cosine else 0.0)
    unit = (weighted @ diags(scale)).tocsc().astype(np.float32)
    unit_t = unit.T.tocsr()
    return _nearest(lambda rows: (unit_t[rows] @ unit).toarray(), weighted.shape[1])


def _content_neighbours(features: Floats) -> csr_matrix:
    """Return each item's nearest 100 by cosine of centred features."""
    centred = features - features.mean(axis=0)
    unit = centred / np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1e-12)
    return _nearest(lambda rows: unit[rows] @ unit.T, len(features))


def _nearest(similarity: Callable[[slice], Floats], n: int) -> csr_matrix:
    """Keep the largest 100 positive similarities of every item to others, as a sparse matrix (n, n)."""
    keep = min(NEIGHBOURS, n - 1)
    if keep < 1:
        return csr_matrix((n, n), dtype=np.float32)
    parts, places = [], []
    for first in range(0, n, BLOCK):
        rows = slice(first, min(first + BLOCK, n))
        block = similarity(rows)
        block[np.arange(len(block)), np.arange(rows.start, rows.stop)] = -np.inf
        best = np.argpartition(-block, keep - 1, axis=1)[:, :keep]
        places.append(best)
        parts.append(np.maximum(np.take_along_axis(block, best, axis=1), 0))
    ends = np.arange(0, n * keep + 1, keep)
    out = csr_matrix((np.concatenate(parts).ravel(), np.concatenate(places).ravel(), ends), shape=(n, n))
    out.eliminate_zeros()
    return out
