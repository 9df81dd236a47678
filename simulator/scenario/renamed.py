"""Keys that scenario files had before: read as the new ones for one version, with a line that names the new one."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

from simulator.errors import InputError

# Where a key was (a star stands for any name), and what it is called now.
_RENAMED: dict[tuple[str, ...], str] = {
    tuple(path.split(".")): name
    for path, name in {
        "item_types.*.reads": "precisions",
        "item_types.*.remembered.told_by": "revealed_by",
        "parents.*.reads": "precisions",
        "parents.*.remembered.told_by": "revealed_by",
        "parents.*.repetition.told_by": "revealed_by",
        "stages.*.level": "shows_parents",
        "stages.*.within": "children_of",
        "stages.*.rest_of": "queue_of",
        "stages.*.next.aside": "detour",
        "stages.*.wait.aside": "detour",
        "stages.*.starts.aside": "detour",
        "stages.*.events.aside": "detour",
        "browse.*.picks.further": "outside_option",
        "inspect.*.bar": "threshold",
        "inspect.*.acts.*.aside": "detour",
        "respond.*.acts.*.aside": "detour",
        "commit.*.bar": "threshold",
        "choosers.*.bar": "threshold",
        "choosers.*.picks": "shortlist",
        "choosers.*.room": "capacity_of",
    }.items()
}


def renamed_content(content: dict[str, Any], shown: str) -> dict[str, Any]:
    """Return the content of a scenario file with old keys under their new names, and warn of each kind of key once.

    Raises:
        InputError: a key is there under both names.
    """
    said: dict[str, str] = {}
    found = _renamed(content, list(_RENAMED.items()), (), shown, said)
    for old, new in said.items():
        _warn(f"{shown}: {old}: the key is called {new} now; the old name is read for this version only")
    assert isinstance(found, dict)
    return found


def renamed_path(path: str) -> str:
    """Return a path of keys, joined with dots, in which old keys have their new names; warn where there is one."""
    keys = path.split(".")
    for old, new in _RENAMED.items():
        if len(keys) >= len(old) and all(a in ("*", b) for a, b in zip(old, keys, strict=False)):
            changed = ".".join([*keys[: len(old) - 1], new, *keys[len(old) :]])
            _warn(f"scenario.{path} is scenario.{changed} now; the old name is read for this version only")
            return changed
    return path


def _renamed(
    place: Any, rules: list[tuple[tuple[str, ...], str]], above: tuple[str, ...], shown: str, said: dict[str, str]
) -> Any:
    """Return a copy of a place in the file; `rules` are what is renamed below it, by the keys that lead there."""
    if not rules or not isinstance(place, Mapping):
        return place
    here = {path[0]: new for path, new in rules if len(path) == 1}
    copy: dict[Any, Any] = {}
    for key, under in place.items():
        new = here.get(str(key))
        if new is not None and new in place:
            raise InputError(
                shown, f"{'.'.join((*above, str(key)))} and {new}", f"{new} is the new name: keep that one"
            )
        if new is not None:
            said.setdefault(".".join((*above, str(key))), new)
        below = [(path[1:], name) for path, name in rules if len(path) > 1 and path[0] in ("*", str(key))]
        copy[key if new is None else new] = _renamed(under, below, (*above, str(key)), shown, said)
    return copy


def _warn(text: str) -> None:
    warnings.warn(text, FutureWarning, stacklevel=3)
