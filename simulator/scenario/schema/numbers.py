"""Numbers of the world, with unit and provenance: the building stones of the schema.

Every number that claims something about the world is a ``Claim``: a ``Number``, a ``Profile`` or a ``Distribution``
(in its own module). Values are checked as written and then kept in SI (seconds for every time); ``unit`` stays as
written. Plain numbers are settings.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Strict,
    model_validator,
)
from pydantic_core import PydanticCustomError

from recommenders.contract.names import did_you_mean
from simulator.scenario.durations import DAY, parse_duration
from simulator.scenario.limits import CENTURY, ENTRIES, MOST_OF, NAME, SHORTEST, WEIGHT, WHOLE
from simulator.scenario.schema.units import Unit, parse_unit

_SHOWN = {"minimum": -1000.0 * MOST_OF["s"], "maximum": 1000.0 * MOST_OF["s"]}  # the longest time, in milliseconds
Real = Annotated[float, Strict(), Field(allow_inf_nan=False, json_schema_extra=_SHOWN)]
Count = Annotated[int, Strict(), Field(gt=0, le=WHOLE)]
CountOrZero = Annotated[int, Strict(), Field(ge=0, le=WHOLE)]
Flag = Annotated[bool, Strict()]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=NAME)]
Provenance = Literal["sourced", "calibrated", "estimate"]


def problem(key: str, value: object, right: str) -> PydanticCustomError:
    """Return an error at ``key`` of the model under validation ("": the model itself); ``right`` is expected."""
    return PydanticCustomError("scenario", "{right}", {"key": key, "value": value, "right": right})


T = TypeVar("T")


def _each_once(names: list[T]) -> list[T]:
    twice = next((name for place, name in enumerate(names) if name in names[:place]), None)
    if twice is not None:
        raise problem("", names, f"expected every name once; {twice} is repeated")
    return names


Names = Annotated[
    list[Name], Field(max_length=ENTRIES, json_schema_extra={"uniqueItems": True}), AfterValidator(_each_once)
]
"""A list of names, each once."""


def _duration_setting(value: object) -> float:
    right = "expected a duration such as 14d, 6h, 30min or 45s, or a number of seconds, above zero"
    try:
        seconds = parse_duration(value)
    except ValueError as error:
        raise problem("", value, right) from error
    if seconds <= 0:
        raise problem("", value, right)
    if not SHORTEST <= seconds <= CENTURY:
        raise problem("", value, f"expected at least 1/{1 / SHORTEST:g} s and at most {CENTURY / DAY:g}d")
    return seconds


DurationSetting = Annotated[float, BeforeValidator(_duration_setting, json_schema_input_type=str | float)]


class Model(BaseModel):
    """Base of all sections: immutable, unknown keys are errors that name the nearest known one."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _known_keys(cls, data: Any) -> Any:
        if isinstance(data, dict):
            known = [field.alias or name for name, field in cls.model_fields.items()]
            for key in data:
                if key not in known:
                    hint = did_you_mean(key, known).rstrip() or f"expected only {', '.join(known)}"
                    raise problem(str(key), ..., f"unknown key; {hint}")
        return data


def by_kind(key: str, tags: dict[str, str], default: str | None = None) -> Discriminator:
    """Choose between models by the value of ``key``: ``tags`` says which tag a value means.

    Tags are written in angle brackets, which is how error reports tell them from keys of the file.
    """

    def tag(value: Any) -> str | None:
        kind = value.get(key, default) if isinstance(value, dict) else getattr(value, key, None)
        return tags.get(kind) if isinstance(kind, str) else None

    context: dict[str, Any] = {"key": key, "right": f"expected one of {', '.join(tags)}"}
    return Discriminator(
        tag, custom_error_type="scenario", custom_error_message="{right}", custom_error_context=context
    )


class Claim(Model):
    """What every number of the world carries: its unit and where it comes from."""

    unit: str
    provenance: Provenance = Field(alias="from")
    see: str | None = None
    why: str | None = None

    def _checked_unit(self) -> Unit:
        """Return the parsed unit, after checking that provenance and ``see`` fit together."""
        if self.provenance != "estimate" and self.see is None:
            what = "a key of the sources file" if self.provenance == "sourced" else "the name of a target with role fit"
            raise problem("see", None, f"a number that is {self.provenance} needs {what}")
        try:
            return parse_unit(self.unit)
        except ValueError as error:
            raise problem("unit", self.unit, str(error)) from error

    @property
    def canonical_unit(self) -> str:
        """Return the unit of the stored values: as written, with every time in seconds."""
        return parse_unit(self.unit).canonical


class Number(Claim):
    """One number of the world. ``value`` is in SI."""

    value: Real

    @model_validator(mode="after")
    def _check_and_convert(self) -> Self:
        unit = self._checked_unit()
        if not unit.allows(self.value):
            raise problem("value", self.value, unit.expected_of(self.value))
        object.__setattr__(self, "value", self.value * unit.factor)  # checked as written, kept in SI
        return self


class Profile(Claim):
    """Relative weights of 24 hours of a day, or of 7 days of a week."""

    profile: list[Real]

    @model_validator(mode="after")
    def _check(self) -> Self:
        self._checked_unit()
        if len(self.profile) not in (7, 24):
            raise problem("profile", f"a list of {len(self.profile)} numbers", "expected 24 (hours) or 7 (days)")
        if min(self.profile) < 0 or sum(self.profile) <= 0:
            raise problem("profile", self.profile, "expected weights that are not negative and not all zero")
        least = min(weight for weight in self.profile if weight > 0)
        if max(self.profile) > WEIGHT or max(self.profile) > least * WEIGHT:
            right = f"expected weights of at most {WEIGHT:g}, and of at most so many times the least that is not 0"
            raise problem("profile", self.profile, right)
        return self
