"""Ensembles: what members say late, their scores or ranks, brought to one scale and added up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

import numpy as np

from recommenders.compose.pipeline import Composed
from recommenders.contract import (
    NO_ITEM,
    Catalog,
    Label,
    PlatformLog,
    Recommender,
    RecommenderError,
    Requests,
    Settings,
    calling,
    setting,
    slates_of,
    validate_scores,
)
from recommenders.models.hashing import root
from recommenders.models.history import History
from recommenders.models.ranker import Batch, Ranker

Normalize = Literal["rank", "minmax", "zscore"]


@dataclass(frozen=True)
class EnsembleSettings(Settings):
    """Settings of :class:`Ensemble`."""

    members: str = setting(meaning="the members, by +, as in itemknn+bpr(factors=32)")
    weights: str = setting("", "weight of each, by +; all 1 unless given")
    normalize: Normalize = setting(
        "rank", "what is added up: 1 / (offset + rank), or scores brought to 0 ... 1, or to mean 0 and deviation 1"
    )
    depth: int = setting(200, "items that each member ranks, for rank", low=1)
    offset: float = setting(60.0, "added to ranks, for rank: how little the first places stand out", low=0)


class Ensemble(Composed, Ranker):
    """Add up members' late scores by weight, each normalised over a request's candidates.

    ``rank`` takes any member: its score is 1 / (offset + rank) (Cormack et al., SIGIR 2009). ``minmax`` and ``zscore``
    (as CombSUM in Fox and Shaw, TREC 1994) need members that rank by scores; an item without a score counts as the
    member's last, and where nothing has one the member has no say.
    """

    name: ClassVar[str] = "ensemble"
    Config: ClassVar[type[Settings]] = EnsembleSettings
    config: EnsembleSettings
    needs = "nothing"
    reads = "positives"

    def __init__(self, *, seed: int = 0, label: Label | None = None, **parameters: Any) -> None:
        super().__init__(seed=seed, label=label, **parameters)
        self.weights()
        if self.config.normalize != "rank":
            for member in self.members.values():
                if getattr(type(member), "scores", Recommender.scores) is Recommender.scores:
                    raise self._no_scores(member)

    def named(self) -> Iterator[tuple[str, str]]:
        """Name the members by number."""
        yield from ((str(number), text.strip()) for number, text in enumerate(_parts(self.config.members)))

    def weights(self) -> list[float]:
        """Return the weight of each member.

        Raises:
            RecommenderError: they are not as many numbers as members.
        """
        texts = _parts(self.config.weights) if self.config.weights else ["1"] * len(self.members)
        try:
            weights = [float(text) for text in texts]
        except ValueError:
            weights = []
        if len(weights) != len(self.members):
            right = f"expected {len(self.members)} numbers, by +"
            raise RecommenderError("recommender ensemble.weights", f"is {self.config.weights!r}", right)
        return weights

    def fit(self, log: PlatformLog, catalog: Catalog) -> None:
        """Fit all members, and remember the users' positives."""
        Composed.fit(self, log, catalog)
        positives = self.positives(log, catalog)
        self._take(History.of(positives, log.n_users, catalog.n_items, root(self.seed, self.name)), {})

    def score(self, batch: Batch) -> np.ndarray:
        """Return the weighted sum; NaN for what no member would rank, and for what is no candidate."""
        requests = batch.requests
        total = np.zeros((len(requests), requests.candidates.size))
        ranked = np.zeros(total.shape, bool)
        for weight, member in zip(self.weights(), self.members.values(), strict=True):
            late, said = self._late(member, requests)
            total += weight * late
            ranked |= said
        scores = np.full((len(requests), self.history.n_items), np.nan, np.float32)
        scores[:, requests.candidates] = np.where(ranked, total, np.nan)
        return scores

    def _late(self, member: Recommender, requests: Requests) -> tuple[np.ndarray, np.ndarray]:
        """Return what a member adds, float64 (n, candidates), and which candidates it has something to say of, bool."""
        return self._ranks(member, requests) if self.config.normalize == "rank" else self._scores(member, requests)

    def _ranks(self, member: Recommender, requests: Requests) -> tuple[np.ndarray, np.ndarray]:
        depth = max(self.config.depth, requests.slate_size)
        slates = slates_of(member, replace(requests, slate_size=depth)).items
        rows, places = np.nonzero(slates != NO_ITEM)
        ranked = slates[rows, places]
        at = np.searchsorted(requests.candidates, ranked)
        foreign = np.append(requests.candidates, NO_ITEM)[at] != ranked
        if foreign.any():
            wrong = f"{member.name} ranks item {ranked[foreign][0]}"
            raise RecommenderError(f"recommender {self.name}.members", wrong, "expected candidates")
        late = np.zeros((len(requests), requests.candidates.size))
        late[rows, at] = 1.0 / (self.config.offset + 1 + places)
        return late, late > 0

    def _scores(self, member: Recommender, requests: Requests) -> tuple[np.ndarray, np.ndarray]:
        with calling(member, "scores"):
            found: object = member.scores(requests)
        given = validate_scores(found, requests, self._n_items, member.name)
        if given is None:
            raise self._no_scores(member)
        scores = given[:, requests.candidates].astype(np.float64)
        said = np.isfinite(scores)
        some = said.any(axis=1, keepdims=True)
        low = np.where(said, scores, np.inf).min(axis=1, keepdims=True, initial=np.inf)
        scores = np.where(said, scores, np.where(some, low, 0.0))
        middle, spread = low, scores.max(axis=1, keepdims=True, initial=-np.inf) - low
        if self.config.normalize == "zscore":
            middle, spread = scores.mean(axis=1, keepdims=True), scores.std(axis=1, keepdims=True)
        with np.errstate(invalid="ignore", divide="ignore"):
            late = (scores - middle) / spread
        return np.where(some & (spread > 0), late, 0.0), said

    def _no_scores(self, member: Recommender) -> RecommenderError:
        return RecommenderError(
            "recommender ensemble.members",
            f"{member.name} gives no scores, which normalize={self.config.normalize} adds up",
            "expected members that rank by scores, or normalize=rank",
        )

    def state(self) -> dict[str, np.ndarray]:
        """Return the members' states and the users' positives."""
        return {**Composed.state(self), **Ranker.state(self)}

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Take back what ``state`` gave."""
        Composed.restore(self, state)
        Ranker.restore(self, state)


def _parts(text: str) -> list[str]:
    """Return the parts between plus signs that are outside of brackets.

    >>> _parts("a+b(c+d)")
    ['a', 'b(c+d)']
    """
    parts, depth = [""], 0
    for sign in text:
        depth += (sign == "(") - (sign == ")")
        if sign == "+" and depth == 0:
            parts.append("")
        else:
            parts[-1] += sign
    return parts
