"""The memory layout of cases and of the world that they share: what waits, what runs out, who is where.

A case is an order or an application: it lives beside the visits, as one row. The rows of `HEAP` say what happens next,
in the order of (time, kind, key). The tables of the compiled world (`WorldPlan`) say what a case walks through.
"""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from simulator.engine.jit.structs import group
from simulator.engine.tables.case_row import CASE as CASE
from simulator.engine.tables.tables import Array, Items, Numbers, Output, Plan, Users

NO_ROW = -1
NEVER = np.inf
MAX_RESOURCES = 16

EXIT, GONE = -1, -2
"""Successors that end a case; GONE: its user needs the platform no more."""


class Happens(IntEnum):
    """What a row of the heap is about. At one time, the lower number comes first."""

    SHIFT = 0  # a resource's servers come or go
    RESTOCK = 1  # a unit's stock is filled up
    CHOOSE = 2  # those who wait for a chooser are compared
    ENTER = 3  # a case enters its stage
    ASK = 4  # a case asks for the resource of its step
    STEP_END = 5
    CHOSEN = 6  # a case hears what a chooser decided
    EXPERIENCE = 7
    ACT = 8
    RATE = 9
    RETURN = 10
    CANCEL = 11
    EXPIRE = 12


class Per(IntEnum):
    """What a resource has one unit of."""

    WORLD = 0
    ITEM = 1
    CREATOR = 2
    USER = 3
    ZONE = 4
    PARENT = 5


class ResourceKind(IntEnum):
    """How a resource is shared."""

    QUEUE = 0
    STOCK = 1
    OPENINGS = 2
    SLOTS = 3


class Travel(IntEnum):
    """Which way a step goes."""

    NONE = 0
    TO_ITEM = 1
    TO_USER = 2


class Terminal(IntEnum):
    """How a case ended."""

    OPEN = 0
    EXITED = 1
    GONE = 2


class CaseDraw(IntEnum):
    """What a draw of a case decides, within (user, case, stage, step)."""

    NEEDS = 0
    DURATION = 1
    WITHDRAWS = 2
    PASSES = 3
    UNANSWERED = 4
    CANCEL = 5
    CANCEL_AT = 6
    CANCEL_LATE = 7
    AFTER = 8
    SKIPPED = 9
    NOISE = 10
    RATES = 11
    RATING_NOISE = 12
    RATING_DELAY = 13
    RETURNS = 14
    RETURN_DELAY = 15
    SUCCESSOR = 16
    SPREAD = 17
    RESTOCK = 18
    CHOSEN = 19
    AGAIN = 20
    LASTS = 21
    TEXT = 22
    RECORD = 24  # + nothing: the event's number is a further key
    ACT = 64  # + number of the act
    ACT_DELAY = 128  # + number of the act


HAPPENING = np.dtype(
    [("time", "f8"), ("key", "u8"), ("kind", "i4"), ("detail", "i4"), ("slot", "i4"), ("generation", "u4")], align=True
)
"""A row of the heap: `slot` is a case's row, or a unit, or a resource."""

UNIT = np.dtype(
    [
        ("capacity", "i4"),  # servers outside of all shifts; capacity per period of slots
        ("busy", "i4"),
        ("waiting", "i4"),
        ("first", "i4"),  # case at the head of the line, -1 none
        ("last", "i4"),
        ("level", "i4"),  # units left: stock, openings, slots of this period
        ("ordered", "i4"),  # 1: new stock is on its way; of a review batch: a decision is due
        ("restocks", "i4"),
        ("filled", "i4"),  # openings that were filled for ever
        ("period", "i8"),
        ("closes", "f8"),  # openings are closed to who comes from then on, s
        ("first_server", "i4"),  # of those that have places
        ("n_servers", "i4"),
        ("share", "f8"),  # users that a number per user counts here; 1 of what is no number per user
        ("rounding", "f8"),  # in [0, 1), evenly spread over the units: added before the rest is cut off; 0 as above
        # sums, for Little's law and for measures
        ("arrivals", "i8"),
        ("served", "i8"),
        ("waited", "f8"),  # s, summed over those who were served
        ("since", "f8"),  # when `area` was brought up to date, s
        ("area", "f8"),  # integral of the line's length, s
        ("work", "f8"),  # integral of busy servers, s
    ],
    align=True,
)
"""One kitchen, one item's stock, one employer's recruiters; or the review batch of a chooser who compares."""

