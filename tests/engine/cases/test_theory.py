"""Queues against their theory: Erlang C, Pollaczek-Khinchine, Little's law; stock and lines exactly."""

from __future__ import annotations

import math

import numpy as np
import pytest

from simulator.engine.tables.case_tables import Count
from tests.worlds import TinyWorld, claim, exponential

MEAN = 100.0


def queue_world(servers: int, service: dict) -> TinyWorld:
    resources = {"desk": {"kind": "queue", "per": "world", "capacity": claim(servers, "servers"), "service": service}}
    world = TinyWorld([{"step": "serve", "uses": "desk"}], resources, users=1000)
    world.recording = False
    return world


def arrivals(load: float, servers: int, n: int, seed: int) -> np.ndarray:
    generator = np.random.default_rng(seed)
    return np.cumsum(generator.exponential(MEAN / (load * servers), n))


def lived(world: TinyWorld, times: np.ndarray) -> tuple[float, float, float]:
    """Mean wait, s; mean length of the line; arrivals per s; over the whole of a run that is emptied at its end."""
    users = np.arange(len(times)) % 1000
    for first in range(0, len(times), 100_000):
        part = slice(first, first + 100_000)
        messages_users, items = users[part], np.zeros(len(times[part]), dtype=np.int64)
        world.decide(times[part], messages_users, items)
        world.run(float(times[part][-1]))
    world.run(math.inf)
    unit = world.unit("desk")
    assert unit["served"] == len(times)
    assert world.cases.n_open == 0
    return (
        float(unit["waited"] / unit["served"]),
        float(unit["area"] / unit["since"]),
        len(times) / float(unit["since"]),
    )


def erlang_c(servers: int, load: float) -> float:
    """Mean wait in M/M/c, s (Erlang 1917): C(c, a) / (c mu - lambda)."""
    offered = load * servers
    term, total = 1.0, 1.0
    for k in range(1, servers):
        term *= offered / k
        total += term
    last = term * offered / servers / (1.0 - load)
    return last / (total + last) * MEAN / (servers * (1.0 - load))


@pytest.mark.parametrize("servers", [1, 3, 10])
@pytest.mark.parametrize("load", [0.5, 0.8])
def test_mean_wait_is_that_of_erlang_c(servers, load):
    wait, _, _ = lived(queue_world(servers, exponential(MEAN)), arrivals(load, servers, 400_000, 1))
    assert wait == pytest.approx(erlang_c(servers, load), rel=0.05)


@pytest.mark.long
@pytest.mark.parametrize("servers", [1, 3, 10])
@pytest.mark.parametrize(("load", "n"), [(0.5, 1_000_000), (0.8, 2_000_000), (0.95, 6_000_000)])
def test_mean_wait_is_that_of_erlang_c_within_three_per_cent(servers, load, n):
    wait, _, _ = lived(queue_world(servers, exponential(MEAN)), arrivals(load, servers, n, 5))
    assert wait == pytest.approx(erlang_c(servers, load), rel=0.03)


@pytest.mark.parametrize("sigma", [0.3, 0.8])
def test_mean_wait_of_one_server_is_that_of_pollaczek_and_khinchine(sigma):
    service = {
        "dist": "lognormal",
        "median": MEAN / math.exp(sigma**2 / 2),
        "sigma": sigma,
        "unit": "s",
        "from": "estimate",
    }
    load, variation = 0.6, math.exp(sigma**2) - 1.0
    wait, _, _ = lived(queue_world(1, service), arrivals(load, 1, 400_000, 3))
    assert wait == pytest.approx(MEAN * load * (1.0 + variation) / (2.0 * (1.0 - load)), rel=0.1)


@pytest.mark.parametrize("servers", [3, 10])
def test_mean_wait_of_several_servers_is_near_allen_and_cunneen(servers):
    """M/G/c has no closed form: that of M/M/c times (1 + squared variation of the service) / 2 (Allen 1978)."""
    service = {"dist": "gamma", "shape": 2.17, "scale": MEAN / 2.17, "unit": "s", "from": "estimate"}
    wait, _, _ = lived(queue_world(servers, service), arrivals(0.7, servers, 400_000, 6))
    assert wait == pytest.approx(erlang_c(servers, 0.7) * (1.0 + 1.0 / 2.17) / 2.0, rel=0.1)


@pytest.mark.parametrize("servers", [1, 4])
def test_littles_law(servers):
    wait, length, rate = lived(queue_world(servers, exponential(MEAN)), arrivals(0.8, servers, 30_000, 9))
    assert length == pytest.approx(rate * wait, rel=1e-9)


def test_who_comes_first_is_served_first():
    resources = {
        "desk": {"kind": "queue", "per": "world", "capacity": claim(1, "servers"), "service": exponential(50.0)}
    }
    world = TinyWorld([{"step": "serve", "event": "shipped", "uses": "desk"}], resources, users=400)
    times = np.sort(np.random.default_rng(4).uniform(0.0, 2000.0, 400))
    users = np.random.default_rng(5).permutation(400)
    world.decide(times, users, np.zeros(400, dtype=np.int64))
    world.run(math.inf)
    done = world.times("shipped")
    assert [user for user, _ in sorted(done, key=lambda case: done[case])] == users.tolist()


def test_stock_runs_out_exactly_and_comes_back():
    stock = {
        "kind": "stock", "per": "item",
        "initial": {"dist": "constant", "value": 7, "unit": "units", "from": "estimate"},
        "restock_below": claim(2, "units"), "restock_to": claim(5, "units"),
        "restock_lead": {"dist": "constant", "value": 1000, "unit": "s", "from": "estimate"},
    }  # fmt: skip
    world = TinyWorld(
        [{"step": "take", "event": "reserved", "uses": "stock", "delay": exponential(1.0)}], {"stock": stock}
    )
    world.decide(np.arange(1.0, 21.0), np.arange(20), np.full(20, 3))
    world.run(500.0)
    assert len(world.times("reserved")) == 7
    assert len(world.times("refused")) == 13
    assert {user for user, _ in world.times("reserved")} == set(range(7))
    assert world.unit("stock", 3)["level"] == 0
    world.run(1004.0)  # ordered with the fifth unit, at 5 s
    assert world.unit("stock", 3)["level"] == 0
    world.run(1007.0)
    assert world.unit("stock", 3)["level"] == 5
    assert world.unit("stock", 4)["level"] == 7
    assert world.count(Count.ENDED) == 20
