"""How busy the servers of queues are by hour of the day, and how long those waited whom they took on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from simulator.engine.tables.case_tables import ResourceKind, WorldPlan
from simulator.engine.tables.tables import Array
from simulator.runtime.sharing import whole_of
from simulator.scenario.durations import DAY, HOUR
from simulator.scenario.schema.scenario import Scenario

Floats = npt.NDArray[np.float64]
Hours: TypeAlias = dict[str, list[float | None]]

_BUSY, _SERVED, _WAITED = range(3)
_STATE = ("hours_sums", "hours_seconds", "hours_known", "hours_noted")


class HoursOfDay:
    """Sum up by hour of the day what the units of every resource have summed up since they were last looked at.

    A unit keeps integrals of its own (`UNIT`), so all that this costs is a look at every whole hour. It is looked at
    then and never elsewhere, so that a resumed run has the same sums to the last bit.

    Args:
        scenario, shared, units: the world's, as it begins.
        starts_at: hour of the day at time 0, s.
    """

    def __init__(self, scenario: Scenario, shared: WorldPlan, units: Array, starts_at: float) -> None:
        self._names, self._starts_at = list(scenario.resources), starts_at
        firsts = [int(row["first_unit"]) for row in shared.resources]
        self._rows = [slice(k, k + int(row["n_units"])) for k, row in zip(firsts, shared.resources, strict=True)]
        self._queues = [r for r, row in enumerate(shared.resources) if row["kind"] == ResourceKind.QUEUE]
        self._on_duty = {r: _on_duty(shared, r, units[self._rows[r]]) for r in self._queues}
        self._sums = np.zeros((len(self._rows), 3, 24))
        self._seconds = np.zeros(24)
        self._known = np.zeros((len(self._rows), 3))
        self._noted = np.zeros(1)

    def ends_within(self, start: float, end: float) -> Iterator[float]:
        """Yield when an hour of the day ends in (start, end], s since the beginning of the run."""
        first = np.floor((start + self._starts_at) / HOUR) + 1.0
        last = np.floor((end + self._starts_at) / HOUR)
        for hour in np.arange(first, last + 1.0):
            yield float(hour * HOUR - self._starts_at)

    def note(self, units: Array, time: float) -> None:
        """Add what happened since the last call, within one hour of the day; everything before `time`, s, has."""
        now, seconds = self._totals(units, time), time - self._noted[0]
        if seconds <= 0.0:
            return
        hour = int((self._noted[0] + self._starts_at) % DAY // HOUR)
        self._sums[:, :, hour] += now - self._known
        self._seconds[hour] += seconds
        self._known, self._noted[0] = now, time

    def told(self, units: Array, time: float) -> dict[str, Hours]:
        """Return of every queue, by its name, lists of 24 numbers, None where there is nothing to tell.

        `servers` on duty on average; `on_duty_seconds` of all of them, with those who finish after the end of their
        shift; `busy_seconds`; `utilisation`, the share of the one in the other; `served`, cases that were taken on;
        `wait_seconds`, how long these had waited on average. Nothing is noted.
        """
        sums, seconds = self._sums.copy(), self._seconds.copy()
        hour = int((self._noted[0] + self._starts_at) % DAY // HOUR)
        sums[:, :, hour] += self._totals(units, time) - self._known
        seconds[hour] += time - self._noted[0]
        found: dict[str, Hours] = {}
        for r in self._queues:
            busy, served, waited = sums[r]
            on_duty = np.maximum(self._on_duty[r] * seconds, busy)
            found[self._names[r]] = {
                "servers": self._on_duty[r].tolist(),
                "on_duty_seconds": on_duty.tolist(),
                "busy_seconds": busy.tolist(),
                "utilisation": _shares(busy, on_duty),
                "served": served.tolist(),
                "wait_seconds": _shares(waited, served),
            }
        return found

    def state(self) -> dict[str, npt.NDArray[Any]]:
        """Return all sums as plain arrays."""
        return dict(zip(_STATE, (self._sums, self._seconds, self._known, self._noted), strict=True))

    def restore(self, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        """Take back what `state` gave."""
        self._sums, self._seconds, self._known, self._noted = (np.array(arrays[name]) for name in _STATE)

    def _totals(self, units: Array, time: float) -> Floats:
        """Return sums since the beginning, (resources, 3): seconds of busy servers, cases taken on, their waits, s."""
        found = np.zeros((len(self._rows), 3))
        for r in self._queues:
            own = units[self._rows[r]]
            found[r, _BUSY] = np.sum(own["work"] + own["busy"] * (time - own["since"]))
            found[r, _SERVED], found[r, _WAITED] = own["served"].sum(), own["waited"].sum()
        return found


def _shares(part: Floats, whole: Floats) -> list[float | None]:
    return [float(a / b) if b > 0.0 else None for a, b in zip(part, whole, strict=True)]


def _on_duty(shared: WorldPlan, resource: int, units: Array) -> Floats:
    """Return how many servers of a queue are on duty in each hour of the day, on average, (24,)."""
    row = shared.resources[resource]
    shifts = shared.shifts[int(row["first_shift"]) : int(row["first_shift"] + row["n_shifts"])]
    edges = np.unique([*(HOUR * np.arange(25)), *shifts["starts"], *shifts["ends"]])
    found = np.zeros(24)
    for first, last in pairwise(edges):
        of = next((shift for shift in shifts if shift["starts"] <= first < (shift["ends"] or DAY)), None)
        servers = units["capacity"].sum() if of is None else whole_of(float(of["capacity"]), units).sum()
        found[int(first // HOUR)] += float(servers) * (last - first) / HOUR
    return found
