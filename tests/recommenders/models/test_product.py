"""Scores of a request do not depend on which requests are scored beside it, on any processor."""

import numpy as np
import pytest

from recommenders.models.ranker import BLOCK, product


@pytest.mark.parametrize("width", [3, 39, 64, 500])
@pytest.mark.parametrize("items", [7, 120, 1000])
def test_a_row_has_one_product_wherever_it_stands(width, items):
    random = np.random.default_rng(width * items)
    matrix, row = random.normal(size=(width, items)).astype(np.float32), random.normal(size=width).astype(np.float32)
    alone = product(row[None], matrix)[0]
    np.testing.assert_allclose(alone, row @ matrix, rtol=1e-3, atol=1e-4)
    for place in range(BLOCK):
        rows = random.normal(size=(BLOCK, width)).astype(np.float32)
        rows[place] = row
        np.testing.assert_array_equal(product(rows, matrix)[place], alone)
