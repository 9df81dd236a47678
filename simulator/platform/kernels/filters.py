"""Kernels of the selection criteria of visits: draws by key, what visits state to the platform, and what is near."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from simulator.engine.jit.compile import internal, kernel
from simulator.engine.jit.structs import group
from simulator.engine.randomness import CRITERIA, PERCEPTION, mix, root, uniform
from simulator.engine.tables.tables import Array
from simulator.engine.user.shown_numbers import Numbers, distance, promised_seconds
from simulator.platform.kernels.lists import CandidateLists

LIMIT, TYPE, TOPIC = 0, 1, 2
"""What a criterion is on."""

OPTION = np.dtype(
    [
        ("kind", "i4"),  # LIMIT, TYPE or TOPIC
        ("between", "i4"),  # 1: on what lies between item and user
        ("values", "i8"),  # that it can have
        ("present", "f8"),  # probabilities: a visit has it,
        ("stated", "f8"),  # says so,
        ("hard", "f8"),  # and bends to nothing
        ("column", "i8"),  # of traits, its first; -1 none
        ("turns", "i8"),  # the first row of what it adds to a taste; -1 nothing
    ]
)
"""A criterion."""

_PRESENT, _STATED, _HARD, _WHICH = range(4)


@group
class Wishes(NamedTuple):
    """Hold the criteria of a scenario, and what they read and write of users."""

    options: Array  # OPTION (criteria,)
    codes: npt.NDArray[np.float32]  # (criteria, values): what requests say
    stages: npt.NDArray[np.bool_]  # (criteria, stages): where it is stated
    types: npt.NDArray[np.float64]  # (types,): shares of the item types, added up
    topics: npt.NDArray[np.int16]  # (users, interests): what they look for
    turns: npt.NDArray[np.float32]  # (rows, width): what a need adds to a taste
    own: npt.NDArray[np.float32]  # (users, width): tastes that no visit changes
    taste: npt.NDArray[np.float32]  # (users, width): those that visits turn
    traits: npt.NDArray[np.float32]  # (users, columns)


@group
class Stated(NamedTuple):
    """Hold what n rows ask for, as `wishes_of` fills it in."""

    criteria: npt.NDArray[
        np.float32
    ]  # (n, criteria): what visits state to the platform, codes and limits, NaN for nothing
    filters: npt.NDArray[np.int16]  # (n, criteria): the values of those that are filters, -1 none
    code: npt.NDArray[np.int64]  # (n,): of the kind of each row; a number of its filters is put behind it


@kernel
def wishes_of(
    seed: int,
    chosen: npt.NDArray[np.int64],
    rows: Array,
    turning: bool,
    moves: bool,
    w: Wishes,
    out: Stated,
) -> None:
    """Draw what the rows `chosen` ask for, keyed by their user and visit; those of new visits turn their users.

    Args:
        seed: the world's.
        chosen: places in `rows`, (n,).
        rows: all visits.
        turning: whether a need turns tastes; `moves`, whether a criterion changes anything in a user.
        w: the criteria; tastes and traits are changed in place.
        out: filled; in `code` the filters on the item alone come first.
    """
    criteria, filters, code = out.criteria, out.filters, out.code
    options, codes, stages = w.options, w.codes, w.stages
    own, taste, turns, traits = w.own, w.taste, w.turns, w.traits
    start = root(seed, CRITERIA)
    n_criteria = options.shape[0]
    for k in range(chosen.shape[0]):
        v = rows[chosen[k]]
        user, stage = np.int64(v.user), np.int64(v.slate_stage)
        begins = moves and v.request == 1
        asks = begins
        for c in range(n_criteria):
            asks |= stages[c, stage]
            criteria[k, c] = np.float32(np.nan)
            filters[k, c] = -1
        if not asks:  # where nothing is stated to the platform, and nothing begins, there is nothing to draw
            continue
        mine = mix(mix(start, np.uint64(user)), np.uint64(v.visit))
        if begins and turning:
            for d in range(taste.shape[1]):
                taste[user, d] = own[user, d]
        for c in range(n_criteria):
            o = options[c]
            key = mix(mine, np.uint64(c))
            present = uniform(mix(key, np.uint64(_PRESENT))) < o.present
            value = _value_of(uniform(mix(key, np.uint64(_WHICH))), o, user, w.types, w.topics)
            if begins and o.turns >= 0 and present:
                for d in range(taste.shape[1]):
                    taste[user, d] += turns[o.turns + value, d]
            if begins and o.column >= 0:
                if o.between == 1:
                    traits[user, o.column] = codes[c, value] if present else np.float32(0.0)
                else:
                    for level in range(o.values):
                        traits[user, o.column + level] = np.float32(present and level == value)
            if present and stages[c, stage] and uniform(mix(key, np.uint64(_STATED))) < o.stated:
                criteria[k, c] = codes[c, value]
                if uniform(mix(key, np.uint64(_HARD))) < o.hard:
                    filters[k, c] = value
    for between in range(2):
        for c in range(n_criteria):
            if options[c].between == between:
                for k in range(chosen.shape[0]):
                    code[k] = code[k] * (options[c].values + 1) + filters[k, c] + 1


@internal
def _value_of(draw: float, o: Array, user: int, types: npt.NDArray[np.float64], topics: npt.NDArray[np.int16]) -> int:
    """Return the value that a visit's criterion has: a level, a type by its share, or one of the user's topics."""
    if o.kind == LIMIT:
        return np.int64(draw * o.values)
    if o.kind == TOPIC:
        return np.int64(topics[user, np.int64(draw * topics.shape[1])])
    value = np.int64(0)
    while value < types.shape[0] - 1 and types[value] <= draw:
        value += 1
    return value


@group
class Limits(NamedTuple):
    """Hold n visits and their limits on what lies between items and their users."""

    users: npt.NDArray[np.int64]  # (n,)
    persons: npt.NDArray[np.uint64]  # (n,): the keys of the users' draws
    promises: npt.NDArray[np.int64]  # (k,): what each limit is on: a promise, or -1: the distance
    most: npt.NDArray[np.float64]  # (n, k), s or km; inf where a visit sets none
    rest: npt.NDArray[np.int64]  # (n,): the list to choose from where nothing is near enough


@kernel
def find_near(
    seed: int,
    limits: Limits,
    lists: CandidateLists,
    numbers: Numbers,
    first: int,
    used: int,
    near: npt.NDArray[np.bool_],
) -> int:
    """Put up the lists of what keeps to the limits of visits on what lies between.

    Args:
        seed: the world's.
        limits: the visits, and what they set.
        lists: all lists, with room for new ones, and the one that each visit chooses from.
        numbers: tables of the world.
        first: the number of the first new one; they lie from `used` on.
        near: room to work in, (candidates,).

    Returns:
        Where the last of them ends.
    """
    items, bounds, of = lists.items, lists.bounds, lists.of
    users, persons, promises, most, rest = limits.users, limits.persons, limits.promises, limits.most, limits.rest
    start = root(seed, PERCEPTION)
    for r in range(users.shape[0]):
        perceptions = mix(start, persons[r])
        begin, m = bounds[of[r], 0], bounds[of[r], 1] - bounds[of[r], 0]
        near[:m] = True
        for k in range(promises.shape[0]):
            if most[r, k] < np.inf:
                _within(perceptions, users[r], items[begin : begin + m], promises[k], most[r, k], numbers, near)
        bounds[first + r, 0] = used
        for c in range(m):
            items[used] = items[begin + c]
            used += np.int64(near[c])
        bounds[first + r, 1] = used
        if bounds[first + r, 0] == used:
            bounds[first + r, 0], bounds[first + r, 1] = bounds[rest[r], 0], bounds[rest[r], 1]
    return used


@internal
def _within(
    perceptions: np.uint64,
    user: int,
    items: npt.NDArray[np.int32],
    promise: int,
    limit: float,
    numbers: Numbers,
    near: npt.NDArray[np.bool_],
) -> None:
    """Leave of `near` what of `items` keeps to a limit."""
    if promise < 0:  # a loop of its own, so that it is one over numbers alone
        for c in range(items.shape[0]):
            near[c] &= distance(user, np.int64(items[c]), numbers) <= limit
    else:
        for c in range(items.shape[0]):
            item = np.int64(items[c])
            near[c] &= promised_seconds(mix(perceptions, np.uint64(item)), promise, user, item, numbers) <= limit
