"""Held-out recall against counting by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from simulator.grounding.heldout import CUT, ITEM, WEIGHTED, evaluate


def ones(pairs: list[tuple[int, int]], shape: tuple[int, int]) -> csr_matrix:
    users, items = zip(*pairs, strict=True)
    return csr_matrix((np.ones(len(pairs)), (users, items)), shape=shape)


def test_chance_and_popularity_by_hand():
    """Forty items, of which the first 20 are popular; user 0 has trained on two of those, so two others move up."""
    shape = (30, 40)
    train = ones([(u, i) for u in range(1, 30) for i in range(20)] + [(0, 0), (0, 1)], shape)
    draw = np.arange(40) / 40  # of equals, the later item wins
    test = ones([(0, 19), (0, 39), (0, 38), (0, 37), (5, 30)], shape)
    found = evaluate(train, test, {}, draw, "by hand")
    assert found is not None
    assert (found.users, found.interactions) == (2, 5)
    assert found.recall["chance"].value == pytest.approx((CUT / 38 + CUT / 20) / 2)
    # user 0 is shown items 2 to 19, 39 and 38: three of four; user 5 has only unpopular items left, 20 of them
    assert found.recall["popularity"].value == pytest.approx((3 / 4 + 1) / 2)


def test_neighbours_find_the_item_that_goes_with_the_one_taken():
    """Items 2g and 2g + 1 are always taken together; the popular ones are elsewhere."""
    pairs = [(g, 2 * g + side) for g in range(60) for side in (0, 1)]
    crowd = [(u, 120 + i) for u in range(60, 160) for i in range(40)]
    tested = [(160 + g, 2 * g) for g in range(60)]
    train = ones(pairs + crowd + tested, (220, 160))
    test = ones([(160 + g, 2 * g + 1) for g in range(60)], (220, 160))
    found = evaluate(train, test, {}, np.random.default_rng(0).random(160), "by hand")
    assert found is not None
    assert found.recall[ITEM].value == 1
    assert found.recall[WEIGHTED].value == 1
    assert found.recall["popularity"].value == 0
    assert found.to_popularity == {}


def test_content_neighbours_follow_the_features():
    rng = np.random.default_rng(0)
    centres = rng.standard_normal((10, 5)) * 10
    features = (
        np.repeat(centres, 10, axis=0).astype(np.float32) + rng.standard_normal((100, 5)).astype(np.float32) * 0.1
    )
    train = ones([(u, u) for u in range(100)], (100, 100))
    test = ones([(u, (u + 1) % 10 + u // 10 * 10) for u in range(100)], (100, 100))
    draw = rng.random(100)
    noise = rng.standard_normal((100, 5)).astype(np.float32)
    found = evaluate(train, test, {"good": features, "noise": noise}, draw, "by hand")
    assert found is not None
    assert found.recall["content neighbours: good"].value == 1
    assert found.recall["content neighbours: noise"].value < 0.5


def test_nobody_to_judge():
    train, test = ones([(0, 0)], (2, 2)), ones([(1, 1)], (2, 2))
    assert evaluate(train, test, {}, np.zeros(2), "by hand") is None
