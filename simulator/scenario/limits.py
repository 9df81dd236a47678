"""How large anything may be that a scenario file says or a run is asked for: every limit, and its reason, in one place.

There are three kinds. *Numbers* are bounded by their unit, far above what anybody meant and far below what arithmetic
can bear: then no sum, product or quotient of them overflows, no table holds an infinity, and no decision is a NaN.
*Tables* of a file are bounded by what stands for their entries: a bit, a byte, a key of a draw. *Sizes* are bounded by
the arrays that are made of them. What depends on several of them at once, memory above all, is asked when a run begins
(`simulator.plan.size`).

The schema, `check`, the settings of a run and the engine's tables all read these names; the JSON schema shows them.
"""

from __future__ import annotations

from simulator.scenario.durations import DAY

# ---- numbers, in SI, by what their unit is made of

CENTURY = 36500 * DAY
"""Seconds: the longest run."""

SHORTEST = 1 / 1024
"""Seconds: the time step of the engine. What comes again and again cannot come faster."""

SHORTEST_TICK = 1.0
"""Seconds: shared state is published at every tick, which costs about a millisecond."""

BETWEEN_MESSAGES = 600.0
"""Seconds: who stays away for a century is still looked up message by message."""

LEAST = 1e-12
"""Of any number but 0 and shares, in SI: below it, quotients overflow."""

MOST = 1e6
"""Of a number whose unit is none of the following, and of the pure parameters of a distribution."""

MOST_OF = {
    "s": 10 * CENTURY,  # nothing that takes longer than a run can be told from what never happens
    "1/s": 1 / SHORTEST,  # a hazard: something happens once per time step
    # Utility is counted in standard deviations of what items are worth: 1,000 of them already decide everything. Sums
    # of them are whole numbers of 1/2^20, which have room for 2^43.
    "utility": 1e3, "goodwill": 1e3, "log-odds": 1e3, "exponent": 100.0,
    "ratio": 1e9, "stars": 100.0,
    "km": 40_000.0,  # round the earth
    "km/s": 300_000.0,  # the speed of light
    "eur": 1e9, "usd": 1e9,
}  # fmt: skip
"""The largest number of a unit, without its sign."""

REACH = 1e6
"""How far the values of a distribution may go beyond the largest number of its unit: tails are long."""

SHAPES = (1e-3, 1e3)
"""Least and most of a distribution's shape: beyond, its quantiles are one value, or 0 and an infinity."""

WORTH = 1e6
"""Utility: the most that a number on a card may be worth, or cost, to a user: value, weight and trait together."""

WEIGHT = 1e6
"""Of an hour or a day in a profile, and as a ratio to the least that is not 0."""

# ---- sizes: what arrays are made of

DIMENSIONS = 1024
"""Of a facet or a feature: the draws of a row are keyed by column + 1,024 * block."""

CLUSTERS = 4096
"""Of a facet: every user has a satiation, and every list of topics a place, for each."""

INTERESTS = 256
"""Clusters that a user is interested in: the draws of others begin behind so many."""

DECLARED = 64
"""Interests that a user declares: each is a column of every request."""

SLATE = 500
"""Items of a slate, cards of a menu: each is logged, and a visit must have room for every card of every menu on it."""

UNITS = 1_000_000
"""Servers, slots, openings or units of stock that one unit of a resource may have, and items of one parent."""

PLACED_SERVERS = 10_000
"""Servers with places of one unit: each case looks for the nearest of them."""

ZONES = 10_000
"""Each has units of its own, and cases that wait there."""

CREATORS_PER_ITEM = 10
"""Most creators then have no item at all; each has a row."""

RECENT = 10_000
"""Items lately sent to a user that the platform remembers."""

PICKS = 8
"""Items of a basket, and units ordered to choose from: a case, or a visit's record of it, has room for so many."""

AMOUNT = 1000
"""Units of an item taken at once, and rounds that a play loops."""

STARS = 100
"""Of a rating's scale, whose cut points are listed."""

PERIODS = 1_000_000
"""Spells of one circumstance in a run: each is a row."""

POLICIES = 65_535
"""Models put in charge during a run: the log numbers them in 16 bits."""

WHOLE = 2**31 - 1
"""Of whole numbers that are no size: they fit 32 bits."""

MOST_USERS = 2**32 - 2
"""They are numbered in 32 bits."""

MOST_ITEMS = 2**31 - 2
"""They are numbered in 31 bits."""

MOST_SEED = 2**63 - 1
"""It is the first key of every draw."""

THREADS = 256
"""Each has sums of its own for every item, and they are added up at every tick."""

WINDOWS = 4096
"""Of a tick: of a quarter of an hour, each is a fifth of a second."""

BATCH = 2**31 - 2
"""Requests scored at a time: they are numbered in 31 bits."""

# ---- tables: what stands for their entries

MODALITIES = 32
"""They are bits of a word."""

NAMED = 127
"""Stages, surfaces and devices: the log codes them in a signed byte."""

LABELS = 16
"""Each has a count of its own."""

ACTS = 32
"""Responses of one stage: their draws are keyed, and a visit has room to record all of them."""

STEPS = 16
"""Of a hazard over a play: they are gone through one by one."""

NOTES = 8
"""What may be done while looking closer: the draws of others begin behind so many."""

COSTS = 32
"""Of one decision: their draws are the last of a byte."""

ATTRIBUTES = 80
"""Numbers of items, and traits of users: the draws of others begin behind so many."""

ENTRIES = 64
"""Of every other table or list of names. Nobody reads a scenario with more."""

PARTITIONS = 16
"""Ways to divide users into groups: draws of who is in which begin before those of traits."""

SEGMENTS = 4096
"""Combinations of groups: visits have rows for each, and users 16 bits."""

NAME = 80
"""Letters of a name: it becomes a column, or part of a file's name."""
