"""What a target measures: a measure of the manifest by its name, or a reading of a run's logs with its parameters.

A reading is said in the words of the scenario itself (its events, devices and types of items) and is computed by
`analysis.fidelity.readings`, in SI. Measures are in their own units.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, Tag, model_validator

from simulator.scenario.schema.numbers import Count, DurationSetting, Flag, Model, Name, Names, Real, by_kind, problem

Events = Annotated[Names, Field(min_length=1)]
Quantile = Annotated[Real, Field(gt=0, lt=1)]
Along = Literal["case", "item"]
"""Rows belong together where they are of one case, or where they are of one user and item."""


class MeasureReading(Model):
    """A measure of the manifest, as `measures` may name them; without a name, that of the target's own name."""

    reading: Literal["measure"]
    name: Name | None = None


class OfLog(Model):
    """Base of readings of the truth log. Only rows of these types of items and of these devices count (else: all)."""

    types: Names = Field(default_factory=list)
    devices: Names = Field(default_factory=list)


class ShareReading(OfLog):
    """Share of the rows of `of` that are rows of `events`.

    With `within`, only those whose value, s, is at most that; with `per_visit`, only in visits with so many of `of`.
    """

    reading: Literal["share"]
    events: Events
    of: Events
    within: DurationSetting | None = None
    per_visit: Annotated[list[Count], Field(min_length=2, max_length=2)] | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not set(self.events) <= set(self.of):
            raise problem("events", self.events, "expected some of those of `of`")
        if self.per_visit is not None and self.per_visit[0] > self.per_visit[1]:
            raise problem("per_visit", self.per_visit, "expected the least number first")
        return self


class RateReading(OfLog):
    """Rows of `events` per second of the values of `of`, s: skips per time that was listened."""

    reading: Literal["rate"]
    events: Events
    of: Events


class VisitsReading(OfLog):
    """Share of visits with a row of `events`."""

    reading: Literal["visits_with"]
    events: Events


class FollowedReading(OfLog):
    """What became of rows of `events`: whether one of `by` followed, along the case, or for the same user and item.

    `gives`: the share of those that were followed, the share of those that were not (`none`), or how many there are
    per one that was (`per`). Rows later than `after` before the end are left out: what would follow may not have come.
    """

    reading: Literal["followed"]
    events: Events
    by: Events
    along: Along = "case"
    after: DurationSetting | None = None
    gives: Literal["share", "none", "per"] = "share"


class MeanReading(OfLog):
    """Mean value of the rows of `events`; with `late`, only of cases that were done after what was promised, or not."""

    reading: Literal["mean"]
    events: Events
    late: Flag | None = None


class DelayReading(OfLog):
    """Time from a row of `begins` to the first of `ends` after it, s: the mean, or a quantile.

    `after` as in `followed`: of what began shortly before the end, only what goes fast has ended.
    """

    reading: Literal["delay"]
    begins: Events
    ends: Events
    along: Along = "case"
    after: DurationSetting | None = None
    quantile: Quantile | None = None


class TimeShareReading(OfLog):
    """Share of the time of cases, from `of` (first event, last event), that lies between `begins` and `ends`."""

    reading: Literal["time_share"]
    begins: Name
    ends: Name
    of: Annotated[list[Name], Field(min_length=2, max_length=2)]


class LiftReading(OfLog):
    """Rows of `events` per row of `of` for items that have a modality, over the same for items that have none.

    What a platform sees that gives some items a photo, or some advertisements a salary: items compete, so it says
    nothing of what showing it everywhere would do.
    """

    reading: Literal["lift"]
    events: Events
    of: Events
    modality: Name


class AgeReading(OfLog):
    """Quantile of the age of items at rows of `events`, s.

    With `until`, of items alone that are published in the run, so long before its end, and of rows up to that age: all
    of them are then watched for as long, and none is as old as the world.
    """

    reading: Literal["age"]
    events: Events
    until: DurationSetting | None = None
    quantile: Quantile


class PlayedReading(OfLog):
    """Time played of `events`, as a ratio to the item's duration: a quantile of it, or the share above a ratio.

    With `given`, only of plays that one of these acts followed in the same visit.
    """

    reading: Literal["played"]
    events: Events
    given: Names = Field(default_factory=list)
    quantile: Quantile | None = None
    above: Real | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.quantile is None) == (self.above is None):
            raise problem("quantile", self.quantile, "expected either quantile or above")
        return self


class ItemsReading(Model):
    """Quantile of a public number of the items."""

    reading: Literal["items"]
    attribute: Name
    quantile: Quantile


class LearnabilityReading(Model):
    """Density of the platform log's positives, or Recall@20 of item-kNN over that of popularity on them."""

    reading: Literal["learnability"]
    gives: Literal["density", "ratio"]


READINGS: dict[str, type[Model]] = {
    "measure": MeasureReading, "share": ShareReading, "rate": RateReading, "visits_with": VisitsReading,
    "followed": FollowedReading, "mean": MeanReading, "delay": DelayReading, "time_share": TimeShareReading,
    "lift": LiftReading, "age": AgeReading, "played": PlayedReading, "items": ItemsReading,
    "learnability": LearnabilityReading,
}  # fmt: skip


def _named(value: object) -> object:
    """Return what a bare name stands for, and all else as it is."""
    return {"reading": "measure", "name": value} if isinstance(value, str) else value


Reading = Annotated[
    Annotated[MeasureReading, Tag("<measure>")]
    | Annotated[ShareReading, Tag("<share>")]
    | Annotated[RateReading, Tag("<rate>")]
    | Annotated[VisitsReading, Tag("<visits_with>")]
    | Annotated[FollowedReading, Tag("<followed>")]
    | Annotated[MeanReading, Tag("<mean>")]
    | Annotated[DelayReading, Tag("<delay>")]
    | Annotated[TimeShareReading, Tag("<time_share>")]
    | Annotated[LiftReading, Tag("<lift>")]
    | Annotated[AgeReading, Tag("<age>")]
    | Annotated[PlayedReading, Tag("<played>")]
    | Annotated[ItemsReading, Tag("<items>")]
    | Annotated[LearnabilityReading, Tag("<learnability>")],
    by_kind("reading", {name: f"<{name}>" for name in READINGS}),
    BeforeValidator(_named, json_schema_input_type=str | dict[str, Any]),
]


def events_of(reading: Reading) -> list[tuple[str, list[str]]]:
    """Return the keys of a reading that name events, with the events."""
    keys = ("events", "of", "by", "begins", "ends", "given")
    found = [(key, getattr(reading, key)) for key in keys if hasattr(reading, key)]
    return [(key, [names] if isinstance(names, str) else names) for key, names in found]
