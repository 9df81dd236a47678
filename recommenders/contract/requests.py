"""What is asked of a recommender: batches of requests, whose arrays nobody can change."""

from __future__ import annotations

import typing
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, Self

import numpy as np

from recommenders.contract.candidate_lists import Lists
from recommenders.contract.errors import RecommenderError
from recommenders.contract.sealing import sealed

NO_ITEM = -1
"""Padding of item arrays in requests and slates."""

_PER_ROW = {
    "key": "u8", "user": "u4", "session": "u4", "request": "u4", "time": "f8",
    "surface": "u1", "device": "u1", "stage": "u1", "anchor_item": "i4", "context": "i1",
    "sorting": "i1",
}  # fmt: skip
_PER_ROW_WIDE = {"events_item": "i4", "events_value": "f4", "stated": "i4", "criteria": "f4"}
_SHAPES = [
    (name, np.dtype(kind), dimensions)
    for names, dimensions in ((_PER_ROW, 1), (_PER_ROW_WIDE, 2))
    for name, kind in names.items()
]
_ROWS = (*_PER_ROW, *_PER_ROW_WIDE)
_ARRAYS = (*_ROWS, "recent_start", "recent_items", "candidates")

_WARNED: set[str] = set()  # old names that somebody has been warned of

Seen = Literal["last", "allow"]
"""What may be recommended again: items that a user has had come 'last', when others run out, or are allowed."""


