"""Rows of a compiled scenario's tables: structured types of its stages, modalities, facets, types, acts ..."""

from __future__ import annotations

import numpy as np

STAGE = np.dtype(
    [
        # every kind
        ("number", "i4"),
        ("kind", "i4"),
        ("surface", "i4"),
        ("layout", "i4"),
        ("slate", "i4"),
        ("about", "i4"),  # what slates are asked for next to: 0 nothing, else an `About`
        ("attention", "f8"),
        ("temperature", "f8"),
        ("seconds", "i4"),  # tables of quantiles are named by their row in `Plan.quantiles`
        # browse
        ("risk_aversion", "f8"),
        ("read", "f8"),
        ("carries_on", "f8"),
        ("over_list", "i4"),  # 1: the skim falls with the place in the list, not on the screen
        ("look_and_leave", "f8"),  # share of visits that begin here of which nothing comes but a look
        ("look_seconds", "i4"),
        ("shows_parents", "i4"),  # kind of parents that slates are made of, -1: items
        ("children_of", "i4"),  # kind of parent whose children are shown without a slate, or BY_CREATOR; -1 none
        ("queue_of", "i4"),  # stage of whose slate the rest is shown, -1 none
        ("card_event", "i4"),  # of each of these cards
        ("picks", "i4"),  # table of how many of them are taken, -1: one is selected
        ("pick_event", "i4"),
        ("reopen", "f8"),  # probability of going back to what is remembered, in place of a slate
        ("reopen_temperature", "f8"),
        ("reopen_event", "i4"),
        ("together", "i4"),  # 1: a basket of them is decided on; 0: they have their turns one after the other
        # inspect
        ("hesitation_band", "f8"),
        ("hesitation_uncertainty", "f8"),
        ("hesitation_seconds", "i4"),
        ("first_note", "i4"),  # what users may do while they look
        ("n_notes", "i4"),
        # consume
        ("start_delay", "f8"),
        ("glance", "f8"),
        ("leave_at_sight", "f8"),
        ("leave_judged", "f8"),
        ("leave_known", "f8"),
        ("judgment_sensitivity", "f8"),
        ("truth_sensitivity", "f8"),
        ("tolerate", "f8"),
        ("seek", "f8"),
        ("loop_log_odds", "f8"),
        ("loop_sensitivity", "f8"),
        ("loops_at_most", "i4"),
        ("at_end", "i4"),  # an `AtEnd`
        ("first_share", "i4"),  # of `Plan.leave_by_share`
        ("n_shares", "i4"),
        ("unattended", "f8"),
        ("pause", "f8"),
        ("pause_left", "f8"),  # s that must be left for a pause
        ("pause_delay", "i4"),
        ("bounce_within", "f8"),
        ("bounce_event", "i4"),  # -1 none
        ("reached_event", "i4"),  # -1 none
        ("moves", "i4"),  # 1: what plays goes on by itself
        ("wall", "i4"),  # effect of which a user's trait says whether some items are cut off for them, -1 none
        ("wall_attribute", "i4"),  # number of these items, 0: free
        ("free", "f8"),  # share of them that everybody may have
        ("wall_event", "i4"),
        ("judged_after", "i4"),
        ("known_after", "i4"),
        ("tolerated_seconds", "i4"),
        ("seek_share", "i4"),
        ("unattended_seconds", "i4"),
        # consume, from the respond stage that follows
        ("loss_aversion", "f8"),
        ("experience_weight", "f8"),
        ("confirmation", "f8"),
        # respond
        ("followed_bonus", "f8"),
        # commit (risk_aversion as above)
        ("first_cost", "i4"),
        ("n_costs", "i4"),
        ("pays", "i4"),  # attribute that is paid, -1 none
        ("pays_each", "i4"),  # 1: by every item of a basket
        ("basket", "i4"),  # table of units taken, -1: one
        ("basket_at_most", "i4"),
        ("defer", "f8"),
        ("forgotten", "f8"),
        ("defer_delay", "i4"),
        ("off_platform", "f8"),
        ("starts", "i4"),  # stage of the case that a confirmation starts, -1 none
        ("bracket_users", "f8"),  # share of users who order several to choose from
        ("bracket_types", "u8"),  # of these types, bits
        ("bracket_extra", "i4"),  # table of units beside the first
        ("bracket_at_most", "i4"),
        ("bracket_starts", "i4"),  # stage of the case of each
    ],
    align=True,
)
"""A row of the life cycle's table with the parameters of its kind; those of other kinds are 0."""

CUE = np.dtype(
    [
        ("facet", "i4"),
        ("column", "i4"),  # first column in the vectors of items; -1: a published read-out
        ("readout", "i4"),
        ("timed", "i4"),  # 1: takes time to unfold (video, audio), so that the first glance gives less
        ("precision", "f8"),
        ("root_precision", "f8"),
        ("signal", "f8"),  # its correlation with the truth, as its readers expect it; 1: it is taken at face value
        ("doubt", "f8"),  # variance of what else is in it, as its readers expect it
    ],
    align=True,
)
"""What one modality tells about one facet."""

MODALITY = np.dtype(
    [
        ("reading", "f8"),
        ("salience", "f8"),
        ("first_cue", "i4"),
        ("end_cue", "i4"),
        ("trust", "i4"),  # column of `Users.satiation_trust` with what users have learned to expect of it; -1: nothing
        ("heard", "i4"),
    ],
    align=True,
)

FACET = np.dtype(
    [
        ("offset", "i4"),  # first column in tastes, and in the vectors of items
        ("width", "i4"),  # columns, a multiple of 8 (padded with zeros)
        ("saturation", "f8"),
        ("scale", "f8"),  # brings a saturated match back to unit variance
    ],
    align=True,
)

