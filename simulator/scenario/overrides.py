"""A scenario with some of its numbers changed: how one world is made to differ from another in one thing.

A change names a place in the file by its keys, joined with dots, and a value:
``resources.couriers.capacity = 4``, ``user.return_after.median = 3``, ``measures.0 = visits``. A number that was
written with unit and provenance keeps its unit; it is an estimate from then on, whatever it rested on before.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from simulator.errors import InputError
from simulator.scenario.messages import nearest, shown_value

WHY = "changed for this run"


def with_changes(content: dict[str, Any], changes: Mapping[str, object], shown: str) -> dict[str, Any]:
    """Return the content of a scenario file with ``changes`` made, in their order; what was given stays as it was.

    A value of None takes the key away.

    Raises:
        InputError: a path leads nowhere. Whether a value is right is for the schema to say.
    """
    for path, value in changes.items():
        content = _changed(content, path.split("."), value, shown, path)
    return content


def _changed(place: Any, keys: list[str], value: object, shown: str, path: str) -> Any:
    """Return a copy of ``place`` with the value at ``keys`` below it; everything beside the path is shared."""
    key, rest = keys[0], keys[1:]
    if isinstance(place, list):
        if not key.isdigit() or int(key) >= len(place):
            raise InputError(shown, f"{path}: no place {key!r} in a list of {len(place)}", f"0 to {len(place) - 1}")
        at = int(key)
        return [*place[:at], _new(place[at], rest, value, shown, path), *place[at + 1 :]]
    if not isinstance(place, dict):
        raise InputError(shown, f"{path}: there is nothing below {shown_value(place)}", "a shorter path")
    named = {str(each): each for each in place}
    if key not in named:
        if rest:
            raise InputError(shown, f"{path}: no key {key!r}", nearest(key, list(named)))
        copy = {**place, key: value}
    elif value is None and not rest:
        copy = {each: under for each, under in place.items() if str(each) != key}
    else:
        copy = {**place, named[key]: _new(place[named[key]], rest, value, shown, path)}
    return _as_estimate(copy) if "from" in copy else copy


def _new(there: Any, rest: list[str], value: object, shown: str, path: str) -> Any:
    if rest:
        return _changed(there, rest, value, shown, path)
    if isinstance(there, dict) and not isinstance(value, dict):
        if "value" not in there or "from" not in there:
            right = f"a key below it: {', '.join(map(str, there))}"
            raise InputError(shown, f"{path} = {shown_value(value)}: a table is there, not a number", right)
        return _as_estimate({**there, "value": value})
    return value


def _as_estimate(number: dict[str, Any]) -> dict[str, Any]:
    """Mark a number that was changed as an estimate: it rests on nothing but whoever changed it."""
    return {**{key: under for key, under in number.items() if key != "see"}, "from": "estimate", "why": WHY}
