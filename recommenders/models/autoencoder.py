"""Networks that read a profile: Mult-VAE and U-NeuRec. Trained in torch; they recommend by numpy alone."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from recommenders.contract import Range, Settings, setting
from recommenders.models.ranker import Batch, Learning, Ranker, product

if TYPE_CHECKING:
    import torch


def generator(data: Learning) -> torch.Generator:
    """Return a generator for a training, apart from torch's global one."""
    import torch

    return torch.Generator().manual_seed(data.seed % 2**63)


def dense_rows(matrix: Any, rows: np.ndarray) -> torch.Tensor:
    """Return the rows of a scipy matrix as a dense float32 tensor."""
    import torch

    return torch.from_numpy(matrix[rows].toarray().astype(np.float32))


def layer(inputs: int, outputs: int, draw: torch.Generator) -> list[torch.Tensor]:
    """Make weights (inputs, outputs), Xavier-uniform, and biases of 0, to be trained."""
    import torch

    bound = float(np.sqrt(6 / (inputs + outputs)))
    weights = (torch.rand(inputs, outputs, generator=draw) * 2 - 1) * bound
    return [weights.requires_grad_(), torch.zeros(outputs).requires_grad_()]


def dropped(rows: torch.Tensor, rate: float, draw: torch.Generator) -> torch.Tensor:
    """Apply dropout with draws of its own."""
    import torch

    keep = torch.rand(rows.shape, generator=draw) >= rate
    return rows * keep / max(1 - rate, 1e-9)


@dataclass(frozen=True)
class MultVAESettings(Settings):
    """Settings of :class:`MultVAE`."""

    hidden: int = setting(600, "width of the hidden layer", low=1)
    factors: int = setting(200, "length of the latent vector", low=1, search=Range(16, 256, log=True))
    dropout: float = setting(0.5, "share of a profile that training hides", low=0, high=0.95, search=Range(0, 0.8))
    beta: float = setting(0.2, "weight of the divergence at the end", low=0, search=Range(0.01, 1, log=True))
    anneal: int = setting(5000, "steps over which beta rises to its end", low=1, search=Range(1e3, 1e6, log=True))
    decay: float = setting(1e-7, "weight of the squared weights", low=0, search=Range(1e-10, 1e-2, log=True))
    rate: float = setting(1e-3, "learning rate of Adam", low=1e-9, search=Range(1e-4, 1e-2, log=True))
    batch: int = setting(500, "users per step", low=1)
    epochs: int = setting(50, "rounds over all users", low=1)


class MultVAE(Ranker):
    """Variational autoencoder with a multinomial likelihood (Liang et al., WWW 2018).

    Encoder items - hidden - factors, decoder back, tanh between; at test the mean of the latent vector is decoded.
    """

    name: ClassVar[str] = "multvae"
    takes_lists: ClassVar[bool] = True
    Config = MultVAESettings
    reads = "positives"
    config: MultVAESettings

    def learn(self, data: Learning) -> dict[str, np.ndarray]:
        """Train the weights of four layers, float32."""
        import torch

        c, draw, n = self.config, generator(data), data.n_items
        layers = [
            layer(n, c.hidden, draw),
            layer(c.hidden, 2 * c.factors, draw),
            layer(c.factors, c.hidden, draw),
            layer(c.hidden, n, draw),
        ]
        parameters = [each for one in layers for each in one]
        optimizer = torch.optim.Adam(parameters, lr=c.rate)
        known = np.flatnonzero(np.diff(data.history.start))
        step = 0
        for _ in range(c.epochs):
            order = known[torch.randperm(len(known), generator=draw).numpy()]
            for first in range(0, len(order), c.batch):
                rows = dense_rows(data.matrix, order[first : first + c.batch])
                inputs = dropped(rows / rows.norm(dim=1, keepdim=True), c.dropout, draw)
                hidden = torch.tanh(inputs @ layers[0][0] + layers[0][1]) @ layers[1][0] + layers[1][1]
                mean, log_variance = hidden[:, : c.factors], hidden[:, c.factors :]
                noise = torch.randn(mean.shape, generator=draw)
                latent = mean + noise * torch.exp(log_variance / 2)
                out = torch.tanh(latent @ layers[2][0] + layers[2][1]) @ layers[3][0] + layers[3][1]
                likelihood = -(torch.log_softmax(out, dim=1) * rows).sum(dim=1).mean()
                divergence = -0.5 * (1 + log_variance - mean**2 - log_variance.exp()).sum(dim=1).mean()
                penalty = sum((one[0] ** 2).sum() for one in layers)
                loss = likelihood + min(c.beta, c.beta * step / c.anneal) * divergence + c.decay * penalty
                optimizer.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
                optimizer.step()
                step += 1
        return {f"layer{i}": each.detach().numpy() for i, each in enumerate(parameters)}

    def score(self, batch: Batch) -> np.ndarray:
        """Return the decoder's outputs."""
        w, f = [self.learned[f"layer{i}"] for i in range(8)], self.config.factors
        length = np.sqrt(np.asarray(batch.profile.multiply(batch.profile).sum(axis=1)))
        hidden = np.tanh((batch.profile @ w[0]) / np.maximum(length, 1e-12) + w[1])
        mean = product(hidden, w[2][:, :f]) + w[3][:f]
        return np.asarray(product(np.tanh(product(mean, w[4]) + w[5]), w[6]) + w[7])


