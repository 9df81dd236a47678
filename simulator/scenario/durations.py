"""Durations as people write them: `14d`, `6h`, `30min`, `45s`, `250ms`, or a number of seconds."""

from __future__ import annotations

import math
import re

HOUR, DAY = 3600.0, 86400.0
SECONDS = {"ms": 0.001, "s": 1.0, "min": 60.0, "h": HOUR, "d": DAY}

_DURATION = re.compile(r"\s*([+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)\s*(ms|s|min|h|d)?\s*")


def parse_duration(value: object) -> float:
    """Return the seconds in a duration: a number of seconds or a text with one of the units ms, s, min, h, d.

    The sign is kept: whether zero or less makes sense is for the caller to say.

    Raises:
        ValueError: the value is no duration.

    >>> parse_duration("14d"), parse_duration("1.5 h"), parse_duration(90)
    (1209600.0, 5400.0, 90.0)
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError(f"{value!r} is no duration")
    if isinstance(value, str):
        match = _DURATION.fullmatch(value)
        if match is None:
            raise ValueError(f"{value!r} is no duration")
        seconds = float(match[1]) * SECONDS[match[2] or "s"]
    else:
        seconds = float(value)
    if not math.isfinite(seconds):
        raise ValueError(f"{value!r} is no duration")
    return seconds


def duration_text(seconds: float) -> str:
    """Return a duration in at most two units, rounded to a minute from one hour on.

    >>> duration_text(172800), duration_text(97500), duration_text(83.2), duration_text(0)
    ('2d', '1d 3h', '1min 23s', '0s')
    """
    if seconds < 3599.5:
        minutes, rest = divmod(round(seconds), 60)
        return f"{minutes}min {rest}s" if minutes and rest else f"{minutes}min" if minutes else f"{rest}s"
    hours, minutes = divmod(round(seconds / 60), 60)
    days, hours = divmod(hours, 24)
    parts = [(days, "d"), (hours, "h"), (minutes, "min")]
    while parts[0][0] == 0:
        parts.pop(0)
    return " ".join(f"{count}{unit}" for count, unit in parts[:2] if count)


def exact_duration(seconds: float) -> str:
    """Return a duration that `parse_duration` reads back to exactly the same number.

    >>> exact_duration(172800.0), exact_duration(21600.0), exact_duration(0.1)
    ('2d', '6h', '0.1s')
    """
    for unit in ("d", "h", "min", "s"):
        text = f"{seconds / SECONDS[unit]:.0f}{unit}"
        if seconds != 0 and abs(seconds) < 1e15 and parse_duration(text) == seconds:
            return text
    return f"{seconds!r}s"
