"""Users and items as short vectors: PureSVD, implicit ALS, non-negative factors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np

from recommenders.contract import Choice, Range, Settings, setting
from recommenders.models.kernel import kernel
from recommenders.models.profiles import SparseRows, sparse_rows
from recommenders.models.ranker import Batch, Learning, Ranker, product

_NOTHING = 1e-9  # of the largest singular value: directions of less are rounding, and no two computers agree on them


@dataclass(frozen=True)
class SVDSettings(Settings):
    """Settings of :class:`PureSVD`."""

    factors: int = setting(50, "singular vectors kept", low=1, search=Range(1, 350))


def right_singular_vectors(matrix: Any, k: int, random: np.random.Generator) -> np.ndarray:
    """Return the first k right singular vectors of a sparse matrix (fewer if its rank is less), float32 (n_columns, k).

    The sign of each is that which makes its largest entry positive.
    """
    smaller = min(matrix.shape)
    k = min(k, smaller)
    if matrix.nnz == 0 or k == 0:
        return np.zeros((matrix.shape[1], 1), np.float32)
    if k >= smaller - 1 or smaller < 50:
        _, sizes, right = np.linalg.svd(matrix.toarray().astype(np.float64), full_matrices=False)
        sizes, right = sizes[:k], right[:k]
    else:
        sizes, right = _leading(matrix.astype(np.float64), k, random)
    right = right[sizes > _NOTHING * sizes[0]]
    signs = np.sign(right[np.arange(right.shape[0]), np.abs(right).argmax(axis=1)])
    return np.ascontiguousarray((right * signs[:, None]).T, dtype=np.float32)


def _leading(matrix: Any, k: int, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return the first k singular values (k,) of a sparse matrix, falling, and their right vectors (k, n_columns).

    By the eigenvectors of the smaller of M M' and M' M, as `scipy.sparse.linalg.svds` does; but that hands no generator
    on, so that where few positives leave few different singular values and the iteration has to begin again, no two
    calls of it agree.
    """
    from scipy.sparse.linalg import LinearOperator, eigsh

    wide = matrix.shape[0] <= matrix.shape[1]
    own, other = (matrix.tocsr(), matrix.T.tocsr()) if wide else (matrix.T.tocsr(), matrix.tocsr())
    n = own.shape[0]
    gram = LinearOperator((n, n), matvec=lambda x: own @ (other @ x), dtype=np.float64)
    _, vectors = eigsh(gram, k=k, v0=random.normal(size=n), rng=random)
    left, sizes, right = np.linalg.svd(other @ vectors, full_matrices=False)
    return sizes, left.T if wide else right @ vectors.T


class PureSVD(Ranker):
    """Project the profile on the first right singular vectors of the positives (Cremonesi et al., RecSys 2010)."""

    name: ClassVar[str] = "puresvd"
    takes_lists: ClassVar[bool] = True
    Config = SVDSettings
    reads = "positives"
    config: SVDSettings

    def learn(self, data: Learning) -> dict[str, np.ndarray]:
        """Return singular vectors, float32 (n_items, factors)."""
        return {"items": right_singular_vectors(data.matrix, self.config.factors, data.random())}

    def score(self, batch: Batch) -> np.ndarray:
        """Return x Q Q'; the profile x need not have been there at fit."""
        return product(batch.profile @ self.learned["items"], self.learned["items"].T)


@dataclass(frozen=True)
class ALSSettings(Settings):
    """Settings of :class:`IALS`."""

    factors: int = setting(64, "length of a vector", low=1, search=Range(8, 200, log=True))
    alpha: float = setting(10.0, "confidence of a positive is 1 + alpha", low=0, search=Range(1e-3, 50, log=True))
    regularization: float = setting(1.0, "of both sides", low=1e-9, search=Range(1e-2, 100, log=True))
    iterations: int = setting(15, "sweeps over users and items", low=1)
    steps: int = setting(3, "conjugate gradient steps per vector and sweep", low=1)


