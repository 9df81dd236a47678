"""The offline protocol: fit on training pairs, rank, judge with intervals, and search settings on validation only."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from recommenders.contract import (
    Places,
    Positives,
    Recommender,
    RecommenderError,
    calling,
    parameters_of,
    places_of,
    valid_slates,
)
from recommenders.contract.places import called
from recommenders.contract.settings import Choice
from recommenders.evaluation import metrics
from recommenders.evaluation.dataset import Dataset
from recommenders.evaluation.offline import POSITIVE, Split, log_of, requests_for
from recommenders.models.hashing import chain
from recommenders.registry import accepted_parameters, create, find

CHUNK = 2048
GROUPS = ((1, 4), (5, 9), (10, 19), (20, None))
"""Groups of users by their number of training pairs, both ends included."""


@dataclass(frozen=True)
class Judgment:
    """Hold the metrics of a fitted recommender on one part.

    Attributes:
        users: uint32, those with something held out and at least one training pair.
        per_user: measure@k -> float64, one per user.
        of_lists: coverage@k, novelty@k, gini@k.
        cold_recall: measure@k of held-out items that training never met; NaN where there are none.
        n_train: training pairs of each user.
        seconds: of recommending.
        places: places of the lists, and how many of them popularity filled; None where the recommender does not count.
    """

    users: np.ndarray
    per_user: dict[str, np.ndarray]
    of_lists: dict[str, float]
    cold_recall: dict[str, float]
    n_train: np.ndarray
    seconds: float
    places: Places | None = None

    @property
    def means(self) -> dict[str, float]:
        """Return the mean over users of each measure, then the measures of lists."""
        nan = float("nan")
        return {n: float(v.mean()) if v.size else nan for n, v in self.per_user.items()} | self.of_lists

    @property
    def intervals(self) -> dict[str, tuple[float, float]]:
        """Return 95 % intervals of the means over users, by the normal approximation."""
        found = {}
        for name, values in self.per_user.items():
            half = 1.96 * float(values.std(ddof=1)) / np.sqrt(values.size) if values.size > 1 else float("nan")
            found[name] = (float(values.mean()) - half, float(values.mean()) + half) if values.size else (half, half)
        return found

    @property
    def groups(self) -> dict[str, dict[str, float]]:
        """Return means by number of training pairs, each group with its number of users; and recall of cold items."""
        found: dict[str, dict[str, float]] = {}
        for low, high in GROUPS:
            inside = (self.n_train >= low) & (self.n_train <= (np.inf if high is None else high))
            if inside.any():
                means = {name: float(values[inside].mean()) for name, values in self.per_user.items()}
                found[f"training {low}+" if high is None else f"training {low}-{high}"] = {
                    "users": float(inside.sum()), **means
                }  # fmt: skip
        return found | ({"cold items": self.cold_recall} if self.cold_recall else {})


def judge(
    recommender: Recommender,
    train: Positives,
    held: Positives,
    data: Dataset,
    cutoffs: tuple[int, ...],
    negatives: int | None = None,
    seed: int = 0,
) -> Judgment:
    """Rank for every user with something held out in ``held``; training items are `recently_shown`, so they come last.

    Args:
        recommender: fitted on ``train``.
        train: its training pairs.
        held: the pairs to find.
        data: what both are of.
        cutoffs: lengths of lists at which to measure.
        negatives: None ranks the whole catalog; a number ranks each user's held-out items among so many others,
            drawn from those that the user never had (the weaker protocol: it flatters whatever avoids nonsense).
        seed: of the negatives and of requests' luck.
    """
    n_users, n_items = data.n_users, data.catalog.n_items
    trained = metrics.HeldOut.of_pairs(train.user, train.item, n_users)
    wanted = metrics.HeldOut.of_pairs(held.user, held.item, n_users)
    users = np.flatnonzero((trained.sizes > 0) & (wanted.sizes > 0)).astype(np.uint32)
    k = min(max(cutoffs), n_items)
    before = places_of(recommender)
    began = time.perf_counter()
    ranked = np.full((users.size, k), -1, np.int32)
    if negatives is None:
        for first in range(0, users.size, CHUNK):
            requests = requests_for(users[first : first + CHUNK], trained, n_items, k, seed)
            ranked[first : first + CHUNK] = valid_slates(recommender, requests, n_items).items
    else:
        every = metrics.HeldOut.of_pairs(data.positives.user, data.positives.item, n_users)
        for row, user in enumerate(users):
            request = requests_for(users[row : row + 1], trained, n_items, k, seed)
            candidates = _among(int(user), wanted, every, n_items, negatives, seed)
            request = replace(request, candidates=candidates)
            ranked[row] = valid_slates(recommender, request, n_items).items[0]
    seconds = time.perf_counter() - began
    judged = _judged(ranked, users, trained, held, data, cutoffs, seconds, np.bincount(train.item, minlength=n_items))
    after = places_of(recommender)
    return judged if before is None or after is None else replace(judged, places=after.plus(before, -1))


def _among(
    user: int, wanted: metrics.HeldOut, every: metrics.HeldOut, n_items: int, negatives: int, seed: int
) -> np.ndarray:
    """Return a user's held-out items and so many that the user never had, by keyed draws, rising."""
    mine = wanted.items[wanted.start[user] : wanted.start[user + 1]]
    draw = chain(seed, np.array([user]), np.arange(n_items))
    draw[every.items[every.start[user] : every.start[user + 1]]] = np.iinfo(np.uint64).max
    others = np.argpartition(draw, min(negatives, n_items - 1))[:negatives]
    others = others[draw[others] < np.iinfo(np.uint64).max]
    return np.sort(np.concatenate((mine, others))).astype(np.int32)


