"""Models of Cornac (https://cornac.preferred.ai): ``recommender=cornac``."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from recommenders.contract import RecommenderError
from recommenders.models.adapters.library import LibraryModel

BASES = "cornac.models.recommender"  # the module of classes that models derive from
MODALITIES = (
    "user_feature", "item_feature", "user_text", "item_text", "user_image", "item_image", "user_graph", "item_graph",
    "sentiment", "review_text",
)  # fmt: skip


class Cornac(LibraryModel):
    """A model of Cornac, as in ``model=BPR(k=64, max_iter=100)``. A user's visit so far changes nothing."""

    name: ClassVar[str] = "cornac"
    package: ClassVar[str] = "cornac"
    modules: ClassVar[tuple[str, ...]] = ("cornac.models",)
    ours: ClassVar[dict[str, Any]] = {"num_threads": 1, "seed": LibraryModel.SEED, "verbose": False}

    def is_model(self, kind: type) -> bool:
        """Return whether it is a recommender of the library, and none of their bases."""
        return hasattr(kind, "fit") and hasattr(kind, "score") and kind.__module__ != BASES

    def missing(self, make: Callable[..., Any]) -> str:
        """Return what it asks for besides pairs: baskets or items in their order to score by, data of another kind."""
        asked = list(inspect.signature(make.score).parameters.values())[2:]  # type: ignore[attr-defined]
        more = [each.name for each in asked if each.default is each.empty and each.kind is each.POSITIONAL_OR_KEYWORD]
        bases = [kind.__name__ for kind in inspect.getmro(make) if kind.__module__ == BASES]  # type: ignore[arg-type]
        if more:
            return f"is a {bases[0]}: it scores by {', '.join(more)}, and an adapter has users and items"
        kinds = _data_sets_named_by(make.__module__)
        return f"needs a {kinds[0]}, and an adapter has users, items and values of pairs alone" if kinds else ""

    def train(self, model: Any, matrix: Any) -> None:
        """Train on a data set whose users and items are numbered as here."""
        pairs = matrix.tocoo()
        users, items = matrix.shape
        triples = (pairs.row.astype(np.int64), pairs.col.astype(np.int64), pairs.data.astype(np.float64))
        names = ({number: number for number in range(n)} for n in (users, items))
        model.fit(_data_set(self)(users, items, *names, triples, seed=self.library_seed))

    def scores_of(self, model: Any, users: np.ndarray, profile: Any) -> np.ndarray:
        """Return scores, made user by user, as the library's models are asked."""
        return np.stack([np.asarray(model.score(user), dtype=np.float32).reshape(-1) for user in users.tolist()])


def _data_sets_named_by(module: str) -> list[str]:
    """Return the kinds of data sets, other than the plain one, that a module names."""
    from cornac.data import Dataset

    named = vars(sys.modules[module]).values()
    return sorted(k.__name__ for k in named if inspect.isclass(k) and issubclass(k, Dataset) and k is not Dataset)


def _data_set(adapter: Cornac) -> type:
    """Return a class of data sets that have pairs alone, and say so when a model reads anything else."""
    from cornac.data import Dataset

    class Pairs(Dataset):  # type: ignore[misc]
        def __getattr__(self, name: str) -> Any:
            if name in MODALITIES:
                wrong = f"{adapter.who} needs {name}, and an adapter has users, items and values of pairs alone"
                raise RecommenderError(adapter.where, wrong)
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    return Pairs
