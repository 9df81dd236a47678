"""What would be read of a data set, in words: files, rows, users, items, times, splits, features, what is left out."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from recommenders.contract import RecommenderError
from recommenders.data.features import feature_files
from recommenders.data.interactions import Reading, read_interactions
from recommenders.evaluation.dataset import Dataset, read_dataset
from recommenders.evaluation.splits import SPLITS, split_of


def inspection(
    folder: Path, reading: Reading, test_labels: tuple[str, ...] = (), validation_labels: tuple[str, ...] = ()
) -> str:
    """Return what :func:`read_dataset` reads of a folder, a line each.

    Raises:
        RecommenderError: as it does.
    """
    data = read_dataset(folder, reading, test_labels, validation_labels)
    found = read_interactions(folder, reading)
    pairs, n_items = len(data.positives), data.catalog.n_items
    each = np.bincount(data.positives.user, minlength=data.n_users)
    lines = {
        "data": data.name,
        "files": ", ".join(found.files[:12]) + (f", ... ({len(found.files)})" if len(found.files) > 12 else ""),
        "columns": ", ".join(f"{role} = {column}" for role, column in found.columns.items()),
        "rows": f"{data.n_rows:,}, {len(found):,} of them used, {pairs:,} distinct pairs; what counts: {data.label}",
        "users": f"{data.n_users:,}, with {each.min()} to {each.max()} pairs, {np.median(each):g} in the median",
        "items": f"{n_items:,}",
        "density": f"{pairs / (data.n_users * n_items):.3%}",
        "ratings": _ratings(data),
        "time": found.times.said() if found.times is not None else "none",
    }
    features = feature_files(folder if folder.is_dir() else folder.parent)
    lines["features"] = ", ".join(f"{name} {_shape(data, name)}" for name in features) or "none"
    text = "".join(f"{key + ':':<10} {value}\n" for key, value in lines.items())
    text += "".join(f"  split={name}: {_sizes(data, name)}\n" for name in SPLITS)
    return text + "".join(f"note: {note}\n" for note in data.notes if not note.startswith("time: "))


def _ratings(data: Dataset) -> str:
    if not data.rated:
        return "none"
    weight = data.positives.weight
    return f"{np.nanmin(weight):g} to {np.nanmax(weight):g}, {np.nanmean(weight):.3g} in the mean"


def _shape(data: Dataset, name: str) -> str:
    rows, width = data.catalog.features[name].shape
    return f"({rows:,} x {width})"


def _sizes(data: Dataset, name: str) -> str:
    """Return the sizes of the parts, or why there are none."""
    try:
        split = split_of(data, name, 0)
    except RecommenderError as error:
        return error.wrong
    return f"{len(split.train):,} / {len(split.validation):,} / {len(split.test):,} pairs"
