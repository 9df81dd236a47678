"""Small worlds with known truth: tastes, features of known signal, sparse logs of skewed activity and popularity."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.sparse import csr_matrix

from simulator.grounding.folder import Interactions, RealFolder


@dataclass(frozen=True)
class Truth:
    """Shares of the items' taste variance that each modality's features carry, by construction."""

    alone: dict[str, float]
    beyond: dict[str, float]
    joint: float


@dataclass(frozen=True)
class Shape:
    """Size and skew of a world; the defaults are a quarter of the TikTok set's size, with its skew."""

    users: int = 2400
    items: int = 1700
    interactions: int = 16000
    heavy: float = 0.011  # share of users
    heavy_hold: float = 0.7  # share of interactions that these hold
    popularity_sd: float = 1.2
    interest_sd: float = 1.0  # of the log rate t . v
    own_sd: float = 0.5  # of the part of the log rate that belongs to one user and one item
    taste: int = 8
    dims: int = 32


def world(
    seed: int, shape: Shape, image: float = 0.15, audio: float = 0.1, both: float = 0.1
) -> tuple[RealFolder, Truth, np.ndarray]:
    """A folder, its truth and the items' true tastes (items, taste).

    Of the taste variance, `image` is told by image features only, `audio` by audio features only, `both` by both
    (the same story twice); features 'noise' tell nothing. The rest is told by none.
    """
    rng = np.random.default_rng(seed)

    def normal(d: int = shape.taste) -> np.ndarray:
        return rng.standard_normal((shape.items, d))

    only_image, only_audio, common, rest = normal(), normal(), normal(), normal()
    v = np.sqrt(image) * only_image + np.sqrt(audio) * only_audio + np.sqrt(both) * common
    v = v + np.sqrt(1 - image - audio - both) * rest

    def encode(*told: np.ndarray) -> np.ndarray:
        plain = np.hstack([*told, normal(shape.dims - sum(t.shape[1] for t in told))])
        rotation = np.linalg.qr(rng.standard_normal((shape.dims, shape.dims)))[0]
        return (plain @ rotation + rng.standard_normal(shape.dims)).astype(np.float32)

    features = {"audio": encode(only_audio, common), "image": encode(only_image, common), "noise": encode()}

    activity = rng.lognormal(0, 0.5, shape.users)
    heavy = np.arange(shape.users) < max(1, round(shape.heavy * shape.users))
    activity[heavy] *= shape.heavy_hold / activity[heavy].sum()
    activity[~heavy] *= (1 - shape.heavy_hold) / activity[~heavy].sum()
    popularity = rng.lognormal(0, shape.popularity_sd, shape.items)
    t = rng.standard_normal((shape.users, shape.taste)) * shape.interest_sd / np.sqrt(shape.taste)
    users, items = [], []
    interest_mean = (shape.interest_sd**2 + shape.own_sd**2) / 2
    for u in range(shape.users):
        log_rate = v @ t[u] + shape.own_sd * rng.standard_normal(shape.items) - interest_mean
        rate = activity[u] * popularity / popularity.sum() * np.exp(log_rate) * shape.interactions
        chosen = np.flatnonzero(rng.random(shape.items) < -np.expm1(-rate))
        users.append(np.full(len(chosen), u))
        items.append(chosen)
    folder = RealFolder(
        path=Path("made"),
        n_items=shape.items,
        n_users=shape.users,
        item_ids=np.arange(shape.items),
        user_ids=np.arange(shape.users),
        features=features,
        interactions=Interactions(np.concatenate(users).astype(np.uint32), np.concatenate(items).astype(np.uint32)),
    )
    truth = Truth(
        alone={"audio": audio + both, "image": image + both, "noise": 0.0},
        beyond={"audio": audio, "image": image, "noise": 0.0},
        joint=image + audio + both,
    )
    return folder, truth, v


def log_matrix(folder: RealFolder) -> csr_matrix:
    """The folder's interactions as ones, (users, items)."""
    log = folder.interactions
    assert log is not None
    return csr_matrix((np.ones(len(log.user)), (log.user, log.item)), shape=(folder.n_users, folder.n_items))