@kernel
def _gradient_steps(
    rows: SparseRows, alpha: float, gram: np.ndarray, fixed: np.ndarray, free: np.ndarray, steps: int
) -> None:
    """Improve each row of ``free``: (gram + sum over its entries of alpha r y y') x = sum of (1 + alpha r) y.

    ``gram`` is Y'Y + regularisation, ``fixed`` Y (n_columns, k), all float64.
    """
    start, columns, values = rows.start, rows.columns, rows.values
    k = fixed.shape[1]
    residual, direction, image = np.empty(k), np.empty(k), np.empty(k)
    for row in range(free.shape[0]):
        first, last = start[row], start[row + 1]
        if first == last:
            for f in range(k):
                free[row, f] = 0.0
            continue
        for f in range(k):
            total = 0.0
            for g in range(k):
                total += gram[f, g] * free[row, g]
            residual[f] = -total
        for p in range(first, last):
            y = columns[p]
            dot = 0.0
            for f in range(k):
                dot += fixed[y, f] * free[row, f]
            share = (1.0 + alpha * values[p]) - alpha * values[p] * dot
            for f in range(k):
                residual[f] += share * fixed[y, f]
        old = 0.0
        for f in range(k):
            direction[f] = residual[f]
            old += residual[f] * residual[f]
        for _ in range(steps):
            if old < 1e-20:
                break
            for f in range(k):
                image[f] = 0.0
            for f in range(k):  # gram is symmetric: rows run over contiguous memory
                d = direction[f]
                for g in range(k):
                    image[g] += d * gram[f, g]
            for p in range(first, last):
                y = columns[p]
                dot = 0.0
                for f in range(k):
                    dot += fixed[y, f] * direction[f]
                share = alpha * values[p] * dot
                for f in range(k):
                    image[f] += share * fixed[y, f]
            under = 0.0
            for f in range(k):
                under += direction[f] * image[f]
            step = old / under
            new = 0.0
            for f in range(k):
                free[row, f] += step * direction[f]
                residual[f] -= step * image[f]
                new += residual[f] * residual[f]
            for f in range(k):
                direction[f] = residual[f] + (new / old) * direction[f]
            old = new


class IALS(Ranker):
    """Implicit-feedback matrix factorisation (Hu, Koren and Volinsky, ICDM 2008).

    Every cell counts: a positive has confidence 1 + alpha, the others 1. Vectors are improved in turn by a few steps
    of conjugate gradients (Takacs et al., RecSys 2011). A request's vector is computed anew from its profile.
    """

    name: ClassVar[str] = "ials"
    takes_lists: ClassVar[bool] = True
    Config = ALSSettings
    reads = "positives"
    config: ALSSettings

    def learn(self, data: Learning) -> dict[str, np.ndarray]:
        """Return item vectors, float64 (n_items, factors), and their Gram matrix."""
        k, random = self.config.factors, data.random()
        items = random.normal(0, 0.1 / np.sqrt(k), (data.n_items, k))
        users = np.zeros((data.n_users, k))
        by_user, by_item = data.matrix, data.matrix.T.tocsr()
        for _ in range(self.config.iterations):
            self._improve(by_user, items, users, self.config.steps)
            self._improve(by_item, users, items, self.config.steps)
        return {"items": items}

    def _improve(self, matrix: Any, fixed: np.ndarray, free: np.ndarray, steps: int) -> None:
        gram = fixed.T @ fixed + self.config.regularization * np.eye(fixed.shape[1])
        self._steps(matrix, gram, fixed, free, steps)

    def _steps(self, matrix: Any, gram: np.ndarray, fixed: np.ndarray, free: np.ndarray, steps: int) -> None:
        _gradient_steps(sparse_rows(matrix), float(self.config.alpha), gram, fixed, free, steps)

    def prepare(self) -> None:
        """Compute the Gram matrix, and transpose the items' vectors for products."""
        items = self.learned["items"]
        self._gram = items.T @ items + self.config.regularization * np.eye(items.shape[1])
        self._turned = np.ascontiguousarray(items.T, dtype=np.float32)

    def score(self, batch: Batch) -> np.ndarray:
        """Return the products of the items' vectors with a vector fitted to the profile."""
        items = self.learned["items"]
        vectors = np.zeros((batch.profile.shape[0], items.shape[1]))
        self._steps(batch.profile, self._gram, items, vectors, 4 * self.config.steps)
        return product(vectors, self._turned)


