"""Read-outs: what the platform counts, as it is shown at a tick."""

from __future__ import annotations

import numpy as np
import pytest

from simulator.readouts import means, standardised


def test_values_are_standardised_over_what_is_on_offer():
    values, candidates = np.log1p([0.0, 3.0, 8.0, 1000.0]), np.array([0, 1, 2], dtype=np.int32)
    shown = standardised(values, candidates)
    assert shown[candidates].mean() == pytest.approx(0.0, abs=1e-6)
    assert shown[candidates].std() == pytest.approx(1.0, abs=1e-6)
    assert shown[3] > shown[2]
    assert (standardised(np.full(4, 2.5), candidates) == 0.0).all()


def test_a_mean_of_few_is_pulled_towards_the_overall_mean():
    n, total = np.array([0, 1, 1000]), np.array([0, 5, 3000])
    found = means(n, total)
    overall = 3005 / 1001
    assert found[0] == pytest.approx(overall)
    assert overall < found[1] < 4.0
    assert found[2] == pytest.approx(3.0, abs=0.01)
    assert (means(np.zeros(3, dtype=np.int64), np.zeros(3, dtype=np.int64)) == 0.0).all()
