"""Contexts of visits: work, sport, sleep, a commute. Where users are, and what else they do meanwhile."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from simulator.scenario.schema.numbers import Model, Name, Profile
from simulator.scenario.schema.quantities import Factor, Probability, Share, measured_in

CONTEXT_EVENT = "context"
"""The event of a visit that has a context; its value is the context's number in the file, from 0."""


class Context(Model):
    """A context of visits and what it changes; what it does not name stays as it is."""

    hours: Annotated[Profile, measured_in("share")]  # of the visits that begin in each hour of the day
    weekdays: Annotated[Profile, measured_in("ratio")] | None = None  # by which each day multiplies them, Monday first
    devices: dict[Name, Share] = Field(default_factory=dict)  # (default: as in all visits)
    unattended: Probability | None = None  # of a play, in place of that of its stage
    leaving: Factor | None = None  # hazards of leaving a play
    attention: Factor | None = None  # seconds of attention that an item gets
    budget: Factor | None = None  # of time
    mutes: dict[Name, Probability] = Field(default_factory=dict)  # modality: not attended to in the whole visit
    stated: Probability | None = None  # the platform is told (default: never)
