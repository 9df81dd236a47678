"""Rows of what lives: structured types of users, visits, items and events, and what bounds them."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np

Array: TypeAlias = Any
"""A structured array, or one row of it: numpy's types know nothing of fields."""

HOUR, DAY = 3600.0, 86400.0
"""Seconds of an hour and of a day. (`simulator.scenario.durations` has them for what is no kernel.)"""

TICKS_PER_SECOND = 1024.0
"""All times are multiples of 1/1024 s: sums and differences of them are exact, before and after a resume."""

FIXED = 1048576.0
"""Sums of real numbers are kept as integers of 1/2^20, so that no order of adding can change them."""

NO_CASE = 0xFFFFFFFF
"""Absent case or parent case in a row of events; null in the logs."""

FOLLOWED = 4
"""Followed creators that a user's likes remember."""

TOPICS_FOLLOWED = 4
"""Followed topics that are kept of a user, behind the creators, where topics can be followed."""

VISIT_MEMORY = 64
"""Items of a visit that its requests can carry."""

MAX_SCREEN = 32
RANKS = 1024
"""Places of a list by which attention falls; it is the same from there on."""
"""Cards on one screen at the most."""

PARENTS_REMEMBERED = 12
"""Parents of items had lately that a user remembers, where that is worth anything."""

ITEMS_REMEMBERED = 24
"""Items had lately whose worth a user remembers, where types are remembered at all."""

MAX_FACETS = 8

USUAL, LEVELS_PER_UNIT = 4.0, 8.0
LEVELS = int(2.0 * USUAL * LEVELS_PER_UNIT)
"""Levels of satisfaction, from -USUAL to USUAL, at each of which an act has a highest probability."""

N_TALLIES = 160

OFFER = np.dtype([("item", "i4"), ("propensity", "f4")], align=True)
"""One place of a slate."""

USER = np.dtype(
    [
        ("due", "f8"),  # next arrival, s
        ("satiated_at", "f8"),  # when the satiation row was last brought up to date, s
        ("key", "u8"),  # whose draws are the user's: the number of the user, where a world draws them all
        ("visits", "u4"),
        ("cases", "u4"),
        ("days", "u4"),  # bit per day of the run with a visit (first 32)
        ("goodwill", "f4"),
        ("own_goodwill", "f4"),
        ("patience", "f4"),
        ("row", "i4"),  # row of the open visit, -1 when away
        ("segment", "u2"),  # combination of groups that the user is in
        ("called", "i2"),  # stage that a message from outside opens at the next arrival, -1 none
        ("followed_n", "u1"),  # creators followed so far; from FOLLOWED on only its place in their ring counts
        ("gone", "u1"),
    ],
    align=True,
)

DEFERRED = np.dtype(
    [
        ("until", "f8"),  # s; when there is nothing, never
        ("seconds", "f8"),  # so far, of a play to be continued; 0: it is a decision that was put off
        ("item", "u4"),  # NO_CASE none
        ("case", "u4"),  # of a play to be continued, as what follows
        ("stage", "i4"),
        ("expected", "f4"),
        ("belief", "f4"),
        ("belief_sd", "f4"),
    ],
    align=True,
)
"""What a user has put off for a later visit: a decision, or a play to be continued."""

PARENT_HISTORY = np.dtype([("parent", "i4"), ("amount", "f4"), ("at", "f8")], align=True)
"""A parent whose items a user had lately: how many of them, as of a time in s; amount 0: a free place."""

ITEM_MEMORY = np.dtype([("item", "u4"), ("worth", "f4"), ("at", "f8")], align=True)
"""An item that a user had, what it was worth then, and when, s; at 0: a free place."""

ITEM = np.dtype(
    [
        ("duration", "f4"),
        ("creator", "u4"),
        ("missing", "u4"),  # modalities that it does not have, bits
        ("topic", "u2"),
        ("type", "u1"),
    ],
    align=True,
)

