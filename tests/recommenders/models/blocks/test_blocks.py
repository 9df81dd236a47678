"""Blocks of torch models against plain dense re-computation on tiny inputs, values and gradients."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from recommenders.models.blocks import losses, neighbours
from recommenders.models.blocks.graphs import bipartite, rare_edges, scaled, user_item_graph, without_replacement
from recommenders.models.blocks.neighbours import neighbour_graph, top_users
from recommenders.models.blocks.propagation import propagate
from recommenders.models.blocks.scoring import side_by_side
from recommenders.models.blocks.sparse import Sparse, weighted_sum

USERS, ITEMS = np.array([0, 0, 1, 2, 2, 2]), np.array([0, 2, 1, 0, 1, 2])
N_USERS, N_ITEMS = 4, 4  # the last user and the last item are alone


def dense_graph():
    a = np.zeros((8, 8))
    a[USERS, ITEMS + 4] = a[ITEMS + 4, USERS] = 1
    return a


def test_graphs_in_their_normal_forms_equal_dense_ones():
    a = dense_graph()
    degree = np.maximum(a.sum(1), 1)
    graph = bipartite(USERS, ITEMS, N_USERS, N_ITEMS)
    assert (graph.toarray() == a).all()
    np.testing.assert_allclose(scaled(graph, 0.5, 0.5).toarray(), a / np.sqrt(np.outer(degree, degree)))
    np.testing.assert_allclose(scaled(graph, 1, 0).toarray(), a / degree[:, None])
    looped = bipartite(USERS, ITEMS, N_USERS, N_ITEMS, loops=True).toarray()
    assert (looped == a + np.eye(8)).all()


@pytest.mark.parametrize("out", ["mean", "last", "sum"])
def test_propagation_and_its_gradient_equal_dense_powers(out):
    graph = user_item_graph(USERS, ITEMS, N_USERS, N_ITEMS)
    dense = torch.from_numpy(scaled(bipartite(USERS, ITEMS, N_USERS, N_ITEMS), 0.5, 0.5).toarray()).float()
    start, weight = torch.randn(8, 3, requires_grad=True), torch.randn(8, 3)
    steps = [start, dense @ start, dense @ dense @ start]
    wanted = {"mean": sum(steps) / 3, "last": steps[-1], "sum": sum(steps)}[out]
    found = propagate(graph, start, 2, out)
    torch.testing.assert_close(found, wanted)
    ours, theirs = (torch.autograd.grad((each * weight).sum(), start)[0] for each in (found, wanted))
    torch.testing.assert_close(ours, theirs)


def test_a_matrix_that_is_not_symmetric_has_the_gradient_of_its_transpose():
    from scipy.sparse import csr_matrix

    matrix = np.array([[0, 2.0, 0], [1, 0, 3]])
    x = torch.randn(3, 2, requires_grad=True)
    (Sparse(csr_matrix(matrix)) @ x).sum().backward()
    torch.testing.assert_close(x.grad, torch.from_numpy(matrix.T @ np.ones((2, 2))).float())


def test_a_sum_by_entries_is_differentiable_in_weights_and_rows():
    rows, columns = torch.tensor([0, 0, 2]), torch.tensor([1, 3, 0])
    weights, x = torch.randn(3, requires_grad=True), torch.randn(4, 2, requires_grad=True)
    dense = torch.zeros(3, 4).index_put((rows, columns), weights)
    ours = torch.autograd.grad(weighted_sum(rows, columns, weights, x, 3).square().sum(), (weights, x))
    theirs = torch.autograd.grad((dense @ x).square().sum(), (weights, x))
    for a, b in zip(ours, theirs, strict=True):
        torch.testing.assert_close(a, b)


def test_neighbours_in_blocks_equal_the_dense_ones(monkeypatch):
    x = np.random.default_rng(0).normal(size=(200, 7)).astype(np.float32)
    unit = x / np.linalg.norm(x, axis=1, keepdims=True)
    alike = unit @ unit.T
    wanted = np.argsort(-alike, axis=1)[:, :10]
    monkeypatch.setattr(neighbours, "ROWS", 37)
    monkeypatch.setattr(neighbours, "_kept", type(neighbours._kept)())
    near, cosines = neighbours.nearest(x, 10)
    assert (np.sort(near) == np.sort(wanted)).all()
    assert (near[:, 0] == np.arange(200)).all()
    np.testing.assert_allclose(cosines, np.take_along_axis(alike, near, 1), atol=1e-5)
    weights = neighbour_graph(x, 10)
    np.testing.assert_allclose(weights.data, 0.1)
    dense = np.where(np.eye(200)[wanted].sum(1) > 0, np.maximum(alike, 0), 0)
    sums = dense.sum(1)
    np.testing.assert_allclose(
        neighbour_graph(x, 10, "cosine").toarray(), dense / np.sqrt(np.outer(sums, sums)), atol=1e-5
    )


def test_graphs_are_kept_by_content_and_not_computed_again(monkeypatch):
    x = np.random.default_rng(1).normal(size=(30, 4)).astype(np.float32)
    first = neighbours.nearest(x, 5)
    monkeypatch.setattr(neighbours, "top_alike", None)
    assert neighbours.nearest(x.copy(), 5) is first
    with pytest.raises(TypeError):  # other content is computed
        neighbours.nearest(x + 1, 5)
    with pytest.raises(TypeError):
        neighbours.nearest(x, 6)


def test_rows_of_zeros_give_finite_graphs():
    x = np.zeros((5, 3), np.float32)
    x[:2] = 1
    for weights in ("ones", "cosine"):
        assert np.isfinite(neighbour_graph(x, 3, weights).toarray()).all()


def test_users_who_share_most_equal_the_dense_product():
    from scipy.sparse import csr_matrix

    had = (np.random.default_rng(2).uniform(size=(30, 20)) < 0.2).astype(float)
    both = had @ had.T
    np.fill_diagonal(both, 0)
    near, counts = top_users(csr_matrix(had), 4)
    np.testing.assert_array_equal(counts, -np.sort(-both, axis=1)[:, :4])
    for row in range(30):
        fine = near[row] >= 0
        np.testing.assert_array_equal(both[row, near[row][fine]], counts[row][fine])
        assert (counts[row][~fine] == 0).all()


def test_edges_are_drawn_without_replacement_and_popular_ones_less_often():
    random = np.random.default_rng(3)
    users, items = np.repeat(np.arange(40), 2), np.tile([0, 1], 40)
    items[1::2] = np.arange(40) % 20 + 1
    weights = rare_edges(users, items)
    drawn = np.zeros(users.size)
    for _ in range(300):
        rows = without_replacement(weights, 16, random.uniform(size=users.size))
        assert rows.size == 16 == np.unique(rows).size
        drawn[rows] += 1
    assert drawn[items == 0].mean() < 0.6 * drawn[items != 0].mean()
    assert without_replacement(weights, 0, random.uniform(size=users.size)).size == 0


def rows(n=6, d=5):
    return torch.randn(n, d, dtype=torch.float64, requires_grad=True)


def plain_contrast(a, b, among, t):
    total = 0
    for n in range(len(a)):

        def of(x, n=n):
            return torch.exp(torch.nn.functional.cosine_similarity(a[n], x, dim=0) / t)

        total = total - torch.log(of(b[n]) / sum(of(x) for x in among))
    return total / len(a)


def plain_nodes(a, b, t):
    total = 0
    for n in range(len(a)):

        def of(x, n=n):
            return torch.exp(torch.nn.functional.cosine_similarity(a[n], x, dim=0) / t)

        others = sum(of(x) for x in a) + sum(of(x) for x in b) - of(a[n])
        total = total - torch.log(of(b[n]) / others)
    return total / len(a)


LOSSES = {
    "pairwise": (lambda a, b: losses.pairwise(a, b), lambda a, b: -torch.log(torch.sigmoid(a - b)).mean()),
    "contrast": (lambda a, b: losses.contrast(a, b, 0.3), lambda a, b: plain_contrast(a, b, b, 0.3)),
    "nodes": (lambda a, b: losses.node_contrast(a, b, 0.5, rows=4), lambda a, b: plain_nodes(a, b, 0.5)),
    "squares": (lambda a, b: losses.squares(a, b), lambda a, b: ((a * a).sum() + (b * b).sum()) / 2 / 6),
    "lengths": (
        lambda a, b: losses.lengths(a, b),
        lambda a, b: (torch.sqrt((a * a).sum()) + torch.sqrt((b * b).sum())) / 6,
    ),
}


@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_and_its_gradient_equal_the_plain_sum(name):
    ours, plain = LOSSES[name]
    a, b = rows(), rows()
    found, wanted = ours(a, b), plain(a, b)
    torch.testing.assert_close(found, wanted)
    for x, y in zip(torch.autograd.grad(found, (a, b)), torch.autograd.grad(wanted, (a, b)), strict=True):
        torch.testing.assert_close(x, y)


def test_alignment_gives_its_target_no_gradient():
    online, target = rows(), rows()
    losses.alignment(online, target).backward()
    assert online.grad is not None
    assert target.grad is None


def test_scores_side_by_side_equal_the_sum_of_products():
    parts = [(0.3, torch.randn(5, 2), torch.randn(7, 2)), (-2.0, torch.randn(5, 4), torch.randn(7, 4))]
    users, items = side_by_side(parts)
    torch.testing.assert_close(users @ items.T, sum(w * p @ q.T for w, p, q in parts))
