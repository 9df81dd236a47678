"""Settings that all models of the trainer share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from recommenders.contract import Range, Settings, setting

Device = Literal["auto", "cpu", "cuda"]
DropMode = Literal["remove", "noise", "noise_resample", "shuffle"]
Normal = Literal["none", "unit", "standard"]

OF_WEIGHT = Range(1e-5, 1e-1, log=True)
"""Where a search looks for the weight of a term of a loss."""


@dataclass(frozen=True)
class TrainingSettings(Settings):
    """How long, how fast, and by which figure a model is trained."""

    factors: int = setting(64, "length of a vector", low=1, search=Range(16, 128, log=True))
    rate: float = setting(1e-3, "learning rate of Adam", low=1e-9, search=Range(3e-4, 1e-2, log=True))
    decay: float = setting(1.0, "factor of the rate over 50 epochs", low=1e-6, high=1)
    batch: int = setting(2048, "positives per step; never more than a tenth of them", low=1)
    epochs: int = setting(50, "rounds over all positives at most", low=1, search=Range(20, 200, log=True))
    floor: int = setting(30, "epochs before which training does not end: models learn popularity first", low=0)
    patience: int = setting(20, "epochs without a better Recall@20 on what is held out that end training", low=1)
    held_out: float = setting(0.05, "share of positives held out to see when to stop; 0: all epochs", low=0, high=0.5)
    warm: bool = setting(False, "whether a refit begins with the last fit's tables, for a fifth of the epochs")
    device: Device = setting("auto", "auto (a GPU if there is one), cpu or cuda")
    progress: bool = setting(False, "whether each epoch says a line on stderr")
    checkpoint: str = setting("", "folder in which fits keep checkpoints, from which they go on; empty: none")


@dataclass(frozen=True)
class FeatureSettings(TrainingSettings):
    """Which features a model reads, and in which form."""

    modality: str = setting("all", "which features of the catalog, by +; 'all' that there are, or 'none'")
    drop: str = setting("", "modalities taken away, by +, or 'all'")
    drop_mode: DropMode = setting(
        "remove",
        "what is in their place: remove (the branch is not built), noise (normal numbers, drawn once), noise_resample "
        "(drawn anew at every epoch), shuffle (rows change places)",
    )
    # Neighbours by cosine, and products with maps, mean something only where vectors are centred and of one scale.
    normalise: Normal = setting(
        "standard", "none, unit (rows of length 1) or standard (dimensions of mean 0, and one scale for all)"
    )
