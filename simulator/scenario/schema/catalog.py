"""Sections of a scenario on what there is: facets of taste, item types, modalities, devices and surfaces."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, Tag

from simulator.scenario import limits
from simulator.scenario.schema.distributions import Distribution
from simulator.scenario.schema.numbers import Count, CountOrZero, Flag, Model, Name, Names, by_kind
from simulator.scenario.schema.quantities import (
    Correlation,
    CountQuantity,
    Distance,
    Duration,
    DurationDistribution,
    DurationQuantity,
    Factor,
    PerUtility,
    PositiveDuration,
    Precision,
    Probability,
    Quantity,
    Ratio,
    Share,
    ShareDistribution,
    Utility,
    UtilityDistribution,
    UtilityLost,
    Within,
)

Layout = Literal["autoplay", "grid", "list", "carousel", "single", "none"]
StageKind = Literal["browse", "inspect", "commit", "fulfil", "consume", "respond"]


class Clock(Model):
    """When shared state is published, and the hour of the day at which the run begins."""

    tick: Duration
    starts_at: Duration


class BadTail(Model):
    """Items that everybody dislikes: what is uploaded, and worse than anything else."""

    share: Share  # of the items
    types: Names | None = Field(default=None, min_length=1)  # item types that have it (default: all)
    worth: UtilityLost  # beside other items, on average over users


class Facet(Model):
    """A block of latent dimensions of what makes an item good for a user."""

    dimensions: Annotated[Count, Field(le=limits.DIMENSIONS)]
    share: Share  # of the variance of utility
    agreement: Share  # 1: all users share one taste
    clusters: Annotated[CountOrZero, Field(le=limits.CLUSTERS)]  # items gather round so many centres
    cohesion: Share  # how closely they do
    saturation: PerUtility  # of the match between taste and item; 0: linear
    bad_tail: BadTail | None = None  # (default: items are alike but for their luck)


class Idiosyncratic(Model):
    """The part of a taste that no model can learn."""

    share: Share


class Remembered(Model):
    """What a user keeps of an item that they had, of its creator or of its parent: one more cue to its worth."""

    precision: Precision  # of the experience just after it
    half_life: PositiveDuration  # of that
    of: Literal["item", "creator"] = "item"  # that is known again
    revealed_by: Names | None = Field(default=None, min_length=1)  # modalities by which it is (default: whatever)
    rate: Share | None = None  # by which each experience moves what is kept (default: it takes its place)


class ItemType(Model):
    """A kind of items with criteria of its own."""

    share: Share
    knowledge: ShareDistribution  # of users in judging this type
    prior: Utility  # belief before anything is read
    duration: DurationDistribution | None = None  # of content; transactions have none
    attributes: dict[Name, Quantity] = Field(default_factory=dict)  # public columns of items: price, salary, distance
    weights: dict[Name, Ratio] = Field(default_factory=dict)  # facet: weight beside those of other facets (default 1)
    precisions: dict[Name, Ratio] = Field(
        default_factory=dict
    )  # modality: precision beside that of other types (default 1)
    leaving: Ratio | None = None  # hazards of leaving a play beside those of other types (default 1)
    returning: Ratio | None = None  # odds of sending it back beside those of other types (default 1)
    half_life: DurationQuantity | None = None  # of the item's worth after publication
    lifetime: DurationDistribution | None = None  # until an item is withdrawn (default: that of supply)
    remembered: Remembered | None = None  # (default: every time is the first)


class Repetition(Model):
    """What siblings had lately do to the worth of an item, `worth * (1 - (1 - first)^n)` after n of them."""

    worth: Utility  # that an item gains (an episode that goes on) or, negative, loses (a duplicate), at most
    first: Share  # of it after one sibling; each further one adds the same share of what is left
    half_life: PositiveDuration  # of a sibling had, as far as it counts
    revealed_by: Names | None = None  # modalities by which users know siblings (default: the parent's own)


class Parent(Model):
    """What holds items: a restaurant its dishes, a show its episodes, an event its articles."""

    children: CountQuantity  # items per parent
    types: Names | None = None  # item types that have such a parent (default: all)
    one_creator: Flag = False  # children are of one creator, and in one place; else of any
    shares: dict[Name, Share] = Field(default_factory=dict)  # facet: share of it that is the parent's
    modalities: Names = Field(default_factory=list)  # that belong to the parent and are the same for its children
    attributes: dict[Name, Quantity] = Field(default_factory=dict)
    spread: DurationDistribution | None = None  # from its beginning to each child's creation (default: any time)
    repetition: Repetition | None = None
    knowledge: ShareDistribution | None = None  # of users in judging parents; needed where a stage shows them
    precisions: dict[Name, Ratio] = Field(default_factory=dict)  # as of item types, of parents that a stage shows
    remembered: Remembered | None = None  # as of item types, of parents that are ordered from


class Telling(Model):
    """What the content of a modality says about a facet, and how exactly people read it."""

    signal: Correlation
    precision: Precision


class ReadoutTelling(Model):
    """How exactly people read a facet from a number that the platform counts; its truth emerges in the run."""

    precision: Precision
    signal: Correlation | None = None  # with the facet, as readers with a `discount` expect it (default: 1)


class Feature(Model):
    """The vector that an encoder makes of the content, for recommenders."""

    dimensions: Annotated[Count, Field(le=limits.DIMENSIONS)]
    retention: Correlation


class Modality(Model):
    """Attention that a modality needs, and how often it gets any."""

    reading: Duration
    salience: Probability
    coverage: Share | None = None  # share of items that have it at all (default: all)
    types: Names | None = Field(default=None, min_length=1)  # item types that can have it (default: all)


class ContentModality(Modality):
    """Content with a taste signal, a seller's bias and nuisance."""

    kind: Literal["image", "text", "video", "audio"]
    tells: dict[Name, Telling]
    bias: UtilityDistribution
    appeal: UtilityDistribution
    feature: Feature | None = None


