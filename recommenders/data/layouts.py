"""Layouts of data sets: their files, the columns that join them, the role that each column plays.

A layout is the name of a set that ships (``layout=mind``; the files are in ``recommenders/data/sets``) or a YAML file
with the same keys (``layout=mine.yaml``):

```yaml
tables: [visits*.csv]             # patterns; all files of the first that matches are put one below the other
join: [{tables: [people.csv], by: visit}]        # looked up by a common column; left out where no file matches
columns: {user: person, item: place, time: at}   # role: column, or several, of which the first that is there counts
units: {time: ms}                 # of times (s, ms, us, ns, min, h, d, day-first, month-first) and durations
names: [person, place, at]        # the columns of files that do not name them
sep: semicolon                    # tab, comma, semicolon, bar, ::, blanks
header: false                     # whether the first line names the columns
quote: false                      # whether fields may stand in double quotes
lists: shown                      # a column of texts like "N1-1 N2-0": one row per item that ends in -1
unfold: [visits]                  # columns of lists, side by side: a row per entry, of objects a column per key
flags: true                       # `events=` names columns that are 1 where it happened
events: [bought]                  # which events (or flags) count unless `events=` says so; all unless this is given
known_by: [visits-2019.csv]       # of a set that ships: names of files by which it is known without `layout=`
```

``user: city+street`` makes one id of several columns; a plus inside of one gets a backslash.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path
from typing import Any

from recommenders.contract.errors import RecommenderError
from recommenders.contract.names import did_you_mean
from recommenders.data.roles import ROLES, role_of
from recommenders.data.units import UNITS

SEPARATORS = {"tab": "\t", "comma": ",", "semicolon": ";", "bar": "|", "::": "::", "blanks": " "}
"""Separators by the words that name them."""
_SETS = Path(__file__).with_name("sets")


@dataclass(frozen=True)
class Join:
    """A table that is looked up: patterns of its files, and the column in common."""

    tables: tuple[str, ...]
    by: str


@dataclass(frozen=True)
class Layout:
    """Name the files and the columns that hold the interactions of a folder.

    Attributes:
        tables: patterns of file names, first come first.
        join: tables that are looked up by a common column, where they are there.
        columns: role -> columns, of which the first that is there counts.
        units: role -> unit of its numbers.
        names: the columns of tables that come without a header.
        sep, header, quote: how text files are written; None is found out.
        lists: column of impression lists, whose clicked items (``-1``) become rows.
        unfold: columns of lists, as far as they are there, whose entries become rows.
        flags: whether events are columns of 0 and 1.
        events: those that count unless something else is said; all where there are none.
        known_by: patterns of names of files that no other set has.
        name: of a set that ships; else None.
    """

    tables: tuple[str, ...]
    join: tuple[Join, ...] = ()
    columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)
    names: tuple[str, ...] = ()
    sep: str | None = None
    header: bool | None = None
    quote: bool | None = None
    lists: str | None = None
    unfold: tuple[str, ...] = ()
    flags: bool = False
    events: tuple[str, ...] = ()
    known_by: tuple[str, ...] = ()
    name: str | None = None


USUAL = Layout(
    (
        "interactions.parquet", "interactions.csv", "interactions.tsv", "interactions.jsonl", "interactions.csv.gz",
        "ratings.parquet", "ratings.csv", "ratings.tsv", "*.inter",
    )
)  # fmt: skip
"""MovieLens, RecBole, and whoever writes ``interactions``."""


def shipped() -> list[str]:
    """Return the names of the sets whose layouts ship."""
    return sorted(path.stem for path in _SETS.glob("*.yaml"))


@lru_cache
def layout_of(given: str | None) -> Layout:
    """Return the layout of that name or file; the usual one where none is given.

    Raises:
        RecommenderError: there is no such layout, or the file does not describe one.
    """
    if given is None:
        return USUAL
    if given in shipped():
        return replace(described(_SETS / f"{given}.yaml"), name=given)
    path = Path(given)
    if path.suffix not in (".yaml", ".yml"):
        hint = did_you_mean(given, shipped(), repr)
        raise RecommenderError(
            "layout", f"{given!r} is not known", f"{hint}there are: {', '.join(shipped())}, or a .yaml"
        )
    return described(path)


def known_layout(files: Iterable[str]) -> Layout | None:
    """Return the set that ships and is known by one of these names of files; None where none is, or several are."""
    files = list(files)
    found = [
        layout
        for layout in map(layout_of, shipped())
        if any(fnmatchcase(name, pattern) for pattern in layout.known_by for name in files)
    ]
    return found[0] if len(found) == 1 else None


def separator(word: str) -> str:
    """Return the separator of that name, or the character itself. Raises ValueError with what would be right."""
    if word in SEPARATORS:
        return SEPARATORS[word]
    if len(word) == 1 and word.isprintable() and not word.isalnum() and word not in "\"'":
        return word
    raise ValueError(f"one of {', '.join(SEPARATORS)}, or a character")


def described(path: Path) -> Layout:
    """Return the layout that a YAML file describes. Raises RecommenderError where it does not."""
    import yaml

    try:
        content = yaml.safe_load(path.read_text())
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise RecommenderError(str(path), f"cannot be read ({str(error).splitlines()[0]})", "expected YAML") from error
    only(content, [each.name for each in fields(Layout) if each.name != "name"], str(path))
    if "tables" not in content:
        raise RecommenderError(str(path), "tables is missing", "patterns of file names, as in tables: [visits*.csv]")
    joins = content.get("join") or []
    if not isinstance(joins, list):
        raise RecommenderError(f"{path}: join", f"{joins!r}", "expected a list of {tables: [...], by: COLUMN}")
    for k, join in enumerate(joins):
        only(join, ["tables", "by"], f"{path}: join.{k}")
        if set(join) != {"tables", "by"}:
            raise RecommenderError(f"{path}: join.{k}", f"{join!r}", "expected {tables: [...], by: COLUMN}")
    columns = _map(content, "columns", path, "role: column, as in {user: person}")
    units = _map(content, "units", path, "role: unit, as in {time: ms}")
    lists = content.get("lists")
    return Layout(
        tables=several(content["tables"]),
        join=tuple(Join(several(join["tables"]), str(join["by"])) for join in joins),
        columns={role_of(str(role), f"{path}: columns", ROLES): several(names) for role, names in columns.items()},
        units={str(role): unit_of(str(role), str(unit), f"{path}: units.{role}") for role, unit in units.items()},
        names=several(content.get("names") or []),
        sep=_separator(content.get("sep"), path),
        header=_yes_or_no(content, "header", path),
        quote=_yes_or_no(content, "quote", path),
        lists=None if lists is None else str(lists),
        unfold=several(content.get("unfold") or []),
        flags=bool(_yes_or_no(content, "flags", path)),
        events=several(content.get("events") or []),
        known_by=several(content.get("known_by") or []),
    )


def unit_of(role: str, unit: str, where: str) -> str:
    """Return the unit. Raises RecommenderError where the role has no units, or not this one."""
    if role not in UNITS:
        raise RecommenderError(where, f"{role} has no unit", f"there are units of: {', '.join(UNITS)}")
    if unit not in UNITS[role]:
        raise RecommenderError(where, f"{unit!r} is no unit of a {role}", f"there are: {', '.join(UNITS[role])}")
    return unit


def only(content: Any, known: list[str], where: str) -> None:
    """Raise RecommenderError where the content is no map of these keys."""
    if not isinstance(content, dict):
        raise RecommenderError(where, f"{content!r} describes no layout", f"expected keys: {', '.join(known)}")
    for key in content:
        if key not in known:
            hint = did_you_mean(key, known, repr)
            raise RecommenderError(where, f"{key!r} is no key of a layout", f"{hint}there are: {', '.join(known)}")


def several(value: Any) -> tuple[str, ...]:
    """Return one or several texts."""
    return tuple(map(str, value)) if isinstance(value, list) else (str(value),)


def _map(content: dict[str, Any], key: str, path: Path, right: str) -> dict[Any, Any]:
    found = content.get(key) or {}
    if not isinstance(found, dict):
        raise RecommenderError(f"{path}: {key}", f"{found!r}", f"expected {right}")
    return found


def _separator(word: Any, path: Path) -> str | None:
    try:
        return None if word is None else separator(str(word))
    except ValueError as right:
        raise RecommenderError(f"{path}: sep", f"{word!r} is no separator", f"expected {right}") from None


def _yes_or_no(content: dict[str, Any], key: str, path: Path) -> bool | None:
    value = content.get(key)
    if value is not None and not isinstance(value, bool):
        raise RecommenderError(f"{path}: {key}", f"{value!r}", "expected true or false")
    return value
