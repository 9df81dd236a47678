"""Selection criteria of visits: what users look for this time, told to the platform or kept to themselves.

A criterion that a visit has moves what items are worth to its user while the visit lasts: a need for a topic turns the
taste toward it, a limit costs what misses it. Stated, it is in the requests of the visit; stated and hard, it is also a
filter, so that only what passes is a candidate. A search that finds nothing is answered without its filters. What a
promise or a distance lets pass is another list for every user, made when the request is and kept for no other.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from simulator.interests import affinities, cluster_means, topical
from simulator.kernels.asides import numbers_of
from simulator.kernels.criteria import luck_of_criteria, within_limits
from simulator.kernels.layout import Array, Goods, Kind, People
from simulator.limits import LEVELS, LIMITS, kept_within, levels_of, lies_between, promise_of, weighed_limits
from simulator.plan import Compiled
from simulator.randomness import SEARCH, uniforms
from simulator.scenario.world import Criterion

Float32 = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int64]
Items = npt.NDArray[np.int32]

_BLOCK = 65536  # users at a time
_LISTS = 4  # lists of candidates that are remembered: one for each level that slates are made of
_NEAR = 1024  # users whose lists of what is near enough are remembered
_DRAWS = 4
_PRESENT, _STATED, _HARD, _WHICH = range(_DRAWS)


@dataclass(frozen=True)
class _Option:
    """A criterion ready for use: what each of its values lets pass, and how the platform is told of it."""

    own: Criterion
    passes: npt.NDArray[np.bool_]  # (values, items); no values where it lies between item and user
    codes: Float32  # (values,): what requests say
    stages: npt.NDArray[np.bool_]  # (stages,): where the platform is told
    turns: Float32 | None  # (values, width): what a need adds to a taste
    columns: slice | None  # among the numbers that are shown
    between: bool  # on what lies between item and user: a promise, or
    promise: int  # -1: the distance


class Criteria:
    """The criteria of all visits: everything about them is a function of (seed, user, visit, criterion).

    Args:
        compiled: a scenario with `criteria`.
        people: its users as they were drawn; tastes and traits are changed in place when a visit begins.
        goods: its items.
        seed: the world's seed.

    Attributes:
        taste: the users' own tastes in the satiation facet, which no visit changes, (n_users, width).
    """

    def __init__(self, compiled: Compiled, people: People, goods: Goods, seed: int) -> None:
        scenario = compiled.scenario
        self._people, self._seed = people, seed
        self._numbers = numbers_of(compiled.plan, people, goods)
        shape = compiled.facets[compiled.names.facets.index(scenario.satiation_facet)]
        self._facet = slice(shape.offset, shape.offset + shape.width)
        needs = [each for each in scenario.criteria.values() if each.weight is not None and each.kind not in LIMITS]
        own = topical(compiled, people.taste)
        self.taste = own.copy() if needs else own  # where no visit has a need, nothing turns a taste
        means = cluster_means(compiled, goods)
        self._topics = _leading(compiled, means, self.taste)
        self._types = np.cumsum([kind.share.value for kind in scenario.item_types.values()])
        first = len(compiled.names.asides)
        columns = {id(limit): slice(first + at.start, first + at.stop) for limit, at in weighed_limits(scenario)}
        self._options = [
            _option(compiled, goods, means, each, columns.get(id(each))) for each in scenario.criteria.values()
        ]
        for c, option in enumerate(self._options):
            search(option.own, option.passes, seed, c)
        self._between = [c for c, option in enumerate(self._options) if option.between]
        self._odds = [
            (what, np.array([getattr(option.own, key).value for option in self._options]))
            for what, key in ((_PRESENT, "present"), (_STATED, "stated"), (_HARD, "hard"))
        ]
        self._turning = any(option.turns is not None for option in self._options)
        self._moves = self._turning or any(option.columns is not None for option in self._options)
        self._told_at = np.any([option.stages for option in self._options], axis=0)  # (stages,)
        self._offered: list[tuple[Items, dict[bytes, Items]]] = []  # what passes, of the candidates lately met
        self._near: dict[int, tuple[Items, bytes, Items]] = {}  # of what, within what, what is near

    def ask(
        self, chosen: Rows, rows: Array, lists: Sequence[Items], of: npt.NDArray[np.int64] | None = None
    ) -> Iterator[tuple[int, Rows, Items, Float32]]:
        """What the rows `chosen`, which wait for slates, ask for; visits that ask for the first time get their needs.

        Args:
            chosen: places in `rows`, (n,).
            rows: all visits.
            lists: what there is, one or several lists of candidates; must be the same arrays as long as they hold the
                same.
            of: which of these lists each row chooses from, (n,); None: the first.

        Yields:
            The number of the list; the rows together that choose from it and set the same filters, in order within each
            part, and one by one where these are on what lies between item and user; the candidates that pass; and what
            the platform is told, (rows of the part, criteria): codes and limits, NaN for nothing.
        """
        told = np.full((len(chosen), len(self._options)), np.nan, dtype=np.float32)
        filters = np.full(told.shape, -1, dtype=np.int16)
        self._fill(chosen, rows, told, filters)
        code = np.zeros(len(chosen), dtype=np.int64) if of is None else of.astype(np.int64)
        for c, option in enumerate(self._options):  # a number for a row: to sort numbers is quicker than to sort rows
            code = code * (len(option.codes) + 1) + filters[:, c] + 1
        order = np.argsort(code, kind="stable")
        chosen, told, code = chosen[order], told[order], code[order]
        ends = [*(np.flatnonzero(code[1:] != code[:-1]) + 1).tolist(), len(code)] if len(code) else []
        for begin, end in zip([0, *ends], ends, strict=False):
            own, number = filters[order[begin]], 0 if of is None else int(of[order[begin]])
            part, said, candidates = chosen[begin:end], told[begin:end], lists[number]
            common = self._passing(own, candidates)
            limits = [c for c in self._between if own[c] >= 0]
            if not limits:
                yield number, part, common, said
                continue
            for k, user in enumerate(rows["user"][part].tolist()):
                near = self._near_enough(user, own, limits, common, candidates)
                yield number, part[k : k + 1], near, said[k : k + 1]

    def forget(self) -> None:
        """A new tick begins: what was near enough may be no more."""
        self._near.clear()

    def _fill(self, chosen: Rows, rows: Array, told: Float32, filters: npt.NDArray[np.int16]) -> None:
        """What the platform is told by the rows `chosen`, and what of it are filters, both (n, criteria)."""
        stage = rows["slate_stage"][chosen]
        # where the platform is told nothing, and nothing begins, there is nothing to draw
        asking = np.flatnonzero(self._told_at[stage] | (self._moves & (rows["request"][chosen] == 1)))
        if len(asking) == 0:
            return
        visits, stage = rows[chosen[asking]], stage[asking]
        present, stated, hard, value = self._drawn(visits)
        self._begin(visits, present, value)
        for c, option in enumerate(self._options):
            here = stated[:, c] & option.stages[stage]
            told[asking[here], c] = option.codes[value[here, c]]
            here &= hard[:, c]
            filters[asking[here], c] = value[here, c]

    def _begin(self, visits: Array, present: npt.NDArray[np.bool_], value: npt.NDArray[np.int64]) -> None:
        """Turn the tastes of users whose visits ask for the first time, and set their limits."""
        first = visits["request"] == 1
        if not first.any():
            return
        users, present, value = visits["user"][first].astype(np.int64), present[first], value[first]
        if self._turning:
            taste = self.taste[users]
            for c, option in enumerate(self._options):
                if option.turns is not None:
                    taste += np.where(present[:, c, None], option.turns[value[:, c]], np.float32(0.0))
            self._people.taste[users, self._facet] = taste
        for c, option in enumerate(self._options):
            if option.columns is None:
                continue
            if option.between:
                own = np.where(present[:, c], option.codes[value[:, c]], np.float32(0.0))[:, None]
            else:
                own = (value[:, c, None] == np.arange(LEVELS)) & present[:, c, None]
            self._people.traits[users, option.columns] = own

    def _passing(self, filters: npt.NDArray[np.int16], candidates: Items) -> Items:
        offered = next((cache for of, cache in self._offered if of is candidates), None)
        if offered is None:
            offered = {}
            self._offered = [*self._offered[1 - _LISTS :], (candidates, offered)]
        key = filters.tobytes()
        if key not in offered:
            left = np.ones(len(candidates), dtype=np.bool_)
            for option, value in zip(self._options, filters, strict=True):
                if value >= 0 and not option.between:
                    left &= option.passes[value, candidates]
            offered[key] = candidates[left] if left.any() else candidates
        return offered[key]

    def _near_enough(
        self, user: int, filters: npt.NDArray[np.int16], limits: list[int], common: Items, candidates: Items
    ) -> Items:
        """Of what passes the other filters of a visit, what keeps to its limits on what lies between.

        It is the same until the next tick, so that who turns pages is not looked up again.
        """
        within, known = filters.tobytes(), self._near.get(user)
        if known is not None and known[0] is common and known[1] == within:
            return known[2]
        left = np.empty(len(common), dtype=np.bool_)
        within_limits(
            self._seed, user, self._people.state["key"][user], common,
            np.array([self._options[c].promise for c in limits]),
            np.array([self._options[c].codes[filters[c]] for c in limits], dtype=np.float64),
            self._numbers, left,
        )  # fmt: skip
        found = common[left] if left.any() else candidates
        if len(self._near) == _NEAR:
            self._near.clear()
        self._near[user] = common, within, found
        return found

    def _drawn(
        self, visits: Array
    ) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_], npt.NDArray[np.bool_], npt.NDArray[np.int64]]:
        """Whether each visit has each criterion, states it, and bends to nothing; and its value: each (n, criteria)."""
        luck = np.empty((len(visits), len(self._options), _DRAWS))
        luck_of_criteria(self._seed, visits, luck)

        value = np.empty(luck.shape[:2], dtype=np.int64)
        for c, option in enumerate(self._options):
            if option.own.kind in LIMITS:
                value[:, c] = luck[:, c, _WHICH] * LEVELS
            elif option.own.on == "item_type":
                value[:, c] = np.searchsorted(self._types, luck[:, c, _WHICH], side="right").clip(
                    max=len(self._types) - 1
                )
            else:
                place = (luck[:, c, _WHICH] * self._topics.shape[1]).astype(np.int64)
                value[:, c] = self._topics[visits["user"], place]
        present, stated, hard = (luck[:, :, what] < odds for what, odds in self._odds)
        return present, present & stated, hard, value


def _leading(compiled: Compiled, means: Float32, taste: Float32) -> npt.NDArray[np.int16]:
    """The topics that users look for, (n_users, interests): those whose items match their taste best on average."""
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


def _option(compiled: Compiled, goods: Goods, means: Float32, own: Criterion, columns: slice | None) -> _Option:
    scenario = compiled.scenario
    stages = compiled.plan.stages["kind"] == Kind.BROWSE
    if own.stated_in is not None:
        stages = np.array([name in own.stated_in for name in compiled.names.stages])
    if lies_between(scenario, own):
        nothing = np.zeros((0, len(goods.facts)), dtype=np.bool_)
        return _Option(own, nothing, levels_of(own), stages, None, columns, True, promise_of(scenario, own))
    if own.kind in LIMITS:
        values = goods.attributes[:, compiled.names.attributes.index(own.on)]
        return _Option(own, kept_within(own, values).T.copy(), levels_of(own), stages, None, columns, False, -1)
    facts = goods.facts["type"] if own.on == "item_type" else goods.facts["topic"]
    n = len(scenario.item_types) if own.on == "item_type" else len(means)
    codes = np.arange(n)
    turns = None
    if own.weight is not None and own.on != "item_type":
        turns = _turns(compiled, goods, means, abs(own.weight.value))
    return _Option(own, facts == codes[:, None], codes.astype(np.float32), stages, turns, columns, False, -1)


def _turns(compiled: Compiled, goods: Goods, means: Float32, weight: float) -> Float32:
    """What a need for each topic adds to a taste, (topics, width).

    Toward the topic's items, so far that they gain `weight` over all others on average, before saturation.
    """
    f = compiled.names.facets.index(compiled.scenario.satiation_facet)
    truth = topical(compiled, goods.vectors).astype(np.float64)
    counts = np.bincount(goods.facts["topic"], minlength=len(means))
    middle = truth.mean(axis=0)
    away = np.nan_to_num(means.astype(np.float64)) - middle
    away[counts == 0] = 0.0
    usual = compiled.plan.weights[goods.facts["type"], f].mean()
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
        luck = uniforms(seed, SEARCH, len(right), (criterion << 16) + value)
        right[...] = luck < np.where(right, recall, wrong)
