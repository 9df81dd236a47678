"""Axes of users' taste from one part of the items, and the other items' place on them.

An item's own interactions must never shape the axes that measure it, so the items are cut into halves: the axes come
from one half, the measurements from the other, and the other way round.

The axes are those of correspondence analysis (Benzecri 1973; Greenacre, *Correspondence Analysis in Practice*): with
user activity a and item popularity p, interactions are rates ``a_u p_i (1 + t_u . v_i)``. Standard coordinates of the
users estimate t, and the mean coordinate of an item's users, less the mean over all interactions, estimates ``v_i``
times the variance of t. Activity and popularity drop out. Light users and rare items would seize axes of their own, so
the mean degree is added to every degree (regularised spectral clustering; Qin & Rohe, NeurIPS 2013).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix, diags
from scipy.sparse.linalg import LinearOperator, eigsh

Floats = npt.NDArray[np.float64]

_TOLERANCE = 1e-4  # of singular values, relative


@dataclass(frozen=True)
class Measured:
    """What the users of some items say about the items' taste; k axes.

    Over the interactions of item i with users whom the other half knows: `count` (m,), the sum of the users'
    coordinates `total` (m, k), and of their squared lengths `square` (m,). `items` (m,) are rows of the catalog.
    """

    items: npt.NDArray[np.int64]
    count: Floats
    total: Floats
    square: Floats
    users: Floats  # (n_users, k): the coordinates, zero for users whom the other half does not know
    known: npt.NDArray[np.bool_]  # (n_users,)
    log: csr_matrix  # (n_users, m) of ones: who took which, users whom the other half knows only
    repeated: float  # chance that two interactions drawn with replacement are of one user
    repeated_square: float  # the mean squared length of that user's coordinates, times that chance


def user_axes(log: csr_matrix, k: int, start: npt.NDArray[Any]) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Return coordinates of users (n_users, k) from a log (n_users, n_items) of ones, and who has any interaction.

    `start` (min of the log's shape) starts the iteration, so that the result is a function of its arguments.
    """
    activity = np.asarray(log.sum(axis=1), dtype=np.float64).ravel()
    popularity = np.asarray(log.sum(axis=0), dtype=np.float64).ravel()
    n = activity.sum()
    left = 1 / np.sqrt(activity + n / np.count_nonzero(activity))
    right = 1 / np.sqrt(popularity + n / np.count_nonzero(popularity))
    scaled = (diags(left) @ log @ diags(right)).tocsr()
    scaled_t = scaled.T.tocsr()
    p, q = left * activity / np.sqrt(n), right * popularity / np.sqrt(n)  # what activity and popularity alone expect
    operator = LinearOperator(
        scaled.shape,
        matvec=lambda x: scaled @ x.ravel() - p * (q @ x.ravel()),
        rmatvec=lambda x: scaled_t @ x.ravel() - q * (p @ x.ravel()),
        dtype=np.float64,
    )
    # as `svds` goes about it, which hands no generator on to where the iteration has to begin again
    wide = scaled.shape[0] <= scaled.shape[1]
    own, other = (operator, operator.T) if wide else (operator.T, operator)
    _, vectors = eigsh(own @ other, k=k, v0=start, tol=_TOLERANCE**2, rng=np.random.default_rng(0))
    users, _, turn = np.linalg.svd(other @ vectors, full_matrices=False)
    return (vectors @ turn.T if wide else users) * left[:, None], activity > 0


def measure(log: csr_matrix, items: npt.NDArray[np.int64], axes: Floats, known: npt.NDArray[np.bool_]) -> Measured:
    """Measure `items` (catalog rows) by their users, on axes that came from other items.

    Coordinates are centred and whitened over these interactions (only how active users are, not what they chose), so
    that each axis has variance 1 over interactions.
    """
    mine = (diags(known.astype(np.float64)) @ log[:, items]).tocsr()
    mine.eliminate_zeros()
    weight = np.asarray(mine.sum(axis=1), dtype=np.float64).ravel()
    n = weight.sum()
    if n == 0:  # no user of these items is known to the other half
        none = np.zeros(len(items))
        return Measured(
            items, none, np.zeros((len(items), axes.shape[1])), none, np.zeros_like(axes), known, mine, 0.0, 0.0
        )
    centred = axes - (weight @ axes) / n
    values, vectors = np.linalg.eigh((centred * weight[:, None]).T @ centred / n)
    sound = values > values[-1] * 1e-9  # an axis on which no user differs says nothing
    whitened = np.where(known[:, None], centred @ vectors[:, sound] / np.sqrt(values[sound]), 0.0)
    mine_t = mine.T.tocsr()
    return Measured(
        items=items,
        count=np.asarray(mine.sum(axis=0), dtype=np.float64).ravel(),
        total=np.asarray(mine_t @ whitened),
        square=np.asarray(mine_t @ (whitened**2).sum(axis=1)),
        users=whitened,
        known=known,
        log=mine,
        repeated=float(((weight / n) ** 2).sum()),
        repeated_square=float(((weight / n) ** 2) @ (whitened**2).sum(axis=1)),
    )


def halves(
    log: csr_matrix, k: int, draw: npt.NDArray[np.float64], start: npt.NDArray[Any]
) -> tuple[Measured, Measured]:
    """Cut the items in two by `luck` (n_items,) and measure each half on the axes of the other, k axes each."""
    first = draw < np.median(draw)
    parts = np.flatnonzero(first), np.flatnonzero(~first)
    out = []
    for mine, other in (parts, parts[::-1]):
        source = log[:, other]
        axes, known = user_axes(source, k, start[: min(source.shape)])
        out.append(measure(log, mine, axes, known))
    return out[0], out[1]
