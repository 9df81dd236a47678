"""Worlds of cases, random and starved: everything ends once, nothing is used twice, nothing precedes its cause."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import numpy as np
from hypothesis import Phase, given, settings, strategies as st

from simulator.engine.tables.case_tables import Count
from tests.worlds import TinyWorld, claim, exponential

HOUR = 3600.0
FOREVER = 2000 * HOUR  # shifts come and go for ever, so there is no end of time
PHASES = [phase for phase in Phase if phase is not Phase.shrink]  # a world takes long to draw
TERMINALS = ("done", "refused", "cancelled", "expired")


def constant(value: float, unit: str) -> dict[str, Any]:
    return {"dist": "constant", "value": value, "unit": unit, "from": "estimate"}


def uniform(low: float, high: float, unit: str) -> dict[str, Any]:
    return {"dist": "uniform", "low": low, "high": high, "unit": unit, "from": "estimate"}


def employer(bar: float, picks: int = 0) -> dict[str, Any]:
    """Who chooses among those who come: `bar` in units of the spread of what they read; with picks, they compare."""
    compares = (
        {"shortlist": claim(picks, "applicants"), "every": claim(5, "h"), "capacity_of": "rooms"} if picks else {}
    )
    knowledge = {"dist": "beta", "a": 4, "b": 2, "unit": "share", "from": "estimate"}
    return {
        "employer": {
            "per": "creator", "facet": "quality", "agreement": claim(0.4, "share"), "knowledge": knowledge,
            "threshold": claim(bar, "utility"), "temperature": claim(0.3, "utility"), **compares,
        }
    }  # fmt: skip


def weather(probability: float) -> dict[str, Any]:
    """Rain, for some hours at a time."""
    lasts = {"dist": "lognormal", "median": 2, "sigma": 0.7, "unit": "h", "from": "estimate"}
    return {"rain": {"probability": claim(probability, "probability"), "lasts": lasts}}


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
    bar, silent = draw(st.sampled_from([-9, 0, 2])), draw(st.sampled_from([0, 0.6, 1]))
    picks = draw(st.sampled_from([0, 1, 3]))
    rain, slower = draw(st.sampled_from([0.0, 0.3, 1.0])), draw(st.sampled_from([0.5, 1.5]))
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
    wet = {"rain": claim(slower, "ratio")}
    steps = [
        {"step": "take", "event": "reserved", "uses": "stock", "delay": exponential(60.0)},
        {"step": "meet", "uses": "rooms", "delay": exponential(60.0), "needs": claim(needed, "probability")},
        {"step": "make", "event": "made", "uses": "bench", "withdraws": claim(gives_up, "probability")},
        {"step": "choose", "event": "chosen", "delay": exponential(600.0), "chosen_by": "employer",
         "unanswered": claim(silent, "probability")},
        {"step": "seat", "event": "seated", "uses": "posts", "delay": exponential(300.0)},
        {"step": "call", "event": "called", "uses": "couriers", "holds": ["posts"], "delay": constant(0, "s")},
        {"step": "fetch", "event": "fetched", "holds": ["couriers", "posts"], "travels": "to_item", "delay": soon,
         "slowed_by": wet},
        {"step": "bring", "event": "delivered", "holds": ["couriers", "posts"], "travels": "to_user", "delay": soon,
         "slowed_by": wet, "passes": claim(good, "probability")},
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
        "edits": {"places": PLACES, "choosers": employer(bar, picks), "circumstances": weather(rain)},
        "horizon": FOREVER,
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
    cases, units, resources = world.cases.case_state.cases, world.cases.case_state.units, world.cases.shared.resources
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
    assert ((cases["waiting"] > 0) & (cases["open"] == 1)).sum() == units["waiting"].sum()
    servers = world.cases.case_state.servers
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
    chain = [
        world.times(event)
        for event in ("reserved", "made", "chosen", "seated", "called", "fetched", "delivered", "done")
    ]
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
        assert (other.cases.case_state.counts[1:8] == at_once.cases.case_state.counts[1:8]).all()
    assert len(at_once.records) > 0


# ---- starved worlds -------------------------------------------------------------------------------------------------


@st.composite
def starved(draw: Any) -> tuple[str, dict[str, Any]]:
    """A random world in which one thing is missing: stock, openings, servers, or all couriers but one."""
    made = draw(worlds())
    missing = draw(st.sampled_from(["stock", "openings", "servers", "choosers", "couriers"]))
    resources = made["resources"]
    if missing == "stock":
        resources["stock"] |= {"initial": constant(0, "units"), "restock_to": claim(0, "units")}
    elif missing == "openings":
        resources["posts"]["count"] = constant(0, "openings")
    elif missing == "servers":
        resources["bench"] |= {"capacity": claim(0, "servers"), "shifts": []}
    elif missing == "choosers":
        made["edits"]["choosers"] = employer(1000.0)
    else:
        resources["couriers"] |= {"per": "world", "capacity": claim(1, "couriers"), "shifts": []}
        resources["stock"] |= {"initial": constant(100, "units")}
        resources["posts"] |= {"count": constant(40, "openings"), "closes_after": exponential(5000 * HOUR)}
        resources["bench"] |= {"capacity": claim(4, "servers")}
        resources["rooms"] |= {"capacity": claim(1000, "slots")}
        made["edits"]["choosers"] = employer(-1000.0)
        made["delivery"]["cancel"] = {"base": claim(0, "probability")}
    return missing, made


@settings(max_examples=20, deadline=None, phases=PHASES)
@given(starved())
def test_where_one_thing_is_missing_nobody_gets_it_and_all_ends(case):
    missing, made = case
    conserved(lived(made, [9 * HOUR]))
    world = lived(made, [FOREVER])
    conserved(world)
    assert world.cases.n_open == 0
    if missing == "stock":
        assert not world.times("reserved")
    elif missing == "openings":
        assert not world.times("seated")
        assert not world.times("done")
    elif missing == "servers":
        assert not world.times("made")
    elif missing == "choosers":
        assert not world.times("chosen")
        assert sum(int(world.unit("posts", item)["filled"]) for item in range(made["items"])) == 0
    else:
        called = world.times("called")
        assert len(called) > 5
        left = {case: at for event in TERMINALS for case, at in world.times(event).items()}
        ways = sorted((at, left[case]) for case, at in called.items())
        for (_, until), (since, _) in pairwise(ways):
            assert since >= until, "the one courier is in two places"


@settings(max_examples=8, deadline=None, phases=PHASES)
@given(worlds(), st.sampled_from([0.5, 1.5]))
def test_rain_slows_by_its_factor_and_changes_no_luck(made, factor):
    def ways(rain: float) -> dict[tuple[int, int], float]:
        steps = [
            {"step": "go", "event": "called", "delay": exponential(60.0)},
            {"step": "come", "event": "fetched", "delay": exponential(600.0),
             "slowed_by": {"rain": claim(factor, "ratio")}},
        ]  # fmt: skip
        edits = {**made["edits"], "choosers": {}, "circumstances": weather(rain)}
        world = lived({**made, "steps": steps, "resources": {}, "delivery": {}, "edits": edits}, [FOREVER])
        gone, come = world.times("called"), world.times("fetched")
        return {case: come[case] - gone[case] for case in come}

    dry, wet = ways(0.0), ways(1.0)
    assert dry.keys() == wet.keys()
    assert len(dry) > 50
    slowed = [abs(wet[case] - factor * dry[case]) <= 2 / 1024 for case in dry]
    assert sum(slowed) > 0.9 * len(dry)  # it rains nearly all the time
    assert all(is_slowed or wet[case] == dry[case] for case, is_slowed in zip(dry, slowed, strict=True))


def test_a_higher_bar_is_passed_by_fewer_and_by_nobody_else():
    """What an employer reads of an applicant belongs to the two: only the bar decides who else is taken."""

    def taken(bar: float) -> set[tuple[int, int]]:
        steps = [{"step": "choose", "event": "chosen", "delay": exponential(600.0), "chosen_by": "employer"}]
        made = {"steps": steps, "resources": {}, "users": 40, "items": 12, "seed": 3, "horizon": FOREVER,
                "edits": {"choosers": employer(bar)}}  # fmt: skip
        return set(lived(made, [FOREVER]).times("chosen"))

    low, middle, high = taken(-1.0), taken(0.5), taken(2.0)
    assert high < middle < low
    assert taken(0.5) == middle
