"""Features of a user for a policy: the context of a request, the last events, the interests.

One place for it: an environment encodes the users of its episodes with these kernels, and a trained agent that answers
a platform's requests encodes its users with the same ones.
"""

from __future__ import annotations

import math

import numpy as np

from recommenders.contract.columns import DAY
from recommenders.models.kernel import kernel

CONTEXT = 8
"""Numbers of a context: sine and cosine of the hour and of the weekday; logarithms of 1 + days, visits, requests of the
visit; places of the slate as a share of the most there can be."""

_KEPT = np.float32(0.95)  # of what was liked, from event to event
_DISLIKED_SHARE = np.float32(0.4)  # consuming less than this of an item says that it was not liked
_MOST_SHARE = np.float32(1.5)
_MOST = np.float32(20.0)
_WEEK = 7.0 * DAY
_TAU = 6.283185307179586


@kernel
def remember(
    j: np.int64,
    item: np.int64,
    event: np.int64,
    value: np.float32,
    says: np.float32,
    duration: np.float32,
    features: np.ndarray,
    history_item: np.ndarray,
    history_event: np.ndarray,
    history_value: np.ndarray,
    liked: np.ndarray,
    weight: np.ndarray,
) -> None:
    """Take one event of user j into their memory.

    Args:
        j: row of the memory.
        item, event, value: as logged.
        says: what the event says about a liking, negative for a dislike; NaN: the share of `duration` that `value` is,
            less 0.4.
        duration: of the item, s.
        features: float32 (items, F).
        history_item, history_event, history_value: (n, H), latest last, -1 none; a share for what is consumed.
        liked: float32 (n, 2, F), fading sums of the features of what was liked and of what was not; `weight` (n, 2).
    """
    last = history_item.shape[1] - 1
    for h in range(last):
        history_item[j, h] = history_item[j, h + 1]
        history_event[j, h] = history_event[j, h + 1]
        history_value[j, h] = history_value[j, h + 1]
    if says != says:
        value = min(value / max(duration, np.float32(1.0)), _MOST_SHARE)
        says = value - _DISLIKED_SHARE
    history_item[j, last] = np.int32(item)
    history_event[j, last] = np.int32(event)
    history_value[j, last] = min(max(value, np.float32(0.0)), _MOST)
    side = 0 if says >= 0.0 else 1
    weight[j, side] = _KEPT * weight[j, side] + abs(says)
    for d in range(features.shape[1]):
        liked[j, side, d] = _KEPT * liked[j, side, d] + abs(says) * features[item, d]


@kernel
def tell_context(
    j: np.int64, time: float, starts_at: float, visit: np.int64, request: np.int64, share: float, context: np.ndarray
) -> None:
    """Write the context of a request into row j of float32 (n, CONTEXT).

    `time` s since the world's start, which was `starts_at` s after a Monday's midnight; `visit` counts from 0,
    `request` from 1; `share` is the slate's size as a share of the largest.
    """
    clock = time + starts_at
    context[j, 0] = math.sin(_TAU * clock / DAY)
    context[j, 1] = math.cos(_TAU * clock / DAY)
    context[j, 2] = math.sin(_TAU * clock / _WEEK)
    context[j, 3] = math.cos(_TAU * clock / _WEEK)
    context[j, 4] = math.log1p(time / DAY)
    context[j, 5] = math.log1p(np.float64(visit))
    context[j, 6] = math.log1p(np.float64(request))
    context[j, 7] = share


@kernel
def tell_interest(j: np.int64, liked: np.ndarray, weight: np.ndarray, interest: np.ndarray) -> None:
    """Write the mean features of what user j liked, then of what they did not, into row j of float32 (n, 2 F)."""
    width = liked.shape[2]
    for side in range(2):
        total = max(weight[j, side], np.float32(1e-6))
        for d in range(width):
            interest[j, side * width + d] = liked[j, side, d] / total