@dataclass(frozen=True)
class Requests:
    """A batch of n slate requests, in the order of the engine's keys.

    Attributes:
        key: uint64 (n,), the request's luck. Whatever a plug-in draws for a request must be a pure function of its
            key and of the plug-in's seed, so that a slate does not depend on the batch that it was made in.
        user, session, request: uint32 (n,).
        time: float64 (n,), s.
        surface, device, stage: uint8 (n,), codes as in the log.
        recent_start: int64 (n + 1,), and recent_items: int32 (recent_start[-1],), items lately sent to the user of row
            r: ``recent_items[recent_start[r] : recent_start[r + 1]]``. They are not to be recommended unless the
            candidates run out. ``recently_shown`` has the same as a matrix.
        events_item: int32 (n, H), the visit's own items so far, latest last, padded with -1 at the end. H differs from
            batch to batch.
        events_value: float32 (n, H), how much of each was consumed, in [0, 1.5]; NaN where there is no item.
        candidates: int32 (m,), the items that can be shown now, rising. All requests of a batch choose from them; only
            a recommender that says ``takes_lists`` is given batches with `several` lists of them.
        slate_size: items wanted per request.
        seen: the policy for items that the user has had (a positive at fit, or part of this visit): 'last' (only when
            other candidates run out) or 'allow' (people order again). What is in `recently_shown` comes last either
            way.
        stated: int32 (n, S), what the user has declared an interest in, as codes of a public column of the items,
            padded with -1; S is 0 where the platform asks for nothing.
        criteria: float32 (n, C), what the user asks for in this visit, a column for each of the scenario's criteria:
            the code of a topic or type, or a limit (on a public column, on a promised time, s, or on a distance, km);
            NaN where the user says nothing. Whatever is a filter is applied: `candidates` are those that pass. C is 0
            where visits have no criteria.
        anchor_item: int32 (n,), the item that a slate is asked for next to (the article just read, the product looked
            at, the song that a radio began with), -1 where there is none. It is among what was lately sent.
        context: int8 (n,), the visit's context (work, sport, sleep) by its number in the scenario, where the user
            tells; -1 where the platform knows of none.
        sorting: int8 (n,), the order (cheapest first, newest first) that the visit has had a list put in before, by its
            number in the scenario; -1 none. A list in an order is not asked for here: it is the platform's own.
        several: the lists of candidates that the requests choose from, each from one of them (filters make them); None,
            the common form, where all choose from `candidates`. ``lists`` has either form as lists.

    All arrays are sealed (:mod:`recommenders.contract.sealing`): a recommender cannot change what it was asked, and may
    keep it.
    """

    key: np.ndarray
    user: np.ndarray
    session: np.ndarray
    request: np.ndarray
    time: np.ndarray
    surface: np.ndarray
    device: np.ndarray
    stage: np.ndarray
    recent_start: np.ndarray
    recent_items: np.ndarray
    events_item: np.ndarray
    events_value: np.ndarray
    candidates: np.ndarray
    slate_size: int
    seen: Seen = "last"
    stated: np.ndarray = field(default_factory=lambda: np.empty((0, 0), np.int32))
    criteria: np.ndarray = field(default_factory=lambda: np.empty((0, 0), np.float32))
    anchor_item: np.ndarray = field(default_factory=lambda: np.empty(0, np.int32))
    context: np.ndarray = field(default_factory=lambda: np.empty(0, np.int8))
    sorting: np.ndarray = field(default_factory=lambda: np.empty(0, np.int8))
    several: Lists | None = None

    def __post_init__(self) -> None:
        n = len(self)
        if self.stated.size == 0:
            object.__setattr__(self, "stated", np.empty((n, 0), np.int32))
        if self.criteria.size == 0:
            object.__setattr__(self, "criteria", np.empty((n, 0), np.float32))
        if self.anchor_item.size == 0:
            object.__setattr__(self, "anchor_item", np.full(n, NO_ITEM, np.int32))
        if self.context.size == 0:
            object.__setattr__(self, "context", np.full(n, -1, np.int8))
        if self.sorting.size == 0:
            object.__setattr__(self, "sorting", np.full(n, -1, np.int8))
        for name, dtype, dimensions in _SHAPES:  # for each of many small batches: no more than it takes
            array: np.ndarray = getattr(self, name)
            shape = array.shape
            if len(shape) != dimensions or shape[0] != n or array.dtype != dtype:
                raise RecommenderError(
                    f"requests.{name}",
                    f"is {array.dtype} of shape {array.shape}",
                    f"expected {dtype} with {dimensions} dimension(s) and {n} rows",
                )
        start, sent = self.recent_start, self.recent_items
        if start.shape != (len(self) + 1,) or start.dtype != np.int64 or start[0] != 0 or start[-1] != sent.size:
            raise RecommenderError(
                "requests.recent_start",
                f"is {start.dtype} of shape {start.shape}",
                f"expected int64 ({len(self) + 1},), from 0 to the {sent.size} of recent_items",
            )
        if sent.ndim != 1 or sent.dtype != np.int32:
            raise RecommenderError("requests.recent_items", f"is {sent.dtype}", "expected int32, one dimension")
        if self.events_item.shape != self.events_value.shape:
            raise RecommenderError(
                "requests.events_value", f"has shape {self.events_value.shape}", f"expected {self.events_item.shape}"
            )
        if self.candidates.ndim != 1 or self.candidates.dtype != np.int32:
            raise RecommenderError(
                "requests.candidates", f"is {self.candidates.dtype}", "expected int32, one dimension"
            )
        if self.several is not None:
            object.__setattr__(self, "several", self.several.checked(n, self.candidates))
        if self.slate_size < 1:
            raise RecommenderError("requests.slate_size", f"is {self.slate_size}", "expected at least 1")
        if self.seen not in typing.get_args(Seen):
            raise RecommenderError("requests.seen", f"is {self.seen!r}", "expected 'last' or 'allow'")
        for name in _ARRAYS:
            object.__setattr__(self, name, sealed(getattr(self, name)))

    def __len__(self) -> int:
        return self.key.size

    @cached_property
    def recently_shown(self) -> np.ndarray:
        """Return what was lately sent as int32 (n, R), padded with -1 at the end; R differs from batch to batch."""
        sizes = np.diff(self.recent_start)
        matrix = np.full((len(self), int(sizes.max(initial=0))), NO_ITEM, np.int32)
        matrix[np.arange(matrix.shape[1]) < sizes[:, None]] = self.recent_items
        return sealed(matrix)

    @property
    def recent(self) -> np.ndarray:
        """Return `recently_shown` under its old name, for one version."""
        return self._renamed("recent", "recently_shown")

    @property
    def about(self) -> np.ndarray:
        """Return `anchor_item` under its old name, for one version."""
        return self._renamed("about", "anchor_item")

    def _renamed(self, old: str, new: str) -> np.ndarray:
        """Return the array `new` and warn, once per process, whoever reads it as `old`."""
        if old not in _WARNED:
            _WARNED.add(old)
            warnings.warn(
                f"requests.{old} is requests.{new} now; this is the last version that has the old name",
                FutureWarning,
                stacklevel=3,
            )
        array: np.ndarray = getattr(self, new)
        return array

    @cached_property
    def lists(self) -> Lists:
        """Return the lists that requests choose from: `several`, or `candidates` as the one list of all."""
        return Lists.common(self.candidates, len(self)) if self.several is None else self.several

    @property
    def filled(self) -> int:
        """Return how many places of a slate can be filled: slate_size, or the longest list where that is shorter."""
        return min(self.slate_size, self.candidates.size if self.several is None else self.several.longest)

    def by_list(self) -> Iterator[tuple[int, int, Requests]]:
        """Yield first and last (exclusive) row of each list's requests, and these, its items as their `candidates`."""
        if self.several is None:
            yield 0, len(self), self
            return
        for first, last, own in self.several.each():
            yield first, last, self.part(first, last, own, self.slate_size)

    def take(self, rows: np.ndarray | slice) -> Requests:
        """Return the requests of these rows, with the same candidates."""
        chosen = np.arange(len(self))[rows]
        sizes = self.recent_start[chosen + 1] - self.recent_start[chosen]
        start = np.concatenate(([0], np.cumsum(sizes)))
        places = np.arange(start[-1]) + np.repeat(self.recent_start[chosen] - start[:-1], sizes)
        return self.unchecked(
            **{name: getattr(self, name)[rows] for name in _ROWS},
            recent_start=start,
            recent_items=self.recent_items[places],
            candidates=self.candidates,
            slate_size=self.slate_size,
            seen=self.seen,
            several=None if self.several is None else self.several.rows(rows),
        )

    @classmethod
    def unchecked(cls, **fields: Any) -> Requests:
        """Make requests of all fields, which are known to be right; their arrays are sealed here."""
        own = object.__new__(cls)
        for name in _ARRAYS:  # for each of many small batches: no more than it takes
            array = fields[name]
            new = array.base is None
            fields[name] = np.ndarray(array.shape, array.dtype, array.tobytes()) if new else sealed(array)
        own.__dict__.update(fields)
        if own.several is not None:
            own.__dict__["lists"] = own.several
        return own

    def part(
        self, first: int, last: int, candidates: np.ndarray, slate_size: int, several: Lists | None = None
    ) -> Requests:
        """Return requests of the rows first ... last - 1 with other candidates: views, for many small batches of one.

        What was checked of the whole is not checked again; `candidates` has to be int32 and rising, `several` sealed.
        """
        own = object.__new__(Requests)
        known = own.__dict__
        for name in _ROWS:
            known[name] = getattr(self, name)[first:last]
        begin, end = self.recent_start[first], self.recent_start[last]
        known["recent_start"] = sealed(self.recent_start[first : last + 1] - begin)
        known["recent_items"] = self.recent_items[begin:end]
        known["candidates"], known["slate_size"], known["seen"] = sealed(candidates), slate_size, self.seen
        known["several"] = several
        if several is not None:
            known["lists"] = several
        return own

    def twin(self) -> Self:
        """Return the same requests as another object, so that whoever takes that apart has not touched this one."""
        own = object.__new__(type(self))
        _ = self.lists  # made once for both
        own.__dict__.update(self.__dict__)
        return own

    def arrays(self) -> dict[str, np.ndarray]:
        """Return all arrays by name, the very ones."""
        return {name: getattr(self, name) for name in _ARRAYS}


def compressed(recent: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Compress a matrix int32 (n, R), padded with -1 in any place, to `recent_start` and `recent_items`."""
    there = recent != NO_ITEM
    return np.concatenate(([0], np.cumsum(there.sum(axis=1)))).astype(np.int64), recent[there].astype(np.int32)
