"""Values typed as words."""

from __future__ import annotations

from typing import Any

_NAMED = {"true": True, "false": False, "null": None}


def read_value(text: str) -> Any:
    """Read a value as it is meant: a number, true, false, null, or the words themselves.

    >>> read_value("3"), read_value("1e-3"), read_value("true"), read_value("null"), read_value("cosine")
    (3, 0.001, True, None, 'cosine')
    """
    if text in _NAMED:
        return _NAMED[text]
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def typed(value: Any) -> str:
    """Write a value as it is typed: the inverse of :func:`read_value`.

    >>> typed(True), typed(None), typed(0.5), typed("cosine")
    ('true', 'null', '0.5', 'cosine')
    """
    for text, named in _NAMED.items():
        if value is named:
            return text
    return str(value)
