"""The features that a model is handed: those it asks for, less those taken away, in the form it wants."""

from __future__ import annotations

import torch

from recommenders.contract import Catalog, RecommenderError
from recommenders.contract.names import unknown_name
from recommenders.models.training.settings import FeatureSettings, Normal


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


def dropped_of(settings: FeatureSettings, names: list[str], asked_by: str) -> list[str]:
    """Return which of a model's modalities are taken away.

    Raises:
        RecommenderError: one of them is not read.
    """
    if settings.drop == "all":
        return list(names)
    dropped = [name.strip() for name in settings.drop.split("+") if name.strip()]
    for name in dropped:
        if name not in names:
            raise RecommenderError(f"{asked_by}.drop", *unknown_name("modality", name, names))
    return dropped


def features_of(
    catalog: Catalog, settings: FeatureSettings, asked_by: str
) -> tuple[dict[str, torch.Tensor], tuple[str, ...]]:
    """Return features float32 (n_items, d) by modality, in the catalog's order, and which are drawn at every epoch.

    Luck is torch's own.

    What is taken away is not there, or is noise or another item's row (`drop_mode`). Noise is drawn after what is left
    was normalised: its scale is that of a normal number whatever the features' was, as in the published tables.

    Raises:
        RecommenderError: the catalog lacks what is asked for.
    """
    names = modalities_of(catalog, settings.modality, asked_by)
    dropped = dropped_of(settings, names, asked_by)
    found = {}
    for name in names:
        if name in dropped and settings.drop_mode == "remove":
            continue
        x = torch.from_numpy(catalog.feature(name, asked_by).copy()).float()
        if name not in dropped:
            found[name] = normalised(x, settings.normalise)
        elif settings.drop_mode == "shuffle":
            found[name] = normalised(x, settings.normalise)[torch.randperm(len(x))]
        else:
            found[name] = torch.randn(x.shape)
    return found, tuple(dropped) if settings.drop_mode == "noise_resample" else ()


def normalised(x: torch.Tensor, how: Normal) -> torch.Tensor:
    """Return features as they are, with rows of length 1, or centred and with a mean square of 1.

    Raw vectors of real sets are far from centred: two items of TikTok's have a cosine of 0.86 on the average, so that
    what tells them apart is a small part of each. Centring leaves that part; one scale for all dimensions keeps their
    proportions.
    """
    if how == "unit":
        return torch.nn.functional.normalize(x, dim=1, eps=1e-12)
    if how == "standard":
        x = x - x.mean(dim=0)
        return x / x.square().mean().sqrt().clamp_min(1e-12)
    return x
