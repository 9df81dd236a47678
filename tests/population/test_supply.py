"""When items appear and when they are withdrawn."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, strategies as st
from scipy.stats import kstest

import simulator
from recommenders.contract import Recommender, Slates
from simulator.errors import InputError
from simulator.plan.compiler import compile_scenario
from simulator.population.catalog import draw_catalog
from simulator.scenario.activity_profiles import cumulative_activity, spread_over
from simulator.scenario.checks.check import check_scenario
from simulator.scenario.load import load_scenario
from tests.laws.harness import edited

DAY = 86400.0
NAME = "shortvideo"


def lasting(median: float, sigma: float = 0.5) -> dict[str, Any]:
    return {"dist": "lognormal", "median": median, "sigma": sigma, "unit": "h", "from": "estimate"}


def with_supply(folder: Path, supply: dict[str, Any], types: dict[str, Any] | None = None) -> Path:
    """Short video with other supply."""
    path = edited(folder, {}, NAME)
    content = json.loads(path.read_text())
    content["supply"] |= supply
    for name, own in (types or {}).items():
        content["item_types"][name] |= own
    path.write_text(json.dumps(content))
    return path


def catalog_of(path: Path | str, n: int = 4000, horizon: float = 3 * DAY, seed: int = 1) -> Any:
    scenario = load_scenario(path)
    check_scenario(scenario)
    return draw_catalog(compile_scenario(scenario), n, horizon, seed)


@given(
    st.lists(st.integers(0, 5000).map(lambda k: k / 1000.0), min_size=24, max_size=24).filter(lambda p: sum(p) > 0.1),
    st.floats(3600.0, 20 * DAY),
    st.floats(0.0, DAY - 1.0),
)
def test_times_by_a_profile_are_in_the_run_and_in_the_order_of_their_luck(profile, horizon, starts_at):
    draw = np.linspace(0.0, 1.0, 101)[:-1]
    activity = cumulative_activity(profile)
    hours = np.arange(int(starts_at // 3600), int(np.ceil((starts_at + horizon) / 3600)))
    if not np.any(np.asarray(profile)[hours % 24]):
        with pytest.raises(InputError, match="no hour has any activity"):
            spread_over(draw, activity, horizon, starts_at)
        return
    times = spread_over(draw, activity, horizon, starts_at)
    assert times.min() >= 0.0
    assert times.max() <= horizon
    assert (np.diff(times) >= 0.0).all()


def test_a_flat_profile_spreads_evenly():
    draw = np.linspace(0.0, 1.0, 101)[:-1]
    assert spread_over(draw, cumulative_activity([1.0] * 24), 5e5, 7e3) == pytest.approx(draw * 5e5)


def test_items_appear_at_the_hours_of_publication(tmp_path):
    profile = [0.0] * 6 + [1.0] * 2 + [0.0] * 8 + [3.0] * 2 + [0.0] * 6
    hours = {"profile": profile, "unit": "relative", "from": "estimate"}
    at_once = {"dist": "constant", "value": 0, "unit": "s", "from": "estimate"}
    path = with_supply(
        tmp_path,
        {"hours": hours, "moderation": at_once, "fresh": {"value": 0.5, "unit": "share", "from": "estimate"}},
    )
    catalog = catalog_of(path)
    starts_at = load_scenario(path).clock.starts_at.value
    fresh = catalog.published_at[catalog.published_at > 0]
    counts = np.bincount((((fresh + starts_at) % DAY) // 3600.0).astype(int), minlength=24)
    assert len(fresh) > 1000
    assert set(np.flatnonzero(counts)) == {6, 7, 16, 17}
    assert counts[16:18].sum() == pytest.approx(3 * counts[6:8].sum(), rel=0.2)


def test_without_lifetimes_nothing_is_withdrawn():
    catalog = catalog_of(NAME)
    assert catalog.withdrawn_at is None
    assert len(catalog.available(1e12)) == catalog.n_items


def test_items_are_on_offer_from_publication_to_withdrawal(tmp_path):
    catalog = catalog_of(with_supply(tmp_path, {"lifetime": lasting(30)}))
    for time in (0.0, DAY, 2.5 * DAY):
        there = catalog.available(time)
        assert (catalog.published_at[there] <= time).all()
        assert (catalog.withdrawn_at[there] > time).all()
        others = np.setdiff1d(np.arange(catalog.n_items), there)
        assert ((catalog.published_at[others] > time) | (catalog.withdrawn_at[others] <= time)).all()
    fresh = catalog.published_at > 0
    lived = (catalog.withdrawn_at - catalog.published_at)[fresh] / 3600.0
    assert kstest(np.log(lived / 30) / 0.5, "norm").pvalue > 1e-3


def test_what_was_there_before_has_what_is_left_of_a_lifetime(tmp_path):
    """The residual life of a renewal process: its mean is that of the squares by twice that of the lengths."""
    catalog = catalog_of(with_supply(tmp_path, {"lifetime": lasting(30)}), n=20000)
    left = catalog.withdrawn_at[catalog.published_at <= 0] / 3600.0
    mean, mean_square = 30 * np.exp(0.125), 900 * np.exp(0.5)
    assert len(left) > 10000
    assert left.mean() == pytest.approx(mean_square / (2 * mean), rel=0.03)


def test_a_lifetime_of_a_type_goes_before_that_of_the_supply(tmp_path):
    types = list(load_scenario(NAME).item_types)
    path = with_supply(tmp_path, {"lifetime": lasting(30)}, {types[0]: {"lifetime": lasting(3000, 0.1)}})
    catalog = catalog_of(path)
    own = catalog.items.state["type"] == 0
    assert np.median(catalog.withdrawn_at[own]) > 10 * np.median(catalog.withdrawn_at[~own])
    alone = catalog_of(with_supply(tmp_path / "alone", {}, {types[0]: {"lifetime": lasting(30)}}))
    assert np.isinf(alone.withdrawn_at[~own]).all()
    assert np.isfinite(alone.withdrawn_at[own]).all()


class Watcher(Recommender):
    """Recommends what comes first, and remembers what could be."""

    name = "watcher"
    learns = False

    def __init__(self) -> None:
        super().__init__()
        self.asked: dict[float, np.ndarray] = {}

    def recommend(self, requests):
        items = np.full((len(requests), requests.slate_size), -1, dtype=np.int32)
        items[:, : len(requests.candidates)] = requests.candidates[: requests.slate_size]
        if np.isnan(requests.criteria).all():  # a search leaves out more
            self.asked |= {float(time): requests.candidates for time in requests.time}
        return Slates(items)


def test_the_withdrawn_are_no_candidates_and_what_was_sent_stays(tmp_path):
    path = with_supply(tmp_path, {"lifetime": lasting(12)})
    watcher = Watcher()
    truth = simulator.run(path, watcher, users=60, items=400, horizon="20h", first_fit="1h", seed=2).truth
    tick = load_scenario(path).clock.tick.value
    catalog = catalog_of(path, 400, 20 * 3600.0, 2)
    assert len(watcher.asked) > 50
    for time, candidates in watcher.asked.items():
        assert np.array_equal(candidates, catalog.available(time // tick * tick))
    sent = truth[truth["event"].isin(["impression", "skip", "complete"])]
    late = sent["time"].to_numpy() - catalog.withdrawn_at[sent["item"].to_numpy(dtype=int)]
    assert late.max() > 0.0  # a visit goes on with the slate that it holds
    held = truth.groupby(["user", "session"])["time"].transform(lambda t: t.max() - t.min()).max()
    assert late.max() < tick + held + 1.0


def test_a_catalog_that_has_run_empty_is_an_error(tmp_path):
    path = with_supply(
        tmp_path, {"lifetime": lasting(1, 0.1), "fresh": {"value": 0.0, "unit": "share", "from": "estimate"}}
    )
    with pytest.raises(InputError, match="no item is on offer at"):
        simulator.run(path, "random", users=20, items=100, horizon="12h", log="metrics")
