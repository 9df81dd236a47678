"""Rules of the shared world that break unnoticed: rows that pile up, who waits for whom, what counts when."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from simulator.engine.cases.resources import next_shift
from simulator.engine.tables.case_tables import Count
from simulator.errors import InputError
from tests.worlds import TinyWorld, claim

FOREVER = {"expires_after": claim(99999, "d")}


def constant(value: float, unit: str = "s") -> dict[str, Any]:
    return {"dist": "constant", "value": value, "unit": unit, "from": "estimate"}


def queue(servers: int, **more: Any) -> dict[str, Any]:
    return {"kind": "queue", "per": "world", "capacity": claim(servers, "servers"), **more}


def test_rows_about_cases_that_are_over_do_not_pile_up():
    world = TinyWorld([{"step": "make", "delay": constant(1)}], {}, delivery={"expires_after": claim(1000, "d")})
    for k in range(300):  # each leaves a row that is due in 1,000 days
        world.decide(np.full(50, 100.0 * k), np.arange(50), np.zeros(50, dtype=np.int64))
        world.run(100.0 * k + 90.0)
        assert world.count(Count.HEAP) < len(world.cases.case_state.heap)
    assert world.count(Count.ENDED) == 300 * 50
    assert len(world.cases.case_state.heap) < 5_000
    assert len(world.cases.case_state.cases) < 1_000


def test_a_heap_without_its_stale_rows_goes_on_in_the_same_order():
    steps = [{"step": "make", "event": "shipped", "uses": "desk", "delay": constant(7)}]
    times, users = np.arange(400) * 5.0, np.random.default_rng(1).permutation(50)[np.arange(400) % 50]
    worlds = []
    for often in (False, True):
        world = TinyWorld(steps, {"desk": queue(1)}, delivery={"expires_after": claim(1, "h")})
        for k in range(0, 400, 20):
            world.decide(times[k : k + 20], users[k : k + 20], np.zeros(20, dtype=np.int64))
            if often:  # no room for more than what is live
                full = world.cases.case_state
                n = int(full.counts[Count.HEAP])
                world.cases.case_state = full._replace(heap=full.heap[: n + 1].copy())
            world.run(float(times[k + 19]))
        world.run(math.inf)
        worlds.append(world)
    assert worlds[0].records.tobytes() == worlds[1].records.tobytes()
    assert len(worlds[0].records) >= 800  # every case: an event and an end


def test_a_saved_world_with_a_long_heap_is_restored():
    made: dict[str, Any] = {"steps": [{"step": "a", "delay": constant(1)}], "resources": {}, "delivery": FOREVER}
    world = TinyWorld(**made)
    for k in range(20):
        world.decide(np.full(50, 10.0 * k), np.arange(50), np.zeros(50, dtype=np.int64))
        world.run(10.0 * k + 9.0)
    other = TinyWorld(**made)
    other.cases.restore({name: array.copy() for name, array in world.cases.state().items()})
    other.decide(np.full(50, 1000.0), np.arange(50), np.zeros(50, dtype=np.int64))
    other.run(2000.0)
    assert other.count(Count.ENDED) == 21 * 50


@pytest.mark.parametrize("starts", [1.1, 7.3, 0.0009, 23.99999])
def test_shifts_that_begin_at_odd_times_come_one_after_the_other(starts):
    """An edge that is no multiple of the time step would come again at the very time at which it came."""
    shift = {"starts": claim(starts, "h"), "ends": claim(24, "h"), "capacity": claim(3, "people")}
    desk = queue(1, service=constant(60), shifts=[shift])
    world = TinyWorld([{"step": "make", "event": "shipped", "uses": "desk"}], {"desk": desk}, delivery=FOREVER)
    time = 0.0
    for _ in range(20):
        after = next_shift(world.cases.shared, 0, time, 5000.0 / 1024)
        assert after > time
        time = after


def test_batches_are_served_in_the_order_of_coming():
    desk = queue(1, service=constant(60), every=claim(1, "h"))
    world = TinyWorld([{"step": "make", "event": "shipped", "uses": "desk"}], {"desk": desk}, delivery=FOREVER)
    world.decide(np.array([10.0, 20.0, 30.0]), np.array([9, 5, 1]), np.zeros(3, dtype=np.int64))
    world.run(1e5)
    assert world.times("shipped") == {(9, 0): 3660.0, (5, 0): 3720.0, (1, 0): 3780.0}


@pytest.mark.parametrize(
    "steps",
    [
        [{"step": "a", "uses": "desk"}, {"step": "b", "uses": "desk", "holds": ["desk"]}],
        [{"step": "a", "holds": ["desk"], "delay": constant(1)}, {"step": "b", "uses": "desk"}],
        [{"step": "a", "uses": "goods", "delay": constant(1)}, {"step": "b", "uses": "goods", "delay": constant(1)}],
    ],
)
def test_what_a_case_holds_it_asks_for_once(steps):
    items = {
        "kind": "stock", "per": "item", "initial": constant(9, "units"), "restock_below": claim(1, "units"),
        "restock_to": claim(9, "units"), "restock_lead": constant(60),
    }  # fmt: skip
    resources = {"desk": queue(2, service=constant(10)), "goods": items}
    with pytest.raises(InputError, match=r"fulfil\.delivery\.steps\.(a\.holds|b\.uses)"):
        TinyWorld(steps, resources, delivery=FOREVER)


def test_a_promise_counts_how_long_a_server_is_kept():
    steps = [
        {"step": "call", "uses": "couriers", "delay": constant(0)},
        {"step": "ride", "event": "delivered", "holds": ["couriers"], "delay": constant(600)},
    ]
    promise = {"stage": "delivery", "steps": ["call", "ride"], "padding": claim(0, "s")}
    world = TinyWorld(
        steps,
        {"couriers": queue(2)},
        delivery={**FOREVER, "promise": "eta"},
        edits={"promises.eta": promise},
    )
    world.cases.tell_waits(0.0)
    assert world.cases.items.promised[3, 0] == 600.0
    world.decide(np.full(20, 1.0), np.arange(20), np.zeros(20, dtype=np.int64))
    world.run(2.0)
    world.cases.tell_waits(2.0)
    promised = float(world.cases.items.promised[3, 0])
    world.decide(np.array([2.0]), np.array([20]), np.array([3]))
    world.run(1e6)
    real = world.times("delivered")[(20, 0)] - 2.0
    assert promised == pytest.approx(real, rel=0.1)
    assert real > 6000.0


def test_users_are_told_of_the_waits_that_are_theirs():
    """Also where only some of the waits are new, and in a world that was taken back from a checkpoint."""
    steps = [
        {"step": "read", "uses": "clerk"},
        {"step": "ride", "uses": "couriers"},
        {"step": "greet", "uses": "clerk"},
    ]
    resources = {
        "clerk": queue(1, per="user", service=constant(700)),
        "couriers": queue(2, per="zone", service=constant(900)),
    }
    places = {"side": claim(4, "km"), "zones": claim(4, "zones"), "reach": claim(9, "km"), "speed": claim(18, "km/h")}
    promise = {"stage": "delivery", "steps": ["read", "ride", "greet"], "padding": claim(0, "s")}
    edits = {"places": places, "promises.eta": promise}
    world = TinyWorld(steps, resources, delivery={**FOREVER, "promise": "eta"}, edits=edits, users=60)
    told = world.users.promised[:, 0]

    def awaited() -> np.ndarray:
        waits = {}
        for name, servers, service in (("clerk", 1, 700.0), ("couriers", 2, 900.0)):
            row = world.cases.shared.resources[list(world.compiled.scenario.resources).index(name)]
            units = world.cases.case_state.units[row["first_unit"] : row["first_unit"] + row["n_units"]]
            idle = (units["busy"] < servers) & (units["waiting"] == 0)
            waits[name] = np.where(idle, 0.0, service * (units["waiting"] + 1.0) / servers).astype(np.float32)
        couriers = waits["couriers"][world.cases.geography.zone]
        return waits["clerk"] + couriers + waits["clerk"]

    rng, kinds = np.random.default_rng(2), set()
    for time in np.arange(0.0, 20_000.0, 500.0):
        world.run(time)
        world.cases.tell_waits(time)
        assert np.array_equal(told, awaited())
        kinds.add(len(np.unique(told)))
        if time == 5000.0:
            told[:] = 7.0
            world.cases.restore(world.cases.state())
            world.cases.tell_waits(time)
            assert np.array_equal(told, awaited())
        if time < 10_000.0:
            users = rng.integers(0, 60, 3)
            world.decide(time + np.arange(3.0), users, rng.integers(0, 20, 3))
    assert max(kinds) > 5
    assert (told == 0.0).all()


def test_silence_counts_from_the_last_news():
    told = [
        {"step": "a", "event": "shipped", "delay": constant(40)},
        {"step": "b", "event": "delivered", "delay": constant(40)},
    ]
    untold = [{"step": "a", "delay": constant(40)}, {"step": "b", "event": "delivered", "delay": constant(40)}]
    for steps, outcome, time in ((told, "done", 81.0), (untold, "expired", 61.0)):
        world = TinyWorld(steps, {}, delivery={"expires_after": claim(60, "s")})
        world.decide(np.array([1.0]), np.array([0]), np.array([0]))
        world.run(1e6)
        assert world.times(outcome) == {(0, 0): time}
    stuck = [told[0], {"step": "b", "event": "delivered", "delay": constant(4000)}]
    world = TinyWorld(stuck, {}, delivery={"expires_after": claim(60, "s")})
    world.decide(np.array([1.0]), np.array([0]), np.array([0]))
    world.run(1e6)
    assert world.times("expired") == {(0, 0): 101.0}


def test_openings_close_so_long_after_publication():
    openings = {
        "kind": "openings", "per": "item", "count": constant(3, "openings"), "closes_after": constant(100),
    }  # fmt: skip
    steps = [{"step": "a", "uses": "openings", "delay": constant(1)}]
    world = TinyWorld(steps, {"openings": openings}, items=400, delivery=FOREVER)
    closes = world.cases.case_state.units["closes"]
    assert np.array_equal(closes, world.catalog.published_at + 100.0)
    fresh = int(np.argmax(world.catalog.published_at))
    opened = float(world.catalog.published_at[fresh])
    assert opened > 0.0
    world.decide(opened + np.array([50.0, 101.0]), np.array([0, 1]), np.array([fresh, fresh]))
    world.run(1e9)
    assert set(world.times("done")) == {(0, 0)}
    assert set(world.times("refused")) == {(1, 0)}


def judged(**edits: Any) -> TinyWorld:
    """Cases that are fulfilled at once, used at once, and judged; everybody rates a week later and returns on day 2."""
    base = claim(0.999999, "probability")
    none = claim(0, "1/utility")
    return TinyWorld(
        [{"step": "make", "delay": constant(10)}],
        {},
        delivery={**FOREVER, "promise": "eta"},
        ends=False,
        edits={
            "promises.eta": {"stage": "delivery", "steps": ["make"], "padding": claim(10, "s")},
            "stages.delivery.next": {"done": "use", "refused": "exit", "cancelled": "exit", "expired": "exit"},
            "consume.use.after": constant(1),
            "consume.use.skipped": claim(0, "probability"),
            "respond.verdict.returns": {"base": base, "slope": none, "delay": constant(2, "d")},
            "respond.verdict.rating.base": base,
            "respond.verdict.rating.slope": none,
            "respond.verdict.rating.delay": constant(7, "d"),
            **edits,
        },
    )


def test_a_return_comes_in_its_own_time_and_ratings_before_it():
    world = judged()
    world.decide(np.array([1.0]), np.array([0]), np.array([0]))
    world.run(1e9)
    start = 1.0 + 10.0 + 1.0
    assert world.times("return") == {(0, 0): start + 2 * 86400.0}
    assert world.times("rate") == {(0, 0): start + 2 * 86400.0}
    assert world.count(Count.ENDED) == 1


def test_a_case_is_late_once():
    world = judged()
    world.cases.tell_waits(0.0)
    world.decide(np.full(30, 1.0), np.arange(30), np.zeros(30, dtype=np.int64))
    world.run(1e9)
    assert len(world.times("return")) == 30  # all went back, long after the promise
    assert world.count(Count.PROMISED) == 30
    assert world.count(Count.LATE) == 0


def test_a_broken_promise_costs_goodwill():
    goodwill = {}
    for padding in (60, -15):  # s of reserve in the promise; below 0: a step of which the promise knows nothing
        late = {"promise": "eta", "threshold": claim(0, "s"), "effect": claim(-1.5, "utility")}
        promise = {"stage": "delivery", "steps": ["make"], "padding": claim(max(padding, 0), "s")}
        slow = [
            {"step": "make", "delay": constant(10)},
            {"step": "more", "delay": constant(-padding if padding < 0 else 1)},
        ]
        world = judged(**{"respond.verdict.lateness": late, "promises.eta": promise, "fulfil.delivery.steps": slow})
        world.cases.tell_waits(0.0)
        world.decide(np.full(30, 1.0), np.arange(30), np.zeros(30, dtype=np.int64))
        world.run(1e9)
        goodwill[padding] = world.users.state["goodwill"].copy()
        assert world.count(Count.LATE) == (30 if padding < 0 else 0)
    assert (goodwill[-15][:30] < goodwill[60][:30]).all()
    assert np.array_equal(goodwill[-15][30:], goodwill[60][30:])


def test_a_case_passes_a_stage_once():
    again = {"done": "use", "refused": "delivery", "cancelled": "exit", "expired": "exit"}
    with pytest.raises(InputError, match="a case comes back to it"):
        TinyWorld(
            [{"step": "make", "delay": constant(1)}],
            {},
            delivery=FOREVER,
            edits={"stages.delivery.next": again},
            ends=False,
        )


@pytest.mark.parametrize("amount", [1, 2, 5])
def test_more_items_take_longer(amount):
    share = {"more": claim(0.25, "ratio"), "usual": claim(2, "items")}
    counter = queue(50, service=constant(100.0), per_item=share)
    world = TinyWorld([{"step": "serve", "event": "served", "uses": "counter"}], {"counter": counter})
    world.decide([0.0], [3], [4], amount=amount)
    world.run(1e6)
    assert world.times("served") == {(3, 0): 100.0 * (1.0 + 0.25 * (amount - 2))}


def test_a_service_that_would_take_no_time_is_refused():
    share = {"more": claim(0.5, "ratio"), "usual": claim(3, "items")}
    counter = queue(5, service=constant(9.0), per_item=share)
    with pytest.raises(InputError, match=r"resources\.counter\.per_item: a case of one item would take no time"):
        TinyWorld([{"step": "serve", "uses": "counter"}], {"counter": counter})
