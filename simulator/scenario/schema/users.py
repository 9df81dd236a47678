"""Sections on the users over time and on supply."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from simulator.scenario import limits
from simulator.scenario.schema.numbers import Model, Name, Number, Profile
from simulator.scenario.schema.quantities import (
    Duration,
    DurationDistribution,
    Exponent,
    Factor,
    GoodwillDistribution,
    GoodwillPerSecond,
    GoodwillPerUtility,
    Hazard,
    LogOdds,
    PerGoodwill,
    PerUtility,
    Positive,
    PositiveDuration,
    Probability,
    Quantity,
    RatioDistribution,
    RelativeDistribution,
    Share,
    Utility,
    Within,
    measured_in,
)


class Leave(Model):
    """Log-odds of ending the visit after an item: base plus what the visit has been."""

    base: LogOdds
    satisfaction: PerUtility
    bad_streak: LogOdds
    elapsed: LogOdds
    tolerance: LogOdds


class Group(Model):
    """A group of users who differ in their ways, beside other users: active and passive job seekers, the young."""

    share: Share
    of: Name | None = None  # in what its members differ: age, region (default: groups without it are one partition)
    traits: dict[Name, Quantity] = Field(default_factory=dict)
    pace: Factor | None = None  # how often they come
    patience: Factor | None = None  # with everything
    leaving: Factor | None = None  # hazards of leaving a play
    attention: Factor | None = None  # seconds of attention that an item gets
    budget: Factor | None = None  # of time
    churn: Factor | None = None  # probability of leaving for good
    own_topics: Share | None = None  # of interests that follow the group's own order of topics, not everybody's
    devices: dict[Name, Factor] = Field(default_factory=dict)  # odds of each; its share of all visits stays
    intents: dict[Name, Factor] = Field(default_factory=dict)  # odds of each; its share of all visits stays


class Survey(Model):
    """Users are asked again what they are interested in; who answers says it anew."""

    first: Duration  # since the start
    every: PositiveDuration
    answers: Probability  # of a user, to one survey
    after: DurationDistribution  # it was sent


class DeclaredInterests(Model):
    """Interests that users state when they join, and in surveys."""

    facet: Name
    users: Share  # who state any when they join
    clusters: Annotated[Number, measured_in("clusters"), Positive]
    right: Probability  # a declared interest is a true one
    event: Name | None = None  # that each declared interest is recorded as (default: none)
    survey: Survey | None = None
    follow: Name | None = None  # act that adds the topic of what was just had (default: none)


class Intent(Model):
    """What a visit is for: buying, comparing, browsing. It says how much more not taking an item is worth."""

    share: Share  # of visits
    first: Share | None = None  # of first visits (default: `share`)
    reluctance: dict[Name, Utility]  # stage: what is demanded there beyond what it is worth to search on


class User(Model):
    """How users come, spend, tire, trust, return and leave for good."""

    interests: Annotated[Number, measured_in("clusters")]
    first_arrival: DurationDistribution
    patience: RatioDistribution
    budget: DurationDistribution
    tolerance: DurationDistribution
    goodwill: GoodwillDistribution
    return_after: DurationDistribution
    pace: RatioDistribution | None = None  # how often a user comes, over how often users do (default: all alike)
    return_goodwill: PerGoodwill
    churn: Probability
    churn_goodwill: PerGoodwill
    goodwill_gain: GoodwillPerUtility
    goodwill_loss: GoodwillPerUtility
    goodwill_tolerated: GoodwillPerSecond
    goodwill_decay: Share
    trust_rate: Share
    satiation_step: Share
    satiation_recovery: Duration
    satiation_weight: Utility
    leave: Leave
    hours: Profile
    weekdays: Profile | None = None  # Monday first: a run begins on a Monday
    traits: dict[Name, Quantity] = Field(
        default_factory=dict, max_length=limits.ATTRIBUTES
    )  # price sensitivity, value of time, salary floor
    groups: dict[Name, Group] = Field(default_factory=dict, max_length=limits.ENTRIES)
    intents: dict[Name, Intent] = Field(default_factory=dict, max_length=limits.ENTRIES)


class PastEvent(Model):
    """How much of an event, which the platform counts, came before the run, and what its values were."""

    rate: Hazard  # at which each user left one, anywhere
    mean: Number | None = None  # of its values at the usual worth; needed where a read-out averages them
    per_worth: Number | None = None  # by which an item's mean is higher per standard deviation of worth (default: 0)


class Past(Model):
    """What came before the run: items of all ages, and counts as their age would have gathered them.

    Items of before the run were published at -age: where they have lifetimes, at a point of one as a steady stream of
    items leaves it, else at any time `since`. Of an event whose `rate` is r, item i of age a has gathered

        n_i = r U w_i T(a_i) / sum over j of w_j 2^(-a_j / half_life),    T(a) = integral of 2^(-s / half_life) to a

    of U users, j being all items that there are: at the beginning of the run the events of all come at r U. A weight
    w = popularity exp(`worth` z) has one keyed draw per item for all events and the item's worth z to users on average,
    in standard deviations. What is left of a whole event is rounded by luck. The mean of values is
    `mean` + `per_worth` (z + e / sqrt(n)), e standard normal, between 1 and the stars of a rating's scale.

    Read-outs, menus and editors count on from there. The platform's log begins with the run: recommenders that learn
    from it know the ages (`published_at`), and not the counts.
    """

    since: PositiveDuration | None = None  # (default: as long as `fresh` takes for as many items)
    half_life: PositiveDuration | None = None  # of what an item gathers (default: it does not fade)
    worth: Annotated[Number, measured_in("exponent")]
    popularity: RelativeDistribution
    events: dict[Name, PastEvent] = Field(default_factory=dict, max_length=limits.ENTRIES)


class Supply(Model):
    """Who makes the items, and when they appear."""

    creators: Annotated[Number, measured_in("creators/item"), Within(0, limits.CREATORS_PER_ITEM)]
    creator_activity: RelativeDistribution
    creator_quality: Share
    creator_topics: Probability
    topic_popularity: Exponent
    fresh: Share  # of the catalog is published during the run's default horizon, per day
    moderation: DurationDistribution
    hours: Profile | None = None  # of publication
    lifetime: DurationDistribution | None = None  # until an item is withdrawn (default: never)
    past: Past | None = None  # (default: all that is there at the beginning came then, and nothing is counted yet)
    called: Name | None = None  # what creators are called here: seller, publisher, employer
