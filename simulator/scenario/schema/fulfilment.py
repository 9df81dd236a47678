"""The world's turn: resources that are shared, promises, those who choose, and the parameters of fulfil."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, Tag

from simulator.scenario.limits import ENTRIES, ZONES
from simulator.scenario.schema.distributions import Distribution
from simulator.scenario.schema.numbers import Flag, Model, Name, Names, Number, by_kind
from simulator.scenario.schema.quantities import (
    Duration,
    DurationDistribution,
    DurationQuantity,
    Hazard,
    Positive,
    PositiveDuration,
    Probability,
    Ratio,
    Share,
    SharedDistribution,
    SharedNumber,
    SharedQuantity,
    Slowdown,
    Temperature,
    Utility,
    Within,
    measured_in,
    per_user,
)


class Shift(Model):
    """Hours of the day with a capacity of their own."""

    starts: Duration
    ends: Duration
    capacity: SharedNumber


class PerItem(Model):
    """How the service grows with what one case brings: `1 + more * (items - usual)` times as long."""

    more: Ratio  # of the service, for every item more than usual
    usual: Annotated[Number, Positive]  # items of the cases that `service` tells of


class Queue(Model):
    """Servers with a waiting line: kitchens, couriers, recruiters."""

    kind: Literal["queue"]
    per: Name  # world, item, creator, user, zone, or a kind of parent
    capacity: SharedQuantity  # servers
    service: DurationDistribution | None = None  # none: the steps that hold a server say how long
    shifts: list[Shift] = Field(default_factory=list, max_length=ENTRIES)  # outside of all shifts: `capacity`
    every: Duration | None = None  # served in batches
    slowdown: Slowdown | None = None  # of the service, per waiting case (ratio), or for each server (servers/case)
    per_item: PerItem | None = None  # (default: a case takes as long, however much it brings)
    line: SharedNumber | None = None  # cases that may wait; more are refused
    moves: Flag = False  # servers have places: the nearest free one is taken, and is then where the step has led it


class Stock(Model):
    """Units that run out and come back."""

    kind: Literal["stock"]
    per: Name
    initial: SharedDistribution
    restock_below: SharedNumber
    restock_to: SharedNumber
    restock_lead: DurationDistribution


class Openings(Model):
    """Places that are filled once: one opening, one hire."""

    kind: Literal["openings"]
    per: Name
    count: SharedDistribution
    closes_after: DurationDistribution  # since publication; who came before that may still be taken


class Slots(Model):
    """A capacity per period: interviews, editorial places, skips of the free tier."""

    kind: Literal["slots"]
    per: Name
    capacity: SharedQuantity
    every: PositiveDuration | None = None  # none: once and for all


Resource = Annotated[
    Annotated[Queue, Tag("<queue>")]
    | Annotated[Stock, Tag("<stock>")]
    | Annotated[Openings, Tag("<openings>")]
    | Annotated[Slots, Tag("<slots>")],
    by_kind("kind", {"queue": "<queue>", "stock": "<stock>", "openings": "<openings>", "slots": "<slots>"}),
]


def amounts(resource: Resource) -> dict[str, Number | Distribution]:
    """Return how much there is of a resource, by key."""
    keys = ("capacity", "line", "initial", "restock_below", "restock_to", "count")
    found = {key: getattr(resource, key, None) for key in keys}
    found |= {f"shifts.{k}.capacity": shift.capacity for k, shift in enumerate(getattr(resource, "shifts", ()))}
    return {key: amount for key, amount in found.items() if amount is not None}


def most_of(amount: Number | Distribution) -> float:
    """Return the most that an amount may be."""
    return amount.reach()[1] if isinstance(amount, Distribution) else amount.value


def grows(resource: Resource) -> bool:
    """Return whether a resource is given per user; zeros are neither, and that all else of it is, `check` sees to."""
    return any(per_user(amount) and most_of(amount) > 0.0 for amount in amounts(resource).values())


def _zones(number: Number) -> Number:
    return number if per_user(number) else Within(1, ZONES).check(number)


class Places(Model):
    """Where users and items are: a square with zones."""

    side: Annotated[Number, measured_in("km"), Positive]
    zones: Annotated[Number, measured_in("zones", "zones/user"), Positive, AfterValidator(_zones)]  # a whole square
    reach: Annotated[Number, measured_in("km"), Positive]  # ways are usually not longer: what averages count on
    speed: Annotated[Number, measured_in("km/s"), Positive]


class Chooser(Model):
    """The other side of a two-sided match: an employer who chooses among applicants."""

    per: Name
    facet: Name  # whose match with the applicant they value
    agreement: Share  # how far choosers share one taste
    knowledge: Distribution  # in judging applicants
    threshold: Utility
    temperature: Temperature
    every: PositiveDuration | None = None  # between two decisions (default: each case is judged alone, and at once)
    shortlist: Annotated[SharedNumber, Positive] | None = (
        None  # the most of an item's cases that pass in one decision: the best
    )
    capacity_of: Name | None = None  # slots or openings of which no more pass than are left
    judgment: Name | None = None  # event of each judgment; its value is compared with the threshold
    match: Name | None = None  # event beside it; its value is how well the two match in truth


class Step(Model):
    """One step of a fulfilment, in order: wait for a resource, take time, end well or not."""

    step: Name
    event: Name | None = None  # recorded at its end
    uses: Name | None = None  # resource to be waited for at the beginning
    holds: Names = Field(default_factory=list)  # resources kept to the end of this step (default: its own only)
    delay: DurationQuantity | None = None  # none: the resource's own service
    needs: Probability | None = None  # that a case needs this step at all (default 1)
    passes: Probability | None = None  # the rest is refused
    chosen_by: Name | None = None  # who decides instead
    withdraws: Probability | None = None  # the user gives up here: cancelled
    unanswered: Probability | None = None  # of the refused, the share that is never told: expired
    travels: Literal["to_item", "to_user"] | None = None  # the way takes time besides the delay
    slowed_by: dict[Name, Ratio] = Field(default_factory=dict)  # circumstances (rain) and their factor


class Cancel(Model):
    """Hazard of the user's or provider's cancelling."""

    base: Probability  # per case
    after_promise: Hazard | None = None  # additional hazard once the promise is broken


class FulfilParameters(Model):
    """From the decision to the moment at which the user meets the item."""

    steps: list[Step] = Field(min_length=1, max_length=ENTRIES)
    promise: Name | None = None
    announced: Name | None = None  # event of a case that begins it; its value is the time that was promised
    cancel: Cancel | None = None
    expires_after: Duration | None = None  # of silence: since it began, or since the last step with an event


class Promise(Model):
    """What the platform announces about a fulfilment: the sum of the expected steps, padded."""

    stage: Name
    steps: Names = Field(min_length=1)
    padding: Duration
    spread: Distribution | None = None  # of the announcement around what the platform knows


class Circumstance(Model):
    """Weather and the like: the same for everybody, drawn per period."""

    probability: Probability
    lasts: DurationDistribution
