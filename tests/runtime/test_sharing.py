"""What is given per user: utilisation at any size is the scenario's number, and what is given as it is stays."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest

import simulator
from simulator.engine.tables.case_row import CASE
from simulator.engine.tables.case_tables import UNIT
from simulator.errors import InputError
from simulator.runtime.hours_of_day import Hours
from simulator.runtime.sharing import whole_of
from simulator.scenario.load import load_scenario
from tests.laws.harness import edited, number
from tests.worlds import TinyWorld, claim, exponential

DAY, HOUR = 86400.0, 3600.0


def spread(n: int, share: float) -> Any:
    units = np.zeros(n, dtype=UNIT)
    units["share"], units["rounding"] = share, (0.5 + 0.6180339887498949 * np.arange(n)) % 1.0
    return units


@pytest.mark.parametrize("n", [1, 3, 9, 200])
@pytest.mark.parametrize("exact", [1.0, 1.2, 2.5, 7.9, 80.04])
def test_rounding_keeps_the_mean_over_units_and_at_least_one(n, exact):
    found = whole_of(exact / 16.0, spread(n, 16.0))
    assert set(found) <= {int(exact), int(exact) + 1}
    assert abs(found.sum() - n * exact) <= 0.5 + np.log(n)
    assert (whole_of(0.01 * exact / 16.0, spread(n, 16.0)) >= 1).all()
    assert (whole_of(0.0, spread(n, 16.0)) == 0).all()


class Sink:
    """Takes what a tiny world writes."""

    def __init__(self, world: TinyWorld) -> None:
        self.output, self.wrote = world._output, world._wrote

    def messages(self) -> Any:
        return np.zeros(0, dtype=CASE)


PER = {"desk": ("world", 0.03, 240.0), "bench": ("item", 0.3, 2400.0), "crew": ("creator", 0.24, 1920.0)}
"""What one unit is of, servers for every user, and how long they take, s: busy to 0.78 by day."""


def shared_by(users: int, days: int = 20, population: int | None = None, absolute: bool = False) -> TinyWorld:
    """A world in which every user orders 0.35 times an hour from noon on, at random, about one of 20 items."""
    resources: dict[str, Any] = {}
    for name, (of, each, seconds) in PER.items():
        servers = claim(20, "servers") if absolute else claim(1000 * each, "servers/1000 users")
        resources[name] = {"kind": "queue", "per": of, "capacity": servers, "service": exponential(seconds)}
    steps = [{"step": name, "uses": name, "event": f"of_{name}"} for name in PER]
    edits = {"supply.creators": claim(0.2, "creators/item"), "clock.starts_at": claim(4, "h")}
    world = TinyWorld(steps, resources, users=users, items=20, horizon=days * DAY, edits=edits, population=population)
    world.recording = absolute
    generator = np.random.default_rng(3)
    n = generator.poisson(0.35 * 12 * days * users)
    times = np.sort(generator.uniform(8 * HOUR, 20 * HOUR, n) + DAY * generator.integers(0, days, n))
    world.decide(times, generator.integers(0, users, n), generator.integers(0, 20, n))
    return world


def lived(world: TinyWorld, stops: list[float]) -> dict[str, Hours]:
    for start, end in pairwise([0.0, *stops]):
        world.cases.end_tick(start, end, Sink(world))
    return world.cases.hours_of_day(stops[-1])


def test_utilisation_by_hour_is_the_same_for_ten_times_the_users():
    few, many = (lived(shared_by(users, days), [days * DAY]) for users, days in ((200, 60), (2000, 20)))
    for name, (_, each, seconds) in PER.items():
        busy, of_many = (np.array([share or 0.0 for share in of[name]["utilisation"]]) for of in (few, many))
        assert sum(many[name]["servers"]) == pytest.approx(24 * 2000 * each, rel=0.02)
        assert sum(few[name]["servers"]) == pytest.approx(24 * 200 * each, rel=0.1)
        declared = 0.35 * seconds / HOUR / each
        assert of_many[14:24] == pytest.approx(declared, rel=0.1)
        assert busy[14:24] == pytest.approx(of_many[14:24], rel=0.1), name
        assert (of_many[6:12] < 0.01).all()
    # Many servers share their luck: with as many users to each of them, fewer wait.
    assert few["desk"]["wait_seconds"][20] > many["desk"]["wait_seconds"][20] > 0.0  # type: ignore[operator]


def test_what_is_given_as_it_is_does_not_know_how_many_users_there_are():
    one, other = (shared_by(40, days=2, population=of, absolute=True) for of in (None, 1_000_000))
    assert np.array_equal(one.cases.case_state.units, other.cases.case_state.units)
    told = [lived(world, [3 * DAY]) for world in (one, other)]
    assert told[0] == told[1]
    assert len(one.records) > 0
    assert one.records.tobytes() == other.records.tobytes()


def test_hours_are_those_of_the_log_and_survive_a_checkpoint():
    days, stops = 3, [5.5 * HOUR, 30 * HOUR, 30.25 * HOUR, 3 * DAY]
    whole, parted = shared_by(40, days, absolute=True), shared_by(40, days, absolute=True)
    told = lived(whole, [days * DAY])
    for start, end in pairwise([0.0, *stops]):
        parted.cases.end_tick(start, end, Sink(parted))
        kept = {name: array.copy() for name, array in parted.cases.state().items()}
        other = shared_by(40, days, absolute=True)
        other.cases.restore(kept)
        parted.cases = other.cases
    assert parted.cases.hours_of_day(days * DAY) == told
    begun, done = whole.times("of_desk"), whole.times("of_bench")
    busy = np.zeros(24)
    for case, end in done.items():  # nobody waits where there are so many servers
        edges = np.unique([begun[case], end, *(HOUR * np.arange(np.ceil(begun[case] / HOUR), end / HOUR))])
        for first, last in pairwise(edges):
            busy[int((first / HOUR + 4) % 24)] += last - first
    assert told["bench"]["busy_seconds"] == pytest.approx(busy.tolist(), rel=0.02, abs=5 * 2400.0)
    assert told["bench"]["wait_seconds"][16] == 0.0
    assert sum(told["bench"]["served"]) == pytest.approx(len(done), abs=10)  # type: ignore[arg-type]


ZONED = {"places.zones": number(1, "zones/1000 users")}
REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("fooddelivery", {"resources.couriers.capacity": number(2, "couriers")},
     "resources.couriers.capacity.unit = couriers, beside numbers per user; expected couriers/1000 users"),
    ("ecommerce", {"resources.stock.restock_to": number(40, "units")},
     "resources.stock.restock_to.unit = units, beside numbers per user"),
    ("fooddelivery", {"resources.kitchen.slowdown": number(0.03, "ratio")},
     "resources.kitchen.slowdown.unit = ratio, beside numbers per user; expected servers/case"),
    ("fooddelivery", {"parents.restaurant.children": number(20, "dishes/1000 users")},
     "parents.restaurant.children.unit = dishes/1000 users; expected no number per user"),
    ("fooddelivery", {"resources.couriers.capacity.unit": "couriers/1000 people"},
     "resources.couriers.capacity.unit = couriers/1000 people; expected"),
    ("fooddelivery", {"measures": ["utilisation_cooks_at_peak"]}, "measures: utilisation_cooks_at_peak is unknown"),
    ("fooddelivery", {"measures": ["utilisation_couriers_at_24"]}, "measures: utilisation_couriers_at_24 is unknown"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "changes", "line"), REFUSED)
def test_what_does_not_grow_with_the_rest_is_one_line(tmp_path, name, changes, line):
    from simulator.cli.listing import check_text

    with pytest.raises(InputError) as error:
        check_text(str(edited(tmp_path, changes, name)))
    assert line in str(error.value)
    assert "\n" not in str(error.value)


def test_a_unit_has_no_more_than_there_may_be(tmp_path):
    changes = {"resources.couriers.capacity": number(1e6, "couriers/1000 users"), **ZONED}
    with pytest.raises(InputError, match=r"couriers: 50,000 servers with places for 50 users; at most 10,000"):
        simulator.run(str(edited(tmp_path, changes, "fooddelivery")), "random", users=50, items=60, horizon="1h")


@pytest.mark.long
@pytest.mark.parametrize(
    ("name", "queue"), [("fooddelivery", "couriers"), ("ecommerce", "warehouse"), ("jobs", "recruiter_time")]
)
def test_defaults_are_as_busy_at_any_size(name, queue):
    """Of what worlds order by chance: catalogs differ, and with them how much each of their users orders in all."""
    found, users = {}, load_scenario(name).defaults.users
    for times, seeds in {1: range(12), 10: range(2), 50: range(1)}.items():
        busy, on_duty, served, waited = (np.zeros(24) for _ in range(4))
        for seed in seeds:
            ended = simulator.run(name, "popularity", users=times * users, seed=seed, log="metrics")
            hours = ended.manifest["queues_by_hour"][queue]
            busy, on_duty = busy + hours["busy_seconds"], on_duty + hours["on_duty_seconds"]
            served, waited = served + hours["served"], waited + [wait or 0.0 for wait in hours["wait_seconds"]]
        found[times] = busy / np.maximum(on_duty, 1.0) / (served.sum() / (times * users * len(seeds)))
        assert waited.sum() > 0.0
        taken = served >= 0.5 * served.max()
    for times in (1, 10):
        assert found[times][taken] == pytest.approx(found[50][taken], rel=0.1)
