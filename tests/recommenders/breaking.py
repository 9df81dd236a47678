"""Recommenders that break the contract, each in one way, and one that shows what was shown lately."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from recommenders.contract import Label, Recommender, Slates
from recommenders.models.popularity import Popularity
from recommenders.models.random import Random


class Newest(Recommender):
    """The example of the contract's documentation, which shows what was shown lately."""

    name = "newest"

    def fit(self, log, catalog):
        self.published_at = catalog.columns["published_at"]

    def recommend(self, requests):
        order = np.argsort(-self.published_at[requests.candidates], kind="stable")
        best = requests.candidates[order][: requests.slate_size]
        return Slates(np.tile(best, (len(requests), 1)))


class Nameless(Random):
    name = ""


class Unsure(Random):
    reproducibility = "mostly"


class Broken(Random):
    """Base of the mutations below: random slates, then something is done to them."""

    name = "broken"

    def recommend(self, requests):
        slates = super().recommend(requests)
        return Slates(self.spoil(slates.items, requests))

    def spoil(self, items, requests):
        raise NotImplementedError


class Twice(Broken):
    def spoil(self, items, requests):
        if requests.filled > 1:
            items[:, 1] = items[:, 0]
        return items


class Foreign(Broken):
    def spoil(self, items, requests):
        items[:, 0] = 10_000
        return items


class Unavailable(Broken):
    def spoil(self, items, requests):
        missing = np.setdiff1d(np.arange(requests.candidates.max(initial=0)), requests.candidates)
        items[:, 0] = missing[0] if missing.size else items[:, 0]
        return items


class Short(Broken):
    def spoil(self, items, requests):
        return items[:, :-1]


class Batchy(Broken):
    def spoil(self, items, requests):
        if requests.filled == requests.slate_size:
            items[::2] = items[::2, ::-1].copy()
        return items


class Drifting(Broken):
    def spoil(self, items, requests):
        self.asked = getattr(self, "asked", 0) + 1
        return (
            np.ascontiguousarray(items[:, ::-1]) if self.asked % 2 and requests.filled == requests.slate_size else items
        )


class Unequal(Broken):
    made = 0

    def __init__(self, **parameters):
        Unequal.made += 1
        super().__init__(seed=Unequal.made)

    def spoil(self, items, requests):
        return items


class Meddling(Broken):
    def spoil(self, items, requests):
        requests.recent_items[:] = 0
        return items


class Greedy(Random):
    name = "greedy"

    def fit(self, log, catalog):
        log.value[:] = 0


class Remembering(Popularity):
    name = "remembering"

    def fit(self, log, catalog):
        if self._history is None:
            super().fit(log, catalog)


class Overheard(Popularity):
    """Learns from every row, and says that positives are enough."""

    name = "overheard"
    reads = "positives"

    def fit(self, log, catalog):
        super().fit(log, catalog)
        self._history = replace(self._history, ranking=np.argsort(np.bincount(log.item, minlength=catalog.n_items)))


class Forgetful(Popularity):
    name = "forgetful"

    def state(self):
        return {**super().state(), "ranking": np.sort(super().state()["ranking"])}


class Pickled(Popularity):
    name = "pickled"

    def state(self):
        return {**super().state(), "label": np.array([self.label], dtype=object)}


class Joined(Random):
    """Draws otherwise where there are several lists."""

    name = "joined"
    takes_lists = True

    def recommend(self, requests):
        return super().recommend(requests) if requests.several is None else Random(seed=7).recommend(requests)


class Scattered(Random):
    """Knows nothing of lists, and says that it takes them."""

    name = "scattered"
    takes_lists = True

    def recommend(self, requests):
        return super().recommend(replace(requests, several=None))


class Hesitant(Random):
    name = "hesitant"
    takes_lists = "sometimes"


class Exits(Random):
    name = "exits"

    def recommend(self, requests):
        raise SystemExit(4)


class Prying(Random):
    """Opens what it is given."""

    name = "prying"

    def recommend(self, requests):
        requests.candidates.setflags(write=True)
        return super().recommend(requests)


class Replacing(Random):
    name = "replacing"

    def recommend(self, requests):
        object.__setattr__(requests, "slate_size", 3)
        return Random(seed=1).recommend(replace(requests, slate_size=10))


class Scoring(Popularity):
    """Its scores are what the test says."""

    name = "scoring"

    def __init__(self, given):
        super().__init__(label=Label("like", ("like",)))
        self.given = given

    def scores(self, requests):
        return self.given(len(requests))


class Boasting(Random):
    """Says other chances than its propensities."""

    name = "boasting"

    def recommend(self, requests):
        return super().recommend(requests)

    def chances(self, requests, items):
        return np.full(items.shape, 0.5)


class Deaf(Random):
    name = "deaf"

    def update(self, events):
        raise KeyError("event")


class Careless(Broken):
    """Breaks several rules at once."""

    name = "careless"
    takes_lists = "yes"

    def spoil(self, items, requests):
        items[:, 0] = 10_000
        return items

    def state(self):
        return None

    def scores(self, requests):
        return [1.0]
