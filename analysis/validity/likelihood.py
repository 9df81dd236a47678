"""Maximum likelihood with standard errors from the curvature, and what comes of it: estimates with 90 % intervals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import optimize, special

Floats = npt.NDArray[np.float64]
Scale = Callable[[float], float]
_Z = float(special.ndtri(0.95))
NODES = np.linspace(-6.0, 6.0, 121)
"""Values of a standard normal trait over which it is integrated: near enough to each other for users with much data."""
LOG_WEIGHTS = -0.5 * NODES**2 - special.logsumexp(-0.5 * NODES**2)


@dataclass(frozen=True)
class Estimate:
    """Hold an estimate of a number of the scenario, and the number itself.

    Attributes:
        name: what is estimated.
        truth: what the world was run with.
        value, low, high: estimate with its 90 % interval.
    """

    name: str
    truth: float
    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Parameter:
    """Say how a number is estimated: on a scale where any number is allowed, from where, and back to its own.

    Attributes:
        name, truth: of the number.
        start: where the search begins, on the free scale.
        own: from the free scale to the number's, rising.
    """

    name: str
    truth: float
    start: float
    own: Scale = float


def positive(x: float) -> float:
    """Return what is above 0, from its logarithm."""
    return float(np.exp(x))


def probability(x: float) -> float:
    """Return a probability from its log-odds."""
    return float(special.expit(x))


def fit(loss: Callable[[Floats], float], parameters: Sequence[Parameter]) -> list[Estimate]:
    """Return the estimates that make a negative log-likelihood least; none where its curvature is not positive there.

    Args:
        loss: negative log-likelihood of values on the free scales, in the order of `parameters`.
        parameters: what is estimated.

    Intervals are Wald's on the free scale, brought back to the number's own.
    """
    start = np.array([each.start for each in parameters])
    scale = max(abs(loss(start)), 1.0)  # first steps of the search are as long as the gradient: of order 1
    found = optimize.minimize(lambda x: loss(x) / scale, start, method="BFGS", options={"gtol": 1e-7})
    curved = curvature(loss, found.x)
    if not np.isfinite(curved).all():
        return []
    try:
        np.linalg.cholesky(curved)
    except np.linalg.LinAlgError:
        return []
    error = np.sqrt(np.diag(np.linalg.inv(curved)))
    return [
        Estimate(each.name, each.truth, each.own(x), each.own(x - _Z * e), each.own(x + _Z * e))
        for each, x, e in zip(parameters, found.x, error, strict=True)
    ]


def curvature(loss: Callable[[Floats], float], at: Floats, step: float = 1e-3) -> Floats:
    """Return the matrix of second derivatives by central differences, shape (n, n)."""
    n = at.size
    found = np.empty((n, n))
    moves = np.eye(n) * step
    for a in range(n):
        for b in range(a, n):
            corners = [
                loss(at + s * moves[a] + t * moves[b]) * s * t for s in (1.0, -1.0) for t in (1.0, -1.0)
            ]  # a = b: the second difference over twice the step
            found[a, b] = found[b, a] = sum(corners) / (4 * step * step)
    return found