@dataclass(frozen=True)
class NMFSettings(Settings):
    """Settings of :class:`NMF`."""

    factors: int = setting(50, "length of a vector", low=1, search=Range(1, 350))
    iterations: int = setting(100, "rounds over both sides", low=1)
    start: Literal["random", "singular"] = setting(
        "random", "from random numbers, or from the absolute singular vectors", search=Choice(("random", "singular"))
    )


class NMF(Ranker):
    """Non-negative factors of the positives, squared error, by coordinate descent over whole columns (HALS).

    Cichocki and Phan (IEICE 2009). A request's vector is fitted to its profile in the same way.
    """

    name: ClassVar[str] = "nmf"
    takes_lists: ClassVar[bool] = True
    Config = NMFSettings
    reads = "positives"
    config: NMFSettings

    def learn(self, data: Learning) -> dict[str, np.ndarray]:
        """Return item vectors, float32 (n_items, factors)."""
        k, random, matrix = self.config.factors, data.random(), data.matrix
        if self.config.start == "singular":
            vectors = np.abs(right_singular_vectors(matrix, k, random)).astype(np.float64)
            items = np.full((data.n_items, k), 1e-6)
            items[:, : vectors.shape[1]] += vectors
        else:
            items = random.uniform(0, 1, (data.n_items, k)) * np.sqrt(max(matrix.nnz, 1) / max(matrix.size, 1) / k)
        users = random.uniform(0, 1, (data.n_users, k)) * 0.1
        turned = matrix.T.tocsr()
        for _ in range(self.config.iterations):
            _nonnegative(matrix @ items, items.T @ items, users)
            _nonnegative(turned @ users, users.T @ users, items)
        return {"items": items.astype(np.float32)}

    def prepare(self) -> None:
        """Compute the Gram matrix, and transpose the items' vectors for products."""
        self._gram = self.learned["items"].T.astype(np.float64) @ self.learned["items"]
        self._turned = np.ascontiguousarray(self.learned["items"].T)

    def score(self, batch: Batch) -> np.ndarray:
        """Return the products of the items' vectors with a non-negative vector fitted to the profile."""
        vectors = np.zeros((batch.profile.shape[0], self._gram.shape[0]))
        target = (batch.profile @ self.learned["items"]).astype(np.float64)
        for _ in range(20):
            _nonnegative(target, self._gram, vectors)
        return product(vectors, self._turned)


def _nonnegative(target: np.ndarray, gram: np.ndarray, free: np.ndarray) -> None:
    """Make one round of coordinate descent of |A - free H'|^2 with ``target`` = A H and ``gram`` = H'H, in place."""
    _descend_columns(np.ascontiguousarray(target, dtype=np.float64), np.ascontiguousarray(gram), free)


@kernel
def _descend_columns(target: np.ndarray, gram: np.ndarray, free: np.ndarray) -> None:
    """Descend ``free`` (rows, k) column by column, with ``target`` (rows, k) and ``gram`` (k, k), all float64."""
    k = gram.shape[0]
    for row in range(free.shape[0]):
        for f in range(k):
            if gram[f, f] > 1e-12:
                total = target[row, f]
                for g in range(k):
                    total -= free[row, g] * gram[g, f]
                free[row, f] = max(0.0, free[row, f] + total / gram[f, f])
