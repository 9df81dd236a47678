"""The world's clock: SimPy runs what happens at set times, in a set order. The only module that imports it."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from enum import IntEnum
from typing import Any, TypeAlias

import simpy
from simpy.events import EventPriority

Action: TypeAlias = Callable[[float], Iterator[Any] | None]
"""What is done at a time, s: at once, or step by step where it waits for somebody else in between."""


class Order(IntEnum):
    """What comes first among the things that happen at one time."""

    PUBLISH = 10  # counters and new items become visible
    FIT = 20  # models learn from what has arrived
    CHECKPOINT = 30  # everything is on disk
    TICK = 40  # users live until the next tick


class Clock:
    """Simulated time, s. A walker holds no state but its next time, so a resumed clock is made anew from those."""

    def __init__(self, now: float) -> None:
        self._environment = simpy.Environment(initial_time=now)
        self._due: list[tuple[Action, float]] = []
        self._walkers: list[Generator[simpy.Event, None, None]] = []

    @property
    def now(self) -> float:
        """Return the simulated time, s."""
        return float(self._environment.now)

    def every(self, period: float, first: float, order: Order, action: Action) -> None:
        """Have `action` done at `first`, and every `period` seconds from then on.

        Raises:
            ValueError: the period is not positive, or `first` is past.
        """
        if period <= 0.0 or first < self.now:
            raise ValueError(
                f"every {period} s from {first} s: expected a positive period, and a time from {self.now} s on"
            )
        walker = self._walk(period, first, order, action)
        self._walkers.append(walker)
        self._environment.process(walker)

    def _walk(self, period: float, first: float, order: Order, action: Action) -> Generator[simpy.Event, None, None]:
        time = first
        while True:
            yield self._at(time, order)
            self._due.append((action, time))
            time += period

    def _at(self, time: float, order: Order) -> simpy.Event:
        """Put an event at `time`; among events of one time the lower order comes first."""
        event = simpy.Event(self._environment)
        event._ok, event._value = True, None
        self._environment.schedule(event, priority=EventPriority(int(order)), delay=time - self.now)
        return event

    def due(self, until: float) -> Iterator[tuple[Action, float]]:
        """Yield what is to be done and when, s, one after the other, until `until`; what is due then is left out."""
        while self._environment.peek() < until:
            self._environment.step()
            # outside of SimPy's own step, which would make an exception anew from its arguments, and fail at some
            while self._due:
                yield self._due.pop(0)
        if until > self.now:
            self._environment.run(until=until)

    def close(self) -> None:
        """Let go of what was to be called, which would live on in SimPy's circles of objects until they are found."""
        for walker in self._walkers:
            walker.close()
