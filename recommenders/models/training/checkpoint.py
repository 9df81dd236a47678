"""A fit on disk: what it was when it was last left, so that it goes on as if it had not been stopped."""

from __future__ import annotations

import os
import pickle
import zipfile
from collections.abc import Mapping
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
import torch

from recommenders.contract import RecommenderError
from recommenders.models.training.inputs import Inputs

EVERY = 5
"""Epochs between checkpoints."""


class Checkpoint:
    """The place of one fit's checkpoint; a fit without a folder keeps none.

    Its name is a hash of all that the fit depends on, so that a folder serves many fits, and none goes on from another.
    """

    def __init__(self, folder: str, name: str, given: Inputs, settings: Mapping[str, Any]) -> None:
        """Find the place of a fit: of which recommender, on what, with which settings."""
        self.path = Path(folder) / f"{name}-{_key(given, settings)}.pt" if folder else None

    def read(self) -> dict[str, Any] | None:
        """Return what was kept, or None.

        Raises:
            RecommenderError: the file cannot be read.
        """
        if self.path is None or not self.path.exists():
            return None
        try:
            found: dict[str, Any] = torch.load(self.path, weights_only=True)
        except (RuntimeError, OSError, EOFError, KeyError, pickle.UnpicklingError, zipfile.BadZipFile) as error:
            raise RecommenderError(
                str(self.path), f"is no checkpoint of a fit ({type(error).__name__})", "remove it: the fit begins anew"
            ) from error
        return found

    def write(self, state: Mapping[str, Any]) -> None:
        """Keep a state, in one step: whoever is stopped in the middle leaves the one before."""
        if self.path is None:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        part = self.path.with_suffix(f".{os.getpid()}.part")
        torch.save(dict(state), part)
        part.replace(self.path)

    def remove(self) -> None:
        """Forget it: the fit is done."""
        if self.path is not None:
            self.path.unlink(missing_ok=True)


def _key(given: Inputs, settings: Mapping[str, Any]) -> str:
    made = blake2b(digest_size=10)
    told = {key: value for key, value in settings.items() if key not in ("checkpoint", "device", "progress")}
    made.update(repr((sorted(told.items()), given.n_users, given.n_items, given.seed)).encode())
    for array in (given.users, given.items, given.held_users, given.held_items):
        made.update(np.ascontiguousarray(array).tobytes())
    for name, x in given.features.items():
        made.update(name.encode() + x.cpu().numpy().tobytes())
    return made.hexdigest()