def _judged(
    ranked: np.ndarray,
    users: np.ndarray,
    trained: metrics.HeldOut,
    held: Positives,
    data: Dataset,
    cutoffs: tuple[int, ...],
    seconds: float,
    popularity: np.ndarray,
) -> Judgment:
    n_items = data.catalog.n_items
    row_of = np.full(data.n_users, -1, np.int64)
    row_of[users] = np.arange(users.size)
    known = row_of[held.user] >= 0
    relevant = metrics.HeldOut.of_pairs(row_of[held.user[known]], held.item[known], users.size)
    cold_rows = known & (popularity[held.item] == 0)
    cold = metrics.HeldOut.of_pairs(row_of[held.user[cold_rows]], held.item[cold_rows], users.size)
    per_user, of_lists, cold_recall = {}, {}, {}
    n_train_users = int((trained.sizes > 0).sum())
    for cutoff in cutoffs:
        k = min(cutoff, ranked.shape[1])
        for name, measure in metrics.PER_USER.items():
            per_user[f"{name}@{cutoff}"] = measure(ranked, relevant, k)
        of_lists[f"coverage@{cutoff}"] = metrics.coverage(ranked, k, n_items)
        of_lists[f"novelty@{cutoff}"] = metrics.novelty(ranked, k, popularity, n_train_users)
        of_lists[f"gini@{cutoff}"] = metrics.concentration(ranked, k, n_items)
        if cold_rows.any():
            cold_recall[f"recall@{cutoff}"] = float(np.nanmean(metrics.recall(ranked, cold, k)))
    return Judgment(users, per_user, of_lists, cold_recall, trained.sizes[users], seconds)


@dataclass(frozen=True)
class Trial:
    """One set of settings that a search tried: parameters, validation means (or why it failed), seconds of fitting."""

    parameters: dict[str, Any]
    validation: dict[str, float]
    error: str | None
    fit_seconds: float


@dataclass(frozen=True)
class Evaluated:
    """Hold what :func:`evaluate` found; ``recommender`` is the fitted one."""

    recommender: Recommender
    parameters: dict[str, Any]
    validation: Judgment
    test: Judgment
    trials: list[Trial]
    fit_seconds: float
    peak_memory_bytes: int
    split: Split


def fit_for(name: str, parameters: Mapping[str, Any], data: Dataset, seed: int) -> Recommender:
    """Return a new recommender for a data set that has what it needs.

    Raises:
        RecommenderError: an unknown recommender or setting; or the data lack what it needs: features, a column, values.
    """
    recommender = create(name, parameters, seed=seed, label=POSITIVE)
    parameters = parameters_of(recommender)  # they are written at the end
    with calling(recommender, "check"):
        recommender.check(data.catalog)
        lack = data.lacks_values if recommender.needs_values else None
    if lack is not None:
        who = called(name, parameters)
        right = "expected ratings (columns.value=NAME says which column holds them), or a recommender of positives"
        raise RecommenderError(f"recommender {who}", f"needs a value per pair, and {lack}", right)
    return recommender


def fit(name: str, parameters: Mapping[str, Any], split: Split, data: Dataset, seed: int) -> tuple[Recommender, float]:
    """Fit a recommender on the training part, and return it with the seconds that fitting took."""
    recommender = fit_for(name, parameters, data, seed)
    log = log_of(split.train, data.n_users, data.catalog.n_items, values=data.rated)
    began = time.perf_counter()
    with calling(recommender, "fit"):
        recommender.fit(log, data.catalog)
    return recommender, time.perf_counter() - began


