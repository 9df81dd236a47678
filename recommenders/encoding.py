"""Items as short vectors, for policies that learn: what encoders made of the content, and the public numbers."""

from __future__ import annotations

import numpy as np

from recommenders.catalog import Catalog

_NOT_NUMBERS = ("creator", "type", "published_at")


def item_features(catalog: Catalog, width: int) -> np.ndarray:
    """Short vectors of all items, float32 (n_items, width + numbers), each column of mean 0 and spread 1.

    The first `width` columns are the principal components of all feature matrices together; fewer dimensions than that
    leave columns of 0. Behind them stand the public numbers of the catalog (a duration, a price), logarithms of 1 + x.
    A function of the catalog alone, so that an environment and a recommender in a run see items alike.
    """
    columns = [np.zeros((catalog.n_items, width), np.float32)]
    matrices = [catalog.feature(name, "item_features").astype(np.float64) for name in sorted(catalog.features)]
    if matrices and catalog.n_items:
        whole = np.concatenate(matrices, axis=1)
        whole -= whole.mean(axis=0)
        # of the small side: a catalog has more items than dimensions
        values, vectors = np.linalg.eigh(whole.T @ whole)
        best = vectors[:, np.argsort(-values, kind="stable")[:width]]
        best *= np.sign(best[np.abs(best).argmax(axis=0), np.arange(best.shape[1])])  # a direction has no sign
        columns[0][:, : best.shape[1]] = _standardised(whole @ best)
    for name in sorted(set(catalog.columns) - set(_NOT_NUMBERS)):
        numbers = np.log1p(np.maximum(catalog.columns[name].astype(np.float64), 0.0))
        columns.append(_standardised(numbers[:, None]))
    return np.ascontiguousarray(np.concatenate(columns, axis=1))


def _standardised(values: np.ndarray) -> np.ndarray:
    spread = values.std(axis=0)
    scaled = (values - values.mean(axis=0)) / np.where(spread > 1e-9, spread, 1.0)
    return np.asarray(np.clip(scaled, -10.0, 10.0), np.float32)
