"""Declared interests of users: asked when they join, and again in surveys; and topics that they follow.

A user's true interests are the clusters of a facet whose items match their taste best, on average. A declaration names
some of them in that order; each is a true one with a probability, else any other.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from simulator.engine.randomness import DECLARED, uniforms
from simulator.engine.tables.tables import FOLLOWED, TICKS_PER_SECOND, TOPICS_FOLLOWED, Array, Items, Tally, Users
from simulator.part import Part, Sink
from simulator.plan.compiler import Compiled
from simulator.population.kernels.interests import Declarations, declare
from simulator.scenario.schema.users import Survey

Float32 = npt.NDArray[np.float32]
Codes = npt.NDArray[np.int32]

_LEAST = -1e30
_BLOCK = 65536  # users at a time
_ONBOARDING = 0  # occasion; surveys are numbered from 1
# What is drawn under DECLARED for (user, occasion << 16 | what):
_ANSWERS, _AFTER, _RIGHT, _WHICH = 0, 1, 16, 32  # the last two + number of the interest


def cluster_means(compiled: Compiled, items: Items) -> Float32:
    """Return the mean truth of each cluster of the satiation facet, (clusters, width); NaN where no item is in it."""
    scenario = compiled.scenario
    truth = topical(compiled, items.vectors).astype(np.float64)
    clusters = max(scenario.facets[scenario.satiation_facet].clusters, 1)
    sums = np.zeros((clusters, truth.shape[1]))
    np.add.at(sums, items.state["topic"], truth)
    with np.errstate(invalid="ignore"):
        return (sums / np.bincount(items.state["topic"], minlength=clusters)[:, None]).astype(np.float32)


def topical(compiled: Compiled, vectors: Float32) -> Float32:
    """Return a view of the columns of tastes or truths, (n, D), that are the satiation facet's, (n, width)."""
    shape = compiled.facets[compiled.names.facets.index(compiled.scenario.satiation_facet)]
    return vectors[:, shape.offset : shape.offset + shape.width]


def affinities(means: Float32, taste: Float32) -> Float32:
    """Return the mean match of clusters (clusters, width) with tastes (n, width), (n, clusters); empty ones: -inf."""
    match = taste @ np.nan_to_num(means).T
    match[:, np.isnan(means[:, 0])] = -np.inf
    return np.asarray(match)


def _lucks(seed: int, n: int, occasion: int, what: int) -> npt.NDArray[np.float64]:
    return uniforms(seed, DECLARED, n, (occasion << 16) | what)


