"""Units of times and durations, by the words that name them."""

from __future__ import annotations

WORDS = {
    "s": "seconds", "ms": "milliseconds", "us": "microseconds", "ns": "nanoseconds",
    "min": "minutes", "h": "hours", "d": "days",
}  # fmt: skip
"""Units of numbers, and what they are called."""
DATE_ORDERS = ("day-first", "month-first")
"""Orders of dates such as 3/1/2019."""
UNITS = {"time": (*WORDS, *DATE_ORDERS), "duration": tuple(WORDS)}
"""Units that may be named, by role."""
