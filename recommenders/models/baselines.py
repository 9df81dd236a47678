"""Simple ones that are hard to beat where they fit: what is popular lately, what follows the last events, what was
declared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from recommenders.contract import NO_ITEM, Catalog, Range, Requests, Settings, Slates, setting
from recommenders.contract.columns import DAY
from recommenders.models.hashing import mix, root
from recommenders.models.neighbors import NeighborSettings, Rows
from recommenders.models.popularity import NO_KINDS, walk
from recommenders.models.profiles import csr
from recommenders.models.ranker import Batch, Learning, Ranker


@dataclass(frozen=True)
class RecentSettings(Settings):
    """Settings of :class:`RecentPopularity`."""

    half_life: float = setting(
        DAY, "seconds after which a positive counts half", low=1, search=Range(3600, 60 * DAY, log=True)
    )
    newness: float = setting(1.0, "positives that an item is granted when it is published", low=0)


class RecentPopularity(Ranker):
    """Popularity that fades, for inventories that change fast: each positive counts half after each half-life.

    Where the catalog says when items were published, each starts with a few positives of that time, so that new items
    are tried. All fade alike, so the order does not depend on the time of a request.
    """

    name: ClassVar[str] = "recentpopularity"
    takes_lists: ClassVar[bool] = True
    needs = "nothing"
    Config = RecentSettings
    reads = "positives"
    config: RecentSettings

    def learn(self, data: Learning) -> dict[str, np.ndarray]:
        """Return each item's faded positives, as seen from the latest one."""
        times = data.positives.time
        now = float(times.max(initial=0.0))
        fresh = np.exp2((times - now) / self.config.half_life)
        weight = np.bincount(data.positives.item, fresh, data.n_items).astype(np.float64)
        published = data.catalog.columns.get("published_at")
        if published is not None:
            # Items to come are granted no more than one that is published now.
            weight = weight + self.config.newness * np.exp2(np.minimum(published - now, 0) / self.config.half_life)
        return {"weight": weight.astype(np.float32)}

    def prepare(self) -> None:
        """Rank all items once: their order is the same for everybody until the next fit."""
        ties = mix(np.full(1, root(self.seed, self.name)), np.arange(self.history.n_items, dtype=np.uint64))
        self._order = np.lexsort((~ties, -self.learned["weight"])).astype(np.int32)

    def recommend(self, requests: Requests) -> Slates:
        """Recommend the first candidates of the order; where they run out, the most popular of what is left."""
        slates = np.full((len(requests), requests.slate_size), NO_ITEM, np.int32)
        walk(slates, self.history.ready(requests, self.name), self._order, NO_KINDS, NO_KINDS)
        self.count(slates, np.zeros(slates.shape, bool), self.history.known(requests.user))
        return Slates(slates)

    def scores(self, requests: Requests) -> np.ndarray:
        """Return the items' weights."""
        return super().scores(requests)

    def score(self, batch: Batch) -> np.ndarray:
        """Return the items' weights."""
        return np.tile(self.learned["weight"], (len(batch.requests), 1))


@dataclass(frozen=True)
class LastEventsSettings(NeighborSettings):
    """Settings of :class:`LastEvents`."""

    events: int = setting(3, "last items that count", low=1, search=Range(1, 20, log=True))
    fading: float = setting(0.5, "weight of an item against the one after it", low=0, high=1, search=Range(0.1, 1))


class LastEvents(Ranker):
    """Item-to-item: on what the slate stands next to, else on the last few events of this visit, else of the user."""

    name: ClassVar[str] = "lastevents"
    takes_lists: ClassVar[bool] = True
    next_to: ClassVar[bool] = True
    Config = LastEventsSettings
    reads = "positives"
    config: LastEventsSettings

    def learn(self, data: Learning) -> dict[str, np.ndarray]:
        """Return each item's nearest others, and each user's last items, latest first."""
        history, pairs, n = data.history, data.positives, self.config.events
        plain = Rows(history.start, history.items, np.ones(history.items.size, np.float32), history.n_items).turned
        weighting = "none" if self.config.binary else self.config.weighting
        found, similarity = plain.weighted(weighting).nearest(self.config, root(self.seed, self.name))
        order = np.lexsort((pairs.item, -pairs.time, pairs.user))
        rank = np.arange(len(pairs)) - history.start[pairs.user[order]]
        last = np.full((data.n_users, n), -1, np.int32)
        kept = rank < n
        last[pairs.user[order][kept], rank[kept]] = pairs.item[order][kept]
        return {"found": found, "similarity": similarity, "last": last}

    def prepare(self) -> None:
        """Prepare similarities by the item that is had."""
        found = self.learned["found"]
        there = found >= 0
        start = np.concatenate(([0], np.cumsum(there.sum(axis=1))))
        self._near = csr(start, found[there], self.learned["similarity"][there], self.history.n_items).T.tocsr()

    def score(self, batch: Batch) -> np.ndarray:
        """Return the similarity to the last events, each weighing less than the next."""
        requests, n = batch.requests, self.config.events
        weight = np.zeros((len(requests), self.history.n_items), np.float32)
        for row in range(len(requests)):
            visit = requests.events_item[row]
            items = visit[visit >= 0][::-1][:n]
            if requests.anchor_item[row] != NO_ITEM:
                items = requests.anchor_item[row : row + 1]
            elif not items.size and batch.known[row]:
                last = self.learned["last"][requests.user[row]]
                items = last[last >= 0]
            for age, item in enumerate(items):
                weight[row, item] += self.config.fading**age
        scores = (csr_of(weight) @ self._near).toarray()
        scores[scores == 0] = np.nan
        return np.asarray(scores)


def csr_of(dense: np.ndarray) -> object:
    """Convert a dense matrix, mostly of zeros, to scipy CSR."""
    from scipy.sparse import csr_matrix

    return csr_matrix(dense)


@dataclass(frozen=True)
class DeclaredSettings(Settings):
    """Settings of :class:`DeclaredInterest`."""

    column: str = setting("category", "public column of the items, whose values the users' statements name")


class DeclaredInterest(Ranker):
    """Recommend the most popular items of what the user has declared an interest in; then what is popular."""

    name: ClassVar[str] = "declared"
    needs = "nothing"
    Config = DeclaredSettings
    reads = "positives"
    config: DeclaredSettings

    def check(self, catalog: Catalog) -> None:
        """Check that the column is there."""
        catalog.require_column(self.config.column, f"recommender {self.name}.column")

    def learn(self, data: Learning) -> dict[str, np.ndarray]:
        """Return each item's popularity and what it is."""
        kinds = data.catalog.require_column(self.config.column, f"recommender {self.name}.column").astype(np.int64)
        return {"popularity": data.popularity.astype(np.float32), "kinds": kinds}

    def score(self, batch: Batch) -> np.ndarray:
        """Return the popularity where the item is of a declared kind, else no score."""
        stated, kinds = batch.requests.stated, self.learned["kinds"]
        scores = np.full((len(batch.requests), self.history.n_items), np.nan, np.float32)
        for row in range(len(batch.requests)):
            wanted = np.isin(kinds, stated[row][stated[row] >= 0])
            scores[row, wanted] = self.learned["popularity"][wanted]
        return scores
