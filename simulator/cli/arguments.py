"""The grammar of the command line: `key=value`, lists by comma, `range()`, and a few flags.

Values are read by the same strict YAML reader as the files, so `1e-3` is a number and `on` is a word. Commas and
`range()` make several runs and need `-m`; inside brackets or quotes a comma belongs to the value.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from recommenders import command_line
from recommenders.command_line import WHERE, Arguments
from recommenders.contract.settings import Described
from simulator.config import KNOWN
from simulator.errors import InputError

# Settings that are lists: a comma parts their words, and only between brackets their values: serves=[home],[home,feed].
LISTS = ("serves", "scenario.platform.serves")

FLAGS = {
    "-h": "help",
    "--help": "help",
    "--list": "list",
    "--show": "show",
    "--debug": "debug",
    "-m": "multirun",
    "--multirun": "multirun",
    "--version": "version",
}
COMMANDS = ("doctor", "check", "schema")

_RANGE = re.compile(r"range\(\s*([^()]*?)\s*\)")
_OPENING = {"(": ")", "[": "]", "{": "}"}


def read_arguments(argv: Sequence[str]) -> Arguments:
    """Take the command line apart: without a command, its words are settings.

    Raises:
        InputError: an unknown flag, a word that is neither command nor `key=value`, or a key given twice.

    >>> read_arguments(["scenario=hotel.yaml", "--show"]).pairs
    (('scenario', 'hotel.yaml'),)
    """
    found = command_line.read_arguments(argv, FLAGS, COMMANDS, InputError)
    if found.command is not None:
        return found
    for n, word in enumerate(found.operands):
        if "=" not in word:
            wrong = f"{word!r} is neither key=value nor a command ({', '.join(COMMANDS)})"
            raise InputError(WHERE, wrong, "expected key=value" if n else f"did you mean scenario={word}?")
    pairs = command_line.read_pairs(found.operands, InputError, several="-m ")
    return replace(found, operands=(), pairs=tuple(pairs.items()))


def split_list(text: str) -> list[str]:
    """Split at the commas that stand outside of brackets and quotes.

    Raises:
        InputError: a bracket or quote is not closed.

    >>> split_list("itemknn,pipeline(bpr,rerank),'a,b'")
    ['itemknn', 'pipeline(bpr,rerank)', "'a,b'"]
    """
    parts = [""]
    closing: list[str] = []
    quote = ""
    escaped = False
    for position, sign in enumerate(text):
        if quote:
            ends = sign == quote and not escaped
            escaped = quote == '"' and sign == "\\" and not escaped
            quote = "" if ends else quote
        elif sign in "\"'" and not text[position - 1 : position].isalnum():  # not the apostrophe of a name
            quote = sign
        elif sign in _OPENING:
            closing.append(_OPENING[sign])
        elif closing and sign == closing[-1]:
            closing.pop()
        elif sign == "," and not closing:
            parts.append("")
            continue
        parts[-1] += sign
    if quote or closing:
        raise InputError(
            WHERE, f"{text!r} does not close {quote or closing[-1]}", "close it, or quote it for the shell"
        )
    return [part.strip() for part in parts]


def expand_values(key: str, text: str) -> list[str]:
    """Return all values in a text: the parts of a list, each `range(...)` written out.

    Raises:
        InputError: an empty part, or a range that is none or has no numbers in it.

    >>> expand_values("seed", "range(3),10")
    ['0', '1', '2', '10']
    >>> expand_values("serves", "home,feed"), expand_values("serves", "[home,feed],all")
    (['home,feed'], ['[home,feed]', 'all'])
    """
    if key in LISTS and "[" not in text:
        return [text]
    values: list[str] = []
    for part in split_list(text):
        if not part:
            raise InputError(WHERE, f"{key}={text} has an empty part", "expected values with commas between them")
        match = _RANGE.fullmatch(part)
        values += _range_values(key, part, match[1]) if match else [part]
    twice = sorted({value for value in values if values.count(value) > 1})
    if twice:
        raise InputError(WHERE, f"{key}={text} holds {', '.join(twice)} twice", "give each value once")
    return values


def _range_values(key: str, part: str, inner: str) -> list[str]:
    right = "expected range(stop), range(start,stop) or range(start,stop,step) in whole numbers"
    try:
        bounds = [int(each) for each in inner.split(",")]
        numbers = range(*bounds)
    except (ValueError, TypeError):
        raise InputError(WHERE, f"{key}={part} is no range", right) from None
    if not numbers:
        raise InputError(WHERE, f"{key}={part} holds no number", right)
    if len(numbers) > 100_000:
        raise InputError(WHERE, f"{key}={part} makes {len(numbers)} runs", "expected at most 100000")
    return [str(number) for number in numbers]


def single_settings(pairs: Iterable[tuple[str, str]]) -> list[tuple[str, object]]:
    """Return the settings of one run.

    Raises:
        InputError: a key has several values, or a value cannot be read.
    """
    settings: list[tuple[str, object]] = []
    for key, text in pairs:
        values = expand_values(key, text)
        if len(values) > 1 or _RANGE.fullmatch(text):
            raise InputError(WHERE, f"{key}={text} gives several values", "add -m to run all of them, one run each")
        settings.append((key, read_value(key, text)))
    return settings


def sweep_settings(pairs: Sequence[tuple[str, str]]) -> Iterator[list[tuple[str, object]]]:
    """Return the settings of each run of a sweep: the cross product of all lists; the last key varies fastest.

    Raises:
        InputError: a list is broken or a value cannot be read.
    """
    lists = [[(key, read_value(key, value)) for value in expand_values(key, text)] for key, text in pairs]
    return (list(choice) for choice in itertools.product(*lists))


def read_value(key: str, text: str, known: Mapping[str, Described] = KNOWN) -> object:
    """Read one value as the strict YAML reader sees it; names and paths are taken as they stand.

    Raises:
        InputError: the text is not YAML.
    """
    from simulator.scenario.strict_yaml import parse_value

    if key in known and known[key].is_text and text[0] not in "\"'":
        return text
    return parse_value(text, where=f"{WHERE}: {key}={text}")
