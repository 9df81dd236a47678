"""The measures of a run, from the integer sums of the kernels and the state of the users at the end."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from recommenders.inequality import gini
from simulator.engine.tables.case_tables import Count
from simulator.engine.tables.tables import FIXED, TICKS_PER_SECOND, Tally, Users
from simulator.engine.visit.outcomes import VALUE_UNITS
from simulator.errors import InputError
from simulator.plan.compiler import Compiled
from simulator.scenario.durations import DAY
from simulator.scenario.schema.targets import measures_of


@dataclass(frozen=True)
class Outcome:
    """Hold the sums and states that measures are made from."""

    compiled: Compiled
    tallies: npt.NDArray[np.int64]
    exposures: npt.NDArray[np.int64]  # (items,)
    creators: npt.NDArray[np.uint32]  # (items,)
    users: Users
    horizon: float
    cases: npt.NDArray[np.int64] | None = None  # counts of the world's cases, where there are any
    hours: Mapping[str, Mapping[str, Sequence[float | None]]] = field(default_factory=dict)
    """By queue: what its servers did in every hour of the day; see `simulator.runtime.hours_of_day`."""

    def count(self, tally: Tally) -> int:
        """Return one of the sums."""
        return int(self.tallies[tally])

    def events(self, name: str) -> int:
        """Return how often an event happened."""
        code = self.compiled.names.codes.get(name)
        return int(self.tallies[Tally.EVENT + code]) if code is not None else 0

    def total(self, name: str) -> float:
        """Return the sum of an event's values outside of plays."""
        return int(self.tallies[Tally.VALUE + self.compiled.names.codes[name]]) / VALUE_UNITS

    def label(self, name: str) -> int:
        """Return how many plays, or acts, were positive by a label of the scenario."""
        at_end = int(self.tallies[Tally.LABEL + self.compiled.names.labels.index(name)])
        acts = [
            event for event in self.compiled.scenario.platform.labels[name].events if event in self.compiled.names.acts
        ]
        return at_end + sum(self.events(act) for act in acts)


def _ratio(a: float, b: float) -> float:
    return a / b if b else math.nan


