"""Recommenders made of recommenders: pipelines, ensembles, filters, exploration.

A member is named as on the command line, its parameters in brackets: ``itemknn``, ``itemknn(neighbors=50)``,
``my_package.models:Mine``, ``pipeline(recall=itemknn, rerank=bpr)``. So a composition is a few keys
(``recommender=pipeline recommender.recall=itemknn recommender.rerank="bpr(factors=32)"``), or a YAML file for
``recommender=composed recommender.file=mine.yaml``.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from recommenders.contract import (
    NO_ITEM,
    Catalog,
    Label,
    Lists,
    Places,
    PlatformLog,
    Recommender,
    RecommenderError,
    Requests,
    Settings,
    Slates,
    calling,
    in_slates,
    places_of,
    setting,
    slates_of,
    validate_chances,
    validate_state,
)
from recommenders.members import create_member, described_file
from recommenders.models.hashing import mix, root, uniform
from recommenders.models.random import Random

_ORDER = ("exact", "same machine", "none")


class Composed(Recommender):
    """Base of what has members: fit them, and keep their state under their names."""

    reads = "positives"

    def __init__(self, *, seed: int = 0, label: Label | None = None, **parameters: Any) -> None:
        super().__init__(seed=seed, label=label, **parameters)
        self.members: dict[str, Recommender] = {
            place: create_member(text, seed, label, f"recommender {self.name}.{place}") for place, text in self.named()
        }
        worst = max(_ORDER.index(member.reproducibility) for member in self.members.values())
        self.reproducibility = _ORDER[worst]  # type: ignore[misc,assignment]  # as good as its members are
        self.learns = any(member.learns for member in self.members.values())  # type: ignore[misc]
        if not all(member.reads == "positives" for member in self.members.values() if member.learns):
            self.reads = "log"  # type: ignore[misc,assignment]
        if type(self).update is Composed.update:
            self.takes_updates = any(member.takes_updates for member in self.members.values())  # type: ignore[misc]

    @property
    def needs_values(self) -> bool:
        """Whether a member needs them."""
        return any(member.needs_values for member in self.members.values())

    def named(self) -> Iterator[tuple[str, str]]:
        """Return each member with its place and description."""
        raise NotImplementedError

    def check(self, catalog: Catalog) -> None:
        """Check what the members need."""
        for member in self.members.values():
            with calling(member, "check"):
                member.check(catalog)

    def fit(self, log: PlatformLog, catalog: Catalog) -> None:
        """Fit all members."""
        self._n_items = catalog.n_items
        for member in self.members.values():
            with calling(member, "fit"):
                member.fit(log, catalog)

    def update(self, events: PlatformLog) -> None:
        """Hand over to all members."""
        for member in self.members.values():
            with calling(member, "update"):
                member.update(events)

    def places(self) -> Places | None:
        """Return the members' counts together, of those who count."""
        counted = [found for member in self.members.values() if (found := places_of(member)) is not None]
        return functools.reduce(Places.plus, counted) if counted else None

    def state(self) -> dict[str, np.ndarray]:
        """Return the members' states."""
        states = {"n_items": np.array([getattr(self, "_n_items", 0)])}
        for place, member in self.members.items():
            with calling(member, "state"):
                state: object = member.state()
            own = validate_state(state, member.name)
            states |= {f"{place}/{name}": array for name, array in own.items()}
        return states

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Give the members their states back."""
        self._n_items = int(state["n_items"][0])
        for place, member in self.members.items():
            prefix = f"{place}/"
            own = {name.removeprefix(prefix): array for name, array in state.items() if name.startswith(prefix)}
            with calling(member, "restore"):
                member.restore(own)


@dataclass(frozen=True)
class PipelineSettings(Settings):
    """Settings of :class:`Pipeline`."""

    recall: str = setting(meaning="the member that chooses which items are looked at")
    rerank: str = setting(meaning="the member that orders them")
    depth: int = setting(100, "items recalled per request", low=1)


class Pipeline(Composed):
    """Recall and re-rank: one member chooses ``depth`` candidates per request, another orders them."""

    name: ClassVar[str] = "pipeline"
    takes_lists: ClassVar[bool] = True
    Config: ClassVar[type[Settings]] = PipelineSettings
    config: PipelineSettings

    def named(self) -> Iterator[tuple[str, str]]:
        """Name the two members."""
        yield from (("recall", self.config.recall), ("rerank", self.config.rerank))

    def recommend(self, requests: Requests) -> Slates:
        """Return the re-ranked recalled items; propensities are not known."""
        depth = max(self.config.depth, requests.slate_size)
        recall, n = self.members["recall"], len(requests)
        recalled = np.sort(slates_of(recall, replace(requests, slate_size=depth)).items, axis=1)
        low, high = recalled.min(initial=NO_ITEM), recalled.max(initial=NO_ITEM)
        if low < NO_ITEM or high > requests.candidates.max(initial=NO_ITEM):
            wrong = f"{recall.name} recalls item {low if low < NO_ITEM else high}"
            raise RecommenderError(f"recommender {self.name}.recall", wrong, "expected candidates")
        # What was recalled for a request is a list of its own. Items shown lately come last anyway; recall hands them
        # over only where nothing else is left.
        ends = depth * np.arange(1, n + 1)
        begins = ends - (recalled != NO_ITEM).sum(axis=1)
        lists = Lists(recalled.ravel(), np.stack([begins, ends], axis=1), np.arange(n))
        return Slates(slates_of(self.members["rerank"], replace(requests, several=lists)).items)


@dataclass(frozen=True)
class FilterSettings(Settings):
    """Settings of :class:`Filtered`."""

    member: str = setting(meaning="who recommends")
    column: str = setting(meaning="public column of the items")
    at_least: float | None = setting(None, "lowest value that may pass")
    at_most: float | None = setting(None, "highest value that may pass")


class Filtered(Composed):
    """Items with a column in bounds; others only where those run out."""

    name: ClassVar[str] = "filtered"
    Config: ClassVar[type[Settings]] = FilterSettings
    reads = "positives"
    config: FilterSettings

    def __init__(self, *, seed: int = 0, label: Label | None = None, **parameters: Any) -> None:
        super().__init__(seed=seed, label=label, **parameters)
        self.learns = True  # type: ignore[misc]  # which items pass, whoever recommends them

    def named(self) -> Iterator[tuple[str, str]]:
        """Name the member."""
        yield "member", self.config.member

    def check(self, catalog: Catalog) -> None:
        """Check what the member needs, and that the column is there."""
        super().check(catalog)
        catalog.require_column(self.config.column, f"recommender {self.name}.column")

    def fit(self, log: PlatformLog, catalog: Catalog) -> None:
        """Fit the member, and see which items pass."""
        super().fit(log, catalog)
        values = catalog.require_column(self.config.column, f"recommender {self.name}.column")
        low = -np.inf if self.config.at_least is None else self.config.at_least
        high = np.inf if self.config.at_most is None else self.config.at_most
        self._passes = np.asarray((values >= low) & (values <= high))

    def recommend(self, requests: Requests) -> Slates:
        """Return the member's slates over what passes; where that does not fill one, its slates over all."""
        passing = requests.candidates[self._passes[requests.candidates]]
        late = (requests.recently_shown[:, :, None] == passing[None, None, :]).any(axis=1) if passing.size else None
        enough = np.zeros(len(requests), bool) if late is None else (~late).sum(axis=1) >= requests.filled
        items = np.full((len(requests), requests.slate_size), NO_ITEM, np.int32)
        member = self.members["member"]
        if enough.any():
            rows = np.flatnonzero(enough)
            items[rows] = slates_of(member, replace(requests.take(rows), candidates=passing)).items
        if not enough.all():
            # Over all candidates, what passes moves to the front; the member's order is kept on both sides.
            rows = np.flatnonzero(~enough)
            part = replace(requests.take(rows), slate_size=max(requests.candidates.size, requests.slate_size))
            for row, slate in zip(rows, slates_of(member, part).items, strict=True):
                found = slate[slate != NO_ITEM]
                recent = np.isin(found, requests.recently_shown[row])
                order = np.lexsort((~self._passes[found], recent))
                items[row, : requests.filled] = found[order][: requests.filled]
        return Slates(items)

    def state(self) -> dict[str, np.ndarray]:
        """Return the member's state and which items pass."""
        return {**super().state(), "passes": self._passes}

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Take back what ``state`` gave."""
        super().restore(state)
        self._passes = state["passes"]


@dataclass(frozen=True)
class ExploringSettings(Settings):
    """Settings of :class:`Exploring`."""

    member: str = setting(meaning="who recommends otherwise")
    epsilon: float = setting(0.1, "chance of a random slate", low=0, high=1)


class Exploring(Composed):
    """With chance epsilon, by the request's key, a uniformly random slate in place of the member's.

    An item's propensity is (1 - epsilon) times its chance to be in the member's slate, plus epsilon times that to be in
    the random one. A member that does not randomise (it gives no propensities) has each item in its slate for certain;
    of one that does, `chances` says it; where it cannot, there are no propensities at all, in any batch.
    """

    name: ClassVar[str] = "exploring"
    Config: ClassVar[type[Settings]] = ExploringSettings
    config: ExploringSettings

    def named(self) -> Iterator[tuple[str, str]]:
        """Name the member."""
        yield "member", self.config.member

    def recommend(self, requests: Requests) -> Slates:
        """Return the member's slate or a random one."""
        member = slates_of(self.members["member"], requests)
        draw = uniform(mix(np.full(1, self._luck("explores")), requests.key))
        explores = draw < self.config.epsilon
        items = np.where(explores[:, None], self._random().recommend(requests).items, member.items)
        found = self._mixture(requests, items, member)
        if found is None:
            return Slates(items)
        return Slates(items, np.where(items != NO_ITEM, found, np.nan).astype(np.float32))

    def chances(self, requests: Requests, items: np.ndarray) -> np.ndarray | None:
        """Return the mixture of both, where the member can say."""
        return self._mixture(requests, items, slates_of(self.members["member"], requests))

    def _random(self) -> Random:
        return Random(seed=int(self._luck("exploring")))

    def _luck(self, purpose: str) -> np.uint64:
        """Return the start of draws for a purpose; one exploration within another has draws of its own."""
        return root(self.seed, f"{purpose} {self.config.member}")

    def _mixture(self, requests: Requests, items: np.ndarray, member: Slates) -> np.ndarray | None:
        inside = self.members["member"]
        if member.propensity is not None:
            with calling(inside, "chances"):
                chances: object = inside.chances(requests, items)
            own = validate_chances(chances, items, inside.name)
        else:  # it does not randomise, or it does and does not say so
            own = None if inside.reproducibility == "none" else in_slates(items, member.items).astype(np.float64)
        at_random = self._random().chances(requests, items)
        if own is None or at_random is None:
            return None
        return np.asarray((1 - self.config.epsilon) * own + self.config.epsilon * at_random)


@dataclass(frozen=True)
class FileSettings(Settings):
    """Settings of :class:`FromFile`."""

    file: str = setting(meaning="YAML file with one key, a recommender's name, and its parameters below it")


class FromFile(Composed):
    """Recommend as a YAML file describes: ``pipeline: {recall: itemknn, rerank: {bpr: {factors: 32}}}``."""

    name: ClassVar[str] = "composed"
    takes_lists: ClassVar[bool] = True
    Config: ClassVar[type[Settings]] = FileSettings
    config: FileSettings

    def named(self) -> Iterator[tuple[str, str]]:
        """Name the recommender that the file describes."""
        yield "whole", described_file(Path(self.config.file))

    def recommend(self, requests: Requests) -> Slates:
        """Return that recommender's answer."""
        return slates_of(self.members["whole"], requests)
