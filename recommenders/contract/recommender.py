"""The contract between a platform and its recommenders, version 2: all that a plug-in may see, and what it must do.

A plug-in is a class like this one::

    class Newest(Recommender):
        name = "newest"

        def fit(self, log, catalog):
            self.published_at = catalog.columns["published_at"]

        def recommend(self, requests):
            order = np.argsort(-self.published_at[requests.candidates], kind="stable")
            best = requests.candidates[order][: requests.slate_size]
            return Slates(np.tile(best, (len(requests), 1)))

Its parameters, if it has any, are the fields of a settings class (:mod:`recommenders.contract.settings`) that it names
as ``Config``; they are checked when it is made, and are then found in ``self.config``.

``check_recommender`` (in :mod:`recommenders.check`) says whether it keeps the contract. (This one does not: it shows
users what they have just seen.)
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Literal

import numpy as np

from recommenders.contract.answers import Slates, validate_shapes, validate_slates
from recommenders.contract.calls import calling, shown_name
from recommenders.contract.catalog import Catalog
from recommenders.contract.errors import RecommenderError
from recommenders.contract.log import Label, PlatformLog, Positives
from recommenders.contract.places import Places
from recommenders.contract.requests import Requests
from recommenders.contract.settings import Settings

CONTRACT_VERSION = 2

_ANSWERS = ("recommend", "recommend_from")
_FITS = ("fit", "update", "positives", "learn")
_ABOUT: dict[str, tuple[tuple[str, ...], Any]] = {
    "takes_lists": (_ANSWERS, False),
    "scores": (_ANSWERS, None),  # as the base has it
    "chances": (_ANSWERS, None),
    "reads": (_FITS, "log"),
    "takes_updates": (("update",), True),
}
"""What a class says of how it answers or learns, the methods (`learn` is that of rankers) that do it, and what is so of
a class that has one of them and does not say."""

Reproducibility = Literal["exact", "same machine", "none"]


class Recommender:
    """Base of every recommender. Making one only checks and keeps its parameters; ``fit`` does the work.

    Class attributes:
        name: what it is called.
        Config: its parameters, a frozen dataclass derived from ``Settings``.
        learns: whether it needs ``fit`` on a log before it can recommend.
        reproducibility: 'exact' if slates are equal on every machine and for every batch, 'same machine' if equal for
            every batch on one machine, 'none' otherwise.
        takes_lists: whether ``recommend`` takes batches whose requests choose from several lists of candidates, found
            in ``requests.lists``. Who does not say so is asked list by list, each list in ``requests.candidates``.
            ``chances`` and ``scores`` are always asked of one list.

        reads: 'positives' if all that it learns from a log is its positives by the label (and who and how many there
            are): a platform may then leave out rows that are none. 'log' if it reads anything else of it.
        takes_updates: whether ``update`` does anything; so it is where a class defines it.

    A subclass with a ``recommend`` of its own answers in a way of its own: what its bases say of how they do it
    (``takes_lists``, ``scores``, ``chances``) is void until it says so itself. So is ``reads``, where it learns in a
    way of its own.

    Args:
        seed: of whatever it draws.
        label: what counts as a positive; needed by those that learn from positives.
        parameters: fields of ``Config``.

    Raises:
        RecommenderError: a parameter is unknown, missing, of the wrong type or out of bounds.
    """

    name: ClassVar[str] = ""
    Config: ClassVar[type[Settings]] = Settings
    learns: ClassVar[bool] = True
    reproducibility: ClassVar[Reproducibility] = "none"
    takes_lists: ClassVar[bool] = False
    reads: ClassVar[Literal["log", "positives"]] = "log"
    takes_updates: ClassVar[bool] = False

    config: Settings

    def __init_subclass__(cls, **given: Any) -> None:
        super().__init_subclass__(**given)
        if "recommend_from" in vars(cls):
            warnings.warn(
                f"{cls.__name__}.recommend_from is of contract version 1, and this is the last version that calls it:"
                " say takes_lists = True and let recommend(requests) read requests.lists, or delete it",
                FutureWarning,
                stacklevel=2,
            )
        for name, (done_by, unsaid) in _ABOUT.items():
            nearest = next(c for c in cls.__mro__ if vars(c).keys() & {name, *done_by})
            if name not in vars(nearest):
                setattr(cls, name, vars(Recommender)[name] if unsaid is None else unsaid)

    def __init__(self, *, seed: int = 0, label: Label | None = None, **parameters: Any) -> None:
        self.config = self.Config.read(parameters, f"recommender {self.name or type(self).__name__}")
        self.seed = seed
        self.label = label

    @property
    def needs_values(self) -> bool:
        """Whether it learns from how much, not whether (ratings, seconds, prices), and can learn nothing without.

        A class may say it as an attribute. Data without values are then refused before anything is fitted or written.
        """
        return False

    def check(self, catalog: Catalog) -> None:
        """Say before anything else is done that this catalog lacks what is needed: features, a column.

        Raises:
            RecommenderError: it does. By default nothing is needed.
        """

    def fit(self, log: PlatformLog, catalog: Catalog) -> None:
        """Learn from all records that have arrived. Fitting again forgets what was learned before."""

    def recommend(self, requests: Requests) -> Slates:
        """Recommend slates for a batch of requests; each a function of its own request only. Changes no array of it.

        Where ``takes_lists``, requests of several lists get what those of each list alone would get; slates of lists
        that are shorter than a slate end with -1.
        """
        raise NotImplementedError(f"{type(self).__name__} does not implement recommend")

    def chances(self, requests: Requests, items: np.ndarray) -> np.ndarray | None:
        """Return how likely any items are to be in the slates, for whoever explores over a recommender that randomises.

        Args:
            requests: n requests.
            items: int32 (n, k), padded with -1.

        Returns:
            Float (n, k), each item's probability of being in its request's slate before the request's luck is known
            (that is what the propensities of `recommend` are for its own items); None where it cannot say.
        """
        return None

    def scores(self, requests: Requests) -> np.ndarray | None:
        """Return what the recommender ranks by, for whoever adds it up with others.

        Returns:
            Float32 (n, n_items), higher is better, NaN where an item has none, whether or not the user has had it.
            None where it does not rank by scores.
        """
        return None

    def update(self, events: PlatformLog) -> None:
        """Take in records that arrived since ``fit`` or the last ``update``; by default they teach nothing."""

    def places(self) -> Places | None:
        """Return how many places of slates it has filled so far, and how many by popularity for want of a score.

        None where it does not count, as by default: only a recommender itself can tell popular items that it meant from
        those that it took because it had no better. Counts go on over fits; keep them in :meth:`state`.
        """
        return None

    def state(self) -> dict[str, np.ndarray]:
        """Return everything learned, as plain arrays (for checkpoints); parameters are not part of it."""
        return {}

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Take back what ``state`` of an equally parametrised recommender gave, in place of fitting."""

    def parameters(self) -> dict[str, Any]:
        """Return what it was made with besides seed and label, by name; enough to make an equal one."""
        return self.config.values()

    def positives(self, log: PlatformLog, catalog: Catalog) -> Positives:
        """Return the positives of the log by this recommender's label.

        Raises:
            RecommenderError: if it was made without a label.
        """
        if self.label is None:
            raise RecommenderError(
                f"recommender {self.name}", "has no label", "say what counts as a positive: label=Label(name, events)"
            )
        return log.positives(self.label, catalog)


