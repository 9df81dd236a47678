"""Selection criteria of visits: what users look for this time, told to the platform or kept to themselves.

A criterion that a visit has moves what items are worth to its user while the visit lasts: a need for a topic turns the
taste toward it, a limit costs what misses it. Stated, it is in the requests of the visit; stated and hard, it is also a
filter, so that only what passes is a candidate. A search that finds nothing is answered without its filters. What a
promise or a distance lets pass is another list for every user, made when the request is and kept for no other.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from recommenders.contract import runs, sealed
from simulator.engine.randomness import SEARCH, uniforms
from simulator.engine.tables.tables import Array, Items, StageKind, Users
from simulator.engine.user.shown_numbers import numbers_of
from simulator.errors import InputError
from simulator.plan.compiler import Compiled
from simulator.plan.limits import kept_within, levels_of, promise_of, weighed_limits
from simulator.platform.candidate_lists import ListStore
from simulator.platform.kernels.filters import LIMIT, OPTION, TOPIC, TYPE, Limits, Stated, Wishes, find_near, wishes_of
from simulator.platform.kernels.lists import CandidateLists
from simulator.population.interests import affinities, cluster_means, topical
from simulator.scenario.criteria import LIMITS, lies_between
from simulator.scenario.schema.catalog import Criterion

Float32 = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int64]
ItemNumbers = npt.NDArray[np.int32]

_BLOCK = 65536  # users at a time
_LISTS = 4  # lists of candidates that are remembered: one for each level that slates are made of
_FULL = 1 << 24  # items in the store of lists, from which on it is cleared between two rounds
_AT_ONCE = 1024
_MOST_CODES = 1 << 62


class FilteredRows(NamedTuple):
    """Hold what rows ask for, sorted so that rows of one kind lie together, and among these rows of one list."""

    rows: Rows  # (n,)
    kinds: npt.NDArray[np.int64]  # (n,)
    of: npt.NDArray[np.int64]  # the number of the list that each chooses from, (n,)
    criteria: Float32  # what visits state to the platform, (n, criteria): codes and limits, NaN for nothing


@dataclass(frozen=True)
class _Option:
    """Hold a criterion ready for use: what each of its values lets pass, and how it is stated to the platform."""

    own: Criterion
    passes: npt.NDArray[np.bool_]  # (values, items); no values where it lies between item and user
    codes: Float32  # (values,): what requests say
    stages: npt.NDArray[np.bool_]  # (stages,): where it is stated
    turns: Float32 | None  # (values, width): what a need adds to a taste
    columns: slice | None  # among the numbers that are shown
    between: bool  # on what lies between item and user: a promise, or
    promise: int  # -1: the distance


class Criteria:
    """Draw the criteria of all visits: everything about them is a function of (seed, user, visit, criterion).

    Args:
        compiled: a scenario with `criteria`.
        users: its users as they were drawn; tastes and traits are changed in place when a visit begins.
        items: its items.
        seed: the world's seed.

    Attributes:
        taste: the users' own tastes in the satiation facet, which no visit changes, (n_users, width).
        lists: the store of the lists that visits choose from.
    """

    def __init__(self, compiled: Compiled, users: Users, items: Items, seed: int) -> None:
        scenario = compiled.scenario
        self._users, self._seed = users, seed
        self._numbers = numbers_of(compiled.plan, users, items)
        shape = compiled.facets[compiled.names.facets.index(scenario.satiation_facet)]
        self._facet = slice(shape.offset, shape.offset + shape.width)
        needs = [each for each in scenario.criteria.values() if each.weight is not None and each.kind not in LIMITS]
        own = topical(compiled, users.taste)
        self.taste = own.copy() if needs else own  # where no visit has a need, nothing turns a taste
        means = cluster_means(compiled, items)
        self._topics = _leading(compiled, means, self.taste)
        self._types = np.cumsum([kind.share.value for kind in scenario.item_types.values()])
        first = len(compiled.names.attribute_effects)
        columns = {id(limit): slice(first + at.start, first + at.stop) for limit, at in weighed_limits(scenario)}
        self._options = [
            _option(compiled, items, means, each, columns.get(id(each))) for each in scenario.criteria.values()
        ]
        for c, option in enumerate(self._options):
            search(option.own, option.passes, seed, c)
        self._between = [c for c, option in enumerate(self._options) if option.between]
        self._promises = np.array([self._options[c].promise for c in self._between], dtype=np.int64)
        self._turning = any(option.turns is not None for option in self._options)
        self._moves = self._turning or any(option.columns is not None for option in self._options)
        self._wishes = self._ready()
        sizes = [len(option.codes) + 1 for option in self._options]
        if math.prod(sizes) > _MOST_CODES:
            raise InputError(
                scenario.shown, f"criteria: {math.prod(sizes):.1e} ways to set them all", f"at most {_MOST_CODES:.1e}"
            )
        self._within = math.prod(sizes[c] for c in self._between)  # ways to set limits on what lies between
        self._offered: list[
            tuple[ItemNumbers, dict[int, ItemNumbers]]
        ] = []  # what passes, of the candidates lately met
        self.lists = ListStore()
        self._alone: dict[int, int] = {}  # of a kind of slates and the filters on the items alone, the list
        self._near: dict[tuple[int, int], int] = {}  # of user and all filters, the list

    def ask(
        self, chosen: Rows, rows: Array, kinds: npt.NDArray[np.int64], lists: Mapping[int, ItemNumbers]
    ) -> FilteredRows:
        """Return what the rows `chosen`, which wait for slates, ask for; give new visits their needs.

        Args:
            chosen: places in `rows`, (n,).
            rows: all visits.
            kinds: what kind of slates each waits for, (n,).
            lists: the candidates for each kind; must be the same arrays as long as they hold the same.

        Returns:
            The lists that they choose from, which stand in `lists` until this is called again or the next tick: what
            passes the filters of a visit; and what visits state to the platform.
        """
        if self.lists.used > _FULL:
            self.forget()
        criteria = np.empty((len(chosen), len(self._options)), dtype=np.float32)
        filters = np.empty(criteria.shape, dtype=np.int16)
        code = kinds.astype(np.int64)
        wishes_of(self._seed, chosen, rows, self._turning, self._moves, self._wishes, Stated(criteria, filters, code))
        order = np.argsort(code, kind="stable")
        code, found = (
            code[order],
            FilteredRows(chosen[order], kinds[order], np.empty(len(order), dtype=np.int64), criteria[order]),
        )
        new: list[int] = []
        for begin, end in runs(code):
            key = int(code[begin])
            alone = key // self._within
            if alone not in self._alone:
                passing = self._passing(alone, filters[order[begin]], lists[int(found.kinds[begin])])
                self._alone[alone] = self.lists.number(passing)
            found.of[begin:end] = self._alone[alone]
            if key % self._within:  # limits are set on what lies between: to each visit a list of its own
                for k, user in enumerate(rows["user"][found.rows[begin:end]].tolist(), begin):
                    if (user, key) in self._near:
                        found.of[k] = self._near[user, key]
                    else:
                        self._near[user, key] = -1
                        new.append(k)
        if new:
            self._find_near(np.array(new), code, found, filters[order], rows, lists)
        return found

    @property
    def at_once(self) -> int | None:
        """Return how many rows to ask for at a time, where each may need a list of its own; None: any number."""
        return _AT_ONCE if self._between else None

    def forget(self) -> None:
        """Forget all lists, as a new tick begins: what was near enough may be no more."""
        self.lists.clear()
        self._alone.clear()
        self._near.clear()

    def _passing(self, key: int, filters: npt.NDArray[np.int16], candidates: ItemNumbers) -> ItemNumbers:
        """Return the candidates that pass the filters on the items alone."""
        offered = next((cache for of, cache in self._offered if of is candidates), None)
        if offered is None:
            offered = {}
            self._offered = [*self._offered[1 - _LISTS :], (candidates, offered)]
        if key not in offered:
            left = np.ones(len(candidates), dtype=np.bool_)
            for option, value in zip(self._options, filters, strict=True):
                if value >= 0 and not option.between:
                    left &= option.passes[value, candidates]
            offered[key] = sealed(candidates[left]) if left.any() and not left.all() else candidates
        return offered[key]

    def _find_near(
        self,
        new: npt.NDArray[np.int64],
        code: npt.NDArray[np.int64],
        found: FilteredRows,
        filters: npt.NDArray[np.int16],
        rows: Array,
        lists: Mapping[int, ItemNumbers],
    ) -> None:
        """Find the items within visits' limits on promises and distances, among those that pass the other filters.

        They are the same until the next tick, so that a visit that turns pages is not looked up again.
        """
        users = rows["user"][found.rows[new]].astype(np.int64)
        everything = {kind: self.lists.number(there) for kind, there in lists.items()}
        rest = np.array([everything[kind] for kind in found.kinds[new].tolist()])
        most = np.full((len(new), len(self._between)), np.inf)
        for k, c in enumerate(self._between):
            set_to = filters[new, c]
            most[set_to >= 0, k] = self._options[c].codes[set_to[set_to >= 0]]
        of, bounds = found.of[new], self.lists.bounds
        lengths = bounds[of, 1] - bounds[of, 0]
        first = self.lists.room(len(new), int(lengths.sum()) + 1)
        limits = Limits(users, self._users.state["key"][users], self._promises, most, rest)
        all_lists = CandidateLists(self.lists.items, self.lists.bounds, of)
        near = np.empty(int(lengths.max()), dtype=np.bool_)
        end = find_near(self._seed, limits, all_lists, self._numbers, first, self.lists.used, near)
        self.lists.filled(end)
        found.of[new] = np.arange(first, first + len(new))
        for number, key in enumerate(zip(users.tolist(), code[new].tolist(), strict=True), first):
            self._near[key] = number

    def _ready(self) -> Wishes:
        """Return the criteria as a kernel takes them."""
        options = np.zeros(len(self._options), dtype=OPTION)
        codes = np.zeros((len(options), max(len(option.codes) for option in self._options)), dtype=np.float32)
        turns: list[Float32] = [np.zeros((0, self.taste.shape[1]), dtype=np.float32)]
        for c, (row, option) in enumerate(zip(options, self._options, strict=True)):
            own = option.own
            row["kind"] = LIMIT if own.kind in LIMITS else TYPE if own.on == "item_type" else TOPIC
            row["between"], row["values"] = option.between, len(option.codes)
            row["present"], row["stated"], row["hard"] = own.present.value, own.stated.value, own.hard.value
            row["column"] = -1 if option.columns is None else option.columns.start
            row["turns"] = -1 if option.turns is None else sum(len(each) for each in turns)
            if option.turns is not None:
                turns.append(option.turns)
            codes[c, : len(option.codes)] = option.codes
        return Wishes(
            options, codes, np.array([option.stages for option in self._options]), self._types, self._topics,
            np.concatenate(turns), self.taste, self._users.taste[:, self._facet], self._users.traits,
        )  # fmt: skip


def _leading(compiled: Compiled, means: Float32, taste: Float32) -> npt.NDArray[np.int16]:
    """Return the topics that users look for, (n_users, interests): those whose items match their taste best."""
    n = min(max(round(compiled.scenario.user.interests.value), 1), len(means))
    topics = np.empty((len(taste), n), dtype=np.int16)
    for first in range(0, len(taste), _BLOCK):
        match = affinities(means, taste[first : first + _BLOCK])
        everyone = np.arange(len(match))
        for k in range(n):  # the best of what is left, a few times: quicker than to sort all
            best = match.argmax(axis=1)
            topics[first : first + _BLOCK, k] = best
            match[everyone, best] = -np.inf
    return topics


def _option(compiled: Compiled, items: Items, means: Float32, own: Criterion, columns: slice | None) -> _Option:
    scenario = compiled.scenario
    stages = compiled.plan.stages["kind"] == StageKind.BROWSE
    if own.stated_in is not None:
        stages = np.array([name in own.stated_in for name in compiled.names.stages])
    if lies_between(scenario, own):
        nothing = np.zeros((0, len(items.state)), dtype=np.bool_)
        return _Option(own, nothing, levels_of(own), stages, None, columns, True, promise_of(scenario, own))
    if own.kind in LIMITS:
        values = items.attributes[:, compiled.names.attributes.index(own.on)]
        return _Option(own, kept_within(own, values).T.copy(), levels_of(own), stages, None, columns, False, -1)
    facts = items.state["type"] if own.on == "item_type" else items.state["topic"]
    n = len(scenario.item_types) if own.on == "item_type" else len(means)
    codes = np.arange(n)
    turns = None
    if own.weight is not None and own.on != "item_type":
        turns = _turns(compiled, items, means, abs(own.weight.value))
    return _Option(own, facts == codes[:, None], codes.astype(np.float32), stages, turns, columns, False, -1)


def _turns(compiled: Compiled, items: Items, means: Float32, weight: float) -> Float32:
    """Return what a need for each topic adds to a taste, (topics, width).

    Toward the topic's items, so far that they gain `weight` over all others on average, before saturation.
    """
    f = compiled.names.facets.index(compiled.scenario.satiation_facet)
    truth = topical(compiled, items.vectors).astype(np.float64)
    counts = np.bincount(items.state["topic"], minlength=len(means))
    middle = truth.mean(axis=0)
    away = np.nan_to_num(means.astype(np.float64)) - middle
    away[counts == 0] = 0.0
    usual = compiled.plan.weights[items.state["type"], f].mean()
    scale = float(compiled.plan.facets[f]["scale"])
    others = np.maximum(1.0 - counts / max(len(truth), 1), 1e-9)
    gained = usual * scale * np.sum(away * away, axis=1) / others  # by a step of one `away`
    turns: Float32 = (away * (weight / np.maximum(gained, 1e-9))[:, None]).astype(np.float32)
    return turns


def search(own: Criterion, passes: npt.NDArray[np.bool_], seed: int, criterion: int) -> None:
    """Turn what was asked for into what a search finds, in `passes` (values, items): some is missed, other is found.

    It finds `recall` of what was asked for, and so much of the rest that `precision` of all that it finds is right. An
    item is always found, or not, by the same query.
    """
    recall = 1.0 if own.recall is None else own.recall.value
    precision = 1.0 if own.precision is None else own.precision.value
    if recall == precision == 1.0:
        return
    for value, right in enumerate(passes):
        n = int(right.sum())
        wrong = recall * n * (1.0 - precision) / precision / max(len(right) - n, 1)
        draw = uniforms(seed, SEARCH, len(right), (criterion << 16) + value)
        right[...] = draw < np.where(right, recall, wrong)