RESOURCE = np.dtype(
    [
        ("kind", "i4"),
        ("per", "i4"),
        ("first_unit", "i4"),
        ("n_units", "i4"),
        ("service", "i4"),  # table of quantiles, -1: the steps say how long
        ("slowdown", "f8"),
        ("more", "f8"),  # of the service, for every item of a case beyond the `usual` number
        ("usual", "f8"),
        ("line", "f8"),  # the most that may wait, inf any number; this and the next three for each of a unit's `share`
        ("every", "f8"),  # s; 0: at any time
        ("first_shift", "i4"),
        ("n_shifts", "i4"),
        ("restock_below", "f8"),
        ("restock_to", "f8"),
        ("restock_lead", "i4"),
        ("moves", "i4"),
    ],
    align=True,
)

SHIFT = np.dtype([("starts", "f8"), ("ends", "f8"), ("capacity", "f8")], align=True)
"""Servers of a unit in some hours of the day: `capacity` for each of its `share`."""

STEP = np.dtype(
    [
        ("event", "i4"),  # -1 none
        ("uses", "i4"),  # resource, -1 none
        ("holds", "u4"),  # resources kept to the end of this step, bits
        ("delay", "i4"),  # table, -1: the resource's own service
        ("needs", "f8"),
        ("passes", "f8"),
        ("withdraws", "f8"),
        ("unanswered", "f8"),
        ("chooser", "i4"),  # -1 none
        ("review_batch", "i4"),  # first of its review batches, one per item, if the chooser compares
        ("travels", "i4"),
        ("first_slow", "i4"),
        ("n_slow", "i4"),
        ("mean", "f8"),  # of the delay or service, s: what a promise counts on
    ],
    align=True,
)

SLOW = np.dtype([("circumstance", "i4"), ("factor", "f8")], align=True)

FULFIL = np.dtype(
    [
        ("kind", "i4"),  # of the stage
        ("surface", "i4"),
        ("first_step", "i4"),
        ("n_steps", "i4"),
        ("promise", "i4"),  # -1 none
        ("announced", "i4"),  # event, -1 none
        ("cancel", "f8"),
        ("cancel_late", "f8"),  # 1/s, once the promise is broken
        ("expires_after", "f8"),  # s, inf never
        ("expected", "f8"),  # s, sum of the steps' means
        # consume
        ("after", "i4"),
        ("noise", "f8"),  # standard deviation
        ("skipped", "f8"),
        # respond
        ("loss_aversion", "f8"),
        ("experience_weight", "f8"),
        ("confirmation", "f8"),
        ("first_act", "i4"),
        ("n_acts", "i4"),
        ("rating_event", "i4"),  # -1 none
        ("rating_log_odds", "f8"),
        ("rating_slope", "f8"),
        ("rating_noise", "f8"),
        ("rating_delay", "i4"),
        ("first_threshold", "i4"),
        ("n_thresholds", "i4"),
        ("text_event", "i4"),  # beside a rating, -1 none
        ("text_log_odds", "f8"),
        ("text_slope", "f8"),
        ("late_promise", "i4"),  # -1: lateness does not matter
        ("late_threshold", "f8"),
        ("late_effect", "f8"),
        ("late_per_second", "f8"),
        ("early", "f8"),
        ("returns", "i4"),  # 1: may go back
        ("returns_log_odds", "f8"),
        ("returns_slope", "f8"),
        ("returns_delay", "i4"),
        ("again_types", "u8"),  # types of items that their users come back for, bits
        ("again_log_odds", "f8"),
        ("again_slope", "f8"),
        ("again_lasts", "i4"),
        ("again_stage", "i4"),  # of a visit
        ("never_came", "f8"),  # what it is worth, NaN: no case comes here without an experience
        ("never_came_acts", "u8"),  # bits
        ("never_came_rates", "i4"),
    ],
    align=True,
)
"""A row per stage of the life cycle: what cases need to know of it."""

