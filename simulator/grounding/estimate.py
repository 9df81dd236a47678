"""Grounding: what a real catalog and a real log say about taste, modalities, density and learnability.

`ground` estimates, `Grounding` holds the result, and `Grounding.summary` says for the run's manifest what was
estimated, how well it holds up, what was assumed, and what such data cannot tell.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix, diags

from simulator.engine.randomness import normals, uniforms
from simulator.errors import InputError
from simulator.grounding.basis import Measured, halves
from simulator.grounding.folder import TEST, TRAIN, VALIDATION, Interactions, RealFolder
from simulator.grounding.heldout import ITEM, HeldOut, evaluate
from simulator.grounding.shares import LEAST_ITEMS, Estimate, Shares, estimate_shares, principal
from simulator.grounding.vectors import estimate_vectors

Floats = npt.NDArray[np.float64]
Matrix = npt.NDArray[np.float32]

CUTTINGS = 4  # random halvings of the items over which shares are averaged
COMPONENTS = 64  # principal components of each modality's features, at most
PER_COMPONENT = 3  # items at least for each component in one half
VERY_ACTIVE = 10  # times the mean activity

# Purposes of keyed luck; the engine's own are below 100.
CUT, START, SPLIT, TIE, REMAINDER = (np.uint64(101 + i) for i in range(5))

CANNOT_TELL = (
    "how precisely people read a modality (precision), and how much of it they attend to",
    "the content's taste signal and the encoder's retention apart: only their product, here called signal",
    "signal that features carry nonlinearly: the estimate is of what is linear in them",
    "a seller's bias, appeal, and errors that modalities share",
    "taste in directions that the log does not reach, and the share of taste that no model can learn",
    "taste apart from exposure: the log shows what users took among what they were shown",
)


@dataclass(frozen=True)
class Grounding:
    """What the data say; axes are common to items and users, the one of largest item variance first."""

    items: Matrix  # (n_items, D): taste; content + a draw of the remainder given the log
    content: Matrix  # (n_items, D): the part that all features together predict
    parts: Mapping[str, Matrix]  # modality -> (n_items, D): what its features alone predict; parts do not add up
    remainder: Matrix  # (D, D): covariance of the part that features do not predict
    reliability: Matrix  # (n_items,): share of the remainder that the log tells, 0 without interactions
    users: Matrix  # (n_users, D): posterior mean of taste, prior N(0, 1); near 0 for users of few interactions
    user_sd: Matrix  # (n_users, D): posterior standard deviation; users + user_sd x normal is one plausible population
    activity: npt.NDArray[np.int64]  # (n_users,): distinct items of each user
    popularity: npt.NDArray[np.float64]  # (n_items,): shares of interactions, half an interaction added to each item
    signal: Mapping[str, Estimate]  # modality -> correlation of features with taste; absent where data cannot tell
    shares: Shares
    ordinary: Shares | None  # shares without users ten times as active as the mean, where there are such
    density: float  # distinct user-item pairs / (users x items)
    interactions_per_user: Mapping[str, float]  # mean, p10, p50, p90, p99, and the share that the top 1 % hold
    held_out: HeldOut | None
    assumptions: tuple[str, ...]

    @property
    def learnability(self) -> float | None:
        """Return recall@20 of item neighbours over that of popularity; None where it could not be measured."""
        ratio = None if self.held_out is None else self.held_out.to_popularity.get(ITEM)
        return None if ratio is None else ratio.value

    def summary(self) -> dict[str, object]:
        """Summarise for the manifest: numbers, texts, lists and maps only. Estimates are [value, low, high], 95 %."""
        return {
            "intervals": "[value, low, high], 95 %; shares: over items, given these users; recall: over users",
            "calibrated": {
                "signal": {name: estimate.as_list() for name, estimate in self.signal.items()},
                **self.shares.as_dict(),
                "without_very_active_users": None if self.ordinary is None else self.ordinary.as_dict(),
                "density": self.density,
                "interactions_per_user": dict(self.interactions_per_user),
            },
            "held_out": None if self.held_out is None else self.held_out.as_dict(),
            "cannot_tell": list(CANNOT_TELL),
            "assumptions": list(self.assumptions),
        }


def ground(folder: RealFolder, dimensions: int, seed: int) -> Grounding:
    """Estimate from a real folder; `dimensions` is the number of taste axes. The same arguments give the same result.

    Raises InputError where the folder has no interactions, or too few to measure anything.
    """
    where = str(folder.path / "interactions.parquet")
    if folder.interactions is None:
        raise InputError(where, "not there", "grounding needs real interactions")
    if dimensions < 1:
        raise InputError("dimensions", f"{dimensions}", "expected at least 1")
    assumptions = list(folder.assumptions)
    user, item, split = _distinct(folder.interactions, folder.n_items, assumptions)
    split, said = _with_split(split, len(user), seed, assumptions)

    def matrix(which: npt.NDArray[np.bool_]) -> csr_matrix:
        return csr_matrix(
            (np.ones(int(which.sum())), (user[which], item[which])), shape=(folder.n_users, folder.n_items)
        )

    train = matrix(split == TRAIN)
    measurable = int((np.bincount(item[split == TRAIN], minlength=folder.n_items) >= 2).sum())
    if measurable < 2 * LEAST_ITEMS:
        raise InputError(
            where, f"only {measurable} items have two training interactions", f"grounding needs {2 * LEAST_ITEMS}"
        )
    k = min(dimensions, folder.n_items // 2 - 1, folder.n_users - 1)
    parts = _cuttings(train, k, seed)
    fewest = min(int((part.count >= 2).sum()) for part in parts)
    if fewest < LEAST_ITEMS // 2:
        raise InputError(
            where,
            f"after the items are halved, only {fewest} of one half have two users whom the other half knows",
            f"grounding needs {LEAST_ITEMS // 2}",
        )
    most = max(1, min(COMPONENTS, fewest // (PER_COMPONENT * max(1, len(folder.features)))))
    components = {name: principal(features, most) for name, features in folder.features.items()}
    for name, features in folder.features.items():
        if features.shape[1] > most:
            assumptions.append(f"taste in '{name}' was looked for in its first {most} principal components only")
    shares = estimate_shares(parts, components, folder.n_items)
    tells = bool(np.isfinite(shares.total.low) and shares.total.low > 0)
    if not tells:
        assumptions.append("the log shows no taste beyond chance on these axes: no signal was calibrated")
    draw = normals(seed, REMAINDER, folder.n_items, dimensions)
    vectors = estimate_vectors((parts[0], parts[1]), components, shares, train, dimensions, draw)
    activity = np.bincount(user, minlength=folder.n_users)
    per_user = spread_of_activity(activity)
    if per_user["top_1_percent"] > 0.25:
        held = f"{per_user['top_1_percent']:.0%}"
        assumptions.append(
            f"the most active 1 % of users hold {held} of the interactions: the shares of taste are largely theirs"
        )
    smoothed = np.bincount(item, minlength=folder.n_items) + 0.5
    return Grounding(
        items=vectors.items.astype(np.float32),
        content=vectors.content.astype(np.float32),
        parts={name: part.astype(np.float32) for name, part in vectors.parts.items()},
        remainder=vectors.remainder.astype(np.float32),
        reliability=vectors.reliability.astype(np.float32),
        users=vectors.users.astype(np.float32),
        user_sd=vectors.user_sd.astype(np.float32),
        activity=activity,
        popularity=smoothed / smoothed.sum(),
        signal={name: share.root() for name, share in shares.alone.items()} if tells else {},
        shares=shares,
        ordinary=_ordinary(train, components, k, seed),
        density=len(user) / (folder.n_users * folder.n_items),
        interactions_per_user=per_user,
        held_out=evaluate(train, matrix(split == TEST), folder.features, uniforms(seed, TIE, folder.n_items, 0), said),
        assumptions=tuple(assumptions),
    )


def _distinct(
    log: Interactions, n_items: int, assumptions: list[str]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.uint8] | None]:
    """Return the distinct (user, item) pairs in order, with the split of the first of each."""
    key = log.user.astype(np.int64) * n_items + log.item
    pairs, first = np.unique(key, return_index=True)
    if len(pairs) < len(key):
        assumptions.append(f"{len(key) - len(pairs)} repeated interactions of a user with an item count once")
    assumptions.append("every interaction, whatever its value, says that the user wanted the item")
    return pairs // n_items, pairs % n_items, None if log.split is None else log.split[first]


def _with_split(
    split: npt.NDArray[np.uint8] | None, n: int, seed: int, assumptions: list[str]
) -> tuple[npt.NDArray[np.uint8], str]:
    """Return the data's own split, or a keyed 8:1:1 of the interactions, and its name."""
    if split is not None and np.any(split == TRAIN) and np.any(split == TEST):
        return split, "the data's own: trained on train, judged on test"
    if split is not None:
        assumptions.append("the split column lacks train or test: interactions were split 8:1:1 at random instead")
    draw = uniforms(seed, SPLIT, n, 0)
    made = np.where(draw < 0.8, TRAIN, np.where(draw < 0.9, VALIDATION, TEST)).astype(np.uint8)
    return made, "8:1:1 of the interactions at random: trained on 8, judged on the last"


