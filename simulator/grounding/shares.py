"""How much of the items' taste each modality's features carry: shares of variance, free of noise.

Let y_i be the mean coordinate of item i's n_i users (`basis.py`): taste plus noise. Two facts make the share estimable
without knowing the noise, and without bias:

- Two different users of one item carry the same taste and independent noise, so the mean of the products over all
  pairs of different users is an unbiased measure of the taste's squared length: the *total* (a U-statistic; it uses
  every split into halves at once).
- A least-squares prediction of y_i from features that was fitted without item i is independent of the noise of y_i and
  linear in what it was fitted on, so the sum over items of (y_i x prediction) is an unbiased measure of the variance
  that the features explain (leave-out estimation of variance components; Kline, Saggio & Solvsten, Econometrica 2020).
  There is no ridge to pick and no shrinkage to undo; a modality that says nothing comes out around zero, on both sides.

Pairs of a user with itself are kept out of both. Coordinates are centred and whitened over the very users that are
seen, which makes the products of different users too small by a constant, ``sum_u a_u^2 |x_u|^2`` (a_u: the user's
share of interactions): small for many users, and most of the total where a hundred users hold most of a log. It is
added back to the total. Predictions must not profit from users whom items i and j have in common either: their
products, beyond the same constant, are taken out of the explained part. Without these two corrections the shares of
`tests/grounding` come out up to three times too high.

The ratio is the share that the features carry *linearly*; what an encoder hides nonlinearly is not in it. Popularity
(a constant and log n_i) is taken out of both first. Intervals are 95 %, from the influence of each item on the ratio
(the infinitesimal jackknife): they cover which items, and which users of them, happened to be seen, given these users
and these axes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix, diags

from simulator.grounding.basis import Measured

Floats = npt.NDArray[np.float64]

Z95 = 1.959963984540054
LEAST_ITEMS = 100  # items with two users each, below which no share is tried


@dataclass(frozen=True)
class Estimate:
    """A number with its 95 % interval."""

    value: float
    low: float
    high: float

    @staticmethod
    def around(value: float, error: float) -> Estimate:
        """Return a value with a normal interval; `error` is its standard error."""
        return Estimate(float(value), float(value - Z95 * error), float(value + Z95 * error))

    def root(self) -> Estimate:
        """Return the square root, of what is above zero: a correlation from a share of variance."""
        clipped = np.sqrt(np.clip([self.value, self.low, self.high], 0.0, 1.0))
        return Estimate(float(clipped[0]), float(clipped[1]), float(clipped[2]))

    def as_list(self) -> list[float | None]:
        """Return value, low and high to six digits, for JSON; null where unknown or without bound."""
        return [round(x, 6) if np.isfinite(x) else None for x in (self.value, self.low, self.high)]


@dataclass(frozen=True)
class Shares:
    """Shares of the items' taste variance."""

    alone: Mapping[str, Estimate]  # modality -> share that its features carry
    beyond: Mapping[str, Estimate]  # modality -> share that they carry beyond all others
    joint: Estimate | None  # all features together; None without features
    total: Estimate  # variance of relative interest (t . v) that the axes show; zero if chance explains all
    items: int  # items that were measured

    def as_dict(self) -> dict[str, object]:
        """Return the shares for JSON; null where nothing can be told."""
        return {
            "share_of_taste": {name: share.as_list() for name, share in self.alone.items()},
            "share_beyond_the_others": {name: share.as_list() for name, share in self.beyond.items()},
            "share_jointly": None if self.joint is None else self.joint.as_list(),
            "interest_variance": self.total.as_list(),
            "items_measured": self.items,
        }


def principal(features: npt.NDArray[np.float32], most: int) -> Floats:
    """Return the leading principal components of features (n, d), each of unit variance, at most `most`; (n, p)."""
    centred = features.astype(np.float64)
    centred -= centred.mean(axis=0)
    values, vectors = np.linalg.eigh(centred.T @ centred / len(centred))
    keep = [j for j in range(len(values) - 1, -1, -1) if values[j] > values[-1] * 1e-8 and values[j] > 0][:most]
    out: Floats = centred @ vectors[:, keep] / np.sqrt(values[keep])
    return out


def weights(count: Floats) -> Floats:
    """Return the weight of an item with `count` interactions: it rises and levels off at the mean count."""
    out: Floats = count / (count + count.mean())
    return out


def partial(values: Floats, count: Floats, weight: Floats) -> Floats:
    """Return the fitted values (m, k) of a weighted regression of `values` on a constant and the log of popularity."""
    design = np.column_stack([np.ones(len(count)), np.log(count)])
    design = design if np.ptp(design[:, 1]) > 0 else design[:, :1]
    solved = np.linalg.solve(design.T @ (weight[:, None] * design), design.T @ (weight[:, None] * values))
    out: Floats = design @ solved
    return out


