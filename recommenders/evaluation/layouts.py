"""Layouts of public data sets: their files, the columns that join them, the role that each column plays.

A layout is named (``layout=mind``) or a YAML file with the same keys (``layout=mine.yaml``):

```yaml
tables: [visits*.csv]             # patterns; all files of the first that matches are put one below the other
join: [{tables: [people.csv], by: visit}]        # looked up by a common column; left out where no file matches
columns: {user: person, item: place, time: at}   # role: column, or several, of which the first that is there counts
lists: shown                      # a column of texts like "N1-1 N2-0": one row per item that ends in -1
flags: true                       # `events=` names columns that are 1 where it happened
```
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from recommenders.contract.errors import RecommenderError
from recommenders.contract.names import did_you_mean


@dataclass(frozen=True)
class Join:
    """A table that is looked up: patterns of its files, and the column in common."""

    tables: tuple[str, ...]
    by: str


@dataclass(frozen=True)
class Layout:
    """Name the files and the columns that hold the interactions of a folder.

    Attributes:
        tables: patterns of file names (parquet, csv, tsv, inter), first come first.
        join: tables that are looked up by a common column, where they are there.
        columns: role -> columns, of which the first that is there counts.
        names: the columns of tables that come without a header.
        lists: column of impression lists, whose clicked items (``-1``) become rows.
        flags: whether events are columns of 0 and 1.
    """

    tables: tuple[str, ...]
    join: tuple[Join, ...] = ()
    columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    names: tuple[str, ...] = ()
    lists: str | None = None
    flags: bool = False


USUAL = Layout(("interactions.parquet", "ratings.parquet", "ratings.csv", "*.inter"))
"""MovieLens, RecBole, and whoever writes ``interactions.parquet``."""

LAYOUTS: dict[str, Layout] = {
    "mind": Layout(
        ("behaviors.tsv", "behaviors.parquet"),
        columns={"user": ("user_id",), "time": ("time",), "item": ("item_id",)},
        names=("impression_id", "user_id", "time", "history", "impressions"),
        lists="impressions",
    ),
    "kuairand": Layout(
        ("log_standard*.csv", "log_random*.csv", "interactions.parquet"),
        columns={"user": ("user_id",), "item": ("video_id",), "time": ("time_ms",)},
        flags=True,
    ),
    "olist": Layout(
        ("olist_order_items_dataset.csv", "order_items.parquet", "order_items.csv"),
        (
            Join(("olist_orders_dataset.csv", "orders.parquet", "orders.csv"), "order_id"),
            Join(("olist_customers_dataset.csv", "customers.parquet", "customers.csv"), "customer_id"),
            Join(("olist_order_reviews_dataset.csv", "reviews.parquet", "reviews.csv"), "order_id"),
        ),
        {
            "user": ("customer_unique_id", "customer_id"), "item": ("product_id",), "rating": ("review_score",),
            "time": ("order_purchase_timestamp",),
        },
    ),
}  # fmt: skip
"""Microsoft News, KuaiRand and Olist as they are published, and as Parquet copies with the same columns."""


def layout_of(given: str | None) -> Layout:
    """Return the layout of that name or file; the usual one where none is given.

    Raises:
        RecommenderError: there is no such layout, or the file does not describe one.
    """
    if given is None:
        return USUAL
    if given in LAYOUTS:
        return LAYOUTS[given]
    path = Path(given)
    if path.suffix not in (".yaml", ".yml"):
        hint = did_you_mean(given, LAYOUTS, repr)
        raise RecommenderError(
            "layout", f"{given!r} is not known", f"{hint}there are: {', '.join(LAYOUTS)}, or a .yaml"
        )
    return _described(path)


def _described(path: Path) -> Layout:
    import yaml

    try:
        content = yaml.safe_load(path.read_text())
    except (OSError, yaml.YAMLError) as error:
        raise RecommenderError(str(path), f"cannot be read ({str(error).splitlines()[0]})", "expected YAML") from error
    known = [each.name for each in fields(Layout)]
    _only(content, known, str(path))
    if "tables" not in content:
        raise RecommenderError(str(path), "tables is missing", "patterns of file names, as in tables: [visits*.csv]")
    joins = content.get("join") or []
    if not isinstance(joins, list):
        raise RecommenderError(f"{path}: join", f"{joins!r}", "expected a list of {tables: [...], by: COLUMN}")
    for k, join in enumerate(joins):
        _only(join, ["tables", "by"], f"{path}: join.{k}")
        if set(join) != {"tables", "by"}:
            raise RecommenderError(f"{path}: join.{k}", f"{join!r}", "expected {tables: [...], by: COLUMN}")
    columns = content.get("columns") or {}
    if not isinstance(columns, dict):
        raise RecommenderError(f"{path}: columns", f"{columns!r}", "expected role: column, as in {user: person}")
    lists = content.get("lists")
    return Layout(
        _several(content["tables"]),
        tuple(Join(_several(join["tables"]), str(join["by"])) for join in joins),
        {str(role): _several(names) for role, names in columns.items()},
        _several(content.get("names") or []),
        None if lists is None else str(lists),
        bool(content.get("flags", False)),
    )


def _only(content: Any, known: list[str], where: str) -> None:
    if not isinstance(content, dict):
        raise RecommenderError(where, f"{content!r} describes no layout", f"expected keys: {', '.join(known)}")
    for key in content:
        if key not in known:
            hint = did_you_mean(key, known, repr)
            raise RecommenderError(where, f"{key!r} is no key of a layout", f"{hint}there are: {', '.join(known)}")


def _several(value: Any) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, list) else (str(value),)
