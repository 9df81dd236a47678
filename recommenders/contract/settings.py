"""Typed settings of everything that has any: each a documented field of a frozen dataclass, refused where it is wrong.

    @dataclass(frozen=True)
    class MySettings(Settings):
        neighbors: int = setting(100, "neighbours kept per item", low=1, search=Range(5, 1000, log=True))

A field's type is one of bool, int, float, str, a ``Literal`` of words, or one of these or None. What other types need
to be, a reader of the field says (``whole_number``, ``one_of``, or one's own).
"""

from __future__ import annotations

import dataclasses
import inspect
import math
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from recommenders.contract.errors import RecommenderError
from recommenders.contract.names import did_you_mean

S = TypeVar("S", bound="Settings")
Reader = Callable[[Any], Any]
"""Returns the value that is meant; raises ValueError with what would be right."""
Wrong = Callable[[str, Any, str], Exception]
"""Makes an error of a setting's name, its value, and what would be right."""


@dataclass(frozen=True)
class Range:
    """A range of numbers to search in, both ends included; ``log``: evenly over the logarithm."""

    low: float
    high: float
    log: bool = False

    def at(self, place: float) -> float:
        """Return the value at a place of [0, 1).

        >>> round(Range(1, 100, log=True).at(0.5), 6)
        10.0
        """
        if not self.log:
            return self.low + place * (self.high - self.low)
        return float(math.exp(math.log(self.low) + place * (math.log(self.high) - math.log(self.low))))


@dataclass(frozen=True)
class Choice:
    """A few values to search among."""

    values: tuple[Any, ...]

    def at(self, place: float) -> Any:
        """Return the value at a place of [0, 1).

        >>> Choice((True, False)).at(0.7)
        False
        """
        return self.values[min(int(place * len(self.values)), len(self.values) - 1)]


def setting(
    default: Any = dataclasses.MISSING,
    meaning: str = "",
    *,
    low: float | None = None,
    high: float | None = None,
    search: Range | Choice | None = None,
    read: Reader | None = None,
) -> Any:
    """Declare a field of settings: default (none: it must be given), meaning, bounds, where a search may look, reader.

    A reader stands in place of type and bounds.
    """
    return field(
        default=default, metadata={"meaning": meaning, "low": low, "high": high, "search": search, "read": read}
    )


def whole_number(low: int, high: float = math.inf) -> Reader:
    """Return a reader of whole numbers; 1e6 is a float to YAML and a whole number to whoever wrote it."""

    def read(value: Any) -> int:
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            too_high = isinstance(value, int) and value > high
            raise ValueError(f"a whole number of at least {low}" + (f" and at most {high}" if too_high else ""))
        return value

    return read


