"""Choosers who compare: never more than their picks, the best of those who lie there, and nobody is lost."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import Phase, given, settings, strategies as st

from simulator.engine.tables.case_tables import Count
from simulator.errors import InputError
from tests.worlds import TinyWorld, claim, exponential

HOUR = 3600.0
EVERY = 24 * HOUR
PHASES = [phase for phase in Phase if phase is not Phase.shrink]
TERMINALS = ("done", "refused", "cancelled", "expired")


def employer(bar: float, **more: Any) -> dict[str, Any]:
    knowledge = {"dist": "beta", "a": 4, "b": 2, "unit": "share", "from": "estimate"}
    return {
        "per": "creator", "facet": "quality", "agreement": claim(0.4, "share"), "knowledge": knowledge,
        "threshold": claim(bar, "utility"), "temperature": claim(0.3, "utility"), **more,
    }  # fmt: skip


def comparing(bar: float, picks: int, **more: Any) -> dict[str, Any]:
    return employer(bar, shortlist=claim(picks, "applicants"), every=claim(EVERY, "s"), **more)


def rooms(capacity: int) -> dict[str, Any]:
    return {"kind": "slots", "per": "item", "capacity": claim(capacity, "slots")}


def applied(
    chooser: dict[str, Any], n: int = 400, items: int = 4, seed: int = 1, slots: int | None = None, silent: float = 0.5
) -> TinyWorld:
    """A world in which n applications come within five days."""
    steps: list[dict[str, Any]] = [
        {"step": "read", "event": "reserved", "delay": exponential(HOUR)},
        {"step": "choose", "event": "shipped", "chosen_by": "employer", "unanswered": claim(silent, "probability")},
    ]
    resources = {}
    if slots is not None:
        steps.append({"step": "meet", "event": "delivered", "uses": "rooms", "delay": exponential(HOUR)})
        resources["rooms"] = rooms(slots)
    world = TinyWorld(
        steps, resources, users=60, items=items, seed=seed, edits={"choosers": {"employer": chooser}},
        delivery={"expires_after": claim(20, "d")},
    )  # fmt: skip
    generator = np.random.default_rng(seed)
    times = np.sort(generator.uniform(0.0, 5 * EVERY, n))
    world.decide(times, generator.integers(0, 60, n), generator.integers(0, items, n))
    return world


def in_review(world: TinyWorld) -> dict[int, dict[tuple[int, int], float]]:
    """What the chooser thinks of those who wait, by item."""
    rows = world.cases.case_state.cases
    rows = rows[(rows["open"] == 1) & (rows["waiting"] == 2)]
    found: dict[int, dict[tuple[int, int], float]] = {}
    for row in rows:
        found.setdefault(int(row["item"]), {})[(int(row["user"]), int(row["case"]))] = float(row["judged"])
    return found


def at(world: TinyWorld, event: str, time: float) -> set[tuple[int, int]]:
    return {case for case, when in world.times(event).items() if when == time}


@settings(max_examples=12, deadline=None, phases=PHASES)
@given(st.sampled_from([-9.0, 0.0, 1.0]), st.integers(1, 4), st.sampled_from([1, 4]), st.integers(0, 99))
def test_the_best_above_the_bar_pass_and_never_more_than_the_picks(bar, picks, items, seed):
    world = applied(comparing(bar, picks), n=150, items=items, seed=seed)
    compared = 0
    for day in range(1, 27):
        gate = day * EVERY
        world.run(gate)
        before = in_review(world)
        world.run(gate + 1.0)
        after = in_review(world)
        passed = at(world, "shipped", gate)
        told = at(world, "refused", gate) | at(world, "expired", gate)
        for item, judged in before.items():
            above = sorted((case for case in judged if judged[case] > bar), key=lambda case: -judged[case])
            assert passed & judged.keys() == set(above[:picks])
            assert set(above[picks:]) <= after.get(item, {}).keys() | told  # told: their patience ended just then
            assert told >= {case for case in judged if judged[case] <= bar}
            compared += len(above) > picks
        assert passed <= {case for judged in before.values() for case in judged}
    assert compared > 0 or bar > 0.0 or picks > 2
    world.run(100 * EVERY)
    ended = [set(world.times(event)) for event in TERMINALS]
    assert world.cases.n_open == 0
    assert len(set().union(*ended)) == sum(len(each) for each in ended) == 150 == world.count(Count.ENDED)
    assert (world.cases.case_state.units["waiting"] == 0).all()


def test_whoever_has_room_for_all_decides_as_if_each_came_alone():
    alone, beside = applied(employer(0.5)), applied(comparing(0.5, 1000))
    for world in (alone, beside):
        world.run(60 * EVERY)
    assert set(alone.times("shipped")) == set(beside.times("shipped"))
    assert set(alone.times("expired")) == set(beside.times("expired"))
    assert 50 < len(alone.times("shipped")) < 350
    assert all(time % EVERY == 0.0 for time in beside.times("shipped").values())


def test_no_more_pass_than_there_is_room_for():
    world = applied(comparing(-9.0, 2, capacity_of="rooms"), slots=3)
    world.run(60 * EVERY)
    items = world.records[world.records["event"] == world.compiled.names.codes["shipped"]]["item"]
    assert np.bincount(items, minlength=4).tolist() == [3, 3, 3, 3]
    assert set(world.times("shipped")) == set(world.times("delivered"))
    assert len(world.times("expired")) == 400 - 12  # the others were never answered


def test_the_more_come_the_fewer_pass_of_each_and_the_better_they_are():
    shares, quality = [], []
    for n in (100, 1000):
        world = applied(comparing(-9.0, 1), n=n)
        best: list[float] = []
        for day in range(1, 27):
            world.run(day * EVERY)
            before = {case: value for judged in in_review(world).values() for case, value in judged.items()}
            world.run(day * EVERY + 1.0)
            best += [before[case] for case in at(world, "shipped", day * EVERY)]
        shares.append(len(best) / n)
        quality.append(float(np.mean(best)))
    assert shares[1] < 0.5 * shares[0]
    assert quality[1] > quality[0] + 0.5


def test_when_it_is_saved_changes_nothing():
    whole, parts = (
        applied(comparing(0.0, 2, capacity_of="rooms"), slots=4),
        applied(comparing(0.0, 2, capacity_of="rooms"), slots=4),
    )
    whole.run(60 * EVERY)
    for stop in (0.4, 1.0, 2.5, 7.0, 60.0):
        parts.run(stop * EVERY)
        kept = {name: array.copy() for name, array in parts.cases.state().items()}
        other = applied(comparing(0.0, 2, capacity_of="rooms"), n=0, slots=4)
        other.cases.restore(kept)
        parts.cases = other.cases
    order = ["time", "user", "case", "event"]
    assert np.sort(whole.records, order=order).tobytes() == np.sort(parts.records, order=order).tobytes()
    assert len(whole.records) > 400


def test_littles_law_holds_for_review_batches():
    world = applied(comparing(0.0, 1))
    world.run(60 * EVERY)
    batches = world.cases.case_state.units[world.cases.shared.steps[1]["review_batch"] :][:4]
    assert batches["arrivals"].sum() == 400
    assert batches["area"].sum() > 0.0
    late = world.cases.case_state.counts[Count.ENDED]
    assert late == 400
    # who ran out of patience left without having been served
    assert batches["served"].sum() == len(world.times("shipped")) + len(world.times("refused")) + sum(
        time % EVERY == 0.0 for time in world.times("expired").values()
    )


@pytest.mark.parametrize(
    ("chooser", "message"),
    [
        (employer(0.0, shortlist=claim(2, "applicants")), r"choosers\.employer\.every is missing"),
        (employer(0.0, every=claim(1, "d")), r"choosers\.employer\.shortlist is missing"),
        (comparing(0.0, 1) | {"shortlist": claim(0.5, "applicants")}, r"choosers\.employer\.shortlist = 0\.5"),
        (employer(0.0, capacity_of="rooms"), r"choosers\.employer\.capacity_of without shortlist"),
        (comparing(0.0, 1, capacity_of="rome"), r"choosers\.employer\.capacity_of names rome"),
        (comparing(0.0, 1, capacity_of="desk"), r"choosers\.employer\.capacity_of names desk"),
        (comparing(0.0, 1, capacity_of="hall"), r"choosers\.employer\.capacity_of = hall, which is per world"),
    ],
)
def test_a_comparison_that_cannot_be_is_refused(chooser, message):
    resources = {
        "rooms": rooms(3), "hall": rooms(3) | {"per": "world"},
        "desk": {"kind": "queue", "per": "world", "capacity": claim(1, "servers"), "service": exponential(60.0)},
    }  # fmt: skip
    with pytest.raises(InputError, match=message):
        TinyWorld(
            [{"step": "choose", "chosen_by": "employer"}], resources, edits={"choosers": {"employer": chooser}},
        )  # fmt: skip


def test_an_item_with_many_applications_takes_time_in_proportion():
    """Not a timing: how often a case is looked at is bounded by its patience and not by how many others there are."""
    world = applied(comparing(-9.0, 1), n=2000, items=1)
    world.run(math.floor(40 * EVERY))
    batch = world.cases.case_state.units[world.cases.shared.steps[1]["review_batch"]]
    assert batch["arrivals"] == 2000
    assert len(world.times("shipped")) == 25  # one a day, from the first day to the last one's patience
