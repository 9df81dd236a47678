"""Sections on the platform: who records what, how recommenders are run and judged, and settings of a run."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, Strict, model_validator

from simulator.scenario import limits
from simulator.scenario.schema.numbers import CountOrZero, DurationSetting, Model, Name, Names, Number, problem
from simulator.scenario.schema.quantities import DurationQuantity, Probability, Share


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


class Policy(Model):
    """What the platform itself shows at a browse stage: a recommender of its own, and a share of exploration.

    Explored are places, not whole slates: platforms try items within a list, and an item's propensity stays exact.
    """

    recommender: str  # registered or by import path, parameters in brackets: itemknn(neighbors=50)
    explore: Share | None = None  # of the places of its slates, which hold random candidates (default: none)


EVERYTHING = "all"
"""In place of stages that the recommender serves: each that asks for slates."""


def _listed(value: object) -> object:
    """Return words with commas between them as a list: the command line's `serves=home,feed`."""
    if isinstance(value, str):
        return [word.strip() for word in value.split(",")]
    return list(value) if isinstance(value, tuple) else value


Serves = Annotated[Names, Field(min_length=1), BeforeValidator(_listed, json_schema_input_type=str | list[str])]


class Platform(Model):
    """When recommenders are fitted, on what, what they may not repeat, and who serves which stage.

    `policies` are by browse stage, not by surface: a stage is what requests, logs, criteria and orders of lists name,
    and one surface may show two of them, a radio and a playlist. The recommender of a run takes the stages in `serves`;
    without it, those that no policy takes, and with neither all.
    """

    warm_up: Literal["random", "popularity"]
    first_fit: DurationSetting  # seconds
    refit: DurationSetting  # seconds
    recent: Annotated[CountOrZero, Field(le=limits.RECENT)]
    seen: Literal["last", "allow"] = "last"  # items that a user has had: when others run out, or again
    serves: Serves | None = None  # browse stages that the recommender takes, or `all` (default: all without a policy)
    policies: dict[Name, Policy] = Field(default_factory=dict, max_length=limits.NAMED)  # by browse stage
    label: Name
    labels: dict[Name, Label] = Field(max_length=limits.LABELS)
