"""An A/B test inside one platform: users are dealt to two members for good, and both live on one log and one supply."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from recommenders.compose.pipeline import Composed
from recommenders.contract import (
    NO_ITEM,
    Requests,
    Settings,
    Slates,
    calling,
    in_slates,
    setting,
    slates_of,
    validate_chances,
)
from recommenders.models.hashing import mix, root, uniform


def is_treated(users: np.ndarray, share: float, salt: int) -> np.ndarray:
    """Return which users are dealt to the treated member, bool of their shape: whoever knows share and salt can tell.

    Args:
        users: numbers of users, as requests and logs have them.
        share: of users who are treated, from 0 to 1.
        salt: which deal of all; others are independent of it.

    >>> users = np.arange(10_000)
    >>> bool(abs(is_treated(users, 0.3, salt=1).mean() - 0.3) < 0.02), is_treated(users, 1.0, 1).all()
    (True, np.True_)
    """
    draw = mix(np.full(1, root(salt, "ab")), np.asarray(users).astype(np.uint64))
    return np.asarray(uniform(draw) < share)


@dataclass(frozen=True)
class ABSettings(Settings):
    """Settings of :class:`AB`."""

    treated: str = setting(meaning="who recommends to the treated")
    control: str = setting(meaning="who recommends to all others")
    share: float = setting(0.5, "share of users who are treated", low=0, high=1)
    salt: int = setting(0, "which users: another number deals them anew", low=0)


class AB(Composed):
    """Each user gets the slates of one of two members, by a keyed hash of the user's number.

    Both members are fitted on the whole log, as on one platform: what the one brings about, the other learns from, and
    both draw on one supply. An item's propensity is that of the user's own member; of a member that does not randomise,
    it is 1. Where a member cannot be repeated, there are none at all.
    """

    name: ClassVar[str] = "ab"
    takes_lists: ClassVar[bool] = True
    Config: ClassVar[type[Settings]] = ABSettings
    config: ABSettings

    def named(self) -> Iterator[tuple[str, str]]:
        """Name the two members."""
        yield from (("treated", self.config.treated), ("control", self.config.control))

    def recommend(self, requests: Requests) -> Slates:
        """Return each user's slate from the user's own member."""
        items = np.full((len(requests), requests.slate_size), NO_ITEM, np.int32)
        propensity = np.full(items.shape, np.nan, np.float32)
        for place, rows in self._dealt(requests):
            found = slates_of(self.members[place], requests.take(rows))
            items[rows] = found.items
            own = np.ones(found.items.shape) if found.propensity is None else found.propensity
            propensity[rows] = np.where(found.items != NO_ITEM, own, np.nan)
        return Slates(items) if self.reproducibility == "none" else Slates(items, propensity)

    def chances(self, requests: Requests, items: np.ndarray) -> np.ndarray | None:
        """Return what the user's own member says; None where one cannot say, or cannot be repeated."""
        if self.reproducibility == "none":
            return None
        found = np.full(items.shape, np.nan)
        for place, rows in self._dealt(requests):
            member, asked = self.members[place], requests.take(rows)
            slates = slates_of(member, asked)
            if slates.propensity is None:  # it does not randomise
                found[rows] = in_slates(items[rows], slates.items)
                continue
            with calling(member, "chances"):
                given: object = member.chances(asked, items[rows])
            own = validate_chances(given, items[rows], member.name)
            if own is None:
                return None
            found[rows] = own
        return found

    def _dealt(self, requests: Requests) -> Iterator[tuple[str, np.ndarray]]:
        """Yield each member that has requests to answer, and their rows, rising."""
        treated = is_treated(requests.user, self.config.share, self.config.salt)
        for place, rows in (("treated", np.flatnonzero(treated)), ("control", np.flatnonzero(~treated))):
            if rows.size:
                yield place, rows
