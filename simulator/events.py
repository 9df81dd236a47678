"""The closed vocabulary of events, and the codes under which they are stored."""

from __future__ import annotations

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
"""Events that the engine emits; a code is an index, and an index, once used, keeps its meaning."""

CODE: dict[str, int] = {name: code for code, name in enumerate(EVENTS)}
