"""Exploration place by place: most of a slate is the member's, some places hold random candidates."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from recommenders.compose.pipeline import Composed
from recommenders.contract import (
    NO_ITEM,
    Lists,
    Requests,
    Settings,
    Slates,
    calling,
    in_slates,
    setting,
    slates_of,
    validate_chances,
)
from recommenders.models.hashing import root
from recommenders.models.kernel import below, kernel, mix

_SCARCE = 4  # below one item of the pool in so many candidates they are dealt from a list


class _Asked(NamedTuple):
    """What of requests exploration depends on besides their lists: as in :class:`recommenders.contract.Requests`."""

    key: np.ndarray
    recent_start: np.ndarray
    recent_items: np.ndarray


class _Odds(NamedTuple):
    """How likely items are to stand in a slate, float64 (n,): of the member's, those it has and others of the pool."""

    own: np.ndarray
    other: np.ndarray


class _Room(NamedTuple):
    """Room for `_explore` to work in.

    Attributes:
        free: uint8 (beyond the highest item,), 0 everywhere; in the kernel 1 for the pool but for what stands already.
        barred: int32 (recent_items.size + 1,).
        deck: int32 (longest list + 1,).
        open: int64 (places,), the places that are filled anew.
    """

    free: np.ndarray
    barred: np.ndarray
    deck: np.ndarray
    open: np.ndarray


@kernel
def _chances(places: int, pool: int, epsilon: float) -> tuple[float, float]:
    """Return how likely an item of the member's slate, and another one of the pool, are to be in the slate.

    With e of the K places open, an item of the member's stays with (K - e) / K, and e of the pool's M - K + e others,
    what lost its place among them, are drawn; e is binomial. Without a place it is 1 and 0.
    """
    own, other = 0.0, 0.0
    if places == 0 or epsilon == 0.0:
        return 1.0, 0.0
    for e in range(places + 1):
        weight = 1.0  # of e open places; a product, so that no power of a tiny number is lost
        for k in range(e):
            weight *= (places - k) / (e - k) * epsilon
        for _ in range(places - e):
            weight *= 1.0 - epsilon
        drawn = e / (pool - places + e) if e else 0.0
        own += weight * ((places - e) / places + e / places * drawn)
        other += weight * drawn
    return own, other


@kernel
def _explore(
    items: np.ndarray, odds: _Odds, requests: _Asked, choice: Lists, start: np.uint64, epsilon: float, room: _Room
) -> None:
    """Open places of the member's slates ``items`` (n, k), in place, and fill them from the pool; say how likely."""
    key, recent_start, recent_items = requests
    lists, bounds, of = choice
    free, barred, deck, opened = room
    beyond = np.int64(free.size - 1)
    known_places, known_pool = np.int64(-1), np.int64(-1)
    for row in range(items.shape[0]):
        begin, end = bounds[of[row], 0], bounds[of[row], 1]
        if row == 0 or of[row] != of[row - 1]:
            for c in range(begin, end):
                free[lists[c]] = 1
        n_barred = 0
        for r in range(recent_start[row], recent_start[row + 1]):
            item = min(np.int64(recent_items[r]), beyond)
            barred[n_barred] = item
            n_barred += free[item]
            free[item] = 0
        pool = end - begin - n_barred
        places = 0
        while places < items.shape[1] and items[row, places] >= 0:
            pool += 1 - free[items[row, places]]  # shown lately, and yet in the slate: it is in the pool
            free[items[row, places]] = 1
            places += 1
        if places != known_places or pool != known_pool:
            known_places, known_pool = np.int64(places), np.int64(pool)
            own, other = _chances(places, pool, epsilon)
        odds.own[row], odds.other[row] = own, other
        draw = mix(start, key[row])
        n_open = 0
        for k in range(places):
            if np.float64(mix(draw, np.uint64(k)) >> np.uint64(11)) * 2.0**-53 < epsilon:
                opened[n_open] = k
                n_open += 1
            else:
                free[items[row, k]] = 0
        left = pool - (places - n_open)
        draw = mix(draw, np.uint64(places))
        if _SCARCE * (left - n_open) >= end - begin:
            attempt = np.uint64(0)
            for o in range(n_open):
                item = lists[begin + np.int64(below(mix(draw, attempt), np.uint64(end - begin)))]
                attempt += np.uint64(1)
                while free[item] == 0:
                    item = lists[begin + np.int64(below(mix(draw, attempt), np.uint64(end - begin)))]
                    attempt += np.uint64(1)
                free[item] = 0
                deck[o] = item
        elif n_open > 0:
            n = 0
            for c in range(begin, end):
                deck[n] = lists[c]
                n += free[lists[c]]
            for o in range(n_open):
                pick = o + np.int64(below(mix(draw, np.uint64(o)), np.uint64(left - o)))
                deck[o], deck[pick] = deck[pick], deck[o]
        for k in range(places):
            free[items[row, k]] = 1
        for o in range(n_open):
            items[row, opened[o]] = deck[o]
            free[deck[o]] = 1
        for b in range(n_barred):
            free[barred[b]] = 1
        if row + 1 < items.shape[0] and of[row + 1] != of[row]:
            for c in range(begin, end):
                free[lists[c]] = 0


