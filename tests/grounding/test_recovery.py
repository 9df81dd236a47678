"""Does the grounding find a truth that we know? Bias and interval coverage over replicated worlds.

The estimate has two known imperfections, and the limits say how much of them we bear: shares come out a few percent
(relative) too high; and where an interval is wrong it tends to be too wide, because the jackknife is conservative for
statistics of pairs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from simulator.grounding.basis import halves
from simulator.grounding.shares import estimate_shares, principal
from tests.grounding.worlds import Shape, log_matrix, world

QUARTER = Shape()
HALF = Shape(users=4650, items=3350, interactions=40000)
WHOLE = Shape(users=9300, items=6700, interactions=80000)  # nearly the TikTok set: 103 users hold 70 %
EVEN = Shape(users=4650, items=3350, interactions=40000, heavy=0.3)


@dataclass(frozen=True)
class Row:
    """One estimated share over replicated worlds."""

    name: str
    truth: float
    mean: float
    spread: float  # standard deviation of the estimates
    error: float  # their mean standard error, from the intervals
    coverage: float
    worlds: int

    @property
    def bias(self) -> float:
        return self.mean - self.truth

    @property
    def draw(self) -> float:
        """Standard error of the bias."""
        return self.spread / np.sqrt(self.worlds)


def recover(shape: Shape, worlds: int, axes: int = 8, cuttings: int = 2, **told: float) -> list[Row]:
    """Estimate the shares of `worlds` worlds and compare with the truth; prints a table (shown with pytest -s)."""
    found: dict[str, list[tuple[float, float, float]]] = {}
    truth: dict[str, float] = {}
    for seed in range(worlds):
        folder, known, _ = world(seed, shape, **told)
        rng = np.random.default_rng(seed + 10_000)
        parts = []
        for _ in range(cuttings):
            parts += halves(log_matrix(folder), axes, rng.random(shape.items), rng.standard_normal(shape.users))
        components = {name: principal(matrix, 64) for name, matrix in folder.features.items()}
        shares = estimate_shares(parts, components, shape.items)
        assert shares.joint is not None
        named = {f"{name} alone": (share, known.alone[name]) for name, share in shares.alone.items()}
        named |= {f"{name} beyond": (share, known.beyond[name]) for name, share in shares.beyond.items()}
        named["joint"] = (shares.joint, known.joint)
        for name, (share, true) in named.items():
            truth[name] = true
            found.setdefault(name, []).append((share.value, share.low, share.high))
    rows = []
    for name, estimates in found.items():
        value, low, high = np.array(estimates).T
        covered = float(((low <= truth[name]) & (truth[name] <= high)).mean())
        error = float((high - low).mean() / 3.92)
        rows.append(Row(name, truth[name], float(value.mean()), float(value.std(ddof=1)), error, covered, worlds))
    print(f"\n{shape}, {worlds} worlds, {axes} axes")  # noqa: T201
    print(f"{'share':<14}{'truth':>8}{'mean':>8}{'bias':>8}{'+-':>7}{'sd':>8}{'s.e.':>8}{'cover':>7}")  # noqa: T201
    for row in rows:
        numbers = (row.truth, row.mean, row.bias, row.draw, row.spread, row.error, row.coverage)
        print(f"{row.name:<14}" + "".join(f"{x:8.3f}" for x in numbers))  # noqa: T201
    return rows


def within(rows: list[Row], relative: float, absolute: float, coverage: float) -> None:
    """Bias within limits (beyond three standard errors of luck), and intervals that hold what they promise."""
    for row in rows:
        assert abs(row.bias) <= absolute + relative * row.truth + 3 * row.draw, row
        allowed = coverage - 3 * np.sqrt(coverage * (1 - coverage) / row.worlds)
        assert row.coverage >= allowed, row
    assert np.mean([row.coverage for row in rows]) >= coverage


def test_shares_are_recovered():
    rows = recover(QUARTER, 10)
    within(rows, relative=0.08, absolute=0.01, coverage=0.85)


def test_features_without_signal_come_out_around_zero_on_both_sides():
    rows = recover(EVEN, 4, image=0.0, audio=0.0, both=0.0)
    for row in rows:
        assert abs(row.mean) < 0.02
        assert row.error < 0.05


@pytest.mark.long
@pytest.mark.parametrize(
    ("shape", "worlds", "axes"),
    [(QUARTER, 100, 8), (HALF, 60, 8), (HALF, 40, 16), (EVEN, 60, 8), (WHOLE, 20, 8)],
    ids=["quarter", "half", "half-16-axes", "even-activity", "whole"],
)
def test_shares_are_recovered_at_length(shape: Shape, worlds: int, axes: int):
    within(recover(shape, worlds, axes), relative=0.08, absolute=0.005, coverage=0.88)


@pytest.mark.long
@pytest.mark.parametrize(
    "told",
    [
        {"image": 0.0, "audio": 0.0, "both": 0.2},
        {"image": 0.05, "audio": 0.02, "both": 0.0},
        {"image": 0.5, "audio": 0.0, "both": 0.0},
    ],
    ids=["same-story", "little", "much"],
)
def test_other_truths_are_recovered_at_length(told: dict[str, float]):
    within(recover(HALF, 40, **told), relative=0.08, absolute=0.005, coverage=0.88)
