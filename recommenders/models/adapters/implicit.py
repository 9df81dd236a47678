"""Models of implicit (https://github.com/benfred/implicit): ``recommender=implicit``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np

from recommenders.contract import Settings, setting
from recommenders.models.adapters.library import LibraryModel, LibrarySettings
from recommenders.models.ranker import product


@dataclass(frozen=True)
class ImplicitSettings(LibrarySettings):
    """Settings of :class:`Implicit`; its models are of feedback without ratings."""

    ratings: Literal["auto", "log", "none"] = setting(
        "none", "a positive's value: 1, times alpha (none), the log's (log), or its few levels (auto)"
    )


class Implicit(LibraryModel):
    """A model of implicit, as in ``model=AlternatingLeastSquares(factors=64, alpha=1)``."""

    name: ClassVar[str] = "implicit"
    package: ClassVar[str] = "implicit"
    modules: ClassVar[tuple[str, ...]] = (
        "implicit.als", "implicit.bpr", "implicit.lmf", "implicit.nearest_neighbours",
    )  # fmt: skip
    ours: ClassVar[dict[str, Any]] = {"num_threads": 1, "random_state": LibraryModel.SEED, "use_gpu": False}
    Config: ClassVar[type[Settings]] = ImplicitSettings

    def is_model(self, kind: type) -> bool:
        """Return whether it can be fitted and asked."""
        return hasattr(kind, "fit") and hasattr(kind, "recommend")

    def train(self, model: Any, matrix: Any) -> None:
        """Train on users by items; the confidence of a positive is what alpha says."""
        neighbours = not hasattr(model, "factors")  # these add up in doubles, and one of them takes nothing else
        model.fit(matrix.astype(np.float64) if neighbours else matrix, show_progress=False)

    def scores_of(self, model: Any, users: np.ndarray, profile: Any) -> np.ndarray:
        """Return products of factors, or sums over neighbours."""
        if hasattr(model, "item_factors"):
            return product(np.asarray(model.user_factors[users]), np.asarray(model.item_factors).T)
        found = np.full((users.size, self.history.n_items), np.nan, np.float32)
        items, scores = model.recommend(users, profile, N=self.history.n_items, filter_already_liked_items=False)
        rows, places = np.nonzero((items >= 0) & (scores > 0))
        found[rows, items[rows, places]] = scores[rows, places]
        return found
