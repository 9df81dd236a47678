"""The memory layout that compiled kernels and the rest of the engine share.

Users, visits, items and events are rows of structured arrays; matrices (tastes, contents, slates ...) lie beside them.
The tables of a compiled scenario (`Plan`) are plain arrays whose columns are named by the enumerations below.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from simulator.engine.jit.compile import numba
from simulator.engine.jit.structs import group
from simulator.engine.tables.case_row import CASE
from simulator.engine.tables.codes import (
    BY_CREATOR as BY_CREATOR,
    MOST_PICKS as MOST_PICKS,
    OUTCOMES as OUTCOMES,
    SCRATCH_WIDTH as SCRATCH_WIDTH,
    About as About,
    AtEnd as AtEnd,
    CardColumn as CardColumn,
    Draw as Draw,
    Layout as Layout,
    StageKind as StageKind,
    Status as Status,
    Tally as Tally,
)
from simulator.engine.tables.plan_rows import (
    ACT as ACT,
    ANNOUNCED as ANNOUNCED,
    ATTRIBUTE_EFFECT as ATTRIBUTE_EFFECT,
    CONTEXT as CONTEXT,
    COST as COST,
    CUE as CUE,
    FACET as FACET,
    LABEL as LABEL,
    MODALITY as MODALITY,
    NOTE as NOTE,
    OBSERVED as OBSERVED,
    OUTREACH as OUTREACH,
    STAGE as STAGE,
    SUFFICES as SUFFICES,
    TYPE as TYPE,
    USER_PARAMS as USER_PARAMS,
)
from simulator.engine.tables.state_rows import (
    CARD as CARD,
    DAY as DAY,
    DEFERRED as DEFERRED,
    EVENT as EVENT,
    FIXED as FIXED,
    FOLLOWED as FOLLOWED,
    HOUR as HOUR,
    ITEM as ITEM,
    ITEM_MEMORY as ITEM_MEMORY,
    ITEMS_REMEMBERED as ITEMS_REMEMBERED,
    LEVELS as LEVELS,
    LEVELS_PER_UNIT as LEVELS_PER_UNIT,
    MAX_FACETS as MAX_FACETS,
    MAX_SCREEN as MAX_SCREEN,
    N_TALLIES as N_TALLIES,
    NO_CASE as NO_CASE,
    OFFER as OFFER,
    PARENT_HISTORY as PARENT_HISTORY,
    PARENTS_REMEMBERED as PARENTS_REMEMBERED,
    RANKS as RANKS,
    TICKS_PER_SECOND as TICKS_PER_SECOND,
    TOPICS_FOLLOWED as TOPICS_FOLLOWED,
    USER as USER,
    USUAL as USUAL,
    VISIT as VISIT,
    VISIT_MEMORY as VISIT_MEMORY,
    Array as Array,
)


@group
class Plan(NamedTuple):
    """A compiled scenario: every table that the kernels read."""

    stages: Array  # STAGE (stages,)
    shares: npt.NDArray[np.float64]  # (stages, outcomes, 3): successor 0 below [0], 1 below [1], else 2
    alternatives: npt.NDArray[np.int32]  # (stages, outcomes, 3): successors, -1 exit
    skim: npt.NDArray[np.float64]  # (stages, RANKS): probability of looking at the k-th card of a screen, or of a list
    leave_by_share: npt.NDArray[np.float64]  # (steps, 2): parts of a play, and hazards added from there on, 1/s
    screens: npt.NDArray[np.int64]  # (stages, devices, 2): bit per visible modality; cards on a screen
    demands: npt.NDArray[np.float64]  # (stages, devices, 2): utility demanded of an item, and of one more in a basket
    intents: npt.NDArray[np.float64]  # (segments, 2, intents): cumulative shares of first visits, and of later ones
    reluctance: npt.NDArray[np.float64]  # (intents, stages): what a visit demands beyond `demands`
    entries: npt.NDArray[np.float64]  # (stages,): cumulative share of visits that begin there
    devices: npt.NDArray[np.float64]  # (devices,): cumulative share of visits
    cues: Array  # CUE (cues,): (modality, facet) pairs
    modalities: Array  # MODALITY (modalities,)
    facets: Array  # FACET (facets,)
    types: Array  # TYPE (types,)
    weights: npt.NDArray[np.float64]  # (types, facets + 2 * modalities): root of the facet's share of the variance of
    # utility; then the factor by which a modality is read more exactly than of other types; then the roots of these
    user_params: Array  # HABITS (1,)
    acts: Array  # ACT (acts,)
    observation: Array  # OBSERVED (events,)
    labels: Array  # LABEL (labels,)
    hours: npt.NDArray[np.float64]  # (25,) or (169,): cumulative activity at each full hour of the day or week, s
    starts_at: npt.NDArray[np.float64]  # (1,): hour of the day of time 0, s
    quantiles: npt.NDArray[np.float32]  # (tables, 4096); row NORMAL is the standard normal
    exp_log_tables: npt.NDArray[np.float64]  # (642,): tables of exponentials and logarithms
    events: npt.NDArray[np.int32]  # (stages, 4): event of an outcome that leaves one, then of going on; -1 none
    attribute_effects: Array  # ATTRIBUTE_EFFECT (effects,)
    costs: Array  # COST (costs,)
    notes: Array  # NOTE (notes,)
    outreach: Array  # OUTREACH (kinds of messages,)
    suffices: Array  # SUFFICES (stages,)
    announced: Array  # ANNOUNCED (promises,)
    speed: npt.NDArray[np.float64]  # (1,): km/s; 0 without places
    contexts: Array  # CONTEXT (segments, 1 + contexts, devices)
    context_hours: npt.NDArray[np.float64]  # (24 or 168, contexts): cumulative share of visits that begin in
    # an hour of the day, or of the week
    context_devices: npt.NDArray[np.float64]  # (segments, 1 + contexts, devices): cumulative shares
    context_mutes: npt.NDArray[np.float64]  # (1 + contexts, modalities): probability of not attending in a visit
    counted: npt.NDArray[np.int32]  # (events, 2): counter of an event, counter that adds its values up; -1 none
    act_bounds: npt.NDArray[np.float64]  # (LEVELS, acts + 1): highest probability of each act at a level of
    # satisfaction; then the probability that none is left open by these bounds


NORMAL = 0
"""Row of `Plan.quantiles` that holds the standard normal."""


@group
class Users(NamedTuple):
    """Users: what they are and where they stand; one row per user."""

    state: Array  # USER (n,)
    taste: npt.NDArray[np.float32]  # (n, D)
    satiation_trust: npt.NDArray[np.float32]  # (n, trusts + topics): learned bias of each modality where one can be
    # learned, then satiation per topic, from `USER_PARAMS.first_topic` on
    followed: npt.NDArray[np.uint32]  # (n, FOLLOWED): ring of creators; where topics are followed, 1 + each of these
    traits: npt.NDArray[np.float32] = np.zeros((0, 0), dtype=np.float32)  # (n, effects): how much each matters
    place: npt.NDArray[np.float32] = np.zeros((0, 2), dtype=np.float32)  # (n, 2), km, or (n, 0) without places
    promised: npt.NDArray[np.float32] = np.zeros((0, 0), dtype=np.float32)  # (n, promises): published, s
    parent_history: Array = np.zeros((0, 0), dtype=PARENT_HISTORY)  # (n, PARENTS_REMEMBERED); (n, 0): none remembered
    item_memory: Array = np.zeros((0, 0), dtype=ITEM_MEMORY)  # (n, ITEMS_REMEMBERED); (n, 0): none is remembered
    deferred: Array = np.zeros((0, 0), dtype=DEFERRED)  # (n, 1), or (n, 0) where nothing is put off
    pace: npt.NDArray[np.float32] = np.zeros((0, 0), dtype=np.float32)  # (n, 1): how often each comes, over how often
    # the scenario's users do; or (n, 0): all as often


@group
class Items(NamedTuple):
    """Items: what they are and what they show; one row per item."""

    state: Array  # ITEM (n,)
    vectors: npt.NDArray[np.float32]  # (n, D + W): truth, then the contents of all cues
    bias_appeal: npt.NDArray[np.float32]  # (n, 2 * modalities): bias of each modality, then appeal of each
    published_counters: npt.NDArray[np.float32]  # (n, read-outs): published at the last tick, standardised
    attributes: npt.NDArray[np.float32] = np.zeros((0, 0), dtype=np.float32)  # (n, attributes): as they are
    attribute_effects: npt.NDArray[np.float32] = np.zeros(
        (0, 0), dtype=np.float32
    )  # (n, effects): worth of the attributes shown
    place: npt.NDArray[np.float32] = np.zeros((0, 2), dtype=np.float32)  # (n, 2), km
    promised: npt.NDArray[np.float32] = np.zeros((0, 0), dtype=np.float32)  # (n, promises): published, s
    published: npt.NDArray[np.float64] = np.zeros(0, dtype=np.float64)  # (n,): s
    parent: npt.NDArray[np.int32] = np.zeros(0, dtype=np.int32)  # (n,): number of the item's parent, -1 none
    menu: npt.NDArray[np.int32] = np.zeros(0, dtype=np.int32)  # children of listed parents, those of one together
    menus: npt.NDArray[np.int32] = np.zeros((0, 4), dtype=np.int32)  # (parents + creators, 4): from, to in `menu`; own
    # row, -1 none; kind of parent. Creators, where menus are of them, come from the end: c is row -1 - c
    offered: npt.NDArray[np.float64] = np.zeros((0, 2), dtype=np.float64)  # (n, 2): from, until, s, in whole ticks


@group
class Visits(NamedTuple):
    """Rows of visits (and of users who are about to arrive) within a tick."""

    state: Array  # VISIT (m,)
    slate: Array  # OFFER (m, K)
    memory: npt.NDArray[np.int32]  # (m, VISIT_MEMORY): ring of this visit's items, -1 none
    memory_value: npt.NDArray[np.float32]  # (m, VISIT_MEMORY): share consumed, capped at 1.5
    menu: Array  # CARD (m, cards of the longest menu)


EVERY_EVENT = np.ones(256, dtype=np.uint8)
"""Flags of events, by their codes: all are set."""


@group
class Output(NamedTuple):
    """What a kernel writes besides the state: one set per thread."""

    records: Array  # EVENT (capacity,); capacity 0: nothing is recorded
    tallies: npt.NDArray[np.int64]  # (N_TALLIES,)
    counters: npt.NDArray[np.int64]  # (items, 1 + counters): exposures, then counted events
    scratch: npt.NDArray[np.float64]  # (MAX_SCREEN, SCRATCH_WIDTH)
    messages: Array = np.zeros(0, dtype=CASE)  # CASE (capacity,): decisions that the world has to know of
    n_messages: npt.NDArray[np.int64] = np.zeros(1, dtype=np.int64)  # (1,)
    wanted: npt.NDArray[np.uint8] = EVERY_EVENT  # (256,): 1 for events whose records somebody reads


@group
class Numbers(NamedTuple):
    """What users judge by: every table of the plan, of users and of items that worths, beliefs and memories read."""

    cues: Array
    modalities: Array
    facets: Array
    types: Array
    weights: npt.NDArray[np.float64]
    user_params: Array
    quantiles: npt.NDArray[np.float32]
    exp_log_tables: npt.NDArray[np.float64]
    attribute_effects: Array
    announced: Array
    speed: npt.NDArray[np.float64]
    users: Array
    taste: npt.NDArray[np.float32]
    satiation_trust: npt.NDArray[np.float32]
    traits: npt.NDArray[np.float32]
    user_place: npt.NDArray[np.float32]
    user_promised: npt.NDArray[np.float32]
    parent_history: Array
    item_memory: Array
    items: Array
    vectors: npt.NDArray[np.float32]
    bias_appeal: npt.NDArray[np.float32]
    published_counters: npt.NDArray[np.float32]
    worths: npt.NDArray[np.float32]
    item_place: npt.NDArray[np.float32]
    item_promised: npt.NDArray[np.float32]
    published: npt.NDArray[np.float64]
    parent: npt.NDArray[np.int32]


@numba.extending.register_jitable  # type: ignore[untyped-decorator]  # from Python and from kernels
def numbers_of(plan: Plan, users: Users, items: Items) -> Numbers:
    """Return the tables of a world that its users judge by."""
    return Numbers(
        plan.cues, plan.modalities, plan.facets, plan.types, plan.weights, plan.user_params, plan.quantiles,
        plan.exp_log_tables, plan.attribute_effects, plan.announced, plan.speed, users.state, users.taste,
        users.satiation_trust, users.traits, users.place, users.promised, users.parent_history, users.item_memory,
        items.state, items.vectors, items.bias_appeal, items.published_counters, items.attribute_effects, items.place,
        items.promised, items.published, items.parent,
    )  # fmt: skip


@group
class Tables(NamedTuple):
    """All that visits read and write, handed from function to function by one address."""

    numbers: Numbers
    plan: Plan
    users: Users
    items: Items
    visits: Visits
    out: Output
