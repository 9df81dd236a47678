"""Scenario files gone wrong: legal types with absurd sizes, and tables and lists that lost, repeat or gained members.

Mutant n is a function of n alone, so that whatever one of them does can be looked at again.
"""

from __future__ import annotations

import json
import math
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from simulator.scenario.load import available_scenarios, load_scenario
from simulator.scenario.strict_yaml import load_yaml

NUMBERS: tuple[Any, ...] = (
    math.nan, math.inf, -math.inf, 1e308, -1e308, 1e30, -1e30, 1e15, 1e12, 1e9, 1e6, 1e5, 1e4, 1e3, 100, 10, 2, 1, 0.5,
    0, -0.0, -1, 1e-3, 1e-6, 1e-9, 1e-12, 1e-30, 5e-324, 255, 256, 65535, 65536, 2**31 - 1, 2**31, 2**32 - 1, 2**32,
    2**53, 2**63 - 1, 2**63, 2**64, 10**39,
)  # fmt: skip
FACTORS = (-1.0, 0.001, 0.01, 0.1, 0.5, 2.0, 10.0, 100.0, 1e3, 1e6)
WORDS = ("", "x", "a" * 300, "exit", "gone", "Ä", "none", "s", "ms", "d", "share", "utility", "1/s", "eur", "ratio")
PROVENANCE = ("from", "see", "why", "title", "summary")
SETTINGS: dict[str, tuple[Any, ...]] = {
    "users": (0, 1, 2, -1, 1e12, 1e30, 2**32 - 2, 2**32, 2**63, 0.5, ".nan", ".inf"),
    "items": (0, 1, 2, 3, -1, 1e12, 2**31 - 2, 2**31, 2**63, 1e30, ".inf"),
    "horizon": ("0", "1e9d", "36501d", "1ms", "3d", "1e-300s", "1s", "90min", "-1h", ".nan", "1e400d"),
    "seed": (0, -1, 2**63 - 1, 2**63, 2**64, 1e30, 0.5),
    "threads": (0, 1, 3, 64, 256, 257, 2**31, 2**63),
    "window": (0, 1, 7, 4096, 2**63),
    "batch": (0, 1, 2, 2**31 - 2, 2**31, 2**63),
    "first_fit": ("-1h", "0", "1ms", "36500d", "1e9d", "7h", ".inf"),
    "refit": ("-1h", "0", "1ms", "1s", "36500d", "7h", ".nan"),
    "checkpoint": ("0", "-6h", "1ms", "36500d", "1e9d", "6h"),
    "log": ("full", "platform", "metrics", "none"),
}


@dataclass(frozen=True)
class Mutant:
    """A scenario's content after changes, which `changes` tells, and absurd settings of a run, a third of the time."""

    scenario: str
    content: dict[str, Any]
    sources: dict[str, str]
    changes: tuple[str, ...]
    settings: dict[str, Any]


@cache
def _original(name: str) -> tuple[str, dict[str, str]]:
    scenario = load_scenario(name)
    assert scenario.path is not None
    return json.dumps(load_yaml(scenario.path)), scenario.sources


def mutant(number: int) -> Mutant:
    """Return mutant `number`: one, two or three changes, whatever becomes of them."""
    luck = random.Random(f"mutant {number}")
    names = available_scenarios()
    name = names[number % len(names)]
    text, sources = _original(name)
    content = json.loads(text)
    changes = tuple(_spoil(content, luck) for _ in range(luck.choice((1, 1, 1, 1, 2, 3))))
    return Mutant(name, content, sources, changes, {})


def accepted_mutant(number: int, accepts: Callable[[Mutant], bool]) -> Mutant:
    """Return mutant `number` of those that `accepts` lets pass: changes upon changes, each of which it let pass."""
    luck = random.Random(f"accepted {number}")
    names = available_scenarios()
    name = names[number % len(names)]
    text, sources = _original(name)
    wanted, tries = luck.choice((1, 1, 1, 2, 3, 5, 8)), 60
    found = Mutant(name, json.loads(text), sources, (), _settings(luck))
    while len(found.changes) < wanted and tries:
        tries -= 1
        content = json.loads(text)
        change = _spoil(content, luck)
        candidate = replace(found, content=content, changes=(*found.changes, change))
        if accepts(candidate):
            found, text = candidate, json.dumps(content)
    return found


def _settings(luck: random.Random) -> dict[str, Any]:
    if luck.random() >= 0.3:
        return {}
    return {key: luck.choice(SETTINGS[key]) for key in luck.sample(list(SETTINGS), luck.choice((1, 1, 2)))}


def _places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of every table, list and leaf below a value."""
    keys = value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in keys:
        yield (*path, key)
        yield from _places(value[key], (*path, key))


def _spoil(content: dict[str, Any], luck: random.Random) -> str:
    """Change one thing in place, and say what was done."""
    places = list(_places(content))
    numbers = [path for path in places if _number(_at(content, path))]
    path = luck.choice(numbers) if luck.random() < 0.65 else luck.choice(places)
    if path[-1] in PROVENANCE and luck.random() < 0.9:
        path = luck.choice(numbers)
    holder, key = _at(content, path[:-1]), path[-1]
    old = holder[key]
    where = ".".join(map(str, path))
    if luck.random() < 0.05:
        del holder[key]
        return f"{where} taken away"
    if _number(old):
        new = luck.choice(NUMBERS) if luck.random() < 0.75 or not old else old * luck.choice(FACTORS)
        if isinstance(old, int) and isinstance(new, float) and math.isfinite(new) and luck.random() < 0.8:
            new = int(new)  # of the type that is wanted
        holder[key] = new
    elif isinstance(old, list):
        _spoil_list(old, luck)
    elif isinstance(old, dict):
        _spoil_table(old, luck)
    elif isinstance(old, bool):
        holder[key] = luck.choice((not old, 1, "on", None))
    else:
        words = [*WORDS, *(each for each in (_at(content, p) for p in places) if isinstance(each, str))]
        holder[key] = luck.choice((*(luck.choice(words) for _ in range(4)), None, 1e30, []))
    return f"{where} = {str(holder[key])[:60]}"


def _spoil_list(old: list[Any], luck: random.Random) -> None:
    how = luck.choice(("remove", "double", "many", "reverse", "empty"))
    if how == "empty" or not old:
        old.clear()
    elif how == "remove":
        del old[luck.randrange(len(old))]
    elif how == "reverse":
        old.reverse()
    else:
        old.extend(json.loads(json.dumps([luck.choice(old)] * (1 if how == "double" else 300))))


def _spoil_table(old: dict[str, Any], luck: random.Random) -> None:
    how = luck.choice(("remove", "rename", "more", "many", "empty"))
    if how == "empty" or not old:
        old.clear()
        return
    key = luck.choice(list(old))
    if how == "remove":
        del old[key]
    elif how == "rename":
        old[luck.choice(WORDS)] = old.pop(key)
    else:
        for k in range(1 if how == "more" else luck.choice((8, 40, 140, 300))):
            old[f"{key}_{k}"] = json.loads(json.dumps(old[key]))


def _at(value: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        value = value[key]
    return value


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
