"""The recommender around a network: it hands out what there is to learn from, trains, and keeps the vectors."""

from __future__ import annotations

import sys
from typing import Any, ClassVar, Literal

import numpy as np
import torch

from recommenders.contract import Catalog
from recommenders.models.ranker import Learning
from recommenders.models.sgd import UserItem
from recommenders.models.training.account import Account
from recommenders.models.training.checkpoint import Checkpoint
from recommenders.models.training.features import dropped_of, features_of, modalities_of
from recommenders.models.training.inputs import Inputs, device_of, inputs_of
from recommenders.models.training.loop import luck, train
from recommenders.models.training.network import Network
from recommenders.models.training.settings import FeatureSettings, TrainingSettings

TABLE = "table_"


class TorchModel(UserItem):
    """Base of models trained with torch: a subclass names its network and its settings.

    Class attributes:
        network: the class of its network.
        new_items: what items that nobody had are ranked by: 'content' where features reach their vectors, or 'chance',
            the vectors that they were drawn with.
    """

    reads = "positives"
    network: ClassVar[type[Network]]
    new_items: ClassVar[Literal["content", "chance"]] = "chance"
    config: TrainingSettings
    training: Account | None = None

    def given(self, data: Learning) -> Inputs:
        """Return what the network is given."""
        c = self.config
        device = device_of(c.device, f"recommender {self.name}")
        return inputs_of(data.positives, data.n_users, data.n_items, c.held_out, data.seed, device)

    def learn(self, data: Learning) -> dict[str, np.ndarray]:
        """Train, and return the vectors of users and items, float32; with `warm`, the tables too."""
        c = self.config
        with luck(data.seed):
            given = self.given(data)
            network = self.network(given, c).to(given.device)
            keep = Checkpoint(c.checkpoint, self.name, given, c.values())
            self.training = train(network, c, self.name, keep, self._start(), _say if c.progress else lambda text: None)
            with torch.no_grad():
                users, items = network.vectors()
        found = {"users": _plain(users), "items": _plain(items)}
        if c.warm:
            found |= {f"{TABLE}{key}": _plain(value) for key, value in network.named_parameters()}
        return found

    def _start(self) -> dict[str, np.ndarray] | None:
        learned: dict[str, np.ndarray] = getattr(self, "learned", {})
        tables = {key.removeprefix(TABLE): value for key, value in learned.items() if key.startswith(TABLE)}
        return tables if self.config.warm and tables else None


class MultimodalModel(TorchModel):
    """Base of those that read features: which of them, with what taken away, in which form."""

    config: FeatureSettings

    def check(self, catalog: Catalog) -> None:
        """Check that the features that are asked for are there."""
        where = f"recommender {self.name}"
        dropped_of(self.config, modalities_of(catalog, self.config.modality, where), where)

    def given(self, data: Learning) -> Inputs:
        """Return what the network is given, features among it."""
        features, anew = features_of(data.catalog, self.config, f"recommender {self.name}")
        return super().given(data).with_features(features, anew)


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


def _plain(x: Any) -> np.ndarray:
    return np.ascontiguousarray(x.detach().cpu().numpy(), dtype=np.float32)
