"""Little's law in every queue of every scenario that has any: exactly, with what is open at the end and who gave up.

The line is watched from outside, happening by happening, and compared with the sums that the engine keeps. Times are
multiples of 1/1024 s, so that all of these sums are exact.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import simulator
from simulator import world as worlds
from simulator.engine.cases.resources import settle_unit, unit_of
from simulator.engine.tables.case_tables import Count, ResourceKind
from simulator.runtime.cases import Cases
from simulator.scenario.durations import parse_duration
from tests.laws.harness import compiled_of, edited, number, runnable
from tests.laws.small_worlds import settings

CROWDED: dict[str, dict[str, Any]] = {
    "ecommerce": {
        "resources.warehouse.capacity": number(2, "servers"), "resources.warehouse.shifts": [],
        "resources.carrier.capacity": number(4, "servers"),
    },
    "fooddelivery": {
        "resources.couriers.capacity": number(1, "couriers"), "resources.couriers.shifts": [],
        "places.speed": number(3, "km/h"), "resources.kitchen.capacity": number(1, "servers"),
        "resources.kitchen.line": number(30, "orders"),
    },
    "jobs": {},
}  # fmt: skip
"""What makes the queues of a scenario fill up in its small world."""
MORE: dict[str, dict[str, Any]] = {
    "ecommerce": {"users": 1800, "horizon": "20d"},
    "fooddelivery": {"users": 1600},
    "jobs": {"items": 30, "users": 200},
}
QUEUED = [name for name in runnable() if compiled_of(name).world is not None]


class Watched(Cases):
    """Cases that are stopped at every happening, and looked at."""

    made: list[Watched]

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        n = len(self.case_state.units)
        self.seen_at = 0.0
        self.line, self.busy = np.zeros(n), np.zeros(n)  # integrals of lengths, s
        self.waits: dict[tuple[int, int], float] = {}  # since when a case stands in a line
        self.places: dict[tuple[int, int], int] = {}  # and of which unit
        self.waited_out, self.gave_up, self.kept = np.zeros(n), np.zeros(n), np.zeros(n)
        self.holds: dict[tuple[int, int, int], tuple[int, float]] = {}
        self.made.append(self)

    def run(self, end: float, output: Any, wrote: Any) -> None:
        """Everything before `end`, one moment after the other."""
        while self.case_state.counts[Count.HEAP] > 0 and self.case_state.heap[0]["time"] < end:
            time = float(self.case_state.heap[0]["time"])
            self.look(time)
            super().run(np.nextafter(time, np.inf), output, wrote)
            self.changed(time)

    def look(self, time: float) -> None:
        """Lengths since the last moment."""
        units = self.case_state.units
        self.line += units["waiting"] * (time - self.seen_at)
        self.busy += units["busy"] * (time - self.seen_at)
        self.seen_at = time

    def changed(self, time: float) -> None:
        """Who has joined a line or left it, and who holds a server."""
        cases = self.case_state.cases
        now: dict[tuple[int, int], int] = {}
        for slot in np.flatnonzero((cases["waiting"] == 1) & (cases["open"] == 1)):
            c = cases[slot]
            step = self.shared.steps[self.shared.stages[c["stage"]]["first_step"] + c["step"]]
            now[int(c["user"]), int(c["case"])] = self._unit(int(step["uses"]), c)
        held: dict[tuple[int, int, int], int] = {}
        for slot in np.flatnonzero((cases["held"] != 0) & (cases["open"] == 1)):
            for r in range(len(self.shared.resources)):
                if cases[slot]["held"] >> r & 1:
                    held[int(cases[slot]["user"]), int(cases[slot]["case"]), r] = self._unit(r, cases[slot])
        for who in [who for who in self.waits if who not in now]:
            unit, since = self.places.pop(who), self.waits.pop(who)
            served = any(each[:2] == who and where == unit for each, where in held.items())
            (self.waited_out if served else self.gave_up)[unit] += time - since
        for who, unit in now.items():
            if who not in self.waits:
                self.waits[who], self.places[who] = time, unit
        for spell in [spell for spell in self.holds if spell not in held]:
            unit, since = self.holds.pop(spell)
            self.kept[unit] += time - since
        for spell, unit in held.items():
            self.holds.setdefault(spell, (unit, time))

    def _unit(self, resource: int, c: Any) -> int:
        return int(unit_of(self.tables(), resource, int(c["user"]), int(c["item"])))


def _lived(name: str, tmp_path: Any, monkeypatch: Any) -> Watched:
    Watched.made = []
    monkeypatch.setattr(worlds, "Cases", Watched)
    simulator.run(edited(tmp_path, CROWDED[name], name), "random", **_settings(name))
    return Watched.made[0]


def _settings(name: str) -> dict[str, Any]:
    return settings(name, **MORE[name])


def _obeys(watched: Watched, horizon: float) -> None:
    watched.look(horizon)
    units = watched.case_state.units
    for unit in range(len(units)):
        settle_unit(units, unit, horizon)
    waiting, holding = np.zeros(len(units)), np.zeros(len(units))
    for who, since in watched.waits.items():
        waiting[watched.places[who]] += horizon - since
    for unit, since in watched.holds.values():
        holding[unit] += horizon - since
    for row in watched.shared.resources:
        if row["kind"] != ResourceKind.QUEUE:
            continue
        own = slice(int(row["first_unit"]), int(row["first_unit"] + row["n_units"]))
        # L: the mean length; lambda W: arrivals per second times the mean wait, of all who came
        assert np.array_equal(units["area"][own], watched.line[own])
        everybody = watched.waited_out[own] + watched.gave_up[own] + waiting[own]
        assert np.array_equal(units["area"][own], everybody)
        assert np.array_equal(units["waited"][own], watched.waited_out[own])
        # the same for those who are served: busy servers, and how long each was kept
        assert np.array_equal(units["work"][own], watched.busy[own])
        assert np.array_equal(units["work"][own], watched.kept[own] + holding[own])
        assert units["area"][own].sum() > 0, "nobody ever waited here: this shows nothing"
        assert units["arrivals"][own].sum() > 20


@pytest.mark.parametrize("name", QUEUED)
def test_littles_law_holds_in_every_queue(name, tmp_path, monkeypatch):
    watched = _lived(name, tmp_path, monkeypatch)
    _obeys(watched, parse_duration(_settings(name)["horizon"]))


def test_watching_changes_nothing(tmp_path, monkeypatch):
    name = "fooddelivery"
    path = edited(tmp_path, CROWDED[name], name)
    plain = simulator.run(path, "random", **_settings(name))
    Watched.made = []
    monkeypatch.setattr(worlds, "Cases", Watched)
    again = simulator.run(path, "random", **_settings(name))
    assert again.manifest["log"] == plain.manifest["log"]
