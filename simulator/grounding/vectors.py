"""Vectors of taste for real items and users: what content explains, and a remainder as well known as the log allows.

Items are measured on axes that came from other items (`basis.py`). Each half has axes of its own; those of the second
are turned onto those of the first by the users whom both know (orthogonal Procrustes). Then, per item with n users,

    measured y = B features + remainder + noise / n,

with B from a ridge regression whose strength leave-one-out error picks, rescaled so that the variance of the content
part is the unbiased share of `shares.py` (a ridge shrinks). The remainder's covariance comes from pairs of different
users, free of noise; the remainder itself is a keyed draw from its posterior given y. An item with many users keeps
close to its measurement, one without any is a draw from the whole distribution, and all items together have the right
variance, which shrunken means would not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix

from simulator.grounding.basis import Measured
from simulator.grounding.shares import Shares, partial, weights

Floats = npt.NDArray[np.float64]

RIDGES = tuple(10.0 ** np.arange(-4, 3.5, 0.5))  # per unit of total weight; components have unit variance


@dataclass(frozen=True)
class Vectors:
    """Taste of items and users on common axes, the one of largest variance first."""

    items: Floats  # (n_items, k): content + remainder
    content: Floats  # (n_items, k): what all features together say
    parts: Mapping[str, Floats]  # modality -> (n_items, k): what its features alone say; they do not add up
    remainder: Floats  # (k, k): covariance of the remainder
    reliability: Floats  # (n_items,): share of the remainder's variance that the log tells; 0 without interactions
    users: Floats  # (n_users, k): posterior means, prior N(0, 1)
    user_sd: Floats  # (n_users, k): posterior standard deviations


def estimate_vectors(
    halves: tuple[Measured, Measured],
    components: Mapping[str, Floats],
    shares: Shares,
    train: csr_matrix,
    k: int,
    u: npt.NDArray[np.float32],
) -> Vectors:
    """Estimate vectors on k axes; `luck` (n_items, k) standard normals; `train` the log (n_users, n_items) of ones."""
    first, second = _padded(halves[0], k), turned(_padded(halves[1], k), _padded(halves[0], k))
    parts = [_Half(first), _Half(second)]
    rows = np.concatenate([part.rows for part in parts])
    y = np.concatenate([part.y for part in parts])
    w = np.concatenate([part.w for part in parts])
    whole = _pooled([part.covariance(np.zeros_like(part.y)) for part in parts], parts)
    size = float(np.trace(whole))

    def told(features: Floats, share: float) -> Floats:
        """Return what features say of every item, with the variance that the share gives it."""
        said = features @ ridge(features[rows], y, w)
        said -= (w @ said[rows]) / w.sum()
        variance = float(w @ (said[rows] ** 2).sum(axis=1) / w.sum())
        wanted = max(share, 0.0) * size if np.isfinite(share) else 0.0
        scaled: Floats = said * (np.sqrt(wanted / variance) if variance > 0 else 0.0)
        return scaled

    shape = (train.shape[1], k)
    single = {name: told(matrix, shares.alone[name].value) for name, matrix in components.items()}
    content = np.zeros(shape)
    if components and shares.joint is not None:
        content = told(np.hstack(list(components.values())), shares.joint.value)

    remainder = _positive(_pooled([part.covariance(content[part.rows]) for part in parts], parts))
    noise = _positive(_pooled([part.within() for part in parts], parts))
    mean, draw, reliability = _posterior(rows, y - content[rows], parts, remainder, noise, shape, u)

    vectors = content + mean + draw
    _, turn = np.linalg.eigh(np.cov(vectors.T))
    turn = turn[:, ::-1] * np.sign(turn[np.abs(turn).argmax(axis=0), np.arange(k)])[::-1]
    users, user_sd = _users(train, (content + mean) @ turn)
    return Vectors(
        items=vectors @ turn,
        content=content @ turn,
        parts={name: matrix @ turn for name, matrix in single.items()},
        remainder=turn.T @ remainder @ turn,
        reliability=reliability,
        users=users,
        user_sd=user_sd,
    )


def ridge(design: Floats, target: Floats, weight: Floats) -> Floats:
    """Return the coefficients (p, k) of a weighted ridge regression whose strength leave-one-out error picks."""
    root = np.sqrt(weight)[:, None]
    left, sizes, right = np.linalg.svd(design * root, full_matrices=False)
    z = target * root
    projected = left.T @ z
    best, best_error = np.zeros(len(sizes)), float((z**2).sum())  # nothing, unless features predict better
    for strength in RIDGES:
        keep = sizes**2 / (sizes**2 + strength * weight.sum())
        leverage = (left**2) @ keep
        error = float((((z - left @ (keep[:, None] * projected)) / (1 - leverage)[:, None]) ** 2).sum())
        if error < best_error:
            best_error = error
            best = np.divide(keep, sizes, out=np.zeros_like(sizes), where=sizes > sizes[0] * 1e-9)
    out: Floats = right.T @ (best[:, None] * projected)
    return out


class _Half:
    """One half's items with at least two users: rows, measured taste without popularity, and moments of users."""

    def __init__(self, part: Measured) -> None:
        self.keep = part.count >= 2
        self.part = part
        self.rows = part.items[self.keep]
        self.n = part.count[self.keep]
        self.w = weights(self.n)
        self.total = part.total[self.keep]
        raw = self.total / self.n[:, None]
        self.mean = partial(raw, self.n, self.w)
        self.y = raw - self.mean

    def covariance(self, told: Floats) -> Floats:
        """Return the covariance (k, k) of taste less what is `told` of it (m, k), from pairs of different users."""
        part, n = self.part, self.n
        centre = self.mean + told
        pair = self.w / (n * (n - 1))
        gap = self.total - n[:, None] * centre
        among = part.users * (part.log[:, self.keep] @ pair)[:, None]
        cross = (self.total * pair[:, None]).T @ centre
        own = among.T @ part.users - cross - cross.T + (centre * (n * pair)[:, None]).T @ centre
        pairs = ((gap * pair[:, None]).T @ gap - own) / self.w.sum()
        activity = np.asarray(part.log.sum(axis=1)).ravel()
        repeats = (part.users * ((activity / activity.sum()) ** 2)[:, None]).T @ part.users
        out: Floats = (1 - part.repeated) * pairs + repeats
        return (out + out.T) / 2

    def within(self) -> Floats:
        """Return the covariance (k, k) of the coordinates of users of one item, pooled over items."""
        weight = np.asarray(self.part.log[:, self.keep].sum(axis=1)).ravel()
        all_of = (self.part.users * weight[:, None]).T @ self.part.users
        between = (self.total / self.n[:, None]).T @ self.total
        out: Floats = (all_of - between) / (self.n.sum() - len(self.n))
        return out


