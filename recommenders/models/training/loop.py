"""The loop: epochs of batches with Adam, until what is held out is ranked no better."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from recommenders.contract import RecommenderError
from recommenders.contract.rehearsing import is_rehearsal
from recommenders.contract.stopping import stop_if_asked
from recommenders.models.training.account import Account
from recommenders.models.training.checkpoint import EVERY, Checkpoint
from recommenders.models.training.negatives import Sampler
from recommenders.models.training.network import Network
from recommenders.models.training.settings import TrainingSettings
from recommenders.models.training.validation import HeldOut

Say = Callable[[str], None]

OF_WARM = 5
"""A warm refit has a fifth of the epochs, of the floor and of the patience: a fit on what has mostly been seen."""


@dataclass
class _Progress:
    """How far a training is; what a checkpoint holds beside the tables."""

    epoch: int = 0
    best: float = -1.0
    best_epoch: int = 0
    kept: dict[str, torch.Tensor] = field(default_factory=dict)


@contextmanager
def luck(seed: int):  # type: ignore[no-untyped-def]  # noqa: ANN201  a generator of nothing
    """Seed torch for a fit, and put its luck back afterwards."""
    with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
        torch.manual_seed(seed % 2**63)
        yield


def train(
    network: Network,
    settings: TrainingSettings,
    name: str,
    keep: Checkpoint,
    start: Mapping[str, np.ndarray] | None = None,
    say: Say = lambda text: None,
) -> Account:
    """Train a network in place, and leave it with the tables of its best epoch, in evaluation mode.

    Args:
        network: on its device already.
        settings: how long and how fast.
        name: of the recommender, for what is said.
        keep: where checkpoints lie; a fit that finds one goes on from there.
        start: tables of an earlier fit by name, to begin with; those of other shapes are left as drawn.
        say: gets a line per epoch.

    Raises:
        RecommenderError: the loss is no number any more.
        Stopped: somebody asked for an end (:mod:`recommenders.contract.stopping`).
    """
    began = time.perf_counter()
    given = network.given
    part = OF_WARM if start else 1
    epochs, floor, patience = (-(-each // part) for each in (settings.epochs, settings.floor, settings.patience))
    held, sampler = HeldOut(given), Sampler(given, settings.batch) if given.users.size else None
    if is_rehearsal():
        epochs = 1
    if start:
        _take(network, start)
    optimizer = torch.optim.Adam([p for p in network.parameters() if p.requires_grad], lr=settings.rate)
    progress = _resume(network, optimizer, keep)
    while sampler is not None and progress.epoch < epochs:
        for group in optimizer.param_groups:
            group["lr"] = settings.rate * settings.decay ** (progress.epoch / 50)
        loss = _epoch(network, sampler, optimizer, progress.epoch, name)
        progress.epoch += 1
        _judge(network, held, progress, say, f"{name} epoch {progress.epoch}/{epochs}: loss {loss:.4f}")
        waited = progress.epoch - progress.best_epoch >= patience
        if len(held) and progress.epoch >= floor and waited:
            break
        if progress.epoch % EVERY == 0 and progress.epoch < epochs:
            keep.write(_state(network, optimizer, progress))
    if progress.kept:
        network.load_state_dict(progress.kept)
    network.eval()
    keep.remove()
    trained = sum(p.numel() for p in network.parameters() if p.requires_grad)
    recall = progress.best if len(held) else None
    improving = bool(len(held)) and progress.epoch == epochs and progress.best_epoch > 0.9 * epochs
    return Account(
        progress.epoch, progress.best_epoch, recall, len(held), improving, time.perf_counter() - began, trained,
        str(given.device), bool(start),
    )  # fmt: skip


def _epoch(network: Network, sampler: Sampler, optimizer: torch.optim.Optimizer, epoch: int, name: str) -> float:
    network.train()
    for modality in network.given.resampled:
        network.features[modality] = torch.randn_like(network.features[modality])
    network.start_epoch(epoch)
    total, steps = 0.0, 0
    for batch in sampler.epoch():
        stop_if_asked()
        loss = network.loss(batch)
        value = loss.item()
        if not np.isfinite(value):
            right = "expected a lower rate, or other features"
            raise RecommenderError(f"recommender {name}", f"its loss is {value} in epoch {epoch + 1}", right)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        total, steps = total + value, steps + 1
    return total / max(steps, 1)


def _judge(network: Network, held: HeldOut, progress: _Progress, say: Say, line: str) -> None:
    """Note how good this epoch is; without anything held out, the last is the best."""
    if not len(held):
        progress.best_epoch = progress.epoch
        say(line)
        return
    network.eval()
    with torch.no_grad():
        users, items = network.vectors()
        recall = held.recall(lambda rows: users[rows] @ items.T)
    say(f"{line}, Recall@20 of {len(held)} held out {recall:.4f}")
    if recall > progress.best:
        progress.best, progress.best_epoch = recall, progress.epoch
        progress.kept = {key: value.detach().clone() for key, value in network.state_dict().items()}


def _take(network: Network, start: Mapping[str, np.ndarray]) -> None:
    with torch.no_grad():
        for key, value in network.named_parameters():
            if key in start and start[key].shape == tuple(value.shape):
                value.copy_(torch.from_numpy(np.array(start[key])))


def _state(network: Network, optimizer: torch.optim.Optimizer, progress: _Progress) -> dict[str, Any]:
    luck_of_gpu = torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []
    return {
        "network": network.state_dict(), "optimizer": optimizer.state_dict(), "kept": progress.kept,
        "epoch": progress.epoch, "best": progress.best, "best_epoch": progress.best_epoch,
        "luck": torch.get_rng_state(), "luck_of_gpu": luck_of_gpu,
    }  # fmt: skip


def _resume(network: Network, optimizer: torch.optim.Optimizer, keep: Checkpoint) -> _Progress:
    found = keep.read()
    if found is None:
        return _Progress()
    network.load_state_dict(found["network"])
    optimizer.load_state_dict(found["optimizer"])
    torch.set_rng_state(found["luck"])
    if found["luck_of_gpu"]:
        torch.cuda.set_rng_state_all(found["luck_of_gpu"])
    return _Progress(found["epoch"], found["best"], found["best_epoch"], found["kept"])
