"""VBPR: an item's vector is part its own, part a projection of what it shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from recommenders.contract import Catalog, Range, RecommenderError, setting
from recommenders.models.multimodal.training import TripleSettings, begin, linear, pairwise, table, train
from recommenders.models.ranker import Learning
from recommenders.models.sgd import UserItem

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class VBPRSettings(TripleSettings):
    """Settings of :class:`VBPR`."""

    modality: str = setting("all", "which features of the catalog, by +; 'all' that there are, or 'none'")
    regularization: float = setting(1e-2, "of the batch's vectors", low=0, search=Range(1e-5, 2, log=True))


def features_of(catalog: Catalog, wanted: str, asked_by: str) -> dict[str, torch.Tensor]:
    """Return the feature matrices by modality, in their catalog's order.

    Raises:
        RecommenderError: the catalog has none of them, or has no features at all.
    """
    import torch

    return {
        name: torch.from_numpy(catalog.feature(name, asked_by).copy())
        for name in modalities_of(catalog, wanted, asked_by)
    }


def modalities_of(catalog: Catalog, wanted: str, asked_by: str) -> list[str]:
    """Return the modalities that a setting means: 'all' that there are, 'none', or names joined by +.

    Raises:
        RecommenderError: the catalog has no features of one of them, or none at all.
    """
    if wanted == "none":
        return []
    names = list(catalog.features) if wanted == "all" else [name.strip() for name in wanted.split("+")]
    if not names:
        right = "expected features (files NAME_feat.npz, or modalities with features), or modality=none"
        raise RecommenderError(asked_by, "the catalog has no features of any modality", right)
    for name in names:
        catalog.require_feature(name, asked_by)
    return names


class VBPR(UserItem):
    """VBPR (He and McAuley, AAAI 2016): item vector = own part and projected features; without any it is MF-BPR.

    Features of several modalities are put side by side. Penalty: lengths, not squares, of the batch's vectors.
    """

    name: ClassVar[str] = "vbpr"
    Config = VBPRSettings
    reads = "positives"
    config: VBPRSettings

    def check(self, catalog: Catalog) -> None:
        """Check that features of the wanted modalities are there."""
        modalities_of(catalog, self.config.modality, f"recommender {self.name}")

    def learn(self, data: Learning) -> dict[str, np.ndarray]:
        """Train user and item vectors, float32; twice as long as ``factors`` where there are features."""
        import torch

        c, draw = self.config, begin(data)
        features = features_of(data.catalog, c.modality, f"recommender {self.name}")
        content = torch.cat(list(features.values()), dim=1) if features else None
        users = table(data.n_users, c.factors * (2 if features else 1), draw)
        own = table(data.n_items, c.factors, draw)
        weights = [] if content is None else linear(content.shape[1], c.factors, draw)

        def items(rows: torch.Tensor) -> torch.Tensor:
            if content is None:
                return own[rows]
            both: torch.Tensor = torch.cat((own[rows], content[rows] @ weights[0] + weights[1]), dim=1)
            return both

        def loss(u: torch.Tensor, i: torch.Tensor, j: torch.Tensor) -> torch.Tensor:
            mine, good, bad = users[u], items(i), items(j)
            lengths: torch.Tensor = mine.norm() + good.norm() + bad.norm()
            total: torch.Tensor = pairwise((mine * good).sum(1), (mine * bad).sum(1))
            return total + c.regularization * lengths / len(u)

        train(data, c, [users, own, *weights], loss, draw)
        with torch.no_grad():
            out = items(torch.arange(data.n_items))
        return {"users": users.detach().numpy(), "items": out.numpy()}
