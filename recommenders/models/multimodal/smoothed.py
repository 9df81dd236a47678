"""What most models begin with: tables of users and items, and LightGCN's steps of them over who had what."""

from __future__ import annotations

from typing import Any

import torch

from recommenders.models.blocks.graphs import user_item_graph
from recommenders.models.blocks.propagation import propagate
from recommenders.models.blocks.sparse import Sparse
from recommenders.models.blocks.tables import table
from recommenders.models.training.inputs import Inputs
from recommenders.models.training.network import Network

Pair = tuple[torch.Tensor, torch.Tensor]
"""Vectors of users, (n_users, d), and of items, (n_items, d)."""


class SmoothedNetwork(Network):
    """Base: tables of users and items, and the mean of 0 to `layers` steps of them over the graph."""

    settings: Any

    def __init__(self, given: Inputs, settings: Any) -> None:
        """Draw the tables, and make the graph."""
        super().__init__(given, settings)
        self.users = table(given.n_users, settings.factors)
        self.items = table(given.n_items, settings.factors)
        self.graph = self.make_graph()

    def make_graph(self) -> Sparse:
        """Return the graph that vectors are smoothed over."""
        given = self.given
        return user_item_graph(given.users, given.items, given.n_users, given.n_items, given.device)

    def smoothed(self) -> Pair:
        """Return the smoothed vectors."""
        return self.halves(propagate(self.graph, torch.cat((self.users, self.items)), self.settings.layers))

    def halves(self, out: torch.Tensor) -> Pair:
        """Take vectors of all nodes apart: users, items."""
        return out[: self.given.n_users], out[self.given.n_users :]
