"""What a network is given: pairs to learn from, pairs held out, features, and where to compute."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch

from recommenders.contract import Positives, RecommenderError
from recommenders.models.hashing import mix, root, uniform
from recommenders.models.training.settings import Device

MOST_JUDGED = 2000
"""Users whose held-out item tells when to stop: more cost time and tell little more."""
FEWEST_JUDGED = 50
"""Below so many held-out items their recall says nothing: no epoch is then better than another."""


@dataclass(frozen=True)
class Inputs:
    """What a network learns from.

    Attributes:
        users, items: int64 (n,), the pairs trained on, by user, then item.
        n_users, n_items: sizes.
        features: float32 (n_items, d) by modality, on `device`.
        resampled: modalities of `features` that are drawn anew at every epoch.
        held_users, held_items: int64 (m,), one pair each of some users, kept back.
        device: where tensors lie.
        seed: of the training.
    """

    users: np.ndarray
    items: np.ndarray
    n_users: int
    n_items: int
    features: dict[str, torch.Tensor]
    resampled: tuple[str, ...]
    held_users: np.ndarray
    held_items: np.ndarray
    device: torch.device
    seed: int

    def with_features(self, features: dict[str, torch.Tensor], resampled: tuple[str, ...] = ()) -> Inputs:
        """Return the same with features, on this device."""
        return replace(self, features={m: x.to(self.device) for m, x in features.items()}, resampled=resampled)


def inputs_of(
    positives: Positives, n_users: int, n_items: int, held_out: float, seed: int, device: torch.device
) -> Inputs:
    """Take one positive of some users out of the positives, and return both parts, without features.

    Whom it is taken from, and which, goes by a keyed hash of the pair: of users with at least three positives, one
    each, at most `held_out` of all positives and `MOST_JUDGED`. None where fewer than `FEWEST_JUDGED` would be left.
    """
    users, items = positives.user.astype(np.int64), positives.item.astype(np.int64)
    held = _held(users, items, held_out, seed)
    kept = np.ones(users.size, bool)
    kept[held] = False
    return Inputs(users[kept], items[kept], n_users, n_items, {}, (), users[held], items[held], device, seed)


def _held(users: np.ndarray, items: np.ndarray, share: float, seed: int) -> np.ndarray:
    start = np.full(1, root(seed, "held out"))
    draw = uniform(mix(mix(start, users.astype(np.uint64)), items.astype(np.uint64)))
    order = np.lexsort((draw, users))
    first = np.ones(order.size, bool)
    first[1:] = users[order][1:] != users[order][:-1]
    chosen = order[first]
    chosen = chosen[np.bincount(users)[users[chosen]] >= 3] if chosen.size else chosen
    most = min(int(share * users.size), MOST_JUDGED)
    chosen = chosen[np.argsort(draw[chosen], kind="stable")[:most]]
    return np.sort(chosen) if chosen.size >= FEWEST_JUDGED else np.empty(0, np.int64)


def device_of(wanted: Device, asked_by: str) -> torch.device:
    """Return where to compute.

    Raises:
        RecommenderError: a GPU is asked for, and torch sees none.
    """
    there = torch.cuda.is_available()
    if wanted == "cuda" and not there:
        raise RecommenderError(f"{asked_by}.device", "torch sees no GPU", "expected device=cpu or auto")
    return torch.device("cuda" if wanted != "cpu" and there else "cpu")
