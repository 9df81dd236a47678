"""What is shown as it is and worth the same to everybody, more or less: a price, a salary, a promised time."""

from __future__ import annotations

import math

import numpy as np

from simulator.kernel import kernel
from simulator.kernels.layout import Goods, People, Plan
from simulator.kernels.primitives import drawn, exponential, quantised
from simulator.randomness import mix

EVERYTHING = np.uint32(0xFFFFFFFF)
_SPREAD_KEY = np.uint64(1 << 22)  # below (user, item), beside those of the readings


@kernel
def promised_seconds(
    key: np.uint64, promise: int, user: int, item: int, plan: Plan, people: People, goods: Goods
) -> float:
    """What the platform announces to a user about an item, s.

    The waits published for the item's side and for the user's, the way between them, and a padding; times a factor by
    which the platform errs. It belongs to (user, item), whose `key` is that of their readings: looking again does not
    average it away.
    """
    a = plan.announced[promise]
    seconds = np.float64(goods.promised[item, promise]) + np.float64(people.promised[user, promise]) + a.padding
    if a.travels == 1:
        x = np.float64(goods.place[item, 0]) - np.float64(people.place[user, 0])
        y = np.float64(goods.place[item, 1]) - np.float64(people.place[user, 1])
        seconds += math.sqrt(x * x + y * y) / plan.speed[0]
    return quantised(seconds * drawn(plan.quantiles, a.spread, mix(key, _SPREAD_KEY)))


@kernel
def aside_worth(
    key: np.uint64, time: float, user: int, item: int, read: np.uint32, plan: Plan, people: People, goods: Goods
) -> float:
    """Worth of the numbers that are read (bits of modalities; EVERYTHING for the truth), beside what is usual.

    An age at `time` costs a growing share of what an entirely old item has lost: 1 - 2^(-age / half-life of its type).
    """
    total = 0.0
    for a in range(plan.asides.shape[0]):
        aside = plan.asides[a]
        if (read >> np.uint32(aside.modality)) & np.uint32(1) == 0:
            continue
        if aside.ages == 1:
            age = max(time - goods.published[item], 0.0)
            fresh = exponential(-0.6931471805599453 * age / plan.types[goods.facts[item].type].half_life, plan.powers)
            total += aside.weight * (1.0 - fresh) * np.float64(people.traits[user, a])
        elif aside.promise < 0:
            total += np.float64(goods.asides[item, a]) * np.float64(people.traits[user, a])
        else:
            seconds = promised_seconds(key, np.int64(aside.promise), user, item, plan, people, goods)
            total += aside.weight * (seconds - aside.usual) * np.float64(people.traits[user, a])
    return total
