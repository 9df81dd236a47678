"""Models of LensKit for Python (https://lkpy.lenskit.org), 2025 or newer: ``recommender=lenskit``."""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from recommenders.models.adapters.library import LibraryModel


class LensKit(LibraryModel):
    """A scorer of LensKit, as in ``model=ItemKNNScorer(max_nbrs=20)``; it is told that feedback is implicit.

    Scorers of ratings are given them with the data set and with each query; a visit's items have none and are left out.
    """

    name: ClassVar[str] = "lenskit"
    package: ClassVar[str] = "lenskit"
    modules: ClassVar[tuple[str, ...]] = ("lenskit.als", "lenskit.knn", "lenskit.basic", "lenskit.flexmf")
    ours: ClassVar[dict[str, Any]] = {"feedback": "implicit"}

    def is_model(self, kind: type) -> bool:
        """Return whether it is trained, and called with items to score."""
        return hasattr(kind, "train") and "items" in inspect.signature(kind.__call__).parameters

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
        if self.rated:
            frame["rating"] = pairs.data
        users, items = (np.arange(n, dtype=np.int64) for n in matrix.shape)
        data = from_interactions_df(frame, users=users, items=items)
        model.train(data, TrainingOptions(rng=self.library_seed))

    def scores_of(self, model: Any, users: np.ndarray, profile: Any) -> np.ndarray:
        """Return scores, made user by user, as the library's scorers are asked."""
        from lenskit.data import ItemList, RecQuery

        everything = ItemList(item_ids=np.arange(self.history.n_items, dtype=np.int64))
        asked = inspect.signature(model.__call__).parameters
        rated = self.rated and _of_ratings(model)
        had = self.ratings_of(users) if rated else profile
        found = np.empty((users.size, self.history.n_items), np.float32)
        for row, user in enumerate(users.tolist()):
            own = slice(had.indptr[row], had.indptr[row + 1])
            fields = {"rating": had.data[own]} if rated else {}
            query = RecQuery(user_id=user, history_items=ItemList(item_ids=had.indices[own].astype(np.int64), **fields))
            given = {"query": query, "items": everything}
            found[row] = model(**{name: each for name, each in given.items() if name in asked}).scores()
        return found


def _of_ratings(model: Any) -> bool:
    """Return whether a scorer looks at ratings: as its configuration says, or as its module names them."""
    if hasattr(model.config, "feedback"):
        return bool(model.config.feedback == "explicit")
    return bool(getattr(model.config, "use_ratings", _named_in(type(model).__module__)))


@functools.cache
def _named_in(module: str) -> bool:
    return "rating" in inspect.getsource(sys.modules[module])
