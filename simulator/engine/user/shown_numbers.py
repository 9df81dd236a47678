"""What is shown as it is and worth the same to everybody, more or less: a price, a salary, a promised time."""

from __future__ import annotations

import math

import numpy as np

from simulator.engine.jit.compile import internal
from simulator.engine.primitives import drawn, exponential, quantised
from simulator.engine.randomness import mix
from simulator.engine.tables.tables import Numbers as Numbers, numbers_of as numbers_of
from simulator.engine.user.repetition import had_lately, repeated

EVERYTHING = np.uint32(0xFFFFFFFF)
_SPREAD_KEY = np.uint64(1 << 22)  # below (user, item), beside those of the readings


@internal
def distance(user: int, item: int, numbers: Numbers) -> float:
    """Return how far an item is from a user, km."""
    x = np.float64(numbers.item_place[item, 0]) - np.float64(numbers.user_place[user, 0])
    y = np.float64(numbers.item_place[item, 1]) - np.float64(numbers.user_place[user, 1])
    return math.sqrt(x * x + y * y)


@internal
def between(key: np.uint64, promise: int, user: int, item: int, numbers: Numbers) -> float:
    """Return what lies between an item and a user: a promise, s, or where `promise` is below 0 the distance, km."""
    if promise < 0:
        return distance(user, item, numbers)
    return promised_seconds(key, promise, user, item, numbers)


@internal
def promised_seconds(key: np.uint64, promise: int, user: int, item: int, numbers: Numbers) -> float:
    """Return what the platform announces to a user about an item, s.

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
def attribute_utility(key: np.uint64, time: float, user: int, item: int, read: np.uint32, numbers: Numbers) -> float:
    """Return the worth of the numbers that are read (bits of modalities; EVERYTHING for the truth), beside the usual.

    An age at `time` costs a growing share of what an entirely old item has lost: 1 - 2^(-age / half-life of its type).
    Siblings had lately are worth a growing share of what a repetition is worth: 1 - (1 - first)^n after n of them.
    What misses a limit that the visit sets on a promise or a distance is worth less.
    """
    total = 0.0
    for a in range(numbers.attribute_effects.shape[0]):
        effect = numbers.attribute_effects[a]
        if read != EVERYTHING and read & effect.revealed_by == 0:
            continue
        if effect.repeats == 1:
            kind = numbers.types[numbers.items[item].type]
            if kind.kind == effect.kind:
                history, parent = numbers.parent_history, np.int64(numbers.parent[item])
                amount = had_lately(history, user, parent, time, kind.memory, numbers.exp_log_tables)
                total += effect.weight * repeated(effect.rest, amount, numbers.exp_log_tables)
        elif effect.ages == 1:
            age = max(time - numbers.published[item], 0.0)
            fresh = exponential(
                -0.6931471805599453 * age / numbers.types[numbers.items[item].type].half_life, numbers.exp_log_tables
            )
            total += effect.weight * (1.0 - fresh) * np.float64(numbers.traits[user, a])
        elif effect.promise < 0 and effect.apart == 0:
            total += np.float64(numbers.worths[item, a]) * np.float64(numbers.traits[user, a])
        elif (effect.types >> np.uint32(numbers.items[item].type)) & np.uint32(1):
            trait = np.float64(numbers.traits[user, a])
            if effect.limit == 1 and trait == 0.0:
                continue
            amount = between(key, np.int64(effect.promise), user, item, numbers)
            if effect.limit == 0:
                total += effect.weight * (amount - effect.usual) * trait
            elif amount > trait:
                total += effect.weight
    return total