def _ordinary(train: csr_matrix, components: Mapping[str, Floats], k: int, seed: int) -> Shares | None:
    """Estimate shares without users ten times as active as the mean; None without such users, or if few remain."""
    activity = np.diff(train.indptr)
    plain = activity <= VERY_ACTIVE * activity[activity > 0].mean()
    if plain.all():
        return None
    rest = (diags(plain.astype(np.float64)) @ train).tocsr()
    rest.eliminate_zeros()
    if int((np.diff(rest.tocsc().indptr) >= 2).sum()) < 2 * LEAST_ITEMS:
        return None
    return estimate_shares(_cuttings(rest, k, seed), components, train.shape[1])


def _cuttings(train: csr_matrix, k: int, seed: int) -> list[Measured]:
    """Return the both halves of every cutting, in order."""
    out: list[Measured] = []
    for cutting in range(CUTTINGS):
        draw = uniforms(seed, CUT, train.shape[1], cutting)
        start = normals(seed, START, max(train.shape), 1, block=cutting).astype(np.float64).ravel()
        out += halves(train, k, draw, start)
    return out


def spread_of_activity(counts: npt.NDArray[np.int64]) -> dict[str, float]:
    """Describe the interactions per user who has any: mean, p10, p50, p90, p99, and what the top 1 % hold."""
    active = np.sort(counts[counts > 0])[::-1]
    top = max(1, len(active) // 100)
    quantiles = np.quantile(active, [0.1, 0.5, 0.9, 0.99])
    named = dict(zip(("p10", "p50", "p90", "p99"), map(float, quantiles), strict=True))
    return {"mean": float(active.mean()), **named, "top_1_percent": float(active[:top].sum() / active.sum())}
