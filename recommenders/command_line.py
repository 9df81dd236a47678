"""What the command lines of all packages share: flags, a command, `key=value` words, and one line for what is wrong.

Exit codes: 0 done, 2 wrong input, 130 stopped by Ctrl-C; others are the commands' own.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from recommenders.contract.names import unknown_name

WHERE = "command line"
EXIT_INPUT, EXIT_STOPPED = 2, 130

Refusal = Callable[[str, str, str], Exception]
"""Makes an error of where something is wrong, what, and what would be right."""


@dataclass(frozen=True)
class Arguments:
    """What was typed, taken apart but not yet judged: meanings of flags, the command, and the words that are neither;
    where these are settings, pairs of a key and the text of its value.
    """

    flags: frozenset[str]
    command: str | None
    operands: tuple[str, ...]
    pairs: tuple[tuple[str, str], ...] = ()


def read_arguments(
    words: Sequence[str], flags: Mapping[str, str], commands: Sequence[str], error: Refusal
) -> Arguments:
    """Take words apart; a command is the first word that is no flag. Raise `error` for an unknown flag."""
    given = [word for word in words if word.startswith("-")]
    for word in given:
        if word not in flags:
            raise error(WHERE, *unknown_name("flag", word, flags))
    rest = [word for word in words if not word.startswith("-")]
    command = rest.pop(0) if rest and rest[0] in commands else None
    return Arguments(frozenset(flags[word] for word in given), command, tuple(rest))


def read_pairs(words: Sequence[str], error: Refusal, several: str = "") -> dict[str, str]:
    """Take `key=value` words apart; raise `error` for other words, and for a key that is given twice.

    `several` is what asks for several values of a key where it stands before it; empty where that cannot be.
    """
    pairs: dict[str, str] = {}
    for word in words:
        key, sign, text = (part.strip() for part in word.partition("="))
        if not sign:
            raise error(WHERE, f"{word!r} is not key=value", "expected settings such as seed=0")
        if not key or not text:
            raise error(WHERE, f"{word!r} is not complete", "expected key=value")
        if key in pairs:
            more = f", or {several}{key}={pairs[key]},{text} for several runs" if several and text != pairs[key] else ""
            raise error(WHERE, f"{key} is given twice", f"give it once{more}")
        pairs[key] = text
    return pairs


def enter(
    argv: Sequence[str] | None, dispatch: Callable[[Sequence[str]], int], refusals: tuple[type[Exception], ...]
) -> int:
    """Run `dispatch` on the words and return its exit code; say refusals in one line, or raise them with `--debug`."""
    words = sys.argv[1:] if argv is None else list(argv)
    warnings.formatwarning = _in_one_line
    try:
        return dispatch(words)
    except refusals as error:
        if "--debug" in words:
            raise
        sys.stderr.write(f"error: {error}\n")
        return EXIT_INPUT
    except KeyboardInterrupt:
        sys.stderr.write("stopped\n")
        return EXIT_STOPPED


def _in_one_line(
    message: Warning | str, category: type[Warning], filename: str, lineno: int, line: str | None = None
) -> str:
    """Return a warning as the command lines say one: users of them have no use for the line of code that it is from."""
    return f"warning: {message}\n"
