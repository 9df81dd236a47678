"""What may have been meant by a name that nobody knows: the one guess behind every message of the project."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable


def nearest(name: object, known: Iterable[str]) -> str | None:
    """Return the known name that looks most like `name`, whatever its case, or None where none comes near.

    >>> nearest("usrs", ["users", "items"])
    'users'
    """
    there = {each.lower(): each for each in known}
    found = difflib.get_close_matches(str(name).lower(), there, n=1)
    return there[found[0]] if found else None


def did_you_mean(name: object, known: Iterable[str], shown: Callable[[str], str] = str) -> str:
    """Return the guess as a sentence that another may follow, or nothing.

    >>> did_you_mean("usrs", ["users", "items"]), did_you_mean("usrs", ["users"], repr), did_you_mean("x", ["users"])
    ('did you mean users? ', "did you mean 'users'? ", '')
    """
    found = nearest(name, known)
    return "" if found is None else f"did you mean {shown(found)}? "


def unknown_name(what: str, name: str, known: Iterable[str]) -> tuple[str, str]:
    """Return the two halves of an error about an unknown name: what is wrong, and what there is."""
    known = list(known)
    return f"unknown {what} {name!r}", f"{did_you_mean(name, known)}There are: {', '.join(known)}"
