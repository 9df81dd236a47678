"""Recall: what a user had before, of an item or of its creator, is one more cue to what it is worth."""

from __future__ import annotations

import numpy as np

from simulator.engine.jit.compile import inlined, internal
from simulator.engine.primitives import exponential
from simulator.engine.tables.tables import Array, Numbers

_LN_2 = 0.6931471805599453
CREATORS = 1 << 31
"""Where the numbers of creators that are remembered begin, beside those of items."""


@inlined
def known_again(item: int, creator: int, kind: Array) -> int:
    """Return the number under which a user keeps what they had of an item of a type: its own, or its creator's."""
    return CREATORS + creator if kind.known_of == 1 else item


@inlined
def recalled(
    mean: float, variance: float, user: int, item: int, attended: np.uint32, time: float, numbers: Numbers
) -> tuple[float, float]:
    """Return a belief about an item, with what the user remembers of it where they recognise it (`known_again`)."""
    if numbers.item_memory.shape[1] > 0:
        kind = numbers.types[numbers.items[item].type]
        if attended & kind.known_by != 0 and kind.known > 0.0:
            subject = known_again(item, np.int64(numbers.items[item].creator), kind)
            return with_memory(mean, variance, user, subject, time, kind, numbers)
    return mean, variance


@internal
def with_memory(
    mean: float, variance: float, user: int, subject: int, time: float, kind: Array, numbers: Numbers
) -> tuple[float, float]:
    """Return a belief about a subject with what the user remembers of it; `kind` is the row of its item's type.

    The memory is a cue of precision p = known * 2^(-age / forgetting) about the worth itself, combined with the belief
    by precision (Ernst and Banks 2002); numbers that are shown (prices, ages) are no part of it.
    """
    memory, exp_log_tables = numbers.item_memory, numbers.exp_log_tables
    for k in range(memory.shape[1]):
        if memory[user, k].at > 0.0 and np.int64(memory[user, k].item) == subject:
            age = max(time - memory[user, k].at, 0.0)
            precision = kind.known * exponential(-_LN_2 * age / kind.forgetting, exp_log_tables)
            share = precision * variance / (1.0 + precision * variance)
            return mean + share * (np.float64(memory[user, k].worth) - mean), variance * (1.0 - share)
    return mean, variance


@internal
def keep_in_mind(memory: Array, user: int, subject: int, worth: float, rate: float, time: float) -> None:
    """Remember what a subject had at `time` > 0 s turned out to be worth; where no place is left, the oldest goes.

    What is kept moves by a share `rate` from what it was to what it turned out to be this time.
    """
    place, met = 0, worth
    for k in range(memory.shape[1]):
        if memory[user, k].at > 0.0 and np.int64(memory[user, k].item) == subject:
            place = k
            if rate < 1.0:
                met = np.float64(memory[user, k].worth)
                met += rate * (worth - met)
            break
        if memory[user, k].at < memory[user, place].at:
            place = k
    memory[user, place].item = np.uint32(subject)
    memory[user, place].worth = np.float32(met)
    memory[user, place].at = time