class ReadoutModality(Modality):
    """A number that the platform derives from its log and publishes at every tick: a count or a mean of an event."""

    kind: Literal["readout"]
    counts: Name | None = None  # event
    averages: Name | None = None  # event whose value is averaged
    tells: dict[Name, ReadoutTelling] = Field(default_factory=dict)


class AttributeModality(Modality):
    """An attribute of the item shown as it is: price, salary, distance, age."""

    kind: Literal["attribute"]
    shows: Name
    per: Quantity | None = None  # amount that is worth one `weight`, for a user
    relative: Flag = False  # to what is usual for the item's type: twice as dear, not ten euros dearer
    weight: Utility | None = None
    trait: Name | None = None  # of users, by which the weight is multiplied


class PromiseModality(Modality):
    """A promise of the platform shown as a modality: ETA, delivery date."""

    kind: Literal["promise"]
    promise: Name
    per: Quantity | None = None
    weight: Utility | None = None
    trait: Name | None = None


class DistanceModality(Modality):
    """How far an item is from its user, shown as a modality; both have places."""

    kind: Literal["distance"]
    per: Distance | None = None  # distance beyond the usual one that is worth one `weight`
    weight: Utility | None = None
    trait: Name | None = None


AnyModality = Annotated[
    Annotated[ContentModality, Tag("<content>")]
    | Annotated[ReadoutModality, Tag("<readout>")]
    | Annotated[AttributeModality, Tag("<attribute>")]
    | Annotated[PromiseModality, Tag("<promise>")]
    | Annotated[DistanceModality, Tag("<distance>")],
    by_kind(
        "kind",
        {
            **dict.fromkeys(("image", "text", "video", "audio"), "<content>"),
            "readout": "<readout>",
            "attribute": "<attribute>",
            "promise": "<promise>",
            "distance": "<distance>",
        },
    ),
]


class Device(Model):
    """What users hold in their hands, and what it changes while a visit lasts."""

    share: Share
    leaving: Factor | None = None  # hazards of leaving a play
    attention: Factor | None = None  # seconds of attention that an item gets
    budget: Factor | None = None  # of time
    reluctance: dict[Name, Utility] = Field(default_factory=dict)  # stage: what is demanded there beyond the usual


class Editorial(Model):
    """Slots of a surface that people fill, not the recommender."""

    slots: Count
    every: PositiveDuration
    picks: Literal["newest", "best", "popular"]
    precision: Share | None = None  # how well editors see what is best


class Surface(Model):
    """A place where items appear."""

    layout: Layout
    slate: Annotated[Count, Field(le=limits.SLATE)]  # items per request
    visible: dict[Name, CountOrZero]  # device: cards on the screen at once; 0: nothing is seen
    rows: Count = 1  # shelves on a screen
    shows: dict[StageKind, list[Name]]  # modalities on the screen in a stage of this kind
    hidden: dict[Name, Names] = Field(default_factory=dict)  # device: modalities that it never shows
    endless: Flag = True
    editorial: Editorial | None = None


class Outreach(Model):
    """A message from outside that opens a visit: a push alert, an e-mail digest."""

    stage: Name  # the browse stage that an opened message enters
    every: Annotated[Duration, Within(limits.BETWEEN_MESSAGES, limits.CENTURY)]  # between two messages to a user
    at: Duration | None = None  # hour of the day (default: any)
    reaches: Share  # share of users who receive them
    opened: Probability
    opened_after: DurationDistribution


PLACE = "place"
"""What a criterion of kind `near` is on: how far an item is from its user."""


class Sorting(Model):
    """An order that users may have a list put in, in place of the recommender's own; a visit asks for one at most."""

    on: Name  # a public number: attribute, published_at, promise, PLACE (the distance) or a readout
    first: Literal["lowest", "highest"]
    share: Share  # of visits that ask for it, wherever they come to one of the
    stages: Names = Field(min_length=1)  # browse stages that offer it


class Criterion(Model):
    """A selection criterion S of a visit: what the user filters or asks for, stated to the platform or latent."""

    # only: what has an attribute above 0, such as a flag of what is vegan, remote or free to send
    kind: Literal["query", "category", "at_most", "at_least", "near", "only"]
    on: Name  # facet (query), "item_type" (category), attribute, promise or PLACE (near)
    present: Probability  # a visit has it
    stated: Probability  # and tells the platform
    hard: Probability  # and bends to nothing
    limit: Distribution | None = None  # per visit
    precision: Share | None = None  # of what its filter finds, so much is what was asked for (default: all)
    recall: Share | None = None  # of what was asked for, so much is found (default: all)
    weight: Utility | None = None  # by which what meets it is worth more, in the visit, than what does not
    stated_in: Names | None = None  # browse stages where the platform is told (default: all)
