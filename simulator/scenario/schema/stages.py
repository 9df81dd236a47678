"""The life cycle: stages as a table, and the parameters of browse, inspect, consume and respond."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from simulator.scenario import limits
from simulator.scenario.schema.catalog import StageKind
from simulator.scenario.schema.distributions import Distribution
from simulator.scenario.schema.numbers import Count, CountOrZero, Flag, Model, Name, Names, Number, by_kind
from simulator.scenario.schema.quantities import (
    CountDistribution,
    CountQuantity,
    Duration,
    DurationDistribution,
    DurationQuantity,
    Exponent,
    Hazard,
    LogOdds,
    PerUtility,
    Probability,
    Ratio,
    RiskAversion,
    SearchCost,
    Share,
    ShareDistribution,
    Spread,
    Temperature,
    Utility,
    UtilityVariance,
    measured_in,
)

# Outcomes per kind, a closed set. Those of OUTCOMES need a successor always; those of RARE_OUTCOMES occur only in
# scenarios whose table gives them one.
OUTCOMES: dict[str, tuple[str, ...]] = {
    "browse": ("select", "exhausted", "leave"),
    "inspect": ("accept", "reject", "leave"),
    "commit": ("confirm", "abandon"),
    "fulfil": ("done", "refused", "cancelled"),
    "consume": ("complete", "skip"),
    "respond": ("continue", "leave"),
}
RARE_OUTCOMES: dict[str, tuple[str, ...]] = {
    "browse": (),
    "inspect": (),
    "commit": ("defer",),  # decided later, in another visit: a cart, a half-filled form
    "fulfil": ("expired",),  # nobody ever answers
    "consume": ("pause",),  # taken up again in another visit: an episode
    # the item goes back: a stage of kind fulfil takes it; an act that leads elsewhere: the page of who made it
    "respond": ("return", "detour"),
}
TERMINALS = ("exit", "gone")  # the visit or case ends; the user needs the platform no more (hired)


def _successor_tag(value: Any) -> str:
    return "<shares>" if isinstance(value, dict) else "<stage>"


Successor = Annotated[
    Annotated[Name, Tag("<stage>")] | Annotated[dict[Name, Share], Tag("<shares>")], Discriminator(_successor_tag)
]


class Wait(Model):
    """Time that passes between an outcome and its successor, and in whose company."""

    delay: DurationQuantity
    visit: Literal["same", "later", "none"]  # waiting in the visit, coming back in a later one, off the platform


class Stage(Model):
    """A step of the life cycle."""

    kind: StageKind
    surface: Name | None = None  # none: the step is not on a screen
    entry: Share | None = None  # share of visits that users begin here of their own accord
    next: dict[Name, Successor]  # outcome: stage, "exit" or "gone", or shares of several
    starts: dict[Name, Name] = Field(default_factory=dict)  # outcome: first stage of a case that runs beside the visit
    wait: dict[Name, Wait] = Field(default_factory=dict)  # outcome: what lies between it and the successor
    events: dict[Name, Name] = Field(default_factory=dict)  # outcome: name of its event, where not the usual one
    shows_parents: Name | None = None  # kind of parent that is shown instead of items
    about: Literal["last", "seed"] | None = None  # slates next to what the visit was at, or what was chosen last
    children_of: Name | None = (
        None  # kind of parent, chosen before, to whose children the stage is limited; or `creator`
    )
    ordered_by: Name | None = None  # event of which children with most come first, or `newest` (default: no order)
    queue_of: Name | None = None  # browse stage of whose slate the stage shows what is still to come: a queue
    card_event: Name | None = (
        None  # of each card of `children_of` or `queue_of`, which needs it: it is no slate's impression
    )


class Act(Model):
    """Something that users may do: its probability at value 0 and how its log-odds grow with the value."""

    base: Probability
    slope: PerUtility
    delay: DurationQuantity | None = None
    positive: Flag = False  # a play with it counts in `positive_interaction_rate`
    detour: Flag = False  # who does it goes on with the stage that follows the outcome `detour`


class Suffices(Model):
    """The card alone gives the user what they wanted: no click, yet value; nobody sees it."""

    event: Name
    modality: Name
    probability: Probability  # per card that is read
    value: Share  # of the item's utility


class Picks(Model):
    """Several cards taken one after the other, before `select`: a basket."""

    number: CountQuantity  # that a user is after
    outside_option: Utility | None = None  # once something is in the basket (default: what the stage demands)
    search_cost: SearchCost | None = None  # of one more card from then on, in place of `outside_option`
    event: Name  # of each card that is taken


class LookAndLeave(Model):
    """Visits that are but a look: at their first screen, which is left before anything on it is judged."""

    share: Probability  # of the visits whose first screen is one of this stage
    seconds: DurationDistribution  # of the look


class Reopen(Model):
    """Going back to what was had before and is remembered: a song played again, an article reread."""

    probability: Probability  # each time that a new slate would be looked at, of who remembers anything
    temperature: Temperature  # of the choice among what is remembered, by what it turned out to be worth
    event: Name  # of it; nobody recommended it


class BrowseParameters(Model):
    """How cards are examined and judged."""

    seconds_per_screen: DurationDistribution
    attention: Duration  # per card
    skim: Probability  # first card of a screen looked at
    position_decay: Exponent  # skim falls as rank^-this
    decays_over: Literal["screen", "list"] = "screen"  # rank on each screen anew, or in the whole list
    read: Probability  # read, given looked at
    outside_option: Utility | None = None
    search_cost: SearchCost | None = None  # of one more card, in place of `outside_option`
    temperature: Temperature
    risk_aversion: RiskAversion
    continue_: Probability = Field(alias="continue")  # to the next screen
    look_and_leave: LookAndLeave | None = None
    picks: Picks | None = None  # (default: the first card that is taken is selected)
    suffices: Suffices | None = None
    reopen: Reopen | None = None  # (default: nobody goes back of their own accord)


class InspectParameters(Model):
    """How a closer look is paid for and used."""

    seconds: DurationDistribution
    attention: Duration
    threshold: Utility | None = None  # belief needed to accept
    search_cost: SearchCost | None = None  # of one more item looked at so closely, in place of `threshold`
    temperature: Temperature
    hesitation_band: Spread
    hesitation_seconds: DurationDistribution
    hesitation_uncertainty: Spread
    acts: dict[Name, Act] = Field(
        default_factory=dict, max_length=limits.NOTES
    )  # wishlist, bookmark, dismiss: by belief


class Bounce(Model):
    """A play that is left at once leaves an event of its own; its value is the seconds."""

    event: Name
    within: Duration


class Reached(Model):
    """How far a play went, jumps included: scroll depth, finish share. The value of its event, from 0 to 1."""

    event: Name
    by_itself: Flag = True  # false: it moves only for who attends to it (a text)


class Paywall(Model):
    """Some items are cut off for some users: those with the number that a modality shows, for whom it matters.

    The modality is an attribute, 0 where an item is free, with a `trait` that is 0 for users who may have all of it.
    """

    modality: Name
    free: Share  # of the item that everybody may have
    event: Name  # of a play that ends there; its value is the share that was reached


class LeaveStep(Model):
    """A hazard of leaving, whatever the play is worth, that is added from a part of it on, until the next step."""

    after: Ratio  # parts of the duration; 1: its end, where what plays begins again (`at_end: again`)
    hazard: Hazard


class HazardConsume(Model):
    """Content: leaving is a hazard over time that depends on the belief as it sharpens."""

    model: Literal["hazard"] = "hazard"
    attention: Duration
    glance: Share  # of the precision of what plays that the first seconds give
    judged_after: DurationDistribution
    known_after: DurationDistribution
    leave_at_sight: Hazard
    leave_judged: Hazard
    leave_known: Hazard
    judgment_sensitivity: PerUtility
    truth_sensitivity: PerUtility
    tolerate: Probability
    tolerated_seconds: DurationDistribution
    seek: Probability
    seek_share: ShareDistribution
    leave_by_share: list[LeaveStep] = Field(default_factory=list, max_length=limits.STEPS)
    # what follows the end, whatever its viewer does: `next`, or `again` until they leave (default: who attends may play
    # it again, and what nobody attends to is played over and over)
    at_end: Literal["next", "again"] | None = None
    loop: Probability | None = None  # of playing it again; none with `at_end: again`
    loop_sensitivity: PerUtility | None = None
    loops_at_most: Annotated[CountOrZero, Field(le=limits.AMOUNT)]
    unattended: Probability
    unattended_seconds: DurationDistribution
    start_delay: Duration
    pause: Probability | None = None  # of those who stop and know what it is worth: the share that means to come back
    bounce: Bounce | None = None
    reached: Reached | None = None
    pause_left: Duration | None = None  # that must be left of a play for that (default: anything)
    paywall: Paywall | None = None


class ExperienceConsume(Model):
    """Transactions: the experience is drawn round the true utility."""

    model: Literal["experience"]
    event: Name  # of which nobody but the user knows
    after: DurationDistribution
    noise: UtilityVariance
    skipped: Probability  # never used


ConsumeParameters = Annotated[
    Annotated[HazardConsume, Tag("<hazard>")] | Annotated[ExperienceConsume, Tag("<experience>")],
    by_kind("model", {"hazard": "<hazard>", "experience": "<experience>"}, default="hazard"),
]


class Text(Model):
    """Words beside the stars, by log-odds per unit of |satisfaction|: that there are any, not what they say."""

    event: Name  # beside the rating, with its stars as value
    base: Probability  # of those who rate, at satisfaction 0
    slope: PerUtility


class Rating(Model):
    """Whether and how users rate: incidence by log-odds per unit of |confirmation|, value by an ordered probit."""

    event: Name
    base: Probability
    slope: PerUtility
    scale: Annotated[Count, Field(le=limits.STARS)]  # stars
    thresholds: list[Utility] = Field(max_length=limits.STARS)  # scale - 1 cut points on satisfaction, rising
    noise: Spread
    delay: DurationDistribution
    text: Text | None = None  # (default: nobody writes any)


class Lateness(Model):
    """What a broken promise does to satisfaction."""

    promise: Name
    threshold: Duration  # later than this counts
    effect: Utility  # at the threshold
    per_second: Annotated[Number, measured_in("utility/s")] | None = None  # beyond it; none: a plateau
    early: Utility | None = None


class Again(Model):
    """What was good and is used up is bought again: the user remembers it and comes back for it."""

    types: Names  # item types that are used up, or kinds of parents that are ordered from again
    base: Probability  # of coming back for it, at satisfaction 0
    slope: PerUtility
    lasts: DurationDistribution  # one unit, or one basket, from the verdict on, of activity; at least a tick
    stage: Name  # where the visit for it begins: an inspect or a commit, the item at hand, or the menu of the parent


class NeverCame(Model):
    """What users make of what was refused, cancelled or never answered: they judge it without an experience."""

    worth: Utility  # of having decided and got nothing, in place of what would have been lived
    acts: Names = Field(default_factory=list)  # those of the stage that they may do
    rates: Flag = False  # whether they can rate


class RespondParameters(Model):
    """Satisfaction and what users do about it."""

    loss_aversion: Ratio
    experience_weight: Share
    confirmation: Ratio
    acts: dict[Name, Act] = Field(max_length=limits.ACTS)
    followed_bonus: LogOdds | None = None  # needed where there is an act `follow`
    seconds: DurationDistribution  # per act
    rating: Rating | None = None
    lateness: Lateness | None = None
    returns: Act | None = None  # needed where `return` has a successor
    again: Again | None = None  # of cases
    never_came: NeverCame | None = None  # needed where a case may come here without an experience


class Cost(Model):
    """A price to pay at a decision, in utility."""

    attribute: Name | None = None  # item column; none: the amount is given
    amount: Distribution | None = None
    weight: Number  # utility per unit of the attribute or amount
    shown_before: Flag = True  # false: a shock at this very point


class Basket(Model):
    """Several items decided on together."""

    size: CountDistribution
    at_most: Annotated[Count, Field(le=limits.AMOUNT)]


class Bracket(Model):
    """Several variants of an item ordered to choose from; each but the first is a case of its own."""

    types: Names = Field(min_length=1)  # of items
    users: Share  # who do so
    extra: CountDistribution  # units beside the one that is meant to be kept
    at_most: Annotated[Count, Field(le=limits.PICKS)]
    starts: Name  # first stage of the case of each extra unit


class Defer(Model):
    """A decision put off to a later visit; the stage's `wait: {defer: ...}` says for how long."""

    probability: Probability  # of those who would not confirm now
    forgotten: Probability  # never taken up again


class CommitParameters(Model):
    """Money, time, irreversibility."""

    seconds: DurationDistribution
    attention: Duration
    threshold: Utility | None = None
    search_cost: SearchCost | None = None  # of one more item to decide on, in place of `threshold`
    temperature: Temperature
    risk_aversion: RiskAversion
    costs: dict[Name, Cost] = Field(default_factory=dict, max_length=limits.COSTS)
    basket: Basket | None = None
    bracket: Bracket | None = None
    defer: Defer | None = None
    off_platform: Probability | None = None  # done elsewhere, where the platform's log does not reach
    pays: Name | None = None  # attribute that is paid for each unit: the value of the confirmation's event
