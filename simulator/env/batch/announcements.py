"""Promises as they are announced when nobody but the agent's user is there: the background level."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from simulator.engine.jit.compile import kernel
from simulator.env.context import EnvContext
from simulator.runtime.sharing import zone_rows
from simulator.scenario.durations import DAY

Float32 = npt.NDArray[np.float32]
_UNMET = -1


@kernel
def phase_at(time: float, tick: float, hours: npt.NDArray[np.float64], phases: npt.NDArray[np.int64]) -> int:
    """Return the phase at the tick before `time`, by `Published.hours`; -1: not met yet; 0: nothing varies."""
    if hours.shape[0] == 1:
        return int(phases[0])
    hour = math.floor(time / tick) * tick % DAY
    low, high = 0, hours.shape[0] - 1
    while low < high:
        middle = (low + high) // 2
        if hours[middle] < hour:
            low = middle + 1
        else:
            high = middle
    return int(phases[low]) if hours[low] == hour else _UNMET


@kernel
def tell_phases(
    times: npt.NDArray[np.float64],
    of: npt.NDArray[np.int64],
    rows: npt.NDArray[np.int64],
    tick: float,
    hours: npt.NDArray[np.float64],
    phases: npt.NDArray[np.int64],
    out: npt.NDArray[np.int64],
) -> int:
    """Fill `out[rows]` with the phases at `times[of]` (k,); returns the first place that has not been met, or k."""
    for k in range(rows.shape[0]):
        out[rows[k]] = phase_at(times[of[k]], tick, hours, phases)
        if out[rows[k]] < 0:
            return k
    return int(rows.shape[0])


class Published:
    """What is announced, by the hour of the day, with the servers that are on duty; `phases` numbers hours that differ.

    Attributes:
        varies: whether anything is announced at all.
        by_item: float32 (phases so far, items, promises), s. A new array where a phase is met for the first time.
        by_zone: float32 (phases so far, zones, promises), s: the part that is a place's.
        hours, phases: s since midnight that have been met, rising, then inf; and their phases.
    """

    def __init__(self, context: EnvContext) -> None:
        scenario, world = context.compiled.scenario, context.compiled.world
        self.varies = world is not None and len(scenario.promises) > 0
        zones = zone_rows(scenario, context.population) ** 2
        self.by_item: Float32 = context.items.promised[None].copy()
        self.by_zone: Float32 = np.zeros((1, zones, len(scenario.promises)), dtype=np.float32)
        self.tick = context.tick
        self.hours = np.array([np.inf])
        self.phases = np.zeros(1, dtype=np.int64)
        if not self.varies:
            return
        self._cases = context.cases(context.users(np.arange(zones, dtype=np.uint64)))
        self._cases.geography.zone[:] = np.arange(zones)
        self._cases.tell_waits(0.0)
        self.by_item, self.by_zone = self._cases.items.promised[None].copy(), self._cases.users.promised[None].copy()
        self.hours, self.phases = np.array([0.0, np.inf]), np.array([0, _UNMET])

    def phase(self, time: float) -> int:
        """Return which of the tables holds at the tick before `time`, s."""
        if not self.varies:
            return 0
        known = phase_at(time, self.tick, self.hours, self.phases)
        return known if known >= 0 else self._learn(math.floor(time / self.tick) * self.tick % DAY)

    def _learn(self, hour: float) -> int:
        self._cases.tell_waits(hour)
        items, users = self._cases.items.promised, self._cases.users.promised
        same = (self.by_item == items).all(axis=(1, 2)) & (self.by_zone == users).all(axis=(1, 2))
        if not same.any():
            self.by_item = np.concatenate([self.by_item, items[None]])
            self.by_zone = np.concatenate([self.by_zone, users[None]])
        phase = int(same.argmax()) if same.any() else len(same)
        place = int(np.searchsorted(self.hours, hour))
        self.hours, self.phases = np.insert(self.hours, place, hour), np.insert(self.phases, place, phase)
        return phase
