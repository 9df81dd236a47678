"""Training on (user, positive, negative) triples: sampling, the loop, early stopping, graphs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from recommenders.contract import Range, Settings, setting
from recommenders.models.autoencoder import generator
from recommenders.models.ranker import Learning

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class TripleSettings(Settings):
    """Settings of models trained on triples."""

    factors: int = setting(64, "length of a vector", low=1, search=Range(16, 128, log=True))
    rate: float = setting(1e-3, "learning rate of Adam", low=1e-9, search=Range(3e-4, 1e-2, log=True))
    batch: int = setting(2048, "triples per step", low=1)
    epochs: int = setting(50, "rounds over all positives", low=1)


def table(rows: int, columns: int, draw: torch.Generator) -> torch.Tensor:
    """Make a Xavier-uniform table, to be trained."""
    import torch

    bound = float(np.sqrt(6 / max(rows + columns, 1)))
    return ((torch.rand(rows, columns, generator=draw) * 2 - 1) * bound).requires_grad_()


def linear(inputs: int, outputs: int, draw: torch.Generator) -> list[torch.Tensor]:
    """Make weights (inputs, outputs), Xavier-uniform, and biases of 0, to be trained."""
    import torch

    return [table(inputs, outputs, draw), torch.zeros(outputs).requires_grad_()]


def train(
    data: Learning,
    settings: TripleSettings,
    parameters: Sequence[torch.Tensor],
    loss_of: Callable[[torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor],
    draw: torch.Generator,
    each_epoch: Callable[[], None] = lambda: None,
) -> None:
    """Train with Adam over epochs: every positive once, shuffled, each with a negative that the user has not had.

    Negatives are items that someone had; a user who has had them all learns nothing.
    """
    import torch

    users, items = data.positives.user.astype(np.int64), data.positives.item.astype(np.int64)
    pool = np.unique(items)
    had = users * data.n_items + items  # rising
    optimizer = torch.optim.Adam(list(parameters), lr=settings.rate)
    for _ in range(settings.epochs):
        each_epoch()
        order = torch.randperm(len(users), generator=draw).numpy()
        for first in range(0, len(order), settings.batch):
            chosen = order[first : first + settings.batch]
            u, i = users[chosen], items[chosen]
            j, fine = _negatives(u, pool, had, data.n_items, draw)
            if not fine.any():
                continue
            triple = [torch.from_numpy(each[fine]) for each in (u, i, j)]
            loss = loss_of(*triple)
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()


def _negatives(
    users: np.ndarray, pool: np.ndarray, had: np.ndarray, n_items: int, draw: torch.Generator
) -> tuple[np.ndarray, np.ndarray]:
    import torch

    items = np.zeros(len(users), np.int64)
    open_ = np.ones(len(users), bool)
    for _ in range(10):
        rows = np.flatnonzero(open_)
        if not rows.size:
            break
        items[rows] = pool[torch.randint(len(pool), (len(rows),), generator=draw).numpy()]
        pair = users[rows] * n_items + items[rows]
        place = np.minimum(np.searchsorted(had, pair), had.size - 1)
        open_[rows] = had[place] == pair
    return items, ~open_


def pairwise(positive: torch.Tensor, negative: torch.Tensor) -> torch.Tensor:
    """Return the mean of -log sigma(positive - negative)."""
    import torch

    return torch.nn.functional.softplus(negative - positive).mean()


def user_item_graph(users: np.ndarray, items: np.ndarray, n_users: int, n_items: int) -> torch.Tensor:
    """Return D^-1/2 A D^-1/2 of the bipartite graph, sparse float32 (N, N), users first; rows of lone nodes are 0."""
    from scipy.sparse import coo_matrix

    n = n_users + n_items
    rows = np.concatenate((users, items + n_users))
    columns = np.concatenate((items + n_users, users))
    degree = np.bincount(rows, minlength=n).astype(np.float64)
    weights = 1 / np.sqrt(degree[rows] * degree[columns])
    return sparse_tensor(coo_matrix((weights, (rows, columns)), (n, n)).tocsr())


def sparse_tensor(matrix: Any) -> torch.Tensor:
    """Convert a scipy CSR matrix to a torch one, float32."""
    import warnings

    import torch

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Sparse CSR tensor support is in beta")
        return torch.sparse_csr_tensor(
            torch.from_numpy(matrix.indptr.astype(np.int64)),
            torch.from_numpy(matrix.indices.astype(np.int64)),
            torch.from_numpy(matrix.data.astype(np.float32)),
            matrix.shape,
            check_invariants=False,
        )


def propagate(graph: torch.Tensor, start: torch.Tensor, layers: int) -> torch.Tensor:
    """Return the mean over 0 ... layers of the graph's powers times the start (He et al., SIGIR 2020)."""
    total = current = start
    for _ in range(layers):
        current = Propagated.apply(graph, current)
        total = total + current
    return total / (layers + 1)


def _propagated() -> Any:
    import torch

    class Product(torch.autograd.Function):
        """Symmetric graph times dense: its own gradient, without building the transpose."""

        @staticmethod
        def forward(context: Any, graph: torch.Tensor, dense: torch.Tensor) -> torch.Tensor:
            context.graph = graph
            return graph @ dense

        @staticmethod
        def backward(context: Any, gradient: torch.Tensor) -> tuple[None, torch.Tensor]:
            return None, context.graph @ gradient

    return Product


class Propagated:
    """A symmetric sparse matrix times a dense one, differentiable in the latter."""

    _made: Any = None

    @classmethod
    def apply(cls, graph: torch.Tensor, dense: torch.Tensor) -> torch.Tensor:
        """Return graph @ dense."""
        if cls._made is None:
            cls._made = _propagated()
        result: torch.Tensor = cls._made.apply(graph, dense)
        return result


def begin(data: Learning) -> torch.Generator:
    """Return the generator of a training."""
    return generator(data)
