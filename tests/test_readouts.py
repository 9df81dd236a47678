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


def test_a_mean_is_read_beside_what_has_one():
    """Where few items are rated, the spread of all is next to nothing: one good rating would outshine everything."""
    from types import SimpleNamespace

    from simulator.readouts import publish

    n = np.zeros(1000, dtype=np.int64)
    n[:4] = [5, 5, 1, 5]
    stars = np.zeros(1000, dtype=np.int64)
    stars[:4] = [20, 15, 5, 10]
    counters = np.stack([np.zeros(1000, dtype=np.int64), n, stars], axis=1)
    modality = SimpleNamespace(averages="rate", counts=None)
    compiled = SimpleNamespace(
        names=SimpleNamespace(readouts=("rating",), counters=("rate", "rate+")),
        scenario=SimpleNamespace(modalities={"rating": modality}, parents={}, item_types={"thing": None}),
        shown_parents={},
    )
    facts = np.zeros(1000, dtype=[("type", "i4")])
    goods = SimpleNamespace(readouts=np.full((1000, 1), 9.0, dtype=np.float32), facts=facts, parent=np.full(1000, -1))
    publish(compiled, counters, np.arange(1000, dtype=np.int32), goods)
    shown = goods.readouts[:, 0]
    assert (shown[4:] == 0.0).all()
    assert shown[0] > shown[1] > shown[3]
    assert np.abs(shown[:4]).max() < 2.0
