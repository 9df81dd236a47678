"""The catalog as a platform knows it: public columns of the items, and the vectors of encoders."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

import numpy as np

from recommenders.contract.errors import RecommenderError
from recommenders.contract.sealing import sealed

_Makers = Mapping[str, Callable[[], np.ndarray]]

# Of all features that there are, by identity, what makes them. It is not in the features themselves, which plug-ins
# hold: whoever makes features knows what they are made of, and a plug-in must not.
_MAKERS: dict[int, _Makers] = {}


class LazyFeatures(Mapping[str, np.ndarray]):
    """Feature matrices by modality, each made on first access and then kept, sealed.

    Args:
        makers: modality -> a function that returns its float32 matrix of shape (n_items, dimensions).

    >>> features = LazyFeatures({"cover": lambda: np.ones((3, 2), np.float32)})
    >>> list(features), features["cover"].shape
    (['cover'], (3, 2))
    """

    def __init__(self, makers: _Makers) -> None:
        self._modalities = tuple(makers)
        self._made: dict[str, np.ndarray] = {}
        _MAKERS[id(self)] = dict(makers)
        weakref.finalize(self, _MAKERS.pop, id(self)).atexit = False

    def __getitem__(self, modality: str) -> np.ndarray:
        if modality not in self._made:
            made = _MAKERS[id(self)][modality]()
            self._made[modality] = sealed(np.asarray(made, dtype=np.float32))
        return self._made[modality]

    def __iter__(self) -> Iterator[str]:
        return iter(self._modalities)

    def __len__(self) -> int:
        return len(self._modalities)

    def __deepcopy__(self, memo: dict[int, Any]) -> LazyFeatures:
        """Return itself: nothing of it changes."""
        return self

    def __copy__(self) -> LazyFeatures:
        """Return itself."""
        return self


@dataclass(frozen=True)
class Catalog:
    """The items of a platform, published or to come, as a recommender may know them.

    Attributes:
        n_items: items are numbered 0 ... n_items - 1.
        columns: public item columns, each of length n_items: duration (float32, s), creator (uint32), type (uint8),
            published_at (float64, s since the start) ... as the scenario has them. Where items belong to parents, the
            number of an item's (int32, -1 none) under the name of the kind: story, album, show.
        features: modality -> float32 (n_items, dimensions), what an encoder made of the content.
    """

    n_items: int
    columns: Mapping[str, np.ndarray] = field(default_factory=dict)
    features: Mapping[str, np.ndarray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.n_items < 0:
            raise RecommenderError("catalog.n_items", f"is {self.n_items}", "expected a count")
        for name, values in self.columns.items():
            if values.shape != (self.n_items,):
                raise RecommenderError(
                    f"catalog.columns.{name}", f"has shape {values.shape}", f"expected ({self.n_items},)"
                )

    def sealed(self) -> Catalog:
        """Return the same catalog as it is handed out: none of it can be changed, and it leads to nothing else."""
        columns = {name: sealed(values) for name, values in self.columns.items()}
        features = self.features
        if not isinstance(features, LazyFeatures):
            features = LazyFeatures({name: lambda name=name: self.features[name] for name in features})  # type: ignore[misc]
        return replace(self, columns=MappingProxyType(columns), features=features)

    def require_column(self, name: str, asked_by: str) -> np.ndarray:
        """Return a public column.

        Raises:
            RecommenderError: the catalog has no such column.
        """
        if name not in self.columns:
            there = ", ".join(sorted(self.columns)) or "none"
            raise RecommenderError(asked_by, f"the catalog has no {name!r}", f"it has: {there}")
        return self.columns[name]

    def require_feature(self, modality: str, asked_by: str) -> None:
        """Require features of a modality: RecommenderError where there are none; reads none."""
        if modality not in self.features:
            there = ", ".join(sorted(self.features)) or "none at all"
            raise RecommenderError(
                asked_by, f"the catalog has no features of modality {modality!r}", f"it has: {there}"
            )

    def feature(self, modality: str, asked_by: str) -> np.ndarray:
        """Return the matrix of one modality, float32 (n_items, dimensions).

        Raises:
            RecommenderError: if the catalog has no such modality, or its matrix does not fit the catalog.
        """
        self.require_feature(modality, asked_by)
        matrix = self.features[modality]
        if matrix.ndim != 2 or matrix.shape[0] != self.n_items:
            raise RecommenderError(
                f"catalog.features.{modality}", f"has shape {matrix.shape}", f"expected ({self.n_items}, dimensions)"
            )
        if not np.isfinite(matrix).all():
            raise RecommenderError(f"catalog.features.{modality}", "holds NaN or infinity", "expected finite numbers")
        return np.ascontiguousarray(matrix, dtype=np.float32)
