"""Read-outs: what the platform counts, as it is shown at a tick."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, strategies as st

from simulator.platform.counters import PublishedCounters, means
from tests.published import published


def shown_of(counts: list[int], candidates: np.ndarray) -> np.ndarray:
    """What is shown of so many events of each item."""
    compiled = SimpleNamespace(
        names=SimpleNamespace(published_counters=("opened",), counters=("open",)),
        scenario=SimpleNamespace(
            modalities={"opened": SimpleNamespace(averages=None, counts="open")}, parents={}, item_types={"thing": None}
        ),
        shown_parents={},
    )
    n = len(counts)
    facts, published_counters = np.zeros(n, dtype=[("type", "i4")]), np.full((n, 1), 9.0, dtype=np.float32)
    items = SimpleNamespace(published_counters=published_counters, state=facts, parent=np.full(n, -1))
    counters = np.stack([np.zeros(n, dtype=np.int64), np.array(counts)], axis=1)
    PublishedCounters(compiled, items).publish(published(counters, candidates))
    return published_counters[:, 0]


def test_values_are_standardised_over_what_is_on_offer():
    candidates = np.array([0, 1, 2], dtype=np.int32)
    shown = shown_of([0, 3, 8, 1000], candidates)
    assert shown[candidates].mean() == pytest.approx(0.0, abs=1e-6)
    assert shown[candidates].std() == pytest.approx(1.0, abs=1e-6)
    assert shown[3] > shown[2]
    assert (shown_of([2, 2, 2, 2], candidates) == 0.0).all()


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
    n = np.zeros(1000, dtype=np.int64)
    n[:4] = [5, 5, 1, 5]
    stars = np.zeros(1000, dtype=np.int64)
    stars[:4] = [20, 15, 5, 10]
    counters = np.stack([np.zeros(1000, dtype=np.int64), n, stars], axis=1)
    modality = SimpleNamespace(averages="rate", counts=None)
    compiled = SimpleNamespace(
        names=SimpleNamespace(published_counters=("rating",), counters=("rate", "rate+")),
        scenario=SimpleNamespace(modalities={"rating": modality}, parents={}, item_types={"thing": None}),
        shown_parents={},
    )
    facts = np.zeros(1000, dtype=[("type", "i4")])
    items = SimpleNamespace(
        published_counters=np.full((1000, 1), 9.0, dtype=np.float32), state=facts, parent=np.full(1000, -1)
    )
    PublishedCounters(compiled, items).publish(published(counters, np.arange(1000, dtype=np.int32)))
    shown = items.published_counters[:, 0]
    assert (shown[4:] == 0.0).all()
    assert shown[0] > shown[1] > shown[3]
    assert np.abs(shown[:4]).max() < 2.0


def counted_at_once(counted: np.ndarray, parent: np.ndarray, shared: np.ndarray, among: np.ndarray) -> np.ndarray:
    """What is shown of how many, or of how many and their sum, (items, 1 or 2), worked out row by row."""
    counted = counted.copy()
    for column in counted.T:
        column[shared] = np.bincount(parent[shared], weights=column[shared])[parent[shared]]
    n = counted[:, 0]
    if counted.shape[1] == 1:
        return in_numpy(np.log1p(n.astype(np.float64)), among)
    overall = float(counted[:, 1].sum()) / max(int(n.sum()), 1)
    read = in_numpy((counted[:, 1] + 5.0 * overall) / (n + 5.0), among[n[among] > 0])
    read[n == 0] = 0.0
    return read


def in_numpy(values: np.ndarray, among: np.ndarray) -> np.ndarray:
    shown = values[among]
    if len(shown) == 0 or shown.std() <= 1e-12:
        return np.zeros(len(values), dtype=np.float32)
    return ((values - shown.mean()) / shown.std()).astype(np.float32)


@given(st.integers(0, 2**32 - 1), st.integers(1, 700), st.booleans(), st.booleans())
def test_what_is_counted_tick_by_tick_is_what_is_counted_at_once(seed, n, shown, mean):
    """To the last bit, whatever is counted, comes or goes; with parents, shown themselves or not, and without."""
    rng = np.random.default_rng(seed)
    types = rng.integers(0, 3 if shown else 2, n)  # type 2 are the parents, which have a row each where they are shown
    parent = np.where(types == 1, -1, rng.integers(0, 9, n))
    modality = SimpleNamespace(averages="rate" if mean else None, counts="rate")
    plain = SimpleNamespace(averages=None, counts="open")
    compiled = SimpleNamespace(
        names=SimpleNamespace(published_counters=("rating", "opened"), counters=("rate", "rate+", "open")),
        scenario=SimpleNamespace(
            modalities={"rating": modality, "opened": plain},
            parents={"kin": SimpleNamespace(modalities=("rating",), types=("dish",))},
            item_types={"dish": None, "drink": None},
        ),
        shown_parents={"kin": 2} if shown else {},
    )
    facts = np.zeros(n, dtype=[("type", "i4")])
    facts["type"] = types
    items = SimpleNamespace(published_counters=np.full((n, 2), 9.0, dtype=np.float32), state=facts, parent=parent)
    publisher, counters = PublishedCounters(compiled, items), np.zeros((n, 4), dtype=np.int64)
    shared = np.flatnonzero((types != 1) & (parent >= 0))
    for _ in range(8):
        if rng.random() < 0.5 or counters.sum() == 0:
            offered = np.flatnonzero(rng.random(n) < rng.choice([0.9, 0.02])).astype(np.int32)
        for item in rng.integers(0, n, rng.choice([0, 1, n])):
            counters[item] += rng.integers(0, 2, 4) * [1, 1, 4096, 1]
        publisher.publish(published(counters.copy(), offered))
        for r, columns in enumerate(([1, 2] if mean else [1], [3])):
            own = types == 2 if shown and r == 0 else types < 2
            among = offered[own[offered]] if own[offered].any() else offered
            expected = counted_at_once(counters[:, columns], parent, shared if r == 0 else shared[:0], among)
            assert items.published_counters[:, r].tobytes() == expected.tobytes()
