"""A data set: interactions from files as distinct positive pairs, with ratings, times, a given split, features."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from recommenders.contract import Catalog, Positives, RecommenderError
from recommenders.data.interactions import Interactions, Reading, read_interactions
from recommenders.data.items import features_of
from recommenders.data.numbering import numbered
from recommenders.data.splits import parts_of


@dataclass(frozen=True)
class Dataset:
    """Distinct positive pairs of one source.

    Attributes:
        name: the folder's name.
        positives: the pairs; ``weight`` holds the rating where there are ratings (NaN where a pair has none), else 1.
        rated: whether there are ratings.
        timed: whether there are times.
        part: int8 per pair, 0 train, 1 validation, 2 test, where the source has a split; else None.
        no_part: why there is no ``part``, where there is a column of a split that cannot be used.
        n_users, catalog: users, and items with the features that are there; all of them occur in a pair.
        user_ids, item_ids: the source's own name of each user and item.
        label: what counts as a positive, in words.
        n_rows: rows of the source.
        left_out: reason -> rows that are in no pair.
        notes: what was found out or assumed in reading, in plain words.
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
    n_rows: int = 0
    left_out: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    no_part: RecommenderError | None = None

    @property
    def lacks_values(self) -> str | None:
        """Why values of pairs tell nothing here, in words; None where they differ."""
        value = self.positives.weight[np.isfinite(self.positives.weight)] if self.rated else np.empty(0)
        if not value.size:
            return f"{self.name} has none"
        return f"all of {self.name} are {value[0]:g}" if value.min() == value.max() else None


def read_dataset(
    folder: str | Path,
    reading: Reading | None = None,
    test_labels: tuple[str, ...] = (),
    validation_labels: tuple[str, ...] = (),
) -> Dataset:
    """Read the data set of a folder (or of one file).

    Numbers of users and items follow from what the rows say of them, so that other names or another order of rows give
    the same splits and results.

    Args:
        folder: where it is.
        reading: how it is read, where the usual way is not right.
        test_labels, validation_labels: labels of the source's own split, where they are not the usual words.

    Raises:
        RecommenderError: there is no table, it lacks a column, a row lacks what it needs, or nothing in it counts.
    """
    path = Path(folder)
    found = read_interactions(path, reading or Reading())
    part, no_part = _part(found, test_labels, validation_labels)
    time = np.zeros(len(found)) if found.times is None else found.times.seconds
    value = None if found.value is None or np.isnan(found.value).all() else found.value
    facts = [time] if value is None else [time, value]
    user, item = numbered(found.user, found.item, *facts, part=part)
    # Of rows of one pair and time, the one with the highest value.
    keys = [each for each in (part, None if value is None else -value, time) if each is not None]
    first = _first_rows(user.code, item.code, *keys)
    weight = np.ones(first.size, np.float32) if value is None else value[first]
    pairs = Positives(user.code[first].astype(np.uint32), item.code[first].astype(np.uint32), time[first], weight)
    root = (path if path.is_dir() else path.parent).resolve()
    repeated = len(found) - len(pairs)
    left_out, notes = dict(found.left_out), found.notes
    if repeated:
        left_out["repeats a pair"] = repeated
        notes = (*notes, f"{repeated:,} of {found.n_rows:,} rows repeat a pair: its earliest counts")
    return Dataset(
        root.name, pairs, value is not None, found.times is not None, None if part is None else part[first],
        len(user.names), Catalog(len(item.names), {}, features_of(root, item.names)), user.names, item.names,
        found.label, found.n_rows, left_out, notes, no_part,
    )  # fmt: skip


def _part(
    found: Interactions, test: tuple[str, ...], validation: tuple[str, ...]
) -> tuple[np.ndarray | None, RecommenderError | None]:
    """Return the part of each row, or why there is none."""
    if found.split is None:
        return None, None
    try:
        return parts_of(found.split, found.source, found.columns["split"], test, validation), None
    except RecommenderError as error:
        if test or validation:
            raise
        return None, error


def _first_rows(user: np.ndarray, item: np.ndarray, *keys: np.ndarray) -> np.ndarray:
    """Return the row that stands for each distinct pair, in order of user, then item: its first by the last key.

    The keys before it decide where that leaves several; the order of rows decides nothing.
    """
    pair = user * np.int64(max(int(item.max(initial=0)) + 1, 1)) + item
    order = np.lexsort((*keys, pair))
    ordered = pair[order]
    return np.asarray(order[np.concatenate(([True], ordered[1:] != ordered[:-1]))])


def write_inter(data: Dataset, path: str | Path) -> None:
    """Write the pairs as a RecBole ``.inter`` file, with ratings and times where there are any: whole or not at all.

    Raises:
        RecommenderError: an id holds a tab or a line end, which such a file cannot.
    """
    pairs, path = data.positives, Path(path)
    for ids in (data.user_ids, data.item_ids):
        odd = [str(each) for each in ids if any(mark in each for mark in "\t\n\r")]
        if odd:
            raise RecommenderError(
                str(path), f"cannot hold the id {odd[0]!r}", "expected ids without tabs and line ends"
            )
    columns: dict[str, object] = {
        "user_id:token": data.user_ids[pairs.user],
        "item_id:token": data.item_ids[pairs.item],
    }
    if data.rated:
        columns["rating:float"] = pairs.weight
    if data.timed:
        columns["timestamp:float"] = pairs.time
    table = pd.DataFrame(columns)
    partial = path.with_name(path.name + ".partial")
    try:
        with partial.open("w", newline="", encoding="utf-8") as file:
            # Such files know no quotes, so none are written.
            file.write("\t".join(table.columns) + "\n")
            texts = [("" if value != value else str(value) for value in table[name]) for name in table.columns]
            file.writelines("\t".join(row) + "\n" for row in zip(*texts, strict=True))
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
