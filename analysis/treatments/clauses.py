"""Take a treatment apart: text, a YAML mapping or a YAML file become clauses, one per key."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from recommenders.contract.settings import Described
from simulator.cli.arguments import read_value
from simulator.config import KNOWN
from simulator.errors import InputError
from simulator.scenario.strict_yaml import load_yaml

AS_IT_IS = "as-it-is"
"""A treatment that does nothing: the worlds as they are."""
SHORTHANDS = ("hide", "noise", "features")
WHERE = "treatment"
_JOINED = re.compile(r"\+(?=\s*(?:[A-Za-z_][\w.-]*\s*=|[^+=;]*\.ya?ml\s*(?:\+|$)))")
_FILE = (".yaml", ".yml")
_VALUES: Mapping[str, Described] = {name: each for name, each in KNOWN.items() if name not in SHORTHANDS}


@dataclass(frozen=True)
class Clause:
    """One thing that a treatment does.

    Attributes:
        key: a shorthand, a setting of a run, or a path of the scenario.
        value: what it is given, read as YAML; a text for shorthands. A table is a diff of what is there.
    """

    key: str
    value: object


def read_clauses(given: str | Path | Mapping[str, object]) -> list[Clause]:
    """Return the clauses of a treatment, in their order; none for the worlds as they are.

    Args:
        given: text (`hide=image+serves=home`), a mapping of keys to values, or the path of a YAML file that holds one.

    Raises:
        InputError: a part is neither `key=value` nor a YAML file, or a file is missing or broken.

    >>> read_clauses("hide=image@home+user.leave.base=-3")
    [Clause(key='hide', value='image@home'), Clause(key='user.leave.base', value=-3)]
    """
    return list(_from_mapping(given) if isinstance(given, Mapping) else _from_text(str(given)))


def split_outside(text: str, at: re.Pattern[str]) -> list[str]:
    """Return the parts between matches of a pattern that stand outside of brackets and quotes.

    >>> split_outside("a(x=1;y=2); b", re.compile(";"))
    ['a(x=1;y=2)', 'b']
    """
    parts, begin, depth, quote = [], 0, 0, ""
    for place, sign in enumerate(text):
        if quote:
            quote = "" if sign == quote else quote
        elif sign in "\"'" and not text[place - 1 : place].isalnum():
            quote = sign
        elif sign in "([{":
            depth += 1
        elif sign in ")]}":
            depth -= 1
        elif depth == 0 and at.match(text, place):
            parts.append(text[begin:place])
            begin = place + 1
    return [part.strip() for part in (*parts, text[begin:])]


def _from_text(text: str) -> Iterator[Clause]:
    if text.strip() in ("", AS_IT_IS):
        return
    for part in split_outside(text, _JOINED):
        key, equals, value = (each.strip() for each in part.partition("="))
        if not equals and part.endswith(_FILE):
            yield from _from_mapping(load_yaml(part, part))
        elif not equals or not key or not value:
            right = f"expected key=value parts joined by +, the path of a YAML file, or {AS_IT_IS}"
            raise InputError(WHERE, f"{part!r} is no part of a treatment", right)
        else:
            yield Clause(key, value if key in SHORTHANDS else read_value(key, value, _VALUES))


def _from_mapping(given: Mapping[str, object]) -> Iterator[Clause]:
    for key, value in given.items():
        if key == "features" and isinstance(value, Mapping):
            yield from (Clause(f"features.{name}", how) for name, how in value.items())
        elif key in SHORTHANDS:
            yield from (Clause(key, text) for text in _shorthand_texts(key, value))
        else:
            yield Clause(str(key), value)


def _shorthand_texts(key: str, value: object) -> Iterator[str]:
    """Yield what a mapping gives a shorthand as the text gives it: one text, or several by a mapping."""
    if isinstance(value, Mapping):
        sign = ":" if key == "noise" else "@"
        for name, each in value.items():
            yield f"{name}{sign}{','.join(map(str, each)) if isinstance(each, list) else each}"
    elif isinstance(value, list):
        yield ",".join(map(str, value))
    elif isinstance(value, str):
        yield value
    else:
        raise InputError(WHERE, f"{key} = {value}", "expected a text, a list of names, or a table")
