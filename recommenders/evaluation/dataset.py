"""Interactions from files: a folder of tables becomes positives, with ratings, times, a given split, features.

What is read, in this order: ``interactions.parquet`` (user_id, item_id; optional split, rating, timestamp),
``ratings.parquet`` or ``ratings.csv`` (userId, movieId, rating, timestamp, as MovieLens has them), ``*.inter`` files
(RecBole: tab-separated, ``user_id:token`` ...), or the platform log of a run (``platform/*.parquet``). Others by
``columns`` (which column is the user, the item, the rating, the time, the split) or a layout
(`recommenders.evaluation.layouts`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from recommenders.contract import Catalog, LazyFeatures, Positives, RecommenderError
from recommenders.contract.log import distinct_pairs
from recommenders.contract.names import did_you_mean
from recommenders.evaluation.layouts import layout_of
from recommenders.evaluation.tables import happened, read_table, seconds

ROLES: dict[str, tuple[str, ...]] = {
    "user": ("user_id", "userId", "user", "uid", "user_id:token"),
    "item": ("item_id", "movieId", "itemId", "item", "video_id", "iid", "item_id:token"),
    "rating": ("rating", "rating:float", "score", "value"),
    "time": ("timestamp", "timestamp:float", "time", "time_ms"),
    "split": ("split",),
    "event": ("event",),
}
"""Names that are tried for each role, first come first."""


@dataclass(frozen=True)
class Dataset:
    """Distinct positive pairs of one source.

    Attributes:
        name: the folder's name.
        positives: the pairs; ``weight`` holds the rating where there are ratings, else 1.
        rated: whether there are ratings.
        timed: whether there are times.
        part: int8 per pair, 0 train, 1 validation, 2 test, where the source has a split; else None.
        n_users, catalog: users, and items with the features that are there.
        user_ids, item_ids: the source's own name of each user and item.
        label: what counts as a positive, in words.
    """

    name: str
    positives: Positives
    rated: bool
    timed: bool
    part: np.ndarray | None
    n_users: int
    catalog: Catalog
    user_ids: np.ndarray
    item_ids: np.ndarray
    label: str


def read_dataset(
    folder: str | Path,
    columns: Mapping[str, str] | None = None,
    at_least: float | None = None,
    events: tuple[str, ...] = (),
    layout: str | None = None,
) -> Dataset:
    """Read the data set of a folder (or of one file).

    Args:
        folder: where it is.
        columns: role (user, item, rating, time, split, event) -> column, where the names are not the usual ones.
        at_least: lowest rating (or value, in a platform log) that counts as positive; all count unless given.
        events: of a platform log, those that count; of a layout with flags, those columns. Needed there.
        layout: a name of `LAYOUTS`, or a YAML file that describes one; the usual one unless given.

    Raises:
        RecommenderError: there is no table, it lacks a column, or nothing in it counts.
    """
    path = Path(folder)
    lies = layout_of(layout)
    table, source = read_table(path, lies)
    chosen = _roles(table, dict(columns or {}), lies.columns, source)
    label = "any interaction" if at_least is None else f"{chosen.get('rating', 'rating')} >= {at_least:g}"
    if lies.flags:
        table = happened(table, events, source)
        label = " or ".join(events)
    elif "event" in chosen and (events or "event" in (columns or {}) or (path / "platform").is_dir()):
        if not events:
            there = sorted(set(table[chosen["event"]].astype(str)))
            raise RecommenderError(source, "is a log of events", f"say which count: events={','.join(there)}")
        table = table[table[chosen["event"]].astype(str).isin(events) & table[chosen["item"]].notna()]
        label = f"{' or '.join(events)}" + ("" if at_least is None else f", value >= {at_least:g}")
    if at_least is not None:
        if "rating" not in chosen:
            raise RecommenderError(source, "has no ratings", "leave out at_least, or name the column: columns.rating")
        table = table[table[chosen["rating"]] >= at_least]
    if table.empty:
        raise RecommenderError(source, "holds no positive", f"what counts: {label}")
    user, user_ids = _numbered(table[chosen["user"]])
    item, item_ids = _numbered(table[chosen["item"]])
    time = seconds(table[chosen["time"]], source) if "time" in chosen else np.zeros(len(table))
    root = path if path.is_dir() else path.parent
    return _dataset(root, table, chosen, (user, user_ids), (item, item_ids), time, label)


def _dataset(
    folder: Path,
    table: pd.DataFrame,
    chosen: Mapping[str, str],
    users: tuple[np.ndarray, np.ndarray],
    items: tuple[np.ndarray, np.ndarray],
    time: np.ndarray,
    label: str,
) -> Dataset:
    (user, user_ids), (item, item_ids) = users, items
    n_items = len(item_ids)
    pairs = distinct_pairs(user, item, time, n_items)
    first = _first_rows(user, item, time, n_items)
    rating = table[chosen["rating"]].to_numpy(np.float32)[first] if "rating" in chosen else None
    if rating is not None and not np.isfinite(rating).all():
        rating = None
    part = table[chosen["split"]].to_numpy(np.int8)[first] if "split" in chosen else None
    positives = Positives(pairs.user, pairs.item, pairs.time, pairs.weight if rating is None else rating)
    catalog = Catalog(n_items, {}, _features(folder, item_ids))
    timed = "time" in chosen
    return Dataset(
        folder.name, positives, rating is not None, timed, part, len(user_ids), catalog, user_ids, item_ids, label
    )


def _first_rows(user: np.ndarray, item: np.ndarray, time: np.ndarray, n_items: int) -> np.ndarray:
    """Return the row that stands for each distinct pair: its earliest, in order of user, then item."""
    pair = user.astype(np.int64) * max(n_items, 1) + item
    order = np.lexsort((time, pair))
    ordered = pair[order]
    return np.asarray(order[np.concatenate(([True], ordered[1:] != ordered[:-1]))])


def _roles(
    table: pd.DataFrame, given: dict[str, str], usual: Mapping[str, tuple[str, ...]], source: str
) -> dict[str, str]:
    for role, column in given.items():
        if role not in ROLES:
            hint = did_you_mean(role, ROLES, repr)
            raise RecommenderError(f"columns.{role}", "is no role", f"{hint}there are: {', '.join(ROLES)}")
        if column not in table.columns:
            raise RecommenderError(
                f"columns.{role}", f"{source} has no {column!r}", f"it has: {', '.join(map(str, table.columns))}"
            )
    chosen = dict(given)
    for role, names in ROLES.items():
        found = next((name for name in (*usual.get(role, ()), *names) if name in table.columns), None)
        if role not in chosen and found is not None:
            chosen[role] = found
    for role in ("user", "item"):
        if role not in chosen:
            raise RecommenderError(source, f"has no column for the {role}", f"name it: columns.{role}=COLUMN")
    return chosen


def _numbered(values: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """Numbers 0 ... n - 1 and the name of each: the ids themselves where they are such numbers, or nearly."""
    if pd.api.types.is_numeric_dtype(values):
        ids = values.to_numpy(np.int64)
        if ids.min() >= 0 and ids.max() < 2 * np.unique(ids).size:
            return ids, np.arange(ids.max() + 1)
    names, numbers = np.unique(values.to_numpy().astype(str), return_inverse=True)
    return numbers.astype(np.int64), names


def _features(folder: Path, item_ids: np.ndarray) -> LazyFeatures:
    """Read features: ``NAME_feat.npz`` (key ``feat``, row = item id) is the modality NAME."""

    def reader(path: Path) -> np.ndarray:
        with np.load(path, allow_pickle=False) as archive:
            rows: np.ndarray = archive["feat"]
        wanted = item_ids.astype(np.int64)
        if wanted.size and wanted.max() >= len(rows):
            raise RecommenderError(str(path), f"has {len(rows)} rows", f"expected one per item, up to {wanted.max()}")
        return rows[wanted]

    paths = {path.name.removesuffix("_feat.npz"): path for path in sorted(folder.glob("*_feat.npz"))}
    return LazyFeatures({name: lambda path=path: reader(path) for name, path in paths.items()})  # type: ignore[misc]


def write_inter(data: Dataset, path: str | Path) -> None:
    """Write the pairs as a RecBole ``.inter`` file, with ratings and times where there are any: whole or not at all."""
    pairs, path = data.positives, Path(path)
    columns: dict[str, object] = {
        "user_id:token": data.user_ids[pairs.user],
        "item_id:token": data.item_ids[pairs.item],
    }
    if data.rated:
        columns["rating:float"] = pairs.weight
    if data.timed:
        columns["timestamp:float"] = pairs.time
    partial = path.with_name(path.name + ".partial")
    try:
        pd.DataFrame(columns).to_csv(partial, sep="\t", index=False)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
