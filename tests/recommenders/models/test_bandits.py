"""Bandits: confidence bounds by their formula, and propensities that are frequencies."""

from __future__ import annotations

import numpy as np
import pytest

from recommenders.contract import Catalog, PlatformLog
from recommenders.registry import create
from tests.recommenders.little import LIKE, NAMES, ask, log_of_likes

N = 12


@pytest.fixture
def log():
    random = np.random.default_rng(0)
    return log_of_likes([(int(u), int(i)) for u, i in random.integers(0, N, (60, 2))], N, N)


def fitted(name, log, **parameters):
    recommender = create(name, {"factors": 3, **parameters}, seed=4, label=LIKE)
    recommender.fit(log, Catalog(N))
    return recommender


def test_bounds_are_the_mean_plus_standard_deviations(log):
    model = fitted("linucb", log, alpha=1.7)
    ((_, batch),) = model.batches(ask(N, users=range(4)))
    profiles, v = model.profiles(batch), model.learned["vectors"]
    for row, p in enumerate(profiles):
        for item in range(N):
            phi = np.concatenate(([1.0], v[item], p * v[item]))
            bound = phi @ model.learned["solution"] + 1.7 * np.sqrt(phi @ model.learned["inverse"] @ phi)
            assert model.score(batch)[row, item] == pytest.approx(bound, rel=1e-4)


def test_linucb_is_certain(log):
    slates = fitted("linucb", log).recommend(ask(N, users=range(5)))
    assert (slates.propensity == 1).all()


def test_impressions_that_failed_count_against_an_item():
    time = np.arange(40.0)
    columns = {
        "time": time, "logged_at": time, "user": np.repeat(np.arange(10), 4).astype(np.uint32),
        "item": np.tile([0, 1, 0, 2], 10).astype(np.uint32), "event": np.tile([0, 0, 1, 0], 10).astype(np.uint8),
    }  # fmt: skip
    model = create("linucb", {"factors": 3, "alpha": 0.0, "modality": "cover"}, label=LIKE)
    features = {"cover": np.eye(3, dtype=np.float32)}
    model.fit(PlatformLog.from_columns(columns, NAMES, 11, 3), Catalog(3, {}, features))
    assert model.recommend(ask(3, users=(10,), slate_size=1)).items[0, 0] == 0


@pytest.mark.parametrize("slate_size", [1, 4])
def test_thompson_propensities_are_how_often_items_are_shown(log, slate_size):
    model = fitted("thompson", log, draws=8, spread=4.0)
    n = 4000
    rng = np.random.default_rng(1).integers(0, 2**63, n).astype(np.uint64)
    slates = model.recommend(ask(N, users=[3] * n, keys=rng.tolist(), slate_size=slate_size))
    assert np.unique(slates.items[:, 0]).size > 1
    for item in np.unique(slates.items):
        shown = (slates.items == item).any(axis=1)
        said = np.unique(slates.propensity[slates.items == item])
        assert said.size == 1
        assert shown.mean() == pytest.approx(said[0], abs=4 * np.sqrt(0.25 / n))
    inclusion = {item: slates.propensity[slates.items == item][0] for item in np.unique(slates.items)}
    assert sum(inclusion.values()) == pytest.approx(slate_size, abs=1e-5)
