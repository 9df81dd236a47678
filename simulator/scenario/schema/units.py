"""Units of a scenario's numbers: which there are, what range they allow, and how they convert to SI.

A unit is a word of the closed lists below, or a ratio of two such words, each possibly squared (``1/s``,
``goodwill/utility``, ``1/utility^2``). What users share may be given per ``user``, or per ``1000 users``. Time is
converted to seconds, also inside a ratio (``1/h`` becomes 1/s); nothing else is. An unknown unit is an error:
``15 mins`` must not silently mean 15 seconds.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from functools import cache

from recommenders.contract.names import nearest
from simulator.scenario.durations import SECONDS
from simulator.scenario.limits import LEAST, MOST, MOST_OF

_TIME_NOUNS = {"ms": "milliseconds", "s": "seconds", "min": "minutes", "h": "hours", "d": "days"}

_UNIT_INTERVAL = ("share", "probability")
_SIGNED = ("utility", "goodwill", "log-odds", "exponent")
_POSITIVE = ("ratio", "relative", "km", "eur", "usd", "stars")
COUNTS = (
    "items", "clusters", "creators", "cards", "articles", "orders", "dishes", "units", "servers", "couriers", "cases",
    "openings", "applicants", "applications", "visits", "slots", "people", "episodes", "tracks", "skips", "zones",
)  # fmt: skip
_SINGULAR = ("1", "item", "user", "creator", "order", "visit", "card", "case", "opening", "session", "cluster", "play")

_WORDS = (*SECONDS, *_UNIT_INTERVAL, "correlation", *_SIGNED, *_POSITIVE, *COUNTS)
PER_USER = "/user"
"""End of the canonical unit of what there is so much of for every user."""

_THOUSAND = "/1000 users"
_PART = re.compile(r"^(?P<word>[a-z1-]+)(?P<square>\^2)?$")


@dataclass(frozen=True)
class Unit:
    """A unit as written, its size in SI, the range it allows (as written), and how a sentence calls it."""

    text: str
    canonical: str  # the same with every unit of time as s: units of one dimension have one canonical form
    factor: float
    low: float
    high: float
    noun: str

    @property
    def most(self) -> float:
        """Return the largest number of this unit, in SI and without its sign."""
        return MOST_OF.get(self.canonical, MOST)

    @property
    def least(self) -> float:
        """Return the smallest number of this unit that is not 0, in SI and without its sign; shares may be as small."""
        return 0.0 if self.high == 1.0 else LEAST

    def allows(self, value: float) -> bool:
        """Return whether a value, as written, lies in the unit's range and within its limits."""
        size = abs(value) * self.factor
        return self.low <= value <= self.high and (size == 0.0 or self.least <= size <= self.most)

    def expected_of(self, value: float) -> str:
        """Return what would be right in place of a value that is not allowed, in words."""
        if not self.low <= value <= self.high:
            return self.expected
        if abs(value) * self.factor > self.most:
            return f"expected at most {self.most / self.factor:.10g} {self.text}{', or as much below 0' * (value < 0)}"
        return f"expected 0, or at least {LEAST / self.factor:.3g} {self.text}"

    @property
    def expected(self) -> str:
        """Return what a value in this unit has to be, in words."""
        if (self.low, self.high) == (-math.inf, math.inf):
            return f"expected a number of {self.noun}"
        if self.high == math.inf:
            return f"expected a number of {self.noun} that is not negative"
        return f"expected a {self.noun} between {self.low:g} and {self.high:g}"


@cache
def parse_unit(text: str) -> Unit:
    """Return the unit that ``text`` names. Raises ValueError, with the nearest known unit, if there is none."""
    if text in _UNIT_INTERVAL:
        return Unit(text, text, 1.0, 0.0, 1.0, text)
    if text == "correlation":
        return Unit(text, text, 1.0, -1.0, 1.0, text)
    if text.endswith(_THOUSAND):
        each = parse_unit(text.removesuffix(_THOUSAND) + PER_USER)
        return replace(each, text=text, factor=each.factor / 1000.0, noun=text)
    over, _, under = text.partition("/")
    if not over or text.endswith("/") or text == "1":
        raise ValueError(f"expected a unit such as {', '.join(_WORDS[:8])}")
    factor, signed, canonical = 1.0, False, ""
    for part, sign in ((over, 1), (under, -1)):
        if not part:
            continue
        match = _PART.match(part)
        if match is None or match["word"] not in (*_WORDS, *_SINGULAR):
            known = nearest(part, _WORDS) or f"one of {', '.join(_WORDS)} or a ratio of two"
            raise ValueError(f"expected {known}")
        word, power = match["word"], 2 if match["square"] else 1
        factor *= SECONDS.get(word, 1.0) ** (sign * power)
        signed = signed or (word in _SIGNED and power == 1)
        canonical += ("/" if sign < 0 else "") + ("s" if word in SECONDS else word) + (match["square"] or "")
    return Unit(text, canonical, factor, -math.inf if signed else 0.0, math.inf, _TIME_NOUNS.get(text, text))