class Interests(Part):
    """Hold the declared interests of all users, as a platform knows them, and the surveys to come.

    Args:
        compiled: a scenario with `declared_interests`.
        users: its users, before they have come for the first time.
        items: its items.
        taste: the users' own in the satiation facet, which no visit changes, (n_users, width).
        seed: the world's seed.

    Attributes:
        stated: int32 (n_users, S), codes of the clusters, -1 none. Who is asked on joining has stated it by the first
            visit; an answer to a survey counts from the next tick on, in place of what was said before. Where topics
            can be followed, those are the last columns, from the next tick on.
    """

    def __init__(self, compiled: Compiled, all_users: Users, items: Items, taste: Float32, seed: int) -> None:
        asked = compiled.scenario.declared_interests
        assert asked is not None
        self._compiled, self._users, self._seed, self._right = compiled, all_users, seed, asked.right.value
        self._means, self._taste = cluster_means(compiled, items), taste
        self._n = max(round(asked.clusters.value), 1)
        self._event = compiled.names.codes[asked.event] if asked.event is not None else -1
        self._survey: Survey | None = asked.survey
        self._first = first = all_users.state["due"].copy()
        self._joining = np.argsort(first, kind="stable")
        self._joined_at = first[self._joining]
        self._pending: dict[int, tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]] = {}
        self._sent = 0  # surveys whose answers are known to be pending or over
        users = np.arange(len(first))
        self.stated = self._said(users, _ONBOARDING)
        self.stated[_lucks(seed, len(first), _ONBOARDING, _ANSWERS) >= asked.users.value] = -1
        if asked.follow is not None:
            none = np.full((len(first), TOPICS_FOLLOWED), -1, dtype=np.int32)
            self.stated = np.concatenate([self.stated, none], axis=1)

    def end_tick(self, start: float, end: float, sink: Sink) -> None:
        """Let whoever joins or answers in [start, end) declare."""
        first, last = np.searchsorted(self._joined_at, [start, end])
        joining, times = self._joining[first:last], self._joined_at[first:last]
        self._tell(_ONBOARDING, joining, times, self.stated[joining, : self._n], sink)
        if self.stated.shape[1] > self._n:
            self.stated[:, self._n :] = self._users.followed[:, FOLLOWED:].astype(np.int32) - 1
        if self._survey is None:
            return
        while self._survey.first.value + self._sent * self._survey.every.value < end:
            self._sent += 1
            self._pending[self._sent] = self._answers(self._survey, self._sent)
        for occasion, (answered_at, users) in list(self._pending.items()):
            first, last = np.searchsorted(answered_at, [start, end])
            some, when = users[first:last], answered_at[first:last]
            present = (self._first[some] < when) & (self._users.state["gone"][some] == 0)
            some, when = some[present], when[present]
            if len(some):
                said = self.stated[some, : self._n] = self._said(some, occasion)
                self._tell(occasion, some, when, said, sink)
            if last == len(users):
                del self._pending[occasion]

    def state(self) -> dict[str, npt.NDArray[Any]]:
        """Return everything that is not a function of the keys, for a checkpoint."""
        return {"stated": self.stated}

    def restore(self, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        """Take back what `state` gave; the answers to come follow from their keys."""
        self.stated[:] = arrays["stated"]

    def _answers(self, survey: Survey, number: int) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
        """Return the times, s, at which users answer a survey, rising, and these users."""
        n = len(self.stated)
        users = np.flatnonzero(_lucks(self._seed, n, number, _ANSWERS) < survey.answers.value)
        asked_at = survey.first.value + (number - 1) * survey.every.value
        times = asked_at + survey.after.quantile(_lucks(self._seed, n, number, _AFTER)[users])
        times = np.floor(times * TICKS_PER_SECOND) / TICKS_PER_SECOND
        order = np.argsort(times, kind="stable")
        return times[order], users[order]

    def _said(self, users: npt.NDArray[np.int64], occasion: int) -> Codes:
        """Draw the interests that users declare on an occasion, (n, S): a noisy function of their tastes."""
        n_users, out = len(self._taste), np.full((len(users), self._n), -1, dtype=np.int32)
        right = [_lucks(self._seed, n_users, occasion, _RIGHT + k) for k in range(self._n)]
        which = [_lucks(self._seed, n_users, occasion, _WHICH + k) for k in range(self._n)]
        for begin in range(0, len(users), _BLOCK):
            some = users[begin : begin + _BLOCK]
            match = affinities(self._means, self._taste[some])
            rows = np.arange(len(some))
            free = np.ones(match.shape, dtype=np.bool_)
            for k in range(min(self._n, match.shape[1])):
                # a cluster without items matches nobody, and yet comes before what was named already
                true = np.argmax(np.where(free, np.maximum(match, _LEAST), -np.inf), axis=1)
                place = np.floor(which[k][some] * (match.shape[1] - k)).astype(np.int64)
                other = np.argmax(np.cumsum(free, axis=1) > place[:, None], axis=1)
                said = np.where(right[k][some] < self._right, true, other)
                free[rows, said] = False
                out[begin : begin + _BLOCK, k] = said
        return out

    def _tell(
        self,
        occasion: int,
        users: npt.NDArray[np.int64],
        times: npt.NDArray[np.float64],
        codes: Codes,
        sink: Sink,
    ) -> None:
        """Count the declarations, and record them where records are kept."""
        if self._event < 0 or not len(users):
            return
        plan = self._compiled.plan
        for begin in range(0, len(users), 1024):
            part = slice(begin, begin + 1024)
            out = sink.output(codes[part].size)
            out.tallies[int(Tally.EVENT) + self._event] += np.count_nonzero(codes[part] >= 0)
            if len(out.records) and out.wanted[self._event]:
                visits: Array = np.ascontiguousarray(self._users.state["visits"][users[part]])
                segments = np.ascontiguousarray(self._users.state["segment"][users[part]])
                declared = Declarations(users[part], times[part], visits, codes[part], segments)
                sink.wrote(declare(self._seed, occasion, self._event, declared, plan, out.records))