def _padded(part: Measured, k: int) -> Measured:
    """Return the same measurements with zero axes added, k in all."""
    more = ((0, 0), (0, k - part.users.shape[1]))
    return replace(part, users=np.pad(part.users, more), total=np.pad(part.total, more))


def turned(part: Measured, onto: Measured) -> Measured:
    """Return the same measurements on the axes of `onto`: the rotation that brings the users together."""
    activity = np.asarray(part.log.sum(axis=1)).ravel()
    left, _, right = np.linalg.svd((part.users * activity[:, None]).T @ onto.users)
    return replace(part, users=part.users @ left @ right, total=part.total @ left @ right)


def _pooled(matrices: list[Floats], parts: list[_Half]) -> Floats:
    """Return the mean of matrices, weighted by what their halves weigh."""
    sums = [float(part.w.sum()) for part in parts]
    out: Floats = np.sum([s * m for s, m in zip(sums, matrices, strict=True)], axis=0) / sum(sums)
    return out


def _positive(matrix: Floats) -> Floats:
    """Return a covariance matrix of the same trace: negative variances are noise, and so is as much above 0."""
    values, vectors = np.linalg.eigh(matrix)
    clipped = np.maximum(values, 0.0)
    wanted = max(float(values.sum()), 0.0)
    scaled = clipped * (wanted / clipped.sum() if clipped.sum() > 0 else 0.0)
    out: Floats = (vectors * scaled) @ vectors.T
    return out


def _posterior(
    rows: npt.NDArray[np.int64],
    residual: Floats,
    parts: list[_Half],
    prior: Floats,
    noise: Floats,
    shape: tuple[int, int],
    u: npt.NDArray[np.float32],
) -> tuple[Floats, Floats, Floats]:
    """Return posterior means of items' remainders, draws around them, reliability; N(0, prior), N(0, noise / n)."""
    mean, draw, reliability = np.zeros(shape), np.zeros(shape), np.zeros(shape[0])
    count = np.zeros(shape[0])
    count[rows] = np.concatenate([part.n for part in parts])
    measured = np.zeros(shape)
    measured[rows] = residual
    for n in np.unique(count):
        which = count == n
        gain = prior @ np.linalg.pinv(prior + noise / n) if n > 0 else np.zeros_like(prior)
        left = prior - gain @ prior
        values, vectors = np.linalg.eigh((left + left.T) / 2)
        mean[which] = measured[which] @ gain.T
        draw[which] = u[which] @ (vectors * np.sqrt(np.maximum(values, 0))).T
        size = float(np.trace(prior))
        reliability[which] = float(np.trace(gain @ prior)) / size if size > 0 else 0.0
    return mean, draw, reliability


def _users(train: csr_matrix, items: Floats) -> tuple[Floats, Floats]:
    """Return posterior means and standard deviations of users' taste (n_users, k) from the items that they took.

    Rates ``1 + t . v`` to second order: the log-likelihood of n items is ``n (t . z - t' S t / 2)``, with z the mean of
    the items' vectors less their mean by popularity, and S their covariance by popularity (its diagonal).
    """
    share = np.asarray(train.sum(axis=0)).ravel() / train.sum()
    middle = share @ items
    spread = share @ (items - middle) ** 2
    count = np.asarray(train.sum(axis=1)).ravel()[:, None]
    precision = count * spread + 1.0
    return (train @ items - count * middle) / precision, 1 / np.sqrt(precision)
