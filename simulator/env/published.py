"""Promises as they are announced when nobody but the agent's user is there: the background level."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from simulator.env.scene import DAY, Scene
from simulator.kernels.layout import Goods, People

Float32 = npt.NDArray[np.float32]


class Published:
    """What is announced, by the hour of the day, with the servers that are on duty; `phases` numbers hours that differ.

    Attributes:
        varies: whether anything is announced at all.
        by_item: float32 (phases so far, items, promises), s. A new array where a phase is met for the first time.
        by_zone: float32 (phases so far, zones, promises), s: the part that is a place's.
    """

    def __init__(self, scene: Scene) -> None:
        scenario, world = scene.compiled.scenario, scene.compiled.world
        self.varies = world is not None and len(scenario.promises) > 0
        zones = 1 if scenario.places is None else max(round(scenario.places.zones.value**0.5), 1) ** 2
        self.by_item: Float32 = scene.goods.promised[None].copy()
        self.by_zone: Float32 = np.zeros((1, zones, len(scenario.promises)), dtype=np.float32)
        self._known: dict[float, int] = {}  # phases, by s since midnight
        self._hours = np.array([np.inf])  # the same, sorted
        self._phases = np.zeros(0, dtype=np.int64)
        if not self.varies:
            return
        self._cases = scene.cases(scene.people(np.arange(zones, dtype=np.uint64)))
        self._cases.ground.zone[:] = np.arange(zones)
        self._tick = scene.tick
        self._cases.publish(0.0)
        self.by_item, self.by_zone = self._cases.goods.promised[None].copy(), self._cases.people.promised[None].copy()

    def phase(self, time: float) -> int:
        """Which of the tables holds at the tick before `time`, s."""
        if not self.varies:
            return 0
        hour = math.floor(time / self._tick) * self._tick % DAY
        if hour not in self._known:
            self._cases.publish(hour)
            items, users = self._cases.goods.promised, self._cases.people.promised
            same = (self.by_item == items).all(axis=(1, 2)) & (self.by_zone == users).all(axis=(1, 2))
            if not same.any():
                self.by_item = np.concatenate([self.by_item, items[None]])
                self.by_zone = np.concatenate([self.by_zone, users[None]])
            self._known[hour] = int(same.argmax()) if same.any() else len(same)
            self._hours = np.array([*sorted(self._known), np.inf])
            self._phases = np.array([self._known[at] for at in self._hours[:-1]])
        return self._known[hour]

    def phases(self, times: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
        """The same for many, (n,)."""
        if len(times) < 2:
            return np.array([self.phase(time) for time in times.tolist()], dtype=np.int64)
        hours = np.floor(times / self._tick) * self._tick % DAY
        for hour in np.unique(hours[self._hours[np.searchsorted(self._hours, hours)] != hours]).tolist():
            self.phase(hour)
        return self._phases[np.searchsorted(self._hours, hours)]

    def announce(
        self, phase: int, goods: Goods, people: People, rows: npt.NDArray[np.int64], zones: npt.NDArray[np.int32]
    ) -> None:
        """Fill what items and the users `rows`, who live in `zones`, are announced."""
        goods.promised[...] = self.by_item[phase]
        people.promised[rows] = self.by_zone[phase][zones[rows]]
