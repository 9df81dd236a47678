"""The world's clock: what is due at one time happens in a set order, and failures come out as they are."""

from __future__ import annotations

import weakref

import pytest

from recommenders.contract.errors import RecommenderError
from simulator.errors import InputError, OutputError, RunInterrupted
from simulator.runtime.clock import Clock, Order


def run(clock: Clock, until: float) -> None:
    for action, time in clock.due(until):
        action(time)


def test_everything_happens_on_time_and_in_order():
    seen: list[tuple[float, str]] = []
    clock = Clock(0.0)
    for order in (Order.TICK, Order.CHECKPOINT, Order.FIT, Order.PUBLISH):  # made in the wrong order on purpose
        period = 20.0 if order is Order.FIT else 10.0
        clock.every(period, 0.0, order, lambda time, order=order: seen.append((time, order.name)))
    run(clock, 30.0)
    every = ["PUBLISH", "FIT", "CHECKPOINT", "TICK"]
    expected = [(0.0, name) for name in every]
    expected += [(10.0, name) for name in every if name != "FIT"]
    expected += [(20.0, name) for name in every]
    assert seen == expected, "what is due at the very end does not happen"
    assert clock.now == 30.0


def test_a_clock_made_anew_goes_on_where_it_was():
    whole: list[float] = []
    Clock(0.0).every(7.0, 3.0, Order.TICK, whole.append)
    clock = Clock(0.0)
    clock.every(7.0, 3.0, Order.TICK, whole.append)
    run(clock, 40.0)
    parts: list[float] = []
    for begin, end in ((0.0, 17.0), (17.0, 40.0)):
        clock = Clock(begin)
        clock.every(7.0, next(t for t in (3.0, 10.0, 17.0) if t >= begin), Order.TICK, parts.append)
        run(clock, end)
    assert parts == whole == [3.0, 10.0, 17.0, 24.0, 31.0, 38.0]


def test_times_that_make_no_sense():
    clock = Clock(5.0)
    with pytest.raises(ValueError, match="positive period"):
        clock.every(0.0, 6.0, Order.TICK, print)
    with pytest.raises(ValueError, match="a time from"):
        clock.every(1.0, 4.0, Order.TICK, print)
    run(clock, 5.0)  # no time passes, nothing happens
    assert clock.now == 5.0


class OddError(Exception):
    """What somebody else's code may raise: it cannot be made again from its `args`."""

    def __init__(self, place: str, *, number: int) -> None:
        super().__init__(f"{place} {number}")


@pytest.mark.parametrize(
    "error",
    [
        InputError("here", "is wrong", "be right"),
        OutputError("there", "the disk is full", "free some"),
        RecommenderError("recommender", "wrong items", "right ones"),
        RunInterrupted("at 3 h"),
        OSError(28, "No space left on device"),
        OddError("place", number=3),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_an_action_raises_comes_out_as_it_is(error):
    """The message that a user reads must survive the way through the clock."""

    def fail(time: float) -> None:
        raise error

    clock = Clock(0.0)
    clock.every(1.0, 2.0, Order.TICK, fail)
    with pytest.raises(type(error)) as caught:
        run(clock, 10.0)
    assert str(caught.value) == str(error)


def test_a_closed_clock_lets_go_of_what_it_would_call():
    class Called:
        def at(self, time: float) -> None:
            times.append(time)

    times: list[float] = []
    called = Called()
    kept = weakref.ref(called)
    clock = Clock(0.0)
    clock.every(1.0, 0.0, Order.TICK, called.at)
    run(clock, 3.0)
    del called
    assert kept() is not None
    clock.close()
    assert kept() is None
    assert times == [0.0, 1.0, 2.0]
