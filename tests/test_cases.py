"""Worlds of cases, random and starved: everything ends once, nothing is used twice, nothing precedes its cause."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import numpy as np
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from simulator.kernels.case_layout import Count
from tests.worlds import TinyWorld, claim, exponential

HOUR = 3600.0
FOREVER = 2000 * HOUR  # shifts come and go for ever, so there is no end of time
PHASES = [phase for phase in Phase if phase is not Phase.shrink]  # a world takes long to draw
TERMINALS = ("done", "refused", "cancelled", "expired")


def constant(value: float, unit: str) -> dict[str, Any]:
    return {"dist": "constant", "value": value, "unit": unit, "from": "estimate"}


def uniform(low: float, high: float, unit: str) -> dict[str, Any]:
    return {"dist": "uniform", "low": low, "high": high, "unit": unit, "from": "estimate"}


PLACES = {"side": claim(10, "km"), "zones": claim(4, "zones"), "reach": claim(20, "km"), "speed": claim(18, "km/h")}


@st.composite
def worlds(draw: Any) -> dict[str, Any]:
    """A random chain: stock, openings, a bench with a line and a shift, couriers who move; and ways to fail."""
    few = [0.4, 3, 50]
    shift = {"starts": claim(8, "h"), "ends": claim(12, "h"), "capacity": claim(draw(st.integers(0, 4)), "servers")}
    night = {"starts": claim(20, "h"), "ends": claim(24, "h"), "capacity": claim(draw(st.integers(0, 2)), "couriers")}
    below, to = draw(st.integers(0, 3)), draw(st.integers(0, 6))
    needed, gives_up = draw(st.sampled_from([0, 0.5, 1])), draw(st.sampled_from([0, 0.3]))
    good = draw(st.sampled_from([1, 0.8]))
    resources = {
        "stock": {
            "kind": "stock", "per": "item", "initial": uniform(0, draw(st.sampled_from(few)), "units"),
            "restock_below": claim(below, "units"), "restock_to": claim(to, "units"),
            "restock_lead": exponential(2 * HOUR),
        },
        "posts": {
            "kind": "openings", "per": "item", "count": uniform(0, draw(st.sampled_from([0.4, 2, 9])), "openings"),
            "closes_after": exponential(draw(st.sampled_from([HOUR, 100 * HOUR]))),
        },
        "bench": {
            "kind": "queue", "per": draw(st.sampled_from(["world", "creator", "item"])),
            "capacity": claim(draw(st.integers(0, 3)), "servers"), "service": exponential(600.0),
            "line": claim(draw(st.sampled_from([0, 2, 1000])), "orders"),
            "slowdown": claim(draw(st.sampled_from([0.0, 0.2])), "ratio"),
            "shifts": [shift],
        },
        "couriers": {
            "kind": "queue", "per": "zone", "capacity": claim(draw(st.integers(1, 2)), "couriers"), "moves": True,
            "shifts": [night],
        },
        "rooms": {
            "kind": "slots", "per": "item", "capacity": claim(draw(st.integers(0, 4)), "slots"), "every": claim(6, "h"),
        },
    }  # fmt: skip
    soon = exponential(60.0)
    steps = [
        {"step": "take", "event": "reserved", "uses": "stock", "delay": exponential(60.0)},
        {"step": "meet", "uses": "rooms", "delay": exponential(60.0), "needs": claim(needed, "probability")},
        {"step": "make", "event": "made", "uses": "bench", "withdraws": claim(gives_up, "probability")},
        {"step": "seat", "event": "seated", "uses": "posts", "delay": exponential(300.0)},
        {"step": "call", "event": "called", "uses": "couriers", "holds": ["posts"], "delay": constant(0, "s")},
        {"step": "fetch", "event": "fetched", "holds": ["couriers", "posts"], "travels": "to_item", "delay": soon},
        {"step": "bring", "event": "delivered", "holds": ["couriers", "posts"], "travels": "to_user", "delay": soon,
         "passes": claim(good, "probability")},
    ]  # fmt: skip
    return {
        "steps": steps,
        "resources": resources,
        "delivery": {
            "cancel": {"base": claim(draw(st.sampled_from([0, 0.3])), "probability")},
            "expires_after": claim(draw(st.sampled_from([2, 200])), "h"),
        },
        "users": 40,
        "items": draw(st.sampled_from([1, 12])),
        "seed": draw(st.integers(0, 1000)),
        "edits": {"places": PLACES},
    }


def lived(made: dict[str, Any], stops: list[float], restored: bool = False) -> TinyWorld:
    world = TinyWorld(**made)
    generator = np.random.default_rng(made["seed"])
    n = 120
    times = np.sort(generator.uniform(0.0, 24 * HOUR, n))
    users, items = generator.integers(0, made["users"], n), generator.integers(0, made["items"], n)
    first = 0.0
    for stop in stops:
        part = (times >= first) & (times < stop)
        world.decide(times[part], users[part], items[part])
        world.run(stop)
        if restored:
            kept = {name: array.copy() for name, array in world.cases.state().items()}
            other = TinyWorld(**made)
            other.cases.restore(kept)
            world.cases = other.cases
        first = stop
    return world


def conserved(world: TinyWorld) -> None:
    cases, units, resources = world.cases.world.cases, world.cases.world.units, world.cases.shared.resources
    names = list(world.compiled.scenario.resources)
    ended = [world.times(event) for event in TERMINALS]
    assert len(set().union(*ended)) == sum(len(each) for each in ended) == world.count(Count.ENDED)
    assert world.count(Count.POSTED) - world.count(Count.ENDED) == cases["open"].sum()
    assert (units["level"] >= 0).all()
    for r, row in enumerate(resources):
        own = units[int(row["first_unit"]) : int(row["first_unit"] + row["n_units"])]
        holding = ((cases["held"] >> r) & 1).astype(bool) & (cases["open"] == 1)
        assert own["busy"].sum() == holding.sum()
        assert own["waiting"].sum() >= 0
        shifts = world.cases.shared.shifts[int(row["first_shift"]) : int(row["first_shift"] + row["n_shifts"])]
        if names[r] in ("bench", "couriers"):
            most = np.maximum(own["capacity"], shifts["capacity"].max(initial=0))
            assert (own["busy"] <= most).all()
    assert ((cases["waiting"] == 1) & (cases["open"] == 1)).sum() == units["waiting"].sum()
    servers = world.cases.world.servers
    assert len(set(servers[servers >= 0].tolist())) == (servers >= 0).sum()
    assert (servers >= 0).sum() == ((cases["server"] >= 0) & (cases["open"] == 1)).sum()


@settings(max_examples=20, deadline=None, phases=PHASES)
@given(worlds())
def test_everything_ends_once_and_nothing_is_used_twice(made):
    conserved(lived(made, [9 * HOUR]))
    world = lived(made, [FOREVER])
    conserved(world)
    assert world.cases.n_open == 0
    posts = [world.unit("posts", item) for item in range(made["items"])]
    begun = TinyWorld(**made)
    for item, post in enumerate(posts):
        assert post["level"] + post["filled"] == begun.unit("posts", item)["level"]  # one opening, one hire
    done = world.times("done")
    assert sum(int(post["filled"]) for post in posts) == len(done)
    chain = [world.times(event) for event in ("reserved", "made", "seated", "called", "fetched", "delivered", "done")]
    for before, after in pairwise(chain):
        assert set(after) <= set(before)
        assert all(before[case] <= after[case] for case in after)
    assert (world.records["time"] >= 0.0).all()


@settings(max_examples=6, deadline=None, phases=PHASES)
@given(worlds(), st.lists(st.floats(0.0, 30.0), min_size=1, max_size=5))
def test_when_it_is_looked_at_and_saved_changes_nothing(made, hours):
    stops = sorted({*(math.floor(h * HOUR) for h in hours), 48 * HOUR})
    at_once, bit_by_bit, saved = lived(made, [48 * HOUR]), lived(made, stops), lived(made, stops, restored=True)
    for other in (bit_by_bit, saved):
        assert (
            np.sort(other.records, order=["time", "user", "case", "event"]).tobytes()
            == np.sort(at_once.records, order=["time", "user", "case", "event"]).tobytes()
        )
        assert (other.cases.world.counts[1:8] == at_once.cases.world.counts[1:8]).all()
    assert len(at_once.records) > 0