@dataclass(frozen=True)
class PlacesSettings(Settings):
    """Settings of :class:`ExploringPlaces`."""

    member: str = setting(meaning="who recommends otherwise")
    epsilon: float = setting(0.1, "share of the places that hold random candidates", low=0, high=1)


class ExploringPlaces(Composed):
    """Each place of the member's slate is opened with chance epsilon, by the request's key, and filled at random.

    What is drawn from, without replacement, is the pool: the candidates that were not shown lately, and the member's
    own slate, but for what keeps its place. So an item's propensity is exact. Of a member that does not randomise, its
    items and all others of the pool have one chance each. Of one that does, `chances` says how often an item is its
    own; where it cannot say, there are no propensities at all, in any batch.
    """

    name: ClassVar[str] = "exploringplaces"
    takes_lists: ClassVar[bool] = True
    Config: ClassVar[type[Settings]] = PlacesSettings
    config: PlacesSettings

    def named(self) -> Iterator[tuple[str, str]]:
        """Name the member."""
        yield "member", self.config.member

    def recommend(self, requests: Requests) -> Slates:
        """Return the member's slates with random items in open places."""
        member = slates_of(self.members["member"], requests)
        items, odds = self._explored(requests, member)
        told = self._own(requests, items, member)
        if told is None:
            return Slates(items)
        # What the member does not have was drawn from the pool; of one that randomises it may be shown lately as well.
        found = _mixed(told, odds, None if member.propensity is None else in_slates(items, requests.recently_shown))
        return Slates(items, np.where(items != NO_ITEM, found, np.nan).astype(np.float32))

    def chances(self, requests: Requests, items: np.ndarray) -> np.ndarray | None:
        """Return the mixture of both, where the member can say."""
        member = slates_of(self.members["member"], requests)
        told = self._own(requests, items, member)
        if told is None:
            return None
        odds = self._explored(requests, member)[1]
        found = _mixed(told, odds, in_slates(items, requests.recently_shown))
        return np.where(np.isin(items, requests.candidates), found, 0.0)

    def _explored(self, requests: Requests, member: Slates) -> tuple[np.ndarray, _Odds]:
        items, lists = np.array(member.items, np.int32, order="C"), requests.lists
        odds = _Odds(np.empty(len(requests)), np.empty(len(requests)))
        highest = max(int(requests.candidates.max(initial=-1)), int(items.max(initial=-1)))
        room = _Room(
            np.zeros(highest + 2, np.uint8),
            np.empty(requests.recent_items.size + 1, np.int32),
            np.empty(max(lists.longest, items.shape[1]) + 1, np.int32),
            np.empty(items.shape[1], np.int64),
        )
        asked = _Asked(requests.key, requests.recent_start, requests.recent_items)
        start = root(self.seed, f"opens {self.config.member}")
        _explore(items, odds, asked, lists, start, float(self.config.epsilon), room)
        return items, odds

    def _own(self, requests: Requests, items: np.ndarray, member: Slates) -> np.ndarray | None:
        """Return how likely items (n, k) are to be in the member's slates, float64; None where it cannot say."""
        inside = self.members["member"]
        if member.propensity is None:  # it does not randomise, or it does and does not say so
            return None if inside.reproducibility == "none" else in_slates(items, member.items).astype(np.float64)
        told = np.empty(items.shape)
        for first, last, part in requests.by_list():
            with calling(inside, "chances"):
                chances: object = inside.chances(part, items[first:last])
            found = validate_chances(chances, items[first:last], inside.name)
            if found is None:
                return None
            told[first:last] = found
        return told


def _mixed(told: np.ndarray, odds: _Odds, lately: np.ndarray | None) -> np.ndarray:
    """Return how likely items (n, k) are to be in the slates; what was shown lately is never drawn."""
    other = odds.other[:, None] if lately is None else np.where(lately, 0.0, odds.other[:, None])
    return np.asarray(told * odds.own[:, None] + (1.0 - told) * other)