ATTRIBUTE_EFFECT = np.dtype(
    [
        ("revealed_by", "u4"),  # modalities by any of which it is known, bits
        ("promise", "i4"),  # -1: no promise; neither of the following: an attribute of `Items.attribute_effects`
        ("weight", "f8"),  # utility per second beyond `usual`, of a promise
        ("usual", "f8"),  # what is expected where the promise is not read, s
        ("ages", "i4"),  # 1: the item's age, which costs up to `weight`
        ("repeats", "i4"),  # 1: siblings had lately, worth up to `weight`, to items of parents of this `kind`
        ("kind", "i4"),
        ("rest", "f8"),  # logarithm of the share of `weight` that one sibling leaves
        ("types", "u4"),  # types of items that have such a promise or place, bits
        ("apart", "i4"),  # 1: the distance between item and user, worth `weight` per km beyond `usual`
        ("limit", "i4"),  # 1: the trait is a limit of the visit on the promise or distance, 0 none: what misses it
        # is worth `weight`
    ],
    align=True,
)
"""A number that is worth something to everybody and known where it is shown: a price, a delivery time, siblings had."""

COST = np.dtype([("attribute", "i4"), ("amount", "i4"), ("each", "i4"), ("weight", "f8")], align=True)
"""What a confirmation costs: an attribute of the item (`each` 1: of every item of a basket), or (-1) an amount."""

ANNOUNCED = np.dtype([("padding", "f8"), ("spread", "i4"), ("travels", "i4")], align=True)
"""A promise: what is added to the published waits, and how far it strays (table of a factor)."""

NOTE = np.dtype([("event", "i4"), ("log_odds", "f8"), ("slope", "f8")], align=True)
"""Something done while looking closer: a wish list, a bookmark."""

OUTREACH = np.dtype(
    [
        ("stage", "i4"),
        ("every", "f8"),  # s
        ("at", "f8"),  # s of simulated time after which each period's message comes; -1: the user's own
        ("reaches", "f8"),
        ("opened", "f8"),
        ("opened_after", "i4"),
    ],
    align=True,
)
"""Messages from outside that may open a visit."""

SUFFICES = np.dtype([("event", "i4"), ("modality", "i4"), ("probability", "f8"), ("value", "f8")], align=True)
"""A card that alone gives what was wanted; a row per stage, event -1: never."""

TYPE = np.dtype(
    [
        ("prior", "f8"),
        ("half_life", "f8"),
        ("knowledge", "i4"),
        ("kind", "i4"),  # kind of parent whose items had are remembered, -1 none
        ("memory", "f8"),  # half-life of that, s
        ("known", "f8"),  # precision of an experience of an item, just after it; 0: it is not remembered
        ("forgetting", "f8"),  # half-life of that precision, s
        ("known_of", "i4"),  # 1: of its creator
        ("known_by", "u4"),  # modalities by which it is known again, bits
        ("known_rate", "f8"),  # by which an experience moves what is kept; 1: it takes its place
        ("leaving", "f8"),  # by which the hazards of leaving are multiplied
        ("returning", "f8"),  # added to the log-odds of sending it back
        (
            "idiosyncratic",
            "f8",
        ),  # by which `USER_PARAMS.idiosyncratic` is multiplied: 0 of parents, which are an average
        ("own", "u4"),  # modalities that belong to parents of this type, not to their children, bits
    ],
    align=True,
)

USER_PARAMS = np.dtype(
    [
        ("idiosyncratic", "f8"),  # root of its share
        ("common_error", "f8"),  # variance c
        ("root_common_error", "f8"),
        ("return_goodwill", "f8"),
        ("churn", "f8"),
        ("churn_goodwill", "f8"),
        ("goodwill_gain", "f8"),
        ("goodwill_loss", "f8"),
        ("goodwill_tolerated", "f8"),
        ("goodwill_decay", "f8"),
        ("trust_rate", "f8"),
        ("satiation_step", "f8"),
        ("satiation_recovery", "f8"),
        ("satiation_weight", "f8"),
        ("leave_base", "f8"),
        ("leave_satisfaction", "f8"),
        ("leave_bad_streak", "f8"),
        ("leave_elapsed", "f8"),
        ("leave_tolerance", "f8"),
        ("budget", "i4"),
        ("tolerance", "i4"),
        ("return_after", "i4"),
        ("first_topic", "i4"),  # column of `Users.satiation_trust` with the satiation of the first topic
    ],
    align=True,
)
"""What holds for all users: one row."""

CONTEXT = np.dtype(
    [
        ("haste", "f8"),
        ("mindful", "f8"),
        ("elsewhere", "f8"),  # below 0: as the stage has it
        ("budget", "f8"),
        ("churn", "f8"),
        ("stated", "f8"),
        ("event", "i4"),
    ],
    align=True,
)
"""What a visit's context changes; row 0 is a visit without any and changes nothing."""

ACT = np.dtype(
    [
        ("event", "i4"),
        ("positive", "i4"),
        ("counter", "i4"),  # column of the counters, -1 none
        ("topic", "i4"),  # 1: it follows the item's topic
        ("detour", "i4"),  # 1: it leads elsewhere
        ("log_odds", "f8"),  # at satisfaction 0
        ("slope", "f8"),
    ],
    align=True,
)

OBSERVED = np.dtype([("probability", "f8"), ("lag", "i4")], align=True)
"""The observation model of one event; probability 0: nobody records it."""

LABEL = np.dtype([("events", "i8"), ("at_least", "f8"), ("or_duration", "i4")], align=True)
