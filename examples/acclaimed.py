# ruff: noqa: ANN001, ANN201, D100, D102 - an example stays short
import numpy as np

from recommenders.contract import NO_ITEM, Recommender, Slates


class Acclaimed(Recommender):
    """Ranks by positives per impression; what a user was shown lately comes last."""

    name = "acclaimed"
    reproducibility = "exact"

    def fit(self, log, catalog):
        shown = log.item[log.event == log.names["event"].index("impression")]
        liked = np.bincount(self.positives(log, catalog).item, minlength=catalog.n_items)
        self.score = (liked + 1) / (np.bincount(shown, minlength=catalog.n_items) + 20)

    def recommend(self, requests):
        best = requests.candidates[np.argsort(-self.score[requests.candidates], kind="stable")]
        best = best[: requests.slate_size + requests.recently_shown.shape[1]]
        late = (best[:, None] == requests.recently_shown[:, None, :]).any(axis=2)
        slates = np.full((len(requests), requests.slate_size), NO_ITEM, np.int32)
        slates[:, : requests.filled] = best[np.argsort(late, axis=1, kind="stable")][:, : requests.filled]
        return Slates(slates)

    def state(self):
        return {"score": self.score}

    def restore(self, state):
        self.score = state["score"]