Check = Callable[[Slates, Requests], None]
"""Raises where slates do not answer requests."""


def slates_of(recommender: Recommender, requests: Requests, check: Check | None = None) -> Slates:
    """Return a recommender's slates; whoever does not take several lists in one batch is asked list by list.

    Args:
        recommender: who is asked.
        requests: of one list or of several.
        check: called with each answer and what it answers, once types and shapes are known to be right.

    Raises:
        RecommenderError: the recommender raises something, or its answer is none.
    """
    if requests.several is None or recommender.takes_lists:
        return _asked(recommender, requests, check)
    older = getattr(recommender, "recommend_from", None)  # contract version 1
    if older is not None:
        whole = requests.part(0, len(requests), requests.candidates, requests.slate_size)
        with calling(recommender, "recommend_from"):
            given = older(whole, requests.several)
        if given is not None:
            return _good(recommender, given, requests, check)
    return _split_by_list(recommender, requests, check)


def valid_slates(recommender: Recommender, requests: Requests, n_items: int) -> Slates:
    """Return a recommender's slates as :func:`slates_of` does, all of them looked at closely.

    Raises:
        RecommenderError: the recommender raises something, or its answer breaks the contract.
    """

    def check(slates: Slates, own: Requests) -> None:
        validate_slates(slates, own, n_items, shown_name(recommender))

    return slates_of(recommender, requests, check)


def _asked(recommender: Recommender, requests: Requests, check: Check | None) -> Slates:
    twin = requests.twin()  # what a plug-in does to its own is not what its answer is held against
    with calling(recommender, "recommend"):
        given: object = recommender.recommend(twin)
    return _good(recommender, given, requests, check)


def _good(recommender: Recommender, given: object, requests: Requests, check: Check | None) -> Slates:
    slates = validate_shapes(given, requests, shown_name(recommender))
    if check is not None:
        check(slates, requests)
    return slates


def _split_by_list(recommender: Recommender, requests: Requests, check: Check | None) -> Slates:
    items = np.empty((len(requests), requests.slate_size), np.int32)
    odds = np.full(items.shape, np.nan, np.float32)
    says = False
    for first, last, own in requests.by_list():
        slates = _asked(recommender, own, check)
        items[first:last] = slates.items
        if slates.propensity is not None:
            odds[first:last] = slates.propensity
            says = True
    return Slates(items, odds if says else None)