VISIT = np.dtype(
    [
        ("clock", "f8"),
        ("start", "f8"),
        ("played_at", "f8"),
        ("watched", "f8"),
        ("resumed", "f8"),  # s of a play that an earlier visit had; 0: it begins here
        ("decisions", "u8"),  # keys of the visit's draws
        ("observations", "u8"),
        ("perceptions", "u8"),  # keys of the user's
        ("knowing", "u8"),
        ("user", "u4"),
        ("visit", "u4"),
        ("request", "u4"),
        ("item", "u4"),
        ("case", "u4"),
        ("attended", "u4"),
        ("seed", "u4"),  # item last chosen by the user in this visit, NO_CASE none
        ("muted", "u4"),  # modalities that the user does not attend to in this visit, bits
        ("haste", "f4"),  # by which the visit's context multiplies the hazards of leaving
        ("mindful", "f4"),  # and the attention
        ("elsewhere", "f4"),  # probability of an unattended play in this visit; below 0: that of the stage
        ("budget", "f4"),
        ("tolerance", "f4"),
        ("belief", "f4"),
        ("belief_sd", "f4"),
        ("utility", "f4"),  # what the item is worth
        ("lived", "f4"),  # what was met of it: utility less satiation, or the belief where the play ended before
        ("expected", "f4"),
        ("satisfaction", "f4"),
        ("tolerated", "f4"),
        ("sought", "f4"),
        ("propensity", "f4"),
        ("best", "f4"),
        ("total", "f8"),
        # These are small, and yet of 4 bytes: two of 2 bytes are read as one word, which has to wait for both stores.
        ("shown", "u4"),
        ("slate_n", "u4"),
        ("position", "u4"),
        ("above", "u4"),  # places of the same list in the slates before
        ("slot", "u4"),
        ("memory_n", "u4"),
        ("policy", "u4"),
        ("streak", "u4"),
        ("menus", "u4"),  # opened in this visit
        ("menu_n", "u4"),  # cards of the one that was opened last
        ("menu_at", "u4"),
        ("taken", "u4"),  # cards of it that are in a basket
        ("listed", "u4"),  # where the last slate of a list in an order that the visit asked for begins in that list
        ("listed_at", "u4"),  # its request, 0 none
        ("status", "u1"),
        ("stage", "u1"),
        ("device", "u1"),
        ("slate_stage", "u1"),
        ("listed_in", "u1"),  # stage of that list
        ("context", "u1"),  # 0 none, else 1 + its number
        ("intent", "u1"),  # row of `Plan.reluctance`
        ("playing", "u1"),  # a play: 2 about to start, 1 open, 5 to be left; 3: a closer look; its end is in `clock`
        ("outcome", "u1"),
        ("unattended", "u1"),
        ("picked", "u1"),  # chosen from cards, not played by itself
        ("judged", "u1"),
        ("known", "u1"),
        ("inside", "u1"),  # a menu is open
        ("walled", "u1"),  # the play ends at a paywall
        ("reopened", "u1"),  # since the last slate, something that was remembered
    ],
    align=True,
)

CARD = np.dtype(
    [
        ("item", "i4"),
        ("attended", "u4"),  # what was read of it, bits
        ("taken", "u4"),  # 1: it is in the basket; 2: it was, and has had its turn
        ("belief", "f4"),  # of what was taken, as are the next two
        ("belief_sd", "f4"),
        ("utility", "f4"),
    ],
    align=True,
)
"""One place of a menu: a child of the chosen parent, or a card of a slate from which several are taken."""

EVENT = np.dtype(
    [
        ("time", "f8"),
        ("logged_at", "f8"),
        ("user", "u4"),
        ("session", "u4"),
        ("request", "u4"),
        ("item", "u4"),
        ("case", "u4"),
        ("parent_case", "u4"),
        ("value", "f4"),
        ("propensity", "f4"),
        ("belief", "f4"),
        ("belief_sd", "f4"),
        ("utility", "f4"),
        ("satisfaction", "f4"),
        ("visible", "u4"),
        ("attended", "u4"),
        ("position", "u2"),
        ("policy_version", "u2"),
        ("surface", "u1"),
        ("device", "u1"),
        ("stage", "u1"),
        ("event", "u1"),
    ],
    align=True,
)
