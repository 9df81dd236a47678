"""How unequally something is shared out."""

from __future__ import annotations

import math

import numpy as np
import pytest

from recommenders.inequality import gini


@pytest.mark.parametrize(
    ("values", "expected"), [([1, 1, 1, 1], 0.0), ([0, 0, 0, 8], 0.75), ([0, 1], 0.5), ([1, 2, 3], 2.0 / 9.0)]
)
def test_the_gini_coefficient(values, expected):
    assert gini(np.array(values)) == pytest.approx(expected)


def test_nothing_shown_has_no_gini_coefficient():
    assert math.isnan(gini(np.zeros(3, dtype=np.int64)))
