"""Models of LensKit for Python (https://lkpy.lenskit.org), 2025 or newer: ``recommender=lenskit``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from recommenders.models.adapters.library import LibraryModel


class LensKit(LibraryModel):
    """A scorer of LensKit, as in ``model=ItemKNNScorer(max_nbrs=20)``; it is told that feedback is implicit."""

    name: ClassVar[str] = "lenskit"
    package: ClassVar[str] = "lenskit"
    modules: ClassVar[tuple[str, ...]] = ("lenskit.als", "lenskit.knn", "lenskit.basic", "lenskit.flexmf")
    ours: ClassVar[dict[str, Any]] = {"feedback": "implicit"}

    def accepted(self, make: Callable[..., Any]) -> tuple[str, ...]:
        """Return the fields of the scorer's configuration."""
        configured: Any = make.config_class() if hasattr(make, "config_class") else None
        fields: dict[str, Any] = getattr(configured, "model_fields", None) or getattr(configured, "__annotations__", {})
        return tuple(fields)

    def train(self, model: Any, matrix: Any) -> None:
        """Train on a data set whose users and items are numbered as here."""
        import pandas as pd
        from lenskit.data import from_interactions_df
        from lenskit.training import TrainingOptions

        pairs = matrix.tocoo()
        frame = pd.DataFrame({"user_id": pairs.row.astype(np.int64), "item_id": pairs.col.astype(np.int64)})
        users, items = (np.arange(n, dtype=np.int64) for n in matrix.shape)
        data = from_interactions_df(frame, users=users, items=items)
        model.train(data, TrainingOptions(rng=self.library_seed))

    def scores_of(self, model: Any, users: np.ndarray, profile: Any) -> np.ndarray:
        """Score user by user, as the library's scorers are asked."""
        from lenskit.data import ItemList, RecQuery

        everything = ItemList(item_ids=np.arange(self.history.n_items, dtype=np.int64))
        found = np.empty((users.size, self.history.n_items), np.float32)
        for row, user in enumerate(users.tolist()):
            had = ItemList(item_ids=profile.indices[profile.indptr[row] : profile.indptr[row + 1]].astype(np.int64))
            found[row] = model(RecQuery(user_id=user, history_items=had), everything).scores()
        return found
