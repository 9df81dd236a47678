"""The vocabulary of events, and the codes under which they are stored."""

from __future__ import annotations

from collections.abc import Iterable

EVENTS: tuple[str, ...] = (
    "impression",
    "open",
    "skip",
    "complete",
    "seek",
    "like",
    "comment",
    "share",
    "follow",
    "profile_visit",
    "hate",
    "hesitate",
    "reject",
    "tolerate",
    "unattended",
    "leave",
)
"""Events that every scenario shares; a code is an index, and an index, once used, keeps its meaning."""

MOST_EVENTS = 64


CODE: dict[str, int] = {name: code for code, name in enumerate(EVENTS)}


def vocabulary(own: Iterable[str]) -> tuple[str, ...]:
    """Return all events of a scenario in the order of their codes: those that all share, then its own.

    >>> vocabulary(["like", "order"])[-2:]
    ('leave', 'order')
    """
    return (*EVENTS, *(name for name in dict.fromkeys(own) if name not in CODE))
