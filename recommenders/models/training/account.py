"""What is to be told of a training: how long it took, how far it came, whether it might have gone further."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Account:
    """Tell of one training.

    Attributes:
        epochs: rounds that were run.
        best_epoch: the one whose tables were kept, from 1.
        recall: Recall@20 of what was held out, at the best epoch; None where nothing was held out.
        held_out: held-out pairs.
        improving: whether all epochs were run and the best is among the last tenth: more might give more.
        seconds: of wall time in this process.
        parameters: numbers trained.
        device: where.
        warm: whether it began with another fit's tables.
    """

    epochs: int
    best_epoch: int
    recall: float | None
    held_out: int
    improving: bool
    seconds: float
    parameters: int
    device: str
    warm: bool

    def values(self) -> dict[str, Any]:
        """Return all of it by name."""
        return asdict(self)