def estimate_shares(parts: list[Measured], components: Mapping[str, Floats], n_items: int) -> Shares:
    """Estimate shares over `parts` (halves of one or more cuttings); `components`: modality -> features (n_items, p).

    The influence of an item is averaged over the cuttings, in each of which it is measured once.
    """
    names = list(components)
    sets: dict[str, tuple[str, ...]] = {f"alone {name}": (name,) for name in names}
    if names:
        sets["joint"] = tuple(names)
    sets |= {f"without {name}": tuple(n for n in names if n != name) for name in names if len(names) > 1}

    total = np.zeros(n_items)
    explained = {key: np.zeros(n_items) for key in sets}
    influence = {key: np.zeros(n_items) for key in sets}
    seen = np.zeros(n_items, dtype=bool)
    weight_sum = 0.0
    for part in parts:
        keep = part.count >= 2
        if keep.sum() < LEAST_ITEMS // 2:
            continue
        rows = part.items[keep]
        seen[rows] = True
        total_here, gains, weight = _one_half(
            part, keep, {k: [components[n][rows] for n in m] for k, m in sets.items()}
        )
        weight_sum += weight
        total[rows] += total_here
        for key, (gained, squared) in gains.items():
            explained[key][rows] += gained
            influence[key][rows] += 2 * gained - squared

    cuttings = max(1, len(parts) // 2)
    whole = total.sum()
    m = int(seen.sum())
    if m < LEAST_ITEMS or whole <= 0:
        nothing = Estimate(float("nan"), float("-inf"), float("inf"))
        unknown = dict.fromkeys(names, nothing)
        return Shares(unknown, unknown, nothing if names else None, nothing, m)

    def centre(values: Floats) -> Floats:
        return np.where(seen, values - values[seen].mean(), 0.0)

    def share(gain: Floats, effect: Floats) -> Estimate:
        value = gain.sum() / whole
        pull = centre(effect) - value * centre(total)
        return Estimate.around(value, float(np.sqrt((pull**2).sum()) / whole))

    joint_gain = explained.get("joint", np.zeros(n_items))
    joint_pull = influence.get("joint", np.zeros(n_items))
    nil = np.zeros(n_items)
    per = weight_sum / cuttings
    size = Estimate.around(whole / weight_sum, float(np.sqrt((centre(total) ** 2).sum()) / cuttings / per))
    return Shares(
        alone={n: share(explained[f"alone {n}"], influence[f"alone {n}"]) for n in names},
        beyond={
            n: share(joint_gain - explained.get(f"without {n}", nil), joint_pull - influence.get(f"without {n}", nil))
            for n in names
        },
        joint=share(joint_gain, joint_pull) if names else None,
        total=size,
        items=m,
    )


def _one_half(
    part: Measured, keep: npt.NDArray[np.bool_], designs: Mapping[str, list[Floats]]
) -> tuple[Floats, dict[str, tuple[Floats, Floats]], float]:
    """Return the weighted total (m,) of items in `keep`, what each design explains of it, and the sum of weights."""
    n = part.count[keep]
    w = weights(n)
    root = np.sqrt(w)[:, None]
    raw = part.total[keep] / n[:, None]
    mean = partial(raw, n, w)
    y = raw - mean
    own = part.square[keep] - 2 * n * (raw * mean).sum(axis=1) + n * (mean**2).sum(axis=1)
    pairs = ((n**2) * (y**2).sum(axis=1) - own) / (n * (n - 1))
    total = w * ((1 - part.repeated) * pairs + part.repeated_square)
    scaled = (part.log[:, keep] @ diags(np.sqrt(w) / n)).tocsr()
    length = (part.users**2).sum(axis=1)
    gains = {}
    for key, matrices in designs.items():
        stacked = np.hstack(matrices)
        design = (stacked - partial(stacked, n, w)) * root
        gains[key] = _leave_one_out(design, y * root, scaled, length, w * part.repeated_square)
    return total, gains, float(w.sum())


def _leave_one_out(
    design: Floats, target: Floats, log: csr_matrix, length: Floats, expected: Floats
) -> tuple[Floats, Floats]:
    """Return target x its prediction without that row, and that prediction's square; both summed over columns (m,).

    Closed form of least squares: with leverage h, the prediction without row i is (fit_i - h_i target_i) / (1 - h_i).
    From the product goes what row i and the others have only through the same users: `log` (n_users, m) says who is in
    which row, weighted as the target is, `length` (n_users,) their squared coordinates, `expected` (m,) what activity
    alone makes of it.
    """
    left, sizes, _ = np.linalg.svd(design, full_matrices=False)
    left = left[:, sizes > sizes[0] * 1e-6]
    leverage = (left**2).sum(axis=1)
    rest = np.maximum(1 - leverage, 1e-6)
    without = (left @ (left.T @ target) - leverage[:, None] * target) / rest[:, None]
    through = log.T @ (length[:, None] * (log @ left))
    own = leverage * (log.multiply(log).T @ length)
    same = ((left * through).sum(axis=1) - own + leverage * expected) / rest
    return (target * without).sum(axis=1) - same, (without**2).sum(axis=1)
