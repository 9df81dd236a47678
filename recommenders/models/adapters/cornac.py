"""Models of Cornac (https://cornac.preferred.ai): ``recommender=cornac``."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from recommenders.models.adapters.library import LibraryModel


class Cornac(LibraryModel):
    """A model of Cornac, as in ``model=BPR(k=64, max_iter=100)``. A user's visit so far changes nothing."""

    name: ClassVar[str] = "cornac"
    package: ClassVar[str] = "cornac"
    modules: ClassVar[tuple[str, ...]] = ("cornac.models",)
    ours: ClassVar[dict[str, Any]] = {"num_threads": 1, "seed": LibraryModel.SEED, "verbose": False}

    def train(self, model: Any, matrix: Any) -> None:
        """Train on a data set whose users and items are numbered as here."""
        from cornac.data import Dataset

        pairs = matrix.tocoo()
        users, items = matrix.shape
        triples = (pairs.row.astype(np.int64), pairs.col.astype(np.int64), pairs.data.astype(np.float64))
        names = ({number: number for number in range(n)} for n in (users, items))
        model.fit(Dataset(users, items, *names, triples, seed=self.library_seed))

    def scores_of(self, model: Any, users: np.ndarray, profile: Any) -> np.ndarray:
        """Score user by user, as the library's models are asked."""
        return np.stack([np.asarray(model.score(user), dtype=np.float32).reshape(-1) for user in users.tolist()])