def number(value: Any) -> float:
    """Return a finite number as a float. Raises ValueError for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError("a number")
    return float(value)


def yes_or_no(value: Any) -> bool:
    """Return whether yes or true is said. Raises ValueError for anything but yes, no, true and false."""
    known = {"yes": True, "no": False, "True": True, "False": False}
    if str(value) not in known:
        raise ValueError("yes or no")
    return known[str(value)]


def one_of(*words: str) -> Reader:
    """Return a reader of a few words."""

    def read(value: Any) -> Any:
        if value not in words:
            raise ValueError(f"one of {', '.join(words)}")
        return value

    return read


@dataclass(frozen=True)
class Described:
    """One setting, for listings and for searches."""

    name: str
    kind: Any
    default: Any
    required: bool
    meaning: str = ""
    low: float | None = None
    high: float | None = None
    search: Range | Choice | None = None
    read: Reader | None = None

    def __str__(self) -> str:
        text = f"{self.name}: {type_name(self.kind)}"
        return text if self.required else f"{text} = {self.default!r}"

    @property
    def is_text(self) -> bool:
        """Return whether it takes text as it stands (a name, a path, a list), so that `output=2024` is a folder."""
        return not {str, Path, tuple}.isdisjoint({self.kind, typing.get_origin(self.kind), *typing.get_args(self.kind)})

    def checked(self, value: Any) -> Any:
        """Return the value as its reader has it, or as a float where one is wanted.

        Raises:
            ValueError: it is of the wrong type, not finite, or out of bounds; with what would be right.
        """
        if value is None and fits(None, self.kind):
            return None
        if self.read is not None:
            return self.read(value)
        if not fits(value, self.kind):
            raise ValueError(type_name(self.kind))
        if isinstance(value, float | int) and not isinstance(value, bool):
            low, high = self.low, self.high
            if not math.isfinite(value) or (low is not None and value < low) or (high is not None and value > high):
                parts = [
                    f"{name} {bound:g}" for name, bound in (("at least", low), ("at most", high)) if bound is not None
                ]
                raise ValueError(" and ".join(parts) or "a finite number")
        return float(value) if self.kind is float else value


@dataclass(frozen=True)
class Settings:
    """Base of all settings; alone, it has none."""

    @classmethod
    def described(cls) -> dict[str, Described]:
        """Describe the settings by name, in order."""
        hints = typing.get_type_hints(cls)
        return {
            each.name: Described(
                each.name, hints[each.name], each.default, each.default is dataclasses.MISSING, **dict(each.metadata)
            )
            for each in dataclasses.fields(cls)
        }

    @classmethod
    def read(cls: type[S], given: Mapping[str, Any], where: str) -> S:
        """Read settings from these values, with defaults for the rest.

        Raises:
            RecommenderError: one is unknown (with the nearest match), missing, of the wrong type or out of bounds.
        """
        return cls(**read(cls.described(), given, where))

    def values(self) -> dict[str, Any]:
        """Return all values by name."""
        return {each.name: getattr(self, each.name) for each in dataclasses.fields(self)}


def read(known: Mapping[str, Described], given: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Return the given values, each checked; settings that are not given are left out.

    Raises:
        RecommenderError: one is unknown (with the nearest match), missing, of the wrong type or out of bounds.
    """
    takes = ", ".join(str(each) for each in known.values()) or "none"
    for name in given:
        if name not in known:
            hint = did_you_mean(name, known, repr)
            raise RecommenderError(f"{where}.{name}", "is no parameter of it", f"{hint}it takes: {takes}")
    for name, each in known.items():
        if each.required and name not in given:
            raise RecommenderError(f"{where}.{name}", "is missing", f"it takes: {takes}")

    def wrong(name: str, value: Any, right: str) -> RecommenderError:
        return RecommenderError(f"{where}.{name}", f"is {value!r}", f"expected {right}")

    return checked(known, given, wrong)


def wrong_setting(error: Callable[[str, str, str], Exception], where: str) -> Wrong:
    """Return what makes such an error of a setting's name, its value, and what would be right."""
    return lambda name, value, right: error(where, f"{name} = {value}", f"expected {right}")


def checked(known: Mapping[str, Described], given: Mapping[str, Any], wrong: Wrong) -> dict[str, Any]:
    """Return the given values as their settings have them; raise what `wrong` makes of one that is not right."""
    values: dict[str, Any] = {}
    for name, value in given.items():
        try:
            values[name] = known[name].checked(value)
        except ValueError as right:
            raise wrong(name, value, str(right)) from None
    return values


def type_name(hint: Any) -> str:
    """Return a type as users know it.

    >>> type_name(int), type_name(str | None), type_name(typing.Literal["a", "b"])
    ('int', 'str | None', "'a' or 'b'")
    """
    if typing.get_origin(hint) is typing.Literal:
        return " or ".join(repr(each) for each in typing.get_args(hint))
    return hint.__name__ if inspect.isclass(hint) and not typing.get_args(hint) else str(hint).replace("typing.", "")


def fits(value: Any, hint: Any) -> bool:
    """Return whether a value from a command line or a YAML file fits a type; other types than these are not checked."""
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return any(fits(value, one) for one in inner)
    if origin is typing.Literal:
        return any(value == one and isinstance(value, bool) == isinstance(one, bool) for one in inner)
    if hint is type(None):
        return value is None
    if hint is bool or isinstance(value, bool):
        return isinstance(value, bool) and hint in (bool, Any, object)
    if hint is float:
        return isinstance(value, int | float)
    if hint in (int, str):
        return isinstance(value, hint)
    if origin in (list, tuple):
        return isinstance(value, list | tuple)
    return True