def evaluate(
    data: Dataset,
    split: Split,
    name: str,
    parameters: Mapping[str, Any] | None = None,
    *,
    cutoffs: tuple[int, ...] = (10, 20),
    negatives: int | None = None,
    search: int = 0,
    select: str = "recall@20",
    seed: int = 0,
    say: Callable[[str], None] = lambda text: None,
) -> Evaluated:
    """Fit on the training part alone, and judge on validation and test.

    With ``search`` so many sets of settings are tried, the given ones first; the best by ``select`` on validation is
    judged on the test part, once.

    Raises:
        RecommenderError: an unknown recommender, setting or measure; or the recommender cannot learn from this.
    """
    fixed = dict(parameters or {})
    trials: list[Trial] = []
    measures = [f"{name}@{k}" for k in cutoffs for name in metrics.PER_USER]
    if search and select not in measures:
        raise RecommenderError("select", f"{select!r} is not measured", f"expected one of {', '.join(measures)}")
    best: tuple[float, dict[str, Any], Recommender, Judgment, float] | None = None
    for tried, tell in Tries(name, fixed, search, seed):
        try:
            recommender, seconds = fit(name, tried, split, data, seed)
        except RecommenderError as error:
            if not trials and not search:
                raise
            trials.append(Trial(tried, {}, str(error), float("nan")))
            continue
        found = judge(recommender, split.train, split.validation, data, cutoffs, negatives, seed)
        trials.append(Trial(tried, found.means, None, seconds))
        value = found.means.get(select, 0.0) if search else 0.0
        tell(value)
        if search:
            say(f"{len(trials)}: {select} {value:.4f} with {tried or 'defaults'}, fitted in {seconds:.1f} s")
        if best is None or value > best[0]:
            best = (value, tried, recommender, found, seconds)
    if best is None:
        raise RecommenderError(f"recommender {name}", f"no settings worked ({trials[0].error})")
    _, chosen, recommender, validation, seconds = best
    test = judge(recommender, split.train, split.test, data, cutoffs, negatives, seed)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return Evaluated(recommender, chosen, validation, test, trials if search else [], seconds, peak, split)


class Tries:
    """Propose the sets of settings of one search, one after the other.

    The given settings come first. Then, up to half of the budget, points of a scrambled Sobol sequence over the ranges
    of the settings that are not given; then points near the best so far: each number moves by a normal step of a
    seventh of its range, each choice is drawn again one time in four.

    Raises:
        RecommenderError: a search is asked of a recommender that says no range.
    """

    def __init__(self, name: str, fixed: Mapping[str, Any], search: int, seed: int) -> None:
        accepted = accepted_parameters(find(name))
        self.ranges = {key: each for key, each in accepted.items() if each.search is not None and key not in fixed}
        self._fixed, self._n, self._random = dict(fixed), max(search, 1), np.random.default_rng(seed)
        self._best: tuple[float, np.ndarray | None] = (-np.inf, None)
        self._points = np.empty((0, len(self.ranges)))
        if self._n > 1:
            if not self.ranges:
                raise RecommenderError(f"recommender {name}", "has nothing to search among", "leave out search")
            from scipy.stats import qmc

            power = int(np.ceil(np.log2(max(self._n // 2, 2))))
            self._points = qmc.Sobol(len(self.ranges), rng=seed).random_base2(power)[: max(self._n // 2, 1)]

    def __iter__(self) -> Iterator[tuple[dict[str, Any], Callable[[float], None]]]:
        """Yield each set, and a function that is to be told how good it was."""
        for number in range(self._n):
            point = None if number == 0 else self._point(number)
            yield self._settings(point), lambda value, point=point: self._told(value, point)  # type: ignore[misc]

    def _told(self, value: float, point: np.ndarray | None) -> None:
        if value > self._best[0] and point is not None:
            self._best = (value, point)

    def _point(self, number: int) -> np.ndarray:
        if number <= len(self._points) or self._best[1] is None:
            return np.asarray(self._points[(number - 1) % len(self._points)])
        near = np.asarray(self._best[1] + self._random.normal(0, 1 / 7, len(self.ranges)))
        anew = self._random.uniform(size=len(self.ranges))
        for place, each in enumerate(self.ranges.values()):
            if isinstance(each.search, Choice):
                near[place] = anew[place] * 4 if anew[place] < 0.25 else self._best[1][place]
        return np.clip(near, 0, 1 - 1e-9)

    def _settings(self, point: np.ndarray | None) -> dict[str, Any]:
        one = dict(self._fixed)
        if point is not None:
            for place, (key, each) in zip(point, self.ranges.items(), strict=True):
                assert each.search is not None
                value = each.search.at(float(place))
                one[key] = round(value) if each.kind is int else value
        return one
