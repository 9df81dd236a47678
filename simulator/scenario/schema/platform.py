"""Sections on the platform: who records what, how recommenders are run and judged, and settings of a run."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, Strict, model_validator

from simulator.scenario import limits
from simulator.scenario.schema.numbers import CountOrZero, DurationSetting, Model, Name, Names, Number, problem
from simulator.scenario.schema.quantities import DurationQuantity, Probability


class Defaults(Model):
    """Settings of a run that the command line may change."""

    users: Annotated[int, Strict(), Field(ge=1, le=limits.MOST_USERS)]
    items: Annotated[int, Strict(), Field(ge=1, le=limits.MOST_ITEMS)]
    horizon: DurationSetting  # seconds
    recommender: str


class Observation(Model):
    """Who could record an event, with what probability and how much later."""

    observer: Literal["platform", "partner", "none"]
    probability: Probability | None = None
    lag: DurationQuantity | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        for key, given in (("probability", self.probability), ("lag", self.lag)):
            if self.observer == "none" and given is not None:
                raise problem(key, ..., "nobody observes the event, so expected no such key")
            if self.observer != "none" and given is None:
                raise problem(key, None, f"an event that the {self.observer} records needs probability and lag")
        return self


class Label(Model):
    """What counts as a positive: an event, where given only from a value on."""

    events: Names = Field(min_length=1)
    at_least: Number | None = None
    or_item: Name | None = None  # or the item's own value in this column, if that is less

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.or_item is not None and self.at_least is None:
            raise problem("or_item", self.or_item, "or_item goes with at_least")
        return self


class Platform(Model):
    """When recommenders are fitted, on what, and what they may not repeat."""

    warm_up: Literal["random", "popularity"]
    first_fit: DurationSetting  # seconds
    refit: DurationSetting  # seconds
    recent: Annotated[CountOrZero, Field(le=limits.RECENT)]
    seen: Literal["last", "allow"] = "last"  # items that a user has had: when others run out, or again
    label: Name
    labels: dict[Name, Label] = Field(max_length=limits.LABELS)