CASE_ACT = np.dtype(
    [("event", "i4"), ("counter", "i4"), ("log_odds", "f8"), ("slope", "f8"), ("delay", "i4")], align=True
)

CHOOSER = np.dtype(
    [
        ("first_row", "i4"),  # in the choosers' tastes
        ("offset", "i4"),
        ("width", "i4"),
        ("knowledge", "i4"),
        ("threshold", "f8"),
        ("temperature", "f8"),
        ("scale", "f8"),
        ("shortlist", "i4"),  # the most that pass in one decision; 0: each is judged alone
        ("capacity_of", "i4"),  # resource of which no more pass than are left, -1 none
        ("every", "f8"),  # s between decisions
        ("judgment_event", "i4"),  # -1 none, as the next
        ("match_event", "i4"),
    ],
    align=True,
)

PROMISE = np.dtype([("first_part", "i4"), ("n_parts", "i4")], align=True)

PART = np.dtype([("resource", "i4"), ("mean", "f8"), ("kept", "f8")], align=True)
"""A step that a promise counts: the published wait for its resource, how long the step takes on average, and how long
what it uses is kept from the next who waits, s."""


@group
class WorldPlan(NamedTuple):
    """The compiled world: tables that do not change."""

    stages: Array  # FULFIL (stages,)
    next: npt.NDArray[np.int32]  # (stages, 4, 3): successors of outcomes, EXIT, GONE
    shares: npt.NDArray[np.float64]  # (stages, 4, 3): cumulative
    events: npt.NDArray[np.int32]  # (stages, 4): event of an outcome, -1 none
    steps: Array  # STEP
    slows: Array  # SLOW
    acts: Array  # CASE_ACT
    thresholds: npt.NDArray[np.float64]
    resources: Array  # RESOURCE
    shifts: Array  # SHIFT
    choosers: Array  # CHOOSER
    promises: Array  # PROMISE
    parts: Array  # PART
    first_period: npt.NDArray[np.int64]  # (circumstances + 1,): where the rows of each begin in `periods`
    periods: npt.NDArray[np.float64]  # (n, 2): begin and end of each time at which a circumstance holds, s
    speed: npt.NDArray[np.float64]  # (1,): km/s; 0 without places


@group
class Geography(NamedTuple):
    """Whom and what the world's units belong to: does not change."""

    parent: npt.NDArray[np.int32]  # (items,): number of its parent, -1 none
    zone: npt.NDArray[np.int32]  # (users,)
    user_place: npt.NDArray[np.float32]  # (users, 2), km
    item_place: npt.NDArray[np.float32]  # (items, 2), km
    chooser_taste: npt.NDArray[np.float32]  # (choosers, W)
    qualification: npt.NDArray[np.float32]  # (users, W)


@group
class CaseState(NamedTuple):
    """Everything that changes: plain arrays, a checkpoint keeps them as they are."""

    cases: Array  # CASE (slots,)
    heap: Array  # HAPPENING (room,)
    free: npt.NDArray[np.int32]  # (slots,): stack of slots that no case has
    units: Array  # UNIT
    servers: npt.NDArray[np.int32]  # (servers,): case that each serves, -1 none
    places: npt.NDArray[np.float32]  # (servers, 2), km
    counts: npt.NDArray[np.int64]  # (N_COUNTS,): see Count


class Count(IntEnum):
    """Single numbers of a `CaseState`."""

    HEAP = 0  # rows in use
    FREE = 1
    POSTED = 2
    ENDED = 3
    LATE = 4  # fulfilled after the promise
    PROMISED = 5  # fulfilled, with a promise
    RATED = 6
    STARS = 7
    RECORDS = 8  # written in this call


N_COUNTS = 16


@group
class CaseTables(NamedTuple):
    """Everything that a happening reads or writes: what its kernels hand to each other."""

    shared: WorldPlan
    geography: Geography
    state: CaseState
    plan: Plan
    users: Users
    items: Items
    numbers: Numbers  # of these `plan`, `users` and `items`
    out: Output
    earliest: npt.NDArray[np.float64]  # of the arrivals of each block of users, s: see `due.present`; (0,): not kept