@dataclass(frozen=True)
class NeuRecSettings(Settings):
    """Settings of :class:`UNeuRec`."""

    hidden: int = setting(300, "width of the four hidden layers", low=1, search=Range(16, 500, log=True))
    factors: int = setting(50, "length of the vectors", low=1, search=Range(8, 100, log=True))
    dropout: float = setting(0.03, "share of a profile that training hides", low=0, high=0.95, search=Range(0, 0.3))
    decay: float = setting(0.1, "weight of the squared weights", low=0, search=Range(1e-4, 10, log=True))
    rate: float = setting(1e-3, "learning rate of Adam", low=1e-9, search=Range(1e-4, 1e-2, log=True))
    batch: int = setting(256, "users per step", low=1)
    epochs: int = setting(30, "rounds over all users", low=1)


class UNeuRec(Ranker):
    """U-NeuRec (Zhang et al., IJCAI 2018): a sigmoid network of the profile, times a vector per item.

    Squared error over all cells, by whole users at a step. Weights begin Xavier-uniform, where the classic's N(0, 1)
    saturates the sigmoids.
    """

    name: ClassVar[str] = "uneurec"
    takes_lists: ClassVar[bool] = True
    Config = NeuRecSettings
    reads = "positives"
    config: NeuRecSettings

    def learn(self, data: Learning) -> dict[str, np.ndarray]:
        """Train the weights of five layers and the items' vectors, float32."""
        import torch

        c, draw, n = self.config, generator(data), data.n_items
        widths = [n, c.hidden, c.hidden, c.hidden, c.hidden, c.factors]
        layers = [layer(a, b, draw) for a, b in itertools.pairwise(widths)]
        items = (torch.randn(n, c.factors, generator=draw) * 0.005).requires_grad_()
        parameters = [each for one in layers for each in one]
        optimizer = torch.optim.Adam([*parameters, items], lr=c.rate)
        known = np.flatnonzero(np.diff(data.history.start))
        for _ in range(c.epochs):
            order = known[torch.randperm(len(known), generator=draw).numpy()]
            for first in range(0, len(order), c.batch):
                rows = dense_rows(data.matrix, order[first : first + c.batch])
                hidden = dropped(rows, c.dropout, draw)
                for weights, bias in layers:
                    hidden = torch.sigmoid(hidden @ weights + bias)
                error = ((rows - hidden @ items.T) ** 2).sum()
                squares = sum((one[0] ** 2).sum() for one in layers) + (items**2).sum()
                loss = error + c.decay / 2 * squares
                optimizer.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
                optimizer.step()
        learned = {f"layer{i}": each.detach().numpy() for i, each in enumerate(parameters)}
        return {**learned, "items": items.detach().numpy()}

    def score(self, batch: Batch) -> np.ndarray:
        """Return the products of the network's output with the items' vectors."""
        hidden = _sigmoid(batch.profile @ self.learned["layer0"] + self.learned["layer1"])
        for i in range(2, 10, 2):
            hidden = _sigmoid(product(hidden, self.learned[f"layer{i}"]) + self.learned[f"layer{i + 1}"])
        return product(hidden, self.learned["items"].T)


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return np.asarray(1 / (1 + np.exp(-x)))