def _retention(o: Outcome) -> float:
    """Return the share of users first seen on day d who visit on day d + 1, over days that the run saw whole."""
    days = o.users.state["days"].astype(np.uint64)
    came, stayed = 0, 0
    for day in range(min(int(o.horizon // DAY) - 1, 31)):
        new = (days & np.uint64((1 << (day + 1)) - 1)) == np.uint64(1 << day)
        came += int(new.sum())
        stayed += int((new & ((days >> np.uint64(day + 1)) & np.uint64(1)).astype(bool)).sum())
    return _ratio(stayed, came)


def _creator_gini(o: Outcome) -> float:
    return gini(np.bincount(o.creators, weights=o.exposures).astype(np.int64))


_MEASURES: dict[str, Callable[[Outcome], float]] = {
    "impressions": lambda o: o.count(Tally.IMPRESSIONS),
    "plays": lambda o: o.count(Tally.PLAYS),
    "visits": lambda o: o.count(Tally.VISITS),
    "requests": lambda o: o.count(Tally.REQUESTS),
    "watch_seconds_per_impression": lambda o: _ratio(
        o.count(Tally.WATCHED) / TICKS_PER_SECOND, o.count(Tally.IMPRESSIONS)
    ),
    "skip_rate": lambda o: _ratio(o.events("skip"), o.count(Tally.PLAYS)),
    "complete_play_rate": lambda o: _ratio(o.events("complete"), o.count(Tally.PLAYS)),
    "positive_interaction_rate": lambda o: _ratio(o.count(Tally.POSITIVE), o.count(Tally.PLAYS)),
    "negative_feedback_rate": lambda o: _ratio(o.events("hate"), o.count(Tally.PLAYS)),
    "profile_enter_rate": lambda o: _ratio(o.events("profile_visit"), o.count(Tally.PLAYS)),
    "silence_rate": lambda o: _ratio(o.count(Tally.SILENT), o.count(Tally.JUDGED_PLAYS)),
    "unattended_rate": lambda o: _ratio(o.events("unattended"), o.count(Tally.PLAYS)),
    "tolerated_rate": lambda o: _ratio(o.events("tolerate"), o.count(Tally.PLAYS)),
    "satisfaction": lambda o: _ratio(o.count(Tally.SATISFACTION) / FIXED, o.count(Tally.JUDGED_PLAYS)),
    "utility": lambda o: _ratio(o.count(Tally.UTILITY) / FIXED, o.count(Tally.PLAYS)),
    "regret": lambda o: _ratio(o.count(Tally.REGRET) / FIXED, o.count(Tally.REGRETTED)),
    "minutes_per_user_day": lambda o: _ratio(
        o.count(Tally.VISIT_SECONDS) / TICKS_PER_SECOND / 60.0, o.count(Tally.PRESENCE_IN_DAYS)
    ),
    "visits_per_user_day": lambda o: _ratio(o.count(Tally.VISITS), o.count(Tally.PRESENCE_IN_DAYS)),
    "items_per_visit": lambda o: _ratio(o.count(Tally.PLAYS), o.count(Tally.VISITS)),
    "day_1_retention": _retention,
    "churned_share": lambda o: float(np.mean(o.users.state["gone"])) if len(o.users.state) else math.nan,
    "creator_exposure_gini": _creator_gini,
    "cases": lambda o: _of_cases(o, Count.POSTED),
    "open_cases": lambda o: _of_cases(o, Count.POSTED) - _of_cases(o, Count.ENDED),
    "late_share": lambda o: _ratio(_of_cases(o, Count.LATE), _of_cases(o, Count.PROMISED)),
    "rating": lambda o: _ratio(_of_cases(o, Count.STARS), _of_cases(o, Count.RATED)),
}


_PER: dict[str, Callable[[Outcome], float]] = {
    "impression": lambda o: o.count(Tally.IMPRESSIONS),
    "visit": lambda o: o.count(Tally.VISITS),
    "user_day": lambda o: o.count(Tally.PRESENCE_IN_DAYS),
    "user": lambda o: len(o.users.state),
}


def _of_cases(o: Outcome, count: Count) -> int:
    return int(o.cases[count]) if o.cases is not None else 0


def _of_events(name: str, events: Collection[str]) -> Callable[[Outcome], float] | None:
    """Return `A_per_B` for events A and B or what `_PER` knows, `A_rate` per play, `mean_A`, `total_A`, or None."""
    if name.removesuffix("_rate") in events and name.endswith("_rate"):
        return lambda o: _ratio(o.events(name.removesuffix("_rate")), o.count(Tally.PLAYS))
    above, _, below = name.partition("_per_")
    if above in events and (below in _PER or below in events):
        return lambda o: _ratio(o.events(above), _PER[below](o) if below in _PER else o.events(below))
    what, _, event = name.partition("_")
    if event in events and what == "mean":
        return lambda o: _ratio(o.total(event), o.events(event))
    if event in events and what == "total":
        return lambda o: o.total(event)
    return None


_OF_QUEUES = re.compile(r"(?P<what>utilisation|wait)_(?P<queue>\w+?)(_at_(?P<hour>peak|\d\d?))?")


def _of_queue(name: str, queues: Collection[str]) -> Callable[[Outcome], float] | None:
    """`utilisation_Q_at_19`, `wait_Q_at_peak` and the like for a queue Q, or None; without an hour, of the whole run.

    `utilisation` is the share of the time of servers on duty in which they serve; `wait` how long those whom they take
    on had to wait, s. The peak is the hour of the day in which most are busy.
    """
    match = _OF_QUEUES.fullmatch(name)
    if match is None or match["queue"] not in queues or match["hour"] not in (None, "peak", *map(str, range(24))):
        return None
    what = "utilisation" if match["what"] == "utilisation" else "wait_seconds"

    def found(o: Outcome) -> float:
        hours = o.hours.get(match["queue"])
        if hours is None:
            return math.nan
        values, busy = [value or 0.0 for value in hours[what]], [value or 0.0 for value in hours["busy_seconds"]]
        weights = [value or 0.0 for value in hours["on_duty_seconds" if what == "utilisation" else "served"]]
        if match["hour"] is not None:
            hour = int(np.argmax(busy)) if match["hour"] == "peak" else int(match["hour"])
            values, weights = values[hour : hour + 1], weights[hour : hour + 1]
        return _ratio(float(np.dot(values, weights)), sum(weights))

    return found


def _queues(compiled: Compiled) -> list[str]:
    return [name for name, resource in compiled.scenario.resources.items() if resource.kind == "queue"]


def _how(name: str, compiled: Compiled) -> Callable[[Outcome], float] | None:
    """Return how a measure is computed; None where nothing is known by this name."""
    label = name.removesuffix("_rate")
    if name in _MEASURES:
        return _MEASURES[name]
    if label in compiled.names.labels:
        return lambda o: _ratio(o.label(label), o.count(Tally.PLAYS))
    return _of_events(name, compiled.names.events) or _of_queue(name, _queues(compiled))


def check_measures(compiled: Compiled) -> None:
    """Check that every measure that a scenario or one of its targets names can be computed. Raises InputError."""
    scenario = compiled.scenario
    named = [("measures: ", name) for name in scenario.measures]
    named += [
        (f"targets.{target}.measure = ", name)
        for target, name in measures_of(scenario.targets).items()
        if name != target  # a target without a reading may have the name of no measure: nothing is compared then
    ]
    for key, name in named:
        if _how(name, compiled) is None:
            known = [*_MEASURES, *(f"{label}_rate" for label in compiled.names.labels)]
            ratios = f"EVENT_per_EVENT, EVENT_per_{', EVENT_per_'.join(_PER)}, EVENT_rate, mean_EVENT or total_EVENT"
            ratios += "".join(
                f", utilisation_{q}, utilisation_{q}_at_HOUR, wait_{q}_at_peak" for q in _queues(compiled)
            )
            raise InputError(scenario.shown, f"{key}{name} is unknown", f"one of {', '.join(known)}, or {ratios}")


def measure(outcome: Outcome) -> dict[str, float]:
    """Compute the measures that the scenario names, in its order; NaN where there was nothing to measure."""
    hows = {name: _how(name, outcome.compiled) for name in outcome.compiled.scenario.measures}
    return {name: how(outcome) for name, how in hows.items() if how is not None}


def measure_targets(outcome: Outcome) -> dict[str, float]:
    """Compute, by target, the measures that targets are compared with; those that take a log are not among them."""
    named = measures_of(outcome.compiled.scenario.targets)
    hows = {target: _how(name, outcome.compiled) for target, name in named.items()}
    return {target: how(outcome) for target, how in hows.items() if how is not None}


def unmeasured(compiled: Compiled) -> list[str]:
    """Return the targets for which their scenario says no reading, and whose own name is that of no measure."""
    return [target for target, name in measures_of(compiled.scenario.targets).items() if _how(name, compiled) is None]


def event_counts(outcome: Outcome) -> dict[str, int]:
    """Return how often each event happened."""
    return {name: outcome.events(name) for name in outcome.compiled.names.events if outcome.events(name)}
