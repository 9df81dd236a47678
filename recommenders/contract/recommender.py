"""The contract between a platform and its recommenders, version 1: all that a plug-in may see, and what it must do.

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

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

import numpy as np

from recommenders.contract.candidate_lists import Lists
from recommenders.contract.catalog import Catalog
from recommenders.contract.errors import RecommenderError
from recommenders.contract.log import Label, PlatformLog, Positives
from recommenders.contract.requests import Requests, Slates
from recommenders.contract.settings import Settings

CONTRACT_VERSION = 1

Reproducibility = Literal["exact", "same machine", "none"]


class Recommender:
    """Base of every recommender. Making one only checks and keeps its parameters; ``fit`` does the work.

    Class attributes:
        name: what it is called.
        Config: its parameters, a frozen dataclass derived from ``Settings``.
        learns: whether it needs ``fit`` on a log before it can recommend.
        reproducibility: 'exact' if slates are equal on every machine and for every batch, 'same machine' if equal for
            every batch on one machine, 'none' otherwise.

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

    config: Settings

    def __init__(self, *, seed: int = 0, label: Label | None = None, **parameters: Any) -> None:
        self.config = self.Config.read(parameters, f"recommender {self.name or type(self).__name__}")
        self.seed = seed
        self.label = label

    def check(self, catalog: Catalog) -> None:
        """Say before anything else is done that this catalog lacks what is needed: features, a column.

        Raises:
            RecommenderError: it does. By default nothing is needed.
        """

    def fit(self, log: PlatformLog, catalog: Catalog) -> None:
        """Learn from all records that have arrived. Fitting again forgets what was learned before."""

    def recommend(self, requests: Requests) -> Slates:
        """Slates for a batch of requests; each a function of its own request only. Changes no array of it."""
        raise NotImplementedError(f"{type(self).__name__} does not implement recommend")

    def recommend_from(self, requests: Requests, lists: Lists) -> Slates | None:
        """Slates for requests that each choose from one of several lists of the candidates, in one go.

        The answer is the one that ``recommend`` gives to the requests of each list, asked with this as their
        candidates; slates of lists that are shorter end with -1. None, the default: that is how it is to be asked.
        """
        return None

    def chances(self, requests: Requests, items: np.ndarray) -> np.ndarray | None:
        """How likely any items are to be in the slates, for whoever explores over a recommender that randomises.

        Args:
            requests: n requests.
            items: int32 (n, k), padded with -1.

        Returns:
            Float (n, k), each item's probability of being in its request's slate before the request's luck is known
            (that is what the propensities of `recommend` are for its own items); None where it cannot say.
        """
        return None

    def scores(self, requests: Requests) -> np.ndarray | None:
        """What it ranks by, for whoever adds it up with others.

        Returns:
            Float32 (n, n_items), higher is better, NaN where an item has none, whether or not the user has had it.
            None where it does not rank by scores.
        """
        return None

    def update(self, events: PlatformLog) -> None:
        """Take in records that arrived since ``fit`` or the last ``update``; by default they teach nothing."""

    def state(self) -> dict[str, np.ndarray]:
        """Everything learned, as plain arrays (for checkpoints); parameters are not part of it."""
        return {}

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Take back what ``state`` of an equally parametrised recommender gave, in place of fitting."""

    def parameters(self) -> dict[str, Any]:
        """What it was made with besides seed and label, by name; enough to make an equal one."""
        return self.config.values()

    def positives(self, log: PlatformLog, catalog: Catalog) -> Positives:
        """The positives of the log by this recommender's label.

        Raises:
            RecommenderError: if it was made without a label.
        """
        if self.label is None:
            raise RecommenderError(
                f"recommender {self.name}", "has no label", "say what counts as a positive: label=Label(name, events)"
            )
        return log.positives(self.label, catalog)
