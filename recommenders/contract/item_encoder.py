"""Items as short vectors, for policies that learn: what encoders made of the content, and the public numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np

from recommenders.contract.catalog import Catalog
from recommenders.contract.errors import RecommenderError

_TYPE = "type"
_FLOOR = 1e-9  # a spread below this is none


@dataclass(frozen=True)
class ItemEncoder:
    """How the items of one catalog become short vectors; another catalog's items are put into the same space.

    Attributes:
        matrices, numbers: names of the feature matrices (in the order in which they are joined) and of the columns.
        middle: float64 (dimensions,), subtracted from the joined matrices.
        directions: float64 (dimensions, width), the principal components; fewer dimensions than width leave columns
            of 0.
        types: codes of the items' types, a column for each where there are several.
        mean, spread: float64 (width + numbers + types,), of the columns before they are brought to mean 0 and spread 1.
    """

    matrices: tuple[str, ...]
    numbers: tuple[str, ...]
    middle: np.ndarray
    directions: np.ndarray
    types: int
    mean: np.ndarray
    spread: np.ndarray

    @classmethod
    def of(cls, catalog: Catalog, width: int) -> ItemEncoder:
        """Make the encoder that a catalog teaches: a function of the catalog alone."""
        matrices = tuple(sorted(catalog.features))
        numbers = tuple(sorted(name for name, column in catalog.columns.items() if _is_number(name, column)))
        whole = _joined(catalog, matrices)
        middle = whole.mean(axis=0) if len(whole) else np.zeros(whole.shape[1])
        directions = np.zeros((whole.shape[1], width))
        if whole.size:
            whole = whole - middle
            # of the small side: a catalog has more items than dimensions
            values, vectors = np.linalg.eigh(whole.T @ whole)
            best = vectors[:, np.argsort(-values, kind="stable")[:width]]
            best *= np.sign(best[np.abs(best).argmax(axis=0), np.arange(best.shape[1])])  # a direction has no sign
            directions[:, : best.shape[1]] = best
        types = int(catalog.columns[_TYPE].max(initial=0)) + 1 if _TYPE in catalog.columns else 1
        types = types if types > 1 else 0
        raw = _raw(catalog, whole @ directions, numbers, types)
        if not len(raw):
            return cls(matrices, numbers, middle, directions, types, np.zeros(raw.shape[1]), np.ones(raw.shape[1]))
        spread = raw.std(axis=0)
        spread = np.where(spread > _FLOOR, spread, 1.0)
        return cls(matrices, numbers, middle, directions, types, raw.mean(axis=0), spread)

    @property
    def columns(self) -> int:
        """Return the length of an item's vector."""
        return len(self.mean)

    def encode(self, catalog: Catalog, where: str) -> np.ndarray:
        """Encode a catalog's items as vectors, float32 (n_items, columns), bounded by 10.

        Raises:
            RecommenderError: it lacks a matrix or a column, or a matrix has another width; `where` says who asked.
        """
        for name in (*self.numbers, *([_TYPE] if self.types else [])):
            if name not in catalog.columns:
                have = ", ".join(sorted(catalog.columns))
                raise RecommenderError(where, f"the catalog has no column {name!r}", f"it has: {have}")
        whole = _joined(catalog, self.matrices, where)
        if whole.shape[1] != len(self.middle):
            raise RecommenderError(
                where, f"the features {', '.join(self.matrices)} have {whole.shape[1]} dimensions",
                f"expected {len(self.middle)}, as in the catalog that it was trained on",
            )  # fmt: skip
        raw = _raw(catalog, (whole - self.middle) @ self.directions, self.numbers, self.types)
        return np.ascontiguousarray(np.clip((raw - self.mean) / self.spread, -10.0, 10.0), dtype=np.float32)

    def arrays(self) -> dict[str, np.ndarray]:
        """Return everything as plain arrays."""
        return {each.name: np.asarray(getattr(self, each.name)) for each in fields(self)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> ItemEncoder:
        """Restore an encoder from what `arrays` gave."""
        names = {name: tuple(str(each) for each in arrays[name]) for name in ("matrices", "numbers")}
        rest = {name: np.asarray(arrays[name], dtype=np.float64) for name in ("middle", "directions", "mean", "spread")}
        return cls(**names, types=int(arrays["types"]), **rest)  # type: ignore[arg-type]


def item_features(catalog: Catalog, width: int) -> np.ndarray:
    """Return short vectors of all items, float32 (n_items, width + numbers + types), of mean 0 and spread 1.

    The first `width` columns are the principal components of all feature matrices together. Behind them stand the
    public numbers of the catalog (a duration, a price), logarithms of 1 + x, then a column for each type of items where
    there are several. A function of the catalog alone, so that
    an environment and a recommender in a run see items alike.
    """
    return ItemEncoder.of(catalog, width).encode(catalog, "item_features")


def _is_number(name: str, column: np.ndarray) -> bool:
    """Return whether a column measures something: codes of creators and types do not, nor does a time."""
    return column.dtype.kind == "f" and name != "published_at"


def _joined(catalog: Catalog, names: tuple[str, ...], where: str = "item_features") -> np.ndarray:
    matrices = [catalog.feature(name, where).astype(np.float64) for name in names]
    return np.concatenate(matrices, axis=1) if matrices else np.zeros((catalog.n_items, 0))


def _raw(catalog: Catalog, content: np.ndarray, numbers: tuple[str, ...], types: int) -> np.ndarray:
    """Return the columns before they are brought to one scale."""
    kinds = [(catalog.columns[_TYPE] == code).astype(np.float64) for code in range(types)]
    return np.column_stack([content, *(_logarithms(catalog, name) for name in numbers), *kinds])


def _logarithms(catalog: Catalog, name: str) -> np.ndarray:
    return np.asarray(np.log1p(np.maximum(catalog.columns[name].astype(np.float64), 0.0)))
