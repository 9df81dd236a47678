"""What is shown as it is and worth the same to everybody, more or less: a price, a salary, a promised time."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from simulator.engine.jit.compile import internal, numba
from simulator.engine.jit.structs import group
from simulator.engine.primitives import drawn, exponential, quantised
from simulator.engine.randomness import mix
from simulator.engine.tables.tables import Array, Goods, People, Plan
from simulator.engine.user.repetition import had_lately, repeated


@group
class Numbers(NamedTuple):
    """Every table that these kernels read, of the plan, of users and of items."""

    asides: Array
    announced: Array
    types: Array
    speed: npt.NDArray[np.float64]
    quantiles: npt.NDArray[np.float32]
    powers: npt.NDArray[np.float64]
    traits: npt.NDArray[np.float32]
    user_place: npt.NDArray[np.float32]
    user_promised: npt.NDArray[np.float32]
    items: Array
    worths: npt.NDArray[np.float32]
    item_place: npt.NDArray[np.float32]
    item_promised: npt.NDArray[np.float32]
    published: npt.NDArray[np.float64]
    had: Array
    parent: npt.NDArray[np.int32]


@numba.extending.register_jitable  # type: ignore[untyped-decorator]  # from Python and from kernels
def numbers_of(plan: Plan, people: People, goods: Goods) -> Numbers:
    """The tables of a world that say what its numbers are worth."""
    return Numbers(
        plan.asides, plan.announced, plan.types, plan.speed, plan.quantiles, plan.powers,
        people.traits, people.place, people.promised,
        goods.facts, goods.asides, goods.place, goods.promised, goods.published,
        people.had, goods.parent,
    )  # fmt: skip


EVERYTHING = np.uint32(0xFFFFFFFF)
_SPREAD_KEY = np.uint64(1 << 22)  # below (user, item), beside those of the readings


@internal
def distance(user: int, item: int, numbers: Numbers) -> float:
    """How far an item is from a user, km."""
    x = np.float64(numbers.item_place[item, 0]) - np.float64(numbers.user_place[user, 0])
    y = np.float64(numbers.item_place[item, 1]) - np.float64(numbers.user_place[user, 1])
    return math.sqrt(x * x + y * y)


@internal
def between(key: np.uint64, promise: int, user: int, item: int, numbers: Numbers) -> float:
    """What lies between an item and a user: what is promised, s, or where `promise` is below 0 the distance, km."""
    if promise < 0:
        return distance(user, item, numbers)
    return promised_seconds(key, promise, user, item, numbers)


@internal
def promised_seconds(key: np.uint64, promise: int, user: int, item: int, numbers: Numbers) -> float:
    """What the platform announces to a user about an item, s.

    The waits published for the item's side and for the user's, the way between them, and a padding; times a factor by
    which the platform errs. It belongs to (user, item), whose `key` is that of their readings: looking again does not
    average it away.
    """
    a = numbers.announced[promise]
    seconds = (
        np.float64(numbers.item_promised[item, promise]) + np.float64(numbers.user_promised[user, promise]) + a.padding
    )
    if a.travels == 1:
        seconds += distance(user, item, numbers) / numbers.speed[0]
    return quantised(seconds * drawn(numbers.quantiles, a.spread, mix(key, _SPREAD_KEY)))


@internal
def aside_worth(key: np.uint64, time: float, user: int, item: int, read: np.uint32, numbers: Numbers) -> float:
    """Worth of the numbers that are read (bits of modalities; EVERYTHING for the truth), beside what is usual.

    An age at `time` costs a growing share of what an entirely old item has lost: 1 - 2^(-age / half-life of its type).
    Siblings had lately are worth a growing share of what a repetition is worth: 1 - (1 - first)^n after n of them.
    What misses a limit that the visit sets on a promise or a distance is worth less.
    """
    total = 0.0
    for a in range(numbers.asides.shape[0]):
        aside = numbers.asides[a]
        if read != EVERYTHING and read & aside.told == 0:
            continue
        if aside.repeats == 1:
            kind = numbers.types[numbers.items[item].type]
            if kind.kind == aside.kind:
                amount = had_lately(
                    numbers.had, user, np.int64(numbers.parent[item]), time, kind.memory, numbers.powers
                )
                total += aside.weight * repeated(aside.rest, amount, numbers.powers)
        elif aside.ages == 1:
            age = max(time - numbers.published[item], 0.0)
            fresh = exponential(
                -0.6931471805599453 * age / numbers.types[numbers.items[item].type].half_life, numbers.powers
            )
            total += aside.weight * (1.0 - fresh) * np.float64(numbers.traits[user, a])
        elif aside.promise < 0 and aside.apart == 0:
            total += np.float64(numbers.worths[item, a]) * np.float64(numbers.traits[user, a])
        elif (aside.types >> np.uint32(numbers.items[item].type)) & np.uint32(1):
            trait = np.float64(numbers.traits[user, a])
            if aside.limit == 1 and trait == 0.0:
                continue
            amount = between(key, np.int64(aside.promise), user, item, numbers)
            if aside.limit == 0:
                total += aside.weight * (amount - aside.usual) * trait
            elif amount > trait:
                total += aside.weight
    return total
